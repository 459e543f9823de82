//! Logins under way, from the authorization request to the decision.

use idp::{
    domain::interaction::{Event, Progress, Stage},
    store::Stores,
};

use crate::entries::{at, handle, interaction, login, signed_in};

pub async fn an_interaction_goes_through_its_stages_in_order(stores: Stores) {
    let store = &stores.interactions;
    store.begin(handle("in"), interaction(&stores).await, at(0)).await.unwrap();
    assert!(!store.decide(handle("in"), &login(at(1)), at(1)).await.unwrap(), "nobody has signed in");
    let advance = async |event, now| {
        let progress = store.advance(handle("in"), event, now).await.unwrap().unwrap();
        progress.stage().cloned()
    };
    let awaiting = Some(Stage::AwaitingConsent { authentication: login(at(2)) });
    assert_eq!(advance(signed_in(2), at(2)).await, awaiting);
    assert_eq!(advance(signed_in(3), at(3)).await, awaiting, "the first login counts");
    let again = Stage::AwaitingLogin { user: None };
    assert_eq!(advance(Event::LoginNeeded(None), at(4)).await, Some(again));
    advance(signed_in(5), at(5)).await;
    assert!(!store.decide(handle("in"), &login(at(2)), at(6)).await.unwrap(), "that login counts no more");
    assert!(store.decide(handle("in"), &login(at(5)), at(6)).await.unwrap());
    assert_eq!(advance(signed_in(7), at(7)).await, None, "it is answered");
    let answered = store.find(handle("in"), at(7)).await.unwrap().unwrap();
    assert!(matches!(answered.progress, Progress::Answered { .. }));
    assert_eq!(answered.client_id().as_str(), "client1");
    assert!(store.find(handle("other"), at(7)).await.unwrap().is_none());
}

pub async fn only_one_decision_counts(stores: Stores) {
    let store = &stores.interactions;
    store.begin(handle("in"), interaction(&stores).await, at(0)).await.unwrap();
    store.advance(handle("in"), signed_in(1), at(1)).await.unwrap();
    let by = login(at(1));
    let decisions = (0..50).map(|_| store.decide(handle("in"), &by, at(2)));
    let decisions = futures_util::future::join_all(decisions).await;
    assert_eq!(decisions.into_iter().filter(|decision| *decision.as_ref().unwrap()).count(), 1);
}

pub async fn an_interaction_ends_by_itself(stores: Stores) {
    let store = &stores.interactions;
    store.begin(handle("in"), interaction(&stores).await, at(0)).await.unwrap();
    assert!(store.find(handle("in"), at(599)).await.unwrap().is_some());
    assert!(store.find(handle("in"), at(600)).await.unwrap().is_none());
    assert!(store.advance(handle("in"), signed_in(600), at(600)).await.unwrap().is_none());
}
