//! What a full store does, what it keeps for whom, and what sweeping gives back.

use std::time::Duration;

use idp::{
    demo,
    domain::{
        access_token::AccessToken,
        authorization_request::AuthorizationRequest,
        grant::{Approval, Grant},
        interaction::Interaction,
        redirect_uri::RedirectUri,
        session::{SessionLifetime, UserSession},
    },
    store::{StoreError, Stores, memory},
};

use crate::{
    CAPACITY, REDIRECT_URI,
    entries::{
        access_token, approval, at, begun, family, family_of, grant, grant_called, handle, interaction,
        interaction_of, login, pushed, request_of, signed_in,
    },
};

pub async fn sweeping_takes_what_has_ended_and_nothing_else(stores: Stores) {
    let store = &stores.interactions;
    store.begin(handle("old"), interaction(&stores).await, at(0)).await.unwrap();
    let young = Interaction { expires: at(900), ..interaction(&stores).await };
    store.begin(handle("young"), young, at(300)).await.unwrap();
    stores.sweep(at(600)).await;
    assert!(store.find(handle("old"), at(599)).await.unwrap().is_none(), "swept");
    assert!(store.find(handle("young"), at(600)).await.unwrap().is_some());
}

/// How many of `number` new interactions the store takes.
async fn taken(stores: &Stores, name: &str, begun: &Interaction, number: usize) -> usize {
    let mut taken = 0;
    for number in 0..number {
        let handle = handle(&format!("{name}{number}"));
        match stores.interactions.begin(handle, begun.clone(), at(0)).await {
            Ok(()) => taken += 1,
            Err(refused) => assert_eq!(refused, StoreError::Full),
        }
    }
    taken
}

pub async fn i23_a_full_store_refuses_the_new_and_keeps_what_is_under_way(stores: Stores) {
    let store = &stores.interactions;
    for client in ["client1", "client2"] {
        let begun = interaction_of(&stores, client).await;
        assert_eq!(taken(&stores, client, &begun, CAPACITY / 2).await, CAPACITY / 2);
    }
    let third = interaction_of(&stores, "client-hs256").await;
    assert_eq!(store.begin(handle("new"), third.clone(), at(1)).await, Err(StoreError::Full));
    store.advance(handle("client10"), signed_in(2), at(2)).await.unwrap();
    assert!(store.decide(handle("client10"), &login(at(2)), at(3)).await.unwrap());
    let later = Interaction { expires: at(1200), ..third };
    store.begin(handle("new"), later, at(600)).await.unwrap();
}

pub async fn i23_one_client_leaves_room_for_the_others(stores: Stores) {
    let (one, other) = (interaction(&stores).await, interaction_of(&stores, "client2").await);
    assert_eq!(taken(&stores, "one", &one, CAPACITY).await, CAPACITY / 2);
    assert_eq!(taken(&stores, "other", &other, 1).await, 1);
    let (mut grants, mut tokens, mut families, mut requests) = (0, 0, 0, 0);
    for number in 0..CAPACITY {
        let name = handle(&number.to_string());
        let one = grant_called(number as u128, at(60));
        grants += usize::from(stores.grants.issue(name, one, at(120), at(0)).await.is_ok());
        tokens += usize::from(stores.access_tokens.keep(name, access_token("client1"), at(0)).await.is_ok());
        let waiting = pushed(&stores, "client1", None).await;
        requests += usize::from(stores.pushed_requests.push(name, waiting, at(120), at(0)).await.is_ok());
        let (_, family) = family("", "");
        families += usize::from(stores.refresh_families.begin(name, family, at(0)).await.is_ok());
    }
    assert_eq!([grants, tokens, families, requests], [CAPACITY / 2; 4]);
    let other = Grant { approval: approval(1000, "client2"), ..grant(at(60)) };
    stores.grants.issue(handle("other"), other, at(120), at(0)).await.unwrap();
    stores.access_tokens.keep(handle("other"), access_token("client2"), at(0)).await.unwrap();
}

pub async fn i23_one_address_leaves_room_for_the_others(stores: Stores) {
    let from =
        |begun: &Interaction, address: &str| Interaction { address: address.parse().ok(), ..begun.clone() };
    let (one, other) = (interaction(&stores).await, interaction_of(&stores, "client2").await);
    assert_eq!(taken(&stores, "a", &from(&one, "192.0.2.1"), CAPACITY / 16).await, CAPACITY / 16);
    // In the name of another client it is the same visitor.
    assert_eq!(taken(&stores, "b", &from(&other, "192.0.2.1"), CAPACITY).await, CAPACITY / 16);
    assert_eq!(taken(&stores, "c", &from(&one, "192.0.2.2"), 1).await, 1, "at the same client");
    let lifetime = SessionLifetime { idle: Duration::from_secs(60), most: Duration::from_secs(60) };
    let mut kept = [[0; 5]; 2];
    for number in 0..CAPACITY {
        for (which, kept) in kept.iter_mut().enumerate() {
            let address = ["192.0.2.1", "192.0.2.2"][which].parse().ok();
            let name = handle(&format!("{which} {number}"));
            let approval = Approval { address, ..approval((2 * number + which) as u128, "client1") };
            let grant = Grant { approval: approval.clone(), ..grant(at(60)) };
            let (_, family) = family_of(approval, "", "");
            let token = AccessToken { address, ..access_token("client1") };
            let mut session = UserSession::default().signed_in(login(at(0)));
            session.address = address;
            kept[0] += u32::from(stores.grants.issue(name, grant, at(120), at(0)).await.is_ok());
            kept[1] += u32::from(stores.access_tokens.keep(name, token, at(0)).await.is_ok());
            kept[2] += u32::from(stores.sessions.start(name, session, lifetime, at(0)).await.is_ok());
            let waiting = pushed(&stores, "client1", Some(["192.0.2.1", "192.0.2.2"][which])).await;
            kept[4] += u32::from(stores.pushed_requests.push(name, waiting, at(120), at(0)).await.is_ok());
            kept[3] += u32::from(stores.refresh_families.begin(name, family, at(0)).await.is_ok());
        }
    }
    assert_eq!(kept, [[8; 5]; 2]);
}

#[actix_web::test]
async fn i23_the_only_client_leaves_room_for_nobody() {
    let mut clients = demo::clients(&RedirectUri::parse(REDIRECT_URI).unwrap());
    clients.truncate(1);
    let stores = memory::stores(clients, demo::users().unwrap(), CAPACITY, false);
    assert_eq!(taken(&stores, "only", &interaction(&stores).await, 2 * CAPACITY).await, CAPACITY);
}

pub async fn i23_long_requests_fill_a_store_sooner(stores: Stores) {
    let long = Some("n".repeat(8 * 1024));
    let long = begun(AuthorizationRequest { nonce: long, ..request_of(&stores, "client1").await });
    let kept = taken(&stores, "long", &long, CAPACITY).await;
    assert!((1..CAPACITY / 8).contains(&kept), "{kept}");
    assert_eq!(taken(&stores, "short", &interaction_of(&stores, "client2").await, 1).await, 1);
}

#[actix_web::test]
async fn i23_of_a_hundred_thousand_unfinished_logins_as_many_are_kept_as_there_is_room_for() {
    let clients = demo::clients(&RedirectUri::parse(REDIRECT_URI).unwrap());
    let stores = memory::stores(clients, demo::users().unwrap(), 10_000, true);
    let (one, other) = (interaction(&stores).await, interaction_of(&stores, "client2").await);
    stores.interactions.begin(handle("under way"), one.clone(), at(0)).await.unwrap();
    assert_eq!(taken(&stores, "one", &one, 50_000).await, 4_999);
    assert_eq!(taken(&stores, "other", &other, 50_000).await, 5_000);
    stores.interactions.advance(handle("under way"), signed_in(1), at(1)).await.unwrap();
    assert!(stores.interactions.decide(handle("under way"), &login(at(1)), at(2)).await.unwrap());
    stores.sweep(at(600)).await;
    assert_eq!(taken(&stores, "one", &one, 50_000).await, 5_000, "the first ones left nothing behind");
}
