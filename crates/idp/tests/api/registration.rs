//! Clients that register themselves (RFC 7591, OpenID Connect Dynamic Client Registration): what they are told, and what
//! they can do then.

mod management;
mod pages;
mod refused;

use idp::keys::KeyAlg;
use reqwest::Method;
use serde_json::{Value, json};
use shared::scope::Scope;

use crate::{
    client_auth::{Key, TYPE, claims, signed_with_secret},
    helpers::{Answer, AuthorizationRequest, Browser, Code, DEMO, Idp, REDIRECT_URI, http},
};

impl Idp {
    async fn registers(&self, document: &Value) -> Answer {
        Answer::of(http().post(self.at("/oauth/register")).json(document)).await
    }

    /// A client that is registered, as it was told.
    async fn registered(&self, document: &Value) -> Value {
        let answer = self.registers(document).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    /// What the metadata says now.
    async fn metadata(&self) -> Value {
        Answer::of(http().get(self.at("/.well-known/openid-configuration"))).await.json()
    }
}

/// A client with the tutorial's redirect URI, and `more`.
fn client_with(more: &Value) -> Value {
    let mut document = json!({ "redirect_uris": [REDIRECT_URI] });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    document
}

fn text<'a>(client: &'a Value, member: &str) -> &'a str {
    client[member].as_str().unwrap_or_else(|| panic!("{member} is no text in {client}"))
}

/// At its own `registration_client_uri`, with its own token.
async fn managed(method: Method, client: &Value) -> Answer {
    let request = http().request(method, text(client, "registration_client_uri"));
    Answer::of(request.bearer_auth(text(client, "registration_access_token"))).await
}

fn request_of(client: &Value) -> AuthorizationRequest {
    AuthorizationRequest::new()
        .with("client_id", text(client, "client_id"))
        .with("scope", "openid profile email")
}

/// A browser that shows the consent page of `client`.
async fn asked_by(idp: &Idp, asked: &AuthorizationRequest) -> Browser {
    let mut browser = Browser::new(idp);
    browser.opens(asked).await;
    browser.signs_in(DEMO.0, DEMO.1).await;
    browser
}

/// What a login at `client` buys, which proves who it is with `proof`.
async fn tokens(idp: &Idp, client: &Value, scope: &str, proof: &[(&str, &str)]) -> Answer {
    let asked = request_of(client).with("scope", scope);
    let mut browser = asked_by(idp, &asked).await;
    let ticked: Vec<_> = scope.split(' ').map(|value| ("scope", value)).collect();
    let location = browser.submits(&[&[("decision", "allow")], &ticked[..]].concat()).await.location();
    let code = Code::of(&asked, &location);
    let by_basic = proof.is_empty().then(|| (text(client, "client_id"), text(client, "client_secret")));
    idp.token_as(by_basic, &[&code.fields()[..], proof].concat()).await
}

#[actix_web::test]
async fn a_client_is_told_all_that_is_registered_of_it_and_what_it_did_not_say_too() {
    let idp = Idp::start();
    let answer = idp.registers(&client_with(&json!({}))).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    let client = answer.json();
    let id = text(&client, "client_id");
    for (member, value) in [
        ("redirect_uris", json!([REDIRECT_URI])),
        ("client_name", json!(id)),
        ("application_type", json!("web")),
        ("grant_types", json!(["authorization_code"])),
        ("response_types", json!(["code"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("id_token_signed_response_alg", json!("RS256")),
        ("subject_type", json!("public")),
        ("scope", json!("openid profile email address phone api.access rp.login")),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", json!(1_795_496_600)),
        ("registration_client_uri", json!(idp.at(&format!("/oauth/register/{id}")))),
    ] {
        assert_eq!(client[member], value, "{member}");
    }
    assert!(
        text(&client, "client_secret").len() >= 43 && text(&client, "registration_access_token").len() >= 43
    );
    let other = idp.registered(&client_with(&json!({}))).await;
    for member in ["client_id", "client_secret", "registration_access_token"] {
        assert_ne!(client[member], other[member], "{member}");
    }
}

#[actix_web::test]
async fn what_a_client_says_of_itself_is_said_back() {
    let idp = Idp::start();
    let said = client_with(&json!({
        "application_type": "native",
        "client_name": "Photos",
        "client_name#ja-Jpan-JP": "写真",
        "client_uri": "https://photos.example/",
        "logo_uri": "https://photos.example/logo.png",
        "policy_uri": "https://photos.example/privacy",
        "tos_uri": "https://photos.example/terms",
        "tos_uri#ja": "https://photos.example/ja/terms",
        "contacts": ["admin@photos.example"],
        "post_logout_redirect_uris": ["https://photos.example/bye"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "openid email offline_access",
        "subject_type": "public",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks_uri": "https://photos.example/jwks",
        "id_token_signed_response_alg": "EdDSA",
        "request_object_signing_alg": "ES256",
        "require_signed_request_object": true,
        "require_pushed_authorization_requests": true,
        "default_max_age": 3600,
        "require_auth_time": true,
        "initiate_login_uri": "https://photos.example/login",
        "software_id": "photos",
        "software_version": "2.1",
        "access_token_format": "jwt",
        "require_pkce": false,
        "remember_consent": false,
    }));
    let client = idp.registered(&said).await;
    for (member, value) in said.as_object().unwrap() {
        assert_eq!(&client[member], value, "{member}");
    }
    assert_eq!((&client["client_secret"], &client["client_secret_expires_at"]), (&Value::Null, &Value::Null));
    assert_eq!(managed(Method::GET, &client).await.json(), client);
}

#[actix_web::test]
async fn a_registered_client_logs_its_users_in_with_each_way_to_authenticate() {
    let idp = Idp::start();
    let key = Key::new(KeyAlg::Es256);
    for method in
        ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]
    {
        let more = json!({
            "token_endpoint_auth_method": method,
            "jwks": { "keys": [key.public] },
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let client = idp.registered(&client_with(&more)).await;
        let id = text(&client, "client_id");
        // Only who needs a secret gets one.
        let secret = client["client_secret"].as_str();
        assert_eq!(secret.is_some(), method.starts_with("client_secret"), "{method}");
        assert_eq!(client.get("client_secret_expires_at").is_some(), secret.is_some(), "{method}");
        let secret = secret.unwrap_or_default();
        let assertion = match method {
            "client_secret_jwt" => signed_with_secret(secret, &claims(&idp, id)),
            _ => key.signs(&claims(&idp, id)),
        };
        let proof: &[(&str, &str)] = match method {
            "client_secret_basic" => &[],
            "client_secret_post" => &[("client_id", id), ("client_secret", secret)],
            "none" => &[("client_id", id)],
            _ => &[("client_assertion", &assertion), ("client_assertion_type", TYPE)],
        };
        let scope = "openid profile offline_access";
        let answer = tokens(&idp, &client, scope, proof).await;
        assert_eq!(answer.status, 200, "{method}: {answer:?}");
        let tokens = answer.json();
        assert_eq!(crate::exchange::payload(&tokens)["aud"], client["client_id"], "{method}");
        assert!(tokens["refresh_token"].is_string(), "{method}");
    }
}

#[actix_web::test]
async fn id_tokens_are_signed_as_a_client_registered_itself_for() {
    let idp = Idp::start();
    for alg in ["RS256", "ES256", "EdDSA", "HS256"] {
        let client = idp.registered(&client_with(&json!({ "id_token_signed_response_alg": alg }))).await;
        let tokens = tokens(&idp, &client, "openid", &[]).await.json();
        let header = jsonwebtoken::decode_header(tokens["id_token"].as_str().unwrap()).unwrap();
        assert_eq!(format!("{:?}", header.alg), alg);
    }
}

#[actix_web::test]
async fn without_registration_there_is_nothing_of_it_and_nothing_is_announced() {
    let idp = Idp::start_with(|settings| settings.registration = None);
    assert_eq!(idp.registers(&client_with(&json!({}))).await.status, 404);
    assert_eq!(Answer::of(http().get(idp.at("/oauth/register/client1"))).await.status, 404);
    assert_eq!(idp.metadata().await.get("registration_endpoint"), None);
}

#[actix_web::test]
async fn what_is_announced_is_what_a_client_can_register_for() {
    let idp = Idp::start_with(|settings| {
        settings.clients.truncate(1);
        settings.clients[0].grant_types.truncate(1);
        settings.clients[0].scope = Scope::parse("openid photos").unwrap();
    });
    let metadata = idp.metadata().await;
    assert_eq!(metadata["registration_endpoint"], json!(idp.at("/oauth/register")));
    let listed = |name: &str| metadata[name].as_array().unwrap().clone();
    let scope =
        listed("scopes_supported").iter().map(|it| it.as_str().unwrap()).collect::<Vec<_>>().join(" ");
    for alg in listed("id_token_signing_alg_values_supported") {
        let more = json!({
            "id_token_signed_response_alg": alg,
            "grant_types": metadata["grant_types_supported"],
            "scope": scope,
        });
        let client = idp.registered(&client_with(&more)).await;
        assert_eq!(client["id_token_signed_response_alg"], alg);
        assert_eq!(client["grant_types"], metadata["grant_types_supported"]);
        assert_eq!(text(&client, "scope").split(' ').count(), listed("scopes_supported").len());
    }
    assert!(scope.contains("photos") && scope.contains("offline_access"), "{scope}");
}
