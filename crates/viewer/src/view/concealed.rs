//! Events without their secrets, for what is saved and handed on.

use std::collections::BTreeSet;

use shared::flow::{Event, Line, Message, Recorded, Shown};

use super::{
    fields::{fields, is_json, is_page},
    parameters::is_secret,
};

/// What stands where something was never recorded.
pub(super) const NOT_RECORDED: &str = "[not-recorded]";
/// What stands in the place of a secret.
pub const CONCEALED: &str = "[redacted]";

/// The same events, without what is a secret: wherever in a message such a value stands, in whatever way it is written.
/// Of a signed token only the signature is left out: what it says can still be read, and nobody can use it.
pub fn concealed(events: &[Recorded]) -> Vec<Recorded> {
    let messages = events.iter().filter_map(|it| match &it.event {
        Event::Message(message) => Some(message),
        _ => None,
    });
    let mut secrets: BTreeSet<String> = BTreeSet::new();
    for message in messages {
        for field in fields(message).into_iter().filter(|field| is_secret(&field.key)) {
            secrets.extend(writings(&field.key, &field.value));
        }
        secrets.extend(in_page(message));
        // Credentials that could not be read are secrets all the same.
        let credentials = message.header("authorization").and_then(|value| value.split_once(' '));
        secrets.extend(credentials.map(|(_, credentials)| credentials.to_owned()));
    }
    secrets.retain(|secret| !secret.is_empty() && !secret.contains(NOT_RECORDED));
    // A longer one first: it may hold a shorter one.
    let mut secrets: Vec<String> = secrets.into_iter().collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    events.iter().map(|it| Recorded { event: without(&it.event, &secrets), ..it.clone() }).collect()
}

/// How a secret may be written: as it is, and as a query, a form or JSON writes it.
fn writings(key: &str, value: &str) -> Vec<String> {
    let value = match key {
        // Of a client's credentials the name is no secret.
        "authorization_basic" => value.split_once(':').map_or(value, |(_, secret)| secret),
        // Of cookies nothing was recorded but the language.
        "cookie" | "set_cookie" => return Vec::new(),
        _ => value,
    };
    let json = serde_json::Value::from(value).to_string();
    let encoded = shared::params::encode(value).into_owned();
    let with_percent = encoded.replace('+', "%20");
    vec![value.to_owned(), encoded, with_percent, json.trim_matches('"').to_owned()]
}

/// What the forms of a page carry to prove that they are this browser's.
fn in_page(message: &Message) -> Vec<String> {
    const HIDDEN: &str = r#"name="csrf" value=""#;
    let values = message.body.split(HIDDEN).skip(1).filter_map(|rest| rest.split('"').next());
    if is_page(message) { values.map(ToOwned::to_owned).collect() } else { Vec::new() }
}

/// What stays of a secret.
fn left_of(secret: &str) -> String {
    let mut parts = secret.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        // The header of a JWT is a JSON object (RFC 7519 §3), and so begins with `{"` in base64url.
        (Some(header), Some(payload), Some(_), None) if header.starts_with("eyJ") => {
            format!("{header}.{payload}.{CONCEALED}")
        }
        _ => CONCEALED.to_owned(),
    }
}

/// JSON of which a part is missing, or that is none.
fn is_unreadable(message: &Message) -> bool {
    is_json(message)
        && !message.body.is_empty()
        && serde_json::from_str::<serde::de::IgnoredAny>(&message.body).is_err()
}

fn without(event: &Event, secrets: &[String]) -> Event {
    let clean = |text: &str| {
        let mut text = text.to_owned();
        for secret in secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), &left_of(secret));
            }
        }
        text
    };
    match event {
        Event::Message(message) => Event::Message(Message {
            line: match &message.line {
                Line::Request { method, target } => {
                    Line::Request { method: method.clone(), target: clean(target) }
                }
                Line::Status(status) => Line::Status(*status),
            },
            headers: message.headers.iter().map(|(name, value)| (name.clone(), clean(value))).collect(),
            // What cannot be read may hold anything.
            body: if is_unreadable(message) { CONCEALED.to_owned() } else { clean(&message.body) },
            ..message.clone()
        }),
        Event::Check(check) => {
            let mut check = check.clone();
            for shown in [&mut check.expected, &mut check.actual] {
                if let Shown::Value(value) | Shown::WordsWith(_, value) = shown {
                    *value = clean(value).into();
                }
            }
            Event::Check(check)
        }
        Event::Life(life) => Event::Life(*life),
    }
}
