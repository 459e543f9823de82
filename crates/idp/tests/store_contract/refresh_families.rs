//! Refresh tokens, each of which brings the next.

use std::sync::Arc;

use idp::{
    domain::refresh_family::{Asked, RefreshToken, Rotate},
    store::Stores,
};
use shared::{
    ids::{ClientId, Subject},
    scope::Scope,
};

use crate::entries::{approval, at, family, family_of, handle};

async fn rotated(stores: &Stores, token: RefreshToken, next: &str, now: i64) -> Rotate {
    let client = ClientId::new("client1");
    stores.refresh_families.rotate(token, &client, &Asked::default(), handle(next), at(now)).await.unwrap()
}

pub async fn i6_each_refresh_token_brings_the_next_and_an_old_one_kills_them_all(stores: Stores) {
    let (first, family) = family("family", "first");
    stores.refresh_families.begin(first.family, family, at(0)).await.unwrap();
    let second = RefreshToken { token: handle("second"), ..first };
    assert!(matches!(rotated(&stores, first, "second", 1).await, Rotate::Rotated(_)));
    assert!(matches!(rotated(&stores, second, "third", 2).await, Rotate::Rotated(_)));
    let used = rotated(&stores, first, "x", 3).await;
    assert!(matches!(used, Rotate::AlreadyUsed(grant) if grant == approval(7, "").grant));
    let third = RefreshToken { token: handle("third"), ..first };
    assert!(matches!(rotated(&stores, third, "fourth", 4).await, Rotate::Dead));
    let other = RefreshToken { family: handle("other"), ..third };
    assert!(matches!(rotated(&stores, other, "x", 5).await, Rotate::Unknown));
}

pub async fn i6_fifty_at_once_rotate_a_refresh_token_once(stores: Stores) {
    let (first, family) = family("family", "first");
    stores.refresh_families.begin(first.family, family, at(0)).await.unwrap();
    let stores = Arc::new(stores);
    let tasks = (0..50).map(|number| {
        let stores = stores.clone();
        actix_web::rt::spawn(async move { rotated(&stores, first, &number.to_string(), 1).await })
    });
    let outcomes = futures_util::future::join_all(tasks).await;
    let good = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Rotate::Rotated(_))));
    assert_eq!(good.count(), 1);
    let kept = stores.refresh_families.find(first.family, at(2)).await.unwrap().unwrap();
    assert!(!kept.is_live(at(2)));
}

pub async fn i6_another_client_or_too_much_scope_leaves_a_refresh_token_as_it_was(stores: Stores) {
    let (first, family) = family("family", "first");
    let store = &stores.refresh_families;
    store.begin(first.family, family, at(0)).await.unwrap();
    let other = store.rotate(first, &ClientId::new("client2"), &Asked::default(), handle("x"), at(1)).await;
    assert!(matches!(other, Ok(Rotate::OtherClient)));
    let wider = Asked { scope: Scope::parse("openid email").ok(), ..Asked::default() };
    let wider = store.rotate(first, &ClientId::new("client1"), &wider, handle("x"), at(1)).await;
    assert!(matches!(wider, Ok(Rotate::Wider(_))));
    assert!(matches!(rotated(&stores, first, "second", 2).await, Rotate::Rotated(_)));
}

pub async fn i6_a_late_refresh_token_is_late_and_later_unknown(stores: Stores) {
    let (first, family) = family("family", "first");
    stores.refresh_families.begin(first.family, family, at(0)).await.unwrap();
    assert!(matches!(rotated(&stores, first, "second", 100).await, Rotate::Late));
    assert!(matches!(rotated(&stores, first, "second", 349).await, Rotate::Late));
    assert!(matches!(rotated(&stores, first, "second", 350).await, Rotate::Unknown));
}

pub async fn i6_families_are_killed_by_their_handle_or_with_all_of_one_user_at_one_client(stores: Stores) {
    let store = &stores.refresh_families;
    for name in ["a", "b", "c"] {
        let (token, family) = family(name, "first");
        store.begin(token.family, family, at(0)).await.unwrap();
    }
    let (token, of_client2) = family_of(approval(8, "client2"), "d", "first");
    store.begin(token.family, of_client2, at(0)).await.unwrap();
    let user = Subject::new("1");
    let clients = async |now| {
        let of = store.of(&user, at(now)).await.unwrap();
        let mut names: Vec<_> = of.into_iter().map(|it| it.client_id.as_str().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(clients(1).await, ["client1", "client1", "client1", "client2"]);
    store.kill(handle("a"), at(1)).await.unwrap();
    assert_eq!(clients(1).await, ["client1", "client1", "client2"]);
    store.kill_all(&Subject::new("2"), &ClientId::new("client1"), at(1)).await.unwrap();
    store.kill_all(&user, &ClientId::new("client1"), at(1)).await.unwrap();
    assert_eq!(clients(1).await, ["client2"]);
    assert!(clients(100).await.is_empty(), "none is live any more");
    let killed = RefreshToken { family: handle("b"), token: handle("first") };
    assert!(matches!(rotated(&stores, killed, "x", 2).await, Rotate::Dead | Rotate::Unknown));
}
