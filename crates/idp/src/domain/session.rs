//! The user's session at the provider: who has signed in with this browser, when and how. Several users may have.

use std::{net::IpAddr, time::Duration};

use shared::{clock::Timestamp, ids::Subject};

/// What `acr` says of a login with a password, and all that this provider can do. The name is SAML's, which is what
/// providers commonly use.
pub const ACR_PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";

/// How many users one browser can have signed in; the one who was least recently signed in makes room.
const MOST_ACCOUNTS: usize = 8;

/// That somebody proved who they are: the source of `sub`, `auth_time` and `amr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// Who.
    pub subject: Subject,
    /// When.
    pub at: Timestamp,
    /// How (RFC 8176 §2): `pwd`.
    pub methods: &'static [&'static str],
}

impl Authentication {
    /// Whether it is older than a request allows. `max_age=0` allows no earlier login at all, just as `prompt=login`
    /// (OpenID Connect Core §3.1.2.1).
    pub fn is_older_than(&self, max_age: u64, now: Timestamp) -> bool {
        max_age == 0 || now.since(self.at) > Duration::from_secs(max_age)
    }
}

/// How long a session lives.
#[derive(Clone, Copy, Debug)]
pub struct SessionLifetime {
    /// Without being used.
    pub idle: Duration,
    /// In all, counted from each user's login.
    pub most: Duration,
}

/// A session. Its id is known to the browser only; the store knows the id's hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserSession {
    /// The address that the last login came from, as far as that is known.
    pub address: Option<IpAddr>,
    accounts: Vec<Authentication>,
}

impl UserSession {
    /// Who is signed in, the latest login first.
    pub fn accounts(&self) -> &[Authentication] {
        &self.accounts
    }

    /// The login of one user.
    pub fn account(&self, subject: &Subject) -> Option<&Authentication> {
        self.accounts.iter().find(|account| account.subject == *subject)
    }

    /// Somebody signed in. Whoever else is signed in stays so.
    #[must_use]
    pub fn signed_in(mut self, authentication: Authentication) -> Self {
        self.sign_out(&authentication.subject);
        // One is what nearly every session has, and there are many sessions.
        self.accounts.reserve_exact(1);
        self.accounts.insert(0, authentication);
        self.accounts.truncate(MOST_ACCOUNTS);
        self
    }

    /// Somebody signed out.
    pub fn sign_out(&mut self, subject: &Subject) {
        self.accounts.retain(|account| account.subject != *subject);
    }

    /// Forgets the logins whose time is over.
    pub fn forget_ended(&mut self, now: Timestamp, lifetime: SessionLifetime) {
        self.accounts.retain(|account| now < account.at + lifetime.most);
    }

    /// When the session ends if it is used `now` and never again.
    pub fn expires(&self, now: Timestamp, lifetime: SessionLifetime) -> Timestamp {
        let last = self.accounts.iter().map(|account| account.at + lifetime.most).max();
        last.map_or(now, |last| (now + lifetime.idle).min(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(subject: &str, at: i64) -> Authentication {
        Authentication { subject: Subject::new(subject), at: Timestamp::from_unix(at), methods: &["pwd"] }
    }

    const LIFETIME: SessionLifetime =
        SessionLifetime { idle: Duration::from_secs(10), most: Duration::from_secs(25) };

    #[test]
    fn use_prolongs_a_session_but_not_for_ever() {
        let session = UserSession::default().signed_in(login("1", 100));
        assert_eq!(session.expires(Timestamp::from_unix(100), LIFETIME).as_unix(), 110);
        assert_eq!(session.expires(Timestamp::from_unix(120), LIFETIME).as_unix(), 125);
    }

    #[test]
    fn every_login_has_its_own_end() {
        let mut session = UserSession::default().signed_in(login("1", 100)).signed_in(login("2", 120));
        assert_eq!(session.expires(Timestamp::from_unix(124), LIFETIME).as_unix(), 134);
        session.forget_ended(Timestamp::from_unix(125), LIFETIME);
        assert_eq!(session.accounts(), [login("2", 120)]);
    }

    #[test]
    fn signing_in_again_replaces_the_old_login_and_no_one_elses() {
        let session = UserSession::default().signed_in(login("1", 1)).signed_in(login("2", 2));
        let session = session.signed_in(login("1", 3));
        assert_eq!(session.accounts(), [login("1", 3), login("2", 2)]);
    }

    #[test]
    fn a_browser_does_not_collect_users_without_end() {
        let session =
            (0..20).fold(UserSession::default(), |session, at| session.signed_in(login(&at.to_string(), at)));
        assert_eq!(session.accounts().len(), MOST_ACCOUNTS);
        assert!(session.account(&Subject::new("19")).is_some());
    }

    #[test]
    fn a_max_age_of_nothing_allows_no_earlier_login() {
        assert!(login("1", 100).is_older_than(0, Timestamp::from_unix(100)));
        assert!(!login("1", 100).is_older_than(5, Timestamp::from_unix(105)));
        assert!(login("1", 100).is_older_than(5, Timestamp::from_unix(106)));
    }
}
