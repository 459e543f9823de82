//! What is never recorded, in any mode: passwords, and cookies that somebody could use. A marker stands in their place.

use std::borrow::Cow;

use shared::{
    flow::{Exchange, Line, Message},
    params::{self, Params},
};
use web::lang;

/// What stands where something was left out.
pub(crate) const MARKER: &str = "[not-recorded]";

/// What the login form sends. Whoever sends anything else may have put the password anywhere.
const LOGIN_FORM: [&str; 3] = ["csrf", "username", "password"];

/// A query or a form without the values for which `hidden` holds, judged by the decoded names.
fn without(encoded: &str, hidden: impl Fn(&str) -> bool) -> Cow<'_, str> {
    let name_of = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        // A name that cannot be decoded is judged as it stands.
        params::decode(name.as_bytes()).unwrap_or_else(|_| name.to_owned())
    };
    if !encoded.split('&').any(|pair| hidden(&name_of(pair))) {
        return encoded.into();
    }
    let pairs = encoded.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if hidden(&name_of(pair)) && name.len() <= 32 => format!("{name}={MARKER}"),
        // What has no value, or a long name, says it in its name.
        _ if hidden(&name_of(pair)) => MARKER.to_owned(),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&").into()
}

fn is_password(name: &str) -> bool {
    name.to_ascii_lowercase().contains("password")
}

/// The body of a request of `exchange`: a form without its passwords. What is no form that can be read is left out as a
/// whole, since it may hold anything.
pub(crate) fn body<'a>(exchange: Exchange, media_type: &str, text: &'a str) -> Cow<'a, str> {
    if text.is_empty() {
        return text.into();
    }
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let is_form = essence.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let read = Params::parse_with_repeats(text.as_bytes()).ok().filter(|_| is_form);
    let is_expected = |params: &Params| {
        exchange != Exchange::Password || params.iter().all(|(name, _)| LOGIN_FORM.contains(&name))
    };
    match read.filter(is_expected) {
        Some(_) => without(text, is_password),
        None => MARKER.into(),
    }
}

/// A target, or an address in a header, without the passwords in its query.
pub(crate) fn target(target: &str) -> Cow<'_, str> {
    match target.split_once('?') {
        Some((path, query)) => match without(query, is_password) {
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

/// Leaves out what a client proves itself with: where not everybody knows it already, nobody is to read it here.
pub fn client_secret(message: &mut Message) {
    for (name, value) in &mut message.headers {
        if name == "authorization"
            && value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "))
        {
            *value = format!("{} {MARKER}", &value[..5]);
        }
    }
    if matches!(message.line, Line::Request { .. }) {
        let proves = |name: &str| matches!(name, "client_secret" | "client_assertion");
        message.body = without(&message.body, proves).into_owned();
    }
}

#[cfg(test)]
mod tests {
    use shared::flow::Party;

    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn a_password_is_never_recorded_however_it_is_written() {
        for written in [
            "username=demo&password=geheim",
            "p%61ssword=geheim&username=1",
            "Password=geheim",
            "password=geheim&password=geheim",
            r#"{"username":"demo","password":"geheim"}"#,
            "username=demo&pass=geheim",
            "username=demo&password=geheim&x=%zz",
        ] {
            for media_type in [FORM, "application/json", "text/plain", ""] {
                assert!(!body(Exchange::Password, media_type, written).contains("geheim"), "{written}");
            }
        }
        for written in [r#"{"password":"geheim"}"#, "my-password%3Dgeheim", "passwords=geheim"] {
            assert!(!body(Exchange::Token, FORM, written).contains("geheim"), "{written}");
        }
        assert_eq!(
            body(Exchange::Password, FORM, "username=demo&password=x&csrf=c"),
            "username=demo&password=[not-recorded]&csrf=c"
        );
        assert_eq!(body(Exchange::Token, "application/json", r#"{"p\u0061ssword":"geheim"}"#), MARKER);
        assert_eq!(body(Exchange::Token, FORM, "code=x"), "code=x");
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

    #[test]
    fn a_client_secret_can_be_left_out_wherever_it_travels() {
        let mut message = Message {
            exchange: Exchange::Token,
            from: Party::Rp,
            to: Party::Idp,
            line: Line::Request { method: "POST".into(), target: "/token".into() },
            headers: vec![("authorization".into(), "basic YTpi".into())],
            body: "code=x&client_secr%65t=geheim".into(),
            cut: 0,
            span: String::new(),
        };
        client_secret(&mut message);
        assert_eq!(message.headers[0].1, "basic [not-recorded]");
        assert_eq!(message.body, "code=x&client_secr%65t=[not-recorded]");
    }
}
