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
/// One owner has at most this part of the map, a half: however much one takes, as much is left to all others.
const SHARE: usize = 2;

/// The map holds as much as it may, in all or of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the store is full, or one client or address has its share of it")]
pub struct Full;

#[derive(Debug)]
struct Expiring<V> {
    value: V,
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
    /// size; `owners` says for whom it counts, which never changes.
    pub fn shared(capacity: usize, weigh: fn(&V) -> usize, owners: fn(&V) -> Vec<O>) -> Self {
        let books = Books {
            capacity,
            bytes_each: BYTES_EACH,
            all: Load::default(),
            owners: HashMap::new(),
            swept: None,
        };
        Self { entries: DashMap::new(), books: Mutex::new(books), weigh, owners }
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
        let new = Expiring { value, expires, weight };
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

    /// Whether a map for `most` entries would have room for another one, once those that have ended are forgotten.
    pub fn has_room_below(&self, most: usize, now: Timestamp) -> bool {
        let has_room = || {
            let books = self.books();
            books.all.has_room(0, most, books.bytes_each)
        };
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
        let Expiring { value, expires, weight } = entry.value_mut();
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
    pub fn retain(&self, keep: impl Fn(&V) -> bool) {
        self.forget_unless(|entry| keep(&entry.value));
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

    fn forget_unless(&self, keep: impl Fn(&Expiring<V>) -> bool) {
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
    all: Load,
    owners: HashMap<O, Load>,
    swept: Option<Timestamp>,
}

impl<O: Eq + Hash + Clone> Books<O> {
    /// Adds an entry if there is room for it, in all and in the share of each of its owners.
    fn book(&mut self, owners: &[O], weight: usize) -> bool {
        let share = self.capacity.div_ceil(SHARE);
        let fits_into = |load: &Load, most| load.has_room(weight, most, self.bytes_each);
        let in_share = |owner| self.owners.get(owner).is_none_or(|load| fits_into(load, share));
        let fits = fits_into(&self.all, self.capacity) && owners.iter().all(in_share);
        if fits {
            self.add(owners, weight);
        }
        fits
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
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    /// A map of texts that weigh as much as they are long and belong to whom their first letter names.
    fn texts(capacity: usize) -> ExpiringMap<usize, String, char> {
        ExpiringMap::shared(capacity, String::len, |text| text.chars().take(1).collect())
    }

    #[test]
    fn an_entry_is_gone_from_the_second_it_ends() {
        let map = ExpiringMap::with_capacity(8);
        map.insert("code", 1, at(10), at(0)).unwrap();
        assert_eq!(map.read(&"code", at(9), |value| *value), Some(1));
        assert_eq!(map.read(&"code", at(10), |value| *value), None);
        assert_eq!(map.update(&"code", at(10), |value| *value), None);
        assert_eq!(map.take(&"code", at(10)), None);
    }

    #[test]
    fn i23_a_full_map_refuses_the_new_and_keeps_the_live() {
        let map = ExpiringMap::with_capacity(2);
        map.insert("a", 1, at(5), at(0)).unwrap();
        map.insert("b", 2, at(9), at(0)).unwrap();
        assert_eq!(map.insert("c", 3, at(9), at(1)), Err(Full));
        assert_eq!(map.read(&"a", at(1), |value| *value), Some(1));
        map.insert("a", 4, at(5), at(1)).unwrap();
        assert_eq!(map.read(&"a", at(1), |value| *value), Some(4), "what is there may be replaced");
        map.insert("c", 3, at(9), at(5)).unwrap();
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn i23_few_large_entries_fill_a_map_as_many_small_ones_do() {
        let map = texts(8);
        let large = |owner: char| owner.to_string().repeat(3 * BYTES_EACH);
        map.insert(1, large('a'), at(9), at(0)).unwrap();
        map.insert(2, large('b'), at(9), at(0)).unwrap();
        assert_eq!(map.insert(3, large('c'), at(9), at(0)), Err(Full));
        map.insert(4, "c".into(), at(9), at(0)).unwrap();
        assert_eq!(map.insert(5, large('d'), at(9), at(0)), Err(Full));
        // It may shrink, and what it gave back is there for others.
        map.update(&1, at(1), |text| text.truncate(1)).unwrap();
        map.insert(5, large('d'), at(9), at(1)).unwrap();
    }

    #[test]
    fn i23_one_owner_gets_half_of_the_map_and_the_others_the_rest() {
        let map = texts(10);
        let refused = |owner: &str, keys: std::ops::Range<usize>| {
            keys.filter(|key| map.insert(*key, owner.into(), at(9), at(0)).is_err()).count()
        };
        assert_eq!(refused("a", 0..10), 5);
        assert_eq!(refused("b", 10..14), 0);
        assert_eq!(refused("c", 20..22), 1, "then it is full");
        map.take(&0, at(1)).unwrap();
        assert_eq!(refused("a", 0..1), 0, "a share is given back");
    }

    #[test]
    fn i23_what_has_ended_gives_everything_back() {
        let map = texts(10_000);
        for key in 0..10_000 {
            map.insert(key, format!("{}{key}", if key % 2 == 0 { 'a' } else { 'b' }), at(9), at(0)).unwrap();
        }
        let held = map.entries.capacity();
        map.sweep(at(9));
        let books = map.books();
        assert_eq!((books.all.entries, books.all.bytes, books.owners.len()), (0, 0, 0));
        assert!(map.entries.capacity() < held / 8, "{} of {held}", map.entries.capacity());
    }

    #[test]
    fn i23_a_full_map_is_not_searched_for_every_refusal() {
        let map = ExpiringMap::with_capacity(1);
        map.insert("a", 1, at(9), at(0)).unwrap();
        assert!(map.sweep_once(at(1)));
        assert!(!map.sweep_once(at(1)));
        assert_eq!(map.insert("b", 2, at(9), at(1)), Err(Full));
        assert!(map.has_room_below(1, at(9)));
    }

    #[test]
    fn i23_of_many_at_once_none_slips_in() {
        let map = ExpiringMap::with_capacity(100);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let map = &map;
                scope.spawn(move || {
                    for number in 0..100 {
                        // Refused, most of them.
                        let _ = map.insert((thread, number), (), at(9), at(0));
                    }
                });
            }
        });
        assert_eq!((map.len(), map.entries.len()), (100, 100));
    }

    #[test]
    fn only_one_caller_takes_an_entry() {
        let map = ExpiringMap::with_capacity(2);
        map.insert("a", 1, at(5), at(0)).unwrap();
        assert_eq!((map.take(&"a", at(1)), map.take(&"a", at(1))), (Some(1), None));
    }
}
