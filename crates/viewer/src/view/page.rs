//! The page of one flow.

use serde::Serialize;
use shared::{
    error::ErrorCode,
    flow::{Outcome, Stage, Step, Story, Verdict},
};

use super::{
    anchor,
    detail::{Detail, details},
    family::{Family, family},
    ledger::{Ledger, ledger},
    map::{Group, groups},
    moment::{At, Took},
    sight::{self, Sight},
};

/// What the page says about a flow beside its story.
#[derive(Clone, Copy, Debug)]
pub struct FlowFacts<'a> {
    /// Its name in addresses.
    pub id: &'a str,
    /// Its number for people.
    pub number: u32,
    /// Host and port of the RP, or its origin; empty if unknown.
    pub rp: &'a str,
    /// Host and port of the IdP, or its origin; empty if unknown.
    pub idp: &'a str,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Whether the page follows what goes on.
    pub live: bool,
    /// Whether the other server's records are here too.
    pub other_half: OtherHalf,
    /// What the server's paths begin with: empty, or `/x`.
    pub base: &'a str,
}

/// What became of the records of the other server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherHalf {
    /// They are here.
    Seen,
    /// It tells of no recording: it is another make, or records nothing.
    Foreign,
    /// It does not answer.
    Unreachable,
    /// It tells this application nothing: it does not know it any more.
    Refused,
    /// These are the IdP's own pages, which show the IdP's records only.
    Own,
}

impl OtherHalf {
    /// All of them, each with its text `viewer.half.<id>`, but for the first.
    pub const ALL: [Self; 5] = [Self::Seen, Self::Foreign, Self::Unreachable, Self::Refused, Self::Own];

    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Foreign => "foreign",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Own => "own",
        }
    }
}

/// The page of one flow, for `viewer/flow.html` and `viewer/saved.html`.
#[derive(Debug, Serialize)]
pub struct FlowPage<'a> {
    id: &'a str,
    number: u32,
    base: &'a str,
    kind: &'static str,
    live: bool,
    other_half: &'static str,
    /// Where the client is.
    client: &'static str,
    rp: &'a str,
    idp: &'a str,
    outcome: Ended,
    /// Where the check stands that stopped it.
    stopped_at: Option<String>,
    began: At,
    took: Took,
    here: &'static str,
    here_number: Option<u8>,
    groups: Vec<Group>,
    ledger: Option<Ledger>,
    family: Option<Family>,
    observers: [&'static str; 5],
    details: Vec<Detail<'a>>,
}

/// A flow as one file, for `viewer/saved.html`.
#[derive(Debug, Serialize)]
pub struct SavedPage<'a> {
    flow: FlowPage<'a>,
    style: String,
    secrets: bool,
}

/// A flow as one file that needs no server. `secrets` says whether they are in it; if not, the story is one of events that
/// [`concealed`](super::concealed()) has gone over.
pub fn saved_page<'a>(story: &Story<'a>, facts: &FlowFacts<'a>, secrets: bool) -> SavedPage<'a> {
    let facts = FlowFacts { live: false, ..*facts };
    SavedPage { flow: flow_page(story, &facts), style: web::assets::stylesheet(), secrets }
}

/// How a flow ended.
#[derive(Debug, Serialize)]
pub(crate) struct Ended {
    id: &'static str,
    /// Its class among the verdicts.
    verdict: &'static str,
    rule: Option<&'static str>,
    code: Option<String>,
}

/// A code of the specifications. What else a stranger sends as one stands in its message, and nowhere else.
fn known(code: &str) -> String {
    ErrorCode::parse(code).map_or("…", ErrorCode::as_str).to_owned()
}

impl From<&Outcome> for Ended {
    fn from(outcome: &Outcome) -> Self {
        let (rule, code) = match outcome {
            Outcome::Declined(code) => (None, Some(known(code))),
            Outcome::Refused(rule, code) => (rule.map(shared::flow::Rule::id), code.as_deref().map(known)),
            _ => (None, None),
        };
        let verdict = match outcome {
            Outcome::Running => "wait",
            Outcome::SignedIn | Outcome::TokensIssued | Outcome::SignedOut => "passed",
            Outcome::Declined(_) | Outcome::Ended => "not_applicable",
            Outcome::Refused(..) => "failed",
        };
        // Who presses Cancel is told so, and not by the name of an error.
        let is_cancelled = matches!(outcome, Outcome::Declined(code) if code == "access_denied");
        let id = if is_cancelled { "cancelled" } else { outcome.id() };
        Self { id, verdict, rule, code }
    }
}

/// The page of a flow.
pub fn flow_page<'a>(story: &Story<'a>, facts: &FlowFacts<'a>) -> FlowPage<'a> {
    let sight = Sight::of(story);
    let end = if story.is_over() { story.latest } else { facts.now };
    FlowPage {
        id: facts.id,
        number: facts.number,
        base: facts.base,
        kind: if story.is_login() { "login" } else { "logout" },
        live: facts.live && !story.is_over(),
        other_half: facts.other_half.id(),
        client: story.client.id(),
        rp: host(facts.rp),
        idp: host(facts.idp),
        outcome: Ended::from(&story.outcome),
        stopped_at: stopped_at(story),
        began: At::from(story.began),
        took: Took::from(end.saturating_sub(story.began)),
        here: story.current.id(),
        here_number: story.current.step().map(Step::number),
        groups: groups(story, &sight),
        ledger: ledger(story),
        family: family(story),
        observers: sight::OBSERVERS,
        details: details(story, &sight, facts),
    }
}

fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Where the check stands that stopped a flow.
fn stopped_at(story: &Story<'_>) -> Option<String> {
    let Outcome::Refused(Some(rule), _) = story.outcome else { return None };
    let refused = |stage: &&Stage<'_>| {
        stage.checks.iter().any(|(_, check)| check.rule == rule && check.verdict == Verdict::Failed)
    };
    story.stages.iter().rfind(refused).map(|stage| anchor(stage.entry))
}
