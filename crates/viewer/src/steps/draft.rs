//! A held message in the parts that can be edited, and how two versions of it differ.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{
    flow::{Change, Part, Pause},
    params::{decode, encode},
    response_mode::FormPost,
};

use crate::view::{Members, plain};

/// A held message. A part that its kind of message does not have is empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The method of a request.
    pub method: String,
    /// Where a request goes, without its query.
    pub address: String,
    /// The status of an answer.
    pub status: u16,
    /// The parameters in the query or the form of a request, as they are written there.
    pub params: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body of an answer.
    pub body: String,
    /// The ID token.
    pub token: String,
}

impl fmt::Debug for Draft {
    /// What it holds are codes, tokens and credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} {})", self.method, self.address)
    }
}

/// How much of a value is remembered of a change, in characters.
const LONGEST: usize = 2_000;
/// How many changes are remembered of one message, and how many pairs are compared.
const MOST: usize = 200;

impl Draft {
    /// The redirect to `location`, which a browser will follow.
    pub fn redirect(location: &str) -> Self {
        let (address, params) = location.split_once('?').unwrap_or((location, ""));
        Self { method: "GET".into(), address: address.into(), params: params.into(), ..Self::default() }
    }

    /// The form that a browser will post.
    pub fn posted(form: &FormPost) -> Self {
        let (address, params) = (form.action.clone(), form.params.encode());
        Self { method: "POST".into(), address, params, ..Self::default() }
    }

    /// The address with its query.
    pub fn location(&self) -> String {
        let sign = if self.params.is_empty() { "" } else { "?" };
        format!("{}{sign}{}", self.address, self.params)
    }

    /// How it was edited to become `after`.
    pub(crate) fn changes(&self, after: &Self, pause: Pause) -> Vec<Change> {
        let edits = pause.verbs().edits;
        let mut changes = Vec::new();
        for part in edits {
            match part {
                Part::Address => changes.extend(change("address", &self.address, &after.address)),
                Part::Parameters => {
                    let named = pairs_changed(&decoded(&self.params), &decoded(&after.params));
                    // Written in another way, but with the same meaning.
                    let written =
                        named.is_empty().then(|| change("query", &self.params, &after.params)).flatten();
                    changes.extend(named.into_iter().chain(written));
                }
                Part::Headers => changes.extend(pairs_changed(&self.headers, &after.headers)),
                Part::Status => {
                    changes.extend(change("status", &self.status.to_string(), &after.status.to_string()));
                }
                Part::Body => changes.extend(body_changed(&self.body, &after.body)),
                Part::Token => changes.extend(token_changed(&self.token, &after.token)),
            }
        }
        changes.truncate(MOST);
        changes
    }
}

/// The pairs of a query or a form; what cannot be decoded stays as it is written.
pub(crate) fn decoded(encoded: &str) -> Vec<(String, String)> {
    let text = |written: &str| decode(written.as_bytes()).unwrap_or_else(|_| written.to_owned());
    let pairs = encoded.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (text(name), text(value))
        })
        .collect()
}

/// The same pairs in writing. Those that are as they were are written as they were.
pub(crate) fn encoded(pairs: &[(String, String)], before: &str) -> String {
    let was: Vec<&str> = before.split('&').filter(|pair| !pair.is_empty()).collect();
    let known = decoded(before);
    let written = pairs.iter().map(|pair| {
        let same = known.iter().position(|known| known == pair).and_then(|at| was.get(at));
        same.map_or_else(|| format!("{}={}", encode(&pair.0), encode(&pair.1)), |was| (*was).to_owned())
    });
    written.collect::<Vec<_>>().join("&")
}

/// The parts of a signed token as JSON: header and payload, and its signature as it is written.
pub(crate) fn taken_apart(token: &str) -> Option<(String, String, &str)> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let json = |part: &str| {
        let json = String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
        (!Members::of(&json).is_empty()).then_some(json)
    };
    parts.next().is_none().then_some(())?;
    Some((json(header)?, json(payload)?, signature))
}

/// JSON on many lines, its members in the order in which they were written; `None` for what is no object.
pub(crate) fn pretty(json: &str) -> Option<String> {
    let members = serde_json::from_str::<Members>(json).ok()?;
    serde_json::to_string_pretty(&members).ok()
}

fn change(name: &str, before: &str, after: &str) -> Option<Change> {
    let side = |text: &str| Some(text.chars().take(LONGEST).collect::<String>());
    (before != after).then(|| Change { name: name.to_owned(), before: side(before), after: side(after) })
}

/// What differs between two lists of pairs, name by name; of those that stand twice, one by one.
fn pairs_changed(before: &[(String, String)], after: &[(String, String)]) -> Vec<Change> {
    let [before, after] = [before, after].map(|pairs| &pairs[..pairs.len().min(MOST)]);
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in before.iter().chain(after) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let values = |pairs: &[(String, String)], wanted: &str| -> Vec<String> {
        pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.clone()).collect()
    };
    let mut changes = Vec::new();
    for name in names {
        let (was, is) = (values(before, name), values(after, name));
        for at in 0..was.len().max(is.len()) {
            let cut = |value: Option<&String>| value.map(|value| value.chars().take(LONGEST).collect());
            if was.get(at) != is.get(at) {
                let (before, after) = (cut(was.get(at)), cut(is.get(at)));
                changes.push(Change { name: name.to_owned(), before, after });
            }
        }
    }
    changes
}

fn members(json: &str, prefix: &str) -> Vec<(String, String)> {
    let members = Members::of(json).into_iter();
    members.map(|(name, value)| (format!("{prefix}{name}"), plain(&value))).collect()
}

fn body_changed(before: &str, after: &str) -> Vec<Change> {
    let (was, is) = (members(before, ""), members(after, ""));
    let named = if was.is_empty() || is.is_empty() { Vec::new() } else { pairs_changed(&was, &is) };
    if named.is_empty() { change("body", before, after).into_iter().collect() } else { named }
}

fn token_changed(before: &str, after: &str) -> Vec<Change> {
    let named = taken_apart(before).zip(taken_apart(after)).map(|(was, is)| {
        let mut changes = pairs_changed(&members(&was.0, "header "), &members(&is.0, "header "));
        changes.extend(pairs_changed(&members(&was.1, ""), &members(&is.1, "")));
        changes.extend(change("signature", was.2, is.2));
        changes
    });
    named
        .filter(|named| !named.is_empty())
        .unwrap_or_else(|| change("id_token", before, after).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(params: &str) -> Draft {
        Draft { params: params.into(), ..Draft::default() }
    }

    fn told(changes: &[Change]) -> Vec<(&str, Option<&str>, Option<&str>)> {
        changes.iter().map(|it| (it.name.as_str(), it.before.as_deref(), it.after.as_deref())).collect()
    }

    #[test]
    fn a_change_is_told_by_its_name() {
        let changes = form("code=a&state=s").changes(&form("code=b&x=1"), Pause::Callback);
        let expected = [("code", Some("a"), Some("b")), ("state", Some("s"), None), ("x", None, Some("1"))];
        assert_eq!(told(&changes), expected);
        assert_eq!(form("a=1").changes(&form("a=1"), Pause::Callback), []);
        let twice = form("iss=a").changes(&form("iss=a&iss=b"), Pause::Callback);
        assert_eq!(told(&twice), [("iss", None, Some("b"))]);
    }

    #[test]
    fn what_means_the_same_in_other_letters_is_a_change_too() {
        let changes = form("a=b").changes(&form("a=%62"), Pause::Callback);
        assert_eq!(told(&changes), [("query", Some("a=b"), Some("a=%62"))]);
    }

    #[test]
    fn what_was_not_touched_is_written_as_it_was() {
        let mut pairs = decoded("a=%7Ex&b=1&c");
        assert_eq!(encoded(&pairs, "a=%7Ex&b=1&c"), "a=%7Ex&b=1&c");
        pairs[1].1 = "ü &".into();
        assert_eq!(encoded(&pairs, "a=%7Ex&b=1&c"), "a=%7Ex&b=%C3%BC+%26&c");
    }

    #[test]
    fn a_token_is_compared_claim_by_claim() {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let token = |alg: &str, sub: &str| Draft {
            token: format!(
                "{}.{}.{}",
                part(&format!(r#"{{"alg":"{alg}"}}"#)),
                part(&format!(r#"{{"sub":"{sub}"}}"#)),
                "c2ln"
            ),
            ..Draft::default()
        };
        let changes = token("RS256", "1").changes(&token("none", "2"), Pause::Validation);
        let expected = [("header alg", Some("RS256"), Some("none")), ("sub", Some("1"), Some("2"))];
        assert_eq!(told(&changes), expected);
        let broken = Draft { token: "x".into(), ..Draft::default() };
        assert_eq!(token("RS256", "1").changes(&broken, Pause::Validation)[0].name, "id_token");
    }

    #[test]
    fn the_body_of_an_answer_is_compared_member_by_member() {
        let body = |body: &str| Draft { body: body.into(), ..Draft::default() };
        let changes =
            body(r#"{"sub":"1","n":1}"#).changes(&body(r#"{"sub":"2","n":1}"#), Pause::UserinfoResponse);
        assert_eq!(told(&changes), [("sub", Some("1"), Some("2"))]);
        let changes = body(r#"{"sub":"1"}"#).changes(&body("no"), Pause::UserinfoResponse);
        assert_eq!(changes[0].name, "body");
    }
}
