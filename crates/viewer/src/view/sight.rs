//! Who can see a value: told from the recorded messages alone.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use shared::flow::{Line, Message, Party, Stage, Story};

use super::{
    concealed::{CONCEALED, NOT_RECORDED},
    fields::{Field, fields, first_fields, is_page, query_of},
    parameters::is_secret,
};

/// Those who may see something, in the order of the table; each has its text `sight.<name>`.
pub const OBSERVERS: [&str; 5] = ["history", "referer", "tap", "rp", "idp"];

const HISTORY: u8 = 1;
const REFERER: u8 = 2;
const TAP: u8 = 4;
const RP: u8 = 8;
const IDP: u8 = 16;

/// Values worth asking about, besides the secrets.
const ASKED_ABOUT: [&str; 7] =
    ["state", "nonce", "code_challenge", "username", "error", "account", "authorization_basic"];

/// What of a flow can be seen by whom.
pub(crate) struct Sight<'a> {
    seen: HashMap<String, u8>,
    /// The answers, by their span and whoever gave them.
    answers: HashMap<(&'a str, Party), &'a Message>,
}

/// A value, and who sees it.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    /// One for each of [`OBSERVERS`].
    eyes: Vec<bool>,
}

impl<'a> Sight<'a> {
    /// Looks through every message of a flow.
    pub(crate) fn of(story: &Story<'a>) -> Self {
        let messages = story.stages.iter().flat_map(|stage| &stage.messages).map(|paired| paired.message);
        let mut answers = HashMap::new();
        for message in messages.filter(|message| !message.is_request()) {
            answers.entry((message.span.as_str(), message.from)).or_insert(message);
        }
        let mut sight = Self { seen: HashMap::new(), answers };
        for stage in &story.stages {
            for paired in &stage.messages {
                let message = paired.message;
                let of_message = observers(message, sight.answer(message));
                let in_address: HashSet<String> = values(message.query()).collect();
                for field in fields(message) {
                    // In the history and in `Referer` there are addresses only.
                    let rest = if in_address.contains(&field.value) { 0 } else { HISTORY | REFERER };
                    *sight.seen.entry(identity(&field)).or_insert(0) |= of_message & !rest;
                }
                if let Some(referer) = message.header("referer") {
                    for value in values(query_of(referer)) {
                        *sight.seen.entry(value).or_insert(0) |= REFERER;
                    }
                }
            }
        }
        sight
    }

    /// The values of a stage.
    pub(crate) fn rows(&self, stage: &Stage<'_>) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut known = HashSet::new();
        for paired in &stage.messages {
            for field in first_fields(paired.message).0 {
                let is_asked = is_secret(&field.key) || ASKED_ABOUT.contains(&field.key.as_str());
                let value = identity(&field);
                if is_asked && !field.value.is_empty() && known.insert((name(&field), value.clone())) {
                    let bits = self.seen.get(&value).copied().unwrap_or(0);
                    rows.push(Row { name: name(&field), eyes: eyes(bits) });
                }
            }
        }
        rows
    }

    /// Who sees anything of a stage, as names separated by spaces. Of what has not happened yet, whoever will be part of it.
    pub(crate) fn of_stage(&self, stage: &Stage<'_>, expected: &[(Party, Party)]) -> String {
        let of_messages = stage.messages.iter().map(|it| observers(it.message, self.answer(it.message)));
        let bits = if stage.messages.is_empty() {
            expected.iter().fold(0, |bits, (from, to)| bits | parties(*from, *to))
        } else {
            of_messages.fold(0, |bits, of_message| bits | of_message)
        };
        let names = OBSERVERS.iter().zip(eyes(bits)).filter(|(_, sees)| *sees);
        names.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    }

    /// The answer to a request of the browser.
    fn answer(&self, request: &Message) -> Option<&'a Message> {
        let is_asked = request.is_request() && request.is_front_channel();
        self.answers.get(&(request.span.as_str(), request.to)).filter(|_| is_asked).copied()
    }
}

/// The rules, one for each observer.
fn observers(message: &Message, answer: Option<&Message>) -> u8 {
    let mut bits = parties(message.from, message.to);
    let is_get = matches!(&message.line, Line::Request { method, .. } if method == "GET");
    // History: the address of a page that the browser opened. One that only leads on is not kept.
    let page = answer.filter(|answer| is_page(answer) && message.is_front_channel() && is_get);
    if let Some(page) = page {
        bits |= HISTORY;
        // Referer: the query of a page whose policy lets other sites know it (Referrer Policy §3).
        let policy = page.header("referrer-policy").unwrap_or_default();
        if !message.query().is_empty() && !matches!(policy, "no-referrer" | "same-origin") {
            bits |= REFERER;
        }
    }
    bits
}

/// Everything on the front channel can be tapped; each server sees what it sends and receives.
fn parties(from: Party, to: Party) -> u8 {
    [from, to].into_iter().fold(0, |bits, party| {
        bits | match party {
            Party::Browser => TAP,
            Party::Rp => RP,
            Party::Idp => IDP,
        }
    })
}

fn values(query: &str) -> impl Iterator<Item = String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(_, value)| shared::params::decode(value.as_bytes()).unwrap_or_default())
}

/// What a value is known by: itself, or, where something else stands in its place, its name.
fn identity(field: &Field) -> String {
    let stands_in = [NOT_RECORDED, CONCEALED].iter().any(|marker| field.value.contains(marker));
    if stands_in { name(field) } else { field.value.clone() }
}

fn name(field: &Field) -> String {
    match field.key.as_str() {
        "authorization_basic" => "client_secret".to_owned(),
        "authorization_bearer" => "access_token".to_owned(),
        "set_cookie" => format!("Set-Cookie: {}", field.value.split('=').next().unwrap_or_default()),
        "cookie" => "Cookie".to_owned(),
        key => key.to_owned(),
    }
}

fn eyes(bits: u8) -> Vec<bool> {
    [HISTORY, REFERER, TAP, RP, IDP].into_iter().map(|bit| bits & bit != 0).collect()
}
