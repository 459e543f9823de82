//! The page of a held message: what it is, what can be done with it, for how long things stay good, and what came of the
//! message before.

use std::time::Duration;

use serde::Serialize;
use shared::{
    flow::{Happened, Loss, Part, Party, Pause, Story},
    params::Params,
};

use super::{
    draft::{Draft, decoded, pretty, taken_apart},
    form::{Mistake, shown_header},
    store::Seen,
    told::{Told, heard, told},
};
use crate::view::{Place, anchor, fields, made};

/// How much of a body can be edited in a form, in bytes: the form has 64 KiB at most, and its text is encoded.
const LONGEST_BODY: usize = 16 * 1024;
/// Rows for what is to be added.
const EMPTY_ROWS: usize = 2;

/// For how long what a flow is made of stays good: what is left, of how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// The authorization code.
    pub code: Option<(Duration, Duration)>,
    /// The request that waits at the IdP.
    pub request: Option<(Duration, Duration)>,
    /// The login attempt at the RP.
    pub login: Option<(Duration, Duration)>,
}

/// What was typed into a form that cannot be sent.
#[derive(Clone, Copy)]
pub(super) struct Typed<'a> {
    pub(super) mistake: Mistake,
    pub(super) params: &'a Params,
}

/// A page that says where a login is, for `viewer/pause_over.html`: where it goes on, or what was dropped.
#[derive(Debug, Serialize)]
pub(super) struct Word {
    pub(super) what: &'static str,
    pub(super) goes_on: bool,
}

/// For `viewer/pause.html`.
#[derive(Debug, Serialize)]
pub(super) struct PausePage<'a> {
    base: &'a str,
    flow: &'a str,
    csrf: &'a str,
    turn: u32,
    pause: &'static str,
    /// Where it stands in the page of its flow.
    anchor: String,
    house: &'static str,
    gate: Gate,
    /// `front`, `back` or `inside`.
    channel: &'static str,
    method: &'a str,
    address: String,
    /// Whether the address can be edited.
    free: bool,
    params: Option<Table>,
    headers: Option<Table>,
    answer: Option<Answer>,
    token: Option<Token>,
    drops: Option<&'static str>,
    repeats: bool,
    outcomes: Vec<&'static str>,
    guess: Option<String>,
    mistake: Option<&'static str>,
    clocks: Vec<Clock>,
    told: Option<Told<'a>>,
    /// Whether the clock can be put forward.
    travels: bool,
}

/// The picture on top: from whom, to whom, what.
#[derive(Debug, Serialize)]
struct Gate {
    from: &'static str,
    to: Option<&'static str>,
    wire: String,
}

/// Names and values.
#[derive(Debug, Serialize)]
struct Table {
    rows: Vec<Row>,
    raw: String,
    is_raw: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    value: String,
    /// Who made it, in which step.
    made: Option<Place>,
    registered: bool,
}

#[derive(Debug, Serialize)]
struct Answer {
    status: String,
    /// `None` where it is too long for a form.
    body: Option<String>,
    length: usize,
}

/// A token in its parts; `header` and `payload` are empty where it has none that can be read.
#[derive(Debug, Serialize)]
struct Token {
    header: String,
    payload: String,
    readable: bool,
    /// It is too long to be edited in a form.
    long: bool,
    raw: String,
    is_raw: bool,
    sign: String,
    embeds: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Clock {
    what: &'static str,
    left: u64,
    of: u64,
    minutes: u64,
    seconds: u64,
}

/// What a page is about.
pub(super) struct Facts<'a> {
    pub(super) base: &'a str,
    pub(super) flow: &'a str,
    pub(super) seen: &'a Seen,
    pub(super) pause: Pause,
    pub(super) draft: &'a Draft,
    pub(super) validity: Validity,
    pub(super) travels: bool,
}

/// The page. With `typed` it shows again what cannot be sent.
pub(super) fn page<'a>(
    facts: &Facts<'a>,
    story: Option<&Story<'a>>,
    typed: Option<Typed<'_>>,
) -> PausePage<'a> {
    let Facts { base, flow, seen, pause, draft, validity, travels } = *facts;
    let verbs = pause.verbs();
    let edits = |part| verbs.edits.contains(&part);
    PausePage {
        base,
        flow,
        csrf: &seen.csrf,
        turn: seen.turn,
        pause: pause.id(),
        anchor: anchor(pause.entry()),
        house: pause.by().id(),
        gate: gate(pause, draft),
        channel: channel(pause),
        method: &draft.method,
        address: field(typed, "address").map_or_else(|| draft.address.clone(), ToOwned::to_owned),
        free: edits(Part::Address),
        params: edits(Part::Parameters).then(|| params(draft, typed)),
        headers: edits(Part::Headers).then(|| headers(draft, typed)),
        answer: edits(Part::Body).then(|| answer(draft, typed)),
        token: edits(Part::Token).then(|| token(draft, typed)),
        drops: verbs.drops.map(|loss| match loss {
            Loss::Request => "request",
            Loss::Answer => "answer",
        }),
        repeats: verbs.repeats,
        outcomes: pause.outcomes().into_iter().flatten().map(Happened::id).collect(),
        guess: field(typed, "guess").map(ToOwned::to_owned),
        mistake: typed.map(|typed| typed.mistake.id()),
        clocks: clocks(pause, seen, validity),
        told: story
            .zip(seen.latest)
            .and_then(|(story, (latest, _))| told(story, latest, heard(pause, draft))),
        travels,
    }
}

/// What was typed into the field `wanted`, if the form is shown again.
fn field<'a>(typed: Option<Typed<'a>>, wanted: &str) -> Option<&'a str> {
    typed?.params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

fn is_raw(typed: Option<Typed<'_>>, part: &str) -> bool {
    field(typed, &format!("{part}.as")) == Some("raw")
}

/// How it travels.
const fn channel(pause: Pause) -> &'static str {
    match pause {
        Pause::AuthorizationRequest | Pause::LoginPage | Pause::AuthorizationResponse | Pause::Callback => {
            "front"
        }
        Pause::Validation | Pause::RefreshedToken => "inside",
        _ => "back",
    }
}

fn gate(pause: Pause, draft: &Draft) -> Gate {
    let path = || {
        let path = draft.address.split_once("://").map_or(draft.address.as_str(), |(_, rest)| rest);
        path.find('/').map_or_else(|| "/".to_owned(), |at| path[at..].to_owned())
    };
    let request = || format!("{} {}", draft.method, path());
    let (from, to, wire) = match pause {
        Pause::AuthorizationRequest
        | Pause::TokenRequest
        | Pause::UserinfoRequest
        | Pause::RefreshRequest
        | Pause::RevocationRequest
        | Pause::IntrospectionRequest
        | Pause::ApiRequest => ("rp", Some("idp"), request()),
        Pause::LoginPage => ("idp", Some("web"), "303".to_owned()),
        Pause::AuthorizationResponse if draft.method == "POST" => ("idp", Some("rp"), request()),
        Pause::AuthorizationResponse => ("idp", Some("rp"), "303".to_owned()),
        Pause::Callback => ("web", Some("rp"), request()),
        Pause::TokenResponse
        | Pause::UserinfoResponse
        | Pause::RefreshResponse
        | Pause::RevocationResponse
        | Pause::IntrospectionResponse
        | Pause::ApiResponse => ("idp", Some("rp"), draft.status.to_string()),
        Pause::Validation | Pause::RefreshedToken => ("rp", None, "id_token".to_owned()),
    };
    Gate { from, to, wire }
}

/// The pairs with rows for more behind them; after a mistake as they were typed.
fn table(
    pairs: Vec<(String, String)>,
    raw: String,
    typed: Option<Typed<'_>>,
    (prefix, part): (&str, &str),
    fact: impl Fn(&str, &str) -> (Option<Place>, bool),
) -> Table {
    let typed_rows: Vec<(String, String)> = (0..)
        .map_while(|at| {
            let name = field(typed, &format!("{prefix}{at}.name"))?;
            let value = field(typed, &format!("{prefix}{at}.value")).unwrap_or_default();
            Some((name.to_owned(), value.to_owned()))
        })
        .collect();
    let mut pairs = if typed_rows.is_empty() { pairs } else { typed_rows };
    while pairs.iter().rev().take_while(|(name, value)| name.is_empty() && value.is_empty()).count()
        < EMPTY_ROWS
    {
        pairs.push(Default::default());
    }
    let rows = pairs.into_iter().map(|(name, value)| {
        let (made, registered) = fact(&name, &value);
        Row { name, value, made, registered }
    });
    let raw = field(typed, &format!("{part}.raw")).map_or(raw, ToOwned::to_owned);
    Table { rows: rows.collect(), raw, is_raw: is_raw(typed, part) }
}

fn params(draft: &Draft, typed: Option<Typed<'_>>) -> Table {
    let fact = |name: &str, _: &str| made(name);
    table(decoded(&draft.params), draft.params.clone(), typed, ("param", "params"), fact)
}

fn headers(draft: &Draft, typed: Option<Typed<'_>>) -> Table {
    let shown = draft.headers.iter().map(|(name, value)| (name.clone(), shown_header(name, value)));
    let raw: Vec<_> = draft.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let fact = |name: &str, value: &str| made(&fields::header_key(name, value));
    table(shown.collect(), raw.join("\n"), typed, ("header", "headers"), fact)
}

fn answer(draft: &Draft, typed: Option<Typed<'_>>) -> Answer {
    let status = field(typed, "status").map_or_else(|| draft.status.to_string(), ToOwned::to_owned);
    // JSON on many lines is easier to change; a body that is not touched stays as it was.
    let shown = || pretty(&draft.body).unwrap_or_else(|| draft.body.clone());
    let body = field(typed, "body").map_or_else(shown, ToOwned::to_owned);
    let length = draft.body.len();
    Answer { status, body: (length <= LONGEST_BODY).then_some(body), length }
}

fn token(draft: &Draft, typed: Option<Typed<'_>>) -> Token {
    let parts = taken_apart(&draft.token);
    let pretty = |json: &str| pretty(json).unwrap_or_default();
    let (header, payload) =
        parts.as_ref().map(|(header, payload, _)| (pretty(header), pretty(payload))).unwrap_or_default();
    let or = |name: &str, text: String| field(typed, name).map_or(text, ToOwned::to_owned);
    Token {
        header: or("token.header", header),
        payload: or("token.payload", payload),
        readable: parts.is_some(),
        long: draft.token.len() > LONGEST_BODY,
        raw: or("token.raw", draft.token.clone()),
        is_raw: is_raw(typed, "token") || parts.is_none(),
        sign: or("sign", "kept".to_owned()),
        embeds: typed
            .map(|typed| typed.params.all("embed").map(ToOwned::to_owned).collect())
            .unwrap_or_default(),
    }
}

fn clocks(pause: Pause, seen: &Seen, validity: Validity) -> Vec<Clock> {
    let at_rp = pause.by() == Party::Rp;
    let own = validity.login.map(|(_, of)| (seen.left, of)).filter(|_| at_rp);
    let name = if pause.is_afterwards() { "deed" } else { "login" };
    let is_used = pause.is_afterwards()
        || matches!(
            pause,
            Pause::TokenResponse | Pause::Validation | Pause::UserinfoRequest | Pause::UserinfoResponse
        );
    let code = validity.code.filter(|_| !is_used);
    let request = validity.request.filter(|_| pause == Pause::LoginPage);
    let all = [("code", code), ("request", request), (name, own)];
    let clocks = all.into_iter().filter_map(|(what, span)| {
        let (left, of) = span?;
        let left = left.as_secs();
        Some(Clock { what, left, of: of.as_secs(), minutes: left / 60, seconds: left % 60 })
    });
    clocks.collect()
}
