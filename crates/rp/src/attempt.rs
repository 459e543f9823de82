//! A login attempt: one run through the ten steps, kept on the server under its `state` until it is over.
//!
//! Attempts do not live in the session. A session is written whole, the last writer wins, and it gets a new id at
//! login: two tabs that log in at the same time would lose each other. Each attempt therefore has an entry of its
//! own and a cookie of its own, which binds it to the browser that started it (RFC 6749 §10.12, RFC 9700 §4.7.1).

use std::{fmt::Debug, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use shared::{
    clock::Timestamp,
    pkce::CodeVerifier,
    response_mode::ResponseMode,
    scope::Scope,
    secret::{Secret, SecretHash},
};
use thiserror::Error;
use web::{
    expiring::{ExpiringMap, Full},
    problem::Problem,
};

use crate::{client::Client, provider::Metadata};

/// What the RP keeps from step 2 to the end.
#[derive(Debug)]
pub struct Kept {
    /// The provider that was asked, as it described itself then. The answer must come from it and from no other.
    pub provider: Arc<Metadata>,
    /// Who we said that we are.
    pub client: Arc<Client>,
    /// What was asked for.
    pub scope: Scope,
    /// Sent in step 2, found again in the ID token.
    pub nonce: Secret,
    /// Its challenge was sent in step 2; it is itself shown in step 8.
    pub verifier: CodeVerifier,
    /// Of the cookie that says which browser it is.
    pub browser: SecretHash,
    /// How the answer is to come.
    pub response_mode: ResponseMode,
    /// Where the user wanted to go.
    pub next: String,
    /// How many seconds ago the user may have signed in at most, if that was asked for.
    pub max_age: Option<u64>,
}

/// What step 9 brought. Tokens stay on the server.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Opens the userinfo endpoint.
    pub access_token: Secret,
    /// Says who signed in, once it is validated.
    pub id_token: Secret,
    /// Buys new ones, if it came along.
    pub refresh_token: Option<Secret>,
    /// Until when the access token is good, as far as that was said.
    pub expires: Option<Timestamp>,
    /// How far it reaches, if that was said.
    pub scope: Option<String>,
}

/// How far an attempt has come. A transition consumes the attempt, so that there is no way back.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// Everything for step 2 is made.
    Prepared(Arc<Kept>),
    /// The browser is on its way to the provider.
    Sent(Arc<Kept>),
    /// Step 7: the browser is back. Only one request gets this far.
    CalledBack(Arc<Kept>),
    /// Step 9: the tokens are here.
    TokensReceived(Arc<Kept>, Tokens),
    /// Step 10: the ID token is good.
    Validated,
    /// The provider answered with an error; nobody is signed in.
    Declined,
    /// We refused; a reload of the callback shows the same page again, in the same browser.
    Refused(SecretHash, Box<Problem>),
}

/// A stage was to follow that cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a login attempt that is {from} cannot become {to}")]
pub struct WrongStage {
    from: &'static str,
    to: &'static str,
}

/// What comes of claiming an attempt for the browser's return.
#[derive(Debug)]
pub enum Claim {
    /// It is this browser's, and it is the first time.
    Claimed(Arc<Kept>),
    /// No attempt has this `state`, or no longer.
    Unknown,
    /// Another browser started it.
    OtherBrowser,
    /// It has been claimed before.
    Used,
    /// It has been claimed before, and refused.
    Refused(Box<Problem>),
}

impl Attempt {
    /// Step 2 is done.
    pub fn send(self) -> Result<Self, WrongStage> {
        match self {
            Self::Prepared(kept) => Ok(Self::Sent(kept)),
            other => Err(other.cannot_become("sent")),
        }
    }

    /// Step 9 is done.
    pub fn receive(self, tokens: Tokens) -> Result<Self, WrongStage> {
        match self {
            Self::CalledBack(kept) => Ok(Self::TokensReceived(kept, tokens)),
            other => Err(other.cannot_become("tokens received")),
        }
    }

    /// Step 10 is done.
    pub fn validate(self) -> Result<Self, WrongStage> {
        match self {
            Self::TokensReceived(..) => Ok(Self::Validated),
            other => Err(other.cannot_become("validated")),
        }
    }

    /// The provider said no in step 6.
    pub fn decline(self) -> Result<Self, WrongStage> {
        match self {
            Self::CalledBack(_) => Ok(Self::Declined),
            other => Err(other.cannot_become("declined")),
        }
    }

    /// We say no, in step 7, 9 or 10.
    pub fn refuse(self, problem: Problem) -> Result<Self, WrongStage> {
        match self {
            Self::CalledBack(kept) | Self::TokensReceived(kept, _) => {
                Ok(Self::Refused(kept.browser, Box::new(problem)))
            }
            other => Err(other.cannot_become("refused")),
        }
    }

    /// The browser that shows `presented` as its cookie is back: step 7, once.
    fn claim(&mut self, presented: Option<&str>) -> Claim {
        let is_same = |browser: &SecretHash| presented.is_some_and(|cookie| browser.matches(cookie));
        match self {
            Self::Sent(kept) if is_same(&kept.browser) => {
                let kept = kept.clone();
                *self = Self::CalledBack(kept.clone());
                Claim::Claimed(kept)
            }
            Self::Refused(browser, problem) if is_same(browser) => Claim::Refused(problem.clone()),
            Self::Sent(_) | Self::Refused(..) => Claim::OtherBrowser,
            Self::Prepared(_) => Claim::Unknown,
            Self::CalledBack(_) | Self::TokensReceived(..) | Self::Validated | Self::Declined => Claim::Used,
        }
    }

    /// What its texts take, in bytes. What the provider says of itself is shared by all logins of a moment.
    fn weight(&self) -> usize {
        let of = |kept: &Kept| size_of::<Kept>() + kept.nonce.expose().len() + kept.next.len();
        match self {
            Self::Prepared(kept) | Self::Sent(kept) | Self::CalledBack(kept) => of(kept),
            Self::TokensReceived(kept, tokens) => {
                of(kept) + tokens.access_token.expose().len() + tokens.id_token.expose().len()
            }
            Self::Refused(_, problem) => {
                size_of::<Problem>() + problem.detail.as_ref().map_or(0, String::len)
            }
            Self::Validated | Self::Declined => 0,
        }
    }

    fn cannot_become(&self, to: &'static str) -> WrongStage {
        let from = match self {
            Self::Prepared(_) => "prepared",
            Self::Sent(_) => "sent",
            Self::CalledBack(_) => "called back",
            Self::TokensReceived(..) => "tokens received",
            Self::Validated => "validated",
            Self::Declined => "declined",
            Self::Refused(..) => "refused",
        };
        WrongStage { from, to }
    }
}

/// Where attempts are kept, under the hash of their `state`.
#[async_trait]
pub trait AttemptStore: Debug + Send + Sync {
    /// Adds one that began at `address`, until `expires`.
    async fn begin(
        &self,
        state: SecretHash,
        attempt: Attempt,
        address: Option<IpAddr>,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), Full>;

    /// Claims one for the return of a browser, in one step: of many requests at once one gets it.
    async fn claim(&self, state: SecretHash, presented: Option<&str>, now: Timestamp) -> Claim;

    /// Notes how far one has come.
    async fn put(&self, state: SecretHash, attempt: Attempt, now: Timestamp);

    /// Forgets those that took too long.
    async fn sweep(&self, now: Timestamp);

    /// Forgets those that began after `since`, in a time that never was.
    async fn forget_since(&self, since: Timestamp);
}

/// Attempts in the memory of this process. Anybody can begin one, so they count for the address that they began at.
#[derive(Debug)]
pub struct MemoryAttempts(ExpiringMap<SecretHash, Begun, IpAddr>);

#[derive(Debug)]
struct Begun {
    attempt: Attempt,
    address: Option<IpAddr>,
}

impl MemoryAttempts {
    /// Room for `capacity` attempts at a time.
    pub fn with_capacity(capacity: usize) -> Self {
        let weigh = |begun: &Begun| begun.attempt.weight();
        Self(ExpiringMap::shared(capacity, weigh, |begun| begun.address.into_iter().collect()))
    }
}

#[async_trait]
impl AttemptStore for MemoryAttempts {
    async fn begin(
        &self,
        state: SecretHash,
        attempt: Attempt,
        address: Option<IpAddr>,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), Full> {
        self.0.insert(state, Begun { attempt, address }, expires, now)
    }

    async fn claim(&self, state: SecretHash, presented: Option<&str>, now: Timestamp) -> Claim {
        self.0.update(&state, now, |begun| begun.attempt.claim(presented)).unwrap_or(Claim::Unknown)
    }

    async fn put(&self, state: SecretHash, attempt: Attempt, now: Timestamp) {
        self.0.update(&state, now, |begun| begun.attempt = attempt);
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}

#[cfg(test)]
mod tests;
