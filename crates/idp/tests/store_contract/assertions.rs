//! Assertions by which clients prove who they are (RFC 7523).

use idp::store::Stores;
use shared::{clock::Timestamp, ids::ClientId, secret::SecretHash};

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
