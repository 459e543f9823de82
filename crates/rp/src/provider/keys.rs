//! When the provider's keys are fetched: at first need, when none that is known here made a token's signature, when the
//! set is old, and when it lies at another address; and never more often than every 5 s (OpenID Connect Core §10.1.1).

use std::{sync::Arc, time::Duration};

use openidconnect::JsonWebKeySetUrl;
use shared::{clock::Timestamp, flow::Exchange};
use tokio::sync::{Mutex, RwLock};

use super::{Dated, KeySet, Metadata, Provider, ProviderError, jwks};
use crate::{algorithm::Algorithm, client::Client, validate::UnverifiedJwt};

/// How long a set of keys is used without looking whether the provider has another one, so that a key which it has
/// withdrawn is not believed for ever.
const KEPT: Duration = Duration::from_secs(600);

/// The last good set, and what came of asking the last time.
#[derive(Default)]
pub(super) struct Keys {
    good: RwLock<Option<Good>>,
    asked: Mutex<Option<Dated<Outcome>>>,
}

type Outcome = Result<Arc<KeySet>, ProviderError>;

struct Good {
    keys: Arc<KeySet>,
    from: JsonWebKeySetUrl,
    at: Timestamp,
}

impl Provider {
    /// The keys to judge `jwt` with, for a login that began with `metadata`. A signature by none that is known may mean
    /// that the provider has a new key, so they are fetched again, once for all who wait: a made-up token must not become
    /// a flood. It is the signature that counts and not `kid`: a token need not name its key, and a new key may have the
    /// name of an old one. When fetching fails the last good set stays.
    pub async fn keys_for(
        &self,
        client: &Client,
        jwt: &UnverifiedJwt,
        metadata: &Metadata,
    ) -> Result<Arc<KeySet>, ProviderError> {
        let algorithm = client.id_token_signed_response_alg;
        // With HS256 the client secret is the key, and no other is looked for.
        if let (Algorithm::Hs256, Some(secret)) = (algorithm, &client.secret) {
            return Ok(Arc::new(KeySet::shared(secret.clone())));
        }
        let [(_, first), ..] = &self.keys;
        let keys = self.keys.iter().find(|(known, _)| *known == algorithm).map_or(first, |(_, keys)| keys);
        if let Some(known) = keys.that_signed(jwt, &metadata.jwks_uri, self.clock.now()).await {
            return Ok(known);
        }
        let mut asked = keys.asked.lock().await;
        if let Some(known) = keys.that_signed(jwt, &metadata.jwks_uri, self.clock.now()).await {
            return Ok(known);
        }
        let now = self.clock.now();
        if let Some(last) = asked.as_ref().filter(|last| last.is_fresh(now)) {
            return last.value.clone();
        }
        let good = keys.good.read().await.as_ref().map(|good| good.keys.clone());
        let lost = || ProviderError::Unreachable("the keys could not be fetched".to_owned());
        // Should this request be broken off, the next one does not begin at once again.
        *asked = Some(Dated { value: good.clone().ok_or_else(lost), at: now });
        let outcome = match (self.fetch_keys(algorithm, keys, metadata).await, good) {
            (Err(error), Some(good)) => {
                tracing::warn!(%error, "the keys could not be fetched again; the last good ones stay");
                Ok(good)
            }
            (fetched, _) => fetched,
        };
        // Fetching takes time too: whoever waited for it does not begin again.
        *asked = Some(Dated { value: outcome.clone(), at: self.clock.now() });
        outcome
    }

    async fn fetch_keys(&self, algorithm: Algorithm, keys: &Keys, metadata: &Metadata) -> Outcome {
        // Since this login began the provider may have moved them.
        let latest = self.metadata().await;
        let from = latest.as_ref().map_or(&metadata.jwks_uri, |latest| &latest.jwks_uri);
        let body = self.fetch(Exchange::Keys, from, jwks::MAX_SET).await?;
        let set = Arc::new(KeySet::published(&body, algorithm)?);
        let good = Good { keys: set.clone(), from: from.clone(), at: self.clock.now() };
        *keys.good.write().await = Some(good);
        Ok(set)
    }
}

impl Keys {
    async fn that_signed(
        &self,
        jwt: &UnverifiedJwt,
        from: &JsonWebKeySetUrl,
        now: Timestamp,
    ) -> Option<Arc<KeySet>> {
        let good = self.good.read().await;
        let current = good.as_ref().filter(|good| good.from == *from && now < good.at + KEPT);
        let made_it = |keys: &Arc<KeySet>| keys.verify(jwt.kid(), jwt.signed(), jwt.signature());
        current.map(|good| good.keys.clone()).filter(made_it)
    }
}
