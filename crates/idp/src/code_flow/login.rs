//! Steps 3 and 4: the login page, and the password that the user submits on it (OpenID Connect Core §3.1.2.3).

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Data,
};
use serde::Serialize;
use shared::{
    flow::{Checks, Rule, Shown, Step, Words},
    params::Params,
    secret::Secret,
};
use web::{
    form::{Form, FormError},
    last_segment::LastSegment,
    pages::{Kind, Progress},
    problem::Problem,
    visitor,
};

use super::{
    asking::Asking,
    turn,
    visit::{self, Visit},
};
use crate::{
    domain::{
        interaction::{Event, Stage},
        session::Authentication,
        user::Username,
    },
    http::browser,
    problems,
    state::AppState,
    throttle::{Account, Attempt, Refused, Visitor},
};

#[derive(Serialize)]
struct LoginPage<'a> {
    asking: Asking<'a>,
    username: &'a str,
    /// The demo's password for that name.
    password: Option<&'static str>,
    /// Whoever is signed in already and is to prove it again.
    again: Option<&'a str>,
    failed: bool,
    wait: Option<Wait>,
    demo: Vec<DemoUser>,
    csrf: String,
}

#[derive(Serialize)]
struct DemoUser {
    username: &'static str,
    password: &'static str,
}

#[derive(Serialize)]
struct Wait {
    minutes: u64,
    seconds: u64,
}

/// Why the form is shown again.
#[derive(Clone, Copy)]
enum Again {
    /// The password was wrong, or nobody has that name.
    Wrong,
    /// The password was not looked at. After this time it may be.
    TooSoon(Duration),
}

/// `GET /login/{handle}`, step 3
pub async fn page(
    state: Data<AppState>,
    request: HttpRequest,
    handle: LastSegment,
) -> Result<HttpResponse, Problem> {
    let visit = Visit::find(&state, &request, &handle, None, &mut state.checks()).await?;
    match &visit.stage {
        Stage::AwaitingLogin { .. } => show(&state, &request, &visit, None).await,
        passed => Ok(visit.lead_on(&state, passed)),
    }
}

/// `POST /login/{handle}`, step 4
pub async fn submit(
    state: Data<AppState>,
    request: HttpRequest,
    handle: LastSegment,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    let mut checks = state.checks();
    let (visit, params) = visit::submitted(&state, &request, &handle, form, &[], &mut checks).await?;
    if !matches!(visit.stage, Stage::AwaitingLogin { .. }) {
        return Ok(visit.lead_on(&state, &visit.stage));
    }
    let visitor = Visitor { browser: visit.browser, address: visitor::address(&request) };
    let authentication = match authenticate(&state, visitor, &params, &mut checks).await? {
        Ok(authentication) => authentication,
        Err(why) => {
            let typed = params.get("username").unwrap_or_default();
            return show(&state, &request, &visit, Some((typed, why))).await;
        }
    };
    let stage = visit.advance(&state, Event::SignedIn(authentication.clone())).await?;
    let session = browser::renew_session(&state, &request, authentication.clone()).await;
    let session = session.map_err(problems::from_store)?;
    let answer = match stage {
        Stage::AwaitingConsent { authentication: awaited } if awaited == authentication => {
            turn::go_on(&state, &visit, authentication, &mut checks).await
        }
        elsewhere => Ok(visit.lead_on(&state, &elsewhere)),
    };
    // The old session has ended: whatever the answer is, it brings the new one.
    let mut answer = answer.unwrap_or_else(|problem| problem.error_response());
    answer.add_cookie(&session).map_err(Problem::internal)?;
    Ok(answer)
}

/// Whether name and password are right, and so who it is.
async fn authenticate(
    state: &AppState,
    visitor: Visitor,
    params: &Params,
    checks: &mut Checks,
) -> Result<Result<Authentication, Again>, Problem> {
    let name = Username::parse(params.get("username").unwrap_or_default());
    let password = Secret::new(params.get("password").unwrap_or_default());
    let user = state.stores.users.find_by_name(&name).await.map_err(problems::from_store)?;
    let attempt = match attempt(state, visitor, Account::of(user.as_deref(), &name), checks).await? {
        Ok(attempt) => attempt,
        Err(why) => return Ok(Err(why)),
    };
    // One hash is computed whether or not the user exists, and the page says the same: nobody learns who is here.
    let expected = user.as_ref().map(|user| user.password.clone());
    let correct = match state.passwords.verify(password, expected).await {
        Ok(correct) => correct,
        Err(busy) => {
            attempt.give_up();
            return Err(problems::from_passwords(busy));
        }
    };
    let shown = if correct { Words::CorrectPassword } else { Words::WrongPassword };
    let judged = checks.judge(Rule::PasswordCorrect, Words::CorrectPassword, shown, correct);
    let Some(user) = user.filter(|_| judged.is_ok()) else {
        return Ok(Err(Again::Wrong));
    };
    attempt.succeed();
    Ok(Ok(Authentication { subject: user.subject.clone(), at: state.clock.now(), methods: &["pwd"] }))
}

/// RFC 6819 §5.1.4.2: whether a password may be tried now, with this browser.
async fn attempt<'a>(
    state: &'a AppState,
    visitor: Visitor,
    account: Account,
    checks: &mut Checks,
) -> Result<Result<Attempt<'a>, Again>, Problem> {
    match state.throttle.begin(account, visitor).await {
        Ok(attempt) => {
            checks.pass(Rule::AttemptsAllowed, Words::AttemptDue);
            Ok(Ok(attempt))
        }
        Err(Refused::TooSoon(wait)) => {
            let shown = Shown::WordsWith(Words::TooSoon, wait.as_secs().to_string().into());
            drop(checks.refuse(Rule::AttemptsAllowed, Words::AttemptDue, shown));
            tracing::warn!(rule = Rule::AttemptsAllowed.id(), seconds = wait.as_secs(), "refused");
            Ok(Err(Again::TooSoon(wait)))
        }
        Err(Refused::Busy(busy)) => Err(problems::from_passwords(busy)),
    }
}

/// The page; `failed` is the name that was typed when it did not work, and why it did not.
async fn show(
    state: &AppState,
    request: &HttpRequest,
    visit: &Visit,
    failed: Option<(&str, Again)>,
) -> Result<HttpResponse, Problem> {
    let (failed, why) = failed.unzip();
    let wait = match why {
        Some(Again::TooSoon(wait)) => Some(wait.as_secs()),
        Some(Again::Wrong) | None => None,
    };
    let asked = &visit.asked;
    let expected = match &visit.stage {
        Stage::AwaitingLogin { user: Some(subject) } => {
            state.stores.users.find(subject).await.map_err(problems::from_store)?
        }
        _ => None,
    };
    let demo = state.settings.shown_users;
    let hint = asked.login_hint.as_deref().or(demo.first().map(|(username, _)| *username));
    let session = browser::session(state, request, visit.now).await.map_err(problems::from_store)?;
    let signed_in = expected.as_ref().filter(|user| session.account(&user.subject).is_some());
    // Whoever merely asks for somebody does not learn what their name is. That they were there proves an ID token that
    // nobody but us can have signed.
    let proved = expected.as_ref().filter(|user| asked.hint.subject().as_ref() == Some(&user.subject));
    let known = signed_in.or(proved).map(|user| user.username.as_str());
    let username = failed.or(known).or(hint).unwrap_or_default();
    let shown = demo.iter().find(|(name, _)| *name == username).filter(|_| failed.is_none());
    let page = LoginPage {
        asking: Asking::of(visit, request),
        username,
        password: shown.map(|(_, password)| *password),
        again: signed_in.map(|user| user.display_name()),
        failed: failed.is_some(),
        wait: wait.map(|seconds| Wait { minutes: seconds / 60, seconds: seconds % 60 }),
        demo: demo.iter().map(|(username, password)| DemoUser { username, password }).collect(),
        csrf: visit.csrf(state),
    };
    let step = if failed.is_some() { Step::Password } else { Step::LoginPage };
    let progress = Some(Progress::Now(step));
    // RFC 6585 §4
    let status = if wait.is_some() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
    let pages = &state.site.pages;
    let answer = pages.respond(request, status, Kind::Form, "idp/login.html", progress, &page)?;
    let mut answer = page.asking.with_logo(answer);
    if let Some(seconds) = wait {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(answer)
}
