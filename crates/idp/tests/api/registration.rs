//! Clients that register themselves (RFC 7591, OpenID Connect Dynamic Client Registration), and look at their registration
//! and delete it (RFC 7592).

use std::{net::IpAddr, sync::Arc, time::Duration};

use idp::{config::Registration, keys::KeyAlg};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::{scope::Scope, secret::Secret};

use crate::{
    client_auth::{Key, TYPE, claims, signed_with_secret},
    helpers::{Answer, AuthorizationRequest, Browser, Code, DEMO, Idp, REDIRECT_URI, basic, http, http_from},
    revocation::StuckTokens,
};

const WITH_TOKEN: &str = "initial-access-token";

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
async fn what_is_wrong_is_refused_and_named() {
    let idp = Idp::start();
    let key = json!({ "keys": [Key::new(KeyAlg::EdDsa).public] });
    for (more, code, named) in [
        (json!({ "redirect_uris": null }), "invalid_client_metadata", "redirect_uris is missing"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri", "redirect_uris: there must be one"),
        (json!({ "redirect_uris": REDIRECT_URI }), "invalid_redirect_uri", "redirect_uris: must be a list"),
        (json!({ "redirect_uris": ["https://a.example/#x"] }), "invalid_redirect_uri", "redirect_uris[0]: "),
        (json!({ "redirect_uris": [REDIRECT_URI, "/cb"] }), "invalid_redirect_uri", "redirect_uris[1]: "),
        (json!({ "redirect_uris": ["app.example:/cb"] }), "invalid_redirect_uri", "redirect_uris[0]: "),
        (json!({ "redirect_uris": ["http://a.example/"] }), "invalid_redirect_uri", "uses http"),
        (
            json!({ "application_type": "desktop" }),
            "invalid_client_metadata",
            "application_type: must be web or",
        ),
        (json!({ "grant_types": ["implicit"] }), "invalid_client_metadata", "grant_types: must hold"),
        (json!({ "grant_types": ["refresh_token"] }), "invalid_client_metadata", "grant_types: must hold"),
        (json!({ "grant_types": "code" }), "invalid_client_metadata", "grant_types: must be a list"),
        (json!({ "response_types": ["token"] }), "invalid_client_metadata", "response_types: must hold code"),
        (
            json!({ "token_endpoint_auth_method": "magic" }),
            "invalid_client_metadata",
            "token_endpoint_auth_method: ",
        ),
        (
            json!({ "token_endpoint_auth_signing_alg": "RS256" }),
            "invalid_client_metadata",
            "token_endpoint_auth_signing_alg: is of no use with client_secret_basic",
        ),
        (
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
            "invalid_client_metadata",
            "jwks_uri is missing (or jwks)",
        ),
        (
            json!({ "jwks": key, "jwks_uri": "https://a.example/" }),
            "invalid_client_metadata",
            "jwks_uri: there is a",
        ),
        (json!({ "jwks": { "keys": [] } }), "invalid_client_metadata", "jwks: must hold a key"),
        (json!({ "jwks": 1 }), "invalid_client_metadata", "jwks: must be a JSON object"),
        (json!({ "jwks_uri": "http://a.example/" }), "invalid_client_metadata", "jwks_uri: "),
        (
            json!({ "id_token_signed_response_alg": "none" }),
            "invalid_client_metadata",
            "id_token_signed_response",
        ),
        (
            json!({ "token_endpoint_auth_method": "none", "id_token_signed_response_alg": "HS256" }),
            "invalid_client_metadata",
            "id_token_signed_response_alg: HS256",
        ),
        (
            json!({ "token_endpoint_auth_method": "none", "require_pkce": false }),
            "invalid_client_metadata",
            "require_pkce: must be true",
        ),
        (json!({ "scope": "mail.read" }), "invalid_client_metadata", "scope: must name what"),
        (json!({ "scope": ["openid"] }), "invalid_client_metadata", "scope: must be a text"),
        (json!({ "scope": "a\"b" }), "invalid_client_metadata", "scope: scope holds a character"),
        (json!({ "contacts": "a@b" }), "invalid_client_metadata", "contacts: must be a list"),
        (json!({ "client_name": " " }), "invalid_client_metadata", "client_name: must not be blank"),
        (
            json!({ "client_name#": "x" }),
            "invalid_client_metadata",
            "client_name#: ends with no language tag",
        ),
        (json!({ "client_uri": "javascript:x" }), "invalid_client_metadata", "client_uri: "),
        (json!({ "logo_uri": "data:image/png,x" }), "invalid_client_metadata", "logo_uri: "),
        (json!({ "logo_uri": "http://a.example/" }), "invalid_client_metadata", "logo_uri: "),
        (json!({ "policy_uri": "/privacy" }), "invalid_client_metadata", "policy_uri: "),
        (json!({ "tos_uri": 1 }), "invalid_client_metadata", "tos_uri: must be a text"),
        (
            json!({ "default_max_age": -1 }),
            "invalid_client_metadata",
            "default_max_age: must be a whole number",
        ),
        (json!({ "require_auth_time": "yes" }), "invalid_client_metadata", "require_auth_time: must be true"),
        (
            json!({ "post_logout_redirect_uris": ["x"] }),
            "invalid_client_metadata",
            "post_logout_redirect_uris[0]: ",
        ),
        (
            json!({ "initiate_login_uri": "http://127.0.0.1/" }),
            "invalid_client_metadata",
            "initiate_login_uri: must use https",
        ),
        (json!({ "subject_type": "pairwise" }), "invalid_client_metadata", "subject_type: must be public"),
        (
            json!({ "sector_identifier_uri": "https://a.example/" }),
            "invalid_client_metadata",
            "sector_identifier_uri: ",
        ),
    ] {
        let answer = idp.registers(&client_with(&more)).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, code), "{more}: {answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let said = answer.json();
        assert!(text(&said, "error_description").contains(named), "{more}: {said}");
    }
}

#[actix_web::test]
async fn what_this_provider_does_not_have_is_left_out_as_long_as_something_of_use_is_left() {
    let idp = Idp::start();
    let more = json!({
        "grant_types": ["authorization_code", "refresh_token", "implicit", "client_credentials"],
        "response_types": ["code", "id_token", "code id_token"],
        "scope": "openid offline_access mail.read",
        "userinfo_encrypted_response_alg": "RSA-OAEP",
        "software_statement": "eyJhbGciOiJub25lIn0.e30.",
        "an_extension": { "nobody": ["knows"] },
    });
    let client = idp.registered(&client_with(&more)).await;
    assert_eq!(client["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(
        (&client["response_types"], text(&client, "scope")),
        (&json!(["code"]), "openid offline_access")
    );
    for ignored in ["userinfo_encrypted_response_alg", "software_statement", "an_extension"] {
        assert_eq!(client.get(ignored), None);
    }
    // Refresh tokens and the scope for them go together.
    let renews =
        |grant_types: Value, scope: &str| client_with(&json!({ "grant_types": grant_types, "scope": scope }));
    let both = json!(["authorization_code", "refresh_token"]);
    let client = idp.registered(&renews(both, "openid")).await;
    assert_eq!(client["grant_types"], json!(["authorization_code"]));
    let client = idp.registered(&renews(json!(["authorization_code"]), "openid offline_access")).await;
    assert_eq!(client["scope"], "openid");
}

#[actix_web::test]
async fn i19_nobody_registers_for_what_only_the_settings_give() {
    let idp = Idp::start();
    let more = json!({
        "client_id": "client1",
        "client_secret": "chosen",
        "resource": [idp.at("/api")],
        "refresh_without_offline_access": true,
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    });
    let client = idp.registered(&client_with(&more)).await;
    assert!(client["client_id"] != "client1" && client["client_secret"] != "chosen");
    assert_eq!((&client["refresh_without_offline_access"], client.get("resource")), (&json!(false), None));
    let credentials = (text(&client, "client_id"), text(&client, "client_secret"));
    let answer = idp.token_as(Some(credentials), &[("grant_type", "client_credentials")]).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "unauthorized_client"));
    // It is told nothing about the tokens of others.
    let token = idp.redeems(&idp.code().await).await.json();
    let asked = http().post(idp.at("/oauth/introspect")).form(&[("token", text(&token, "access_token"))]);
    let asked = asked.header("authorization", basic(credentials.0, credentials.1));
    assert_eq!(Answer::of(asked).await.json(), json!({ "active": false }));
}

#[actix_web::test]
async fn i22_the_body_is_json_and_bounded() {
    let idp = Idp::start();
    let sends = |media_type: &'static str, body: String| {
        let request = http().post(idp.at("/oauth/register")).header("content-type", media_type).body(body);
        Answer::of(request)
    };
    let good = client_with(&json!({})).to_string();
    // What a page of another site could have a browser send, is nothing here.
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        let answer = sends(media_type, good.clone()).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (415, "invalid_client_metadata"),
            "{media_type}"
        );
    }
    assert_eq!(sends("Application/JSON; charset=utf-8", good).await.status, 201);
    let deep = format!("{}1{}", r#"{"a":"#.repeat(5000), "}".repeat(5000));
    let text = |body: &str| body.to_owned();
    for bad in [text(""), text("[]"), text("null"), text("{"), text("{\"redirect_uris\":\u{1}}"), deep] {
        let answer = sends("application/json", bad).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_client_metadata"));
    }
    let large = client_with(&json!({ "client_name": "x".repeat(64 * 1024) })).to_string();
    assert_eq!(sends("application/json", large).await.status, 413);
    let other = Answer::of(http().get(idp.at("/oauth/register"))).await;
    assert_eq!((other.status, other.header("allow")), (405, "POST"));
}

#[actix_web::test]
async fn an_initial_access_token_is_needed_where_there_is_one() {
    let idp = Idp::start_with(|settings| {
        let token = Some(Secret::new(WITH_TOKEN));
        settings.registration = Some(Registration { token, idle: Duration::from_secs(60) });
    });
    let asks = |token: Option<&str>| {
        let request = http().post(idp.at("/oauth/register")).json(&client_with(&json!({})));
        Answer::of(token.into_iter().fold(request, RequestBuilder::bearer_auth))
    };
    let without = asks(None).await;
    assert_eq!((without.status, without.header("www-authenticate")), (401, r#"Bearer realm="registration""#));
    for wrong in ["x", "initial-access-tokem", "INITIAL-ACCESS-TOKEN"] {
        let answer = asks(Some(wrong)).await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_token"), "{wrong}");
        assert!(answer.header("www-authenticate").starts_with(r#"Bearer error="invalid_token""#));
    }
    assert_eq!(asks(Some(WITH_TOKEN)).await.status, 201);
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

#[actix_web::test]
async fn a_registration_is_looked_at_and_deleted_by_whoever_has_its_token() {
    let idp = Idp::start();
    let client = idp.registered(&client_with(&json!({ "client_name": "Photos" }))).await;
    let other = idp.registered(&client_with(&json!({}))).await;
    let looked = managed(Method::GET, &client).await;
    assert_eq!((looked.status, looked.header("cache-control")), (200, "no-store"));
    assert_eq!(looked.json(), client);
    // Neither another's token, nor an access token, nor none; nor anybody's for a client of the settings.
    let access_token = idp.redeems(&idp.code().await).await.json();
    let uri = text(&client, "registration_client_uri");
    let of_the_settings = idp.at("/oauth/register/client1");
    for (uri, token) in [
        (uri, text(&other, "registration_access_token")),
        (uri, text(&client, "client_secret")),
        (uri, text(&access_token, "access_token")),
        (&of_the_settings, text(&client, "registration_access_token")),
    ] {
        for method in [Method::GET, Method::DELETE] {
            let answer = Answer::of(http().request(method, uri).bearer_auth(token)).await;
            assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_token"), "{uri}");
        }
    }
    assert_eq!(
        Answer::of(http().get(uri)).await.header("www-authenticate"),
        r#"Bearer realm="registration""#
    );
    let update = Answer::of(http().put(uri).json(&client)).await;
    assert_eq!((update.status, update.header("allow")), (405, "GET, DELETE"));
    assert_eq!(managed(Method::DELETE, &client).await.status, 204);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(managed(method, &client).await.status, 401);
    }
    assert_eq!(managed(Method::GET, &other).await.status, 200);
}

#[actix_web::test]
async fn with_a_registration_goes_all_that_the_client_was_allowed_and_given() {
    let idp = Idp::start();
    let both = json!({ "grant_types": ["authorization_code", "refresh_token"] });
    let client = idp.registered(&client_with(&both)).await;
    let credentials = (text(&client, "client_id"), text(&client, "client_secret"));
    let given = tokens(&idp, &client, "openid offline_access", &[]).await.json();
    let others = idp.redeems(&idp.code().await).await.json();
    let asked = request_of(&client);
    let mut under_way = asked_by(&idp, &asked).await;
    assert_eq!(idp.userinfo(text(&given, "access_token")).await.status, 200);
    assert_eq!(managed(Method::DELETE, &client).await.status, 204);
    assert_eq!(idp.userinfo(text(&given, "access_token")).await.status, 401);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", text(&given, "refresh_token"))];
    let renewed = idp.token_as(Some(credentials), &fields).await;
    assert_eq!((renewed.status, renewed.error().as_str()), (401, "invalid_client"));
    // A login that was under way ends on a page, and no new one begins.
    under_way.submits(&[("decision", "allow")]).await.is_error_page("client_id");
    Browser::new(&idp).opens(&asked).await.is_error_page("client_id");
    let home = Browser::new(&idp).goes(&idp.at("/")).await.body.clone();
    assert!(!home.contains(credentials.0));
    assert_eq!(idp.userinfo(text(&others, "access_token")).await.status, 200);
}

#[actix_web::test]
async fn a_deletion_that_failed_never_looks_like_success_and_can_be_tried_again() {
    let idp = Idp::start_with_stores(|stores| {
        stores.access_tokens = Arc::new(StuckTokens(stores.access_tokens.clone()));
    });
    let client = idp.registered(&client_with(&json!({}))).await;
    for _ in 0..2 {
        let answer = managed(Method::DELETE, &client).await;
        assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"));
    }
    assert_eq!(managed(Method::GET, &client).await.status, 200);
}

#[actix_web::test]
async fn a_client_that_nobody_uses_is_forgotten_and_one_in_use_is_kept() {
    let idp = Idp::start();
    let (used, unused) =
        (idp.registered(&client_with(&json!({}))).await, idp.registered(&client_with(&json!({}))).await);
    idp.passes(86_000);
    Browser::new(&idp).opens(&request_of(&used)).await;
    idp.passes(1_000);
    assert_eq!(managed(Method::GET, &used).await.status, 200);
    assert_eq!(managed(Method::GET, &unused).await.status, 401);
    Browser::new(&idp).opens(&request_of(&unused)).await.is_error_page("client_id");
}

#[actix_web::test]
async fn i23_one_address_leaves_room_for_the_clients_of_others() {
    let idp = Idp::start_with(|settings| settings.capacity = 32);
    let from = |address: [u8; 4]| {
        let request = http_from(IpAddr::from(address)).post(idp.at("/oauth/register"));
        Answer::of(request.json(&client_with(&json!({}))))
    };
    for _ in 0..4 {
        assert_eq!(from([127, 0, 0, 2]).await.status, 201);
    }
    let refused = from([127, 0, 0, 2]).await;
    assert_eq!((refused.status, refused.error().as_str()), (503, "temporarily_unavailable"));
    assert_eq!(refused.header("retry-after"), "30");
    assert_eq!(from([127, 0, 0, 3]).await.status, 201);
    // Long ones fill it sooner.
    let large = client_with(&json!({ "client_name": "x".repeat(60 * 1024) }));
    let sends = || http_from(IpAddr::from([127, 0, 0, 4])).post(idp.at("/oauth/register")).json(&large);
    assert_eq!(Answer::of(sends()).await.status, 201);
    assert_eq!(Answer::of(sends()).await.status, 503);
}

#[actix_web::test]
async fn i16_no_script_of_another_site_registers_anybody() {
    let idp = Idp::start();
    let asks = http().request(Method::OPTIONS, idp.at("/oauth/register"));
    let asks = asks.header("origin", "https://evil.example").header("access-control-request-method", "POST");
    let answer = Answer::of(asks.header("access-control-request-headers", "content-type")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, ""));
}

#[actix_web::test]
async fn the_pages_show_logo_policy_and_terms_and_that_nobody_vouches_for_the_client() {
    let idp = Idp::start();
    let client = idp
        .registered(&client_with(&json!({
            "client_name": "Photos",
            "client_name#ja": "写真",
            "logo_uri": "https://photos.example:8443/logo.png",
            "policy_uri": "https://photos.example/privacy",
            "tos_uri": "https://photos.example/terms",
            "tos_uri#ja": "https://photos.example/ja/terms",
        })))
        .await;
    for (lang, name, terms) in
        [("en", "Photos", "https://photos.example/terms"), ("ja", "写真", "https://photos.example/ja/terms")]
    {
        let asked = request_of(&client).with("ui_locales", lang);
        let mut browser = Browser::new(&idp);
        for page in ["login", "consent"] {
            if page == "login" {
                browser.opens(&asked).await;
            } else {
                browser.signs_in(DEMO.0, DEMO.1).await;
            }
            let shown = &browser.shown;
            assert!(browser.page.contains(page), "{shown:?}");
            for text in [
                name,
                r#"src="https://photos.example:8443/logo.png""#,
                r#"href="https://photos.example/privacy""#,
                &format!(r#"href="{terms}""#),
                r#"referrerpolicy="no-referrer""#,
                r#"class="note""#,
            ] {
                assert!(shown.body.contains(text), "{page} {lang}: {text} is not in {}", shown.body);
            }
            let policy = shown.header("content-security-policy");
            assert!(policy.contains("img-src 'self' https://photos.example:8443;"), "{policy}");
        }
    }
    // Nothing of it for a client of the settings.
    let mut browser = Browser::new(&idp);
    let shown = browser.opens(&AuthorizationRequest::new()).await;
    assert!(shown.header("content-security-policy").contains("img-src 'self';"));
    assert!(!shown.body.contains("<img") && !shown.body.contains(r#"class="note""#), "{}", shown.body);
}

#[actix_web::test]
async fn the_providers_own_page_lists_whoever_registered_and_all_that_is_registered_but_secrets() {
    let idp = Idp::start();
    let client = idp
        .registered(&client_with(&json!({ "client_name": "Photos <1>", "contacts": ["a@b.example"] })))
        .await;
    let page = Browser::new(&idp).goes(&idp.at("/")).await.body.clone();
    for text in
        [text(&client, "client_id"), "Photos &lt;1&gt;", "a@b.example", "require_pkce", "/oauth/register"]
    {
        assert!(page.contains(text), "{text} is not in {page}");
    }
    for secret in ["client_secret", "registration_access_token"].map(|member| text(&client, member)) {
        assert!(!page.contains(secret));
    }
}
