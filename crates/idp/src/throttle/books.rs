//! All failures that the throttle counts, and whose attempt begins. Pure: every change takes `now`.

use std::{net::IpAddr, time::Duration};

use shared::{clock::Timestamp, secret::SecretHash};
use web::expiring::{ExpiringMap, Full};

use super::{
    Account, Visitor,
    count::{Bucket, Failures, Size, Tries},
    line::Line,
};

/// For how long a failure at an account is remembered.
pub(super) const WINDOW: Duration = Duration::from_secs(300);
/// The least time between two failures at an account that has none left.
pub(super) const PAUSE: Duration = Duration::from_secs(5);
/// How many failures there are over all. From one address there are a fifth of it, and what comes back is less than
/// what comes back over all: nobody uses that up alone.
const OVER_ALL: Size = Size { most: 100, back: Duration::from_secs(1) };
const OF_AN_ADDRESS: Size = Size { most: 20, back: PAUSE };
/// How many accounts and addresses are remembered. Long before that many have failed, there are no failures left over
/// all.
const MOST: usize = 10_000;
/// How long an account knows a browser that has signed in, and how many are known.
const KNOWN: Duration = Duration::from_secs(24 * 3600);
const MOST_KNOWN: usize = 10_000;

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

/// Where an attempt counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// With all others: the browser is a stranger to the account.
    AsAStranger,
    /// By itself: it has signed in to the account before.
    ByItself,
}

/// A browser that has signed in to an account.
#[derive(Debug)]
struct Known {
    account: Account,
    tries: Tries,
}

/// All failures, and the attempts under way. One lock around them: what is judged and booked is one step.
#[derive(Debug)]
pub(super) struct Books {
    accounts: ExpiringMap<Account, Failures>,
    addresses: ExpiringMap<IpAddr, Bucket>,
    over_all: Bucket,
    known: ExpiringMap<(Account, SecretHash), Known, Account>,
}

impl Books {
    /// Nobody has failed yet.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            accounts: ExpiringMap::shared(MOST, Failures::weight, |_| Vec::new()),
            addresses: ExpiringMap::shared(MOST, Bucket::weight, |_| Vec::new()),
            over_all: Bucket::empty(OVER_ALL, now),
            known: ExpiringMap::shared(MOST_KNOWN, |_| 0, |known: &Known| vec![known.account])
                .in_shares(|_| 8),
        }
    }

    /// Begins an attempt, if it may fail.
    pub(super) fn begin(
        &mut self,
        account: Account,
        visitor: Visitor,
        now: Timestamp,
    ) -> Result<Counts, Hold> {
        let begun = self.known.update(&(account, visitor.browser), now, |known| known.tries.begin(now));
        if let Some(begun) = begun {
            return begun.map(|()| Counts::ByItself);
        }
        let browser = visitor.browser;
        let own = self.accounts.update(&account, now, |failures| failures.own_wait(browser, now));
        if let Some(wait) = own.flatten() {
            return Err(Hold::For(wait));
        }
        let holds = [
            self.over_all.hold(browser, now),
            self.accounts.update(&account, now, |failures| failures.hold(browser, now)).flatten(),
            visitor
                .address
                .and_then(|address| self.addresses.update(&address, now, |bucket| bucket.hold(browser, now)))
                .flatten(),
        ];
        let wait = holds.iter().filter_map(|hold| match hold {
            Some(Hold::For(wait)) => Some(*wait),
            Some(Hold::UntilVerdict) | None => None,
        });
        if let Some(wait) = wait.max() {
            return Err(Hold::For(self.come_back(account, visitor, now + wait, now).since(now)));
        }
        if holds.contains(&Some(Hold::UntilVerdict)) {
            return Err(Hold::UntilVerdict);
        }
        let full = |Full| Hold::For(PAUSE);
        self.account(account, now, |failures| failures.begin(browser)).map_err(full)?;
        if let Some(address) = visitor.address {
            let begun = self.address(address, now, |bucket| bucket.begin(browser));
            if begun.is_err() {
                // It was never under way.
                let _ = self.account(account, now, |failures| failures.end(browser, None, now));
                return Err(Hold::For(PAUSE));
            }
        }
        self.over_all.begin(browser);
        Ok(Counts::AsAStranger)
    }

    /// Ends one. It is remembered while an attempt is under way, so it need not fit in.
    pub(super) fn end(
        &mut self,
        account: Account,
        visitor: Visitor,
        counted: Counts,
        verdict: Verdict,
        now: Timestamp,
    ) {
        let browser = visitor.browser;
        let failed = verdict == Verdict::Wrong;
        if counted == Counts::ByItself {
            self.known.update(&(account, browser), now, |known| known.tries.end(failed, now));
        } else {
            self.over_all.end(failed, now);
            let looked_at = (verdict != Verdict::None).then_some(failed);
            let _ = self.account(account, now, |failures| failures.end(browser, looked_at, now));
            if let Some(address) = visitor.address {
                let _ = self.address(address, now, |bucket| bucket.end(failed, now));
            }
        }
        if verdict == Verdict::Right {
            let known = Known { account, tries: Tries::none(now) };
            // When there is no room for it, it stays a stranger.
            let _ = self.known.insert((account, browser), known, now + KNOWN, now);
        }
    }

    /// Tells a browser when to come back, in every line in which it stands. Who has waited as told and is refused all the
    /// same gets a time of its own.
    fn come_back(
        &mut self,
        account: Account,
        visitor: Visitor,
        opens: Timestamp,
        now: Timestamp,
    ) -> Timestamp {
        let browser = visitor.browser;
        let (mut waited, mut due) = (false, opens);
        self.in_every_line(account, visitor, now, |line| {
            waited |= line.rank(browser, now) > 0;
            due = line.too_early(browser, now).map_or(due, |early| due.max(early));
        });
        if waited {
            self.in_every_line(account, visitor, now, |line| {
                due = line.after_reserved().map_or(due, |free| due.max(free));
            });
        }
        self.in_every_line(account, visitor, now, |line| line.tell(browser, due, waited));
        due
    }

    fn in_every_line(
        &mut self,
        account: Account,
        visitor: Visitor,
        now: Timestamp,
        mut look: impl FnMut(&mut Line),
    ) {
        look(&mut self.over_all.line);
        self.accounts.update_with_expiry(&account, now, |failures, expires| {
            look(&mut failures.line);
            *expires = failures.forgotten(now).max(*expires);
        });
        if let Some(address) = visitor.address {
            self.addresses.update_with_expiry(&address, now, |bucket, expires| {
                look(&mut bucket.line);
                *expires = bucket.forgotten(now).max(*expires);
            });
        }
    }

    /// Forgets what has been quiet for long enough.
    pub(super) fn sweep(&self, now: Timestamp) {
        self.accounts.sweep(now);
        self.addresses.sweep(now);
        self.known.sweep(now);
    }

    /// Whether there is no failure at any account to remember.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Changes what is known of an account. One without a failure is not kept.
    fn account<R>(
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

    /// The same for an address.
    fn address<R>(
        &self,
        address: IpAddr,
        now: Timestamp,
        change: impl FnOnce(&mut Bucket) -> R,
    ) -> Result<R, Full> {
        if self.addresses.read(&address, now, |_| ()).is_none() {
            self.addresses.insert(address, Bucket::empty(OF_AN_ADDRESS, now), now + WINDOW, now)?;
        }
        let changed = self.addresses.update_with_expiry(&address, now, |bucket, expires| {
            let changed = change(bucket);
            *expires = bucket.forgotten(now);
            (changed, bucket.is_empty())
        });
        let (changed, is_empty) = changed.ok_or(Full)?;
        if is_empty {
            self.addresses.take(&address, now);
        }
        Ok(changed)
    }
}
