//! Signing out (OpenID Connect RP-Initiated Logout 1.0).
//!
//! A client sends the browser here with the ID token of the login that is to end. If one of our keys signed it, that
//! proves enough: the user is signed out, and the browser goes back. Without it anybody could have sent the browser;
//! and what is signed with its secret (HS256) the client can have written itself. Then the user is asked first (§6).

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use serde::Serialize;
use shared::{
    clock::Timestamp,
    flow::{Checks, Rule, Words},
    ids::{ClientId, Subject},
    params::{self, Params},
    secret::Secret,
};
use web::{
    form::{Form, FormError},
    lang::Lang,
    pages::Kind,
    problem::Problem,
};

use super::home;
use crate::{
    domain::{client::Client, session::UserSession},
    http::{
        browser,
        by_get::by_get,
        id_token_hint::{self, Hint},
    },
    problems,
    state::AppState,
    tokens,
};

/// What the CSRF token of the form is bound to, beside the browser.
const FORM: &str = "beside the flow";

/// A request that has been checked: who is to be signed out, and where the browser goes then.
struct LogoutRequest {
    /// Who, and when they signed in, out of a hint that nobody but us can have signed.
    login: Option<(Subject, Timestamp)>,
    client: Option<Arc<Client>>,
    return_to: Option<String>,
}

#[derive(Serialize)]
struct Page {
    names: Vec<String>,
    client_name: Option<String>,
    query: String,
    csrf: String,
}

/// `GET /oauth/logout` (§2)
pub async fn get(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let params = Params::parse(request.query_string().as_bytes(), &[]).map_err(Problem::malformed)?;
    Lang::suggest(&request, params.get("ui_locales").unwrap_or_default());
    let asked = checked(&state, &params, &mut state.checks()).await.map_err(|it| way_on(&state, it))?;
    let session = session(&state, &request).await?;
    // §2: a hint about somebody else than those who are signed in here, or about another session of theirs, is suspect,
    // and ends nobody's session.
    let is_here =
        |(subject, at): &&(Subject, Timestamp)| session.account(subject).is_some_and(|it| it.at == *at);
    let hinted = asked.login.as_ref().filter(is_here).map(|(subject, _)| subject);
    if hinted.is_none() && !session.accounts().is_empty() {
        return ask(&state, &request, &session, &asked, &params).await;
    }
    let answer = done(&state, &request, asked.return_to)?;
    match hinted {
        Some(subject) => sign_out(&state, &request, Some(subject), answer).await,
        None => Ok(answer),
    }
}

/// `POST /oauth/logout` (§2): the same request in a form.
pub async fn post(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    by_get(&state.metadata.end_session_endpoint, &request, form)
}

/// `POST /logout`: the user said yes, on a page of ours. `account` names one user; without it all are signed out.
pub async fn confirm(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    let mut checks = state.checks();
    let form = own_form(&state, &request, form, &mut checks)?;
    // The query is the client's request, which is checked again: the page proves only that the user wants it.
    let params = Params::parse(request.query_string().as_bytes(), &[]).map_err(Problem::malformed)?;
    let asked = checked(&state, &params, &mut checks).await.map_err(|it| way_on(&state, it))?;
    let account = form.get("account").map(Subject::new);
    let answer = match form.get("then") {
        Some("home") => home::to_home(&state),
        _ => done(&state, &request, asked.return_to)?,
    };
    sign_out(&state, &request, account.as_ref(), answer).await
}

/// A form of a page of ours that stands beside the flow: sent by this site, with the token of the page (RFC 6749
/// §10.12).
pub(super) fn own_form(
    state: &AppState,
    request: &HttpRequest,
    form: Result<Form, FormError>,
    checks: &mut Checks,
) -> Result<Params, Problem> {
    if !state.settings.origin.is_sender_of(request) {
        return Err(Problem::foreign_origin());
    }
    let params = form?.params(&[])?;
    let browser = browser::browser(state, request).ok_or_else(Problem::csrf)?;
    let accepted = state.csrf.accepts(params.get("csrf").unwrap_or_default(), &browser, FORM);
    let shown = if accepted { Words::PageToken } else { Words::OtherToken };
    checks
        .judge(Rule::CsrfToken, Words::PageToken, shown, accepted)
        .map_err(|failed| Problem::csrf().check(failed).beside_the_flow())?;
    Ok(params)
}

/// §2 and §3: the hint is an ID token, the client is known, the address is registered for it. Otherwise nobody is
/// signed out and nobody is redirected.
async fn checked(state: &AppState, params: &Params, checks: &mut Checks) -> Result<LogoutRequest, Problem> {
    let Ok(hint) = hint(state, params, checks).await? else {
        return Ok(LogoutRequest { login: None, client: None, return_to: None });
    };
    let named = params.get("client_id").map(ClientId::new);
    if let (Some(hint), Some(named)) = (&hint, &named) {
        // §2: when both are there they must agree.
        checks
            .equal(Rule::LogoutClientSame, hint.client_id.as_str(), named.as_str())
            .map_err(|failed| problems::logout_client().check(failed))?;
    }
    let client_id = named.or_else(|| hint.as_ref().map(|hint| hint.client_id.clone()));
    let client = match &client_id {
        Some(id) => {
            let found = state.stores.clients.find(id, state.present()).await.map_err(problems::from_store)?;
            Some(found.ok_or_else(problems::logout_client)?)
        }
        None => None,
    };
    let return_to = match params.get("post_logout_redirect_uri") {
        Some(uri) => Some(return_to(state, client.as_deref(), uri, params.get("state"), checks)?),
        None => None,
    };
    let login = hint.as_ref().and_then(|hint| hint.proved().cloned().zip(hint.authenticated));
    Ok(LogoutRequest { login, client, return_to })
}

/// Whoever cannot go back to the application can still sign out on the provider's own page.
fn way_on(state: &AppState, problem: Problem) -> Problem {
    problem.next(state.site.pages.home())
}

/// A hint that cannot be verified, perhaps because the key that signed it is gone.
struct Unverified;

/// §2: the hint must be an ID token of ours. If it is not, nothing of the request counts: the user is asked, and stays
/// here.
async fn hint(
    state: &AppState,
    params: &Params,
    checks: &mut Checks,
) -> Result<Result<Option<Hint>, Unverified>, Problem> {
    let Some(token) = params.get("id_token_hint") else {
        return Ok(Ok(None));
    };
    let hint = id_token_hint::read(state, token).await.map_err(problems::from_store)?;
    let shown = if hint.is_some() { Words::OwnIdToken } else { Words::OtherIdToken };
    let ours = checks.judge(Rule::HintOurs, Words::OwnIdToken, shown, hint.is_some());
    Ok(ours.map(|()| hint).map_err(|_| Unverified))
}

/// §3: exact comparison with what the client registered, and `state` goes back as it came.
fn return_to(
    state: &AppState,
    client: Option<&Client>,
    presented: &str,
    client_state: Option<&str>,
    checks: &mut Checks,
) -> Result<String, Problem> {
    let registered = client.and_then(|client| client.post_logout_redirect_uri(presented));
    let known = state.shown_addresses(client.map_or(&[][..], |client| &client.post_logout_redirect_uris));
    checks
        .judge(Rule::PostLogoutRedirectUriRegistered, known, presented, registered.is_some())
        .map_err(|failed| problems::post_logout_redirect_uri().check(failed))?;
    let separator = if presented.contains('?') { '&' } else { '?' };
    Ok(match client_state {
        Some(state) => format!("{presented}{separator}state={}", params::encode(state)),
        None => presented.to_owned(),
    })
}

async fn session(state: &AppState, request: &HttpRequest) -> Result<UserSession, Problem> {
    browser::session(state, request, state.clock.now()).await.map_err(problems::from_store)
}

/// Signs one user out, or all, and answers so.
async fn sign_out(
    state: &AppState,
    request: &HttpRequest,
    subject: Option<&Subject>,
    mut answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let cookie = browser::end_session(state, request, subject).await.map_err(problems::from_store)?;
    if let Some(cookie) = cookie {
        answer.add_cookie(&cookie).map_err(Problem::internal)?;
    }
    Ok(answer)
}

/// The question.
async fn ask(
    state: &AppState,
    request: &HttpRequest,
    session: &UserSession,
    asked: &LogoutRequest,
    params: &Params,
) -> Result<HttpResponse, Problem> {
    let mut names = Vec::new();
    for account in session.accounts() {
        let user = state.stores.users.find(&account.subject).await.map_err(problems::from_store)?;
        names.extend(user.map(|user| user.display_name().to_owned()));
    }
    let (csrf, cookie) = form_token(state, request);
    let lang = Lang::of(request);
    let client_name =
        asked.client.as_ref().and_then(|client| client.name.for_reader(lang)).map(ToOwned::to_owned);
    let page = Page { names, client_name, query: params.encode(), csrf };
    let pages = &state.site.pages;
    let mut answer = pages.respond(request, StatusCode::OK, Kind::Form, "idp/logout.html", None, &page)?;
    if let Some(cookie) = cookie {
        answer.add_cookie(&cookie).map_err(Problem::internal)?;
    }
    Ok(answer)
}

/// The CSRF token of a form beside the flow, and the cookie that goes with it if the browser has none yet.
pub(super) fn form_token(
    state: &AppState,
    request: &HttpRequest,
) -> (String, Option<actix_web::cookie::Cookie<'static>>) {
    let known = browser::browser(state, request);
    let browser: Secret = known.clone().unwrap_or_else(|| tokens::mint_cookie(state.random.as_ref()));
    let cookie = known.is_none().then(|| browser::browser_cookie(state, &browser));
    (state.csrf.token(&browser, FORM), cookie)
}

/// Back to the client if it named an address, otherwise a page that says so (§3).
fn done(state: &AppState, request: &HttpRequest, return_to: Option<String>) -> Result<HttpResponse, Problem> {
    if let Some(location) = return_to {
        return Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish());
    }
    let pages = &state.site.pages;
    pages.respond(request, StatusCode::OK, Kind::Plain, "idp/logged_out.html", None, &())
}
