//! How a client proved who it is in a message: read off what the message carries (OpenID Connect Core §9).

use shared::{
    flow::{Exchange, Message, Party},
    params::Params,
};

use super::token::Token;

/// The ways that have a text `auth.<method>`.
pub const METHODS: [&str; 5] =
    ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];

/// The method of a request that a client authenticates.
pub(crate) fn method(message: &Message) -> Option<&'static str> {
    let is_authenticated = matches!(
        message.exchange,
        Exchange::Push | Exchange::Token | Exchange::Refresh | Exchange::Introspect | Exchange::Revoke
    );
    if !is_authenticated || message.to != Party::Idp {
        return None;
    }
    let [basic, post, secret_jwt, private_key_jwt, none] = METHODS;
    let header = message.header("authorization").and_then(|value| value.get(..6));
    if header.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic ")) {
        return Some(basic);
    }
    let form = Params::parse_with_repeats(message.body.as_bytes()).ok()?;
    if let Some(assertion) = form.get("client_assertion") {
        let signed_with_secret = Token::of("client_assertion", assertion)?.is_signed_with_a_secret();
        return Some(if signed_with_secret { secret_jwt } else { private_key_jwt });
    }
    match (form.get("client_secret"), form.get("client_id")) {
        (Some(_), _) => Some(post),
        (None, Some(_)) => Some(none),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use shared::flow::Line;

    use super::*;

    fn request(headers: &[(&str, &str)], body: &str) -> Message {
        Message {
            exchange: Exchange::Token,
            from: Party::Rp,
            to: Party::Idp,
            line: Line::Request { method: "POST".into(), target: "/oauth/token".into() },
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.into(),
            cut: 0,
            span: String::new(),
        }
    }

    fn assertion(alg: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let header = part(&format!(r#"{{"alg":"{alg}"}}"#));
        format!("client_id=app&client_assertion={header}.{}.c2ln", part(r#"{"sub":"app"}"#))
    }

    #[test]
    fn each_method_is_known_by_what_it_sends() {
        let basic = request(&[("authorization", "Basic YTpi")], "grant_type=authorization_code");
        let forms =
            ["client_id=app&client_secret=s", &assertion("HS256"), &assertion("ES256"), "client_id=app"];
        let found = [basic].into_iter().chain(forms.map(|form| request(&[], form)));
        assert_eq!(found.map(|message| method(&message).unwrap()).collect::<Vec<_>>(), METHODS);
    }

    #[test]
    fn what_says_nothing_of_a_client_is_no_method() {
        assert_eq!(method(&request(&[], "grant_type=authorization_code")), None);
        let mut answer = request(&[], "client_id=app");
        (answer.from, answer.to) = (Party::Idp, Party::Rp);
        assert_eq!(method(&answer), None);
        let mut callback = request(&[], "client_id=app");
        callback.exchange = Exchange::Userinfo;
        assert_eq!(method(&callback), None);
    }
}
