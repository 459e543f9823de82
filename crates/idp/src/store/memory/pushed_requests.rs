//! Authorization requests that were left in advance (RFC 9126 §2). Only one browser gets each.

use async_trait::async_trait;
use shared::{clock::Timestamp, ids::ClientId, secret::SecretHash};
use web::expiring::ExpiringMap;

use super::Owner;
use crate::{
    domain::pushed_request::{PushedRequest, Take},
    store::{PushedRequestStore, Stored},
};

pub(super) struct PushedRequests(pub(super) ExpiringMap<SecretHash, PushedRequest, Owner>);

#[async_trait]
impl PushedRequestStore for PushedRequests {
    async fn push(
        &self,
        handle: SecretHash,
        pushed: PushedRequest,
        forget: Timestamp,
        now: Timestamp,
    ) -> Stored<()> {
        Ok(self.0.insert(handle, pushed, forget, now)?)
    }

    async fn take(&self, handle: SecretHash, client: &ClientId, now: Timestamp) -> Stored<Take> {
        Ok(self.0.update(&handle, now, |pushed| pushed.take(client, now)).unwrap_or(Take::Unknown))
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}
