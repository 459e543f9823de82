//! Families of refresh tokens: each token brings the next, once (RFC 9700 §4.14.2).

use std::net::IpAddr;

use async_trait::async_trait;
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    secret::SecretHash,
};
use web::expiring::ExpiringMap;

use super::Owner;
use crate::{
    domain::{
        grant::Approval,
        refresh_family::{Asked, RefreshFamily, RefreshToken, Rotate},
    },
    store::{RefreshFamilyStore, Stored},
};

pub(super) struct RefreshFamilies(pub(super) ExpiringMap<SecretHash, RefreshFamily, Owner>);

#[async_trait]
impl RefreshFamilyStore for RefreshFamilies {
    async fn begin(&self, handle: SecretHash, family: RefreshFamily, now: Timestamp) -> Stored<()> {
        let forget = family.forget();
        Ok(self.0.insert(handle, family, forget, now)?)
    }

    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool> {
        Ok(self.0.has_room(&Owner::both(client, address), now))
    }

    async fn rotate(
        &self,
        token: RefreshToken,
        client_id: &ClientId,
        asked: &Asked,
        next: SecretHash,
        now: Timestamp,
    ) -> Stored<Rotate> {
        let rotated = self
            .0
            .update(&token.family, now, |family| family.rotate(token.token, client_id, asked, next, now));
        Ok(rotated.unwrap_or(Rotate::Unknown))
    }

    async fn find(&self, handle: SecretHash, now: Timestamp) -> Stored<Option<RefreshFamily>> {
        Ok(self.0.read(&handle, now, Clone::clone))
    }

    async fn kill(&self, handle: SecretHash, now: Timestamp) -> Stored<()> {
        self.0.update(&handle, now, RefreshFamily::kill);
        Ok(())
    }

    async fn kill_all(&self, subject: &Subject, client: &ClientId, _now: Timestamp) -> Stored<()> {
        self.0.retain(|family| !family.is_of(subject, client));
        Ok(())
    }

    async fn kill_client(&self, client: &ClientId) -> Stored<()> {
        self.0.retain(|family| family.approval.client_id != *client);
        Ok(())
    }

    async fn of(&self, subject: &Subject, now: Timestamp) -> Stored<Vec<Approval>> {
        let families = self.0.select(now, |_| true, |_, family| family.done_for(subject, now));
        Ok(families.into_iter().flatten().collect())
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}
