//! After step 10: the claims about the user.

use serde_json::json;

use crate::helpers::{Answer, AuthorizationRequest, Idp, http};

async fn access_token(idp: &Idp, scope: &str) -> String {
    let code = idp.code_for(&AuthorizationRequest::new().with("scope", scope)).await;
    idp.redeems(&code).await.json()["access_token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn the_scope_decides_which_claims_are_given() {
    let idp = Idp::start();
    for (scope, claims) in [
        ("openid", json!({ "sub": "1" })),
        ("openid profile", json!({ "sub": "1", "name": "Demo User", "preferred_username": "demo" })),
        ("openid email", json!({ "sub": "1", "email": "1@example.com", "email_verified": true })),
    ] {
        let answer = idp.userinfo(&access_token(&idp, scope).await).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
        assert_eq!(answer.json(), claims, "{scope}");
    }
}

#[actix_web::test]
async fn the_token_may_come_by_get_by_post_or_in_the_form() {
    let idp = Idp::start();
    let token = access_token(&idp, "openid").await;
    let address = idp.at("/oauth/userinfo");
    for request in [
        http().get(&address).bearer_auth(&token),
        http().post(&address).bearer_auth(&token),
        http().post(&address).form(&[("access_token", &token)]),
        http().get(&address).header("authorization", format!("bearer {token}")),
        http().get(&address).header("authorization", format!("Bearer   {token}")),
    ] {
        assert_eq!(Answer::of(request).await.json()["sub"], "1");
    }
}

#[actix_web::test]
async fn i14_a_token_in_the_address_is_refused() {
    let idp = Idp::start();
    let token = access_token(&idp, "openid").await;
    let answer = Answer::of(http().get(idp.at(&format!("/oauth/userinfo?access_token={token}")))).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"));
    let twice = http().post(idp.at("/oauth/userinfo")).bearer_auth(&token).form(&[("access_token", &token)]);
    assert_eq!(Answer::of(twice).await.error(), "invalid_request");
}

#[actix_web::test]
async fn a_missing_wrong_or_late_token_gets_401_and_a_challenge() {
    let idp = Idp::start();
    let token = access_token(&idp, "openid").await;
    let truncated = &token[..token.len() - 1];
    for value in
        ["Bearer wrong", "Bearer", "Bearer ", "Bearer a b", &format!("Bearer {truncated}"), "Basic Og=="]
    {
        let answer = Answer::of(http().get(idp.at("/oauth/userinfo")).header("authorization", value)).await;
        assert_eq!(answer.status, 401, "{value}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{value}");
    }
    let absent = Answer::of(http().get(idp.at("/oauth/userinfo"))).await;
    assert_eq!(
        (absent.status, absent.header("www-authenticate"), absent.body.as_str()),
        (401, r#"Bearer realm="userinfo endpoint""#, "")
    );
    // Neither does a form that cannot be read hold one.
    let twice =
        http().post(idp.at("/oauth/userinfo")).form(&[("access_token", &token), ("access_token", &token)]);
    let twice = Answer::of(twice).await;
    assert_eq!((twice.status, twice.header("www-authenticate")), (400, r#"Bearer error="invalid_request""#));
    idp.passes(3599);
    assert_eq!(idp.userinfo(&token).await.status, 200);
    idp.passes(1);
    let late = idp.userinfo(&token).await;
    assert_eq!(late.status, 401);
    assert!(late.header("www-authenticate").contains(r#"error="invalid_token""#));
}

#[actix_web::test]
async fn a_token_of_plain_oauth_does_not_open_userinfo() {
    let idp = Idp::start();
    let token = access_token(&idp, "api.access").await;
    let answer = idp.userinfo(&token).await;
    assert_eq!((answer.status, answer.error().as_str()), (403, "insufficient_scope"));
}

#[actix_web::test]
async fn i17_an_id_token_is_no_access_token() {
    let idp = Idp::start();
    let tokens = idp.redeems(&idp.code().await).await.json();
    let answer = idp.userinfo(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_token"));
}

#[actix_web::test]
async fn i17_hostile_tokens_are_refused_and_nothing_is_fetched() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    let idp = Idp::start();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let trap = format!("http://{}/jwks", listener.local_addr().unwrap());
    let (kid, _) = &idp.state.keys.list(idp.state.clock.now()).await[0];
    let payload =
        URL_SAFE_NO_PAD.encode(json!({ "iss": idp.issuer, "sub": "1", "aud": "client1" }).to_string());
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256", "kid": kid }),
        json!({ "alg": "RS256", "jku": trap, "kid": "x" }),
        json!({ "alg": "RS256", "jwk": { "kty": "oct", "k": "AAAA" } }),
        json!({ "alg": "RS256", "crit": ["x"], "x": 1 }),
        json!({ "alg": "RS256", "kid": "../../etc/passwd" }),
    ] {
        let token = format!("{}.{payload}.AAAA", URL_SAFE_NO_PAD.encode(header.to_string()));
        assert_eq!(idp.userinfo(&token).await.error(), "invalid_token", "{header}");
    }
    assert!(listener.accept().is_err(), "the provider fetched the key that the token named");
    let huge = http().post(idp.at("/oauth/userinfo")).form(&[("access_token", "a".repeat(256 * 1024))]);
    assert_eq!(Answer::of(huge).await.status, 413);
}
