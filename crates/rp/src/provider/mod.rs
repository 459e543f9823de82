//! The provider as the RP knows it: where its endpoints are, with which keys it signs, and whether it answers.

mod discovery;
mod http;
mod jwks;
mod keys;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use shared::{
    clock::{Clock, Timestamp},
    flow::{Checks, Exchange, Failed, Sink},
    ids::Issuer,
};
use thiserror::Error;
use tokio::sync::Mutex;

pub(crate) use self::jwks::Source;
pub use self::{
    discovery::Metadata,
    http::{FetchError, HttpClient, MAX_ANSWER, get},
    jwks::KeySet,
};
use crate::{algorithm::Algorithm, config::Settings};

/// How long an answer of the provider about itself is good for, and how often its keys are fetched at most.
const FRESH: Duration = Duration::from_secs(5);
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
            FetchError::Transport(_) | FetchError::Dropped => Self::Unreachable(error.to_string()),
            FetchError::Request(_) | FetchError::TooLarge(_) => Self::Invalid(error.to_string()),
        }
    }
}

/// One provider.
pub struct Provider {
    issuer: Issuer,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn Sink>,
    metadata: Mutex<Option<Described>>,
    described: AtomicU64,
    probe: Mutex<Option<Dated<bool>>>,
    /// For each way to sign.
    keys: [(Algorithm, keys::Keys); 5],
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
    /// The provider that the settings name. Nothing is asked of it yet: the RP starts whether or not it answers.
    pub fn new(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        sink: Arc<dyn Sink>,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: HttpClient::for_issuer(settings.issuer.as_str(), sink.clone(), settings.is_demo())?,
            issuer: settings.issuer.clone(),
            clock,
            sink,
            metadata: Mutex::default(),
            described: AtomicU64::default(),
            probe: Mutex::default(),
            keys: Algorithm::ALL.map(|algorithm| (algorithm, keys::Keys::default())),
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
        let body =
            self.fetch(Exchange::Discovery, &discovery::document_url(&self.issuer), MAX_ANSWER).await?;
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

    /// The body of a 200. A redirect is an answer like any other that is not 200.
    async fn fetch(&self, exchange: Exchange, url: &str, limit: usize) -> Result<Vec<u8>, ProviderError> {
        let answer = self.http.get(exchange, url, limit).await?;
        match answer.status() {
            status if status.as_u16() == 200 => Ok(answer.into_body()),
            status if status.is_server_error() => {
                Err(ProviderError::Unreachable(format!("{url} answers {status}")))
            }
            status => Err(ProviderError::Invalid(format!("{url} answers {status}"))),
        }
    }
}
