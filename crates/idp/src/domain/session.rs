//! The user's session at the provider: who signed in with this browser, when and how.

use std::time::Duration;

use shared::{clock::Timestamp, ids::Subject};

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

/// How long a session lives.
#[derive(Clone, Copy, Debug)]
pub struct SessionLifetime {
    /// Without being used.
    pub idle: Duration,
    /// In all.
    pub most: Duration,
}

/// A session. Its id is known to the browser only; the store knows the id's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSession {
    /// The login that started it.
    pub authentication: Authentication,
}

impl UserSession {
    /// When the session ends if it is used `now` and never again.
    pub fn expires(&self, now: Timestamp, lifetime: SessionLifetime) -> Timestamp {
        (now + lifetime.idle).min(self.authentication.at + lifetime.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_prolongs_a_session_but_not_for_ever() {
        let lifetime = SessionLifetime { idle: Duration::from_secs(10), most: Duration::from_secs(25) };
        let start = Timestamp::from_unix(100);
        let authentication = Authentication { subject: Subject::new("1"), at: start, methods: &["pwd"] };
        let session = UserSession { authentication };
        assert_eq!(session.expires(start, lifetime).as_unix(), 110);
        assert_eq!(session.expires(Timestamp::from_unix(120), lifetime).as_unix(), 125);
    }
}
