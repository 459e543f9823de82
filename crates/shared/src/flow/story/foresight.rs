//! What came of a message that was held, told by what was recorded behind it, and the check that decided.

use std::collections::HashSet;

use super::{
    super::{
        Check, Entry, Event, Exchange, Happened, Life, Message, Party, Pause, Release, Rule, Step, Turn,
        Value, Verb, Verdict, authorization_response,
    },
    Handled, Paired, Stage, Story,
    outcome::error_in,
};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came<'a> {
    /// Which of the three it was.
    pub happened: Happened,
    /// The check that refused, and who made it. Where nobody refused, none decides: all had to be passed.
    pub decided: Option<(Party, &'a Check)>,
    /// How many checks were made where all were passed, and who made them.
    pub passed: Option<(Party, usize)>,
}

impl<'a> Story<'a> {
    /// What came of the message that was held at `pause`; `None` as long as that is not known.
    /// Of what is done with tokens after the login, in the story [of that deed](Story::of_deed).
    pub fn came_of(&self, pause: Pause) -> Option<Came<'a>> {
        let (happened, side, at) = match pause {
            Pause::AuthorizationRequest => (self.came_of_request()?, Party::Idp, pause.entry()),
            Pause::AuthorizationResponse | Pause::Callback => {
                (self.came_of_return()?, Party::Rp, Entry::Step(Step::Callback))
            }
            Pause::TokenResponse => (self.came_of_answer()?, Party::Rp, pause.entry()),
            Pause::Validation => (self.came_of_token()?, Party::Rp, pause.entry()),
            Pause::UserinfoResponse => (self.came_of_claims()?, Party::Rp, pause.entry()),
            Pause::RefreshResponse => (self.came_of_new_tokens()?, Party::Rp, pause.entry()),
            Pause::RefreshedToken => (self.came_of_new_id_token()?, Party::Rp, pause.entry()),
            Pause::LoginPage
            | Pause::RevocationResponse
            | Pause::IntrospectionResponse
            | Pause::ApiResponse => return None,
            Pause::TokenRequest
            | Pause::UserinfoRequest
            | Pause::RefreshRequest
            | Pause::RevocationRequest
            | Pause::IntrospectionRequest
            | Pause::ApiRequest => (self.came_of_asking(pause)?, Party::Idp, pause.entry()),
        };
        let made = match pause.asks().map(|exchange| self.checks_behind(exchange)) {
            Some(made) if !made.is_empty() => made,
            _ => self.stage(at).map(|stage| checks(stage, side)).unwrap_or_default(),
        };
        if happened.is_refusal() || happened == Happened::TokenInactive {
            let decided = made.iter().rev().find(|check| check.verdict == Verdict::Failed);
            return Some(Came { happened, decided: decided.map(|check| (side, *check)), passed: None });
        }
        let passed = (!happened.is_left_open()).then(|| all_passed(&made)).flatten();
        Some(Came { happened, decided: None, passed: passed.map(|checks| (side, checks)) })
    }

    /// What came of a message that was handled like this.
    pub fn came_of_handled(&self, handled: &Handled<'_>) -> Option<Came<'a>> {
        let pause = handled.release.pause;
        if pause.is_afterwards() { self.of_deed(handled.within).came_of(pause) } else { self.came_of(pause) }
    }

    /// The check of the IdP that refused the second of two requests, sent one after the other.
    pub fn refused_again(&self, pause: Pause) -> Option<(Party, &'a Check)> {
        let asked = pause.asks()?;
        let messages = self.stages.iter().flat_map(|stage| &stage.messages).map(|paired| paired.message);
        let answer = messages.filter(|it| it.exchange == asked && !it.is_request()).nth(1)?;
        let mut made = self.checks_within(&answer.span).into_iter().rev();
        made.find(|check| check.verdict == Verdict::Failed).map(|check| (Party::Idp, check))
    }

    fn came_of_request(&self) -> Option<Happened> {
        let answer = self.answer(Exchange::Authorize)?;
        Some(match authorization_response(answer) {
            _ if is_refusal(answer) => Happened::IdpShowsError,
            Some(response) if error_in(&response).is_some() => Happened::ErrorComesBack,
            _ => Happened::IdpGoesOn,
        })
    }

    fn came_of_return(&self) -> Option<Happened> {
        // The RP says so before it asks, and so before the request can be held.
        let sent = (Party::Rp, Life { value: Value::Code, turn: Turn::Sent, step: Step::TokenRequest });
        if self.stages.iter().any(|stage| stage.lives.contains(&sent)) {
            return Some(Happened::RpAsksForTokens);
        }
        let refused = is_refusal(self.answer(Exchange::Callback)?);
        Some(if refused { Happened::RpRefuses } else { Happened::RpTellsTheError })
    }

    /// What came of a request of the back channel. That nothing came is known when the login is over, or when somebody saw
    /// to it.
    fn came_of_asking(&self, pause: Pause) -> Option<Happened> {
        let exchange = pause.asks()?;
        if let Some(answer) = self.answer(exchange) {
            return Happened::of_answer(exchange, answer.status()?, &answer.body);
        }
        let is_over = if pause.is_afterwards() { self.is_dropped(exchange) } else { self.is_back() };
        pause.when_nothing_comes().filter(|_| is_over)
    }

    fn came_of_answer(&self) -> Option<Happened> {
        if self.verdict(Rule::IdTokenPresent) == Some(Verdict::Passed) {
            return Some(Happened::TokensTaken);
        }
        self.answer(Exchange::Callback)?;
        let lost = self.released(Pause::TokenResponse) == Some(Verb::Dropped);
        Some(if lost { Happened::NoAnswer } else { Happened::RpRefuses })
    }

    fn came_of_token(&self) -> Option<Happened> {
        if self.verdict(Rule::LibraryVerifier) == Some(Verdict::Passed) {
            return Some(Happened::TokenAccepted);
        }
        self.answer(Exchange::Callback)?;
        let made = self.stage(Pause::Validation.entry()).map(|stage| checks(stage, Party::Rp));
        let refused = made.unwrap_or_default().iter().any(|check| check.verdict == Verdict::Failed);
        Some(if refused { Happened::RpRefuses } else { Happened::TokenUnjudged })
    }

    fn came_of_new_tokens(&self) -> Option<Happened> {
        if self.released(Pause::RefreshResponse) == Some(Verb::Dropped) {
            return Some(Happened::NoAnswer);
        }
        // The RP judges an answer as soon as it has heard it.
        let is_heard = |it: &Paired<'_>| it.by == Party::Rp || it.other.is_some();
        let mut messages = self.stage(Entry::Refresh)?.messages.iter();
        messages.find(|it| !it.message.is_request() && is_heard(it))?;
        let taken = self.verdict(Rule::TokenType) == Some(Verdict::Passed);
        Some(if taken { Happened::TokensTaken } else { Happened::RpRefuses })
    }

    fn came_of_new_id_token(&self) -> Option<Happened> {
        if self.verdict(Rule::LibraryVerifier) == Some(Verdict::Passed) {
            return Some(Happened::TokenAccepted);
        }
        let made = checks(self.stage(Entry::Refresh)?, Party::Rp);
        made.iter().any(|check| check.verdict == Verdict::Failed).then_some(Happened::RpRefuses)
    }

    /// Whether the login is over for the RP.
    fn is_back(&self) -> bool {
        self.answer(Exchange::Callback).is_some()
    }

    /// Whether a request, or its answer, was dropped by hand.
    fn is_dropped(&self, exchange: Exchange) -> bool {
        let both = Pause::of(exchange).map(|(request, answer)| [request, answer]);
        both.into_iter().flatten().any(|pause| self.released(pause) == Some(Verb::Dropped))
    }

    fn came_of_claims(&self) -> Option<Happened> {
        Some(match self.verdict(Rule::UserinfoSubject)? {
            Verdict::Passed => Happened::SignedInWithClaims,
            Verdict::Failed => Happened::RpRefuses,
            Verdict::NotApplicable => Happened::SignedInWithoutClaims,
        })
    }

    /// The answer of an exchange that counts: the first; of the callback the last, since strangers may come with its address
    /// before it is given. Where its sender recorded nothing, and it was changed on its way, it is not known.
    fn answer(&self, exchange: Exchange) -> Option<&'a Message> {
        let all = self.stages.iter().flat_map(|stage| &stage.messages);
        let mut answers = all.filter(|it| it.message.exchange == exchange && !it.message.is_request());
        if exchange == Exchange::Callback {
            return answers.next_back().map(|it| it.message);
        }
        let changed =
            |release: &Release| release.pause.answers() == Some(exchange) && !release.changes.is_empty();
        let is_changed = || self.stages.iter().flat_map(|it| &it.releases).any(|it| changed(it.release));
        answers.next().filter(|it| it.by == it.message.from || !is_changed()).map(|it| it.message)
    }

    /// What the IdP checked before it gave the answer of an exchange that counts.
    fn checks_behind(&self, exchange: Exchange) -> Vec<&'a Check> {
        self.answer(exchange).map(|answer| self.checks_within(&answer.span)).unwrap_or_default()
    }

    /// What the IdP checked while it answered the request called `span`.
    fn checks_within(&self, span: &str) -> Vec<&'a Check> {
        let made = self.events.iter().filter(|it| it.by == Party::Idp && it.within == span);
        let made = made.filter_map(|it| match &it.event {
            Event::Check(check) => Some(check),
            _ => None,
        });
        made.collect()
    }

    /// How the RP judged `rule` the last time.
    fn verdict(&self, rule: Rule) -> Option<Verdict> {
        let made = self.stages.iter().flat_map(|stage| &stage.checks);
        let mut made = made.filter(|(by, check)| *by == Party::Rp && check.rule == rule);
        made.next_back().map(|(_, check)| check.verdict)
    }

    /// What was done with the message at `pause`, if it was not simply let go.
    fn released(&self, pause: Pause) -> Option<Verb> {
        let mut all = self.stages.iter().flat_map(|stage| &stage.releases);
        all.find(|it| it.release.pause == pause).map(|it| it.release.verb)
    }
}

fn checks<'a>(stage: &Stage<'a>, side: Party) -> Vec<&'a Check> {
    stage.checks.iter().filter(|(by, _)| *by == side).map(|(_, check)| *check).collect()
}

/// How many checks were passed, if all of them were that apply. What came a second time, and what strangers brought, was
/// judged at the same place, and counts no more.
fn all_passed(made: &[&Check]) -> Option<usize> {
    let came_out = |verdict| -> HashSet<Rule> {
        made.iter().filter(|check| check.verdict == verdict).map(|check| check.rule).collect()
    };
    let (passed, failed) = (came_out(Verdict::Passed), came_out(Verdict::Failed));
    (!passed.is_empty() && failed.is_subset(&passed)).then_some(passed.len())
}

fn is_refusal(answer: &Message) -> bool {
    answer.status().is_some_and(|status| status >= 400)
}
