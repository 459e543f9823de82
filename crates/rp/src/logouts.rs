//! Logouts under way: the browser is at the provider and is to come back with the `state` that it was sent away with
//! (OpenID Connect RP-Initiated Logout §2). By then its session here has ended, so they have a store of their own.

use shared::{clock::Timestamp, secret::SecretHash};
use web::expiring::{ExpiringMap, Full};

/// Under the hash of its `state`, the hash of the cookie that says which browser it is.
#[derive(Debug)]
pub struct Logouts(ExpiringMap<SecretHash, SecretHash>);

/// What comes of a browser's return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// From a logout that this browser began, for the first time.
    Expected,
    /// No logout has this `state`, or no longer.
    Unknown,
    /// Another browser began it, and may still come back.
    OtherBrowser,
}

impl Logouts {
    /// Room for `capacity` logouts at a time.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(ExpiringMap::with_capacity(capacity))
    }

    /// Adds one, until `expires`.
    pub fn begin(
        &self,
        state: SecretHash,
        browser: SecretHash,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), Full> {
        self.0.insert(state, browser, expires, now)
    }

    /// Ends one for the browser that shows `presented` as its cookie. Of many returns at once one is expected.
    pub fn finish(&self, state: SecretHash, presented: Option<&str>, now: Timestamp) -> Return {
        let is_same = |browser: &SecretHash| presented.is_some_and(|cookie| browser.matches(cookie));
        match self.0.read(&state, now, is_same) {
            Some(true) if self.0.take(&state, now).is_some() => Return::Expected,
            Some(false) => Return::OtherBrowser,
            Some(true) | None => Return::Unknown,
        }
    }

    /// Forgets those that took too long.
    pub fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1000);
    const LATER: Timestamp = Timestamp::from_unix(1600);

    #[test]
    fn r14_a_logout_is_finished_once_in_time_and_by_its_own_browser_only() {
        let logouts = Logouts::with_capacity(8);
        for state in ["s", "t"] {
            logouts.begin(SecretHash::of(state), SecretHash::of("cookie"), LATER, NOW).unwrap();
        }
        let finish = |state, cookie, now| logouts.finish(SecretHash::of(state), cookie, now);
        assert_eq!(finish("s", None, NOW), Return::OtherBrowser);
        assert_eq!(finish("s", Some("another"), NOW), Return::OtherBrowser);
        assert_eq!(finish("s", Some("cookie"), NOW), Return::Expected);
        assert_eq!(finish("s", Some("cookie"), NOW), Return::Unknown);
        assert_eq!(finish("t", Some("cookie"), LATER), Return::Unknown);
        assert_eq!(finish("u", Some("cookie"), NOW), Return::Unknown);
    }
}
