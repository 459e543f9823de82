//! Step 10 over HTTP: a refused ID token ends the login on a page that names the check. Every single way to spoil a
//! token is in `spoiled_tokens`.

use serde_json::{Value, json};

use crate::{
    keys::{EVIL, HONEST},
    world::{World, is_signed_in},
};

async fn is_refused_by(rule: &str, spoil: impl FnOnce(&World, Value) -> String) {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let token = spoil(&world, world.claims(&login));
    world.provider.issues(&token);
    let answer = world.comes_back(&mut browser, &login).await;
    answer.is_problem(502, "id_token_refused");
    answer.names_check(rule);
    assert!(!is_signed_in(&mut browser).await);
    assert!(world.provider.calls("/userinfo").is_empty(), "no further call");
}

fn with(mut claims: Value, name: &str, value: Value) -> String {
    claims[name] = value;
    HONEST.token(&claims)
}

fn without(mut claims: Value, name: &str) -> String {
    claims.as_object_mut().unwrap().remove(name);
    HONEST.token(&claims)
}

#[actix_web::test]
async fn r2_a_wrong_nonce_is_refused() {
    is_refused_by("nonce", |_, claims| with(claims, "nonce", json!("other"))).await;
}

#[actix_web::test]
async fn r2_a_missing_nonce_is_refused() {
    is_refused_by("nonce", |_, claims| without(claims, "nonce")).await;
}

#[actix_web::test]
async fn r2_the_token_of_another_login_is_refused() {
    let world = World::start();
    let mut browser = world.browser();
    let (first, second) = (world.begins(&mut browser).await, world.begins(&mut browser).await);
    world.provider.issues(&HONEST.token(&world.claims(&first)));
    let answer = world.comes_back(&mut browser, &second).await;
    answer.is_problem(502, "id_token_refused");
    answer.names_check("nonce");
}

#[actix_web::test]
async fn r4_another_audience_is_refused() {
    is_refused_by("audience", |_, claims| with(claims, "aud", json!("client2"))).await;
}

#[actix_web::test]
async fn r4_an_extra_audience_is_refused() {
    let both = json!(["client1", "client2"]);
    is_refused_by("audience", |_, claims| with(claims, "aud", both)).await;
}

#[actix_web::test]
async fn r4_a_missing_audience_is_refused() {
    is_refused_by("audience", |_, claims| without(claims, "aud")).await;
}

#[actix_web::test]
async fn r4_a_foreign_azp_is_refused() {
    is_refused_by("authorized_party", |_, claims| with(claims, "azp", json!("client2"))).await;
}

#[actix_web::test]
async fn r5_an_expired_token_is_refused() {
    is_refused_by("expiry", |world, claims| with(claims, "exp", json!(world.now() - 60))).await;
}

#[actix_web::test]
async fn r5_an_expiry_that_is_a_text_is_refused() {
    is_refused_by("expiry", |world, claims| with(claims, "exp", json!((world.now() + 60).to_string()))).await;
}

#[actix_web::test]
async fn r5_a_token_from_the_future_is_refused() {
    is_refused_by("issued_at", |world, claims| with(claims, "iat", json!(world.now() + 61))).await;
}

#[actix_web::test]
async fn r5_clocks_may_be_a_minute_apart() {
    let world = World::start();
    let (expired, ahead) = (world.now() - 59, world.now() + 60);
    let late = world.logs_in_as(&mut world.browser(), |claims| claims["exp"] = expired.into()).await;
    assert!(late.leads_to("/"), "{late:?}");
    let early = world.logs_in_as(&mut world.browser(), |claims| claims["iat"] = ahead.into()).await;
    assert!(early.leads_to("/"), "{early:?}");
}

#[actix_web::test]
async fn r6_an_unsigned_token_is_refused() {
    is_refused_by("algorithm", |_, claims| {
        let unsigned = crate::keys::unsigned(r#"{"alg":"none"}"#, &claims.to_string());
        format!("{unsigned}.")
    })
    .await;
}

#[actix_web::test]
async fn r6_a_key_that_the_token_brings_along_is_not_looked_at() {
    is_refused_by("signature", |world, claims| {
        let jku = format!("{}/evil-jwks", world.provider.issuer);
        let header = json!({ "alg": "RS256", "kid": "honest", "jwk": EVIL.jwk(), "jku": jku });
        EVIL.sign(&header, &claims)
    })
    .await;
    // And nothing is fetched from where the token says.
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let jku = format!("{}/evil-jwks", world.provider.issuer);
    let header = json!({ "alg": "RS256", "kid": "evil", "jku": jku, "x5u": jku });
    world.provider.issues(&EVIL.sign(&header, &world.claims(&login)));
    world.comes_back(&mut browser, &login).await;
    assert!(world.provider.calls("/evil-jwks").is_empty());
}

#[actix_web::test]
async fn r7_the_hash_of_another_access_token_is_refused() {
    is_refused_by("access_token_hash", |_, claims| {
        with(claims, "at_hash", json!(shared::id_token::at_hash("another")))
    })
    .await;
}

#[actix_web::test]
async fn r7_an_unknown_algorithm_fails_closed() {
    is_refused_by("algorithm", |_, claims| {
        let header = json!({ "alg": "XS1", "kid": "honest" });
        HONEST.sign(&header, &claims)
    })
    .await;
}

#[actix_web::test]
async fn a_text_that_is_no_token_is_refused_by_name() {
    is_refused_by("token_well_formed", |_, _| "not.a.token".to_owned()).await;
}
