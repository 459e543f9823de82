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
    params::{Params, decode, encode},
    response_mode::FormPost,
};
use web::lang;

use crate::correlate;

use super::{
    fields::{Members, basic, is_form, is_json, is_page, plain},
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

/// The same events, without what is a secret. Of a signed token only the signature is left out: what it says can still be
/// read, and nobody can use it. Of pages nothing is kept, since their forms hold
/// secrets; but of one that brings a response to another site its form.
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
            Event::Release(release) => {
                let mut release = release.clone();
                for change in &mut release.changes {
                    change.name = self.name(&change.name);
                    for value in [&mut change.before, &mut change.after].into_iter().flatten() {
                        *value = self.changed(&change.name, value);
                    }
                }
                Event::Release(release)
            }
        }
    }

    /// The name of what was edited. What is no name may be the beginning of anything.
    fn name(&self, name: &str) -> String {
        if is_name(name.trim_start_matches("header ")) { self.text(name) } else { CONCEALED.to_owned() }
    }

    /// A value that was edited, before or after.
    fn changed(&mut self, name: &str, value: &str) -> String {
        match name.to_ascii_lowercase().as_str() {
            "authorization" => self.credentials(value),
            "address" => self.address(value),
            "query" => self.pairs(value),
            "body" => self.object(value).unwrap_or_else(|| CONCEALED.to_owned()),
            // Of a token everything but the signature can be read.
            "signature" => self.secret(value),
            _ if is_named_secret(name) => self.secret(value),
            _ => self.text(value),
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
            Some(body) => {
                let left_out =
                    if is_page(message) { message.body.len().saturating_sub(body.len()) } else { 0 };
                (body, message.cut.saturating_add(left_out))
            }
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
            _ if is_page(message) => self.form(body),
            _ => None,
        }
    }

    /// What a page brings to another site (Form Post Response Mode §2), and nothing else of the page.
    fn form(&mut self, page: &str) -> Option<String> {
        let FormPost { action, params } = FormPost::read(page)?;
        let (action, pairs) = (self.address(&action), self.pairs(&params.encode()));
        let params = Params::parse_with_repeats(pairs.as_bytes()).ok()?;
        Some(FormPost { action, params }.write())
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
            Ok(handle) if correlate::is_handle(&handle) => self.secret(&handle),
            Ok(text) if !self.holds(&text) => part.to_owned(),
            _ => CONCEALED.to_owned(),
        }
    }

    fn pairs(&mut self, encoded: &str) -> String {
        encoded.split('&').map(|pair| self.pair(pair)).collect::<Vec<_>>().join("&")
    }

    fn pair(&mut self, pair: &str) -> String {
        let Some((written, encoded)) = pair.split_once('=') else {
            return if matches!(pair, "" | NOT_RECORDED) { pair.to_owned() } else { CONCEALED.to_owned() };
        };
        // What is no name may be the beginning of anything (RFC 6749 §8.2).
        let Some(name) = decode(written.as_bytes()).ok().filter(|name| is_name(name)) else {
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

fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
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
