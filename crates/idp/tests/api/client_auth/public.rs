//! Clients that cannot prove who they are: what takes the place of a proof, and what they may do all the same.

use serde_json::Value;

use super::{PUBLIC, client, is_unknown};
use crate::helpers::{Answer, AuthorizationRequest, Browser, Code, Idp, http, signed_in};

#[actix_web::test]
async fn a_public_client_names_itself_and_has_its_verifier_to_show() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC);
    let code = idp.code_for(&asked).await;
    let name = ("client_id", PUBLIC);
    let without = [&code.fields_with("code_verifier", "")[..], &[name]].concat();
    assert_eq!(idp.token_as(None, &without).await.error(), "invalid_grant");
    let code = idp.code_for(&asked).await;
    assert_eq!(idp.token_as(None, &[&code.fields()[..], &[name]].concat()).await.status, 200);
}

#[actix_web::test]
async fn a_client_that_has_a_secret_is_not_known_by_its_name() {
    let idp = Idp::start();
    let code = idp.code().await;
    for id in ["client1", "nobody"] {
        let answer = idp.token_as(None, &[&code.fields()[..], &[("client_id", id)]].concat()).await;
        is_unknown(&answer, id);
    }
    // Nor is one without a secret known by any.
    for secret in ["", "x"] {
        is_unknown(&idp.token_as(Some((PUBLIC, secret)), &code.fields()).await, secret);
    }
    assert_eq!(idp.redeems(&code).await.status, 200);
}

#[actix_web::test]
async fn i4_a_public_client_cannot_do_without_pkce_whatever_it_is_registered_for() {
    let idp = Idp::start_with(|settings| client(&mut settings.clients, PUBLIC).require_pkce = false);
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC);
    let asked = asked.without("code_challenge").without("code_challenge_method");
    Browser::new(&idp).opens(&asked).await.location().is_refusal(&idp, "invalid_request");
}

#[actix_web::test]
async fn i8_users_of_a_public_client_are_asked_for_consent_each_time() {
    let idp = Idp::start_with(|settings| client(&mut settings.clients, PUBLIC).remember_consent = true);
    let mut browser = signed_in(&idp, &[crate::helpers::DEMO]).await;
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC).without("prompt");
    for _ in 0..2 {
        let page = browser.opens(&asked).await;
        assert!(page.location.is_none() && page.body.contains("decision"), "{page:?}");
        browser.decides("allow").await.location();
    }
    let silent = browser.opens(&asked.with("prompt", "none")).await.location();
    silent.is_refusal(&idp, "consent_required");
}

#[actix_web::test]
async fn i6_the_refresh_tokens_of_a_public_client_rotate() {
    let idp = Idp::start();
    let scope = "openid offline_access";
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC).with("scope", scope);
    let mut browser = Browser::new(&idp);
    browser.opens(&asked).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    let ticked = [("decision", "allow"), ("scope", "openid"), ("scope", "offline_access")];
    let location = browser.submits(&ticked).await.location();
    let name = ("client_id", PUBLIC);
    let code = Code::of(&asked, &location);
    let tokens = idp.token_as(None, &[&code.fields()[..], &[name]].concat()).await.json();
    let refreshes = async |token: &Value| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap()), name];
        idp.token_as(None, &fields).await
    };
    let renewed = refreshes(&tokens["refresh_token"]).await.json();
    assert_ne!(renewed["refresh_token"], tokens["refresh_token"]);
    assert_eq!(refreshes(&tokens["refresh_token"]).await.error(), "invalid_grant");
    assert_eq!(refreshes(&renewed["refresh_token"]).await.error(), "invalid_grant", "reuse kills them all");
}

#[actix_web::test]
async fn i19_a_public_client_gives_its_tokens_back_and_learns_nothing_about_any() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC);
    let (code, name) = (idp.code_for(&asked).await, ("client_id", PUBLIC));
    let tokens = idp.token_as(None, &[&code.fields()[..], &[name]].concat()).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    let form = [("token", token), name];
    let asked = Answer::of(http().post(idp.at("/oauth/introspect")).form(&form)).await;
    is_unknown(&asked, "introspection");
    assert_eq!(idp.userinfo(token).await.status, 200);
    assert_eq!(Answer::of(http().post(idp.at("/oauth/revoke")).form(&form)).await.status, 200);
    assert_eq!(idp.userinfo(token).await.status, 401);
}

#[actix_web::test]
async fn i16_scripts_of_public_clients_may_read_what_they_ask_for_and_others_may_not() {
    let idp = Idp::start();
    let own = "http://127.0.0.1:5002";
    for (path, method) in [
        ("/oauth/token", "POST"),
        ("/oauth/revoke", "POST"),
        ("/oauth/userinfo", "GET"),
        ("/oauth/userinfo", "POST"),
        ("/api/me", "GET"),
        ("/api/notes", "GET"),
    ] {
        let as_method = method.parse::<reqwest::Method>().unwrap();
        // client1 and client2 live at 5003, or elsewhere; they have servers that ask for them.
        for (origin, is_open) in
            [(own, true), ("http://127.0.0.1:5004", false), ("null", false), ("*", false)]
        {
            let asks = http().request(reqwest::Method::OPTIONS, idp.at(path)).header("origin", origin);
            let asks = asks.header("access-control-request-method", method);
            let reads = http().request(as_method.clone(), idp.at(path)).header("origin", origin);
            let (asked, read) = (Answer::of(asks).await, Answer::of(reads).await);
            assert_eq!(asked.status == 204, is_open, "{path} {origin}: {asked:?}");
            for answer in [&asked, &read] {
                let opened = if is_open { origin } else { "" };
                assert_eq!(answer.header("access-control-allow-origin"), opened, "{path} {origin}");
                assert_eq!(answer.header("access-control-allow-credentials"), "");
                assert!(answer.header("vary").contains("Origin"), "{path} {origin}: {answer:?}");
            }
            let headers = asked.header("access-control-allow-headers");
            assert_eq!(headers.contains("authorization"), is_open, "{path} {origin}");
        }
    }
}
