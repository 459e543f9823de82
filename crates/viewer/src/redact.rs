//! What is never recorded, in any mode: passwords, and cookies that somebody could use. A marker stands in their place.

use std::borrow::Cow;

use shared::params;
use web::lang;

/// What stands where something was left out.
pub(crate) const MARKER: &str = "[not-recorded]";

/// The field that nobody is to read.
const PASSWORD: &[u8] = b"password";

/// A query or a form without its passwords. What is not well-formed is judged pair by pair.
pub(crate) fn form(encoded: &str) -> Cow<'_, str> {
    let is_password = |name: &str| {
        params::decode(name.as_bytes()).unwrap_or_default().trim().eq_ignore_ascii_case("password")
    };
    let named = |pair: &str| pair.split('=').next().is_some_and(is_password);
    if !encoded.split('&').any(named) {
        return encoded.into();
    }
    let pairs = encoded.split('&').map(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        if named(pair) { format!("{name}={MARKER}") } else { pair.to_owned() }
    });
    pairs.collect::<Vec<_>>().join("&").into()
}

/// The body of a request. One that is no form, but speaks of a password, is left out as a whole.
pub(crate) fn body<'a>(media_type: &str, text: &'a str) -> Cow<'a, str> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let is_form = essence.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let speaks_of_it = || text.as_bytes().windows(8).any(|part| part.eq_ignore_ascii_case(PASSWORD));
    if is_form {
        form(text)
    } else if speaks_of_it() {
        MARKER.into()
    } else {
        text.into()
    }
}

/// A target, or an address in a header, without the passwords in its query.
pub(crate) fn target(target: &str) -> Cow<'_, str> {
    match target.split_once('?') {
        Some((path, query)) => match form(query) {
            Cow::Borrowed(_) => target.into(),
            Cow::Owned(query) => format!("{path}?{query}").into(),
        },
        None => target.into(),
    }
}

/// The value of a header. Cookies keep their names and attributes; of their values only the language stays, since every
/// other lets somebody pass as this browser or this user, at one of the two servers or at another program on this host.
pub(crate) fn header<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    let hidden = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if name.trim() != lang::COOKIE => format!("{name}={MARKER}"),
        Some(_) => pair.to_owned(),
        None => MARKER.to_owned(),
    };
    match name {
        "cookie" => value.split(';').map(hidden).collect::<Vec<_>>().join(";").into(),
        "set-cookie" => match value.split_once(';') {
            // A cookie that is taken back is empty.
            Some((pair, _)) if pair.ends_with('=') => value.into(),
            Some((pair, attributes)) => format!("{};{attributes}", hidden(pair)).into(),
            None => hidden(value).into(),
        },
        "referer" | "location" => target(value),
        _ => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn a_password_is_never_recorded_however_it_is_written() {
        for written in [
            "username=demo&password=geheim",
            "p%61ssword=geheim&x=1",
            "Password=geheim",
            "password=geheim&password=geheim",
        ] {
            assert!(!body(FORM, written).contains("geheim"), "{written}");
        }
        assert_eq!(form("username=demo&password=x&csrf=c"), "username=demo&password=[not-recorded]&csrf=c");
        assert_eq!(body("application/json", r#"{"passWord":"geheim"}"#), MARKER);
        assert_eq!(body("text/plain", "hello"), "hello");
        assert!(!target("/login/in_1?password=geheim").contains("geheim"));
        assert!(!header("referer", "http://127.0.0.1/?password=geheim").contains("geheim"));
    }

    #[test]
    fn cookies_keep_their_names_and_lose_their_values() {
        assert_eq!(
            header("cookie", "idp_session=s; lang=ja; odd"),
            "idp_session=[not-recorded]; lang=ja;[not-recorded]"
        );
        assert_eq!(
            header("set-cookie", "rp_session=k; HttpOnly; Path=/"),
            "rp_session=[not-recorded]; HttpOnly; Path=/"
        );
        assert_eq!(header("set-cookie", "rp_attempt_x=; Max-Age=0"), "rp_attempt_x=; Max-Age=0");
        assert_eq!(header("accept", "a=b"), "a=b");
    }
}
