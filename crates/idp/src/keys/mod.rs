//! The keys that sign tokens, one for each algorithm and more while they change; published without their private half
//! (RFC 7517 §5).
//!
//! `key.rs` is one key, `jws.rs` the form of what it signs, `rotation.rs` what it is for at a moment, `folder.rs`
//! where it is kept, [`commands`] what an operator does with it. Here is what a running server has in use. It looks
//! into the folder itself, every two seconds at most and only when somebody needs a key; whatever is wrong there, the
//! last good keys stay.

pub mod commands;
mod folder;
mod jws;
mod key;
mod rotation;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::web::Bytes;
use jsonwebtoken::{Algorithm, jwk::Jwk};
use serde::Serialize;
use serde_json::{Map, Value, json};
use shared::{clock::Timestamp, secret::Secret};
use thiserror::Error;

pub use self::{
    folder::{Folder, KeyError},
    jws::{HS256_BYTES, is_hs256, verify_hs256},
    key::{KeyAlg, SigningKey},
    rotation::{KeyName, Stage, Standing},
};

/// How often the folder is looked at, at most.
const LOOK: Duration = Duration::from_secs(2);
/// How much longer than its tokens a key is kept: clocks differ by a minute, and a change is noticed within seconds.
const MARGIN: Duration = Duration::from_secs(120);

/// A token could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SigningError {
    /// No key of ours signs like that.
    #[error("there is no key to sign with {0:?}")]
    NoKey(Algorithm),
    /// RFC 7518 §3.2.
    #[error("HS256 needs a client secret of 32 bytes at least")]
    ShortSecret,
    /// The claims are no JSON, or the cryptography failed.
    #[error("signing failed")]
    Failed,
}

/// A token that this server did not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no token that this server signed")]
pub struct NotOurs;

/// The keys of a running server.
#[derive(Debug)]
pub struct Keys {
    folder: Option<Folder>,
    retention: Duration,
    set: RwLock<Arc<KeySet>>,
    looked: AtomicI64,
    complaint: Mutex<Option<String>>,
    signatures: AtomicU64,
}

impl Keys {
    /// New keys that nobody else has and that end with this process.
    pub fn generate() -> Result<Self, KeyError> {
        let make = |alg| {
            let pem = SigningKey::generate_pem(alg).map_err(|_| KeyError::Generation(alg))?;
            let key = SigningKey::from_pem(alg, &pem).map_err(|_| KeyError::Generation(alg))?;
            Ok((KeyName::first(alg), key))
        };
        let keys = KeyAlg::ALL.into_iter().map(make).collect::<Result<_, KeyError>>()?;
        Ok(Self::of(KeySet::of(keys), None, Duration::ZERO))
    }

    /// The keys in `folder`; made and kept there as far as there are none. Tokens live for `token_lifetime`, so that
    /// is how long a key is kept that does not sign any more.
    pub fn kept_in(folder: &Path, token_lifetime: Duration, now: Timestamp) -> Result<Self, KeyError> {
        let (folder, retention) = (Folder::at(folder), token_lifetime + MARGIN);
        folder.fill()?;
        let (live, _) = in_use(&folder.names()?, retention, now);
        Ok(Self::of(KeySet::read(&folder, &live)?, Some(folder), retention))
    }

    fn of(set: KeySet, folder: Option<Folder>, retention: Duration) -> Self {
        Self {
            folder,
            retention,
            set: RwLock::new(Arc::new(set)),
            looked: AtomicI64::new(i64::MIN),
            complaint: Mutex::default(),
            signatures: AtomicU64::new(0),
        }
    }

    /// Signs claims for a client: with the key of `alg`, or with the client's secret if that is HS256.
    pub async fn sign(
        self: &Arc<Self>,
        alg: Algorithm,
        secret: Option<&Secret>,
        claims: &impl Serialize,
        now: Timestamp,
    ) -> Result<Secret, SigningError> {
        let token = if alg == Algorithm::HS256 {
            jws::sign_hs256(secret.ok_or(SigningError::ShortSecret)?, claims)
        } else {
            let set = self.at(now).await;
            set.signing(alg, now).ok_or(SigningError::NoKey(alg))?.sign(claims)
        }?;
        self.signatures.fetch_add(1, Ordering::Relaxed);
        Ok(token)
    }

    /// Signs the claims of an access token (RFC 9068 §2.1): with a key that is published, for those who read it.
    pub async fn sign_access_token(
        self: &Arc<Self>,
        alg: KeyAlg,
        claims: &impl Serialize,
        now: Timestamp,
    ) -> Result<Secret, SigningError> {
        let set = self.at(now).await;
        let key = set.signing(alg.into(), now).ok_or(SigningError::NoKey(alg.into()))?;
        let token = key.sign_access_token(claims)?;
        self.signatures.fetch_add(1, Ordering::Relaxed);
        Ok(token)
    }

    /// How many signatures have been computed.
    pub fn signatures(&self) -> u64 {
        self.signatures.load(Ordering::Relaxed)
    }

    /// The claims of an ID token that one of the published keys signed. It may have expired, and it may be for anybody:
    /// only where it comes from is sure. Of a foreign token nothing is followed or fetched.
    pub async fn verify(
        self: &Arc<Self>,
        token: &str,
        now: Timestamp,
    ) -> Result<Map<String, Value>, NotOurs> {
        self.at(now).await.keys.values().find_map(|key| key.verify(token)).ok_or(NotOurs)
    }

    /// The JWKS: what the world may know of the keys, ready to be sent.
    pub async fn published(self: &Arc<Self>, now: Timestamp) -> Bytes {
        self.at(now).await.document.clone()
    }

    /// Each key with its `kid` and where it stands.
    pub async fn list(self: &Arc<Self>, now: Timestamp) -> Vec<(String, Standing)> {
        let set = self.at(now).await;
        set.list(self.retention, now).map(|(kid, standing)| (kid.to_owned(), standing)).collect()
    }

    /// Looks at the folder, for a server that nobody asks for a while.
    pub async fn refresh(self: &Arc<Self>, now: Timestamp) {
        self.at(now).await;
    }

    /// The keys as they are at `now`. Whoever is the first after two seconds looks at the folder, on a thread that may
    /// wait; everybody else goes on with what is known.
    async fn at(self: &Arc<Self>, now: Timestamp) -> Arc<KeySet> {
        if self.is_due(now) {
            let this = Arc::clone(self);
            // A look that fails changes nothing.
            let _ = tokio::task::spawn_blocking(move || this.look(now)).await;
        }
        self.in_use()
    }

    fn in_use(&self) -> Arc<KeySet> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let looked = self.looked.load(Ordering::Relaxed);
        let last = Timestamp::from_unix(looked);
        self.folder.is_some()
            // Also when the clock was set back.
            && (now < last || last + LOOK <= now)
            && self.looked.compare_exchange(looked, now.as_unix(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn look(&self, now: Timestamp) {
        let complaint = self.take_over_changes(now).err().map(|error| error.to_string());
        let mut last = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = complaint.as_ref().filter(|_| *last != complaint) {
            tracing::warn!("IDP_KEYS: {error}; the keys in use stay");
        }
        *last = complaint;
    }

    fn take_over_changes(&self, now: Timestamp) -> Result<(), KeyError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let (live, ended) = in_use(&folder.names()?, self.retention, now);
        let before = self.in_use();
        if !before.keys.keys().eq(&live) {
            let after = KeySet::read(folder, &live)?;
            after.tell_changes(&before);
            *self.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
        }
        ended.into_iter().try_for_each(|name| folder.remove(name))
    }
}

/// Which of the keys are still of use, and which are not.
fn in_use(names: &[KeyName], retention: Duration, now: Timestamp) -> (Vec<KeyName>, Vec<KeyName>) {
    let standings = rotation::standings(names, retention, now);
    let (ended, live): (Vec<_>, Vec<_>) = standings.iter().partition(|it| it.stage == Stage::Ended);
    let names = |standings: Vec<&Standing>| standings.iter().map(|it| it.name).collect();
    (names(live), names(ended))
}

/// The keys of one moment.
#[derive(Debug)]
struct KeySet {
    keys: BTreeMap<KeyName, SigningKey>,
    document: Bytes,
}

impl KeySet {
    fn of(keys: BTreeMap<KeyName, SigningKey>) -> Self {
        let public: Vec<&Jwk> = keys.values().map(SigningKey::public).collect();
        let document = Bytes::from(json!({ "keys": public }).to_string());
        Self { keys, document }
    }

    /// Reads the keys called `names`. There must be one for each algorithm.
    fn read(folder: &Folder, names: &[KeyName]) -> Result<Self, KeyError> {
        let mut keys: BTreeMap<KeyName, SigningKey> = BTreeMap::new();
        for name in names {
            let Some(key) = folder.read(*name)? else { continue };
            // OpenID Connect Core §10.1: whoever has a `kid` must know which key is meant.
            if let Some((twin, _)) = keys.iter().find(|(_, known)| known.kid() == key.kid()) {
                return Err(KeyError::Twice(folder.path(*twin), folder.path(*name)));
            }
            keys.insert(*name, key);
        }
        match KeyAlg::ALL.into_iter().find(|alg| keys.keys().all(|name| name.alg != *alg)) {
            Some(alg) => Err(folder.lacks(alg)),
            None => Ok(Self::of(keys)),
        }
    }

    /// The key that signs with `alg`.
    fn signing(&self, alg: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        let names: Vec<_> =
            self.keys.keys().copied().filter(|name| Algorithm::from(name.alg) == alg).collect();
        let standings = rotation::standings(&names, Duration::ZERO, now);
        let signing = standings.iter().find(|it| it.stage == Stage::Signing)?;
        self.keys.get(&signing.name)
    }

    fn list(&self, retention: Duration, now: Timestamp) -> impl Iterator<Item = (&str, Standing)> {
        let names: Vec<_> = self.keys.keys().copied().collect();
        self.keys.values().map(SigningKey::kid).zip(rotation::standings(&names, retention, now))
    }

    fn tell_changes(&self, before: &Self) {
        for (name, key) in self.keys.iter().filter(|(name, _)| !before.keys.contains_key(name)) {
            tracing::info!(alg = %name.alg, kid = key.kid(), signs_from = %name.from, "a new key is published");
        }
        for (name, key) in before.keys.iter().filter(|(name, _)| !self.keys.contains_key(name)) {
            tracing::info!(alg = %name.alg, kid = key.kid(), "a key is not published any more");
        }
    }
}
