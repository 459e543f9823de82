//! A map whose entries end by themselves and whose size is bounded: what every in-memory store is made of.

use std::{fmt, hash::Hash};

use dashmap::{DashMap, Entry};
use shared::clock::Timestamp;
use thiserror::Error;

/// The map holds as many live entries as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the store is full")]
pub struct Full;

#[derive(Debug)]
struct Expiring<V> {
    value: V,
    expires: Timestamp,
}

/// Entries with an expiry each, in one process's memory. It has no clock: whoever asks says what time it is.
#[derive(Debug)]
pub struct ExpiringMap<K: Eq + Hash, V> {
    entries: DashMap<K, Expiring<V>>,
    capacity: usize,
}

impl<K: Eq + Hash + Clone + fmt::Debug, V> ExpiringMap<K, V> {
    /// An empty map for `capacity` entries. Under contention a few more may slip in, at most one a thread.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: DashMap::new(), capacity }
    }

    /// Adds an entry that ends at `expires`. A full map makes room by forgetting what has ended, and refuses if
    /// that is not enough: what is under way is never pushed out by what is new.
    pub fn insert(&self, key: K, value: V, expires: Timestamp, now: Timestamp) -> Result<(), Full> {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.sweep(now);
            if self.entries.len() >= self.capacity {
                return Err(Full);
            }
        }
        self.entries.insert(key, Expiring { value, expires });
        Ok(())
    }

    /// Looks at a live entry.
    pub fn read<R>(&self, key: &K, now: Timestamp, look: impl FnOnce(&V) -> R) -> Option<R> {
        let entry = self.entries.get(key)?;
        (now < entry.expires).then(|| look(&entry.value))
    }

    /// Changes a live entry; nobody else sees or changes it meanwhile. `change` must not wait for anything.
    pub fn update<R>(&self, key: &K, now: Timestamp, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        let mut entry = self.entries.get_mut(key)?;
        (now < entry.expires).then(|| change(&mut entry.value))
    }

    /// Changes a live entry and its end together.
    pub fn update_with_expiry<R>(
        &self,
        key: &K,
        now: Timestamp,
        change: impl FnOnce(&mut V, &mut Timestamp) -> R,
    ) -> Option<R> {
        let mut entry = self.entries.get_mut(key)?;
        let Expiring { value, expires } = entry.value_mut();
        (now < *expires).then(|| change(value, expires))
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
                let Expiring { value, expires } = entry.remove();
                (now < expires).then_some(value)
            }
            Entry::Vacant(_) => None,
        }
    }

    /// Forgets what has ended, and gives its memory back.
    pub fn sweep(&self, now: Timestamp) {
        self.entries.retain(|_, entry| now < entry.expires);
        if self.entries.capacity() > 4 * self.entries.len().max(256) {
            self.entries.shrink_to_fit();
        }
    }

    /// Forgets every entry that `keep` says no to.
    pub fn retain(&self, keep: impl Fn(&V) -> bool) {
        self.entries.retain(|_, entry| keep(&entry.value));
    }

    /// How many entries are held, ended ones included until they are swept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
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
    fn a_full_map_refuses_the_new_and_keeps_the_live() {
        let map = ExpiringMap::with_capacity(2);
        map.insert("a", 1, at(5), at(0)).unwrap();
        map.insert("b", 2, at(9), at(0)).unwrap();
        assert_eq!(map.insert("c", 3, at(9), at(1)), Err(Full));
        assert_eq!(map.read(&"a", at(1), |value| *value), Some(1));
        map.insert("c", 3, at(9), at(5)).unwrap();
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn only_one_caller_takes_an_entry() {
        let map = ExpiringMap::with_capacity(2);
        map.insert("a", 1, at(5), at(0)).unwrap();
        assert_eq!((map.take(&"a", at(1)), map.take(&"a", at(1))), (Some(1), None));
    }
}
