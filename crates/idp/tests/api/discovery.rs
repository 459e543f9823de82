//! Before the flow: the provider describes itself.

use serde_json::{Value, json};

use crate::helpers::{Answer, AuthorizationRequest, Browser, CLIENT2, Code, Idp, http};

async fn get(idp: &Idp, path: &str) -> Answer {
    Answer::of(http().get(idp.at(path))).await
}

#[actix_web::test]
async fn the_issuer_is_the_address_of_the_document_without_its_well_known_part() {
    let idp = Idp::start();
    let document = get(&idp, "/.well-known/openid-configuration").await;
    assert_eq!((document.status, document.header("content-type")), (200, "application/json"));
    assert_eq!(document.json()["issuer"], json!(idp.issuer));
}

#[actix_web::test]
async fn oauth_clients_find_the_same_document_under_their_own_name() {
    let idp = Idp::start();
    let openid = get(&idp, "/.well-known/openid-configuration").await.json();
    assert_eq!(get(&idp, "/.well-known/oauth-authorization-server").await.json(), openid);
}

#[actix_web::test]
async fn an_issuer_with_a_path_has_everything_below_it() {
    let idp = Idp::start_with(|settings| {
        let issuer = format!("{}/op", settings.origin.as_str());
        settings.origin = web::origin::Origin::parse(&issuer, false).unwrap();
    });
    let document = get(&idp, "/.well-known/openid-configuration").await.json();
    for (member, endpoint) in document.as_object().unwrap() {
        if member.ends_with("_endpoint") || member == "jwks_uri" {
            assert!(endpoint.as_str().unwrap().starts_with(&idp.issuer), "{member}");
        }
    }
    // RFC 8414 §3.1: here the well-known part stands before the path.
    let root = idp.issuer.trim_end_matches("/op");
    let other = Answer::of(http().get(format!("{root}/.well-known/oauth-authorization-server/op"))).await;
    assert_eq!(other.json(), document);
    assert_eq!(idp.redeems(&idp.code().await).await.status, 200);
}

#[actix_web::test]
async fn what_is_listed_works_and_nothing_else_is_listed() {
    let idp = Idp::start();
    let document = get(&idp, "/.well-known/openid-configuration").await.json();
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert_eq!(document["grant_types_supported"], json!(["authorization_code"]));
    let algs = json!(["RS256", "ES256", "EdDSA", "HS256"]);
    assert_eq!(document["id_token_signing_alg_values_supported"], algs);
    assert_eq!(
        document["token_endpoint_auth_methods_supported"],
        json!(["client_secret_basic", "client_secret_post"])
    );
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["prompt_values_supported"], json!(["none", "login", "consent", "select_account"]));
    assert_eq!(document["claims_parameter_supported"], true);
    // The claims of a real login of somebody of whom everything is known are the listed ones.
    let tokens = tokens_of_alice(&idp).await;
    let userinfo = idp.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    let payload = crate::exchange::payload(&tokens);
    assert_eq!(document["acr_values_supported"], json!([payload["acr"]]));
    let claims = userinfo.as_object().unwrap().keys().chain(payload.as_object().unwrap().keys());
    let mut seen: Vec<_> = claims.map(String::as_str).collect();
    seen.sort_unstable();
    seen.dedup();
    let mut listed: Vec<_> =
        document["claims_supported"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    listed.sort_unstable();
    assert_eq!(seen, listed);
}

/// Of a login in which everything is asked for that can be.
async fn tokens_of_alice(idp: &Idp) -> Value {
    let asked = AuthorizationRequest::of_client2()
        .with("scope", "openid profile email address phone")
        .with("acr_values", "whatever");
    let mut browser = Browser::new(idp);
    browser.opens(&asked).await;
    browser.signs_in("alice", "AliceTest2024!").await;
    let ticked = ["profile", "email", "address", "phone"].map(|value| ("scope", value));
    let location = browser.submits(&[&[("decision", "allow")], &ticked[..]].concat()).await.location();
    let code = Code::of(&asked, &location);
    idp.token_as(Some(CLIENT2), &code.fields()).await.json()
}
