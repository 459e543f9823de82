//! Two flows beside each other, place by place, and the first difference between them.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use shared::flow::{Entry, Message, Stage, State, Step, Story};

use super::{
    anchor,
    fields::{Field, MOST, fields},
    map::wire,
    page::{Ended, FlowFacts},
};

/// Two flows, for `viewer/compare.html`.
#[derive(Debug, Serialize)]
pub struct ComparePage<'a> {
    base: &'a str,
    a: Side<'a>,
    b: Side<'a>,
    rows: Vec<Row>,
    /// The place where they differ first.
    first: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Side<'a> {
    id: &'a str,
    number: u32,
    kind: &'static str,
    outcome: Ended,
}

/// One place of both.
#[derive(Debug, Serialize)]
struct Row {
    anchor: String,
    entry: &'static str,
    number: Option<u8>,
    a: Option<Cell>,
    b: Option<Cell>,
    differences: Vec<Difference>,
    /// How many more there are.
    more: usize,
    /// Values that are new in every flow, and so must differ.
    fresh: Vec<String>,
    first: bool,
}

#[derive(Debug, Serialize)]
struct Cell {
    state: &'static str,
    wires: Vec<String>,
}

/// Something that is not the same in both.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Difference {
    /// `state`, `messages`, `parameter` or `check`.
    kind: &'static str,
    name: String,
    /// `None` where it is absent.
    a: Option<String>,
    b: Option<String>,
}

/// What every flow makes anew: different values are as they should be.
const FRESH: [&str; 15] = [
    "state",
    "nonce",
    "code",
    "code_challenge",
    "code_verifier",
    "access_token",
    "id_token",
    "id_token_hint",
    "authorization_bearer",
    "csrf",
    "location",
    "traceparent",
    "referer",
    "retry_after",
    "keys",
];

/// What is never recorded, and depends on what the browser did before.
const OF_THE_BROWSER: [&str; 2] = ["cookie", "set_cookie"];

/// Two flows, place by place.
pub fn compare_page<'a>(
    (a, of_a): (&Story<'_>, &FlowFacts<'a>),
    (b, of_b): (&Story<'_>, &FlowFacts<'a>),
) -> ComparePage<'a> {
    let entries: BTreeSet<Entry> = [a, b].into_iter().flat_map(|it| &it.stages).map(|it| it.entry).collect();
    let mut rows: Vec<Row> =
        entries.into_iter().map(|entry| row(entry, a.stage(entry), b.stage(entry))).collect();
    rows.sort_by_key(|row| {
        let login = Entry::LOGIN.iter().position(|entry| entry.id() == row.entry);
        login.unwrap_or(Entry::LOGIN.len())
    });
    let first = rows.iter_mut().find(|row| !row.differences.is_empty());
    let first = first.map(|row| {
        row.first = true;
        row.entry
    });
    let side = |story: &Story<'_>, facts: &FlowFacts<'a>| Side {
        id: facts.id,
        number: facts.number,
        kind: if story.is_login() { "login" } else { "logout" },
        outcome: Ended::from(&story.outcome),
    };
    ComparePage { base: of_a.base, a: side(a, of_a), b: side(b, of_b), rows, first }
}

fn row(entry: Entry, a: Option<&Stage<'_>>, b: Option<&Stage<'_>>) -> Row {
    let cell = |stage: Option<&Stage<'_>>| {
        stage.map(|stage| Cell { state: state(stage), wires: messages(stage).map(wire).collect() })
    };
    let (cell_a, cell_b) = (cell(a), cell(b));
    let mut differences = Vec::new();
    let mut fresh = Vec::new();
    let told = |cell: &Option<Cell>| cell.as_ref().map(|cell| cell.state.to_owned());
    if told(&cell_a) != told(&cell_b) {
        let (a, b) = (told(&cell_a), told(&cell_b));
        differences.push(Difference { kind: "state", name: String::new(), a, b });
    }
    // Of what happened in one of them only, that is all there is to say.
    if let (Some(a), Some(b)) = (a, b)
        && happened(a) == happened(b)
    {
        let told = |cell: &Option<Cell>| cell.as_ref().map(|cell| cell.wires.join(", "));
        if told(&cell_a) != told(&cell_b) {
            let (a, b) = (told(&cell_a), told(&cell_b));
            differences.push(Difference { kind: "messages", name: String::new(), a, b });
        }
        parameters(a, b, &mut differences, &mut fresh);
        checks(a, b, &mut differences);
    }
    let more = differences.len().saturating_sub(MOST);
    differences.truncate(MOST);
    Row {
        anchor: anchor(entry),
        entry: entry.id(),
        number: entry.step().map(Step::number),
        a: cell_a,
        b: cell_b,
        differences,
        more,
        fresh,
        first: false,
    }
}

fn happened(stage: &Stage<'_>) -> bool {
    !stage.messages.is_empty() || !stage.checks.is_empty()
}

/// How far a place is. One at which nothing happened was not reached, unless it is known why.
fn state(stage: &Stage<'_>) -> &'static str {
    match stage.state {
        state @ (State::Skipped | State::Unseen) => state.id(),
        _ if !happened(stage) => "not_reached",
        state => state.id(),
    }
}

fn messages<'a>(stage: &Stage<'a>) -> impl Iterator<Item = &'a Message> {
    stage.messages.iter().map(|paired| paired.message)
}

/// The values of both, by their names. Of a name that comes more than once all values count.
fn parameters(a: &Stage<'_>, b: &Stage<'_>, differences: &mut Vec<Difference>, fresh: &mut Vec<String>) {
    let of = |stage: &Stage<'_>| -> Vec<Field> { messages(stage).flat_map(fields).collect() };
    let (of_a, of_b) = (of(a), of(b));
    let mut names: Vec<&str> = Vec::new();
    let mut values: HashMap<&str, [Vec<&str>; 2]> = HashMap::new();
    for (side, fields) in [&of_a, &of_b].into_iter().enumerate() {
        for field in fields {
            let both = values.entry(&field.key).or_insert_with(|| {
                names.push(&field.key);
                Default::default()
            });
            both[side].push(&field.value);
        }
    }
    for name in names {
        let Some([a, b]) = values.remove(name) else { continue };
        let told = |mut values: Vec<&str>| {
            values.dedup();
            (!values.is_empty()).then(|| values.join(", "))
        };
        let (a, b) = (told(a), told(b));
        if a == b {
            continue;
        }
        let is_fresh = FRESH.contains(&name);
        // A fresh value differs in every flow; that it is missing in one of them is worth a word.
        if OF_THE_BROWSER.contains(&name) || is_fresh && a.is_some() == b.is_some() {
            fresh.push(name.to_owned());
        } else {
            let shown = |value: Option<String>| value.map(|it| if is_fresh { "…".to_owned() } else { it });
            differences.push(Difference {
                kind: "parameter",
                name: name.to_owned(),
                a: shown(a),
                b: shown(b),
            });
        }
    }
}

fn checks(a: &Stage<'_>, b: &Stage<'_>, differences: &mut Vec<Difference>) {
    let verdict = |stage: &Stage<'_>, rule| {
        let found = stage.checks.iter().rev().find(|(_, check)| check.rule == rule);
        found.map(|(_, check)| check.verdict.id().to_owned())
    };
    let mut rules = Vec::new();
    for (_, check) in a.checks.iter().chain(&b.checks) {
        if !rules.contains(&check.rule) {
            rules.push(check.rule);
        }
    }
    for rule in rules {
        let (a, b) = (verdict(a, rule), verdict(b, rule));
        if a != b {
            differences.push(Difference { kind: "check", name: rule.id().to_owned(), a, b });
        }
    }
}
