//! Events without their secrets, for what is saved and handed on.
//!
//! A message is rewritten part by part: queries and forms pair by pair, JSON member by member, headers by what they are.
//! What has the name of a secret loses its value, and what cannot be read is left out, since it may hold anything. The
//! values found in this way are left out wherever else they stand.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use shared::{
    flow::{Event, Line, Message, Recorded, Shown},
    params::{decode, encode},
};
use web::lang;

use super::{
    fields::{Members, basic, is_form, is_json, plain},
    parameters::is_secret,
};

/// What stands where something was never recorded.
pub(super) const NOT_RECORDED: &str = "[not-recorded]";
/// What stands in the place of a secret.
pub const CONCEALED: &str = "[redacted]";
/// Shorter secrets are left out where they are named, but not elsewhere: innocent words may hold them.
const SHORTEST: usize = 8;
/// No flow has more bytes of secrets. Of one that says so, nothing is kept but names.
const MUCH: usize = 256 * 1024;
/// What the handle of a request that waits at the IdP begins with.
const HANDLE: &str = "in_";

/// The same events, without what is a secret. Of a signed token only the signature is left out: what it says can still be
/// read, and nobody can use it. Of pages nothing is kept, since their forms hold secrets.
pub fn concealed(events: &[Recorded]) -> Vec<Recorded> {
    // Once to learn the secrets, and once more to leave them out everywhere.
    let mut concealer = Concealer::default();
    for it in events {
        concealer.event(&it.event);
    }
    concealer.learn();
    let without = events.iter().map(|it| Recorded {
        by: it.by,
        at: it.at,
        within: it.within.clone(),
        event: concealer.event(&it.event),
    });
    without.collect()
}

#[derive(Default)]
struct Concealer {
    /// The values of secrets that were met.
    met: BTreeSet<String>,
    known: Known,
}

/// Which secrets are known by their values.
#[derive(Default)]
enum Known {
    /// None yet.
    #[default]
    Nothing,
    /// These.
    These(AhoCorasick),
    /// More than can be looked for.
    TooMuch,
}

impl Concealer {
    /// From now on the secrets that were met are known, as they are and as a query or a form writes them.
    fn learn(&mut self) {
        let met = std::mem::take(&mut self.met).into_iter().filter(|secret| secret.len() >= SHORTEST);
        let writings: Vec<String> = met.flat_map(|it| [encode(&it).into_owned(), it]).collect();
        let is_too_much = writings.iter().map(String::len).sum::<usize>() > MUCH;
        let build = || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&writings).ok();
        let finder = if is_too_much { None } else { build() };
        self.known = finder.map_or(Known::TooMuch, Known::These);
    }

    fn event(&mut self, event: &Event) -> Event {
        match event {
            Event::Message(message) => Event::Message(self.message(message)),
            Event::Check(check) => {
                let mut check = check.clone();
                for shown in [&mut check.expected, &mut check.actual] {
                    if let Shown::Value(value) | Shown::WordsWith(_, value) = shown {
                        *value = self.text(value).into();
                    }
                }
                Event::Check(check)
            }
            Event::Life(life) => Event::Life(*life),
        }
    }

    fn message(&mut self, message: &Message) -> Message {
        let line = match &message.line {
            Line::Request { method, target } => {
                Line::Request { method: method.clone(), target: self.address(target) }
            }
            Line::Status(status) => Line::Status(*status),
        };
        let headers = message.headers.iter().map(|(name, value)| (name.clone(), self.header(name, value)));
        let headers = headers.collect();
        let (body, cut) = match self.body(message) {
            Some(body) => (body, message.cut),
            None => (CONCEALED.to_owned(), message.cut.saturating_add(message.body.len())),
        };
        let Message { exchange, from, to, .. } = *message;
        Message { exchange, from, to, line, headers, body, cut, span: message.span.clone() }
    }

    /// A form or a JSON object; of anything else nobody knows what it holds.
    fn body(&mut self, message: &Message) -> Option<String> {
        let body = message.body.as_str();
        match body {
            "" | NOT_RECORDED | CONCEALED => Some(body.to_owned()),
            _ if is_form(message) => Some(self.pairs(body)),
            _ if is_json(message) => self.object(body),
            _ => None,
        }
    }

    fn header(&mut self, name: &str, value: &str) -> String {
        match name.to_ascii_lowercase().as_str() {
            "authorization" | "proxy-authorization" => self.credentials(value),
            "cookie" => value.split(';').map(|pair| self.cookie(pair)).collect::<Vec<_>>().join(";"),
            "set-cookie" => match value.split_once(';') {
                Some((pair, attributes)) => format!("{};{}", self.cookie(pair), self.text(attributes)),
                None => self.cookie(value),
            },
            "location" | "content-location" | "referer" => self.address(value),
            _ => self.text(value),
        }
    }

    /// RFC 9110 §11.4: a scheme, and what it asks for.
    fn credentials(&mut self, value: &str) -> String {
        let Some((scheme, credentials)) = value.split_once(' ') else { return self.secret(value) };
        // RFC 6749 §2.3.1: of the two that the client says of itself, the second is the secret, encoded as in a form.
        if let Some((_, secret)) = basic(credentials).as_deref().and_then(|both| both.split_once(':')) {
            self.secret(secret);
            self.secret(&decode(secret.as_bytes()).unwrap_or_default());
        }
        let is_scheme = ["basic", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        if is_scheme { format!("{scheme} {}", self.secret(credentials)) } else { self.secret(value) }
    }

    /// Of cookies nothing was recorded but the language. A file that was opened may say otherwise.
    fn cookie(&self, pair: &str) -> String {
        match pair.split_once('=') {
            Some((_, "" | NOT_RECORDED)) => pair.to_owned(),
            Some((name, _)) if name.trim() == lang::COOKIE => self.text(pair),
            Some((name, _)) => format!("{name}={CONCEALED}"),
            None if matches!(pair.trim(), "" | NOT_RECORDED) => pair.to_owned(),
            None => CONCEALED.to_owned(),
        }
    }

    /// Path, query and fragment.
    fn address(&mut self, address: &str) -> String {
        let (rest, fragment) = halves(address, '#');
        let (path, query) = halves(rest, '?');
        let mut without = path.split('/').map(|part| self.part(part)).collect::<Vec<_>>().join("/");
        for (sign, pairs) in [('?', query), ('#', fragment)] {
            if let Some(pairs) = pairs {
                without.push(sign);
                without.push_str(&self.pairs(pairs));
            }
        }
        without
    }

    /// A part of a path.
    fn part(&mut self, part: &str) -> String {
        match decode(part.as_bytes()) {
            Ok(handle) if handle.starts_with(HANDLE) => self.secret(&handle),
            Ok(text) if !self.holds(&text) => part.to_owned(),
            _ => CONCEALED.to_owned(),
        }
    }

    fn pairs(&mut self, encoded: &str) -> String {
        encoded.split('&').map(|pair| self.pair(pair)).collect::<Vec<_>>().join("&")
    }

    fn pair(&mut self, pair: &str) -> String {
        let Some((written, encoded)) = pair.split_once('=') else {
            return if pair.is_empty() { String::new() } else { CONCEALED.to_owned() };
        };
        // What is no name may be the beginning of anything (RFC 6749 §8.2).
        let is_name = |name: &String| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        };
        let Some(name) = decode(written.as_bytes()).ok().filter(is_name) else {
            return CONCEALED.to_owned();
        };
        let value = decode(encoded.as_bytes());
        if is_named_secret(&name) {
            return format!("{written}={}", self.secret(&value.unwrap_or_else(|_| encoded.to_owned())));
        }
        match value {
            _ if self.holds(&name) => CONCEALED.to_owned(),
            Ok(value) if !self.holds(&value) => pair.to_owned(),
            _ => format!("{written}={CONCEALED}"),
        }
    }

    /// A JSON object, written anew; `None` if it is something else.
    fn object(&mut self, json: &str) -> Option<String> {
        let members = serde_json::from_str::<Members>(json).ok()?.0.into_iter();
        let members = Members(members.map(|(name, value)| self.member(&name, value)).collect());
        serde_json::to_string(&members).ok()
    }

    fn member(&mut self, name: &str, value: Value) -> (String, Value) {
        let is_secret = is_named_secret(name) && !value.is_null();
        let value = if is_secret { self.secret(&plain(&value)).into() } else { self.value(value) };
        (self.text(name), value)
    }

    fn value(&mut self, value: Value) -> Value {
        match value {
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| self.member(&name, value)).collect()
            }
            Value::Array(values) => values.into_iter().map(|value| self.value(value)).collect(),
            Value::String(text) => self.text(&text).into(),
            other if self.holds(&other.to_string()) => CONCEALED.into(),
            other => other,
        }
    }

    /// What stays of a secret, which from now on is one wherever it stands.
    fn secret(&mut self, value: &str) -> String {
        if matches!(value, "" | NOT_RECORDED | CONCEALED) {
            return value.to_owned();
        }
        if matches!(self.known, Known::Nothing) {
            self.met.insert(value.to_owned());
        }
        left_of(value)
    }

    /// Any other text, without the secrets that are known.
    fn text(&self, text: &str) -> String {
        match &self.known {
            Known::These(finder) => {
                let mut without = String::with_capacity(text.len());
                finder.replace_all_with(text, &mut without, |_, secret, without| {
                    without.push_str(&left_of(secret));
                    true
                });
                without
            }
            Known::TooMuch if !text.is_empty() => CONCEALED.to_owned(),
            _ => text.to_owned(),
        }
    }

    fn holds(&self, text: &str) -> bool {
        match &self.known {
            Known::Nothing => false,
            Known::These(finder) => finder.is_match(text),
            Known::TooMuch => !text.is_empty(),
        }
    }
}

fn halves(text: &str, sign: char) -> (&str, Option<&str>) {
    text.split_once(sign).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// Whether a value of this name is a secret, even where the name is not written as it should be.
fn is_named_secret(name: &str) -> bool {
    is_secret(&name.trim().to_ascii_lowercase())
}

/// What stays of a secret.
fn left_of(secret: &str) -> String {
    let mut parts = secret.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(_), None) if is_object(header) && is_object(payload) => {
            format!("{header}.{payload}.{CONCEALED}")
        }
        _ => CONCEALED.to_owned(),
    }
}

/// Header and payload of a JWT are JSON objects in base64url (RFC 7519 §3).
fn is_object(part: &str) -> bool {
    let json = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice::<Members>(&json).is_ok()
}

#[cfg(test)]
mod tests {
    use shared::flow::{Check, Exchange, Party, Rule, Verdict};

    use super::*;

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    const JSON: (&str, &str) = ("content-type", "application/json");

    fn message(target: &str, headers: &[(&str, &str)], body: &str) -> Recorded {
        let event = Event::Message(Message {
            exchange: Exchange::Token,
            from: Party::Rp,
            to: Party::Idp,
            line: Line::Request { method: "POST".into(), target: target.into() },
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.into(),
            cut: 0,
            span: "s".into(),
        });
        Recorded { by: Party::Rp, at: 1, within: "w".into(), event }
    }

    /// Target, headers and body of what is left of one message.
    fn left(target: &str, headers: &[(&str, &str)], body: &str) -> (String, String, String) {
        let events = concealed(&[message(target, headers, body)]);
        let Event::Message(Message { line: Line::Request { target, .. }, headers, body, .. }) =
            events[0].event.clone()
        else {
            unreachable!()
        };
        (target, headers.last().map(|(_, value)| value.clone()).unwrap_or_default(), body)
    }

    #[test]
    fn a_secret_is_known_by_its_name_however_it_is_written() {
        for query in
            ["code=%63ode_SECRET", "c%6Fde=a%2fSECRET", "Code=SECRET", "code=%zzSECRET", "x=1#code=SECRET"]
        {
            let (target, ..) = left(&format!("/auth?state=S&{query}&iss=i"), &[], "");
            assert!(!target.contains("SECRET") && target.contains(CONCEALED), "{target}");
            assert!(target.contains('='), "its name stays: {target}");
        }
        assert_eq!(
            left("/auth?state=S&code=c&iss=http%3A%2F%2Fi", &[], "").0,
            "/auth?state=S&code=[redacted]&iss=http%3A%2F%2Fi"
        );
    }

    #[test]
    fn a_secret_is_found_in_headers_and_in_paths() {
        let headers = [
            ("referer", "http://rp/x?access_token=SECRET"),
            ("location", "http://rp/cb#access_token=SECRET&state=x"),
            ("authorization", "Bearer SECRET"),
            ("authorization", "SECRET"),
            ("authorization", "Digest SECRET SECRET"),
            ("cookie", "idp_session=SECRET; lang=ja"),
            ("cookie", "SECRET"),
            ("set-cookie", "idp_session=SECRET; HttpOnly"),
        ];
        for header in headers {
            let (_, value, _) = left("/", &[header], "");
            assert!(!value.contains("SECRET") && value.contains(CONCEALED), "{value}");
        }
        for path in ["/login/in_SECRET", "/login/in%5FSECRET?lang=ja", "/%zzSECRET"] {
            let (target, ..) = left(path, &[], "");
            assert!(!target.contains("SECRET") && target.starts_with('/'), "{target}");
        }
        assert_eq!(left("/", &[("cookie", "a=[not-recorded]; lang=ja")], "").1, "a=[not-recorded]; lang=ja");
    }

    #[test]
    fn members_of_json_lose_their_secrets_and_keep_their_order() {
        let json = r#"{"token_type":"Bearer","access_token":"a\/SECRET","more":[{"code":12345678}],"expires_in":60}"#;
        assert_eq!(
            left("/", &[JSON], json).2,
            r#"{"token_type":"Bearer","access_token":"[redacted]","more":[{"code":"[redacted]"}],"expires_in":60}"#
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let bodies = [
            (JSON, r#"{"access_token":"SECRET","n":1e999}"#),
            (JSON, r#"{"access_token":"SECRET","n":"\ud800"}"#),
            (JSON, r#"{"access_token":"SECRET"#),
            (JSON, r#"["SECRET"]"#),
            (FORM, r#"{"client_secret":"SECRET"}"#),
            (FORM, r#"{"client_secret":"SECRET="}"#),
            (("content-type", "text/plain"), "client_secret=SECRET"),
            (("content-type", "text/html"), r#"<input name=csrf value="SECRET">"#),
            (("accept", "*/*"), "client_secret=SECRET"),
        ];
        for (header, body) in bodies {
            assert_eq!(left("/", &[header], body).2, CONCEALED, "{body}");
        }
        let page = concealed(&[message("/", &[("content-type", "text/html")], "<p>hello")]);
        assert!(matches!(&page[0].event, Event::Message(page) if page.cut == 8));
    }

    #[test]
    fn a_value_that_was_named_once_is_left_out_everywhere() {
        let check = Event::Check(Check {
            rule: Rule::CodeKnown,
            expected: "of no secret".into(),
            actual: "it was code_SECRET/1".into(),
            verdict: Verdict::Failed,
        });
        let events = [
            message("/auth?code=code_SECRET/1&password=[not-recorded]", &[("x-a", "code_SECRET%2F1")], ""),
            message(
                "/auth?next=%2f%63ode_SECRET%2f1&code_SECRET%2f1=x",
                &[JSON],
                r#"{"x":{"code_SECRET\/1":"code_SECRET\/1"}}"#,
            ),
            Recorded { by: Party::Idp, at: 1, within: "w".into(), event: check },
        ];
        let after = serde_json::to_string(&concealed(&events)).unwrap_or_default();
        assert!(!after.contains("SECRET"), "{after}");
        assert!(after.contains("of no secret") && after.contains("it was [redacted]"), "{after}");
        assert!(after.contains("next=[redacted]") && after.contains("password=[not-recorded]"), "{after}");
    }

    #[test]
    fn a_short_secret_leaves_other_words_alone() {
        assert_eq!(left("/auth?code=e&x=eee", &[], "").0, "/auth?code=[redacted]&x=eee");
    }

    #[test]
    fn what_was_left_out_once_stays_as_it_is() {
        let once = concealed(&[
            message("/auth?code=code_1234&x=code_1234", &[("content-type", "text/html")], "<p>hello"),
            message("/", &[FORM, ("authorization", "Bearer at_123456")], "id_token=e30.e30.c2ln"),
        ]);
        assert!(serde_json::to_string(&once).unwrap_or_default().contains("e30.e30.[redacted]"));
        assert_eq!(concealed(&once), once);
    }

    #[test]
    fn nothing_grows_without_measure() {
        let many = |pair: &dyn Fn(usize) -> String| (0..4_000).map(pair).collect::<String>();
        let hostile = [
            format!("state=S&{}x={}", many(&|_| "code=[&code=r&code=e&".into()), "e".repeat(28_000)),
            many(&|at| format!("code=redacted{at}&x=redacted{at}&")),
            many(&|at| format!("code={}&", "[redacted]".repeat(at % 9))),
            many(&|at| format!("code={at:0100}&")),
            "b&".repeat(14_000),
            "%&".repeat(14_000),
        ];
        for query in hostile {
            let headers = [FORM, ("cookie", &query.replace('&', ";")), ("referer", &format!("/?{query}"))];
            let events = [message(&format!("/auth?{query}"), &headers, &query)];
            let before = serde_json::to_string(&events).unwrap_or_default().len();
            let after = serde_json::to_string(&concealed(&events)).unwrap_or_default().len();
            assert!(after < 6 * before, "{before} became {after}: {}", &query[..40]);
        }
    }
}
