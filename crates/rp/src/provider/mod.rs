//! The provider as the RP knows it: where its endpoints are, with which keys it signs, and whether it answers.

mod discovery;
mod http;
mod jwks;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use shared::{
    clock::{Clock, Timestamp},
    flow::{CheckSink, Checks, Failed},
    ids::Issuer,
};
use thiserror::Error;
use tokio::sync::{Mutex, RwLock};

pub use self::{
    discovery::Metadata,
    http::{FetchError, HttpClient, MAX_ANSWER},
    jwks::KeySet,
};

/// How long an answer of the provider about itself is good for, and how often its keys are fetched at most.
const FRESH: Duration = Duration::from_secs(5);
/// How long a set of keys is used without looking whether the provider has another one.
const KEYS_KEPT: Duration = Duration::from_secs(600);
/// How long the home page waits for a sign of life.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the provider could not be asked.
#[derive(Clone, Debug, Error)]
pub enum ProviderError {
    /// It does not answer.
    #[error("{0}")]
    Unreachable(String),
    /// It answers something that is of no use.
    #[error("{0}")]
    Invalid(String),
    /// It is not who it should be.
    #[error(transparent)]
    Refused(#[from] Failed),
}

impl From<FetchError> for ProviderError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Transport(_) => Self::Unreachable(error.to_string()),
            FetchError::Request(_) | FetchError::TooLarge(_) => Self::Invalid(error.to_string()),
        }
    }
}

/// One provider.
pub struct Provider {
    issuer: Issuer,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn CheckSink>,
    metadata: Mutex<Option<Described>>,
    described: AtomicU64,
    probe: Mutex<Option<Dated<bool>>>,
    keys: RwLock<Option<Dated<Arc<KeySet>>>>,
    keys_asked: Mutex<Option<Timestamp>>,
}

/// How the provider described itself the last time, if it did.
type Described = Result<Dated<Arc<Metadata>>, ProviderError>;

#[derive(Clone)]
struct Dated<T> {
    value: T,
    at: Timestamp,
}

impl<T> Dated<T> {
    fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.at + FRESH
    }
}

impl Provider {
    /// The provider called `issuer`. Nothing is asked of it yet: the RP starts whether or not it answers.
    pub fn new(
        issuer: Issuer,
        clock: Arc<dyn Clock>,
        sink: Arc<dyn CheckSink>,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: HttpClient::for_issuer(issuer.as_str())?,
            issuer,
            clock,
            sink,
            metadata: Mutex::default(),
            described: AtomicU64::default(),
            probe: Mutex::default(),
            keys: RwLock::default(),
            keys_asked: Mutex::default(),
        })
    }

    /// The client for requests to it.
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    /// What it says about itself, asked again at every login that begins more than a moment after the last.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        // Whoever waits for the lock shares what the one before waited for, good or bad: a provider that is silent for
        // 5 s keeps nobody waiting for longer.
        let before = self.described.load(Ordering::SeqCst);
        let mut kept = self.metadata.lock().await;
        let now = self.clock.now();
        match kept.as_ref() {
            Some(Ok(known)) if known.is_fresh(now) => return Ok(known.value.clone()),
            Some(Err(error)) if self.described.load(Ordering::SeqCst) != before => return Err(error.clone()),
            _ => {}
        }
        let asked = self.describe().await;
        let at = self.clock.now();
        *kept = Some(asked.clone().map(|value| Dated { value, at }));
        self.described.fetch_add(1, Ordering::SeqCst);
        asked
    }

    async fn describe(&self) -> Result<Arc<Metadata>, ProviderError> {
        let body = self.fetch(&discovery::document_url(&self.issuer), MAX_ANSWER).await?;
        let mut checks = Checks::new(self.sink.clone());
        discovery::read(&body, &self.issuer, &mut checks).map(Arc::new)
    }

    /// Whether it answers, for the home page: asked at most once a moment, and not waited for long.
    pub async fn is_reachable(&self) -> bool {
        let mut probe = self.probe.lock().await;
        let now = self.clock.now();
        if let Some(known) = probe.as_ref().filter(|known| known.is_fresh(now)) {
            return known.value;
        }
        let asked = tokio::time::timeout(PROBE_TIMEOUT, self.metadata()).await;
        // An answer that is of no use is still an answer; the login says what is wrong with it.
        let value = !matches!(asked, Err(_) | Ok(Err(ProviderError::Unreachable(_))));
        *probe = Some(Dated { value, at: now });
        value
    }

    /// The keys to verify a token with that names the key `kid`. An unknown name means that the provider has a new
    /// key, so they are fetched again (OpenID Connect Core §10.1.1), but not more often than every 5 s, and once
    /// for all who wait: a made-up name must not become a flood. A set is also fetched again when it is old, so that a key
    /// which the provider has withdrawn is not believed for ever. When that fails the last good set stays.
    pub async fn keys_for(
        &self,
        kid: Option<&str>,
        metadata: &Metadata,
    ) -> Result<Arc<KeySet>, ProviderError> {
        if let Some(known) = self.keys_that_know(kid).await {
            return Ok(known);
        }
        let mut asked = self.keys_asked.lock().await;
        if let Some(known) = self.keys_that_know(kid).await {
            return Ok(known);
        }
        let now = self.clock.now();
        let kept = self.keys.read().await.as_ref().map(|kept| kept.value.clone());
        if asked.is_some_and(|at| now < at + FRESH) {
            return kept
                .ok_or_else(|| ProviderError::Unreachable("the keys could not be fetched".to_owned()));
        }
        *asked = Some(now);
        let fetched = self.fetch(&metadata.jwks_uri, jwks::MAX_SET).await;
        // Fetching takes time too: whoever waited for it does not begin again.
        *asked = Some(self.clock.now());
        match (fetched.and_then(|body| KeySet::read(&body)), kept) {
            (Ok(keys), _) => {
                let keys = Arc::new(keys);
                *self.keys.write().await = Some(Dated { value: keys.clone(), at: self.clock.now() });
                Ok(keys)
            }
            (Err(error), Some(kept)) => {
                tracing::warn!(%error, "the keys could not be fetched again; the last good ones stay");
                Ok(kept)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn keys_that_know(&self, kid: Option<&str>) -> Option<Arc<KeySet>> {
        let now = self.clock.now();
        let kept = self.keys.read().await;
        let young = kept.as_ref().filter(|kept| now < kept.at + KEYS_KEPT);
        young.map(|kept| kept.value.clone()).filter(|keys| keys.knows(kid))
    }

    /// The body of a 200. A redirect is an answer like any other that is not 200.
    async fn fetch(&self, url: &str, limit: usize) -> Result<Vec<u8>, ProviderError> {
        let answer = self.http.get(url, None, limit).await?;
        match answer.status() {
            status if status.as_u16() == 200 => Ok(answer.into_body()),
            status if status.is_server_error() => {
                Err(ProviderError::Unreachable(format!("{url} answers {status}")))
            }
            status => Err(ProviderError::Invalid(format!("{url} answers {status}"))),
        }
    }
}
