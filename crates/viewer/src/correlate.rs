//! What a flow is found by: values that only its own messages carry, hashed. They are read off the wire, so no handler has
//! to think of them.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;
use shared::{
    flow::{Exchange, Line, Message},
    params::{self, Params},
    response_mode::FormPost,
    secret::SecretHash,
};

/// How the last part of a path begins that is a handle: of a login at the provider's pages, and of a response that was
/// posted to the RP.
const HANDLES: [&str; 2] = ["in_", "back_"];

/// The members and parameters that hold a token: as it is issued, as it is shown, and as it is asked about.
const TOKENS: [&str; 3] = ["access_token", "refresh_token", "token"];

/// A value that belongs to one flow, by its hash.
pub type Correlator = SecretHash;

/// The correlators in a message. `names` are who can be meant where a `state` stands without a `client_id`: the RP itself,
/// in what comes back to it, under each of its names.
pub fn of(message: &Message, names: &[String]) -> Vec<Correlator> {
    let mut found = Vec::new();
    let target = match &message.line {
        Line::Request { target, .. } => Some(target.as_str()),
        Line::Status(_) => message.header("location"),
    };
    if let Some(target) = target {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        found.extend(path.rsplit('/').next().filter(|last| is_handle(last)).map(handle));
        of_params(message.exchange, query, names, &mut found);
    }
    if let Some(form) = FormPost::read(&message.body).filter(|_| !message.is_request()) {
        of_params(message.exchange, &form.params.encode(), names, &mut found);
    }
    if message.is_request() {
        of_params(message.exchange, &message.body, names, &mut found);
        let bearer = message.header("authorization").and_then(|value| value.split_once(' '));
        if let Some((_, value)) = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) {
            found.push(token(value.trim()));
        }
    } else if matches!(message.exchange, Exchange::Push | Exchange::Token | Exchange::Refresh) {
        let answer = serde_json::from_str::<Value>(&message.body).unwrap_or_default();
        found.extend(TOKENS.into_iter().filter_map(|name| answer.get(name)?.as_str()).map(token));
        found.extend(answer.get("request_uri").and_then(Value::as_str).map(request_uri));
    }
    // Of the back channel only: what a browser says of traces is its own business. A code or a token that was changed on its
    // way is still of the flow that it was sent in.
    let is_back = matches!(
        message.exchange,
        Exchange::Discovery
            | Exchange::Push
            | Exchange::Keys
            | Exchange::Token
            | Exchange::Userinfo
            | Exchange::Refresh
            | Exchange::Api
            | Exchange::Introspect
            | Exchange::Revoke
    );
    let traced = message.header("traceparent").and_then(trace_and_span);
    found.extend(traced.filter(|_| is_back).map(|(trace, _)| self::trace(trace)));
    found
}

pub(crate) fn is_handle(part: &str) -> bool {
    HANDLES.iter().any(|begins| part.starts_with(begins))
}

/// Those in the address of an authorization request.
pub fn in_address(address: &str) -> Vec<Correlator> {
    let mut found = Vec::new();
    let query = address.split_once('?').map_or("", |(_, query)| query);
    of_params(Exchange::Authorize, query, &[], &mut found);
    found
}

fn of_params(exchange: Exchange, encoded: &str, names: &[String], found: &mut Vec<Correlator>) {
    let Ok(params) = Params::parse_with_repeats(encoded.as_bytes()) else { return };
    // RFC 9101 §5: a request object holds what else stands beside it.
    let object = params.get("request").and_then(claims).unwrap_or_default();
    let inside = |name: &str| object.get(name).and_then(Value::as_str);
    let named = params.get("client_id").or(inside("client_id"));
    if let Some(value) = params.get("state").or(inside("state")) {
        let is_logout = matches!(
            exchange,
            Exchange::Logout | Exchange::EndSession | Exchange::SignOut | Exchange::LogoutDone
        );
        let of = |client: &str| if is_logout { logout_state(client, value) } else { state(client, value) };
        match named {
            Some(client) => found.push(of(client)),
            None => found.extend(names.iter().map(|name| of(name))),
        }
    }
    found.extend(params.get("request_uri").map(request_uri));
    found.extend(params.get("code").map(code));
    found.extend(TOKENS.into_iter().filter_map(|name| params.get(name)).map(token));
}

/// The claims of a JWT, whoever signed it.
fn claims(jwt: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?).ok()
}

/// A client's `state`. Another client may use the same value.
pub fn state(client_id: &str, state: &str) -> Correlator {
    SecretHash::of(&format!("state {client_id} {state}"))
}

/// The same of a logout, which is a flow of its own.
pub fn logout_state(client_id: &str, state: &str) -> Correlator {
    SecretHash::of(&format!("logout-state {client_id} {state}"))
}

fn request_uri(address: &str) -> Correlator {
    SecretHash::of(&format!("request_uri {address}"))
}

fn code(code: &str) -> Correlator {
    SecretHash::of(&format!("code {code}"))
}

fn token(token: &str) -> Correlator {
    SecretHash::of(&format!("token {token}"))
}

fn handle(handle: &str) -> Correlator {
    SecretHash::of(&format!("handle {handle}"))
}

/// The name under which one side's back-channel messages of a flow travel (W3C Trace Context).
pub fn trace(trace: &str) -> Correlator {
    SecretHash::of(&format!("trace {trace}"))
}

/// The client that a request names: by its credentials, or by `client_id` (RFC 6749 §2.3.1).
pub fn client_of(message: &Message) -> Option<String> {
    let credentials = message.header("authorization").and_then(|value| value.split_once(' '));
    if let Some((_, encoded)) = credentials.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic")) {
        // Credentials that cannot be read are nobody's, whatever else the request says.
        let joined = STANDARD.decode(encoded.trim()).ok()?;
        let name = joined.split(|byte| *byte == b':').next()?;
        return params::decode(name).ok();
    }
    [message.query(), &message.body].into_iter().find_map(|encoded| {
        let params = Params::parse_with_repeats(encoded.as_bytes()).ok()?;
        params.get("client_id").map(ToOwned::to_owned)
    })
}

/// `trace-id` and `parent-id` of a `traceparent` (W3C Trace Context §3.2.2).
pub fn trace_and_span(traceparent: &str) -> Option<(&str, &str)> {
    let is_hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = traceparent.trim().split('-');
    let (_version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    (is_hex(trace, 32) && is_hex(span, 16)).then_some((trace, span))
}

#[cfg(test)]
mod tests {
    use shared::flow::Party;

    use super::*;

    fn request(target: &str, body: &str, headers: &[(&str, &str)]) -> Message {
        Message {
            exchange: Exchange::Authorize,
            from: Party::Browser,
            to: Party::Idp,
            line: Line::Request { method: "GET".into(), target: target.into() },
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.into(),
            cut: 0,
            span: String::new(),
        }
    }

    #[test]
    fn a_message_is_found_by_state_code_token_handle_and_trace() {
        assert_eq!(of(&request("/a?client_id=c&state=s", "", &[]), &[]), [state("c", "s")]);
        assert_eq!(
            of(&request("/auth?state=s&code=x", "", &[]), &["c".to_owned()]),
            [state("c", "s"), code("x")]
        );
        assert_eq!(of(&request("/t", "code=x&grant_type=y", &[]), &[]), [code("x")]);
        assert_eq!(of(&request("/t", "refresh_token=rt&grant_type=y", &[]), &[]), [token("rt")]);
        assert_eq!(of(&request("/login/in_1", "", &[]), &[]), [handle("in_1")]);
        assert_eq!(of(&request("/auth/back_1", "", &[]), &[]), [handle("back_1")]);
        let form = r#"<form method="post" action="http://rp/auth"><input type="hidden" name="code" value="x"></form>"#;
        let page = Message { line: Line::Status(200), ..request("", form, &[]) };
        assert_eq!(of(&page, &[]), [code("x")]);
        assert_eq!(of(&request("/u", "", &[("authorization", "bearer  at")]), &[]), [token("at")]);
        let traced = format!("00-{}-{}-01", "a".repeat(32), "b".repeat(16));
        let asked = request("/d", "", &[("traceparent", &traced)]);
        assert_eq!(of(&asked, &[]), [], "a browser's trace names no flow");
        let asked = Message { exchange: Exchange::Discovery, ..asked };
        assert_eq!(of(&asked, &[]), [trace(&"a".repeat(32))]);
        let headers = [("traceparent", traced.as_str()), ("authorization", "Bearer made-up")];
        let asked = Message { exchange: Exchange::Userinfo, ..request("/u", "", &headers) };
        assert_eq!(of(&asked, &[]), [token("made-up"), trace(&"a".repeat(32))]);
    }

    #[test]
    fn a_pushed_request_is_found_by_its_address_and_a_signed_one_by_the_state_in_it() {
        let address = "urn:ietf:params:oauth:request_uri:x";
        let asked = request(&format!("/a?client_id=c&request_uri={address}"), "", &[]);
        let answer = Message {
            exchange: Exchange::Push,
            line: Line::Status(201),
            body: format!(r#"{{"request_uri":"{address}","expires_in":60}}"#),
            ..asked.clone()
        };
        assert_eq!(
            (of(&asked, &[]), of(&answer, &[])),
            (vec![request_uri(address)], vec![request_uri(address)])
        );
        let payload = URL_SAFE_NO_PAD.encode(r#"{"state":"s","client_id":"c"}"#);
        assert_eq!(of(&request("/p", &format!("request=e30.{payload}.x"), &[]), &[]), [state("c", "s")]);
    }

    #[test]
    fn the_state_of_another_client_is_another_flow() {
        assert_ne!(state("c", "s"), state("d", "s"));
        assert_eq!(of(&request("/a?state=s", "", &[]), &[]), []);
    }

    #[test]
    fn a_logout_with_the_state_of_a_login_is_a_flow_of_its_own() {
        let login = request("/a?client_id=c&state=s", "", &[]);
        let logout = Message { exchange: Exchange::EndSession, ..login.clone() };
        assert_ne!(of(&login, &[]), of(&logout, &[]));
    }

    #[test]
    fn what_is_no_traceparent_names_no_flow() {
        for bad in ["", "00-x-y-01", "00-0123-4567-00", "00"] {
            assert_eq!(trace_and_span(bad), None, "{bad}");
        }
    }
}
