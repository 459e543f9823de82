//! How often a password may be wrong: per account, per browser, and over all (RFC 6819 §5.1.4.2).
//!
//! An account has [`FREE`] failures, each forgotten when its browser has been quiet for [`WINDOW`]. After that the
//! browser that fails waits, twice as long each time. Everybody else waits for the next [`PAUSE`] at most: between two
//! failures at one account lies one, whoever makes them. So a visitor who fails locks nobody else out, and whoever
//! throws the cookie away, to look like another browser, gains nothing but that pause.
//!
//! Whether a password is wrong turns out when its hash is computed. Until then an attempt takes up a failure: of a
//! hundred at once as many are looked at as may fail, and the rest wait for the verdicts. A right password gives its
//! failure back, and the next one goes on. That is why the crate `governor` does not do here: what it has counted it
//! cannot give back, and the right passwords of a class would use up what is meant for wrong ones.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::{
    clock::{Clock, Timestamp},
    secret::SecretHash,
};
use tokio::sync::{Notify, Semaphore};
use web::expiring::{ExpiringMap, Full};

use crate::{
    domain::user::{User, Username},
    passwords::{Busy, MOST_WAITING},
};

/// How many failures an account has before anybody waits.
const FREE: u32 = 5;
/// For how long a failure is remembered.
const WINDOW: Duration = Duration::from_secs(300);
/// The least time between two failures at an account that has none left: the wait of whoever did not fail.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest wait of a browser that fails again and again.
const LONGEST: Duration = Duration::from_secs(900);
/// How many failures there are over all; one comes back each second.
const OVER_ALL: u32 = 100;
/// How many accounts are remembered. Long before that many have failed, there are no failures left over all.
const ACCOUNTS: usize = 10_000;

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
        self.books().accounts.sweep(now);
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Right,
    Wrong,
    None,
}

/// Why an attempt does not begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    For(Duration),
    UntilVerdict,
}

/// All failures, and the attempts under way. One lock around them: what is judged and booked is one step.
#[derive(Debug)]
struct Books {
    accounts: ExpiringMap<Account, Failures>,
    over_all: u32,
    under_way: u32,
    counted_at: Timestamp,
}

impl Books {
    fn new(now: Timestamp) -> Self {
        let weigh = |failures: &Failures| failures.browsers.len() * size_of::<(SecretHash, Tries)>();
        let accounts = ExpiringMap::shared(ACCOUNTS, weigh, |_| Vec::new());
        Self { accounts, over_all: 0, under_way: 0, counted_at: now }
    }

    fn begin(&mut self, account: Account, browser: SecretHash, now: Timestamp) -> Result<(), Hold> {
        self.over_all_admits(now)?;
        self.change(account, now, |failures| {
            failures.admits(browser, now)?;
            failures.under_way += 1;
            Ok(())
        })
        .unwrap_or(Err(Hold::For(PAUSE)))?;
        self.under_way += 1;
        Ok(())
    }

    fn end(&mut self, account: Account, browser: SecretHash, verdict: Verdict, now: Timestamp) {
        self.under_way -= 1;
        if verdict == Verdict::Wrong {
            self.over_all += 1;
        }
        // It is remembered while an attempt is under way, so it need not fit in.
        let _ = self.change(account, now, |failures| {
            failures.under_way = failures.under_way.saturating_sub(1);
            match verdict {
                Verdict::Right => drop(failures.browsers.remove(&browser)),
                Verdict::Wrong => failures.add(browser, now),
                Verdict::None => {}
            }
        });
    }

    fn over_all_admits(&mut self, now: Timestamp) -> Result<(), Hold> {
        let passed = u32::try_from(now.since(self.counted_at).as_secs()).unwrap_or(u32::MAX);
        self.over_all = self.over_all.saturating_sub(passed);
        self.counted_at = now;
        match self.over_all {
            OVER_ALL.. => Err(Hold::For(Duration::from_secs(1))),
            failed if failed + self.under_way >= OVER_ALL => Err(Hold::UntilVerdict),
            _ => Ok(()),
        }
    }

    /// Changes what is known of an account. One without a failure is not kept.
    fn change<R>(
        &self,
        account: Account,
        now: Timestamp,
        change: impl FnOnce(&mut Failures) -> R,
    ) -> Result<R, Full> {
        if self.accounts.read(&account, now, |_| ()).is_none() {
            self.accounts.insert(account, Failures::none(now), now + WINDOW, now)?;
        }
        let changed = self.accounts.update_with_expiry(&account, now, |failures, expires| {
            let changed = change(failures);
            *expires = failures.forgotten(now);
            (changed, failures.is_empty())
        });
        let (changed, is_empty) = changed.ok_or(Full)?;
        if is_empty {
            self.accounts.take(&account, now);
        }
        Ok(changed)
    }
}

/// The failures at one account, by browser.
#[derive(Debug)]
struct Failures {
    browsers: HashMap<SecretHash, Tries>,
    under_way: u32,
    paused_until: Timestamp,
}

/// The failures of one browser at one account.
#[derive(Debug)]
struct Tries {
    failed: u32,
    waits_until: Timestamp,
}

impl Tries {
    fn forgotten(&self) -> Timestamp {
        self.waits_until + WINDOW
    }
}

impl Failures {
    fn none(now: Timestamp) -> Self {
        Self { browsers: HashMap::new(), under_way: 0, paused_until: now }
    }

    fn is_empty(&self) -> bool {
        self.browsers.is_empty() && self.under_way == 0
    }

    fn forgotten(&self, now: Timestamp) -> Timestamp {
        self.browsers.values().map(Tries::forgotten).fold(now + WINDOW, Timestamp::max)
    }

    fn count(&self) -> u32 {
        self.browsers.values().map(|tries| tries.failed).sum()
    }

    fn admits(&mut self, browser: SecretHash, now: Timestamp) -> Result<(), Hold> {
        self.browsers.retain(|_, tries| now < tries.forgotten());
        let own = self.browsers.get(&browser).map_or(now, |tries| tries.waits_until);
        if now < own {
            return Err(Hold::For(own.since(now)));
        }
        let failed = self.count();
        if failed >= FREE && now < self.paused_until {
            return Err(Hold::For(self.paused_until.since(now)));
        }
        // Those without a verdict may fail too. After the last free one there is one at a time.
        let left = FREE.saturating_sub(failed).max(1);
        if self.under_way < left { Ok(()) } else { Err(Hold::UntilVerdict) }
    }

    fn add(&mut self, browser: SecretHash, now: Timestamp) {
        let tries = self.browsers.entry(browser).or_insert(Tries { failed: 0, waits_until: now });
        tries.failed += 1;
        tries.waits_until = now + wait_after(tries.failed);
        if self.count() >= FREE {
            self.paused_until = now + PAUSE;
        }
    }
}

/// How long the browser waits that has failed so often: from its last free failure on twice as long each time.
fn wait_after(failed: u32) -> Duration {
    match failed.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(doublings) => PAUSE.saturating_mul(2u32.saturating_pow(doublings)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use shared::clock::ManualClock;

    use super::*;

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
        assert!(throttle.books().accounts.is_empty(), "nothing is left to remember");
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
        assert!(throttle.books().accounts.is_empty());
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
        assert!(throttle.books().accounts.is_empty());
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
