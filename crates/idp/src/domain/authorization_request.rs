//! An authorization request that has been checked (step 2), and whose login it accepts (OpenID Connect Core §3.1.2.3).

use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    pkce::CodeChallenge,
    scope::Scope,
};

use super::{
    audience::Audience,
    claims_request::{self, ClaimsRequest},
    consent::Permissions,
    prompt::Prompt,
    return_address::ReturnAddress,
    session::{Authentication, UserSession},
};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub return_address: ReturnAddress,
    /// What is asked for, as far as the client is registered for it.
    pub scope: Scope,
    /// Where the access token is to be used.
    pub audience: Audience,
    /// The client's own value for the ID token.
    pub nonce: Option<String>,
    /// What the verifier of step 8 must meet.
    pub challenge: Option<CodeChallenge>,
    /// Which pages the user is to see.
    pub prompt: Prompt,
    /// How many seconds the login may be old.
    pub max_age: Option<u64>,
    /// Whom `id_token_hint` names.
    pub hint: Hint,
    /// The users of whom one must be the one whom the answer is about, out of `id_token_hint` and `claims`.
    pub subjects: Option<Vec<Subject>>,
    /// Whom the client expects, as a name or an e-mail address.
    pub login_hint: Option<String>,
    /// Claims that are asked for one by one, and `acr`.
    pub claims: ClaimsRequest,
    /// In which languages the client would like the pages to be.
    pub ui_locales: Option<String>,
}

/// What `id_token_hint` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hint {
    /// There is none.
    #[default]
    Absent,
    /// It is about this user.
    User(Subject),
    /// It cannot be verified, perhaps because the key that signed it is gone: nobody's login will do.
    Unverified,
}

impl Hint {
    /// Whom it names.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::User(subject) => Some(subject.clone()),
            Self::Absent | Self::Unverified => None,
        }
    }
}

/// Whom a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It does not say.
    Anybody,
    /// This user.
    User(Subject),
    /// Somebody whom this provider does not know.
    Stranger,
}

/// Whose login answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// This one.
    Known(Authentication),
    /// One of those in the session; the user is to choose.
    Choice,
    /// None: somebody is to sign in, this user if it is known who.
    Nobody(Option<Subject>),
}

impl AuthorizationRequest {
    /// How much it takes, in bytes, with what the client wrote.
    pub fn weight(&self) -> usize {
        let texts = [
            self.return_address.state(),
            self.nonce.as_deref(),
            self.login_hint.as_deref(),
            self.ui_locales.as_deref(),
        ];
        let texts = texts.into_iter().flatten().chain(self.scope.iter());
        let subjects = claims_request::weight_of(self.subjects.as_deref());
        size_of::<Self>() + texts.map(str::len).sum::<usize>() + subjects + self.claims.weight()
    }

    /// Scope values, and the claims beyond them.
    pub fn permissions(&self) -> Permissions {
        let by_scope = Permissions { scope: self.scope.clone(), ..Permissions::default() };
        let claims = self.claims.userinfo.iter().chain(&self.claims.id_token);
        let beyond = claims.filter(|claim| !by_scope.opens(claim)).cloned().collect();
        Permissions { claims: beyond, ..by_scope }
    }

    /// Whether a login that has been made already will do.
    pub fn accepts(&self, authentication: &Authentication, now: Timestamp) -> bool {
        !self.prompt.login && !self.max_age.is_some_and(|age| authentication.is_older_than(age, now))
    }

    /// Whether the answer may be about this user.
    pub fn admits(&self, subject: &Subject) -> bool {
        self.subjects.as_ref().is_none_or(|named| named.contains(subject))
    }

    /// Whose login answers it, out of those in the browser's session.
    pub fn account(&self, session: &UserSession, wanted: &Wanted, now: Timestamp) -> Account {
        let admitted = |account: &&Authentication| self.admits(&account.subject);
        let accounts: Vec<&Authentication> = session.accounts().iter().filter(admitted).collect();
        let [latest, others @ ..] = &accounts[..] else {
            return Account::Nobody(wanted.user());
        };
        if self.prompt.select_account {
            return Account::Choice;
        }
        let account = match wanted {
            Wanted::User(subject) => accounts.iter().find(|account| account.subject == *subject),
            Wanted::Stranger => None,
            Wanted::Anybody if others.is_empty() => Some(latest),
            Wanted::Anybody if self.prompt.login => None,
            Wanted::Anybody => return Account::Choice,
        };
        match account {
            Some(account) if self.accepts(account, now) => Account::Known((*account).clone()),
            Some(account) => Account::Nobody(Some(account.subject.clone())),
            None => Account::Nobody(wanted.user()),
        }
    }
}

impl Wanted {
    fn user(&self) -> Option<Subject> {
        match self {
            Self::User(subject) => Some(subject.clone()),
            Self::Anybody | Self::Stranger => None,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use shared::params::Params;

    use super::*;
    use crate::{demo, domain::redirect_uri::RedirectUri};

    const NOW: Timestamp = Timestamp::from_unix(1000);

    pub(in crate::domain) fn asked(change: impl FnOnce(&mut AuthorizationRequest)) -> AuthorizationRequest {
        let redirect_uri = "http://127.0.0.1:5002/auth";
        let client = demo::clients(&RedirectUri::parse(redirect_uri).unwrap()).remove(0);
        let query = format!("redirect_uri={redirect_uri}");
        let params = Params::parse(query.as_bytes(), &[]).unwrap();
        let mut request = AuthorizationRequest {
            return_address: ReturnAddress::of(&client, &params).unwrap(),
            client_id: client.id,
            scope: Scope::parse("openid email").unwrap(),
            audience: Audience::from_iter([]),
            nonce: None,
            challenge: None,
            prompt: Prompt::default(),
            max_age: None,
            hint: Hint::Absent,
            subjects: None,
            login_hint: None,
            claims: ClaimsRequest::default(),
            ui_locales: None,
        };
        change(&mut request);
        request
    }

    fn login(subject: &str, at: i64) -> Authentication {
        Authentication { subject: Subject::new(subject), at: Timestamp::from_unix(at), methods: &["pwd"] }
    }

    fn session(logins: &[Authentication]) -> UserSession {
        logins.iter().cloned().fold(UserSession::default(), UserSession::signed_in)
    }

    #[test]
    fn without_a_session_somebody_must_sign_in() {
        let nobody = session(&[]);
        let select = asked(|request| request.prompt.select_account = true);
        assert_eq!(asked(|_| ()).account(&nobody, &Wanted::Anybody, NOW), Account::Nobody(None));
        assert_eq!(select.account(&nobody, &Wanted::Anybody, NOW), Account::Nobody(None));
    }

    #[test]
    fn one_user_goes_on_and_of_two_one_is_chosen() {
        let (one, two) = (session(&[login("1", 900)]), session(&[login("1", 900), login("2", 950)]));
        let request = asked(|_| ());
        assert_eq!(request.account(&one, &Wanted::Anybody, NOW), Account::Known(login("1", 900)));
        assert_eq!(request.account(&two, &Wanted::Anybody, NOW), Account::Choice);
        let wanted = Wanted::User(Subject::new("2"));
        assert_eq!(request.account(&two, &wanted, NOW), Account::Known(login("2", 950)));
        assert_eq!(request.account(&two, &Wanted::Stranger, NOW), Account::Nobody(None));
        assert_eq!(request.account(&one, &wanted, NOW), Account::Nobody(Some(Subject::new("2"))));
    }

    #[test]
    fn prompt_login_and_an_old_login_ask_for_the_password_again() {
        let one = session(&[login("1", 900)]);
        let again = Account::Nobody(Some(Subject::new("1")));
        let prompted = asked(|request| request.prompt.login = true);
        assert_eq!(prompted.account(&one, &Wanted::Anybody, NOW), again);
        let old = asked(|request| request.max_age = Some(99));
        assert_eq!(old.account(&one, &Wanted::Anybody, NOW), again);
        let young = asked(|request| request.max_age = Some(100));
        assert_eq!(young.account(&one, &Wanted::Anybody, NOW), Account::Known(login("1", 900)));
    }

    #[test]
    fn only_claims_that_no_scope_opens_are_permissions_of_their_own() {
        let request = asked(|request| {
            request.claims.userinfo = vec!["email".into(), "name".into()];
            request.claims.id_token = vec!["name".into()];
        });
        assert_eq!(request.permissions().claims.into_iter().collect::<Vec<_>>(), ["name"]);
    }
}
