//! What the sentences put into the stores.

use std::{sync::Arc, time::Duration};

use idp::{
    domain::{
        access_token::{AccessToken, OnBehalfOf},
        audience::Audience,
        authorization_request::{AuthorizationRequest, Hint},
        claims_request::ClaimsRequest,
        grant::{Approval, Grant, GrantId},
        interaction::{Event, Interaction, Progress, Stage},
        prompt::Prompt,
        pushed_request::PushedRequest,
        refresh_family::{RefreshFamily, RefreshLifetime, RefreshToken},
        return_address::ReturnAddress,
        session::Authentication,
    },
    store::Stores,
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

use crate::REDIRECT_URI;

pub const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

pub fn handle(name: &str) -> SecretHash {
    Secret::new(name).hash()
}

pub fn login(now: Timestamp) -> Authentication {
    Authentication { subject: Subject::new("1"), at: now, methods: &["pwd"] }
}

pub fn signed_in(seconds: i64) -> Event {
    Event::SignedIn(login(at(seconds)))
}

pub async fn interaction(stores: &Stores) -> Interaction {
    interaction_of(stores, "client1").await
}

pub async fn interaction_of(stores: &Stores, client_id: &str) -> Interaction {
    begun(request_of(stores, client_id).await)
}

pub fn begun(request: AuthorizationRequest) -> Interaction {
    Interaction {
        browser: handle("browser"),
        address: None,
        progress: Progress::Open { request: Arc::new(request), stage: Stage::AwaitingLogin { user: None } },
        expires: at(600),
    }
}

pub async fn request_of(stores: &Stores, client_id: &str) -> AuthorizationRequest {
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

pub async fn pushed(stores: &Stores, client: &str, address: Option<&str>) -> PushedRequest {
    let address = address.and_then(|address| address.parse().ok());
    PushedRequest::new(request_of(stores, client).await, address, at(60))
}

pub fn grant(expires: Timestamp) -> Grant {
    grant_called(7, expires)
}

pub fn grant_called(id: u128, expires: Timestamp) -> Grant {
    Grant {
        approval: approval(id, "client1"),
        nonce: None,
        redirect_uri: REDIRECT_URI.to_owned(),
        challenge: Some(CodeVerifier::generate(&SystemRandom).challenge()),
        code_expires: expires,
        buys_for: Duration::from_secs(3600),
    }
}

pub fn approval(id: u128, client_id: &str) -> Approval {
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
pub fn family(handle: &str, first: &str) -> (RefreshToken, RefreshFamily) {
    family_of(approval(7, "client1"), handle, first)
}

pub fn family_of(approval: Approval, handle: &str, first: &str) -> (RefreshToken, RefreshFamily) {
    let lifetime = RefreshLifetime { idle: Duration::from_secs(100), most: Duration::from_secs(250) };
    let token = RefreshToken { family: self::handle(handle), token: self::handle(first) };
    (token, RefreshFamily::begin(approval, token.token, lifetime, at(0)))
}

pub fn access_token(client_id: &str) -> AccessToken {
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
