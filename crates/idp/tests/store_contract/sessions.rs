//! Who is signed in with which browser.

use std::time::Duration;

use idp::{
    domain::session::{SessionLifetime, UserSession},
    store::Stores,
};

use crate::entries::{at, handle, login};

pub async fn a_session_lives_as_long_as_it_is_used_and_not_for_ever(stores: Stores) {
    let lifetime = SessionLifetime { idle: Duration::from_secs(10), most: Duration::from_secs(25) };
    let session = UserSession::default().signed_in(login(at(0)));
    stores.sessions.start(handle("id"), session.clone(), lifetime, at(0)).await.unwrap();
    for now in [9, 18, 24] {
        assert_eq!(
            stores.sessions.use_now(handle("id"), lifetime, at(now)).await.unwrap(),
            Some(session.clone()),
            "{now}"
        );
    }
    assert_eq!(stores.sessions.use_now(handle("id"), lifetime, at(25)).await.unwrap(), None);
    assert_eq!(stores.sessions.use_now(handle("other"), lifetime, at(1)).await.unwrap(), None);
}

pub async fn an_ended_session_is_gone(stores: Stores) {
    let lifetime = SessionLifetime { idle: Duration::from_secs(10), most: Duration::from_secs(25) };
    stores
        .sessions
        .start(handle("id"), UserSession::default().signed_in(login(at(0))), lifetime, at(0))
        .await
        .unwrap();
    let ended = stores.sessions.end(handle("id"), at(1)).await.unwrap();
    assert_eq!(ended, Some(UserSession::default().signed_in(login(at(0)))));
    assert_eq!(stores.sessions.end(handle("id"), at(1)).await.unwrap(), None);
    assert_eq!(stores.sessions.use_now(handle("id"), lifetime, at(2)).await.unwrap(), None);
}
