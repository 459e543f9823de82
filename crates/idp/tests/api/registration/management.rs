//! A client looks at its registration and deletes it (RFC 7592), or is forgotten.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use super::{asked_by, client_with, managed, request_of, text, tokens};
use crate::{
    helpers::{Answer, Browser, Idp, http},
    revocation::StuckTokens,
};

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
