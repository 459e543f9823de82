//! The clients: those of the settings, which stay, and those that registered themselves, of whom there may be only so many.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use shared::{clock::Timestamp, ids::ClientId};
use web::expiring::ExpiringMap;

use super::Owner;
use crate::{
    domain::{client::Client, registration::Registration},
    store::{ClientStore, Stored},
};

/// How many clients may have registered themselves, if the stores hold so many at all.
const MOST_REGISTRATIONS: usize = 10_000;
/// What a registration may weigh on average, in bytes: it has keys, addresses, and names in several languages.
const REGISTRATION_BYTES: usize = 8 * 1024;

/// Both kinds of clients.
pub(super) struct Clients {
    of_the_settings: Vec<Arc<Client>>,
    registered: ExpiringMap<ClientId, Registration, Owner>,
}

impl Clients {
    /// Those of the settings, and room for others.
    pub(super) fn new(clients: Vec<Client>, capacity: usize) -> Self {
        let owners = |registration: &Registration| Owner::of_address(registration.address);
        let registered = ExpiringMap::shared(capacity.min(MOST_REGISTRATIONS), Registration::weight, owners);
        Self {
            of_the_settings: clients.into_iter().map(Arc::new).collect(),
            registered: registered.of_bytes_each(REGISTRATION_BYTES).in_shares(Owner::share),
        }
    }

    /// The address that a client registered itself from, as far as that is known. Whether the registration has ended does
    /// not matter: its time is another one than that of whoever asks, which may travel.
    pub(super) fn registrant(&self, id: &ClientId) -> Option<IpAddr> {
        let before_all = Timestamp::from_unix(i64::MIN);
        self.registered.read(id, before_all, |registration| registration.address).flatten()
    }
}

#[async_trait]
impl ClientStore for Clients {
    async fn all(&self, now: Timestamp) -> Stored<Vec<Arc<Client>>> {
        let mut registered = self.registered.select(now, |_| true, |_, it| Arc::clone(&it.client));
        registered.sort_by(|a, b| (a.registered, &a.id).cmp(&(b.registered, &b.id)));
        Ok(self.of_the_settings.iter().cloned().chain(registered).collect())
    }

    async fn find(&self, id: &ClientId, now: Timestamp) -> Stored<Option<Arc<Client>>> {
        if let Some(client) = self.of_the_settings.iter().find(|client| client.id == *id) {
            return Ok(Some(Arc::clone(client)));
        }
        Ok(self.registered.update_with_expiry(id, now, |registration, expires| {
            *expires = now + registration.idle;
            Arc::clone(&registration.client)
        }))
    }

    async fn register(&self, registration: Registration, now: Timestamp) -> Stored<()> {
        let (id, expires) = (registration.client.id.clone(), now + registration.idle);
        Ok(self.registered.insert(id, registration, expires, now)?)
    }

    async fn registration(&self, id: &ClientId, now: Timestamp) -> Stored<Option<Registration>> {
        Ok(self.registered.read(id, now, Clone::clone))
    }

    async fn unregister(&self, id: &ClientId, now: Timestamp) -> Stored<bool> {
        Ok(self.registered.take(id, now).is_some())
    }

    async fn sweep(&self, now: Timestamp) {
        self.registered.sweep(now);
    }
}
