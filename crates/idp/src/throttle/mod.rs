//! Step 4: how often a password may be wrong: per account, per browser, per address, and over all (RFC 6819 §5.1.4.2).
//!
//! An account may be failed five times in five minutes, an address twenty times, and all together a hundred times. From
//! then on there is little: at an account and from an address a failure in five seconds, over all one in a second. The
//! browser that fails waits twice as long each time.
//!
//! What little there is goes first to whoever was told to wait, did, and comes back. If somebody else was faster all the
//! same, the browser gets a time of its own. Who never waits never comes first, however often it asks. And a browser
//! that has signed in to the account before has its own few tries there: what strangers do does not concern it.
//!
//! Whether a password is wrong turns out when its hash is computed. Until then an attempt takes up a failure: of a
//! hundred at once as many are looked at as may fail, and the others wait for their verdicts. A right password gives
//! its failure back, and the next one goes on. This is why the crate `governor` does not do here: it cannot give back
//! what it has counted, and the right passwords of a class would use up what is meant for wrong ones.

mod books;
mod count;
mod line;

use std::{
    collections::HashMap,
    net::IpAddr,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::{
    clock::{Clock, Timestamp},
    secret::SecretHash,
};
use tokio::sync::Notify;

use self::books::{Books, Counts, Hold, Verdict};
use crate::{
    domain::user::{User, Username},
    passwords::Busy,
};

/// How many wait for verdicts at one account, and at all. They wait in open connections, of which there is an end, too.
const MOST_WAITING_EACH: usize = 128;
const MOST_WAITING: usize = 1024;

/// Whose password it would be. Names that nobody has are throttled in the same way: nobody learns who is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account(SecretHash);

impl Account {
    /// The account behind a name: all names of one user are one account.
    pub fn of(user: Option<&User>, name: &Username) -> Self {
        Self(match user {
            Some(user) => SecretHash::of(&format!("user {}", user.subject)),
            None => SecretHash::of(&format!("nobody {}", name.as_str())),
        })
    }
}

/// Who tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The browser, by the hash of its cookie.
    pub browser: SecretHash,
    /// The address it comes from, as far as that is known.
    pub address: Option<IpAddr>,
}

/// Why an attempt does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There were too many failures; come back after this time.
    TooSoon(Duration),
    /// Too many are waiting already.
    Busy(Busy),
}

/// Counts failures.
#[derive(Debug)]
pub struct Throttle {
    books: Mutex<Books>,
    verdicts: Notify,
    waiting: Mutex<HashMap<Account, usize>>,
    clock: Arc<dyn Clock>,
}

impl Throttle {
    /// Nobody has failed yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let books = Mutex::new(Books::new(clock.now()));
        Self { books, verdicts: Notify::new(), waiting: Mutex::default(), clock }
    }

    /// Begins an attempt of `visitor` to sign in to `account`, if it may fail. Waits while that depends on others.
    pub async fn begin(&self, account: Account, visitor: Visitor) -> Result<Attempt<'_>, Refused> {
        let mut place = None;
        loop {
            let mut verdict = pin!(self.verdicts.notified());
            // From here on no verdict is missed.
            verdict.as_mut().enable();
            let begun = self.books().begin(account, visitor, self.clock.now());
            match begun {
                Ok(counted) => {
                    return Ok(Attempt {
                        throttle: self,
                        account,
                        visitor,
                        counted,
                        verdict: Verdict::Wrong,
                    });
                }
                Err(Hold::For(wait)) => return Err(Refused::TooSoon(wait)),
                Err(Hold::UntilVerdict) => {
                    if place.is_none() {
                        place = Some(self.place(account).ok_or(Refused::Busy(Busy))?);
                    }
                    verdict.await;
                }
            }
        }
    }

    /// A place to wait in, if there is one.
    fn place(&self, account: Account) -> Option<Place<'_>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.values().sum::<usize>() >= MOST_WAITING {
            return None;
        }
        let here = waiting.entry(account).or_default();
        (*here < MOST_WAITING_EACH).then(|| {
            *here += 1;
            Place { throttle: self, account }
        })
    }

    /// Forgets what has ended.
    pub fn sweep(&self, now: Timestamp) {
        self.books().sweep(now);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait.
#[derive(Debug)]
struct Place<'a> {
    throttle: &'a Throttle,
    account: Account,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.throttle.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = waiting.get_mut(&self.account) {
            *here -= 1;
            if *here == 0 {
                waiting.remove(&self.account);
            }
        }
    }
}

/// An attempt under way. Whoever goes away before the verdict has failed: the hash may have been computed.
#[derive(Debug)]
#[must_use]
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    account: Account,
    visitor: Visitor,
    counted: Counts,
    verdict: Verdict,
}

impl Attempt<'_> {
    /// The password was right. What this browser failed before was only mistyped.
    pub fn succeed(mut self) {
        self.verdict = Verdict::Right;
    }

    /// The password was not looked at.
    pub fn give_up(mut self) {
        self.verdict = Verdict::None;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = self.throttle.clock.now();
        self.throttle.books().end(self.account, self.visitor, self.counted, self.verdict, now);
        self.throttle.verdicts.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
