//! Step 4: passwords are checked with Argon2id (RFC 9106), away from the threads that serve requests, in a bounded
//! number of slots.
//!
//! One hash needs 19 MiB and some milliseconds. A slot keeps its memory and lends it to the next hash, so that
//! what all logins together can take is known: slots × 19 MiB. A hash cannot be stopped: it has its slot until it is
//! computed, also when whoever waited for it is gone.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use argon2::Block;
use shared::{random::Random, secret::Secret};
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::domain::password::{HashError, PasswordHash};

/// How many checks may wait for a slot; more are turned away.
pub const MOST_WAITING: usize = 256;

/// Too many checks are waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many password checks are waiting")]
pub struct Busy;

/// Checks passwords.
#[derive(Debug)]
pub struct Passwords {
    slots: Arc<Semaphore>,
    waiting: Semaphore,
    memory: Mutex<Vec<Vec<Block>>>,
    nobody: PasswordHash,
    computed: AtomicU64,
}

impl Passwords {
    /// As many slots as there are processors.
    pub fn new(random: &dyn Random) -> Result<Self, HashError> {
        let slots = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with_slots(slots, random)
    }

    fn with_slots(slots: usize, random: &dyn Random) -> Result<Self, HashError> {
        // A user who does not exist has a password too, which nobody knows.
        let nobody = PasswordHash::of_nobody(random)?;
        Ok(Self {
            slots: Arc::new(Semaphore::new(slots)),
            waiting: Semaphore::new(MOST_WAITING),
            memory: Mutex::default(),
            nobody,
            computed: AtomicU64::new(0),
        })
    }

    /// Whether `password` has the hash `expected`. Without one, which means that there is no such user, exactly as
    /// much is computed, and the answer is no.
    pub async fn verify(
        self: &Arc<Self>,
        password: Secret,
        expected: Option<PasswordHash>,
    ) -> Result<bool, Busy> {
        let _place = self.waiting.try_acquire().map_err(|_| Busy)?;
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| Busy)?;
        let this = Arc::clone(self);
        let verified = tokio::task::spawn_blocking(move || {
            let mut memory = this.lend();
            let exists = expected.is_some();
            let matches = expected.as_ref().unwrap_or(&this.nobody).matches(&password, &mut memory);
            this.computed.fetch_add(1, Ordering::Relaxed);
            this.give_back(memory);
            // The slot goes along. Were it free here already, the next hash would start a thread of its own instead of
            // using this one.
            (matches && exists, slot)
        });
        verified.await.map(|(verified, _slot)| verified).map_err(|_| Busy)
    }

    /// How many hashes have been computed.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    fn lend(&self) -> Vec<Block> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_else(PasswordHash::memory)
    }

    /// Before the slot is free: whoever gets it finds the memory there, so there is never more memory than slots.
    fn give_back(&self, memory: Vec<Block>) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use shared::random::SystemRandom;

    use super::*;

    #[tokio::test]
    async fn i11_as_much_is_computed_for_nobody_as_for_somebody() {
        let passwords = Arc::new(Passwords::new(&SystemRandom).unwrap());
        let known = Some(PasswordHash::of(&Secret::new("right"), &SystemRandom).unwrap());
        assert_eq!(passwords.verify(Secret::new("right"), known.clone()).await, Ok(true));
        assert_eq!(passwords.verify(Secret::new("wrong"), known).await, Ok(false));
        assert_eq!(passwords.verify(Secret::new("right"), None).await, Ok(false));
        assert_eq!(passwords.computed(), 3);
    }

    #[tokio::test]
    async fn i9_a_hash_that_nobody_waits_for_keeps_its_slot_until_it_is_computed() {
        const SLOTS: usize = 2;
        let passwords = Arc::new(Passwords::with_slots(SLOTS, &SystemRandom).unwrap());
        let mut begun = 0;
        for _ in 0..20 {
            let mut verified = Box::pin(passwords.verify(Secret::new("wrong"), None));
            // It gets a slot at once, if there is one; then the visitor goes away.
            assert_eq!((&mut verified).now_or_never(), None);
            drop(verified);
            let computing = SLOTS - passwords.slots.available_permits();
            begun += 1;
            let computed = usize::try_from(passwords.computed()).unwrap();
            assert!(begun.min(SLOTS) <= computing + computed, "{computing} hold a slot, {computed} are done");
        }
        let all = passwords.slots.acquire_many(u32::try_from(SLOTS).unwrap()).await.unwrap();
        let kept = passwords.memory.lock().unwrap().len();
        assert!((1..=SLOTS).contains(&kept), "{kept} for {SLOTS} slots");
        drop(all);
        assert_eq!(passwords.verify(Secret::new("wrong"), None).await, Ok(false), "there is room again");
    }
}
