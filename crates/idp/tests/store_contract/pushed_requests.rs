//! Authorization requests that were left in advance (RFC 9126).

use idp::{domain::pushed_request::Take, store::Stores};
use shared::ids::ClientId;

use crate::{
    REDIRECT_URI,
    entries::{at, handle, pushed},
};

pub async fn fifty_browsers_come_for_a_pushed_request_and_one_gets_it(stores: Stores) {
    let (store, client) = (&stores.pushed_requests, ClientId::new("client1"));
    store.push(handle("x"), pushed(&stores, "client1", None).await, at(120), at(0)).await.unwrap();
    let come = || store.take(handle("x"), &client, at(59));
    let at_once = futures_util::future::join_all((0..50).map(|_| come())).await;
    let count = |is: fn(&Take) -> bool| at_once.iter().filter(|take| take.as_ref().is_ok_and(is)).count();
    assert_eq!(count(|take| matches!(take, Take::Taken(_))), 1);
    assert_eq!(count(|take| matches!(take, Take::Used)), 49);
    assert!(matches!(store.take(handle("x"), &client, at(119)).await, Ok(Take::Used)));
    assert!(matches!(store.take(handle("x"), &client, at(120)).await, Ok(Take::Unknown)), "forgotten");
}

pub async fn another_client_or_a_late_browser_gets_no_pushed_request(stores: Stores) {
    let (store, [one, other]) = (&stores.pushed_requests, ["client1", "client2"].map(ClientId::new));
    store.push(handle("x"), pushed(&stores, "client1", None).await, at(120), at(0)).await.unwrap();
    assert!(matches!(store.take(handle("x"), &other, at(1)).await, Ok(Take::OtherClient)));
    let Ok(Take::Late(address)) = store.take(handle("x"), &one, at(60)).await else {
        panic!("it is not late");
    };
    assert_eq!(address.redirect_uri().as_str(), REDIRECT_URI);
    assert!(matches!(store.take(handle("y"), &one, at(1)).await, Ok(Take::Unknown)));
    store.push(handle("z"), pushed(&stores, "client1", None).await, at(120), at(50)).await.unwrap();
    stores.forget_since(at(49)).await;
    assert!(matches!(store.take(handle("z"), &one, at(51)).await, Ok(Take::Unknown)), "it never was");
}
