//! The cookies that bind login attempts to the browser that started them: one for each, named after its `state`, so
//! that tabs do not disturb each other. Only the callback gets to see them.

use actix_web::{HttpRequest, cookie::Cookie};
use shared::secret::Secret;
use web::cookies;

use crate::config::Settings;

/// How many logins one browser can have under way.
const AT_MOST: usize = 10;

/// The cookies for a new attempt. Beyond ten the oldest is forgotten: which these are, a list says that only the
/// login page gets to see.
pub fn issue(
    request: &HttpRequest,
    settings: &Settings,
    state: &str,
    value: &Secret,
) -> Vec<Cookie<'static>> {
    let list = list_name(settings);
    let known = cookies::value(request, &list).unwrap_or_default();
    let mut recent: Vec<&str> =
        known.split('.').filter(|short| is_short(short)).take(AT_MOST).chain([short(state)]).collect();
    let dropped = recent.len().saturating_sub(AT_MOST);
    let mut issued: Vec<_> = recent.drain(..dropped).map(|short| forget(settings, short)).collect();
    issued.push(set(settings, &list, recent.join("."), "login"));
    issued.push(set(settings, &name(settings, state), value.expose().to_owned(), "auth"));
    issued
}

/// What the browser shows for its attempts, by the names of the cookies.
pub fn all_presented(request: &HttpRequest, settings: &Settings) -> Vec<(String, String)> {
    let all = request.cookies().map(|all| all.clone()).unwrap_or_default();
    let own = all.iter().filter(|cookie| cookie.name().starts_with(&settings.attempt_cookie));
    own.map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned())).collect()
}

/// What it shows for the attempt `state`.
pub fn of<'a>(presented: &'a [(String, String)], settings: &Settings, state: &str) -> Option<&'a str> {
    let name = name(settings, state);
    presented.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// Takes the attempt's cookie back: it is over.
pub fn forget(settings: &Settings, state: &str) -> Cookie<'static> {
    let (name, path) = (name(settings, state), path(settings, "auth"));
    cookies::forget(&name, &path, settings.base_url.is_https()).into_owned()
}

fn set(settings: &Settings, name: &str, value: String, page: &str) -> Cookie<'static> {
    let (path, secure) = (path(settings, page), settings.base_url.is_https());
    cookies::cookie(name, value, &path, secure, Some(settings.attempt_lifetime)).into_owned()
}

fn name(settings: &Settings, state: &str) -> String {
    format!("{}{}", settings.attempt_cookie, short(state))
}

fn list_name(settings: &Settings) -> String {
    format!("{}recent", settings.attempt_cookie)
}

fn path(settings: &Settings, page: &str) -> String {
    format!("{}{page}", settings.home())
}

/// The first characters of a `state`: enough to tell ten apart, far too few to guess the rest.
fn short(state: &str) -> &str {
    state.get(..8).unwrap_or(state)
}

fn is_short(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
