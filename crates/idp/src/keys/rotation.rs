//! What a key is for at a moment: published, then signing, then retained. It follows from the names of the keys alone,
//! that is from the second from which each signs (OpenID Connect Core §10.1.1).

use std::{cmp::Ordering, fmt, time::Duration};

use serde::Serialize;
use shared::clock::Timestamp;

use super::key::KeyAlg;

/// The name of a key's file without `.pem`: `rs256`, or `es256-1795496600` with the second from which it signs. Names
/// are in order when each algorithm's keys are, by that second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName {
    /// What it signs with.
    pub alg: KeyAlg,
    /// From when on. A key without a second signs from the beginning.
    pub from: Timestamp,
}

/// The beginning of time.
const BEGINNING: Timestamp = Timestamp::from_unix(0);

impl KeyName {
    /// The first key of its kind.
    pub const fn first(alg: KeyAlg) -> Self {
        Self { alg, from: BEGINNING }
    }

    /// Reads a name; `None` when it is none of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let (prefix, from) = name.split_once('-').unwrap_or((name, "0"));
        let alg = KeyAlg::ALL.into_iter().find(|alg| prefix.eq_ignore_ascii_case(alg.as_str()))?;
        let parsed = Self { alg, from: Timestamp::from_unix(from.parse().ok()?) };
        // A moment has one way to be written, so two files never mean the same.
        (parsed.from >= BEGINNING && parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alg = self.alg.as_str().to_ascii_lowercase();
        if self.from == BEGINNING { f.write_str(&alg) } else { write!(f, "{alg}-{}", self.from) }
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Everybody can see it; it does not sign yet.
    Published,
    /// It signs.
    Signing,
    /// It signs no more, but what it signed may still be in use.
    Retained,
    /// Nothing that it signed is of any use.
    Ended,
}

impl Stage {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Retained => "retained",
            Self::Ended => "ended",
        }
    }
}

/// A key's stage at a moment, since when, and until when, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which key.
    pub name: KeyName,
    /// What it is for.
    pub stage: Stage,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// Where each of the keys called `names` stands at `now`. They are in order; an old key is kept for `retention`.
///
/// Of each algorithm the key signs whose moment came last. If no key's moment has come, the first one signs: a clock
/// that is wrong must not end all logins.
pub(super) fn standings(names: &[KeyName], retention: Duration, now: Timestamp) -> Vec<Standing> {
    let mut standings = Vec::with_capacity(names.len());
    for keys in names.chunk_by(|one, next| one.alg == next.alg) {
        let signing = keys.iter().rposition(|key| key.from <= now).unwrap_or(0);
        for (index, name) in keys.iter().enumerate() {
            let own = Some(name.from).filter(|from| *from != BEGINNING);
            let next = keys.get(index + 1).map(|next| next.from);
            let (stage, since, until) = match index.cmp(&signing) {
                Ordering::Greater => (Stage::Published, None, own),
                Ordering::Equal => (Stage::Signing, own, next),
                Ordering::Less => {
                    let until = next.map(|next| next + retention);
                    let over = until.is_some_and(|until| until <= now);
                    (if over { Stage::Ended } else { Stage::Retained }, next, until)
                }
            };
            standings.push(Standing { name: *name, stage, since, until });
        }
    }
    standings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RETENTION: Duration = Duration::from_secs(100);

    fn names(texts: &[&str]) -> Vec<KeyName> {
        texts.iter().map(|text| KeyName::parse(text).unwrap()).collect()
    }

    fn stages(texts: &[&str], now: i64) -> Vec<Stage> {
        let standings = standings(&names(texts), RETENTION, Timestamp::from_unix(now));
        standings.into_iter().map(|standing| standing.stage).collect()
    }

    #[test]
    fn a_name_is_an_algorithm_and_a_second_written_in_one_way() {
        for good in ["rs256", "es256", "eddsa", "rs256-1", "eddsa-1795496600"] {
            assert_eq!(KeyName::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "hs256",
            "ps256",
            "RS256",
            "rs256-",
            "rs256-0",
            "rs256-01",
            "rs256-+1",
            "rs256--1",
            "rs256-x",
            "rs256-1-2",
            "rs256 ",
            "rs256-9223372036854775808",
        ] {
            assert_eq!(KeyName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn i24_a_key_is_published_then_signs_then_is_retained_then_ends() {
        use Stage::{Ended, Published, Retained, Signing};

        let keys = ["rs256", "rs256-1000"];
        assert_eq!(stages(&keys, 999), [Signing, Published]);
        assert_eq!(stages(&keys, 1000), [Retained, Signing]);
        assert_eq!(stages(&keys, 1099), [Retained, Signing]);
        assert_eq!(stages(&keys, 1100), [Ended, Signing]);
        // Each algorithm for itself.
        assert_eq!(
            stages(&["rs256", "es256", "es256-1000", "eddsa"], 1001),
            [Signing, Retained, Signing, Signing]
        );
        // Three in a row.
        assert_eq!(stages(&["rs256", "rs256-1000", "rs256-1050"], 1060), [Retained, Retained, Signing]);
        assert_eq!(stages(&["rs256", "rs256-1000", "rs256-1050"], 1100), [Ended, Retained, Signing]);
    }

    #[test]
    fn a_clock_that_is_slow_ends_no_login() {
        assert_eq!(stages(&["rs256-1000", "rs256-2000"], 5), [Stage::Signing, Stage::Published]);
    }

    #[test]
    fn since_and_until_are_the_moments_of_the_neighbours() {
        let at = |seconds| Some(Timestamp::from_unix(seconds));
        let standings =
            standings(&names(&["es256", "es256-1000", "es256-2000"]), RETENTION, Timestamp::from_unix(1010));
        let moments: Vec<_> = standings.iter().map(|it| (it.since, it.until)).collect();
        assert_eq!(moments, [(at(1000), at(1100)), (at(1000), at(2000)), (None, at(2000))]);
    }

    proptest! {
        #[test]
        fn i24_at_every_moment_exactly_one_key_signs(mut seconds in proptest::collection::btree_set(1i64..50, 1..6), now in 0i64..60) {
            let keys: Vec<_> = std::mem::take(&mut seconds)
                .into_iter()
                .map(|from| KeyName { alg: KeyAlg::Es256, from: Timestamp::from_unix(from) })
                .collect();
            let standings = standings(&keys, Duration::from_secs(10), Timestamp::from_unix(now));
            let signing: Vec<_> = standings.iter().filter(|it| it.stage == Stage::Signing).collect();
            prop_assert_eq!(signing.len(), 1);
            // What signed a moment ago is still there.
            let before = super::standings(&keys, Duration::from_secs(10), Timestamp::from_unix(now - 9));
            let signed = before.iter().find(|it| it.stage == Stage::Signing).unwrap().name;
            let still = standings.iter().find(|it| it.name == signed).unwrap();
            prop_assert!(still.stage != Stage::Ended);
        }
    }
}
