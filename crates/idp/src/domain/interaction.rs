//! An interaction: a validated authorization request on its way through login and consent (steps 2 to 6).
//!
//! It stays on the server. The browser carries an unguessable handle and nothing of the request, so nothing of it can
//! be changed between login and consent.

use std::net::IpAddr;

use shared::{clock::Timestamp, ids::Subject, secret::SecretHash};

use super::{InvalidTransition, authorization_request::AuthorizationRequest, session::Authentication};

/// How far an interaction has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Step 3, when there is a choice: one of those who are signed in with this browser, or somebody else.
    AwaitingAccount,
    /// Steps 3 and 4: somebody is to sign in.
    AwaitingLogin {
        /// Who, as far as that is known.
        user: Option<Subject>,
    },
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

/// What happened to an interaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A password was right.
    SignedIn(Authentication),
    /// One of those who are signed in was chosen.
    AccountChosen(Authentication),
    /// There is no login that counts: the session has ended, the login is too old, or somebody else is to sign in.
    LoginNeeded(Option<Subject>),
    /// The user wants to go on as somebody else.
    AccountNeeded,
}

impl Event {
    const fn name(&self) -> &'static str {
        match self {
            Self::SignedIn(_) => "signing in",
            Self::AccountChosen(_) => "choosing an account",
            Self::LoginNeeded(_) => "signing in again",
            Self::AccountNeeded => "changing the account",
        }
    }
}

impl Stage {
    const fn name(&self) -> &'static str {
        match self {
            Self::AwaitingAccount => "the choice of an account is awaited",
            Self::AwaitingLogin { .. } => "the login is awaited",
            Self::AwaitingConsent { .. } => "the consent is awaited",
            Self::Answered { .. } => "the request is answered",
        }
    }

    /// The stage after `event`.
    pub fn after(self, event: Event) -> Result<Self, InvalidTransition> {
        match (self, event) {
            (Self::AwaitingLogin { .. }, Event::SignedIn(authentication))
            | (Self::AwaitingAccount, Event::AccountChosen(authentication)) => {
                Ok(Self::AwaitingConsent { authentication })
            }
            (Self::AwaitingAccount | Self::AwaitingConsent { .. }, Event::LoginNeeded(user)) => {
                Ok(Self::AwaitingLogin { user })
            }
            (Self::AwaitingConsent { .. }, Event::AccountNeeded) => Ok(Self::AwaitingAccount),
            (stage, event) => Err(InvalidTransition { change: event.name(), stage: stage.name() }),
        }
    }

    /// The user who signed in with this login decided; a decision about another login is none. It is made once.
    pub fn decided(self, by: &Authentication, now: Timestamp) -> Result<Self, InvalidTransition> {
        match self {
            Self::AwaitingConsent { authentication } if authentication == *by => {
                Ok(Self::Answered { at: now })
            }
            other => Err(InvalidTransition { change: "deciding", stage: other.name() }),
        }
    }
}

/// An interaction. The store knows the hash of its handle only.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// The browser that it belongs to, by the hash of its cookie.
    pub browser: SecretHash,
    /// The address that it came from, as far as that is known.
    pub address: Option<IpAddr>,
    /// What was asked for.
    pub request: AuthorizationRequest,
    /// How far it has come.
    pub stage: Stage,
    /// When it ends, decided or not.
    pub expires: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(100);
    const NOBODY: Stage = Stage::AwaitingLogin { user: None };

    fn login() -> Authentication {
        Authentication { subject: Subject::new("1"), at: NOW, methods: &["pwd"] }
    }

    #[test]
    fn a_request_is_signed_in_then_decided_and_no_other_way() {
        assert!(NOBODY.decided(&login(), NOW).is_err());
        let awaiting = NOBODY.after(Event::SignedIn(login())).unwrap();
        let other = Authentication { subject: Subject::new("2"), ..login() };
        assert!(awaiting.clone().decided(&other, NOW).is_err());
        let answered = awaiting.decided(&login(), NOW).unwrap();
        assert!(answered.clone().decided(&login(), NOW).is_err());
        for event in [
            Event::SignedIn(login()),
            Event::AccountChosen(login()),
            Event::LoginNeeded(None),
            Event::AccountNeeded,
        ] {
            assert!(answered.clone().after(event).is_err());
        }
    }

    #[test]
    fn an_account_is_chosen_only_where_a_choice_is_awaited() {
        assert!(NOBODY.after(Event::AccountChosen(login())).is_err());
        assert!(Stage::AwaitingAccount.after(Event::SignedIn(login())).is_err());
        let chosen = Stage::AwaitingAccount.after(Event::AccountChosen(login())).unwrap();
        assert_eq!(chosen.clone().after(Event::AccountNeeded).unwrap(), Stage::AwaitingAccount);
        assert_eq!(chosen.after(Event::LoginNeeded(None)).unwrap(), NOBODY);
    }
}
