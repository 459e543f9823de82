//! Steps 8 and 9: the code becomes tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use shared::{id_token, pkce::CodeVerifier, random::SystemRandom};

use crate::helpers::{Answer, AuthorizationRequest, Code, Idp, OTHER_CLIENT, basic, http};

/// The claims of the ID token in a token answer, unverified.
pub fn payload(tokens: &Value) -> Value {
    let part = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[track_caller]
fn is_refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (400, error), "{answer:?}");
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
}

#[actix_web::test]
async fn a_code_becomes_an_id_token_that_says_who_signed_in_when_and_how() {
    let idp = Idp::start();
    let answer = idp.redeems(&idp.code().await).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(tokens["scope"], "openid profile email api.access rp.login");

    let jwks: JwkSet = http().get(idp.at("/oauth/jwks")).send().await.unwrap().json().await.unwrap();
    let id_token = tokens["id_token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(id_token).unwrap();
    let key = DecodingKey::from_jwk(jwks.find(header.kid.as_deref().unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["client1"]);
    validation.set_issuer(&[&idp.issuer]);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(id_token, &key, &validation).unwrap().claims;
    let at_hash = id_token::at_hash(tokens["access_token"].as_str().unwrap());
    assert_eq!(
        claims,
        json!({
            "iss": idp.issuer, "sub": "1", "aud": "client1", "iat": 1_795_496_600, "exp": 1_795_500_200,
            "auth_time": 1_795_496_600, "nonce": "n-0S6_WzA2Mj", "at_hash": at_hash, "amr": ["pwd"],
        })
    );
}

#[actix_web::test]
async fn a_request_without_openid_is_plain_oauth_and_gets_no_id_token() {
    let idp = Idp::start();
    let code = idp.code_for(&AuthorizationRequest::new().with("scope", "api.access")).await;
    let tokens = idp.redeems(&code).await.json();
    assert!(tokens.get("id_token").is_none());
    assert_eq!(tokens["scope"], "api.access");
}

#[actix_web::test]
async fn nonce_is_optional_and_then_absent() {
    let idp = Idp::start();
    let code = idp.code_for(&AuthorizationRequest::new().without("nonce")).await;
    assert!(payload(&idp.redeems(&code).await.json()).get("nonce").is_none());
}

#[actix_web::test]
async fn i3_a_code_works_once() {
    let idp = Idp::start();
    let code = idp.code().await;
    assert_eq!(idp.redeems(&code).await.status, 200);
    is_refused(&idp.redeems(&code).await, "invalid_grant");
}

#[actix_web::test]
async fn i3_reuse_kills_what_the_code_bought() {
    let idp = Idp::start();
    let code = idp.code().await;
    let access_token = idp.redeems(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(idp.userinfo(&access_token).await.status, 200);
    is_refused(&idp.redeems(&code).await, "invalid_grant");
    assert_eq!(idp.userinfo(&access_token).await.error(), "invalid_token");
}

#[actix_web::test]
async fn i3_fifty_at_once_get_at_most_one_answer_and_its_tokens_are_dead() {
    let idp = Idp::start();
    let code = idp.code().await;
    let answers = futures_util::future::join_all((0..50).map(|_| idp.redeems(&code))).await;
    let good: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(good.len(), 1);
    assert!(
        answers.iter().filter(|answer| answer.status != 200).all(|answer| answer.error() == "invalid_grant")
    );
    let access_token = good[0].json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(idp.userinfo(&access_token).await.status, 401);
}

#[actix_web::test]
async fn i3_a_late_code_is_refused_by_the_configured_lifetime() {
    for (lifetime, waited, status) in [(60, 59, 200), (60, 60, 400), (600, 599, 200), (600, 600, 400)] {
        let idp =
            Idp::start_with(|settings| settings.code_lifetime = std::time::Duration::from_secs(lifetime));
        let code = idp.code().await;
        idp.passes(waited);
        assert_eq!(idp.redeems(&code).await.status, status, "{waited} of {lifetime} s");
    }
}

#[actix_web::test]
async fn i3_an_unknown_or_truncated_code_is_refused() {
    let idp = Idp::start();
    let code = idp.code().await;
    let truncated = &code.value[..code.value.len() - 1];
    let longer = format!("{}A", code.value);
    let other_kind = code.value.replace("code_", "at_");
    for wrong in [truncated, &longer, &other_kind, "code_", "x"] {
        is_refused(&idp.token(&code.fields_with("code", wrong)).await, "invalid_grant");
    }
    is_refused(&idp.token(&code.fields_with("code", "")).await, "invalid_request");
    assert_eq!(idp.redeems(&code).await.status, 200);
}

#[actix_web::test]
async fn i3_another_clients_attempt_burns_nothing() {
    let idp = Idp::start();
    let code = idp.code().await;
    let stolen = idp.token_as(Some(OTHER_CLIENT), &code.fields()).await;
    is_refused(&stolen, "invalid_grant");
    assert_eq!(idp.redeems(&code).await.status, 200);
}

#[actix_web::test]
async fn i3_an_unauthenticated_attempt_burns_nothing() {
    let idp = Idp::start();
    let code = idp.code().await;
    let answer = idp.token_as(Some(("client1", "wrong")), &code.fields()).await;
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
    assert_eq!(idp.redeems(&code).await.status, 200);
}

#[actix_web::test]
async fn i3_the_redirect_uri_must_be_the_same_and_a_failure_burns_the_code() {
    let idp = Idp::start();
    for wrong in ["http://127.0.0.1:5002/auth/", "https://evil.example", ""] {
        let code = idp.code().await;
        is_refused(&idp.token(&code.fields_with("redirect_uri", wrong)).await, "invalid_grant");
        is_refused(&idp.redeems(&code).await, "invalid_grant");
    }
}

#[actix_web::test]
async fn i3_codes_have_256_random_bits() {
    let idp = Idp::start();
    let (first, second) = (idp.code().await.value, idp.code().await.value);
    assert_ne!(first, second);
    assert_eq!(URL_SAFE_NO_PAD.decode(first.strip_prefix("code_").unwrap()).unwrap().len(), 32);
}

#[actix_web::test]
async fn i4_a_verifier_that_does_not_meet_the_challenge_burns_the_code() {
    let idp = Idp::start();
    let other = CodeVerifier::generate(&SystemRandom);
    for wrong in [other.expose(), "", &"a".repeat(42), &"a".repeat(129), "=".repeat(43).as_str()] {
        let code = idp.code().await;
        is_refused(&idp.token(&code.fields_with("code_verifier", wrong)).await, "invalid_grant");
        is_refused(&idp.redeems(&code).await, "invalid_grant");
    }
}

#[actix_web::test]
async fn i12_basic_credentials_are_form_decoded() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::of_other_client();
    let code = idp.code_for(&asked).await;
    assert_eq!(idp.token_as(Some(OTHER_CLIENT), &code.fields()).await.status, 200);
}

#[actix_web::test]
async fn i12_malformed_credentials_get_401_and_a_challenge() {
    let idp = Idp::start();
    let encode = |bytes: &[u8]| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(bytes));
    for value in [
        "Basic".to_owned(),
        "Basic !!!".to_owned(),
        "Bearer x".to_owned(),
        encode(b"client1"),
        encode(b"client1:\xff\xfe"),
        encode(b"client1:%"),
        encode(b":"),
        basic("client1", "Client1-secret"),
        basic("nobody", "client1-secret"),
    ] {
        let request = http().post(idp.at("/oauth/token")).header("authorization", &value);
        let answer = Answer::of(request.form(&[("grant_type", "authorization_code")])).await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{value}");
        assert!(answer.header("www-authenticate").starts_with("Basic "), "{value}");
    }
    let answer = idp.token_as(None, &[("grant_type", "authorization_code")]).await;
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
}

#[actix_web::test]
async fn i12_two_authentication_methods_at_once_are_refused() {
    let idp = Idp::start();
    let code = idp.code().await;
    let fields = code.fields_with("client_secret", "client1-secret");
    is_refused(&idp.token(&fields).await, "invalid_request");
    let fields = code.fields_with("client_id", "other:client");
    is_refused(&idp.token(&fields).await, "invalid_request");
    // Naming oneself again is no second method.
    let fields = code.fields_with("client_id", "client1");
    assert_eq!(idp.token(&fields).await.status, 200);
    // A method that is not listed does not work.
    let posted =
        [("client_id", "client1"), ("client_secret", "client1-secret"), ("grant_type", "authorization_code")];
    assert_eq!(idp.token_as(None, &posted).await.error(), "invalid_client");
}

#[actix_web::test]
async fn i13_a_field_sent_twice_is_refused_and_burns_nothing() {
    let idp = Idp::start();
    let code = idp.code().await;
    for name in ["code", "grant_type", "redirect_uri", "code_verifier"] {
        let fields = [code.fields(), vec![(name, "again")]].concat();
        is_refused(&idp.token(&fields).await, "invalid_request");
    }
    let request = http()
        .post(idp.at("/oauth/token?code=x"))
        .header("authorization", basic("client1", "client1-secret"));
    is_refused(&Answer::of(request.form(&code.fields())).await, "invalid_request");
    assert_eq!(idp.redeems(&code).await.status, 200);
}

#[actix_web::test]
async fn another_grant_type_is_not_supported() {
    let idp = Idp::start();
    for grant_type in ["password", "implicit", "AUTHORIZATION_CODE", "urn:x"] {
        is_refused(&idp.token(&[("grant_type", grant_type)]).await, "unsupported_grant_type");
    }
    is_refused(&idp.token(&[("code", "x")]).await, "invalid_request");
}

#[actix_web::test]
async fn the_token_endpoint_speaks_json_even_when_it_is_used_wrongly() {
    let idp = Idp::start();
    let got = Answer::of(http().get(idp.at("/oauth/token"))).await;
    assert_eq!((got.status, got.error().as_str()), (405, "invalid_request"));
    let request = http().post(idp.at("/oauth/token")).header("content-type", "application/json").body("{}");
    is_refused(&Answer::of(request).await, "invalid_request");
}

#[actix_web::test]
async fn i17_no_kind_of_handle_passes_as_another() {
    let idp = Idp::start();
    let code = idp.code().await;
    assert_eq!(idp.userinfo(&code.value).await.error(), "invalid_token");
    let tokens = idp.redeems(&code).await.json();
    let access_token = tokens["access_token"].as_str().unwrap();
    let as_code = Code { value: access_token.to_owned(), ..code };
    is_refused(&idp.redeems(&as_code).await, "invalid_grant");
}
