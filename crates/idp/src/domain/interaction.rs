//! An interaction: a validated authorization request on its way through login and consent (steps 2 to 6).
//!
//! It stays on the server. The browser carries an unguessable handle and nothing of the request, so nothing of it can be
//! changed between login and consent.

use shared::{clock::Timestamp, ids::ClientId, pkce::CodeChallenge, scope::Scope, secret::SecretHash};

use super::{InvalidTransition, return_address::ReturnAddress, session::Authentication};

/// What was asked for, checked in step 2.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub return_address: ReturnAddress,
    /// What is asked for, as far as the client is registered for it.
    pub scope: Scope,
    /// The client's own value for the ID token.
    pub nonce: Option<String>,
    /// What the verifier of step 8 must meet.
    pub challenge: CodeChallenge,
    /// In which languages the client would like the pages to be.
    pub ui_locales: Option<String>,
}

/// How far an interaction has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Steps 3 and 4: nobody has signed in.
    AwaitingLogin,
    /// Step 5: somebody has, and is asked.
    AwaitingConsent {
        /// Their login.
        authentication: Authentication,
    },
    /// Step 6: the browser has been sent back.
    Answered {
        /// When.
        at: Timestamp,
    },
}

impl Stage {
    const fn name(&self) -> &'static str {
        match self {
            Self::AwaitingLogin => "the login is awaited",
            Self::AwaitingConsent { .. } => "the consent is awaited",
            Self::Answered { .. } => "the request is answered",
        }
    }

    /// Somebody signed in.
    pub fn signed_in(self, authentication: Authentication) -> Result<Self, InvalidTransition> {
        match self {
            Self::AwaitingLogin => Ok(Self::AwaitingConsent { authentication }),
            other => Err(InvalidTransition { change: "signing in", stage: other.name() }),
        }
    }

    /// The login does not count any more: the session that it started has ended, or is another user's.
    pub fn signed_out(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::AwaitingConsent { .. } => Ok(Self::AwaitingLogin),
            other => Err(InvalidTransition { change: "signing in again", stage: other.name() }),
        }
    }

    /// The user decided. Whoever gets this login may answer the RP; nobody gets it twice.
    pub fn decided(self, now: Timestamp) -> Result<(Authentication, Self), InvalidTransition> {
        match self {
            Self::AwaitingConsent { authentication } => Ok((authentication, Self::Answered { at: now })),
            other => Err(InvalidTransition { change: "deciding", stage: other.name() }),
        }
    }
}

/// An interaction. The store knows the hash of its handle only.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// The browser that it belongs to, by the hash of its cookie.
    pub browser: SecretHash,
    /// What was asked for.
    pub request: AuthorizationRequest,
    /// How far it has come.
    pub stage: Stage,
    /// When it ends, decided or not.
    pub expires: Timestamp,
}

#[cfg(test)]
mod tests {
    use shared::ids::Subject;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(100);

    fn login() -> Authentication {
        Authentication { subject: Subject::new("1"), at: NOW, methods: &["pwd"] }
    }

    #[test]
    fn a_request_is_signed_in_then_decided_and_no_other_way() {
        assert!(Stage::AwaitingLogin.decided(NOW).is_err());
        let awaiting = Stage::AwaitingLogin.signed_in(login()).unwrap();
        let (by, answered) = awaiting.decided(NOW).unwrap();
        assert_eq!(by, login());
        assert!(answered.clone().decided(NOW).is_err());
        assert!(answered.clone().signed_in(login()).is_err());
        assert!(answered.signed_out().is_err());
    }
}
