//! What is refused: metadata that is wrong, what only the settings give, and whoever may not register, or not now.

use std::{net::IpAddr, time::Duration};

use idp::{config::Registration, keys::KeyAlg};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::secret::Secret;
use web::origin::Origin;

use super::{client_with, request_of, text};
use crate::{
    client_auth::Key,
    helpers::{Answer, Idp, REDIRECT_URI, basic, http, http_from},
};

const WITH_TOKEN: &str = "initial-access-token";

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
        (
            json!({ "jwks_uri": "http://a.example/" }),
            "invalid_client_metadata",
            "jwks_uri: 'http://a.example/' uses http, which is safe only on a loopback address (RFC 9700 section 2.6)",
        ),
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
        (json!({ "client_name": "\u{202e}knaB" }), "invalid_client_metadata", "client_name: must not hold"),
        (json!({ "client_name#ja": "a\u{0}b" }), "invalid_client_metadata", "client_name#ja: must not hold"),
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
async fn i22_a_provider_for_others_is_not_made_to_ask_its_own_computer_for_keys() {
    let idp = Idp::start_with(|settings| {
        settings.origin = Origin::parse("https://idp.example", false).unwrap();
        settings.registration =
            Some(Registration { token: Some(Secret::new(WITH_TOKEN)), idle: Duration::from_secs(60) });
    });
    let registers = async |host: &str| {
        let keys = json!({
            "jwks_uri": format!("https://{host}/jwks"), "token_endpoint_auth_method": "private_key_jwt",
            "redirect_uris": ["https://app.example/cb"],
        });
        let request =
            http().post(format!("http://{}/oauth/register", idp.address)).header("host", "idp.example");
        Answer::of(request.bearer_auth(WITH_TOKEN).json(&client_with(&keys))).await
    };
    for here in [
        "localhost",
        "LOCALHOST:8443",
        "localhost.",
        "a.localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:0:0]",
    ] {
        let answer = registers(here).await;
        let reason = answer.json()["error_description"].to_string();
        assert!(answer.status == 400 && reason.contains("jwks_uri: must not be on"), "{here}: {reason}");
    }
    for elsewhere in ["app.example", "localhost.example", "192.0.2.1", "[2001:db8::1]"] {
        assert_eq!(registers(elsewhere).await.status, 201, "{elsewhere}");
    }
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
async fn i23_who_registers_several_clients_leaves_room_for_the_pushed_requests_of_others() {
    let idp = Idp::start_with(|settings| settings.capacity = 16);
    let (one, two) =
        (idp.registered(&client_with(&json!({}))).await, idp.registered(&client_with(&json!({}))).await);
    let pushes = async |client: &Value, last: u8| {
        let request = http_from([127, 0, 0, last].into()).post(idp.at("/oauth/par"));
        let proof = basic(text(client, "client_id"), text(client, "client_secret"));
        Answer::of(request.header("authorization", proof).form(request_of(client).pairs())).await.status
    };
    // One address has two of the sixteen, whosever name it pushes in.
    assert_eq!([pushes(&one, 2).await, pushes(&two, 2).await], [201; 2]);
    assert_eq!([pushes(&one, 2).await, pushes(&two, 2).await], [503; 2]);
    assert_eq!(pushes(&two, 3).await, 201);
}

#[actix_web::test]
async fn i16_no_script_of_another_site_registers_anybody() {
    let idp = Idp::start();
    let asks = http().request(Method::OPTIONS, idp.at("/oauth/register"));
    let asks = asks.header("origin", "https://evil.example").header("access-control-request-method", "POST");
    let answer = Answer::of(asks.header("access-control-request-headers", "content-type")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, ""));
}
