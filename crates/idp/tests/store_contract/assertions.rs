//! Assertions by which clients prove who they are (RFC 7523).

use idp::store::Stores;
use shared::{clock::Timestamp, ids::ClientId, secret::SecretHash};

use crate::{
    CAPACITY,
    clients::registration,
    entries::{at, handle},
};

pub async fn an_assertion_is_used_up_once_until_it_ends(stores: Stores) {
    let (jti, client, now) = (SecretHash::of("jti"), ClientId::new("client1"), Timestamp::from_unix(1000));
    let use_up = |at: i64| {
        stores.assertions.use_up(jti, &client, Timestamp::from_unix(1060), Timestamp::from_unix(at))
    };
    let at_once = futures_util::future::join_all((0..50).map(|_| use_up(1000))).await;
    assert_eq!(at_once.into_iter().filter(|used| *used == Ok(true)).count(), 1);
    assert_eq!(use_up(1059).await, Ok(false));
    assert_eq!(use_up(1060).await, Ok(true));
    let other = SecretHash::of("another");
    assert_eq!(stores.assertions.use_up(other, &client, Timestamp::from_unix(1060), now).await, Ok(true));
}

pub async fn i23_the_clients_of_one_registrant_leave_room_for_the_assertions_of_others(stores: Stores) {
    for (id, address) in [("one", [192, 0, 2, 1]), ("two", [192, 0, 2, 1]), ("other", [192, 0, 2, 2])] {
        stores.clients.register(registration(id, at(0), Some(address.into())), at(0)).await.unwrap();
    }
    let mut kept = [0; 4];
    // A time that has travelled: registrations stay behind.
    let now = at(1_000_000);
    for number in 0..CAPACITY {
        for (id, kept) in ["one", "two", "other", "client1"].into_iter().zip(&mut kept) {
            let (jti, client) = (handle(&format!("{id} {number}")), ClientId::new(id));
            *kept += usize::from(stores.assertions.use_up(jti, &client, at(1_000_060), now).await.is_ok());
        }
    }
    assert_eq!(kept[0] + kept[1], CAPACITY / 8, "{kept:?}");
    assert_eq!(kept[2..], [CAPACITY / 8, CAPACITY / 2]);
}
