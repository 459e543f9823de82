//! How a flow ended.

use super::super::{
    Event, Exchange, Life, Message, Party, Pause, Recorded, Release, Rule, Turn, Value, Verb, Verdict,
    authorization_response,
};
use crate::params::Params;

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

/// How it ended, if the events say so: well, or else by the first answer that ended it. What comes later, a page that is
/// looked at again or a code that is tried again, changes nothing.
pub(super) fn of(events: &[&Recorded], is_login: bool) -> Option<Outcome> {
    let (mut endings, seen) = (Vec::new(), Seen::of(events));
    for it in events {
        match &it.event {
            Event::Life(life) if it.by != Party::Idp && is_new_session(*life) => {
                return Some(Outcome::SignedIn);
            }
            Event::Message(message) if message.from == it.by && !message.is_request() => {
                endings.extend(ending(events, it, message, seen, is_login));
            }
            _ if it.by == Party::Browser => endings.extend(told_ending(events, it)),
            _ => {}
        }
    }
    let good = endings.iter().position(|it| matches!(it, Outcome::SignedOut | Outcome::TokensIssued));
    if endings.is_empty() {
        return events.iter().any(|it| is_cut_off(it)).then_some(Outcome::Ended);
    }
    Some(endings.swap_remove(good.unwrap_or(0)))
}

/// Whether the browser was kept from going on.
fn is_cut_off(it: &Recorded) -> bool {
    let Event::Release(Release { pause, verb: Verb::Dropped, .. }) = &it.event else { return false };
    matches!(
        pause,
        Pause::AuthorizationRequest | Pause::LoginPage | Pause::AuthorizationResponse | Pause::Callback
    )
}

/// What is there to judge by.
#[derive(Clone, Copy)]
struct Seen {
    /// Whose records there are of the client's half: the RP's, or what a script told.
    client: Option<Party>,
    /// The RP's half begins with the click, and not with a callback out of nowhere.
    click: bool,
    /// A session of the RP has ended.
    session_end: bool,
}

impl Seen {
    fn of(events: &[&Recorded]) -> Self {
        let any = |is: &dyn Fn(&Recorded) -> bool| events.iter().any(|it| is(it));
        Self {
            client: [Party::Rp, Party::Browser].into_iter().find(|party| any(&|it| it.by == *party)),
            click: any(&|it| is_of(it, Exchange::Login)),
            session_end: any(&|it| {
                let ended = |life: &Life| life.value == Value::Session && life.turn == Turn::Destroyed;
                it.by == Party::Rp && matches!(&it.event, Event::Life(life) if ended(life))
            }),
        }
    }

    fn by_rp(self) -> bool {
        self.client == Some(Party::Rp)
    }
}

fn is_of(it: &Recorded, exchange: Exchange) -> bool {
    matches!(&it.event, Event::Message(message) if message.exchange == exchange)
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
        Exchange::Authorize if is_refusal => {
            // Who comes with a `request_uri` that began a login already ends nothing of it.
            let outcome = refused();
            let is_again = matches!(outcome, Outcome::Refused(Some(Rule::RequestUriUnused), _));
            (!is_again || !events.iter().any(|it| is_of(it, Exchange::Push))).then_some(outcome)
        }
        Exchange::Login | Exchange::Logout | Exchange::EndSession | Exchange::SignOut if is_refusal => {
            Some(refused())
        }
        Exchange::Callback | Exchange::CallbackPost if is_refusal => {
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
        Exchange::EndSession | Exchange::SignOut if !seen.by_rp() && !is_login => {
            (answer.header("location").is_some() || answer.exchange == Exchange::SignOut)
                .then_some(Outcome::SignedOut)
        }
        // Without the RP's half, what the IdP sends is all that is known.
        Exchange::Push | Exchange::Token if !seen.by_rp() && is_refusal => Some(refused()),
        Exchange::Token if !seen.by_rp() => seen.client.is_none().then_some(Outcome::TokensIssued),
        _ if !seen.by_rp() => error_in(&authorization_response(answer)?).map(Outcome::Declined),
        _ => None,
    }
}

/// The same of what a script tells, which answers nobody: a check of its own refused, or the IdP did.
fn told_ending(events: &[&Recorded], it: &Recorded) -> Option<Outcome> {
    match &it.event {
        Event::Check(check) if check.verdict == Verdict::Failed => {
            Some(Outcome::Refused(Some(check.rule), None))
        }
        Event::Message(message) => match message.exchange {
            Exchange::Callback => error_in(message.query()).map(Outcome::Declined),
            Exchange::Token if message.status()? >= 400 => Some(refused(events, it, message)),
            Exchange::LogoutDone => Some(Outcome::SignedOut),
            _ => None,
        },
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
            Event::Message(message)
                if matches!(message.exchange, Exchange::Token | Exchange::Push) && !message.is_request() =>
            {
                let answer = serde_json::from_str::<serde_json::Value>(&message.body).unwrap_or_default();
                code = answer.get("error").and_then(|error| error.as_str()).map(ToOwned::to_owned).or(code);
            }
            _ => {}
        }
    }
    Outcome::Refused(rule, code)
}

/// The error that the callback carried which `it` answers: in its query, or in what was posted before it.
fn declined(events: &[&Recorded], it: &Recorded) -> Option<String> {
    let requests = |exchange| {
        events.iter().filter_map(move |other| match &other.event {
            Event::Message(message) if message.exchange == exchange && message.is_request() => {
                Some((message, other.within.as_str()))
            }
            _ => None,
        })
    };
    let (callback, _) = requests(Exchange::Callback).find(|(_, within)| *within == it.within)?;
    if !callback.query().is_empty() {
        return error_in(callback.query());
    }
    requests(Exchange::CallbackPost).next_back().and_then(|(posted, _)| error_in(&posted.body))
}

pub(super) fn error_in(query: &str) -> Option<String> {
    Params::parse_with_repeats(query.as_bytes()).ok()?.get("error").map(ToOwned::to_owned)
}

fn leads_to_provider(answer: &Message) -> bool {
    answer.header("location").is_some_and(|location| location.contains("id_token_hint="))
}
