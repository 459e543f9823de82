//! Logouts under way: the browser is at the provider and is to come back with the `state` that it was sent away with
//! (OpenID Connect RP-Initiated Logout §2). By then its session here has ended, so they have a store of their own.

use std::net::IpAddr;

use shared::{clock::Timestamp, secret::SecretHash};
use web::expiring::{ExpiringMap, Full};

/// Under the hash of its `state`, each logout. Anybody who has an account can begin many, so they count for the address
/// that they began at.
#[derive(Debug)]
pub struct Logouts(ExpiringMap<SecretHash, Begun, IpAddr>);

#[derive(Debug)]
struct Begun {
    /// Of the cookie that says which browser it is.
    browser: SecretHash,
    address: Option<IpAddr>,
}

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
        Self(ExpiringMap::shared(capacity, |_| 0, |begun| begun.address.into_iter().collect()))
    }

    /// Adds one that began at `address`, until `expires`.
    pub fn begin(
        &self,
        state: SecretHash,
        browser: SecretHash,
        address: Option<IpAddr>,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), Full> {
        self.0.insert(state, Begun { browser, address }, expires, now)
    }

    /// Ends one for the browser that shows `presented` as its cookie. Of many returns at once one is expected.
    pub fn finish(&self, state: SecretHash, presented: Option<&str>, now: Timestamp) -> Return {
        let is_same = |begun: &Begun| presented.is_some_and(|cookie| begun.browser.matches(cookie));
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

    /// Forgets those that began after `since`, in a time that never was.
    pub fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
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
            logouts.begin(SecretHash::of(state), SecretHash::of("cookie"), None, LATER, NOW).unwrap();
        }
        let finish = |state, cookie, now| logouts.finish(SecretHash::of(state), cookie, now);
        assert_eq!(finish("s", None, NOW), Return::OtherBrowser);
        assert_eq!(finish("s", Some("another"), NOW), Return::OtherBrowser);
        assert_eq!(finish("s", Some("cookie"), NOW), Return::Expected);
        assert_eq!(finish("s", Some("cookie"), NOW), Return::Unknown);
        assert_eq!(finish("t", Some("cookie"), LATER), Return::Unknown);
        assert_eq!(finish("u", Some("cookie"), NOW), Return::Unknown);
    }

    #[test]
    fn i23_one_address_leaves_room_for_the_logouts_of_others() {
        let logouts = Logouts::with_capacity(8);
        let begun = |address: &str| {
            let begin = |number: &usize| {
                let state = SecretHash::of(&format!("{address} {number}"));
                logouts.begin(state, SecretHash::of("cookie"), address.parse().ok(), LATER, NOW).is_ok()
            };
            (0..8).filter(begin).count()
        };
        assert_eq!((begun("192.0.2.1"), begun("192.0.2.2")), (4, 4));
    }
}
