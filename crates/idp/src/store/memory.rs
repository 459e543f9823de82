//! The stores in the memory of this process. What they hold is gone when it ends.

mod access_tokens;
mod assertions;
mod clients;
mod consents;
mod grants;
mod interactions;
mod pushed_requests;
mod refresh_families;
mod sessions;
mod users;

use std::{net::IpAddr, sync::Arc};

use shared::ids::ClientId;
use web::expiring::{ExpiringMap, Full};

use self::{
    access_tokens::AccessTokens,
    assertions::{Assertions, Shown},
    clients::Clients,
    consents::Consents,
    grants::Grants,
    interactions::Interactions,
    pushed_requests::PushedRequests,
    refresh_families::RefreshFamilies,
    sessions::Sessions,
    users::Users,
};
use super::{StoreError, Stores};
use crate::domain::{
    access_token::AccessToken, client::Client, grant::KeptGrant, interaction::Interaction,
    pushed_request::PushedRequest, refresh_family::RefreshFamily, session::UserSession, user::User,
};

impl From<Full> for StoreError {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

/// For whom an entry counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Client(ClientId),
    Address(IpAddr),
}

impl Owner {
    fn both(client: &ClientId, address: Option<IpAddr>) -> Vec<Self> {
        address.map(Self::Address).into_iter().chain([Self::Client(client.clone())]).collect()
    }

    fn of_address(address: Option<IpAddr>) -> Vec<Self> {
        address.map(Self::Address).into_iter().collect()
    }

    /// One client leaves half of a store to the others. One address has clearly less than a client: it must not take all
    /// that the client has.
    const fn share(&self) -> usize {
        match self {
            Self::Client(_) => 2,
            Self::Address(_) => 8,
        }
    }

    /// Where there is one client only, nothing is kept for others.
    const fn share_of_the_only_client(&self) -> usize {
        match self {
            Self::Client(_) => 1,
            Self::Address(_) => self.share(),
        }
    }
}

/// Empty stores for `capacity` entries each, and the clients and users that are registered. Where clients may register
/// themselves, the only one of the settings is not the only one for long.
pub fn stores(clients: Vec<Client>, users: Vec<User>, capacity: usize, may_register: bool) -> Stores {
    let alone = clients.len() <= 1 && !may_register;
    let share = if alone { Owner::share_of_the_only_client } else { Owner::share };
    let clients = Arc::new(Clients::new(clients, capacity));
    Stores {
        clients: Arc::<Clients>::clone(&clients),
        users: Arc::new(Users::from(users)),
        sessions: Arc::new(Sessions(
            ExpiringMap::shared(capacity, |_| 0, |session: &UserSession| Owner::of_address(session.address))
                .in_shares(share),
        )),
        pushed_requests: Arc::new(PushedRequests(
            ExpiringMap::shared(capacity, PushedRequest::weight, |pushed: &PushedRequest| {
                Owner::both(&pushed.client_id, pushed.address)
            })
            .in_shares(share),
        )),
        interactions: Arc::new(Interactions(
            ExpiringMap::shared(capacity, Interaction::weight, |interaction: &Interaction| {
                Owner::both(interaction.client_id(), interaction.address)
            })
            .in_shares(share),
        )),
        consents: Arc::new(Consents(ExpiringMap::with_capacity(capacity))),
        grants: Arc::new(Grants {
            by_code: ExpiringMap::with_capacity(capacity),
            by_id: ExpiringMap::shared(capacity, KeptGrant::weight, |grant| {
                Owner::both(&grant.client_id, grant.address)
            })
            .in_shares(share),
        }),
        refresh_families: Arc::new(RefreshFamilies(
            ExpiringMap::shared(
                capacity,
                |family: &RefreshFamily| family.approval.weight(),
                |family| Owner::both(&family.approval.client_id, family.approval.address),
            )
            .in_shares(share),
        )),
        access_tokens: Arc::new(AccessTokens(
            ExpiringMap::shared(capacity, AccessToken::weight, |access| {
                Owner::both(&access.client_id, access.address)
            })
            .in_shares(share),
        )),
        assertions: Arc::new(Assertions {
            used: ExpiringMap::shared(
                capacity,
                |_| 0,
                |shown: &Shown| Owner::both(&shown.client, shown.registrant),
            )
            .in_shares(share),
            clients,
        }),
    }
}
