//! What access tokens open, until they end or are given back.

use std::net::IpAddr;

use async_trait::async_trait;
use shared::{clock::Timestamp, ids::ClientId, secret::SecretHash};
use web::expiring::ExpiringMap;

use super::Owner;
use crate::{
    domain::access_token::AccessToken,
    store::{AccessTokenStore, Stored},
};

pub(super) struct AccessTokens(pub(super) ExpiringMap<SecretHash, AccessToken, Owner>);

#[async_trait]
impl AccessTokenStore for AccessTokens {
    async fn keep(&self, token: SecretHash, access: AccessToken, now: Timestamp) -> Stored<()> {
        let expires = access.expires;
        Ok(self.0.insert(token, access, expires, now)?)
    }

    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool> {
        Ok(self.0.has_room(&Owner::both(client, address), now))
    }

    async fn revoke(&self, token: SecretHash, now: Timestamp) -> Stored<()> {
        self.0.take(&token, now);
        Ok(())
    }

    async fn revoke_client(&self, client: &ClientId) -> Stored<()> {
        self.0.retain(|access| access.client_id != *client);
        Ok(())
    }

    async fn find(&self, token: SecretHash, now: Timestamp) -> Stored<Option<AccessToken>> {
        Ok(self.0.read(&token, now, Clone::clone))
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}
