//! The list of flows.

use serde::Serialize;
use shared::flow::{Outcome, State, Story};

use super::{
    moment::{At, Took},
    page::Ended,
};

/// A flow of the list.
#[derive(Debug)]
pub struct Listed<'a> {
    /// Its name in addresses.
    pub id: &'a str,
    /// Its number for people.
    pub number: u32,
    /// What happened in it.
    pub story: &'a Story<'a>,
}

/// What the list says beside its flows.
#[derive(Clone, Copy, Debug)]
pub struct ListFacts<'a> {
    /// What the server's paths begin with: empty, or `/x`.
    pub base: &'a str,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Which flows are wanted.
    pub show: Show,
    /// The flow that another is to be compared with: its name and number.
    pub with: Option<(&'a str, u32)>,
}

/// Which flows of the list are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    /// All.
    #[default]
    All,
    /// Those under way.
    Running,
    /// Those that ended well.
    Ok,
    /// Those that were refused.
    Bad,
    /// Those that somebody cancelled or gave up.
    Else,
}

impl Show {
    /// All of them, each with its text `viewer.show.<id>`.
    pub const ALL: [Self; 5] = [Self::All, Self::Running, Self::Ok, Self::Bad, Self::Else];

    /// Its name in the catalogue, and in the address as `?show=`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Bad => "bad",
            Self::Else => "else",
        }
    }

    /// The one called `id`; all, if none is.
    pub fn find(id: &str) -> Self {
        Self::ALL.into_iter().find(|show| show.id() == id).unwrap_or_default()
    }

    const fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Running => Self::Running,
            Outcome::SignedIn | Outcome::TokensIssued | Outcome::SignedOut => Self::Ok,
            Outcome::Refused(..) => Self::Bad,
            Outcome::Declined(_) | Outcome::Ended => Self::Else,
        }
    }
}

/// The list, for `viewer/list.html`.
#[derive(Debug, Serialize)]
pub struct ListPage<'a> {
    base: &'a str,
    filters: Vec<Filter>,
    rows: Vec<Row<'a>>,
    with: Option<(&'a str, u32)>,
}

#[derive(Debug, Serialize)]
struct Filter {
    id: &'static str,
    count: usize,
    current: bool,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    id: &'a str,
    number: u32,
    kind: &'static str,
    dots: Vec<&'static str>,
    reached: usize,
    total: usize,
    outcome: Ended,
    began: At,
    ago: Took,
    took: Option<Took>,
}

/// The list of `flows`, the newest first.
pub fn list_page<'a>(flows: &[Listed<'a>], facts: &ListFacts<'a>) -> ListPage<'a> {
    let is_shown = |show: Show, flow: &Listed<'_>| show == Show::All || Show::of(&flow.story.outcome) == show;
    let filters = Show::ALL.into_iter().map(|show| Filter {
        id: show.id(),
        count: flows.iter().filter(|flow| is_shown(show, flow)).count(),
        current: show == facts.show,
    });
    let mut shown: Vec<_> = flows.iter().filter(|flow| is_shown(facts.show, flow)).collect();
    shown.sort_by_key(|flow| std::cmp::Reverse((flow.story.began, flow.number)));
    ListPage {
        base: facts.base,
        filters: filters.collect(),
        rows: shown.into_iter().map(|flow| row(flow, facts.now)).collect(),
        with: facts.with,
    }
}

fn row<'a>(flow: &Listed<'a>, now: i64) -> Row<'a> {
    let story = flow.story;
    let states: Vec<State> = story.steps().map(|stage| stage.state).collect();
    Row {
        id: flow.id,
        number: flow.number,
        kind: if story.is_login() { "login" } else { "logout" },
        reached: states.iter().rposition(|state| *state != State::Todo).map_or(0, |at| at + 1),
        total: states.len(),
        dots: states.into_iter().map(State::id).collect(),
        outcome: Ended::from(&story.outcome),
        began: At::from(story.began),
        ago: Took::from(now.saturating_sub(story.began)),
        took: story.is_over().then(|| Took::from(story.latest.saturating_sub(story.began))),
    }
}
