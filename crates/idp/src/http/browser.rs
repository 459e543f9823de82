//! The browser in front of the provider: two cookies.
//!
//! `idp_browser` says that it is the same browser as before; interactions are bound to it, and it survives login.
//! `idp_session` says who has signed in; it is renewed at every login, so that nobody can plant one (session fixation),
//! and at every sign-out.

use actix_web::{HttpRequest, cookie::Cookie};
use shared::{
    clock::Timestamp,
    ids::Subject,
    secret::{Secret, SecretHash},
};
use web::{cookies, visitor};

use crate::{
    domain::session::{Authentication, UserSession},
    state::AppState,
    store::Stored,
    tokens,
};

/// The browser's own value, if it has one.
pub fn browser(state: &AppState, request: &HttpRequest) -> Option<Secret> {
    cookies::value(request, &state.settings.browser_cookie).map(Secret::new)
}

/// The cookie that makes a browser known. It ends with the browser.
pub fn browser_cookie(state: &AppState, browser: &Secret) -> Cookie<'static> {
    cookie(state, &state.settings.browser_cookie, browser)
}

/// The session of this browser; one in which nobody is signed in if it has none that lives.
pub async fn session(state: &AppState, request: &HttpRequest, now: Timestamp) -> Stored<UserSession> {
    let Some(id) = session_id(state, request) else {
        return Ok(UserSession::default());
    };
    let session = state.stores.sessions.use_now(id, state.settings.session_lifetime(), now).await?;
    Ok(session.unwrap_or_default())
}

/// Somebody signed in: whoever else is signed in stays so, and the session goes on under a new id.
pub async fn renew_session(
    state: &AppState,
    request: &HttpRequest,
    authentication: Authentication,
) -> Stored<Cookie<'static>> {
    let now = authentication.at;
    let old = match session_id(state, request) {
        Some(id) => state.stores.sessions.end(id, now).await?,
        None => None,
    };
    let mut session = old.unwrap_or_default().signed_in(authentication);
    session.forget_ended(now, state.settings.session_lifetime());
    session.address = visitor::address(request);
    start_session(state, session, now).await
}

/// One user signed out, or all: whoever is left stays signed in, and the session goes on under a new id.
///
/// The browser's cookie changes in any case. Browsers keep pages for their Back button, even those that say `no-store`,
/// and only a changed cookie tells them that somebody is gone.
pub async fn end_session(
    state: &AppState,
    request: &HttpRequest,
    subject: Option<&Subject>,
) -> Stored<Option<Cookie<'static>>> {
    let (Some(id), now) = (session_id(state, request), state.clock.now()) else {
        return Ok(None);
    };
    let mut left = state.stores.sessions.end(id, now).await?.unwrap_or_default();
    match subject {
        Some(subject) => left.sign_out(subject),
        None => left = UserSession::default(),
    }
    Ok(Some(if left.accounts().is_empty() {
        let (path, secure) = (cookie_path(state), state.settings.origin.is_https());
        cookies::forget(&state.settings.session_cookie, path, secure).into_owned()
    } else {
        start_session(state, left, now).await?
    }))
}

async fn start_session(state: &AppState, session: UserSession, now: Timestamp) -> Stored<Cookie<'static>> {
    let id = tokens::mint_cookie(state.random.as_ref());
    state.stores.sessions.start(id.hash(), session, state.settings.session_lifetime(), now).await?;
    Ok(cookie(state, &state.settings.session_cookie, &id))
}

/// Under which name the store knows this browser's session.
fn session_id(state: &AppState, request: &HttpRequest) -> Option<SecretHash> {
    cookies::value(request, &state.settings.session_cookie).map(|id| SecretHash::of(&id))
}

fn cookie(state: &AppState, name: &str, value: &Secret) -> Cookie<'static> {
    let secure = state.settings.origin.is_https();
    cookies::cookie(name, value.expose().to_owned(), cookie_path(state), secure, None).into_owned()
}

fn cookie_path(state: &AppState) -> &str {
    let path = state.settings.origin.path();
    if path.is_empty() { "/" } else { path }
}
