//! Cookies, set in one way only.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
    http::header::{COOKIE, HeaderMap, HeaderValue},
};

/// The value of the cookie `name`, if the browser sent one.
pub fn value(request: &HttpRequest, name: &str) -> Option<String> {
    request.cookie(name).map(|cookie| cookie.value().to_owned())
}

/// Leaves out what is not UTF-8. Every program on this host can set cookies that come here too, and the framework would
/// read none at all because of one that it cannot: the visitor would lose their login for no fault of theirs.
pub fn drop_unreadable(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).all(|value| std::str::from_utf8(value.as_bytes()).is_ok()) {
        return;
    }
    let pairs = headers.get_all(COOKIE).flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let readable: Vec<&[u8]> = pairs.filter(|pair| std::str::from_utf8(pair).is_ok()).collect();
    let joined = HeaderValue::from_bytes(&readable.join(&b';'));
    headers.remove(COOKIE);
    if let Ok(joined) = joined {
        headers.insert(COOKIE, joined);
    }
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
