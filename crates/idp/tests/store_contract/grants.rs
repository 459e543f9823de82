//! Codes, and the grants that they stand for.

use std::sync::Arc;

use idp::{
    domain::grant::{Grant, Redeem},
    store::{StoreError, Stores},
};
use shared::ids::{ClientId, Subject};

use crate::{
    CAPACITY,
    entries::{approval, at, grant, grant_called, handle},
};

pub async fn a_code_is_redeemed_once_and_reuse_revokes_its_grant(stores: Stores) {
    let (store, client) = (&stores.grants, ClientId::new("client1"));
    let id = grant(at(60)).approval.grant;
    store.issue(handle("code"), grant(at(60)), at(120), at(0)).await.unwrap();
    assert!(matches!(store.redeem(handle("code"), &client, at(1)).await, Ok(Redeem::Redeemed(_))));
    assert!(store.is_live(id, at(2)).await.unwrap());
    assert!(matches!(store.redeem(handle("code"), &client, at(3)).await, Ok(Redeem::AlreadyUsed)));
    assert!(!store.is_live(id, at(4)).await.unwrap());
    assert!(matches!(store.redeem(handle("other"), &client, at(5)).await, Ok(Redeem::Unknown)));
}

pub async fn fifty_at_once_redeem_a_code_once(stores: Stores) {
    let client = ClientId::new("client1");
    stores.grants.issue(handle("code"), grant(at(60)), at(120), at(0)).await.unwrap();
    let stores = Arc::new(stores);
    let tasks = (0..50).map(|_| {
        let (stores, client) = (stores.clone(), client.clone());
        actix_web::rt::spawn(async move { stores.grants.redeem(handle("code"), &client, at(1)).await })
    });
    let outcomes = futures_util::future::join_all(tasks).await;
    let redeemed = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Ok(Redeem::Redeemed(_)))));
    assert_eq!(redeemed.count(), 1);
}

pub async fn another_client_leaves_a_code_as_it_was(stores: Stores) {
    let store = &stores.grants;
    store.issue(handle("code"), grant(at(60)), at(120), at(0)).await.unwrap();
    let other = store.redeem(handle("code"), &ClientId::new("client2"), at(1)).await;
    assert!(matches!(other, Ok(Redeem::OtherClient)));
    let own = store.redeem(handle("code"), &ClientId::new("client1"), at(2)).await;
    assert!(matches!(own, Ok(Redeem::Redeemed(_))));
}

pub async fn a_late_code_is_late_and_later_unknown(stores: Stores) {
    let (store, client) = (&stores.grants, ClientId::new("client1"));
    store.issue(handle("code"), grant(at(60)), at(120), at(0)).await.unwrap();
    assert!(matches!(store.redeem(handle("code"), &client, at(60)).await, Ok(Redeem::Late)));
    assert!(matches!(store.redeem(handle("code"), &client, at(120)).await, Ok(Redeem::Unknown)));
}

pub async fn a_used_code_is_remembered_as_long_as_what_it_bought(stores: Stores) {
    let (store, client) = (&stores.grants, ClientId::new("client1"));
    store.issue(handle("code"), grant(at(60)), at(120), at(0)).await.unwrap();
    store.redeem(handle("code"), &client, at(1)).await.unwrap();
    assert!(matches!(store.redeem(handle("code"), &client, at(3600)).await, Ok(Redeem::AlreadyUsed)));
    assert!(matches!(store.redeem(handle("code"), &client, at(3601)).await, Ok(Redeem::Unknown)));
}

pub async fn a_grant_is_revoked_by_its_name_or_with_all_of_one_user_at_one_client(stores: Stores) {
    let (store, client) = (&stores.grants, ClientId::new("client1"));
    for id in [1, 2, 3] {
        store.issue(handle(&id.to_string()), grant_called(id, at(60)), at(120), at(0)).await.unwrap();
    }
    let of_client2 = Grant { approval: approval(4, "client2"), ..grant(at(60)) };
    store.issue(handle("4"), of_client2, at(120), at(0)).await.unwrap();
    let live = async || {
        let mut live = Vec::new();
        for id in 1..=4 {
            live.push(store.is_live(approval(id, "").grant, at(1)).await.unwrap());
        }
        live
    };
    store.revoke(approval(1, "").grant, at(1)).await.unwrap();
    assert_eq!(live().await, [false, true, true, true]);
    assert!(matches!(store.redeem(handle("1"), &client, at(1)).await, Ok(Redeem::AlreadyUsed)));
    store.redeem(handle("2"), &client, at(1)).await.unwrap();
    store.revoke_all(&Subject::new("2"), &client, at(1)).await.unwrap();
    assert_eq!(live().await, [false, true, true, true], "somebody else's");
    store.revoke_all(&Subject::new("1"), &client, at(1)).await.unwrap();
    assert_eq!(live().await, [false, false, false, true]);
    assert!(matches!(store.redeem(handle("3"), &client, at(1)).await, Ok(Redeem::Unknown)), "a code, too");
}

pub async fn i23_the_codes_of_grants_that_were_taken_back_take_no_room(stores: Stores) {
    let (store, client) = (&stores.grants, ClientId::new("client1"));
    for number in 0..3 * CAPACITY {
        let code = handle(&number.to_string());
        store.issue(code, grant_called(number as u128, at(60)), at(120), at(0)).await.unwrap();
        match number % 2 {
            0 => store.revoke_all(&Subject::new("1"), &client, at(1)).await.unwrap(),
            _ => store.revoke_client(&client).await.unwrap(),
        }
        assert!(matches!(store.redeem(code, &client, at(1)).await, Ok(Redeem::Unknown)));
    }
}

pub async fn i23_a_grant_that_found_no_room_leaves_nothing_behind(stores: Stores) {
    let store = &stores.grants;
    for number in 0..3 * CAPACITY {
        let (code, one) = (handle(&number.to_string()), grant_called(number as u128, at(60)));
        let expected = if number < CAPACITY / 2 { Ok(()) } else { Err(StoreError::Full) };
        assert_eq!(store.issue(code, one, at(120), at(0)).await, expected, "{number}");
    }
    for number in 0..CAPACITY / 2 {
        let other = Grant { approval: approval(1000 + number as u128, "client2"), ..grant(at(60)) };
        store.issue(handle(&format!("other {number}")), other, at(120), at(0)).await.unwrap();
    }
    let refused = grant_called(CAPACITY as u128, at(60)).approval.grant;
    assert!(!store.is_live(refused, at(1)).await.unwrap());
}
