//! What every store must do, whatever it keeps its entries in. A new implementation adds a line to `every_store!`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{net::IpAddr, sync::Arc, time::Duration};

use idp::{
    demo,
    domain::{
        access_token::{AccessToken, OnBehalfOf},
        audience::Audience,
        authorization_request::{AuthorizationRequest, Hint},
        claims_request::ClaimsRequest,
        client::{Client, RedirectUri},
        consent::{Consent, Permissions},
        grant::{Approval, Grant, GrantId, Redeem},
        interaction::{Event, Interaction, Progress, Stage},
        prompt::Prompt,
        pushed_request::{PushedRequest, Take},
        refresh_family::{Asked, RefreshFamily, RefreshLifetime, RefreshToken, Rotate},
        registration::Registration,
        return_address::ReturnAddress,
        session::{Authentication, SessionLifetime, UserSession},
        user::Username,
    },
    store::{StoreError, Stores, memory},
};
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    params::Params,
    pkce::CodeVerifier,
    random::SystemRandom,
    scope::Scope,
    secret::{Secret, SecretHash},
};

/// How many entries the stores under test hold at most.
const CAPACITY: usize = 64;
const REDIRECT_URI: &str = "http://127.0.0.1:5002/auth";

fn in_memory() -> Stores {
    let clients = demo::clients(&RedirectUri::parse(REDIRECT_URI).unwrap());
    memory::stores(clients, demo::users().unwrap(), CAPACITY, true)
}

/// Runs each sentence below for each implementation.
macro_rules! every_store {
    ($($sentence:ident),* $(,)?) => {
        mod memory_keeps_the_contract {
            $(#[actix_web::test] async fn $sentence() { super::$sentence(super::in_memory()).await; })*
        }
    };
}

every_store![
    clients_and_users_are_found_by_their_names_only,
    a_client_that_registered_itself_lives_as_long_as_it_is_used,
    a_client_is_unregistered_once_and_all_that_it_was_given_with_it,
    i23_one_address_leaves_room_for_the_clients_of_others,
    a_session_lives_as_long_as_it_is_used_and_not_for_ever,
    an_ended_session_is_gone,
    a_consent_is_remembered_until_it_ends_or_is_withdrawn,
    fifty_browsers_come_for_a_pushed_request_and_one_gets_it,
    another_client_or_a_late_browser_gets_no_pushed_request,
    an_interaction_goes_through_its_stages_in_order,
    only_one_decision_counts,
    an_interaction_ends_by_itself,
    a_code_is_redeemed_once_and_reuse_revokes_its_grant,
    fifty_at_once_redeem_a_code_once,
    another_client_leaves_a_code_as_it_was,
    a_late_code_is_late_and_later_unknown,
    a_used_code_is_remembered_as_long_as_what_it_bought,
    an_access_token_ends_by_itself,
    a_revoked_access_token_is_gone_and_no_other_with_it,
    a_grant_is_revoked_by_its_name_or_with_all_of_one_user_at_one_client,
    i6_each_refresh_token_brings_the_next_and_an_old_one_kills_them_all,
    i6_fifty_at_once_rotate_a_refresh_token_once,
    i6_another_client_or_too_much_scope_leaves_a_refresh_token_as_it_was,
    i6_a_late_refresh_token_is_late_and_later_unknown,
    i6_families_are_killed_by_their_handle_or_with_all_of_one_user_at_one_client,
    an_assertion_is_used_up_once_until_it_ends,
    sweeping_takes_what_has_ended_and_nothing_else,
    i23_a_full_store_refuses_the_new_and_keeps_what_is_under_way,
    i23_one_client_leaves_room_for_the_others,
    i23_one_address_leaves_room_for_the_others,
    i23_long_requests_fill_a_store_sooner,
];

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

fn handle(name: &str) -> SecretHash {
    Secret::new(name).hash()
}

fn login(now: Timestamp) -> Authentication {
    Authentication { subject: Subject::new("1"), at: now, methods: &["pwd"] }
}

fn signed_in(seconds: i64) -> Event {
    Event::SignedIn(login(at(seconds)))
}

async fn interaction(stores: &Stores) -> Interaction {
    interaction_of(stores, "client1").await
}

async fn interaction_of(stores: &Stores, client_id: &str) -> Interaction {
    begun(request_of(stores, client_id).await)
}

fn begun(request: AuthorizationRequest) -> Interaction {
    Interaction {
        browser: handle("browser"),
        address: None,
        progress: Progress::Open { request: Arc::new(request), stage: Stage::AwaitingLogin { user: None } },
        expires: at(600),
    }
}

async fn request_of(stores: &Stores, client_id: &str) -> AuthorizationRequest {
    let client = stores.clients.find(&ClientId::new(client_id), at(0)).await.unwrap().unwrap();
    let query = format!("redirect_uri={REDIRECT_URI}&state=s");
    let return_address = ReturnAddress::of(&client, &Params::parse(query.as_bytes(), &[]).unwrap()).unwrap();
    AuthorizationRequest {
        client_id: client.id.clone(),
        return_address,
        scope: Scope::parse("openid").unwrap(),
        audience: Audience::from_iter([]),
        nonce: None,
        challenge: Some(CodeVerifier::generate(&SystemRandom).challenge()),
        prompt: Prompt::default(),
        max_age: None,
        hint: Hint::Absent,
        subjects: None,
        login_hint: None,
        claims: ClaimsRequest::default(),
        ui_locales: None,
    }
}

fn grant(expires: Timestamp) -> Grant {
    grant_called(7, expires)
}

fn grant_called(id: u128, expires: Timestamp) -> Grant {
    Grant {
        approval: approval(id, "client1"),
        nonce: None,
        redirect_uri: REDIRECT_URI.to_owned(),
        challenge: Some(CodeVerifier::generate(&SystemRandom).challenge()),
        code_expires: expires,
        buys_for: Duration::from_secs(3600),
    }
}

fn approval(id: u128, client_id: &str) -> Approval {
    Approval {
        grant: GrantId(uuid::Uuid::from_u128(id)),
        client_id: ClientId::new(client_id),
        authentication: login(at(0)),
        address: None,
        scope: Scope::parse("openid").unwrap(),
        claims: ClaimsRequest::default(),
        audience: Audience::from_iter([]),
    }
}

/// A family of client1 with its first token, which lives for 100 seconds unused and for 250 in all.
fn family(handle: &str, first: &str) -> (RefreshToken, RefreshFamily) {
    family_of(approval(7, "client1"), handle, first)
}

fn family_of(approval: Approval, handle: &str, first: &str) -> (RefreshToken, RefreshFamily) {
    let lifetime = RefreshLifetime { idle: Duration::from_secs(100), most: Duration::from_secs(250) };
    let token = RefreshToken { family: self::handle(handle), token: self::handle(first) };
    (token, RefreshFamily::begin(approval, token.token, lifetime, at(0)))
}

fn access_token(client_id: &str) -> AccessToken {
    AccessToken {
        client_id: ClientId::new(client_id),
        on_behalf_of: OnBehalfOf::User { subject: Subject::new("1"), grant: approval(7, client_id).grant },
        address: None,
        scope: Scope::parse("openid").unwrap(),
        claims: Vec::new(),
        audience: Audience::from_iter([]),
        issued: at(0),
        expires: at(3600),
    }
}

async fn clients_and_users_are_found_by_their_names_only(stores: Stores) {
    for (id, known) in
        [("client1", true), ("client2", true), ("client3", false), ("CLIENT1", false), ("", false)]
    {
        assert_eq!(stores.clients.find(&ClientId::new(id), at(0)).await.unwrap().is_some(), known, "{id}");
    }
    let by_name = stores.users.find_by_name(&Username::parse("Demo")).await.unwrap().unwrap();
    let by_subject = stores.users.find(&Subject::new("1")).await.unwrap().unwrap();
    assert_eq!(by_name.subject, by_subject.subject);
    let by_email = stores.users.find_by_name(&Username::parse("1@EXAMPLE.com")).await.unwrap().unwrap();
    assert_eq!(by_email.subject, by_subject.subject);
    assert!(stores.users.find(&Subject::new("demo")).await.unwrap().is_none());
}

fn registration(id: &str, now: Timestamp, address: Option<IpAddr>) -> Registration {
    Registration {
        client: Arc::new(Client { registered: Some(now), ..Client::of(id) }),
        also: Arc::default(),
        access_token: handle(id),
        idle: Duration::from_secs(10),
        address,
        size: 100,
    }
}

async fn a_client_that_registered_itself_lives_as_long_as_it_is_used(stores: Stores) {
    let (store, [own, other]) = (&stores.clients, ["own", "other"].map(ClientId::new));
    let known = store.all(at(0)).await.unwrap().len();
    store.register(registration("own", at(1), None), at(1)).await.unwrap();
    store.register(registration("other", at(0), None), at(0)).await.unwrap();
    let all = store.all(at(1)).await.unwrap();
    let registered: Vec<_> = all[known..].iter().map(|client| client.id.clone()).collect();
    assert_eq!(
        registered,
        [other.clone(), own.clone()],
        "in the order of their registration, behind those of the settings"
    );
    for now in [10, 19] {
        assert!(store.find(&own, at(now)).await.unwrap().is_some(), "{now}");
    }
    assert!(store.find(&other, at(10)).await.unwrap().is_none());
    // To look at a registration is not to use the client.
    assert_eq!(store.registration(&own, at(28)).await.unwrap().unwrap().access_token, handle("own"));
    assert!(store.find(&own, at(29)).await.unwrap().is_none());
    assert!(store.registration(&ClientId::new("client1"), at(0)).await.unwrap().is_none());
    store.sweep(at(1_000_000)).await;
    assert_eq!(store.all(at(1_000_000)).await.unwrap().len(), known);
}

async fn a_client_is_unregistered_once_and_all_that_it_was_given_with_it(stores: Stores) {
    let (client, settled) = (ClientId::new("own"), ClientId::new("client1"));
    stores.clients.register(registration("own", at(0), None), at(0)).await.unwrap();
    let asked = Permissions { scope: Scope::parse("openid").unwrap(), ..Permissions::default() };
    let consent = Consent::default().decided(&asked, &asked);
    for (number, id) in [(1, &client), (2, &settled)] {
        let approval = approval(number, id.as_str());
        let (_, family) = family_of(approval.clone(), "", "");
        let name = handle(id.as_str());
        stores.grants.issue(name, Grant { approval, ..grant(at(60)) }, at(120), at(0)).await.unwrap();
        stores.refresh_families.begin(name, family, at(0)).await.unwrap();
        stores.access_tokens.keep(name, access_token(id.as_str()), at(0)).await.unwrap();
        stores.consents.remember(&Subject::new("1"), id, consent.clone(), at(10), at(0)).await.unwrap();
    }
    assert!(stores.unregister(&client, at(1)).await.unwrap());
    assert!(!stores.unregister(&client, at(1)).await.unwrap());
    assert!(stores.clients.find(&client, at(1)).await.unwrap().is_none());
    for (number, id, kept) in [(1, &client, false), (2, &settled, true)] {
        let name = handle(id.as_str());
        let grant = GrantId(uuid::Uuid::from_u128(number));
        assert_eq!(stores.grants.is_live(grant, at(1)).await.unwrap(), kept);
        assert_eq!(stores.refresh_families.find(name, at(1)).await.unwrap().is_some(), kept);
        assert_eq!(stores.access_tokens.find(name, at(1)).await.unwrap().is_some(), kept);
        let remembered = stores.consents.find(&Subject::new("1"), id, at(1)).await.unwrap();
        assert_eq!(remembered.is_some(), kept);
    }
}

async fn i23_one_address_leaves_room_for_the_clients_of_others(stores: Stores) {
    let mut kept = [0, 0];
    for (address, kept) in kept.iter_mut().enumerate() {
        let from = Some(IpAddr::from([192, 0, 2, u8::try_from(address).unwrap()]));
        for number in 0..CAPACITY {
            let registration = registration(&format!("{address}-{number}"), at(0), from);
            *kept += usize::from(stores.clients.register(registration, at(0)).await.is_ok());
        }
    }
    assert_eq!(kept, [CAPACITY / 8; 2]);
    let large = Registration { size: 64 * CAPACITY * 1024, ..registration("large", at(0), None) };
    assert_eq!(stores.clients.register(large, at(0)).await, Err(StoreError::Full));
}

async fn a_session_lives_as_long_as_it_is_used_and_not_for_ever(stores: Stores) {
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

async fn an_ended_session_is_gone(stores: Stores) {
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

async fn a_consent_is_remembered_until_it_ends_or_is_withdrawn(stores: Stores) {
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

async fn pushed(stores: &Stores, client: &str, address: Option<&str>) -> PushedRequest {
    let address = address.and_then(|address| address.parse().ok());
    PushedRequest::new(request_of(stores, client).await, address, at(60))
}

async fn fifty_browsers_come_for_a_pushed_request_and_one_gets_it(stores: Stores) {
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

async fn another_client_or_a_late_browser_gets_no_pushed_request(stores: Stores) {
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

async fn an_interaction_goes_through_its_stages_in_order(stores: Stores) {
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

async fn only_one_decision_counts(stores: Stores) {
    let store = &stores.interactions;
    store.begin(handle("in"), interaction(&stores).await, at(0)).await.unwrap();
    store.advance(handle("in"), signed_in(1), at(1)).await.unwrap();
    let by = login(at(1));
    let decisions = (0..50).map(|_| store.decide(handle("in"), &by, at(2)));
    let decisions = futures_util::future::join_all(decisions).await;
    assert_eq!(decisions.into_iter().filter(|decision| *decision.as_ref().unwrap()).count(), 1);
}

async fn an_interaction_ends_by_itself(stores: Stores) {
    let store = &stores.interactions;
    store.begin(handle("in"), interaction(&stores).await, at(0)).await.unwrap();
    assert!(store.find(handle("in"), at(599)).await.unwrap().is_some());
    assert!(store.find(handle("in"), at(600)).await.unwrap().is_none());
    assert!(store.advance(handle("in"), signed_in(600), at(600)).await.unwrap().is_none());
}

async fn a_code_is_redeemed_once_and_reuse_revokes_its_grant(stores: Stores) {
    let (store, client) = (&stores.grants, ClientId::new("client1"));
    let id = grant(at(60)).approval.grant;
    store.issue(handle("code"), grant(at(60)), at(120), at(0)).await.unwrap();
    assert!(matches!(store.redeem(handle("code"), &client, at(1)).await, Ok(Redeem::Redeemed(_))));
    assert!(store.is_live(id, at(2)).await.unwrap());
    assert!(matches!(store.redeem(handle("code"), &client, at(3)).await, Ok(Redeem::AlreadyUsed)));
    assert!(!store.is_live(id, at(4)).await.unwrap());
    assert!(matches!(store.redeem(handle("other"), &client, at(5)).await, Ok(Redeem::Unknown)));
}

async fn fifty_at_once_redeem_a_code_once(stores: Stores) {
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

async fn another_client_leaves_a_code_as_it_was(stores: Stores) {
    let store = &stores.grants;
    store.issue(handle("code"), grant(at(60)), at(120), at(0)).await.unwrap();
    let other = store.redeem(handle("code"), &ClientId::new("client2"), at(1)).await;
    assert!(matches!(other, Ok(Redeem::OtherClient)));
    let own = store.redeem(handle("code"), &ClientId::new("client1"), at(2)).await;
    assert!(matches!(own, Ok(Redeem::Redeemed(_))));
}

async fn a_late_code_is_late_and_later_unknown(stores: Stores) {
    let (store, client) = (&stores.grants, ClientId::new("client1"));
    store.issue(handle("code"), grant(at(60)), at(120), at(0)).await.unwrap();
    assert!(matches!(store.redeem(handle("code"), &client, at(60)).await, Ok(Redeem::Late)));
    assert!(matches!(store.redeem(handle("code"), &client, at(120)).await, Ok(Redeem::Unknown)));
}

async fn a_used_code_is_remembered_as_long_as_what_it_bought(stores: Stores) {
    let (store, client) = (&stores.grants, ClientId::new("client1"));
    store.issue(handle("code"), grant(at(60)), at(120), at(0)).await.unwrap();
    store.redeem(handle("code"), &client, at(1)).await.unwrap();
    assert!(matches!(store.redeem(handle("code"), &client, at(3600)).await, Ok(Redeem::AlreadyUsed)));
    assert!(matches!(store.redeem(handle("code"), &client, at(3601)).await, Ok(Redeem::Unknown)));
}

async fn an_access_token_ends_by_itself(stores: Stores) {
    stores.access_tokens.keep(handle("token"), access_token("client1"), at(0)).await.unwrap();
    assert!(stores.access_tokens.find(handle("token"), at(3599)).await.unwrap().is_some());
    assert!(stores.access_tokens.find(handle("token"), at(3600)).await.unwrap().is_none());
    assert!(stores.access_tokens.find(handle("other"), at(1)).await.unwrap().is_none());
}

async fn a_revoked_access_token_is_gone_and_no_other_with_it(stores: Stores) {
    for name in ["one", "other"] {
        stores.access_tokens.keep(handle(name), access_token("client1"), at(0)).await.unwrap();
    }
    for name in ["one", "one", "nobody's"] {
        stores.access_tokens.revoke(handle(name), at(1)).await.unwrap();
    }
    assert!(stores.access_tokens.find(handle("one"), at(2)).await.unwrap().is_none());
    assert!(stores.access_tokens.find(handle("other"), at(2)).await.unwrap().is_some());
}

async fn a_grant_is_revoked_by_its_name_or_with_all_of_one_user_at_one_client(stores: Stores) {
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

async fn rotated(stores: &Stores, token: RefreshToken, next: &str, now: i64) -> Rotate {
    let client = ClientId::new("client1");
    stores.refresh_families.rotate(token, &client, &Asked::default(), handle(next), at(now)).await.unwrap()
}

async fn i6_each_refresh_token_brings_the_next_and_an_old_one_kills_them_all(stores: Stores) {
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

async fn i6_fifty_at_once_rotate_a_refresh_token_once(stores: Stores) {
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

async fn i6_another_client_or_too_much_scope_leaves_a_refresh_token_as_it_was(stores: Stores) {
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

async fn i6_a_late_refresh_token_is_late_and_later_unknown(stores: Stores) {
    let (first, family) = family("family", "first");
    stores.refresh_families.begin(first.family, family, at(0)).await.unwrap();
    assert!(matches!(rotated(&stores, first, "second", 100).await, Rotate::Late));
    assert!(matches!(rotated(&stores, first, "second", 349).await, Rotate::Late));
    assert!(matches!(rotated(&stores, first, "second", 350).await, Rotate::Unknown));
}

async fn i6_families_are_killed_by_their_handle_or_with_all_of_one_user_at_one_client(stores: Stores) {
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

async fn an_assertion_is_used_up_once_until_it_ends(stores: Stores) {
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

async fn sweeping_takes_what_has_ended_and_nothing_else(stores: Stores) {
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

async fn i23_a_full_store_refuses_the_new_and_keeps_what_is_under_way(stores: Stores) {
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

async fn i23_one_client_leaves_room_for_the_others(stores: Stores) {
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

async fn i23_one_address_leaves_room_for_the_others(stores: Stores) {
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

async fn i23_long_requests_fill_a_store_sooner(stores: Stores) {
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
