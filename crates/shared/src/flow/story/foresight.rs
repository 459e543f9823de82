//! What came of a message that was held, told by what was recorded behind it, and the check that decided.

use super::{
    super::{
        Check, Entry, Exchange, Happened, Life, Message, Party, Pause, Release, Rule, Step, Turn, Value,
        Verb, Verdict, authorization_response,
    },
    Stage, Story,
    outcome::error_in,
};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came<'a> {
    /// Which of the three it was.
    pub happened: Happened,
    /// The check that refused; where nobody refused, the last one that was passed. And who made it.
    pub decided: Option<(Party, &'a Check)>,
}

impl<'a> Story<'a> {
    /// What came of the message that was held at `pause`; `None` as long as that is not known.
    pub fn came_of(&self, pause: Pause) -> Option<Came<'a>> {
        let (happened, side, at) = match pause {
            Pause::AuthorizationRequest => (self.came_of_request()?, Party::Idp, pause.entry()),
            Pause::LoginPage => return None,
            Pause::AuthorizationResponse | Pause::Callback => {
                (self.came_of_return()?, Party::Rp, Entry::Step(Step::Callback))
            }
            Pause::TokenRequest => (self.came_of_code()?, Party::Idp, pause.entry()),
            Pause::TokenResponse => (self.came_of_answer()?, Party::Rp, pause.entry()),
            Pause::Validation => (self.came_of_token()?, Party::Rp, pause.entry()),
            Pause::UserinfoRequest => (self.came_of_access_token()?, Party::Idp, pause.entry()),
            Pause::UserinfoResponse => (self.came_of_claims()?, Party::Rp, pause.entry()),
        };
        let made = self.stage(at).map(|stage| checks(stage, side)).unwrap_or_default();
        let wanted = if happened.is_refusal() { Verdict::Failed } else { Verdict::Passed };
        let decided = made.iter().rev().find(|check| check.verdict == wanted);
        Some(Came { happened, decided: decided.map(|check| (side, *check)) })
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

    fn came_of_code(&self) -> Option<Happened> {
        let Some(answer) = self.answer(Exchange::Token) else {
            return self.answer(Exchange::Callback).map(|_| Happened::NoTokensOtherwise);
        };
        let error = || serde_json::from_str::<serde_json::Value>(&answer.body).ok()?.get("error").cloned();
        Some(match answer.status() {
            Some(200) => Happened::TokensCome,
            _ if error().is_some_and(|error| error == "invalid_grant") => Happened::InvalidGrant,
            _ => Happened::NoTokensOtherwise,
        })
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

    fn came_of_access_token(&self) -> Option<Happened> {
        let Some(answer) = self.answer(Exchange::Userinfo) else {
            return self.answer(Exchange::Callback).map(|_| Happened::NoClaimsOtherwise);
        };
        Some(match answer.status() {
            Some(200) => Happened::ClaimsCome,
            Some(401) => Happened::InvalidToken,
            _ => Happened::NoClaimsOtherwise,
        })
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
        let is_changed = || self.stages.iter().flat_map(|it| &it.releases).any(|(_, it)| changed(it));
        answers.next().filter(|it| it.by == it.message.from || !is_changed()).map(|it| it.message)
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
        all.find(|(_, release)| release.pause == pause).map(|(_, release)| release.verb)
    }
}

fn checks<'a>(stage: &Stage<'a>, side: Party) -> Vec<&'a Check> {
    stage.checks.iter().filter(|(by, _)| *by == side).map(|(_, check)| *check).collect()
}

fn is_refusal(answer: &Message) -> bool {
    answer.status().is_some_and(|status| status >= 400)
}
