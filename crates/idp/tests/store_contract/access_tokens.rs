//! What access tokens open.

use idp::store::Stores;

use crate::entries::{access_token, at, handle};

pub async fn an_access_token_ends_by_itself(stores: Stores) {
    stores.access_tokens.keep(handle("token"), access_token("client1"), at(0)).await.unwrap();
    assert!(stores.access_tokens.find(handle("token"), at(3599)).await.unwrap().is_some());
    assert!(stores.access_tokens.find(handle("token"), at(3600)).await.unwrap().is_none());
    assert!(stores.access_tokens.find(handle("other"), at(1)).await.unwrap().is_none());
}

pub async fn a_revoked_access_token_is_gone_and_no_other_with_it(stores: Stores) {
    for name in ["one", "other"] {
        stores.access_tokens.keep(handle(name), access_token("client1"), at(0)).await.unwrap();
    }
    for name in ["one", "one", "nobody's"] {
        stores.access_tokens.revoke(handle(name), at(1)).await.unwrap();
    }
    assert!(stores.access_tokens.find(handle("one"), at(2)).await.unwrap().is_none());
    assert!(stores.access_tokens.find(handle("other"), at(2)).await.unwrap().is_some());
}
