//! Everything about one place of a flow: its messages, parameters, tokens, checks, and what becomes of its values.

use serde::Serialize;
use shared::{
    error::ErrorCode,
    flow::{Check, Entry, Outcome, Paired, Party, Stage, Step, Story, Verdict},
};

use super::{
    anchor,
    curl::{Curl, curl},
    fields::{Field, fields, first_fields},
    map,
    moment::{At, Took},
    page::FlowFacts,
    parameters::{self, Row},
    proof,
    releases::{Released, in_a_word, releases},
    sight::{self, Sight},
    token::{self, Document, Token},
    wire::{self, Likeness, Record},
};

/// Everything about one place.
#[derive(Debug, Serialize)]
pub(super) struct Detail<'a> {
    anchor: String,
    entry: &'static str,
    number: Option<u8>,
    state: &'static str,
    here: bool,
    channel: &'static str,
    from: &'static str,
    to: &'static str,
    began: Option<At>,
    took: Option<Took>,
    before: Option<Beside>,
    after: Option<Beside>,
    /// How the client proved who it is.
    proof: Option<&'static str>,
    messages: Vec<Shown>,
    parameters: Vec<Row>,
    more_parameters: usize,
    tokens: Vec<Token>,
    documents: Vec<Document>,
    checks: Vec<Checked<'a>>,
    checks_made: usize,
    passed: usize,
    failed: usize,
    not_applicable: usize,
    error: Option<Refusal>,
    sight: Vec<sight::Row>,
    lives: Vec<Moment>,
    releases: Vec<Released<'a>>,
    /// What they are in a word.
    released: &'static str,
}

/// The place before or after.
#[derive(Clone, Debug, Serialize)]
struct Beside {
    anchor: String,
    entry: &'static str,
    number: Option<u8>,
}

/// A message.
#[derive(Debug, Serialize)]
struct Shown {
    exchange: &'static str,
    kind: &'static str,
    from: &'static str,
    to: &'static str,
    at: At,
    back: bool,
    sent: Record,
    received: Option<Record>,
    received_at: Option<At>,
    /// How long it was under way.
    under_way: Option<Took>,
    likeness: Option<Likeness>,
    curl: Option<Curl>,
}

/// The checks that one side made.
#[derive(Debug, Serialize)]
struct Checked<'a> {
    house: &'static str,
    made: Vec<Judged<'a>>,
}

/// A check, as the component `check` wants it.
#[derive(Debug, Serialize)]
struct Judged<'a> {
    rule: &'static str,
    step: Option<Step>,
    section: &'static str,
    verdict: &'static str,
    expected: &'a shared::flow::Shown<'static>,
    actual: &'a shared::flow::Shown<'static>,
}

/// An error code of the protocol in a message.
#[derive(Debug, Serialize)]
struct Refusal {
    code: String,
    /// The code, or `other`.
    text: &'static str,
    description: Option<String>,
}

/// What happens to a value.
#[derive(Debug, Serialize)]
struct Moment {
    house: &'static str,
    value: &'static str,
    turn: &'static str,
}

/// All places of a flow, in its order.
pub(super) fn details<'a>(story: &Story<'a>, sight: &Sight, facts: &FlowFacts<'_>) -> Vec<Detail<'a>> {
    let beside = |at: Option<usize>| {
        let entry = story.stages.get(at?)?.entry;
        Some(Beside { anchor: anchor(entry), entry: entry.id(), number: entry.step().map(Step::number) })
    };
    let details = story.stages.iter().enumerate().map(|(at, stage)| Detail {
        before: beside(at.checked_sub(1)),
        after: beside(Some(at + 1)),
        here: stage.entry == story.current,
        sight: sight.rows(stage),
        releases: releases(story, stage),
        released: in_a_word(stage),
        error: refusal_of(story, stage),
        ..detail(stage, story.client, facts)
    });
    details.collect()
}

fn detail<'a>(stage: &Stage<'a>, client: Party, facts: &FlowFacts<'_>) -> Detail<'a> {
    let entry = stage.entry;
    let all: Vec<Field> = stage.messages.iter().flat_map(|paired| first_fields(paired.message).0).collect();
    let (parameters, more_parameters) = parameters::rows(entry, client, &stage.messages);
    let (from, to) = map::route(entry, client);
    let times = stage.messages.iter().flat_map(|it| [Some(it.at), it.other.map(|(_, at)| at)]).flatten();
    let (first, last) = (times.clone().min(), times.max());
    Detail {
        anchor: anchor(entry),
        entry: entry.id(),
        number: entry.step().map(Step::number),
        state: stage.state.id(),
        here: false,
        channel: map::channel(entry, client),
        from: from.id(),
        to: to.id(),
        began: first.map(At::from),
        took: first
            .zip(last)
            .filter(|(first, last)| first < last)
            .map(|(first, last)| Took::from(last.saturating_sub(first))),
        before: None,
        after: None,
        proof: stage.messages.iter().find_map(|paired| proof::method(paired.message)),
        messages: stage.messages.iter().map(|paired| shown(paired, facts)).collect(),
        parameters,
        more_parameters,
        tokens: token::tokens(&all),
        documents: stage.messages.iter().filter_map(|paired| token::document(paired.message)).collect(),
        checks: checked(stage),
        checks_made: stage.checks.len(),
        passed: map::count(stage, Verdict::Passed),
        failed: map::count(stage, Verdict::Failed),
        not_applicable: map::count(stage, Verdict::NotApplicable),
        error: None,
        sight: Vec::new(),
        releases: Vec::new(),
        released: "",
        lives: stage
            .lives
            .iter()
            .map(|(by, life)| Moment { house: by.id(), value: life.value.id(), turn: life.turn.id() })
            .collect(),
    }
}

fn shown(paired: &Paired<'_>, facts: &FlowFacts<'_>) -> Shown {
    let message = paired.message;
    let server = if message.to == Party::Rp { facts.rp } else { facts.idp };
    let origin = match server {
        "" => format!("http://{}", message.header("host").unwrap_or("127.0.0.1")),
        _ if server.contains("://") => server.to_owned(),
        _ => format!("http://{server}"),
    };
    let (sent, received, likeness) = match paired.other {
        Some((other, _)) => {
            let other_by = if paired.by == message.from { message.to } else { message.from };
            let (sent, received, likeness) = wire::twins((message, paired.by.id()), (other, other_by.id()));
            (sent, Some(received), Some(likeness))
        }
        None => (wire::record(message, paired.by.id()), None, None),
    };
    let received_at = paired.other.map(|(_, at)| at);
    Shown {
        exchange: message.exchange.id(),
        kind: if message.is_request() { "request" } else { "response" },
        from: message.from.id(),
        to: message.to.id(),
        at: At::from(paired.at),
        back: !message.is_front_channel(),
        sent,
        received,
        received_at: received_at.map(At::from),
        under_way: received_at.map(|at| Took::from(at.saturating_sub(paired.at))),
        likeness,
        curl: curl(message, &origin),
    }
}

fn checked<'a>(stage: &Stage<'a>) -> Vec<Checked<'a>> {
    let of = |party: Party| {
        let made = stage.checks.iter().filter(|(by, _)| *by == party).map(|(_, check)| judged(check));
        Checked { house: party.id(), made: made.collect() }
    };
    [Party::Rp, Party::Browser, Party::Idp]
        .into_iter()
        .map(of)
        .filter(|checked| !checked.made.is_empty())
        .collect()
}

fn judged(check: &Check) -> Judged<'_> {
    Judged {
        rule: check.rule.id(),
        step: check.rule.step(),
        section: check.rule.section(),
        verdict: check.verdict.id(),
        expected: &check.expected,
        actual: &check.actual,
    }
}

/// The error that a message carries, and where the flow ended because of it.
fn refusal_of(story: &Story<'_>, stage: &Stage<'_>) -> Option<Refusal> {
    const PLACES: [Entry; 8] = [
        Entry::Step(Step::Redirect),
        Entry::Step(Step::TokenResponse),
        Entry::Userinfo,
        Entry::Refresh,
        Entry::Api,
        Entry::Introspection,
        Entry::Revocation,
        Entry::EndSession,
    ];
    let known = |code: &str| ErrorCode::ALL.into_iter().map(ErrorCode::as_str).find(|known| *known == code);
    let refusal =
        |code: String, description| Refusal { text: known(&code).unwrap_or("other"), description, code };
    let mut all = stage.messages.iter().flat_map(|paired| fields(paired.message));
    let mut value = |name: &str| all.find(|field| field.key == name).map(|field| field.value);
    if PLACES.contains(&stage.entry)
        && let Some(code) = value("error")
    {
        // Somebody else may have written it, so that it is shown as theirs.
        return Some(refusal(code, value("error_description")));
    }
    match &story.outcome {
        Outcome::Declined(code) if stage.entry == story.current => Some(refusal(code.clone(), None)),
        _ => None,
    }
}
