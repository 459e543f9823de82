//! A client that registered itself (RFC 7591), and what it can look at and delete its registration with (RFC 7592).

use std::{net::IpAddr, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use shared::secret::SecretHash;

use super::client::Client;

/// One registration.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The client.
    pub client: Arc<Client>,
    /// What else it said of itself: it is told so again, and nothing here depends on it.
    pub also: Arc<Map<String, Value>>,
    /// The registration access token (RFC 7592 §3).
    pub access_token: SecretHash,
    /// How long it is kept while nobody uses the client.
    pub idle: Duration,
    /// Whom it counts for.
    pub address: Option<IpAddr>,
    /// How many bytes it was sent in.
    pub size: usize,
}

impl Registration {
    /// About how many bytes it takes beside its own size: what was sent, as texts, as addresses and as keys.
    pub const fn weight(&self) -> usize {
        size_of::<Client>() + 3 * self.size
    }
}
