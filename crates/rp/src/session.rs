//! The session: who is signed in here, kept on the server. The browser has an unguessable key and nothing else.

use std::collections::HashMap;

use actix_session::Session;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::{
    clock::Timestamp,
    error::ErrorCode,
    flow::{Check, Shown, Step, Verdict},
    secret::Secret,
};
use viewer::tap;
use web::problem::{Foretold, Problem};

/// A user: the pair of issuer and subject (OpenID Connect Core §5.7). Never the e-mail address, which another person
/// may have tomorrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserKey {
    /// The issuer.
    pub iss: String,
    /// The user's name there.
    pub sub: String,
}

/// Somebody who is signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who.
    pub user: UserKey,
    /// Under which name this application asked, and so whose the tokens are.
    #[serde(default)]
    pub client: String,
    /// Since when.
    pub began: Timestamp,
    /// Until when: as long as the ID token is good for.
    pub ends: Timestamp,
    /// The claims of the ID token.
    pub id_token_claims: Map<String, Value>,
    /// The claims of the userinfo endpoint.
    pub userinfo_claims: Map<String, Value>,
    /// What came of asking there.
    pub userinfo: String,
    /// The checks of steps 7 to 10.
    pub checks: Vec<MadeCheck>,
    /// Proves that a form comes from a page of this session.
    pub csrf: Secret,
    /// What step 9 brought. It stays on the server; a page shows it only where flows are recorded.
    pub access_token: Secret,
    /// The flow by which the user signed in, where it was recorded.
    #[serde(default)]
    pub flow: Option<String>,
    /// Whether the user went through that login step by step, to its end.
    #[serde(default)]
    pub stepwise: bool,
    /// The ID token as it came. It leaves the server once, at logout, for the provider.
    pub id_token: Secret,
    /// Buys new tokens, where one came along.
    #[serde(default)]
    pub refresh_token: Option<Secret>,
    /// Until when the access token is good, as far as that was said.
    #[serde(default)]
    pub access_expires: Option<Timestamp>,
    /// How far the access token reaches.
    #[serde(default)]
    pub scope: String,
    /// When the tokens were refreshed, if they were.
    #[serde(default)]
    pub renewed: Option<Timestamp>,
    /// What there was before the last refresh.
    #[serde(default)]
    pub before: Option<Box<Before>>,
}

/// Tokens that have been replaced. They are kept to be compared with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Before {
    /// The access token.
    pub access_token: Secret,
    /// The ID token.
    pub id_token: Secret,
    /// The refresh token, which counts no more.
    pub refresh_token: Option<Secret>,
}

impl SignedIn {
    /// Whether the time is up.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends <= now
    }

    /// Whether these are the tokens that came for those of `other`, which nobody has renewed since.
    pub fn follows(&self, other: &Self) -> bool {
        let hash = |token: &Option<Secret>| token.as_ref().map(Secret::hash);
        let before = self.before.as_ref().map(|before| hash(&before.refresh_token));
        self.is_login_of(&other.csrf) && before == Some(hash(&other.refresh_token))
    }

    /// Whether it is the login whose forms carry `csrf`.
    pub fn is_login_of(&self, csrf: &Secret) -> bool {
        self.csrf.matches(csrf.expose())
    }
}

/// A check as it is kept and shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MadeCheck {
    /// The rule.
    pub rule: String,
    /// The step in which it was checked.
    pub step: Option<u8>,
    /// The section that asks for it.
    pub section: String,
    /// What the rule asks for.
    pub expected: Shown<'static>,
    /// What was there.
    pub actual: Shown<'static>,
    /// How it came out.
    pub verdict: String,
}

impl From<Check> for MadeCheck {
    fn from(check: Check) -> Self {
        let verdict = match check.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::NotApplicable => "not_applicable",
        };
        Self {
            rule: check.rule.id().to_owned(),
            step: check.rule.step().map(Step::number),
            section: check.rule.section().to_owned(),
            expected: check.expected,
            actual: check.actual,
            verdict: verdict.to_owned(),
        }
    }
}

/// What the home page says once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    kind: String,
    id: String,
    code: Option<String>,
    /// What somebody foretold of the last message, and what happened.
    #[serde(default)]
    foretold: Option<(String, String)>,
    /// The flow that it is about, if that was recorded.
    #[serde(default)]
    flow: Option<String>,
}

impl Notice {
    /// With the address of the flow in place of its name, for who may see it.
    #[must_use]
    pub fn leading(self, address: impl FnOnce(&str) -> Option<String>) -> Self {
        Self { flow: self.flow.as_deref().and_then(address), ..self }
    }

    /// The provider answered with an error. Of its words only a code out of our own set is kept. That it needs to show
    /// a page after all is no failure: who asked for none learns that way where the user stands (OpenID Connect Core
    /// §3.1.2.6).
    pub fn oauth_error(code: Option<ErrorCode>) -> Self {
        let (kind, id) = match code {
            Some(
                ErrorCode::LoginRequired
                | ErrorCode::ConsentRequired
                | ErrorCode::InteractionRequired
                | ErrorCode::AccountSelectionRequired,
            ) => ("info", "interaction_needed"),
            _ => ("error", "oauth_error"),
        };
        let code = code.map_or("unknown", ErrorCode::as_str).to_owned();
        Self { kind: kind.into(), id: id.into(), code: Some(code), foretold: None, flow: None }
    }

    /// The user signed out here. What became of the provider's session is not known, or it goes on.
    pub fn signed_out() -> Self {
        Self::info("signed_out")
    }

    /// The provider has sent the browser back: both sessions have ended.
    pub fn signed_out_of_both() -> Self {
        Self::info("signed_out_of_both")
    }

    /// The user wanted to end both sessions, and only the one here could be.
    pub fn provider_goes_on() -> Self {
        Self::info("provider_goes_on")
    }

    /// The session's time is up.
    pub fn session_ended() -> Self {
        Self::info("session_ended")
    }

    /// The session's time was up before it began.
    pub fn over_at_once() -> Self {
        Self::info("over_at_once")
    }

    fn info(id: &str) -> Self {
        Self { kind: "info".into(), id: id.into(), code: None, foretold: None, flow: None }
    }
}

const SIGNED_IN: &str = "signed_in";
/// The store reads this one, to find the sessions of a user.
pub(crate) const USER: &str = "user";
const RENEWALS: &str = "renewals";
const NOTICE: &str = "notice";

/// Who is in front of the page.
#[derive(Debug)]
pub enum Visitor {
    /// Somebody who is signed in.
    SignedIn(Box<SignedIn>),
    /// Somebody whose time is up. The provider's session may go on, and this one still says which it is.
    Ended(Box<SignedIn>),
    /// Anybody.
    Nobody,
}

/// Who is in front of the page at `now`.
pub fn visitor(session: &Session, now: Timestamp) -> Result<Visitor, Problem> {
    let kept: Option<Box<SignedIn>> = session.get(SIGNED_IN).map_err(Problem::internal)?;
    Ok(match kept {
        Some(signed_in) if !signed_in.is_over(now) => Visitor::SignedIn(signed_in),
        Some(signed_in) => Visitor::Ended(signed_in),
        None => Visitor::Nobody,
    })
}

/// Starts a session, under a new key: one that somebody else may have planted in this browser dies here.
pub fn start(session: &Session, signed_in: &SignedIn) -> Result<(), Problem> {
    session.clear();
    session.renew();
    session.insert(USER, &signed_in.user).map_err(Problem::internal)?;
    session.insert(SIGNED_IN, signed_in).map_err(Problem::internal)
}

/// Notes that the tokens of somebody who is signed in are other ones now.
pub fn renew(session: &Session, signed_in: &SignedIn) -> Result<(), Problem> {
    let before: Option<u64> = session.get(RENEWALS).map_err(Problem::internal)?;
    session.insert(RENEWALS, before.unwrap_or(0) + 1).map_err(Problem::internal)?;
    session.insert(SIGNED_IN, signed_in).map_err(Problem::internal)
}

/// A request that began before a refresh and ends after it leaves the new tokens as they are.
pub(crate) fn keep_newer_tokens(kept: &HashMap<String, String>, state: &mut HashMap<String, String>) {
    let renewals =
        |it: &HashMap<String, String>| it.get(RENEWALS).and_then(|n| n.parse().ok()).unwrap_or(0_u64);
    if renewals(state) < renewals(kept) && state.contains_key(SIGNED_IN) {
        for name in [RENEWALS, SIGNED_IN] {
            state.extend(kept.get_key_value(name).map(|(name, value)| (name.clone(), value.clone())));
        }
    }
}

/// Ends the session; the key dies with it.
pub fn end(session: &Session, notice: &Notice) -> Result<(), Problem> {
    session.clear();
    session.renew();
    leave_notice(session, notice)
}

/// Leaves a notice for the home page, from which it leads to the flow of this request.
pub fn leave_notice(session: &Session, notice: &Notice) -> Result<(), Problem> {
    let flow = notice.flow.clone().or_else(tap::current_flow);
    session.insert(NOTICE, Notice { flow, ..notice.clone() }).map_err(Problem::internal)
}

/// Adds to the notice what somebody foretold who went step by step, and what happened.
pub fn add_foretold(session: &Session, Foretold { guess, happened }: Foretold) -> Result<(), Problem> {
    let left: Option<Notice> = session.get(NOTICE).map_err(Problem::internal)?;
    let notice = left.unwrap_or_else(|| Notice::info("foretold"));
    leave_notice(session, &Notice { foretold: Some((guess.to_owned(), happened.to_owned())), ..notice })
}

/// Takes the notice that was left, so that it shows once. A session that held nothing else ends.
pub fn take_notice(session: &Session) -> Option<Notice> {
    let notice = session.contains_key(NOTICE).then(|| session.remove_as(NOTICE))??.ok();
    if session.entries().is_empty() {
        session.purge();
    }
    notice
}
