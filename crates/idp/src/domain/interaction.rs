//! An interaction: a validated authorization request on its way through login and consent (steps 2 to 6).
//!
//! It stays on the server. The browser carries an unguessable handle and nothing of the request, so nothing of it can
//! be changed between login and consent.

use std::{net::IpAddr, sync::Arc};

use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    secret::SecretHash,
};

use super::{InvalidTransition, authorization_request::AuthorizationRequest, session::Authentication};

/// What the user is to do next.
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
}

/// How far an interaction has come.
#[derive(Clone, Debug)]
pub enum Progress {
    /// Steps 2 to 5: something is to be done.
    Open {
        /// What was asked for. Everybody who looks at it looks at the same one.
        request: Arc<AuthorizationRequest>,
        /// What comes next.
        stage: Stage,
    },
    /// Step 6: the browser has been sent back. Of the request nothing is kept but what a page needs that says so.
    Answered {
        /// Who asked.
        client_id: ClientId,
        /// In which languages the client would like the pages to be.
        ui_locales: Option<String>,
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
}

impl Progress {
    /// What comes next, as long as something does.
    pub const fn stage(&self) -> Option<&Stage> {
        match self {
            Self::Open { stage, .. } => Some(stage),
            Self::Answered { .. } => None,
        }
    }

    fn name(&self) -> &'static str {
        self.stage().map_or("the request is answered", Stage::name)
    }

    /// The progress after `event`.
    pub fn after(self, event: Event) -> Result<Self, InvalidTransition> {
        match self {
            Self::Open { request, stage } => Ok(Self::Open { request, stage: stage.after(event)? }),
            answered @ Self::Answered { .. } => {
                Err(InvalidTransition { change: event.name(), stage: answered.name() })
            }
        }
    }

    /// The user who signed in with this login decided; a decision about another login is none. It is made once.
    pub fn decided(self, by: &Authentication) -> Result<Self, InvalidTransition> {
        match self {
            Self::Open { request, stage: Stage::AwaitingConsent { authentication } }
                if authentication == *by =>
            {
                let (client_id, ui_locales) = (request.client_id.clone(), request.ui_locales.clone());
                Ok(Self::Answered { client_id, ui_locales })
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
    /// What was asked for, and how far that has come.
    pub progress: Progress,
    /// When it ends, decided or not.
    pub expires: Timestamp,
}

impl Interaction {
    /// Who asks.
    pub fn client_id(&self) -> &ClientId {
        match &self.progress {
            Progress::Open { request, .. } => &request.client_id,
            Progress::Answered { client_id, .. } => client_id,
        }
    }

    /// The client's own value, as long as it is needed.
    pub fn client_state(&self) -> Option<&str> {
        match &self.progress {
            Progress::Open { request, .. } => request.return_address.state(),
            Progress::Answered { .. } => None,
        }
    }

    /// In which languages the client would like the pages to be.
    pub fn ui_locales(&self) -> Option<&str> {
        match &self.progress {
            Progress::Open { request, .. } => request.ui_locales.as_deref(),
            Progress::Answered { ui_locales, .. } => ui_locales.as_deref(),
        }
    }

    /// How much it keeps beside its own size, in bytes.
    pub fn weight(&self) -> usize {
        match &self.progress {
            Progress::Open { request, .. } => request.weight(),
            Progress::Answered { ui_locales, .. } => ui_locales.as_deref().unwrap_or_default().len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authorization_request::tests::asked;

    const NOW: Timestamp = Timestamp::from_unix(100);
    const NOBODY: Stage = Stage::AwaitingLogin { user: None };

    fn login() -> Authentication {
        Authentication { subject: Subject::new("1"), at: NOW, methods: &["pwd"] }
    }

    fn open(stage: Stage) -> Progress {
        Progress::Open { request: Arc::new(asked(|_| ())), stage }
    }

    #[test]
    fn a_request_is_signed_in_then_decided_and_no_other_way() {
        assert!(open(NOBODY).decided(&login()).is_err());
        let awaiting = open(NOBODY).after(Event::SignedIn(login())).unwrap();
        let other = Authentication { subject: Subject::new("2"), ..login() };
        assert!(awaiting.clone().decided(&other).is_err());
        let answered = awaiting.decided(&login()).unwrap();
        assert!(answered.clone().decided(&login()).is_err());
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
