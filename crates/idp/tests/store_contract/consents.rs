//! What users have allowed clients.

use idp::{
    domain::consent::{Consent, Permissions},
    store::Stores,
};
use shared::{
    ids::{ClientId, Subject},
    scope::Scope,
};

use crate::entries::at;

pub async fn a_consent_is_remembered_until_it_ends_or_is_withdrawn(stores: Stores) {
    let store = &stores.consents;
    let (user, other) = (Subject::new("1"), Subject::new("2"));
    let [first, second] = ["client1", "client2"].map(ClientId::new);
    let asked = Permissions { scope: Scope::parse("openid").unwrap(), ..Permissions::default() };
    let consent = Consent::default().decided(&asked, &asked);
    for client in [&second, &first] {
        store.remember(&user, client, consent.clone(), at(10), at(0)).await.unwrap();
    }
    assert_eq!(store.find(&user, &first, at(9)).await.unwrap(), Some(consent.clone()));
    assert_eq!(store.find(&other, &first, at(9)).await.unwrap(), None);
    let all = vec![(first.clone(), consent.clone()), (second.clone(), consent.clone())];
    assert_eq!(store.of(&user, at(9)).await.unwrap(), all);
    store.withdraw(&user, &first, at(9)).await.unwrap();
    assert_eq!(store.find(&user, &first, at(9)).await.unwrap(), None);
    assert_eq!(store.of(&user, at(9)).await.unwrap(), [(second.clone(), consent)]);
    assert_eq!(store.find(&user, &second, at(10)).await.unwrap(), None);
}
