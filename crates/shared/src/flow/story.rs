//! The story that recorded events tell: how far the flow has come, what happened at each step, and how it ended. It is
//! made of what was recorded and of nothing else, above all not of where a visitor clicked.

mod foresight;
mod order;
mod outcome;

use std::{cmp::Ordering, collections::HashMap};

pub use foresight::Came;
use order::merged;
pub use outcome::Outcome;

use super::{Check, Entry, Event, Exchange, Life, Message, Party, Recorded, Release, Rule, Step, Verdict};

/// The story of one flow.
#[derive(Clone, Debug)]
pub struct Story<'a> {
    /// Its places in their order.
    pub stages: Vec<Stage<'a>>,
    /// The place that it has come to.
    pub current: Entry,
    /// How it ended, if it has.
    pub outcome: Outcome,
    /// Where the client is: at its server, or a script in the browser.
    pub client: Party,
    /// When it began and when something happened last, in milliseconds since 1970-01-01T00:00:00Z.
    pub began: i64,
    /// See [`Story::began`].
    pub latest: i64,
    /// What it is made of, in its order.
    events: Vec<&'a Recorded>,
}

/// What happened at one place.
#[derive(Clone, Debug)]
pub struct Stage<'a> {
    /// The place.
    pub entry: Entry,
    /// How far it is.
    pub state: State,
    /// The messages.
    pub messages: Vec<Paired<'a>>,
    /// The checks, and who made them.
    pub checks: Vec<(Party, &'a Check)>,
    /// What happened to values, and where.
    pub lives: Vec<(Party, Life)>,
    /// What was done with messages that were held.
    pub releases: Vec<Handled<'a>>,
    /// Who recorded the latest message, within what, and whether a check has failed within the same since.
    latest: HashMap<Party, (&'a str, bool)>,
}

/// What was done with a message that was held.
#[derive(Clone, Copy, Debug)]
pub struct Handled<'a> {
    /// Where it was held.
    pub by: Party,
    /// The request that was being answered meanwhile, or the deed that it was part of.
    pub within: &'a str,
    /// What was done.
    pub release: &'a Release,
}

/// A message, with the record of the other side if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Paired<'a> {
    /// The message as its sender recorded it, or the only record.
    pub message: &'a Message,
    /// When that was.
    pub at: i64,
    /// Who recorded it.
    pub by: Party,
    /// The same message as the other server recorded it, and when.
    pub other: Option<(&'a Message, i64)>,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is over.
    Done,
    /// It is under way.
    Now,
    /// It is yet to come.
    Todo,
    /// It is where the flow was stopped.
    Failed,
    /// Beside the ten steps: what was asked for last was refused, and the flow stands.
    Refused,
    /// The flow went past it: nobody was to be asked.
    Skipped,
    /// It happened where nothing is recorded.
    Unseen,
}

impl State {
    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Todo => "todo",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Skipped => "skipped",
            Self::Unseen => "unseen",
        }
    }
}

impl<'a> Story<'a> {
    /// Tells the story of `events`, which both servers recorded, each in its own order. A flow in which nothing happens
    /// for `patience` milliseconds has ended at `now`.
    pub fn tell(events: &'a [Recorded], now: i64, patience: i64) -> Self {
        Self::of(merged(events), now, patience)
    }

    fn of(events: Vec<&'a Recorded>, now: i64, patience: i64) -> Self {
        let reached = reached(&events);
        let exchanges = exchanges(&events);
        let is_login = !events.first().is_some_and(|it| begins_logout(it));
        let places: &[Entry] = if is_login { &Entry::LOGIN } else { &Entry::LOGOUT };
        let mut stages: Vec<Stage<'a>> = places.iter().map(|entry| Stage::empty(*entry)).collect();
        let mut current = places[0];
        for it in &events {
            let entry = place(it, &exchanges, &reached);
            let Some(stage) = stages.iter_mut().find(|stage| stage.entry == entry) else { continue };
            match &it.event {
                Event::Message(message) => stage.take(it, message),
                Event::Check(check) => stage.judged(it, check),
                Event::Life(life) => stage.lives.push((it.by, *life)),
                Event::Release(release) => {
                    stage.releases.push(Handled { by: it.by, within: &it.within, release });
                }
            }
            // What happens beside the ten steps moves nothing on.
            if !matches!(it.event, Event::Life(_)) && (!is_login || entry.step().is_some()) && current < entry
            {
                current = entry;
            }
        }
        let (began, latest) = (events.first().map_or(now, |it| it.at), events.last().map_or(now, |it| it.at));
        let silent = if now.saturating_sub(latest) < patience { Outcome::Running } else { Outcome::Ended };
        let outcome = outcome::of(&events, is_login).unwrap_or(silent);
        let seen_by = |party| events.iter().any(|it| it.by == party);
        let (client_seen, idp) = (seen_by(Party::Rp) || seen_by(Party::Browser), seen_by(Party::Idp));
        let client = if events.iter().any(|it| is_of_a_script(it)) { Party::Browser } else { Party::Rp };
        for stage in &mut stages {
            let is_seen = if stage.belongs_to_client() { client_seen } else { idp };
            stage.state = stage.judge(current, &outcome, is_seen);
            // Nothing goes over the wire when somebody presses a button of a script.
            let is_press = matches!(stage.entry, Entry::Step(Step::Click) | Entry::Logout);
            if is_press && client == Party::Browser && stage.entry < current {
                stage.state = State::Done;
            }
        }
        stages.retain(|stage| stage.entry.step().is_some() || !is_login || !stage.messages.is_empty());
        Self { stages, current, outcome, client, began, latest, events }
    }

    /// The part of the story that is one deed of the RP after the login: what it recorded within `deed`, and what the IdP
    /// recorded of that. A flow has many deeds, and each begins anew.
    #[must_use]
    pub fn of_deed(&self, deed: &str) -> Self {
        let is_of_rp = |it: &&&Recorded| it.by == Party::Rp && it.within == deed;
        let asked = self.events.iter().filter(is_of_rp).filter_map(|it| match &it.event {
            Event::Message(message) => Some(message.span.as_str()),
            _ => None,
        });
        let asked: Vec<_> = asked.collect();
        let is_part =
            |it: &&&Recorded| is_of_rp(it) || it.by == Party::Idp && asked.contains(&it.within.as_str());
        Self::of(self.events.iter().filter(is_part).copied().collect(), self.latest, i64::MAX)
    }

    /// The ten steps, or the places of a logout, with how far each is.
    pub fn steps(&self) -> impl Iterator<Item = &Stage<'a>> {
        let is_login = self.is_login();
        self.stages.iter().filter(move |stage| !is_login || stage.entry.step().is_some())
    }

    /// Whether it is a login, or else a logout.
    pub fn is_login(&self) -> bool {
        self.stages.iter().any(|stage| stage.entry.step().is_some())
    }

    /// Whether nothing more is to come.
    pub fn is_over(&self) -> bool {
        self.outcome != Outcome::Running
    }

    /// The stage at `entry`, if it has one.
    pub fn stage(&self, entry: Entry) -> Option<&Stage<'a>> {
        self.stages.iter().find(|stage| stage.entry == entry)
    }
}

impl<'a> Stage<'a> {
    fn empty(entry: Entry) -> Self {
        Self {
            entry,
            state: State::Todo,
            messages: Vec::new(),
            checks: Vec::new(),
            lives: Vec::new(),
            releases: Vec::new(),
            latest: HashMap::new(),
        }
    }

    /// Adds a message. The record of the side that sent it comes first.
    fn take(&mut self, it: &'a Recorded, message: &'a Message) {
        let latest = self.latest.entry(it.by).or_insert((&it.within, false));
        if latest.0 != it.within {
            *latest = (&it.within, false);
        }
        let same = |known: &&mut Paired<'a>| {
            known.by != it.by
                && known.other.is_none()
                && (known.message.span == message.span || is_navigation(known.message, message))
                && known.message.is_request() == message.is_request()
        };
        match self.messages.iter_mut().find(same) {
            Some(known) if message.from == it.by => {
                known.other = Some((known.message, known.at));
                (known.message, known.at, known.by) = (message, it.at, it.by);
            }
            Some(known) => known.other = Some((message, it.at)),
            None => self.messages.push(Paired { message, at: it.at, by: it.by, other: None }),
        }
    }

    /// Adds a check.
    fn judged(&mut self, it: &'a Recorded, check: &'a Check) {
        self.checks.push((it.by, check));
        if let Some((within, has_failed)) = self.latest.get_mut(&it.by) {
            *has_failed |= *within == it.within && check.verdict == Verdict::Failed;
        }
    }

    fn judge(&self, current: Entry, outcome: &Outcome, is_seen: bool) -> State {
        let is_empty = self.messages.is_empty() && self.checks.is_empty();
        match self.entry.cmp(&current) {
            Ordering::Equal => match outcome {
                Outcome::Running => State::Now,
                Outcome::Declined(_) | Outcome::Refused(..) => State::Failed,
                _ => State::Done,
            },
            _ if self.entry.step().is_none() && self.was_refused() => State::Refused,
            _ if !is_empty => State::Done,
            Ordering::Greater if *outcome == Outcome::TokensIssued => State::Unseen,
            Ordering::Greater => State::Todo,
            Ordering::Less if !is_seen => State::Unseen,
            Ordering::Less => State::Skipped,
        }
    }

    /// Whether the last answer was an error, or a check failed of what was asked last: not every refusal is an error, such as
    /// what is told of a token that is good for nothing.
    fn was_refused(&self) -> bool {
        let mut answers = self.messages.iter().filter_map(|it| it.message.status());
        answers.next_back().is_some_and(|status| status >= 400)
            || self.latest.values().any(|(_, has_failed)| *has_failed)
    }

    const fn belongs_to_client(&self) -> bool {
        matches!(self.entry, Entry::Step(Step::Click | Step::Callback | Step::Validation) | Entry::Logout)
    }
}

/// Whether both are the request with which a script sent its browser away: no header names it, but its address is like no
/// other.
fn is_navigation(one: &Message, other: &Message) -> bool {
    let goes = matches!(one.exchange, Exchange::Authorize | Exchange::EndSession);
    goes && one.is_request() && one.exchange == other.exchange && one.line == other.line
}

/// Whether the client itself speaks with the IdP in it, from within the browser.
fn is_of_a_script(it: &Recorded) -> bool {
    let speaks = |message: &Message| {
        let is_own = matches!(message.exchange, Exchange::Token | Exchange::Refresh | Exchange::Userinfo);
        is_own && message.is_front_channel()
    };
    it.by == Party::Browser || matches!(&it.event, Event::Message(message) if speaks(message))
}

/// The exchange of which each request is, by who answered it and its span. What a client does with tokens later, and what a
/// script does at all, is a request of nobody, and goes by what it asks.
fn exchanges<'a>(events: &[&'a Recorded]) -> HashMap<(Party, &'a str), Exchange> {
    let later = |exchange| {
        matches!(
            exchange,
            Exchange::Refresh
                | Exchange::Api
                | Exchange::Introspect
                | Exchange::Revoke
                | Exchange::LogoutDone
        )
    };
    let requests = events.iter().filter_map(|it| match &it.event {
        Event::Message(message) if message.is_request() && message.to == it.by => {
            Some(((it.by, message.span.as_str()), message.exchange))
        }
        Event::Message(message) if message.is_request() && later(message.exchange) => {
            Some(((it.by, it.within.as_str()), message.exchange))
        }
        _ => None,
    });
    requests.collect()
}

/// The last step that each request to the RP's callback went through.
fn reached<'a>(events: &[&'a Recorded]) -> HashMap<&'a str, Step> {
    let mut reached = HashMap::new();
    for it in events.iter().filter(|it| it.by == Party::Rp) {
        let step = match &it.event {
            Event::Check(check) => check.rule.step(),
            Event::Message(message) if message.exchange != Exchange::Callback => {
                Entry::of(message, Step::Callback).step()
            }
            _ => None,
        };
        if let Some(step) = step {
            let latest = reached.entry(it.within.as_str()).or_insert(step);
            *latest = step.max(*latest);
        }
    }
    reached
}

fn place(
    it: &Recorded,
    exchanges: &HashMap<(Party, &str), Exchange>,
    reached: &HashMap<&str, Step>,
) -> Entry {
    let check = match &it.event {
        Event::Message(message) => {
            let step = reached.get(it.within.as_str()).copied();
            return Entry::of(message, step.unwrap_or(Step::Callback));
        }
        Event::Release(release) => return release.pause.entry(),
        Event::Life(life) => {
            // What becomes of tokens after the ten steps is told where it happens.
            return match exchanges.get(&(it.by, it.within.as_str())) {
                Some(Exchange::Refresh) => Entry::Refresh,
                Some(Exchange::Revoke) => Entry::Revocation,
                _ => Entry::Step(life.step),
            };
        }
        Event::Check(check) => check,
    };
    match exchanges.get(&(it.by, it.within.as_str())) {
        _ if check.rule == Rule::IssuerDiscovered => Entry::Discovery,
        _ if check.rule == Rule::UserinfoSubject => Entry::Userinfo,
        Some(Exchange::Userinfo) => Entry::Userinfo,
        Some(Exchange::Refresh) => Entry::Refresh,
        Some(Exchange::Api) => Entry::Api,
        Some(Exchange::Introspect) => Entry::Introspection,
        Some(Exchange::Revoke) => Entry::Revocation,
        Some(Exchange::Push) => Entry::Push,
        Some(Exchange::Authorize) => Entry::Step(Step::AuthorizationRequest),
        Some(Exchange::AccountPage | Exchange::AccountChoice | Exchange::LoginPage) => {
            Entry::Step(Step::LoginPage)
        }
        Some(Exchange::Password) => Entry::Step(Step::Password),
        Some(Exchange::ConsentPage | Exchange::Decision) => Entry::Step(Step::Consent),
        Some(Exchange::Token) => Entry::Step(Step::TokenRequest),
        Some(Exchange::EndSession | Exchange::SignOut) => Entry::EndSession,
        Some(Exchange::LogoutDone) => Entry::LogoutDone,
        _ => check.rule.step().map_or(Entry::Logout, Entry::Step),
    }
}

fn begins_logout(it: &Recorded) -> bool {
    matches!(&it.event, Event::Message(message) if matches!(
        message.exchange,
        Exchange::Logout | Exchange::EndSession | Exchange::SignOut | Exchange::LogoutDone
    ))
}

#[cfg(test)]
mod tests;
