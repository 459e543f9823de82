//! The browser in front of the provider: two cookies.
//!
//! `idp_browser` says that it is the same browser as before; interactions are bound to it, and it survives login.
//! `idp_session` says who has signed in; it is renewed at every login, so that nobody can plant one (session fixation).

use actix_web::{HttpRequest, HttpResponseBuilder, cookie::Cookie};
use shared::{clock::Timestamp, secret::Secret};
use web::cookies;

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

/// The session of this browser, if it lives.
pub async fn session(state: &AppState, request: &HttpRequest, now: Timestamp) -> Stored<Option<UserSession>> {
    match cookies::value(request, &state.settings.session_cookie) {
        Some(id) => {
            state
                .stores
                .sessions
                .use_now(Secret::new(id).hash(), state.settings.session_lifetime(), now)
                .await
        }
        None => Ok(None),
    }
}

/// Starts a session under a new id and ends the one that this browser had.
pub async fn renew_session(
    state: &AppState,
    request: &HttpRequest,
    authentication: Authentication,
    response: &mut HttpResponseBuilder,
) -> Stored<()> {
    let now = authentication.at;
    if let Some(old) = cookies::value(request, &state.settings.session_cookie) {
        state.stores.sessions.end(Secret::new(old).hash(), now).await?;
    }
    let id = tokens::mint_cookie(state.random.as_ref());
    let session = UserSession { authentication };
    state.stores.sessions.start(id.hash(), session, state.settings.session_lifetime()).await?;
    response.cookie(cookie(state, &state.settings.session_cookie, &id));
    Ok(())
}

fn cookie(state: &AppState, name: &str, value: &Secret) -> Cookie<'static> {
    let origin = &state.settings.origin;
    let path = if origin.path().is_empty() { "/" } else { origin.path() };
    cookies::cookie(name, value.expose().to_owned(), path, origin.is_https(), None).into_owned()
}
