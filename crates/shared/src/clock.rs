//! Time, passed in. Domain code takes `now`; only the edges of a server ask a [`Clock`].

use std::{
    fmt,
    ops::{Add, Sub},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, as in `exp`, `iat` and `auth_time` (RFC 7519 §2,
/// "`NumericDate`").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point in time that lies `seconds` after 1970-01-01T00:00:00Z.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_unix(self) -> i64 {
        self.0
    }

    /// How much time has passed since `earlier`; zero when `earlier` is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a server gets the time from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time at this moment.
    fn now(&self) -> Timestamp;

    /// The same in milliseconds since 1970-01-01T00:00:00Z, for showing what happened within a second. No rule of the
    /// protocol is judged by it.
    fn now_millis(&self) -> i64 {
        self.now().as_unix().saturating_mul(1000)
    }
}

/// The clock of the computer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the computer's clock")]
    fn now(&self) -> Timestamp {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(since_1970.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the computer's clock")]
    fn now_millis(&self) -> i64 {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since_1970.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is told to move: tests wait for nothing.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    pub const fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the hands forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that can be put forward, and back to what the one inside it says: a time machine for learners.
#[derive(Debug)]
pub struct ShiftedClock {
    within: Arc<dyn Clock>,
    /// By how many seconds it is ahead.
    ahead: AtomicI64,
    /// What it showed when it was put forward first. Whoever moves it holds this.
    left: Mutex<Timestamp>,
}

impl ShiftedClock {
    /// A clock that shows what `within` does.
    pub fn around(within: Arc<dyn Clock>) -> Self {
        Self { within, ahead: AtomicI64::new(0), left: Mutex::new(Timestamp(0)) }
    }

    /// Puts it forward.
    pub fn skip(&self, by: Duration) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = self.ahead.load(Ordering::SeqCst);
        if ahead == 0 {
            *left = self.within.now();
        }
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        self.ahead.store(ahead.saturating_add(seconds), Ordering::SeqCst);
    }

    /// Puts it back. Returns the time that it left: whatever began later began in a time that never was. `None` if it was
    /// not ahead.
    pub fn return_to_present(&self) -> Option<Timestamp> {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let was_ahead = self.ahead.swap(0, Ordering::SeqCst) != 0;
        was_ahead.then_some(*left)
    }

    /// What the clock inside shows.
    pub fn present(&self) -> Timestamp {
        self.within.now()
    }

    /// By how much it is ahead.
    pub fn ahead(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.ahead.load(Ordering::SeqCst)).unwrap_or(0))
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        self.within.now() + self.ahead()
    }

    fn now_millis(&self) -> i64 {
        let ahead = i64::try_from(self.ahead().as_millis()).unwrap_or(i64::MAX);
        self.within.now_millis().saturating_add(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_machine_goes_forward_and_back_to_when_it_left() {
        let within = Arc::new(ManualClock::at(Timestamp::from_unix(100)));
        let clock = ShiftedClock::around(within.clone());
        assert_eq!(clock.return_to_present(), None);
        clock.skip(Duration::from_secs(60));
        within.advance(Duration::from_secs(5));
        clock.skip(Duration::from_secs(600));
        assert_eq!((clock.now().as_unix(), clock.now_millis()), (765, 765_000));
        assert_eq!(clock.return_to_present(), Some(Timestamp::from_unix(100)));
        assert_eq!((clock.now().as_unix(), clock.ahead()), (105, Duration::ZERO));
    }

    #[test]
    fn time_passes_only_when_a_manual_clock_is_advanced() {
        let clock = ManualClock::at(Timestamp::from_unix(100));
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_secs(60));
        assert_eq!(clock.now().as_unix(), 160);
    }

    #[test]
    fn nothing_has_passed_since_a_later_moment() {
        let (early, late) = (Timestamp::from_unix(1), Timestamp::from_unix(9));
        assert_eq!(late.since(early), Duration::from_secs(8));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
