//! Providers of every kind: what differs between them is a setting.

use rp::algorithm::Algorithm;
use serde_json::{Value, json};
use shared::id_token::{Hash, at_hash_by};

use crate::{
    browser::{Answer, Browser},
    keys::{CLIENT_SECRET, HONEST, key_set, keys_for, sign_hs256},
    provider::{ACCESS_TOKEN, Canned, FakeProvider},
    world::{Login, World, is_signed_in},
};

/// An RP for one algorithm. The provider publishes keys for all of them, under one name, among others.
fn world_for(algorithm: Algorithm) -> World {
    let alg = algorithm.as_str();
    let world = World::start_with(&["--id-token-signed-response-alg", alg, "--client-secret", CLIENT_SECRET]);
    let strangers = [
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "honest", "use": "sig", "x": "AA", "y": "AA" }),
        json!({ "kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "kid": "honest", "n": "sXch", "e": "AQAB" }),
        json!({ "kty": "EC", "use": "enc", "crv": "P-256", "kid": "honest", "x": "AA", "y": "AA" }),
        json!({ "kty": "oct", "kid": "honest", "k": "AA" }),
        json!({ "kty": "FUTURE", "kid": "honest" }),
    ];
    let public = Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::Hs256);
    let mut set = key_set(&public.map(|algorithm| &keys_for(algorithm).honest).collect::<Vec<_>>());
    set["keys"].as_array_mut().unwrap().extend(strangers);
    world.provider.answers("/jwks", Canned::Json(200, set));
    world
}

fn claims(world: &World, login: &Login, hash: Hash) -> Value {
    let mut claims = world.claims(login);
    claims["at_hash"] = at_hash_by(ACCESS_TOKEN, hash).into();
    claims
}

/// A login whose token `sign` makes of the claims of a good one.
async fn logs_in_with(
    world: &World,
    browser: &mut Browser,
    hash: Hash,
    sign: impl FnOnce(&Value) -> String,
) -> Answer {
    let login = world.begins(browser).await;
    world.provider.issues(&sign(&claims(world, &login, hash)));
    world.comes_back(browser, &login).await
}

async fn is_refused_by(rule: &str, answer: &Answer, browser: &mut Browser) {
    answer.is_problem(502, "id_token_refused");
    answer.names_check(rule);
    assert!(!is_signed_in(browser).await);
}

#[actix_web::test]
async fn r6_a_login_works_with_the_agreed_algorithm_and_with_no_other() {
    for agreed in Algorithm::ALL {
        let world = world_for(agreed);
        for signed in Algorithm::ALL {
            let mut browser = world.browser();
            let sign = |claims: &Value| keys_for(signed).honest.token(claims);
            let answer = logs_in_with(&world, &mut browser, signed.hash(), sign).await;
            if signed == agreed {
                assert!(answer.leads_to("/"), "{agreed:?}: {answer:?}");
                assert!(is_signed_in(&mut browser).await);
            } else {
                is_refused_by("algorithm", &answer, &mut browser).await;
            }
        }
        assert_eq!(world.provider.calls("/userinfo").len(), 1, "{agreed:?}: no further call for the others");
    }
}

#[actix_web::test]
async fn r6_with_each_algorithm_somebody_elses_signature_is_refused() {
    for algorithm in Algorithm::ALL {
        let world = world_for(algorithm);
        let mut browser = world.browser();
        let sign = |claims: &Value| keys_for(algorithm).evil.token(claims);
        let answer = logs_in_with(&world, &mut browser, algorithm.hash(), sign).await;
        is_refused_by("signature", &answer, &mut browser).await;
    }
}

#[actix_web::test]
async fn r7_with_each_algorithm_a_hash_of_another_kind_is_refused() {
    for algorithm in Algorithm::ALL {
        let world = world_for(algorithm);
        let mut browser = world.browser();
        let other = if algorithm.hash() == Hash::Sha256 { Hash::Sha512 } else { Hash::Sha256 };
        let sign = |claims: &Value| keys_for(algorithm).honest.token(claims);
        let answer = logs_in_with(&world, &mut browser, other, sign).await;
        is_refused_by("access_token_hash", &answer, &mut browser).await;
    }
}

#[actix_web::test]
async fn r6_a_public_key_is_never_the_key_of_hs256() {
    for agreed in [Algorithm::Rs256, Algorithm::Hs256] {
        let world = world_for(agreed);
        let mut browser = world.browser();
        let header = json!({ "typ": "JWT", "alg": "HS256", "kid": "honest" });
        let sign = |claims: &Value| sign_hs256(HONEST.public_bytes(), &header, claims);
        let answer = logs_in_with(&world, &mut browser, Hash::Sha256, sign).await;
        let rule = if agreed == Algorithm::Hs256 { "signature" } else { "algorithm" };
        is_refused_by(rule, &answer, &mut browser).await;
    }
}

#[actix_web::test]
async fn with_hs256_no_public_keys_are_fetched() {
    let world = world_for(Algorithm::Hs256);
    let mut browser = world.browser();
    let sign = |claims: &Value| keys_for(Algorithm::Hs256).next.token(claims);
    let answer = logs_in_with(&world, &mut browser, Hash::Sha256, sign).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    assert!(world.provider.calls("/jwks").is_empty());
    assert!(browser.opens("/").await.says("shown.made_with_secret"));
}

/// The library would panic at them.
#[actix_web::test]
async fn r6_an_hmac_of_any_other_length_is_refused() {
    let world = world_for(Algorithm::Hs256);
    for length in [0, 4, 40, 86] {
        let mut browser = world.browser();
        let sign = |claims: &Value| {
            let token = keys_for(Algorithm::Hs256).honest.token(claims);
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let long = format!("{}{}", &signature[..40], "A".repeat(46));
            format!("{signed}.{}", &long[..length])
        };
        let answer = logs_in_with(&world, &mut browser, Hash::Sha256, sign).await;
        is_refused_by("signature", &answer, &mut browser).await;
    }
}

#[actix_web::test]
async fn an_issuer_may_have_a_path_or_end_with_a_slash() {
    for path in ["/", "/tenant", "/tenant/", "/a/b%20c/"] {
        let provider = FakeProvider::start_below(path);
        let issuer = provider.issuer.clone();
        let world = World::start_at(provider, &issuer, &[]);
        let mut browser = world.browser();
        world.logs_in(&mut browser).await;
        let home = browser.opens("/").await;
        assert!(home.text.contains(&format!("<code>{issuer}</code>")), "{path}: {}", home.text);
        assert!(home.text.contains("1@example.com"), "{path}: the claims of userinfo");
        assert_eq!(world.provider.calls("/.well-known/openid-configuration").len(), 1, "{path}");
    }
}

#[actix_web::test]
async fn r3_of_an_issuer_with_a_path_every_character_counts() {
    for (path, pretended) in [("/tenant", "/tenant/"), ("/tenant/", "/tenant"), ("/tenant", "/other")] {
        let provider = FakeProvider::start_below(path);
        let issuer = provider.issuer.clone();
        let other = issuer.replace(path, pretended);
        let world = World::start_at(provider, &issuer, &[]);
        let mut browser = world.browser();
        let answer = world.logs_in_as(&mut browser, |claims| claims["iss"] = other.clone().into()).await;
        is_refused_by("issuer_claim", &answer, &mut browser).await;
        let login = world.begins(&mut browser).await;
        let params = [("code", "c"), ("state", &*login.state), ("iss", &*other)];
        world.returns(&mut browser, &params).await.is_problem(400, "issuer_mismatch");
    }
}

#[actix_web::test]
async fn a_token_without_kid_is_good_when_one_key_fits_and_refused_when_several_do() {
    let unnamed = |claims: &Value| HONEST.sign(&json!({ "alg": "RS256" }), claims);
    let world = world_for(Algorithm::Rs256);
    let answer = logs_in_with(&world, &mut world.browser(), Hash::Sha256, unnamed).await;
    assert!(answer.leads_to("/"), "{answer:?}");

    // OpenID Connect Core §10.1: with several keys the header must name one.
    let world = World::start();
    world.provider.publishes(&[&HONEST, &keys_for(Algorithm::Rs256).next]);
    let mut browser = world.browser();
    let answer = logs_in_with(&world, &mut browser, Hash::Sha256, unnamed).await;
    is_refused_by("library_verifier", &answer, &mut browser).await;
}
