//! Step 4: how often a password may be wrong, per account, per browser, and over all (RFC 6819 §5.1.4.2).
//!
//! An account may be failed five times in five minutes. After that the browser that fails waits, twice as long each
//! time. Everybody else waits for five seconds at most: so long lie between two failures at one account, whoever makes
//! them. So a visitor who fails locks nobody else out, and whoever throws the cookie away, to pass as another browser,
//! gains one guess in five seconds. Over all accounts there may be a hundred failures, and one more with each second.
//!
//! Whether a password is wrong turns out when its hash is computed. Until then an attempt takes up a failure: of a
//! hundred at once as many are looked at as may fail, and the others wait for their verdicts. A right password gives
//! its failure back, and the next one goes on. This is why the crate `governor` does not do here: it cannot give back
//! what it has counted, and the right passwords of a class would use up what is meant for wrong ones.

mod books;

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::{
    clock::{Clock, Timestamp},
    secret::SecretHash,
};
use tokio::sync::{Notify, Semaphore};

use self::books::{Books, Hold, Verdict};
use crate::{
    domain::user::{User, Username},
    passwords::{Busy, MOST_WAITING},
};

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
    waiting: Semaphore,
    clock: Arc<dyn Clock>,
}

impl Throttle {
    /// Nobody has failed yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let books = Mutex::new(Books::new(clock.now()));
        Self { books, verdicts: Notify::new(), waiting: Semaphore::new(MOST_WAITING), clock }
    }

    /// Begins an attempt to sign in to `account` with `browser`, if it may fail. Waits while that depends on others.
    pub async fn begin(&self, account: Account, browser: SecretHash) -> Result<Attempt<'_>, Refused> {
        let _place = self.waiting.try_acquire().map_err(|_| Refused::Busy(Busy))?;
        loop {
            let mut verdict = pin!(self.verdicts.notified());
            // From here on no verdict is missed.
            verdict.as_mut().enable();
            let begun = self.books().begin(account, browser, self.clock.now());
            match begun {
                Ok(()) => return Ok(Attempt { throttle: self, account, browser, verdict: Verdict::Wrong }),
                Err(Hold::For(wait)) => return Err(Refused::TooSoon(wait)),
                Err(Hold::UntilVerdict) => verdict.await,
            }
        }
    }

    /// Forgets what has ended.
    pub fn sweep(&self, now: Timestamp) {
        self.books().sweep(now);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt under way. Whoever goes away before the verdict has failed: the hash may have been computed.
#[derive(Debug)]
#[must_use]
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    account: Account,
    browser: SecretHash,
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
        self.throttle.books().end(self.account, self.browser, self.verdict, now);
        self.throttle.verdicts.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use shared::clock::ManualClock;

    use super::{
        books::{PAUSE, WINDOW},
        *,
    };

    const START: Timestamp = Timestamp::from_unix(1_000_000);

    fn throttle() -> (Throttle, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(START));
        (Throttle::new(clock.clone()), clock)
    }

    fn account(name: &str) -> Account {
        Account::of(None, &Username::parse(name))
    }

    fn browser(number: u32) -> SecretHash {
        SecretHash::of(&number.to_string())
    }

    /// Tries a wrong password; the seconds to wait when it is not even looked at.
    async fn fails(throttle: &Throttle, name: &str, with: u32) -> Option<u64> {
        match throttle.begin(account(name), browser(with)).await {
            Ok(attempt) => {
                drop(attempt);
                None
            }
            Err(Refused::TooSoon(wait)) => Some(wait.as_secs()),
            Err(Refused::Busy(_)) => Some(0),
        }
    }

    #[tokio::test]
    async fn i10_after_five_failures_a_browser_waits_twice_as_long_each_time() {
        let (throttle, clock) = throttle();
        for _ in 0..5 {
            assert_eq!(fails(&throttle, "a", 1).await, None);
        }
        for wait in [5, 10, 20, 40, 80, 160, 320, 640, 900, 900] {
            assert_eq!(fails(&throttle, "a", 1).await, Some(wait));
            clock.advance(Duration::from_secs(wait - 1));
            assert_eq!(fails(&throttle, "a", 1).await, Some(1));
            clock.advance(Duration::from_secs(1));
            assert_eq!(fails(&throttle, "a", 1).await, None);
        }
        assert_eq!(fails(&throttle, "b", 1).await, None, "another account is another matter");
    }

    #[tokio::test]
    async fn i10_whoever_did_not_fail_waits_for_seconds_only() {
        let (throttle, clock) = throttle();
        for _ in 0..20 {
            fails(&throttle, "a", 1).await;
            clock.advance(Duration::from_secs(60));
        }
        assert!(fails(&throttle, "a", 1).await > Some(60));
        throttle.begin(account("a"), browser(2)).await.unwrap().succeed();
        assert_eq!(fails(&throttle, "a", 3).await, None);
        assert_eq!(fails(&throttle, "a", 4).await, Some(5));
    }

    #[tokio::test]
    async fn i10_to_throw_the_cookie_away_wins_a_guess_in_five_seconds() {
        let (throttle, clock) = throttle();
        let mut guesses = 0;
        for second in 0..300 {
            for again in 0..3 {
                let guessed = fails(&throttle, "a", 3 * second + again).await.is_none();
                guesses += u32::from(guessed);
            }
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(guesses, 5 + 59);
    }

    #[tokio::test]
    async fn i10_of_a_hundred_wrong_passwords_at_once_five_are_looked_at() {
        let (throttle, _) = throttle();
        let looked_at = async |number: u32| match throttle.begin(account("a"), browser(number)).await {
            Ok(_attempt) => {
                tokio::task::yield_now().await;
                true
            }
            Err(refused) => {
                assert_eq!(refused, Refused::TooSoon(PAUSE));
                false
            }
        };
        let looked_at = join_all((0..100).map(looked_at)).await;
        assert_eq!(looked_at.into_iter().filter(|looked_at| *looked_at).count(), 5);
    }

    #[tokio::test]
    async fn i10_of_a_hundred_right_passwords_at_once_all_are_looked_at() {
        const MISTYPED: u32 = 1000;
        let (throttle, _) = throttle();
        let mistyped = async || {
            for _ in 0..4 {
                fails(&throttle, "a", MISTYPED).await;
            }
        };
        mistyped().await;
        let signs_in = async |number: u32| {
            let attempt = throttle.begin(account("a"), browser(number)).await.unwrap();
            tokio::task::yield_now().await;
            attempt.succeed();
        };
        join_all((0..100).map(signs_in)).await;
        throttle.begin(account("a"), browser(MISTYPED)).await.unwrap().succeed();
        assert!(throttle.books().is_empty(), "nothing is left to remember");
        mistyped().await;
        assert_eq!(fails(&throttle, "a", MISTYPED).await, None, "what was only mistyped does not count");
    }

    #[tokio::test]
    async fn i10_five_quiet_minutes_make_up_for_failures() {
        let (throttle, clock) = throttle();
        for number in 0..4 {
            fails(&throttle, "a", number).await;
        }
        clock.advance(WINDOW);
        for number in 0..5 {
            assert_eq!(fails(&throttle, "a", number).await, None);
        }
        assert_eq!(fails(&throttle, "a", 5).await, Some(5));
        throttle.sweep(START + WINDOW + WINDOW);
        assert!(throttle.books().is_empty());
    }

    #[tokio::test]
    async fn i10_a_hundred_failures_over_all_and_then_one_a_second() {
        let (throttle, clock) = throttle();
        for number in 0..100 {
            assert_eq!(fails(&throttle, &format!("user {number}"), number).await, None);
        }
        assert_eq!(fails(&throttle, "another user", 1000).await, Some(1));
        clock.advance(Duration::from_secs(2));
        let admitted = join_all((0..10).map(async |number: u32| {
            let attempt = throttle.begin(account(&number.to_string()), browser(number)).await;
            tokio::task::yield_now().await;
            attempt.is_ok()
        }));
        assert_eq!(admitted.await.into_iter().filter(|admitted| *admitted).count(), 2);
    }

    #[tokio::test]
    async fn i10_a_password_that_was_not_looked_at_did_not_fail() {
        let (throttle, _) = throttle();
        for number in 0..200 {
            throttle.begin(account("a"), browser(number)).await.unwrap().give_up();
        }
        assert!(throttle.books().is_empty());
    }

    #[test]
    fn i10_all_names_of_one_user_are_one_account() {
        let user = crate::demo::users().unwrap().remove(0);
        let account = |typed| Account::of(Some(&user), &Username::parse(typed));
        assert_eq!(account("demo"), account("1@example.com"));
        let nobody = |typed| Account::of(None, &Username::parse(typed));
        assert_eq!(nobody("Alice"), nobody("alice "));
        assert_ne!(nobody("alice"), nobody("bob"));
        assert_ne!(nobody("1"), account("demo"));
    }
}
