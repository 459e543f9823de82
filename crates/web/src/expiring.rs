//! A map whose entries end by themselves and whose size is bounded, in number and in bytes: what every in-memory store
//! is made of. Where entries count for somebody, a client or an address, nobody has more than a share of it.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use dashmap::{DashMap, Entry};
use shared::clock::Timestamp;
use thiserror::Error;

/// What an entry may weigh on average when the map holds as many as it may, in bytes, where nothing else is said.
pub const BYTES_EACH: usize = 2 * 1024;
/// This part of every share is kept for what is under way.
const RESERVE: usize = 8;

/// The map holds as much as it may, in all or of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the store is full, or one client or address has its share of it")]
pub struct Full;

#[derive(Debug)]
struct Expiring<V> {
    value: V,
    began: Timestamp,
    expires: Timestamp,
    weight: usize,
}

/// Entries with an expiry each, in one process's memory. It has no clock: whoever asks says what time it is.
#[derive(Debug)]
pub struct ExpiringMap<K: Eq + Hash, V, O = ()> {
    entries: DashMap<K, Expiring<V>>,
    books: Mutex<Books<O>>,
    weigh: fn(&V) -> usize,
    owners: fn(&V) -> Vec<O>,
}

impl<K: Eq + Hash + Clone + fmt::Debug, V> ExpiringMap<K, V> {
    /// An empty map for `capacity` entries that are nobody's and all of about one size.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::shared(capacity, |_| 0, |_| Vec::new())
    }
}

impl<K: Eq + Hash + Clone + fmt::Debug, V, O: Eq + Hash + Clone> ExpiringMap<K, V, O> {
    /// An empty map for `capacity` entries of [`BYTES_EACH`] on average. `weigh` says what a value takes beside its own
    /// size; `owners` says for whom it counts, which never changes. Each of them has a half at most: however much one
    /// takes, as much is left to all others.
    pub fn shared(capacity: usize, weigh: fn(&V) -> usize, owners: fn(&V) -> Vec<O>) -> Self {
        let books = Books {
            capacity,
            bytes_each: BYTES_EACH,
            share: |_| 2,
            all: Load::default(),
            owners: HashMap::new(),
            swept: None,
        };
        Self { entries: DashMap::new(), books: Mutex::new(books), weigh, owners }
    }

    /// The same map, of which an owner has one part at most of as many as `share` says.
    #[must_use]
    pub fn in_shares(self, share: fn(&O) -> usize) -> Self {
        self.books().share = share;
        self
    }

    /// The same map for entries of `bytes` on average.
    #[must_use]
    pub fn of_bytes_each(self, bytes: usize) -> Self {
        self.books().bytes_each = bytes;
        self
    }

    /// Adds an entry that ends at `expires`. A full map makes room by forgetting what has ended, and refuses if
    /// that is not enough: what is under way is never pushed out by what is new.
    pub fn insert(&self, key: K, value: V, expires: Timestamp, now: Timestamp) -> Result<(), Full> {
        let weight = self.weight(&value);
        let new = Expiring { value, began: now, expires, weight };
        if let Some(mut kept) = self.entries.get_mut(&key) {
            self.books().add(&(self.owners)(&new.value), weight);
            self.release(&mem::replace(&mut *kept, new));
            return Ok(());
        }
        let owners = (self.owners)(&new.value);
        let book = || self.books().book(&owners, weight);
        let booked = book() || (self.sweep_once(now) && book());
        if !booked {
            return Err(Full);
        }
        if let Some(overtaken) = self.entries.insert(key, new) {
            self.release(&overtaken);
        }
        Ok(())
    }

    /// Adds an entry unless there is a live one already, in one step, and says whether it did: of many who come at once
    /// with one key, one is the first.
    pub fn insert_new(&self, key: K, value: V, expires: Timestamp, now: Timestamp) -> Result<bool, Full> {
        let weight = self.weight(&value);
        let new = Expiring { value, began: now, expires, weight };
        let owners = (self.owners)(&new.value);
        let book = || self.books().book(&owners, weight);
        if !(book() || (self.sweep_once(now) && book())) {
            return Err(Full);
        }
        let (is_new, left_over) = match self.entries.entry(key) {
            Entry::Occupied(kept) if now < kept.get().expires => (false, Some(new)),
            Entry::Occupied(mut ended) => (true, Some(ended.insert(new))),
            Entry::Vacant(vacant) => {
                vacant.insert(new);
                (true, None)
            }
        };
        if let Some(entry) = left_over {
            self.release(&entry);
        }
        Ok(is_new)
    }

    /// Whether a map for `most` entries would have room for another one, once those that have ended are forgotten.
    pub fn has_room_below(&self, most: usize, now: Timestamp) -> bool {
        let has_room = || {
            let books = self.books();
            books.all.has_room(0, most, books.bytes_each)
        };
        has_room() || (self.sweep_once(now) && has_room())
    }

    /// Whether there is more room than the reserve, in all and for each of `owners`. Ask it before something begins that
    /// will need an entry at its end.
    pub fn has_room(&self, owners: &[O], now: Timestamp) -> bool {
        let has_room = || self.books().has_more_than_the_reserve(owners);
        has_room() || (self.sweep_once(now) && has_room())
    }

    /// Looks at a live entry.
    pub fn read<R>(&self, key: &K, now: Timestamp, look: impl FnOnce(&V) -> R) -> Option<R> {
        let entry = self.entries.get(key)?;
        (now < entry.expires).then(|| look(&entry.value))
    }

    /// Changes a live entry; nobody else sees or changes it meanwhile. `change` must not wait for anything.
    pub fn update<R>(&self, key: &K, now: Timestamp, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        self.update_with_expiry(key, now, |value, _| change(value))
    }

    /// Changes a live entry and its end together. It is under way, so it may grow even in a full map.
    pub fn update_with_expiry<R>(
        &self,
        key: &K,
        now: Timestamp,
        change: impl FnOnce(&mut V, &mut Timestamp) -> R,
    ) -> Option<R> {
        let mut entry = self.entries.get_mut(key)?;
        let Expiring { value, expires, weight, .. } = entry.value_mut();
        if now >= *expires {
            return None;
        }
        let changed = change(value, expires);
        let before = mem::replace(weight, self.weight(value));
        if *weight != before {
            let owners = (self.owners)(value);
            let mut books = self.books();
            books.add(&owners, *weight);
            books.remove(&owners, before);
        }
        Some(changed)
    }

    /// Looks at all live entries whose key is wanted.
    pub fn select<R>(
        &self,
        now: Timestamp,
        wanted: impl Fn(&K) -> bool,
        look: impl Fn(&K, &V) -> R,
    ) -> Vec<R> {
        let live = self.entries.iter().filter(|entry| now < entry.expires && wanted(entry.key()));
        live.map(|entry| look(entry.key(), &entry.value)).collect()
    }

    /// Takes a live entry out; only one caller gets it.
    pub fn take(&self, key: &K, now: Timestamp) -> Option<V> {
        match self.entries.entry(key.clone()) {
            Entry::Occupied(entry) => {
                let taken = entry.remove();
                self.release(&taken);
                (now < taken.expires).then_some(taken.value)
            }
            Entry::Vacant(_) => None,
        }
    }

    /// Forgets what has ended, and gives its memory back.
    pub fn sweep(&self, now: Timestamp) {
        self.books().swept = Some(now);
        self.forget_unless(|entry| now < entry.expires);
        if self.entries.capacity() > 4 * self.entries.len().max(256) {
            self.entries.shrink_to_fit();
            self.books().owners.shrink_to_fit();
        }
    }

    /// Forgets every entry that `keep` says no to.
    pub fn retain(&self, mut keep: impl FnMut(&V) -> bool) {
        self.forget_unless(|entry| keep(&entry.value));
    }

    /// The same by their keys.
    pub fn retain_keys(&self, keep: impl Fn(&K) -> bool) {
        self.entries.retain(|key, entry| {
            let kept = keep(key);
            if !kept {
                self.release(entry);
            }
            kept
        });
    }

    /// Forgets every entry that was added after `since`: the time has been put back, and they never were.
    pub fn forget_since(&self, since: Timestamp) {
        self.forget_unless(|entry| entry.began <= since);
    }

    /// How many entries are held, ended ones included until they are swept.
    pub fn len(&self) -> usize {
        self.books().all.entries
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sweeps, once a second at most, and says whether it did: a full map would otherwise go through everything that it
    /// holds each time it refuses somebody. Within one second there is nothing new to find.
    fn sweep_once(&self, now: Timestamp) -> bool {
        let due = self.books().swept != Some(now);
        if due {
            self.sweep(now);
        }
        due
    }

    fn forget_unless(&self, mut keep: impl FnMut(&Expiring<V>) -> bool) {
        self.entries.retain(|_, entry| {
            let kept = keep(entry);
            if !kept {
                self.release(entry);
            }
            kept
        });
    }

    fn weight(&self, value: &V) -> usize {
        size_of::<K>() + size_of::<Expiring<V>>() + (self.weigh)(value)
    }

    fn release(&self, entry: &Expiring<V>) {
        self.books().remove(&(self.owners)(&entry.value), entry.weight);
    }

    /// Whoever holds the books waits for nothing, least of all for an entry.
    fn books(&self) -> MutexGuard<'_, Books<O>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who has how much. An entry is booked before it comes in, in one step, so that of many at once none is too many.
#[derive(Debug)]
struct Books<O> {
    capacity: usize,
    bytes_each: usize,
    share: fn(&O) -> usize,
    all: Load,
    owners: HashMap<O, Load>,
    swept: Option<Timestamp>,
}

impl<O: Eq + Hash + Clone> Books<O> {
    /// Adds an entry if there is room for it, in all and in the share of each of its owners.
    fn book(&mut self, owners: &[O], weight: usize) -> bool {
        let fits_into = |load: &Load, most| load.has_room(weight, most, self.bytes_each);
        let in_share = |owner| self.owners.get(owner).is_none_or(|load| fits_into(load, self.most(owner)));
        let fits = fits_into(&self.all, self.capacity) && owners.iter().all(in_share);
        if fits {
            self.add(owners, weight);
        }
        fits
    }

    /// How many entries an owner may have.
    fn most(&self, owner: &O) -> usize {
        self.capacity.div_ceil((self.share)(owner))
    }

    fn has_more_than_the_reserve(&self, owners: &[O]) -> bool {
        let has_more = |load: &Load, most| load.has_room(0, most - most / RESERVE, self.bytes_each);
        let in_share = |owner| self.owners.get(owner).is_none_or(|load| has_more(load, self.most(owner)));
        has_more(&self.all, self.capacity) && owners.iter().all(in_share)
    }

    fn add(&mut self, owners: &[O], weight: usize) {
        self.all.add(weight);
        for owner in owners {
            self.owners.entry(owner.clone()).or_default().add(weight);
        }
    }

    fn remove(&mut self, owners: &[O], weight: usize) {
        self.all.remove(weight);
        for owner in owners {
            let left = self.owners.get_mut(owner).map_or(0, |load| load.remove(weight));
            if left == 0 {
                self.owners.remove(owner);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Load {
    entries: usize,
    bytes: usize,
}

impl Load {
    fn has_room(&self, weight: usize, capacity: usize, bytes_each: usize) -> bool {
        self.entries < capacity && self.bytes + weight <= capacity.saturating_mul(bytes_each)
    }

    fn add(&mut self, weight: usize) {
        self.entries += 1;
        self.bytes += weight;
    }

    /// How many entries are left.
    fn remove(&mut self, weight: usize) -> usize {
        self.entries -= 1;
        self.bytes -= weight;
        self.entries
    }
}

#[cfg(test)]
mod tests;
