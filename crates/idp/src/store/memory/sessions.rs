//! Who is signed in with which browser. Each use puts the end of a session off.

use std::net::IpAddr;

use async_trait::async_trait;
use shared::{clock::Timestamp, secret::SecretHash};
use web::expiring::ExpiringMap;

use super::Owner;
use crate::{
    domain::session::{SessionLifetime, UserSession},
    store::{SessionStore, Stored},
};

pub(super) struct Sessions(pub(super) ExpiringMap<SecretHash, UserSession, Owner>);

#[async_trait]
impl SessionStore for Sessions {
    async fn start(
        &self,
        id: SecretHash,
        session: UserSession,
        lifetime: SessionLifetime,
        now: Timestamp,
    ) -> Stored<()> {
        let expires = session.expires(now, lifetime);
        Ok(self.0.insert(id, session, expires, now)?)
    }

    async fn has_room(&self, address: Option<IpAddr>, now: Timestamp) -> Stored<bool> {
        Ok(self.0.has_room(&Owner::of_address(address), now))
    }

    async fn use_now(
        &self,
        id: SecretHash,
        lifetime: SessionLifetime,
        now: Timestamp,
    ) -> Stored<Option<UserSession>> {
        Ok(self.0.update_with_expiry(&id, now, |session, expires| {
            session.forget_ended(now, lifetime);
            *expires = session.expires(now, lifetime);
            session.clone()
        }))
    }

    async fn end(&self, id: SecretHash, now: Timestamp) -> Stored<Option<UserSession>> {
        Ok(self.0.take(&id, now))
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}
