//! Assertions by which clients have proved who they are; each does so once (RFC 7523 §3).

use async_trait::async_trait;
use shared::{clock::Timestamp, ids::ClientId, secret::SecretHash};
use web::expiring::ExpiringMap;

use super::Owner;
use crate::store::{AssertionStore, Stored};

pub(super) struct Assertions(pub(super) ExpiringMap<SecretHash, ClientId, Owner>);

#[async_trait]
impl AssertionStore for Assertions {
    async fn use_up(
        &self,
        jti: SecretHash,
        client: &ClientId,
        ends: Timestamp,
        now: Timestamp,
    ) -> Stored<bool> {
        Ok(self.0.insert_new(jti, client.clone(), ends, now)?)
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}
