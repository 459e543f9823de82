//! Failures that are counted: of one browser at one account, of one account, and in a bucket that empties with time.

use std::{collections::HashMap, time::Duration};

use shared::{clock::Timestamp, secret::SecretHash};

use super::{
    books::{Hold, PAUSE, WINDOW},
    line::{Line, Open},
};

/// How many failures an account has before anybody waits, and a browser that is known to it besides.
const FREE: u32 = 5;
/// The longest wait of a browser that fails again and again.
const LONGEST: Duration = Duration::from_secs(900);

/// The failures of one browser at one account.
#[derive(Debug)]
pub(super) struct Tries {
    failed: u32,
    under_way: u32,
    waits_until: Timestamp,
}

impl Tries {
    pub(super) const fn none(now: Timestamp) -> Self {
        Self { failed: 0, under_way: 0, waits_until: now }
    }

    fn forgotten(&self) -> Timestamp {
        self.waits_until + WINDOW
    }

    fn fail(&mut self, now: Timestamp) {
        self.failed += 1;
        self.waits_until = now + wait_after(self.failed);
    }

    /// Begins an attempt that counts here and nowhere else.
    pub(super) fn begin(&mut self, now: Timestamp) -> Result<(), Hold> {
        if self.forgotten() <= now {
            self.failed = 0;
        }
        if now < self.waits_until {
            return Err(Hold::For(self.waits_until.since(now)));
        }
        if self.under_way >= FREE.saturating_sub(self.failed).max(1) {
            return Err(Hold::UntilVerdict);
        }
        self.under_way += 1;
        Ok(())
    }

    /// Ends one.
    pub(super) fn end(&mut self, failed: bool, now: Timestamp) {
        self.under_way = self.under_way.saturating_sub(1);
        if failed {
            self.fail(now);
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

/// The failures of strangers at one account, by browser.
#[derive(Debug)]
pub(super) struct Failures {
    browsers: HashMap<SecretHash, Tries>,
    under_way: u32,
    paused_until: Timestamp,
    pub(super) line: Line,
}

impl Failures {
    pub(super) fn none(now: Timestamp) -> Self {
        Self { browsers: HashMap::new(), under_way: 0, paused_until: now, line: Line::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.browsers.is_empty() && self.under_way == 0
    }

    pub(super) fn forgotten(&self, now: Timestamp) -> Timestamp {
        let ends = self.browsers.values().map(Tries::forgotten).chain(self.line.ends());
        ends.fold(now + WINDOW, Timestamp::max)
    }

    pub(super) fn weight(&self) -> usize {
        self.browsers.len() * size_of::<(SecretHash, Tries)>() + self.line.weight()
    }

    fn count(&self) -> u32 {
        self.browsers.values().map(|tries| tries.failed).sum()
    }

    /// How long this browser waits because it failed here itself.
    pub(super) fn own_wait(&mut self, browser: SecretHash, now: Timestamp) -> Option<Duration> {
        self.browsers.retain(|_, tries| now < tries.forgotten());
        let until = self.browsers.get(&browser)?.waits_until;
        (now < until).then(|| until.since(now))
    }

    /// Why it does not begin now, if it does not. Those without a verdict may fail too. After the last free failure
    /// there is one at a time.
    pub(super) fn hold(&mut self, browser: SecretHash, now: Timestamp) -> Option<Hold> {
        let failed = self.count();
        let scarce = failed >= FREE;
        let from = if scarce { self.paused_until } else { now };
        let left = FREE.saturating_sub(failed).max(1);
        self.line.hold(browser, &Open { from, left, under_way: self.under_way, scarce }, now)
    }

    pub(super) fn begin(&mut self, browser: SecretHash) {
        self.line.begins(browser);
        self.under_way += 1;
    }

    /// An attempt failed, or did not (`Some(false)`: what failed before was only mistyped).
    pub(super) fn end(&mut self, browser: SecretHash, failed: Option<bool>, now: Timestamp) {
        self.under_way = self.under_way.saturating_sub(1);
        match failed {
            Some(false) => drop(self.browsers.remove(&browser)),
            Some(true) => {
                self.browsers.entry(browser).or_insert(Tries::none(now)).fail(now);
                if self.count() >= FREE {
                    self.paused_until = now + PAUSE;
                }
            }
            None => {}
        }
    }
}

/// How many failures a bucket takes, and in what time one comes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) most: u32,
    pub(super) back: Duration,
}

/// Failures that count together, whatever account they were at.
#[derive(Debug)]
pub(super) struct Bucket {
    size: Size,
    failed: u32,
    under_way: u32,
    counted_at: Timestamp,
    pub(super) line: Line,
}

impl Bucket {
    pub(super) fn empty(size: Size, now: Timestamp) -> Self {
        Self { size, failed: 0, under_way: 0, counted_at: now, line: Line::default() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.failed == 0 && self.under_way == 0
    }

    pub(super) fn forgotten(&self, now: Timestamp) -> Timestamp {
        let empties = self.counted_at + self.size.back * (self.failed + self.under_way);
        self.line.ends().into_iter().fold(empties.max(now + WINDOW), Timestamp::max)
    }

    pub(super) fn weight(&self) -> usize {
        self.line.weight()
    }

    pub(super) fn hold(&mut self, browser: SecretHash, now: Timestamp) -> Option<Hold> {
        self.count(now);
        let left = self.size.most.saturating_sub(self.failed);
        let from = if left == 0 { self.counted_at + self.size.back } else { now };
        let open = Open { from, left, under_way: self.under_way, scarce: left <= FREE };
        self.line.hold(browser, &open, now)
    }

    pub(super) fn begin(&mut self, browser: SecretHash) {
        self.line.begins(browser);
        self.under_way += 1;
    }

    pub(super) fn end(&mut self, failed: bool, now: Timestamp) {
        self.count(now);
        self.under_way = self.under_way.saturating_sub(1);
        self.failed += u32::from(failed);
    }

    fn count(&mut self, now: Timestamp) {
        let every = self.size.back.as_secs();
        let back = u32::try_from(now.since(self.counted_at).as_secs() / every).unwrap_or(u32::MAX);
        self.counted_at = if back < self.failed { self.counted_at + self.size.back * back } else { now };
        self.failed = self.failed.saturating_sub(back);
    }
}
