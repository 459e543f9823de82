//! What a full store answers, and what is kept for logins under way and for other visitors.

use std::time::Duration;

use idp::domain::{
    access_token::{AccessToken, OnBehalfOf},
    audience::Audience,
    claims_request::ClaimsRequest,
    grant::{Approval, Grant, GrantId},
    session::Authentication,
};
use shared::{
    clock::Clock as _,
    ids::{ClientId, Subject},
    scope::Scope,
    secret::SecretHash,
};

use crate::helpers::{AuthorizationRequest, Browser, Code, DEMO, Idp, REDIRECT_URI, signed_in};

#[actix_web::test]
async fn i23_a_full_store_answers_503_and_when_to_try_again() {
    let idp = Idp::start_with(|settings| settings.capacity = 16);
    let mut under_way = Browser::new(&idp);
    under_way.opens(&AuthorizationRequest::new()).await;
    assert_eq!(Browser::new(&idp).opens(&AuthorizationRequest::new()).await.status, 200);
    // One address has two of the sixteen.
    let mut late = Browser::new(&idp);
    let refused = late.opens(&AuthorizationRequest::new()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "30"));
    assert!(refused.header("content-type").starts_with("text/html"), "{refused:?}");
    under_way.signs_in("demo", "DemoTest2024!").await;
    let code = under_way.decides("allow").await.location().param("code").unwrap();
    assert!(!code.is_empty(), "a login under way survives");
    idp.passes(600);
    assert_eq!(late.opens(&AuthorizationRequest::new()).await.status, 200);
}

/// Tokens of client1 for as long as there is room for what begins, or until there is none at all.
pub async fn keeps_tokens(idp: &Idp, until_full: bool) {
    let (client, now) = (ClientId::new("client1"), idp.clock.now());
    let store = &idp.state.stores.access_tokens;
    for number in 0.. {
        let access = AccessToken {
            client_id: client.clone(),
            on_behalf_of: OnBehalfOf::Client,
            address: None,
            scope: Scope::parse("openid").unwrap(),
            claims: Vec::new(),
            audience: Audience::from_iter([]),
            issued: now,
            expires: now + Duration::from_secs(3600),
        };
        let room = store.has_room(&client, None, now).await.unwrap();
        if !(room || until_full)
            || store.keep(SecretHash::of(&number.to_string()), access, now).await.is_err()
        {
            return;
        }
    }
}

/// The same with grants of one client.
async fn keeps_grants(idp: &Idp, client: &str, until_full: bool) {
    let (client, now) = (ClientId::new(client), idp.clock.now());
    let store = &idp.state.stores.grants;
    for number in 0..u128::MAX {
        let approval = Approval {
            grant: GrantId(uuid::Uuid::from_u128(number)),
            client_id: client.clone(),
            authentication: Authentication { subject: Subject::new("1"), at: now, methods: &["pwd"] },
            address: None,
            scope: Scope::parse("openid").unwrap(),
            claims: ClaimsRequest::default(),
            audience: Audience::from_iter([]),
        };
        let grant = Grant {
            approval,
            nonce: None,
            redirect_uri: REDIRECT_URI.to_owned(),
            challenge: None,
            code_expires: now + Duration::from_secs(60),
            buys_for: Duration::from_secs(3600),
        };
        let (code, forget) = (SecretHash::of(&number.to_string()), now + Duration::from_secs(120));
        let room = store.has_room(&client, None, now).await.unwrap();
        if !(room || until_full) || store.issue(code, grant, forget, now).await.is_err() {
            return;
        }
    }
}

#[actix_web::test]
async fn i23_overload_is_said_in_the_kind_of_whoever_asks() {
    let idp = Idp::start_with(|settings| settings.capacity = 16);
    let code = idp.code().await;
    keeps_tokens(&idp, true).await;
    let refused = idp.redeems(&code).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "30"));
    assert_eq!(refused.error(), "temporarily_unavailable");
    let mut browser = Browser::new(&idp);
    let refused = browser.opens(&AuthorizationRequest::new()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "30"));
    assert!(refused.header("content-type").starts_with("text/html"), "{refused:?}");
}

#[actix_web::test]
async fn i23_one_visitor_leaves_room_for_another_at_the_same_client() {
    let idp = Idp::start_with(|settings| settings.capacity = 20);
    // One address has three of the twenty: of the logins under way, of the grants, of the sessions, of the tokens.
    for _ in 0..3 {
        let code = idp.code().await;
        assert_eq!(idp.redeems(&code).await.status, 200);
    }
    for _ in 0..10 {
        assert_eq!(Browser::new(&idp).opens(&AuthorizationRequest::new()).await.status, 503);
    }
    let asked = AuthorizationRequest::new();
    let mut other = Browser::new(&idp);
    other.from = [127, 0, 0, 2].into();
    assert_eq!(other.opens(&asked).await.status, 200);
    other.signs_in("demo", "DemoTest2024!").await;
    let code = Code::of(&asked, &other.decides("allow").await.location());
    assert_eq!(idp.redeems(&code).await.status, 200);
}

#[actix_web::test]
async fn i23_a_login_under_way_finds_room_for_its_grant_and_its_token() {
    let idp = Idp::start_with(|settings| settings.capacity = 64);
    let asked = AuthorizationRequest::new();
    let mut under_way = Browser::new(&idp);
    under_way.opens(&asked).await;
    under_way.signs_in("demo", "DemoTest2024!").await;
    keeps_grants(&idp, "client1", false).await;
    keeps_tokens(&idp, false).await;
    assert_eq!(Browser::new(&idp).opens(&AuthorizationRequest::new()).await.status, 503);
    let code = Code::of(&asked, &under_way.decides("allow").await.location());
    assert_eq!(idp.redeems(&code).await.status, 200);
}

#[actix_web::test]
async fn i23_without_a_page_the_client_is_told_that_there_is_no_room() {
    let idp = Idp::start_with(|settings| settings.capacity = 64);
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let silent = AuthorizationRequest::of_client2().with("prompt", "none");
    keeps_grants(&idp, "client2", false).await;
    browser.opens(&silent).await.location().is_refusal(&idp, "temporarily_unavailable");
}

#[actix_web::test]
async fn i23_who_signs_in_stays_signed_in_when_there_is_no_room_for_the_answer() {
    let idp = Idp::start_with(|settings| settings.capacity = 64);
    let mut browser = signed_in(&idp, &[DEMO]).await;
    browser.opens(&AuthorizationRequest::of_client2().with("prompt", "login")).await;
    let before = browser.cookies["idp_session"].clone();
    keeps_grants(&idp, "client2", true).await;
    assert_eq!(browser.signs_in(DEMO.0, DEMO.1).await.status, 503);
    assert_ne!(browser.cookies["idp_session"], before);
    idp.passes(600);
    browser.opens(&AuthorizationRequest::of_client2()).await.location().param("code").unwrap();
}
