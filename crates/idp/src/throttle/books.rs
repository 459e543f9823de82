//! The failures that the throttle counts, and how long whoever fails must wait. Pure: every change takes `now`.

use std::{collections::HashMap, time::Duration};

use shared::{clock::Timestamp, secret::SecretHash};
use web::expiring::{ExpiringMap, Full};

use super::Account;

/// How many failures an account has before anybody waits.
const FREE: u32 = 5;
/// For how long a failure is remembered.
pub(super) const WINDOW: Duration = Duration::from_secs(300);
/// The least time between two failures at an account that has none left: the wait of whoever did not fail.
pub(super) const PAUSE: Duration = Duration::from_secs(5);
/// The longest wait of a browser that fails again and again.
const LONGEST: Duration = Duration::from_secs(900);
/// How many failures there are over all; one comes back each second.
const OVER_ALL: u32 = 100;
/// How many accounts are remembered. Long before that many have failed, there are no failures left over all.
const ACCOUNTS: usize = 10_000;

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The password was right.
    Right,
    /// It was wrong.
    Wrong,
    /// It was not looked at.
    None,
}

/// Why an attempt does not begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// There were too many failures.
    For(Duration),
    /// It depends on what becomes of those under way.
    UntilVerdict,
}

/// All failures, and the attempts under way. One lock around them: what is judged and booked is one step.
#[derive(Debug)]
pub(super) struct Books {
    accounts: ExpiringMap<Account, Failures>,
    over_all: u32,
    under_way: u32,
    counted_at: Timestamp,
}

impl Books {
    /// Nobody has failed yet.
    pub(super) fn new(now: Timestamp) -> Self {
        let weigh = |failures: &Failures| failures.browsers.len() * size_of::<(SecretHash, Tries)>();
        let accounts = ExpiringMap::shared(ACCOUNTS, weigh, |_| Vec::new());
        Self { accounts, over_all: 0, under_way: 0, counted_at: now }
    }

    /// Begins an attempt, if it may fail.
    pub(super) fn begin(
        &mut self,
        account: Account,
        browser: SecretHash,
        now: Timestamp,
    ) -> Result<(), Hold> {
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

    /// Ends one.
    pub(super) fn end(&mut self, account: Account, browser: SecretHash, verdict: Verdict, now: Timestamp) {
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

    /// Forgets what has been quiet for long enough.
    pub(super) fn sweep(&self, now: Timestamp) {
        self.accounts.sweep(now);
    }

    /// Whether there is nothing to remember.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
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
