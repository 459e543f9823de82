//! Assertions by which clients have proved who they are; each does so once (RFC 7523 §3).

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use shared::{clock::Timestamp, ids::ClientId, secret::SecretHash};
use web::expiring::ExpiringMap;

use super::{Owner, clients::Clients};
use crate::store::{AssertionStore, Stored};

pub(super) struct Assertions {
    pub(super) used: ExpiringMap<SecretHash, Shown, Owner>,
    pub(super) clients: Arc<Clients>,
}

/// Who showed one.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) client: ClientId,
    /// Where clients are free, the share of each keeps nobody from taking the shares of several.
    pub(super) registrant: Option<IpAddr>,
}

#[async_trait]
impl AssertionStore for Assertions {
    async fn use_up(
        &self,
        jti: SecretHash,
        client: &ClientId,
        ends: Timestamp,
        now: Timestamp,
    ) -> Stored<bool> {
        let shown = Shown { client: client.clone(), registrant: self.clients.registrant(client) };
        Ok(self.used.insert_new(jti, shown, ends, now)?)
    }

    async fn sweep(&self, now: Timestamp) {
        self.used.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.used.forget_since(since);
    }
}
