//! Cookies, set in one way only.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
};

/// The value of the cookie `name`, if the browser sent one.
pub fn value(request: &HttpRequest, name: &str) -> Option<String> {
    request.cookie(name).map(|cookie| cookie.value().to_owned())
}

/// A cookie that scripts cannot read and that other sites' requests do not carry, save for top-level navigation:
/// a callback needs that, hence `Lax` and not `Strict`. Without `lifetime` it ends with the browser.
pub fn cookie<'a>(
    name: &'a str,
    value: String,
    path: &'a str,
    secure: bool,
    lifetime: Option<Duration>,
) -> Cookie<'a> {
    let mut cookie = Cookie::build(name, value)
        .path(path)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .finish();
    if let Some(lifetime) = lifetime {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        cookie.set_max_age(time::Duration::seconds(seconds));
    }
    cookie
}

/// Tells the browser to forget a cookie.
pub fn forget<'a>(name: &'a str, path: &'a str, secure: bool) -> Cookie<'a> {
    let mut cookie = cookie(name, String::new(), path, secure, Some(Duration::ZERO));
    cookie.set_expires(time::OffsetDateTime::UNIX_EPOCH);
    cookie
}
