//! The keys that clients publish at their `jwks_uri` (RFC 7591 §2). They are fetched when an assertion needs them, kept
//! for a while, and fetched again when a signature names a key that is not among them: a client changes its keys when it
//! likes.
//!
//! The address stands in a registration, never in a token. What answers there may be broken or hostile: no redirect is
//! followed, and size and time have a bound.

use std::{sync::Arc, time::Duration};

use reqwest::{header, redirect::Policy};
use shared::{clock::Timestamp, secret::SecretHash};
use tokio::sync::{Mutex, OnceCell};
use url::Url;
use web::expiring::ExpiringMap;

use crate::domain::{client::Client, client_keys::PublicKeys};

/// How long keys are believed without asking again.
const FRESH: Duration = Duration::from_secs(300);
/// How often an address is asked, at most.
const PAUSE: Duration = Duration::from_secs(5);
/// How long the keys of a client are kept that has gone quiet.
const KEPT: Duration = Duration::from_secs(3600);
/// How many sets of clients that registered themselves are kept at most.
const SETS: usize = 1000;
/// What they may take on average, in bytes, if there are as many.
const SET_BYTES: usize = 16 * 1024;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest set that is read, in bytes.
const MAX_SET: usize = 64 * 1024;

/// The sets that are known. However many clients register themselves, they take no room from those of the settings.
pub struct PublishedKeys {
    of_settings: Sets,
    of_registered: Sets,
    http_here: OnceCell<reqwest::Client>,
    http_outside: OnceCell<reqwest::Client>,
}

type Sets = ExpiringMap<SecretHash, Arc<Mutex<Known>>>;

/// What is known of one address. Whoever asks meanwhile waits for the one answer.
#[derive(Debug, Default)]
struct Known {
    keys: Option<PublicKeys>,
    asked: Option<Timestamp>,
}

/// What is not known yet, or on its way, may turn out to be as large as a set can be. Whoever weighs must not wait.
fn weight(set: &Arc<Mutex<Known>>) -> usize {
    let known = set.try_lock().ok();
    known.and_then(|known| known.keys.as_ref().map(PublicKeys::weight)).unwrap_or(PublicKeys::MOST)
}

impl Default for PublishedKeys {
    fn default() -> Self {
        Self {
            // There are as many as the settings name.
            of_settings: ExpiringMap::with_capacity(usize::MAX),
            of_registered: ExpiringMap::shared(SETS, weight, |_| Vec::new()).of_bytes_each(SET_BYTES),
            http_here: OnceCell::new(),
            http_outside: OnceCell::new(),
        }
    }
}

impl PublishedKeys {
    /// The keys of `client` at `address`, fetched again if they are old or none of them is called `kid`. The last good
    /// ones stay when the client does not answer.
    pub async fn at(
        &self,
        client: &Client,
        address: &Url,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Option<PublicKeys> {
        let set = self.set(client, address, now);
        let mut known = set.lock().await;
        let is_fresh = known.asked.is_some_and(|asked| now < asked + FRESH);
        let has_key = known.keys.as_ref().is_some_and(|keys| keys.knows(kid));
        let may_ask = known.asked.is_none_or(|asked| asked + PAUSE <= now);
        if may_ask && !(is_fresh && has_key) {
            known.asked = Some(now);
            match self.fetch(address).await {
                Ok(keys) => known.keys = Some(keys),
                Err(reason) => tracing::warn!(%address, reason, "the keys of a client cannot be had"),
            }
        }
        let keys = known.keys.clone();
        drop(known);
        // What is known now may weigh less than what it might have been.
        self.sets(client).update(&SecretHash::of(address.as_str()), now, |_| ());
        keys
    }

    const fn sets(&self, client: &Client) -> &Sets {
        if client.registered.is_some() { &self.of_registered } else { &self.of_settings }
    }

    fn set(&self, client: &Client, address: &Url, now: Timestamp) -> Arc<Mutex<Known>> {
        let sets = self.sets(client);
        let key = SecretHash::of(address.as_str());
        let known = |(set, expires): (&mut Arc<Mutex<Known>>, &mut Timestamp)| {
            *expires = now + KEPT;
            Arc::clone(set)
        };
        if let Some(set) = sets.update_with_expiry(&key, now, |set, expires| known((set, expires))) {
            return set;
        }
        let set = Arc::default();
        // Where there is no room, they are fetched, used and forgotten: whoever came earlier keeps nobody out.
        let _ = sets.insert(key, Arc::clone(&set), now + KEPT, now);
        set
    }

    async fn fetch(&self, address: &Url) -> Result<PublicKeys, String> {
        let asked = self.http(address).await?.get(address.clone());
        let asked = asked.header(header::ACCEPT, "application/jwk-set+json, application/json");
        let mut answer = asked.send().await.map_err(|error| error.without_url().to_string())?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(format!("status {}", answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| error.without_url().to_string())? {
            if body.len() + chunk.len() > MAX_SET {
                return Err(format!("more than {MAX_SET} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        PublicKeys::parse(&body).map_err(|error| format!("the key set {error}"))
    }

    /// The HTTP client for `address`, made when it is first needed: most providers never ask anybody.
    async fn http(&self, address: &Url) -> Result<&reqwest::Client, String> {
        // A proxy for the world outside is of no use for a client on this computer.
        let is_here = web::origin::is_loopback(address);
        let made = if is_here { &self.http_here } else { &self.http_outside };
        let make = async || {
            let builder = reqwest::Client::builder().redirect(Policy::none()).timeout(TIMEOUT);
            // A set is fetched now and then. By then a client that kept the connection may be about to close it.
            let builder = builder.pool_max_idle_per_host(0);
            let builder = if is_here { builder.no_proxy() } else { builder };
            builder.build().map_err(|error| error.to_string())
        };
        made.get_or_try_init(make).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn only_clients_on_this_computer_are_asked_without_a_proxy_whoever_is_asked_first() {
        let [here, outside] = ["http://127.0.0.1:5002/jwks", "https://rp.example/jwks"];
        for order in [[here, outside], [outside, here]] {
            let keys = PublishedKeys::default();
            for address in order {
                let http = keys.http(&Url::parse(address).unwrap()).await.unwrap();
                // That is the only way in which it says whether it would use one.
                assert_eq!(
                    format!("{http:?}").contains("proxies"),
                    address == outside,
                    "{address}: {http:?}"
                );
            }
        }
    }

    #[test]
    fn i23_sets_count_with_all_they_may_be_until_they_are_known() {
        let (published, now) = (PublishedKeys::default(), Timestamp::from_unix(0));
        let client = Client { registered: Some(now), ..Client::of("app-1") };
        let set = |number: usize| {
            let address = Url::parse(&format!("https://client{number}.example/jwks")).unwrap();
            published.set(&client, &address, now)
        };
        let is_kept = |number: usize| Arc::ptr_eq(&set(number), &set(number));
        let taken = (0..SETS).take_while(|number| is_kept(*number)).count();
        assert!(taken * PublicKeys::MOST <= SETS * SET_BYTES, "{taken}");
        let keys =
            br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        for number in 0..taken {
            set(number).try_lock().unwrap().keys = Some(PublicKeys::parse(keys).unwrap());
            set(number);
        }
        assert!(is_kept(SETS), "there is room again for others");
    }
}
