//! Who comes next where attempts are scarce: whoever waited as told, before whoever did not.

use std::{collections::HashMap, time::Duration};

use shared::{clock::Timestamp, secret::SecretHash};

use super::books::{Hold, PAUSE};

/// For how long a ticket counts once its time has come.
const HELD: Duration = Duration::from_secs(10);
/// How many browsers one line remembers.
const MOST: usize = 4096;

/// When a browser was told to come back.
#[derive(Debug)]
struct Ticket {
    due: Timestamp,
    /// It has waited as told before, and somebody else was faster: now it comes before those who were not refused twice.
    reserved: bool,
}

impl Ticket {
    fn rank(&self, now: Timestamp) -> u8 {
        if now < self.due { 0 } else { 1 + u8::from(self.reserved) }
    }
}

/// Those who were told to come back.
#[derive(Debug, Default)]
pub(super) struct Line {
    tickets: HashMap<SecretHash, Ticket>,
    scarce: bool,
}

/// What there is to share out at one moment.
pub(super) struct Open {
    /// When the next attempt may begin.
    pub(super) from: Timestamp,
    /// How many may fail.
    pub(super) left: u32,
    /// How many of these are under way.
    pub(super) under_way: u32,
    /// Whether there is no more than what comes back little by little.
    pub(super) scarce: bool,
}

impl Line {
    /// Why `browser` does not begin now, if it does not.
    pub(super) fn hold(&mut self, browser: SecretHash, open: &Open, now: Timestamp) -> Option<Hold> {
        self.tickets.retain(|_, ticket| now < ticket.due + HELD);
        self.scarce = open.scarce;
        let rank = self.rank(browser, now);
        let ahead = self.tickets.values().filter(|ticket| open.scarce && ticket.rank(now) > rank).count();
        if now < open.from {
            return Some(Hold::For(open.from.since(now)));
        }
        if ahead >= open.left.saturating_sub(open.under_way).max(1) as usize {
            return Some(Hold::For(PAUSE));
        }
        match open.under_way < open.left {
            true => None,
            // Where there is hardly anything left, to wait for a verdict is for those who waited as told.
            false if open.scarce && rank == 0 => Some(Hold::For(PAUSE)),
            false => Some(Hold::UntilVerdict),
        }
    }

    /// How far ahead a browser is: not at all, because it waited as told, or because it did so in vain.
    pub(super) fn rank(&self, browser: SecretHash, now: Timestamp) -> u8 {
        self.tickets.get(&browser).map_or(0, |ticket| ticket.rank(now))
    }

    /// When a browser is to come back that asks too early. Who has a reservation keeps it; who has none waits anew.
    pub(super) fn too_early(&self, browser: SecretHash, now: Timestamp) -> Option<Timestamp> {
        let ticket = self.tickets.get(&browser).filter(|ticket| now < ticket.due)?;
        Some(if ticket.reserved { ticket.due } else { now + PAUSE })
    }

    /// When the next reservation may begin.
    pub(super) fn after_reserved(&self) -> Option<Timestamp> {
        self.tickets.values().filter(|ticket| ticket.reserved).map(|ticket| ticket.due + PAUSE).max()
    }

    /// Tells a browser when to come back. Where there is enough, there is nothing to stand in line for.
    pub(super) fn tell(&mut self, browser: SecretHash, due: Timestamp, waited: bool) {
        if !self.scarce {
            return;
        }
        let kept = self.tickets.get(&browser).is_some_and(|ticket| ticket.reserved);
        if self.tickets.len() < MOST || self.tickets.contains_key(&browser) {
            self.tickets.insert(browser, Ticket { due, reserved: waited || kept });
        }
    }

    /// Its turn has come.
    pub(super) fn begins(&mut self, browser: SecretHash) {
        self.tickets.remove(&browser);
    }

    /// When nobody in it counts any more.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        self.tickets.values().map(|ticket| ticket.due + HELD).max()
    }

    /// How much it keeps, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.tickets.len() * size_of::<(SecretHash, Ticket)>()
    }
}
