//! The story that recorded events tell: how far the flow has come, what happened at each step, and how it ended. It is
//! made of what was recorded and of nothing else, above all not of where a visitor clicked.

use std::{cmp::Ordering, collections::HashMap};

use super::{
    Check, Entry, Event, Exchange, Life, Message, Party, Recorded, Rule, Step, Turn, Value, Verdict,
};
use crate::params::Params;

/// The story of one flow.
#[derive(Clone, Debug)]
pub struct Story<'a> {
    /// Its places in their order.
    pub stages: Vec<Stage<'a>>,
    /// The place that it has come to.
    pub current: Entry,
    /// How it ended, if it has.
    pub outcome: Outcome,
    /// When it began and when something happened last, in milliseconds since 1970-01-01T00:00:00Z.
    pub began: i64,
    /// See [`Story::began`].
    pub latest: i64,
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
            Self::Skipped => "skipped",
            Self::Unseen => "unseen",
        }
    }
}

/// How a flow ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not.
    Running,
    /// The RP started its session.
    SignedIn,
    /// The IdP gave tokens away; what the RP made of them is not recorded.
    TokensIssued,
    /// The user is signed out.
    SignedOut,
    /// The IdP sent an error instead of a code.
    Declined(String),
    /// It was refused, by this check if it was one, with this error code if one was sent.
    Refused(Option<Rule>, Option<String>),
    /// It was given up: its time is over.
    Ended,
}

impl Outcome {
    /// Its name in the catalogue.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::SignedIn => "signed_in",
            Self::TokensIssued => "tokens_issued",
            Self::SignedOut => "signed_out",
            Self::Declined(_) => "declined",
            Self::Refused(..) => "refused",
            Self::Ended => "ended",
        }
    }
}

impl<'a> Story<'a> {
    /// Tells the story of `events`, which both servers recorded, each in its own order. A flow in which nothing happens
    /// for `patience` milliseconds has ended at `now`.
    pub fn tell(events: &'a [Recorded], now: i64, patience: i64) -> Self {
        let events = merged(events);
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
                Event::Check(check) => stage.checks.push((it.by, check)),
                Event::Life(life) => stage.lives.push((it.by, *life)),
            }
            // What happens beside the ten steps moves nothing on.
            if !matches!(it.event, Event::Life(_)) && (!is_login || entry.step().is_some()) && current < entry
            {
                current = entry;
            }
        }
        let (began, latest) = (events.first().map_or(now, |it| it.at), events.last().map_or(now, |it| it.at));
        let silent = if now.saturating_sub(latest) < patience { Outcome::Running } else { Outcome::Ended };
        let outcome = outcome(&events, is_login).unwrap_or(silent);
        let seen_by = |party| events.iter().any(|it| it.by == party);
        let (rp, idp) = (seen_by(Party::Rp), seen_by(Party::Idp));
        for stage in &mut stages {
            let is_seen = if stage.belongs_to_rp() { rp } else { idp };
            stage.state = stage.judge(current, &outcome, is_seen);
        }
        stages.retain(|stage| stage.entry.step().is_some() || !is_login || !stage.messages.is_empty());
        Self { stages, current, outcome, began, latest }
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
        Self { entry, state: State::Todo, messages: Vec::new(), checks: Vec::new(), lives: Vec::new() }
    }

    /// Adds a message. The record of the side that sent it comes first.
    fn take(&mut self, it: &'a Recorded, message: &'a Message) {
        let same = |known: &&mut Paired<'a>| {
            known.by != it.by
                && known.other.is_none()
                && known.message.span == message.span
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

    fn judge(&self, current: Entry, outcome: &Outcome, is_seen: bool) -> State {
        let is_empty = self.messages.is_empty() && self.checks.is_empty();
        match self.entry.cmp(&current) {
            Ordering::Equal => match outcome {
                Outcome::Running => State::Now,
                Outcome::Declined(_) | Outcome::Refused(..) => State::Failed,
                _ => State::Done,
            },
            _ if !is_empty => State::Done,
            Ordering::Greater if *outcome == Outcome::TokensIssued => State::Unseen,
            Ordering::Greater => State::Todo,
            Ordering::Less if !is_seen => State::Unseen,
            Ordering::Less => State::Skipped,
        }
    }

    const fn belongs_to_rp(&self) -> bool {
        matches!(self.entry, Entry::Step(Step::Click | Step::Callback | Step::Validation) | Entry::Logout)
    }
}

/// One order out of two: each side's own order stays, and between the sides the time decides. What happened at the same
/// moment is put in the order in which it can have happened.
fn merged(events: &[Recorded]) -> Vec<&Recorded> {
    let of = |party| events.iter().filter(move |it| it.by == party).peekable();
    let (mut rp, mut idp) = (of(Party::Rp), of(Party::Idp));
    let mut merged = Vec::with_capacity(events.len());
    let mut rank = (0, 0);
    loop {
        let next = match (rp.peek(), idp.peek()) {
            (Some(one), Some(other)) => {
                rank = (rank_of(one).unwrap_or(rank.0), rank_of(other).unwrap_or(rank.1));
                if (one.at, rank.0) <= (other.at, rank.1) { rp.next() } else { idp.next() }
            }
            (Some(_), None) => rp.next(),
            (None, _) => idp.next(),
        };
        match next {
            Some(it) => merged.push(it),
            None => return merged,
        }
    }
}

/// Where in the flow a message stands, for those of one moment. What is no message goes with the message before it.
fn rank_of(it: &Recorded) -> Option<usize> {
    let Event::Message(message) = &it.event else { return None };
    let exchange = Exchange::ALL.iter().position(|known| *known == message.exchange)?;
    // From the outside inwards and back: the one who asks records the request first and the response last.
    let within = match (message.is_request(), message.from == it.by) {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 3,
    };
    Some(exchange * 4 + within)
}

/// The exchange of which each request is, by who answered it and its span.
fn exchanges<'a>(events: &[&'a Recorded]) -> HashMap<(Party, &'a str), Exchange> {
    let requests = events.iter().filter_map(|it| match &it.event {
        Event::Message(message) if message.is_request() && message.to == it.by => {
            Some(((it.by, message.span.as_str()), message.exchange))
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
        Event::Life(life) => return Entry::Step(life.step),
        Event::Check(check) => check,
    };
    match exchanges.get(&(it.by, it.within.as_str())) {
        _ if check.rule == Rule::IssuerDiscovered => Entry::Discovery,
        _ if check.rule == Rule::UserinfoSubject => Entry::Userinfo,
        Some(Exchange::Userinfo) => Entry::Userinfo,
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

/// How it ended, if the events say so: well, or else by the first answer that ended it. What comes later, a page that is
/// looked at again or a code that is tried again, changes nothing.
fn outcome(events: &[&Recorded], is_login: bool) -> Option<Outcome> {
    let (mut endings, seen) = (Vec::new(), Seen::of(events));
    for it in events {
        match &it.event {
            Event::Life(life) if it.by == Party::Rp && is_new_session(*life) => {
                return Some(Outcome::SignedIn);
            }
            Event::Message(message) if message.from == it.by && !message.is_request() => {
                endings.extend(ending(events, it, message, seen, is_login));
            }
            _ => {}
        }
    }
    let good = endings.iter().position(|it| matches!(it, Outcome::SignedOut | Outcome::TokensIssued));
    (!endings.is_empty()).then(|| endings.swap_remove(good.unwrap_or(0)))
}

/// What is there to judge by.
#[derive(Clone, Copy)]
struct Seen {
    /// Something that the RP recorded.
    rp: bool,
    /// The RP's half begins with the click, and not with a callback out of nowhere.
    click: bool,
    /// A session of the RP has ended.
    session_end: bool,
}

impl Seen {
    fn of(events: &[&Recorded]) -> Self {
        let any = |is: &dyn Fn(&Recorded) -> bool| events.iter().any(|it| is(it));
        Self {
            rp: any(&|it| it.by == Party::Rp),
            click: any(
                &|it| matches!(&it.event, Event::Message(message) if message.exchange == Exchange::Login),
            ),
            session_end: any(&|it| {
                let ended = |life: &Life| life.value == Value::Session && life.turn == Turn::Destroyed;
                it.by == Party::Rp && matches!(&it.event, Event::Life(life) if ended(life))
            }),
        }
    }
}

fn is_new_session(life: Life) -> bool {
    life.value == Value::Session && life.turn == Turn::Created
}

/// Whether an answer ends its flow, and how.
fn ending(
    events: &[&Recorded],
    it: &Recorded,
    answer: &Message,
    seen: Seen,
    is_login: bool,
) -> Option<Outcome> {
    let is_refusal = answer.status().is_some_and(|status| status >= 400);
    let refused = || refused(events, it, answer);
    match answer.exchange {
        Exchange::Login
        | Exchange::Authorize
        | Exchange::Logout
        | Exchange::EndSession
        | Exchange::SignOut
            if is_refusal =>
        {
            Some(refused())
        }
        Exchange::Callback if is_refusal => {
            // Who comes with the `state` of a login that is not theirs, or is over, ends nothing of it.
            let outcome = refused();
            let is_strangers = matches!(
                outcome,
                Outcome::Refused(Some(Rule::StateKnown | Rule::StateSameBrowser | Rule::StateUnused), _)
            );
            (!is_strangers || !seen.click).then_some(outcome)
        }
        Exchange::Callback => declined(events, it).map(Outcome::Declined),
        Exchange::LogoutDone => Some(if is_refusal { refused() } else { Outcome::SignedOut }),
        // The RP's own session only.
        Exchange::Logout => (seen.session_end && !leads_to_provider(answer)).then_some(Outcome::SignedOut),
        Exchange::EndSession | Exchange::SignOut if !seen.rp && !is_login => {
            (answer.header("location").is_some() || answer.exchange == Exchange::SignOut)
                .then_some(Outcome::SignedOut)
        }
        // Without the RP's half, what the IdP sends is all that is known.
        Exchange::Token if !seen.rp => Some(if is_refusal { refused() } else { Outcome::TokensIssued }),
        _ if !seen.rp && Entry::of(answer, Step::Callback) == Entry::Step(Step::Redirect) => {
            error_in(answer.header("location")?.split_once('?')?.1).map(Outcome::Declined)
        }
        _ => None,
    }
}

/// The check that refused, and the error code that was sent for it: of the request that was refused and of what was asked
/// of the other server to answer it.
fn refused(events: &[&Recorded], it: &Recorded, answer: &Message) -> Outcome {
    let mut spans = vec![it.within.as_str(), answer.span.as_str()];
    spans.extend(events.iter().filter(|other| other.by == it.by && other.within == it.within).filter_map(
        |other| match &other.event {
            Event::Message(message) => Some(message.span.as_str()),
            _ => None,
        },
    ));
    let (mut rule, mut code) = (None, None);
    for other in events.iter().filter(|other| spans.contains(&other.within.as_str())) {
        match &other.event {
            Event::Check(check) if check.verdict == Verdict::Failed => rule = Some(check.rule),
            Event::Message(message) if message.exchange == Exchange::Token && !message.is_request() => {
                let answer = serde_json::from_str::<serde_json::Value>(&message.body).unwrap_or_default();
                code = answer.get("error").and_then(|error| error.as_str()).map(ToOwned::to_owned).or(code);
            }
            _ => {}
        }
    }
    Outcome::Refused(rule, code)
}

/// The error that the callback carried which `it` answers.
fn declined(events: &[&Recorded], it: &Recorded) -> Option<String> {
    events.iter().find_map(|other| match &other.event {
        Event::Message(message)
            if message.exchange == Exchange::Callback
                && message.is_request()
                && other.within == it.within =>
        {
            error_in(message.query())
        }
        _ => None,
    })
}

fn error_in(query: &str) -> Option<String> {
    Params::parse_with_repeats(query.as_bytes()).ok()?.get("error").map(ToOwned::to_owned)
}

fn leads_to_provider(answer: &Message) -> bool {
    answer.header("location").is_some_and(|location| location.contains("id_token_hint="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Line;

    fn message(by: Party, at: i64, exchange: Exchange, line: Line, location: &str) -> Recorded {
        let is_request = matches!(line, Line::Request { .. });
        let back = matches!(exchange, Exchange::Token | Exchange::Discovery);
        let asker = if back { Party::Rp } else { Party::Browser };
        let answers = if back { Party::Idp } else { by };
        let (from, to) = if is_request { (asker, answers) } else { (answers, asker) };
        let headers = if location.is_empty() { vec![] } else { vec![("location".into(), location.into())] };
        let span = exchange.id().to_owned();
        let within = if back && by == Party::Rp { "callback".to_owned() } else { span.clone() };
        let message = Message { exchange, from, to, line, headers, body: String::new(), cut: 0, span };
        Recorded { by, at, within, event: Event::Message(message) }
    }

    fn get(by: Party, at: i64, exchange: Exchange, target: &str) -> Recorded {
        message(by, at, exchange, Line::Request { method: "GET".into(), target: target.into() }, "")
    }

    fn answer(by: Party, at: i64, exchange: Exchange, status: u16, location: &str) -> Recorded {
        message(by, at, exchange, Line::Status(status), location)
    }

    fn check(by: Party, at: i64, within: &str, rule: Rule, verdict: Verdict) -> Recorded {
        let event = Event::Check(Check { rule, expected: "a".into(), actual: "a".into(), verdict });
        Recorded { by, at, within: within.into(), event }
    }

    fn begun() -> Vec<Recorded> {
        vec![
            get(Party::Rp, 1, Exchange::Login, "/login"),
            answer(Party::Rp, 1, Exchange::Login, 303, "http://idp/authorize?state=x"),
            get(Party::Idp, 1, Exchange::Authorize, "/authorize?state=x"),
            check(Party::Idp, 1, "authorize", Rule::ClientKnown, Verdict::Passed),
            answer(Party::Idp, 1, Exchange::Authorize, 303, "/login/x"),
            get(Party::Idp, 1, Exchange::LoginPage, "/login/x"),
            answer(Party::Idp, 1, Exchange::LoginPage, 200, ""),
        ]
    }

    fn back(query: &str) -> Vec<Recorded> {
        let mut events = begun();
        events.push(answer(Party::Idp, 2, Exchange::Decision, 303, &format!("http://rp/auth?{query}")));
        events.push(get(Party::Rp, 2, Exchange::Callback, &format!("/auth?{query}")));
        events.push(check(Party::Rp, 2, "callback", Rule::StateKnown, Verdict::Passed));
        events
    }

    fn states(story: &Story<'_>) -> Vec<&'static str> {
        story.steps().map(|stage| stage.state.id()).collect()
    }

    #[test]
    fn a_flow_stands_where_the_last_message_was() {
        let events = begun();
        let story = Story::tell(&events, 10, 100);
        assert_eq!(story.outcome, Outcome::Running);
        assert_eq!(story.current, Entry::Step(Step::LoginPage));
        assert_eq!(states(&story)[..4], ["done", "done", "now", "todo"]);
        assert_eq!(Story::tell(&events, 101, 100).outcome, Outcome::Ended);
    }

    #[test]
    fn what_both_servers_recorded_at_the_same_moment_is_told_in_its_order() {
        let events = begun();
        let story = Story::tell(&events, 10, 100);
        let second = story.stage(Entry::Step(Step::AuthorizationRequest)).unwrap();
        let parties: Vec<_> = second.messages.iter().map(|it| (it.message.from, it.message.to)).collect();
        assert_eq!(
            parties,
            [(Party::Rp, Party::Browser), (Party::Browser, Party::Idp), (Party::Idp, Party::Browser)]
        );
        assert_eq!(second.checks.len(), 1);
    }

    #[test]
    fn a_cancelled_login_is_declined_at_the_callback() {
        let mut events = back("error=access_denied&state=x");
        events.push(answer(Party::Rp, 2, Exchange::Callback, 303, "/"));
        let story = Story::tell(&events, 10, 100);
        assert_eq!(story.outcome, Outcome::Declined("access_denied".into()));
        assert_eq!(states(&story)[3..8], ["skipped", "skipped", "done", "failed", "todo"]);
    }

    #[test]
    fn both_records_of_a_back_channel_message_are_one_message() {
        let mut events = back("code=c&state=x");
        let request = |by| get(by, 3, Exchange::Token, "/token");
        let refusal = |by| answer(by, 3, Exchange::Token, 400, "");
        events.extend([request(Party::Rp), request(Party::Idp)]);
        events.push(check(Party::Idp, 3, "token", Rule::CodeUnused, Verdict::Failed));
        events.extend([refusal(Party::Idp), refusal(Party::Rp)]);
        assert_eq!(Story::tell(&events, 10, 100).outcome, Outcome::Running, "the RP has not answered yet");
        events.push(answer(Party::Rp, 3, Exchange::Callback, 502, ""));
        // What happens afterwards does not change how it ended.
        events.push(answer(Party::Idp, 4, Exchange::Decision, 409, ""));
        let story = Story::tell(&events, 10, 100);
        let stage = story.stage(Entry::Step(Step::TokenRequest)).unwrap();
        assert_eq!((stage.messages.len(), stage.messages[0].by), (1, Party::Rp));
        assert!(stage.messages[0].other.is_some());
        let answers = &story.stage(Entry::Step(Step::TokenResponse)).unwrap().messages;
        assert_eq!((answers[0].by, answers[0].other.is_some()), (Party::Idp, true));
        assert_eq!(story.outcome, Outcome::Refused(Some(Rule::CodeUnused), None));
        assert_eq!(story.current, Entry::Step(Step::TokenResponse));
    }

    #[test]
    fn without_one_half_its_steps_are_unseen() {
        let mut events: Vec<_> = begun().into_iter().filter(|it| it.by == Party::Idp).collect();
        events.push(get(Party::Idp, 4, Exchange::Token, "/token"));
        events.push(answer(Party::Idp, 4, Exchange::Token, 200, ""));
        let story = Story::tell(&events, 10, 100);
        assert_eq!(story.outcome, Outcome::TokensIssued);
        let states = states(&story);
        assert_eq!((states[0], states[6], states[9]), ("unseen", "unseen", "unseen"));
        let events: Vec<_> = back("code=c&state=x").into_iter().filter(|it| it.by == Party::Rp).collect();
        assert_eq!(self::states(&Story::tell(&events, 10, 100))[2..5], ["unseen"; 3], "nor are the IdP's");
    }

    #[test]
    fn a_stranger_with_the_state_of_a_login_does_not_end_it() {
        let mut events = back("code=c&state=x");
        events.push(check(Party::Rp, 3, "callback", Rule::StateSameBrowser, Verdict::Failed));
        events.push(answer(Party::Rp, 3, Exchange::Callback, 400, ""));
        assert_eq!(Story::tell(&events, 10, 100).outcome, Outcome::Running);
        let out_of_nowhere: Vec<_> = events.into_iter().skip(begun().len() + 1).collect();
        let story = Story::tell(&out_of_nowhere, 10, 100);
        assert_eq!(story.outcome, Outcome::Refused(Some(Rule::StateSameBrowser), None));
    }

    #[test]
    fn only_the_rp_itself_says_that_it_started_a_session() {
        let life = Life { value: Value::Session, turn: Turn::Created, step: Step::Validation };
        let mut events = begun();
        events.push(Recorded { by: Party::Idp, at: 2, within: "x".into(), event: Event::Life(life) });
        assert_eq!(Story::tell(&events, 10, 100).outcome, Outcome::Running);
    }

    #[test]
    fn a_flow_stays_what_it_began_as_and_a_second_look_changes_no_end() {
        let mut events: Vec<_> = begun().into_iter().filter(|it| it.by == Party::Idp).collect();
        events.push(get(Party::Idp, 4, Exchange::Token, "/token"));
        events.push(answer(Party::Idp, 4, Exchange::Token, 200, ""));
        events.push(answer(Party::Idp, 5, Exchange::LoginPage, 409, ""));
        events.push(get(Party::Idp, 5, Exchange::EndSession, "/logout"));
        let story = Story::tell(&events, 10, 100);
        assert_eq!((story.outcome.id(), story.is_login()), ("tokens_issued", true));
    }

    #[test]
    fn a_new_session_is_a_success() {
        let mut events = back("code=c&state=x");
        let life = Life { value: Value::Session, turn: Turn::Created, step: Step::Validation };
        events.push(check(Party::Rp, 4, "callback", Rule::Nonce, Verdict::Passed));
        events.push(Recorded { by: Party::Rp, at: 4, within: "callback".into(), event: Event::Life(life) });
        events.push(answer(Party::Rp, 4, Exchange::Callback, 303, "/"));
        let story = Story::tell(&events, 1000, 100);
        assert_eq!((story.outcome.id(), story.current), ("signed_in", Entry::Step(Step::Validation)));
        assert_eq!(states(&story)[9], "done");
    }
}
