//! Clients and users, those of the settings and those that registered themselves.

use std::{net::IpAddr, sync::Arc, time::Duration};

use idp::{
    domain::{
        client::Client,
        consent::{Consent, Permissions},
        grant::{Grant, GrantId},
        registration::Registration,
        user::Username,
    },
    store::{StoreError, Stores},
};
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    scope::Scope,
};

use crate::{
    CAPACITY,
    entries::{access_token, approval, at, family_of, grant, handle},
};

pub async fn clients_and_users_are_found_by_their_names_only(stores: Stores) {
    for (id, known) in
        [("client1", true), ("client2", true), ("client3", false), ("CLIENT1", false), ("", false)]
    {
        assert_eq!(stores.clients.find(&ClientId::new(id), at(0)).await.unwrap().is_some(), known, "{id}");
    }
    let by_name = stores.users.find_by_name(&Username::parse("Demo")).await.unwrap().unwrap();
    let by_subject = stores.users.find(&Subject::new("1")).await.unwrap().unwrap();
    assert_eq!(by_name.subject, by_subject.subject);
    let by_email = stores.users.find_by_name(&Username::parse("1@EXAMPLE.com")).await.unwrap().unwrap();
    assert_eq!(by_email.subject, by_subject.subject);
    assert!(stores.users.find(&Subject::new("demo")).await.unwrap().is_none());
}

pub fn registration(id: &str, now: Timestamp, address: Option<IpAddr>) -> Registration {
    Registration {
        client: Arc::new(Client { registered: Some(now), ..Client::of(id) }),
        also: Arc::default(),
        access_token: handle(id),
        idle: Duration::from_secs(10),
        address,
        size: 100,
    }
}

pub async fn a_client_that_registered_itself_lives_as_long_as_it_is_used(stores: Stores) {
    let (store, [own, other]) = (&stores.clients, ["own", "other"].map(ClientId::new));
    let known = store.all(at(0)).await.unwrap().len();
    store.register(registration("own", at(1), None), at(1)).await.unwrap();
    store.register(registration("other", at(0), None), at(0)).await.unwrap();
    let all = store.all(at(1)).await.unwrap();
    let registered: Vec<_> = all[known..].iter().map(|client| client.id.clone()).collect();
    assert_eq!(
        registered,
        [other.clone(), own.clone()],
        "in the order of their registration, behind those of the settings"
    );
    for now in [10, 19] {
        assert!(store.find(&own, at(now)).await.unwrap().is_some(), "{now}");
    }
    assert!(store.find(&other, at(10)).await.unwrap().is_none());
    // To look at a registration is not to use the client.
    assert_eq!(store.registration(&own, at(28)).await.unwrap().unwrap().access_token, handle("own"));
    assert!(store.find(&own, at(29)).await.unwrap().is_none());
    assert!(store.registration(&ClientId::new("client1"), at(0)).await.unwrap().is_none());
    store.sweep(at(1_000_000)).await;
    assert_eq!(store.all(at(1_000_000)).await.unwrap().len(), known);
}

pub async fn a_client_is_unregistered_once_and_all_that_it_was_given_with_it(stores: Stores) {
    let (client, settled) = (ClientId::new("own"), ClientId::new("client1"));
    stores.clients.register(registration("own", at(0), None), at(0)).await.unwrap();
    let asked = Permissions { scope: Scope::parse("openid").unwrap(), ..Permissions::default() };
    let consent = Consent::default().decided(&asked, &asked);
    for (number, id) in [(1, &client), (2, &settled)] {
        let approval = approval(number, id.as_str());
        let (_, family) = family_of(approval.clone(), "", "");
        let name = handle(id.as_str());
        stores.grants.issue(name, Grant { approval, ..grant(at(60)) }, at(120), at(0)).await.unwrap();
        stores.refresh_families.begin(name, family, at(0)).await.unwrap();
        stores.access_tokens.keep(name, access_token(id.as_str()), at(0)).await.unwrap();
        stores.consents.remember(&Subject::new("1"), id, consent.clone(), at(10), at(0)).await.unwrap();
    }
    assert!(stores.unregister(&client, at(1)).await.unwrap());
    assert!(!stores.unregister(&client, at(1)).await.unwrap());
    assert!(stores.clients.find(&client, at(1)).await.unwrap().is_none());
    for (number, id, kept) in [(1, &client, false), (2, &settled, true)] {
        let name = handle(id.as_str());
        let grant = GrantId(uuid::Uuid::from_u128(number));
        assert_eq!(stores.grants.is_live(grant, at(1)).await.unwrap(), kept);
        assert_eq!(stores.refresh_families.find(name, at(1)).await.unwrap().is_some(), kept);
        assert_eq!(stores.access_tokens.find(name, at(1)).await.unwrap().is_some(), kept);
        let remembered = stores.consents.find(&Subject::new("1"), id, at(1)).await.unwrap();
        assert_eq!(remembered.is_some(), kept);
    }
}

pub async fn i23_one_address_leaves_room_for_the_clients_of_others(stores: Stores) {
    let mut kept = [0, 0];
    for (address, kept) in kept.iter_mut().enumerate() {
        let from = Some(IpAddr::from([192, 0, 2, u8::try_from(address).unwrap()]));
        for number in 0..CAPACITY {
            let registration = registration(&format!("{address}-{number}"), at(0), from);
            *kept += usize::from(stores.clients.register(registration, at(0)).await.is_ok());
        }
    }
    assert_eq!(kept, [CAPACITY / 8; 2]);
    let large = Registration { size: 64 * CAPACITY * 1024, ..registration("large", at(0), None) };
    assert_eq!(stores.clients.register(large, at(0)).await, Err(StoreError::Full));
}
