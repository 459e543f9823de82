//! The table of facts: who makes a parameter, a header or a member of an answer, who checks it, in which step, which
//! section defines it, and whether it is a secret.

use std::collections::HashSet;

use serde::Serialize;
use shared::flow::{Entry, Exchange, Message, Paired, Party};

use self::Origin::{By, Registered};
use super::fields::{Field, first_fields, is_form};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Made by this one, in this step; 0 is none of the ten.
    By(Party, u8),
    /// Agreed on when the app was registered.
    Registered,
}

struct Fact {
    key: &'static str,
    made: Origin,
    checked: &'static [(Party, u8)],
    section: &'static str,
    secret: bool,
}

const WEB: Party = Party::Browser;
const RP: Party = Party::Rp;
const IDP: Party = Party::Idp;

const fn public(
    key: &'static str,
    made: Origin,
    checked: &'static [(Party, u8)],
    section: &'static str,
) -> Fact {
    Fact { key, made, checked, section, secret: false }
}

const fn secret(
    key: &'static str,
    made: Origin,
    checked: &'static [(Party, u8)],
    section: &'static str,
) -> Fact {
    Fact { key, made, checked, section, secret: true }
}

#[rustfmt::skip]
const FACTS: &[Fact] = &[
    // the authorization request
    public("client_id", Registered, &[(IDP, 2), (IDP, 8)], "RFC 6749 §2.2"),
    secret("client_secret", Registered, &[(IDP, 8)], "RFC 6749 §2.3.1"),
    public("redirect_uri", Registered, &[(IDP, 2), (IDP, 8)], "RFC 6749 §3.1.2"),
    public("response_type", By(RP, 2), &[(IDP, 2)], "RFC 6749 §3.1.1"),
    public("response_mode", By(RP, 2), &[(IDP, 2)], "OAuth 2.0 Multiple Response Types §2.1"),
    public("scope", By(RP, 2), &[(IDP, 2)], "RFC 6749 §3.3"),
    public("state", By(RP, 2), &[(RP, 7)], "RFC 6749 §10.12"),
    public("nonce", By(RP, 2), &[(RP, 10)], "OpenID Connect Core §3.1.2.1"),
    public("code_challenge", By(RP, 2), &[(IDP, 2), (IDP, 8)], "RFC 7636 §4.2"),
    public("code_challenge_method", By(RP, 2), &[(IDP, 2)], "RFC 7636 §4.3"),
    public("prompt", By(RP, 2), &[(IDP, 2)], "OpenID Connect Core §3.1.2.1"),
    public("max_age", By(RP, 2), &[(IDP, 2)], "OpenID Connect Core §3.1.2.1"),
    secret("id_token_hint", By(IDP, 9), &[(IDP, 2)], "OpenID Connect Core §3.1.2.1"),
    public("login_hint", By(RP, 2), &[], "OpenID Connect Core §3.1.2.1"),
    public("logout_hint", By(RP, 0), &[], "OpenID Connect RP-Initiated Logout §2"),
    public("ui_locales", By(RP, 2), &[], "OpenID Connect Core §3.1.2.1"),
    public("claims_locales", By(RP, 2), &[], "OpenID Connect Core §5.2"),
    public("display", By(RP, 2), &[], "OpenID Connect Core §3.1.2.1"),
    public("acr_values", By(RP, 2), &[], "OpenID Connect Core §3.1.2.1"),
    public("claims", By(RP, 2), &[(IDP, 2)], "OpenID Connect Core §5.5"),
    public("request", By(RP, 2), &[(IDP, 2)], "RFC 9101 §5"),
    public("request_uri", By(IDP, 2), &[(IDP, 2)], "RFC 9126 §2.2"),
    public("resource", By(RP, 2), &[(IDP, 2), (IDP, 8)], "RFC 8707 §2"),
    // its answer
    secret("code", By(IDP, 6), &[(IDP, 8)], "RFC 6749 §4.1.2"),
    public("iss", By(IDP, 6), &[(RP, 7)], "RFC 9207 §2"),
    public("error", By(IDP, 6), &[], "RFC 6749 §4.1.2.1"),
    public("error_description", By(IDP, 6), &[], "RFC 6749 §4.1.2.1"),
    public("error_uri", By(IDP, 6), &[], "RFC 6749 §4.1.2.1"),
    public("session_state", By(IDP, 6), &[], "OpenID Connect Session Management §2"),
    // the token request and its answer
    public("grant_type", By(RP, 8), &[(IDP, 8)], "RFC 6749 §4.1.3"),
    secret("code_verifier", By(RP, 2), &[(IDP, 8)], "RFC 7636 §4.1"),
    secret("access_token", By(IDP, 9), &[(RP, 10)], "RFC 6749 §5.1"),
    public("token_type", By(IDP, 9), &[(RP, 9)], "RFC 6749 §7.1"),
    public("expires_in", By(IDP, 9), &[], "RFC 6749 §5.1"),
    secret("refresh_token", By(IDP, 9), &[(IDP, 0)], "RFC 6749 §1.5"),
    secret("id_token", By(IDP, 9), &[(RP, 10)], "OpenID Connect Core §3.1.3.3"),
    secret("client_assertion", By(RP, 8), &[(IDP, 8)], "RFC 7521 §4.2"),
    public("client_assertion_type", By(RP, 8), &[(IDP, 8)], "RFC 7521 §4.2"),
    // what comes after: tokens that are shown, asked about, given back
    secret("token", By(RP, 0), &[(IDP, 0)], "RFC 7009 §2.1"),
    public("token_type_hint", By(RP, 0), &[], "RFC 7009 §2.1"),
    // forms of the pages
    public("username", By(WEB, 4), &[(IDP, 4)], "OpenID Connect Core §3.1.2.3"),
    secret("password", By(WEB, 4), &[(IDP, 4)], "OpenID Connect Core §3.1.2.3"),
    secret("csrf", By(IDP, 3), &[(IDP, 4), (IDP, 5)], "RFC 6749 §10.12"),
    public("decision", By(WEB, 5), &[(IDP, 5)], "OpenID Connect Core §3.1.2.4"),
    public("account", By(WEB, 5), &[(IDP, 5)], "OpenID Connect Core §3.1.2.1"),
    public("claim", By(WEB, 5), &[], "OpenID Connect Core §5.5"),
    public("client", By(WEB, 0), &[], ""),
    public("then", By(WEB, 0), &[], ""),
    public("next", By(WEB, 1), &[(RP, 1)], ""),
    public("only", By(WEB, 0), &[], ""),
    public("lang", By(WEB, 0), &[], ""),
    // logout
    public("post_logout_redirect_uri", Registered, &[(IDP, 0)], "OpenID Connect RP-Initiated Logout §3"),
    // headers
    secret("authorization_basic", Registered, &[(IDP, 8)], "RFC 6749 §2.3.1"),
    secret("authorization_bearer", By(IDP, 9), &[(IDP, 0)], "RFC 6750 §2.1"),
    secret("cookie", By(WEB, 0), &[], "RFC 6265 §4.2"),
    secret("set_cookie", By(WEB, 0), &[], "RFC 6265 §4.1"),
    public("location", By(WEB, 0), &[], "RFC 9110 §10.2.2"),
    public("content_type", By(WEB, 0), &[], "RFC 9110 §8.3"),
    public("traceparent", By(RP, 0), &[], "W3C Trace Context §3.2"),
    public("www_authenticate", By(IDP, 0), &[], "RFC 6750 §3"),
    public("retry_after", By(IDP, 0), &[], "RFC 9110 §10.2.3"),
    // documents of the IdP
    public("keys", By(IDP, 0), &[(RP, 10)], "RFC 7517 §5"),
    public("issuer", By(IDP, 0), &[(RP, 2)], "OpenID Connect Discovery §4.3"),
    public("authorization_endpoint", By(IDP, 0), &[], DISCOVERY),
    public("pushed_authorization_request_endpoint", By(IDP, 0), &[], "RFC 9126 §5"),
    public("token_endpoint", By(IDP, 0), &[], DISCOVERY),
    public("revocation_endpoint", By(IDP, 0), &[], "RFC 8414 §2"),
    public("introspection_endpoint", By(IDP, 0), &[], "RFC 8414 §2"),
    public("userinfo_endpoint", By(IDP, 0), &[], DISCOVERY),
    public("end_session_endpoint", By(IDP, 0), &[], "OpenID Connect RP-Initiated Logout §2.1"),
    public("jwks_uri", By(IDP, 0), &[], DISCOVERY),
    public("scopes_supported", By(IDP, 0), &[], DISCOVERY),
    public("response_types_supported", By(IDP, 0), &[], DISCOVERY),
    public("response_modes_supported", By(IDP, 0), &[], DISCOVERY),
    public("grant_types_supported", By(IDP, 0), &[], DISCOVERY),
    public("subject_types_supported", By(IDP, 0), &[], DISCOVERY),
    public("id_token_signing_alg_values_supported", By(IDP, 0), &[], DISCOVERY),
    public("token_endpoint_auth_methods_supported", By(IDP, 0), &[], DISCOVERY),
    public("token_endpoint_auth_signing_alg_values_supported", By(IDP, 0), &[], DISCOVERY),
    public("revocation_endpoint_auth_methods_supported", By(IDP, 0), &[], "RFC 8414 §2"),
    public("revocation_endpoint_auth_signing_alg_values_supported", By(IDP, 0), &[], "RFC 8414 §2"),
    public("introspection_endpoint_auth_methods_supported", By(IDP, 0), &[], "RFC 8414 §2"),
    public("introspection_endpoint_auth_signing_alg_values_supported", By(IDP, 0), &[], "RFC 8414 §2"),
    public("claims_supported", By(IDP, 0), &[], DISCOVERY),
    public("acr_values_supported", By(IDP, 0), &[], DISCOVERY),
    public("prompt_values_supported", By(IDP, 0), &[], "OpenID Connect Prompt Create §4.1"),
    public("display_values_supported", By(IDP, 0), &[], DISCOVERY),
    public("code_challenge_methods_supported", By(IDP, 0), &[], "RFC 8414 §2"),
    public("ui_locales_supported", By(IDP, 0), &[], DISCOVERY),
    public("claims_parameter_supported", By(IDP, 0), &[], DISCOVERY),
    public("request_parameter_supported", By(IDP, 0), &[], DISCOVERY),
    public("request_uri_parameter_supported", By(IDP, 0), &[], DISCOVERY),
    public("request_object_signing_alg_values_supported", By(IDP, 0), &[], DISCOVERY),
    public("require_pushed_authorization_requests", By(IDP, 0), &[], "RFC 9126 §5"),
    public("require_signed_request_object", By(IDP, 0), &[], "RFC 9101 §10.5"),
    public("authorization_response_iss_parameter_supported", By(IDP, 0), &[], "RFC 9207 §3"),
    public("flow_recording_endpoint", By(IDP, 0), &[], DISCOVERY),
    public("flow_steps_endpoint", By(IDP, 0), &[], DISCOVERY),
];

const DISCOVERY: &str = "OpenID Connect Discovery §3";

/// Every key of the table, for whoever must know that each has its text `param.<key>`.
pub fn keys() -> impl Iterator<Item = &'static str> {
    FACTS.iter().map(|fact| fact.key)
}

fn fact(key: &str) -> Option<&'static Fact> {
    FACTS.iter().find(|fact| fact.key == key)
}

/// Whether `key` has a line in the table.
pub(crate) fn is_known(key: &str) -> bool {
    fact(key).is_some()
}

/// Whether the value of `key` is a secret: blurred on a projector, left out of what is saved.
pub(crate) fn is_secret(key: &str) -> bool {
    fact(key).is_some_and(|fact| fact.secret)
}

/// A row of the table of parameters.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    text: String,
    value: Folded,
    secret: bool,
    made: Option<Place>,
    registered: bool,
    checked: Option<Place>,
    section: &'static str,
}

/// Who, and in which step if it is one of the ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    house: &'static str,
    step: u8,
}

/// Whether whoever sends a message makes the value anew.
fn is_of_sender(key: &str) -> bool {
    matches!(key, "cookie" | "set_cookie" | "location" | "content_type")
}

/// Who makes the value of `key`, and in which step; and whether it was agreed on when the client was registered.
pub(crate) fn made(key: &str) -> (Option<Place>, bool) {
    match fact(key).filter(|_| !is_of_sender(key)).map(|fact| fact.made) {
        Some(By(party, step)) => (Some(Place { house: party.id(), step }), false),
        Some(Registered) => (None, true),
        None => (None, false),
    }
}

/// A value whose end is always seen: `head` is folded when there is no room.
#[derive(Debug, Serialize)]
pub(crate) struct Folded {
    head: String,
    tail: String,
}

impl Folded {
    /// Shorter values stay whole.
    const LONG: usize = 28;

    pub(crate) fn new(value: &str) -> Self {
        let length = value.chars().count();
        // Words and lists may go over several lines.
        if length < Self::LONG || value.contains([' ', ',']) {
            return Self { head: value.to_owned(), tail: String::new() };
        }
        let (at, _) = value.char_indices().nth(length - 6).unwrap_or_default();
        Self { head: value[..at].to_owned(), tail: value[at..].to_owned() }
    }
}

/// What stands in the messages of an entry, each once, and how much more there is. What the RP makes or checks is the
/// `client`'s, wherever it is.
pub(crate) fn rows(entry: Entry, client: Party, messages: &[Paired<'_>]) -> (Vec<Row>, usize) {
    let mut known: HashSet<Field> = HashSet::new();
    let mut rows = Vec::new();
    let mut more = 0;
    for paired in messages {
        let (fields, more_of_it) = first_fields(paired.message);
        more += more_of_it;
        for field in fields {
            // Of the headers that every message has, the protocol asks for nothing.
            let is_aside = field.key == "content_type" && !is_form(paired.message);
            if !is_aside && !known.contains(&field) {
                rows.push(row(entry, client, &field, paired.message));
                known.insert(field);
            }
        }
    }
    (rows, more)
}

/// What the token endpoint answers under a name that stands elsewhere in the flow too: it made that itself, and just now.
fn answered(key: &str, message: &Message) -> Option<&'static str> {
    let is_answer = !message.is_request() && matches!(message.exchange, Exchange::Token | Exchange::Refresh);
    match key {
        _ if !is_answer => None,
        "scope" => Some("RFC 6749 §5.1"),
        "error" | "error_description" | "error_uri" => Some("RFC 6749 §5.2"),
        _ => None,
    }
}

fn row(entry: Entry, client: Party, field: &Field, message: &Message) -> Row {
    let (step, sender) = (entry.step().map_or(0, shared::flow::Step::number), message.from);
    // Outside a login there are no numbers.
    let is_login = Entry::LOGIN.contains(&entry);
    let place = |(party, at): (Party, u8)| Place {
        house: if party == RP { client.id() } else { party.id() },
        step: if is_login { at } else { 0 },
    };
    let (known, answered) = (fact(&field.key), answered(&field.key, message));
    let made = if answered.is_some() { Some(By(sender, step)) } else { known.map(|fact| fact.made) };
    let checked = known.filter(|_| answered.is_none()).and_then(|fact| {
        let later = fact.checked.iter().find(|(_, at)| *at >= step);
        later.or(fact.checked.last()).copied()
    });
    Row {
        name: field.name.clone(),
        text: format!("param.{}", known.map_or("other", |fact| fact.key)),
        value: Folded::new(&field.value),
        secret: known.is_some_and(|fact| fact.secret),
        made: match made {
            _ if is_of_sender(&field.key) => Some(place((sender, step))),
            Some(By(party, at)) => Some(place((party, at))),
            Some(Registered) => None,
            None => Some(place((sender, 0))),
        },
        registered: made == Some(Registered),
        checked: checked.map(place),
        section: answered.or(known.map(|fact| fact.section)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use shared::flow::{Line, Step};

    use super::*;

    fn of(step: Step, key: &str) -> Row {
        let line = Line::Request { method: "POST".to_owned(), target: "/".to_owned() };
        in_message(step, key, RP, IDP, line)
    }

    fn in_answer(step: Step, key: &str) -> Row {
        in_message(step, key, IDP, RP, Line::Status(200))
    }

    fn in_message(step: Step, key: &str, from: Party, to: Party, line: Line) -> Row {
        let field = Field { name: key.to_owned(), key: key.to_owned(), value: "x".to_owned() };
        let (headers, body, span) = (Vec::new(), String::new(), String::new());
        let message = Message { exchange: Exchange::Token, from, to, line, headers, body, cut: 0, span };
        row(Entry::Step(step), Party::Rp, &field, &message)
    }

    #[test]
    fn every_fact_stands_once() {
        assert_eq!(keys().collect::<HashSet<_>>().len(), FACTS.len());
    }

    #[test]
    fn a_row_says_where_its_value_is_checked_next() {
        let checked = |step| of(step, "redirect_uri").checked;
        assert_eq!(checked(Step::AuthorizationRequest), Some(Place { house: "idp", step: 2 }));
        assert_eq!(checked(Step::TokenRequest), Some(Place { house: "idp", step: 8 }));
        assert_eq!(of(Step::TokenRequest, "code_verifier").made, Some(Place { house: "rp", step: 2 }));
    }

    #[test]
    fn what_the_token_endpoint_says_it_made_itself() {
        for (key, section) in [("scope", "RFC 6749 §5.1"), ("error", "RFC 6749 §5.2")] {
            let row = in_answer(Step::TokenResponse, key);
            let made = Some(Place { house: "idp", step: 9 });
            assert_eq!((row.made, row.checked, row.section), (made, None, section), "{key}");
        }
        let asked = of(Step::AuthorizationRequest, "scope");
        assert_eq!(asked.made, Some(Place { house: "rp", step: 2 }));
        assert_eq!(asked.checked, Some(Place { house: "idp", step: 2 }));
    }

    #[test]
    fn what_nobody_knows_is_explained_as_such() {
        let row = of(Step::TokenRequest, "utm_source");
        assert_eq!((row.text.as_str(), row.secret, row.checked), ("param.other", false, None));
    }

    #[test]
    fn a_long_value_is_folded_without_losing_a_character() {
        let value = "naWPsUjuX6DwmZqarESWw8F-EuxfIR-2dRXAHtPI6FM";
        let folded = Folded::new(value);
        assert_eq!((folded.tail.as_str(), folded.head.clone() + &folded.tail), ("tPI6FM", value.to_owned()));
        assert_eq!(Folded::new("short").tail, "");
        let japanese = "あ".repeat(40);
        assert_eq!(Folded::new(&japanese).tail.chars().count(), 6);
    }
}
