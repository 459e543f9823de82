//! Steps 3 and 4: the login page, and the password that the user submits on it (OpenID Connect Core §3.1.2.3).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path},
};
use serde::Serialize;
use shared::{
    flow::{Checks, Rule, Step, Words},
    params::Params,
    secret::Secret,
};
use web::{
    form::{Form, FormError},
    pages::{Kind, Progress},
    problem::Problem,
};

use super::visit::{self, Visit};
use crate::{
    domain::{interaction::Stage, session::Authentication, user::Username},
    http::browser,
    problems,
    state::AppState,
};

#[derive(Serialize)]
struct LoginPage<'a> {
    client_name: &'a str,
    return_to: String,
    username: &'a str,
    failed: bool,
    demo: Option<DemoUser>,
    csrf: &'a str,
}

#[derive(Serialize)]
struct DemoUser {
    username: &'static str,
    password: &'static str,
}

/// `GET /login/{handle}`, step 3
pub async fn page(
    state: Data<AppState>,
    request: HttpRequest,
    handle: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = Visit::find(&state, &request, &handle, &mut state.checks()).await?;
    match &visit.interaction.stage {
        Stage::AwaitingLogin => show(&state, &request, &visit, None),
        passed => visit.lead_on(&state, passed),
    }
}

/// `POST /login/{handle}`, step 4
pub async fn submit(
    state: Data<AppState>,
    request: HttpRequest,
    handle: Path<String>,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    let mut checks = state.checks();
    let (visit, params) = visit::submitted(&state, &request, &handle, form, &[], &mut checks).await?;
    if visit.interaction.stage != Stage::AwaitingLogin {
        return visit.lead_on(&state, &visit.interaction.stage);
    }

    let Some(authentication) = authenticate(&state, &params, &mut checks).await? else {
        let typed = params.get("username").unwrap_or_default();
        return show(&state, &request, &visit, Some(typed));
    };
    let signed_in = state.stores.interactions.sign_in(visit.handle, authentication.clone(), visit.now).await;
    let stage = signed_in.map_err(problems::from_store)?.ok_or_else(problems::interaction_unknown)?;
    let location = visit.address_of(&state, &stage)?;
    let mut response = HttpResponse::SeeOther();
    browser::renew_session(&state, &request, authentication, &mut response)
        .await
        .map_err(problems::from_store)?;
    Ok(response.insert_header((header::LOCATION, location)).finish())
}

/// Whether name and password are right, and so who it is.
async fn authenticate(
    state: &AppState,
    params: &Params,
    checks: &mut Checks,
) -> Result<Option<Authentication>, Problem> {
    let typed = params.get("username").unwrap_or_default();
    let password = Secret::new(params.get("password").unwrap_or_default());
    let user =
        state.stores.users.find_by_name(&Username::parse(typed)).await.map_err(problems::from_store)?;
    // One hash is computed whether or not the user exists, and the page says the same: nobody learns who is here.
    let expected = user.as_ref().map(|user| user.password.clone());
    let correct = state.passwords.verify(password, expected).await.map_err(problems::from_passwords)?;
    let shown = if correct { Words::CorrectPassword } else { Words::WrongPassword };
    let judged = checks.judge(Rule::PasswordCorrect, Words::CorrectPassword, shown, correct);
    Ok(user.filter(|_| judged.is_ok()).map(|user| Authentication {
        subject: user.subject.clone(),
        at: state.clock.now(),
        methods: &["pwd"],
    }))
}

/// The page; `failed` is the name that was typed with a wrong password.
fn show(
    state: &AppState,
    request: &HttpRequest,
    visit: &Visit,
    failed: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let demo = state.settings.shown_users.first().copied();
    let step = if failed.is_some() { Step::Password } else { Step::LoginPage };
    let page = LoginPage {
        client_name: &visit.client.name,
        return_to: visit.return_to(),
        username: failed.or(demo.map(|(username, _)| username)).unwrap_or_default(),
        failed: failed.is_some(),
        demo: demo.map(|(username, password)| DemoUser { username, password }),
        csrf: &visit.csrf,
    };
    let progress = Some(Progress::Now(step));
    state.site.pages.respond(request, StatusCode::OK, Kind::Form, "idp/login.html", progress, &page)
}
