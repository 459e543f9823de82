//! Signed assertions (OpenID Connect Core §9, RFC 7523 §3): what stands in one, who signed it, and that it works once.

use idp::{domain::client::Client, keys::KeyAlg};
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};
use shared::clock::Clock as _;

use super::{
    Key, PRIVATE_KEY, SECRET, TYPE, claims, is_known, is_unknown,
    keys::{Keyed, Published},
    signed_with_secret,
};
use crate::helpers::{AuthorizationRequest, base64_url};

#[actix_web::test]
async fn a_client_signs_with_a_key_of_its_own_in_any_of_the_announced_ways() {
    for alg in KeyAlg::ALL {
        let keyed = Keyed::start(alg);
        is_known(&keyed.shows(&keyed.key.signs(&keyed.claims())).await);
    }
}

#[actix_web::test]
async fn a_login_ends_with_an_assertion_in_the_place_of_a_secret() {
    let keyed = Keyed::start(KeyAlg::Es256);
    let asked = AuthorizationRequest::new().with("client_id", PRIVATE_KEY);
    let code = keyed.idp.code_for(&asked).await;
    let assertion = keyed.key.signs(&keyed.claims());
    let shown = [("client_assertion", assertion.as_str()), ("client_assertion_type", TYPE)];
    let answer = keyed.idp.token_as(None, &[&code.fields()[..], &shown].concat()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(crate::exchange::payload(&answer.json())["aud"], PRIVATE_KEY);
}

#[actix_web::test]
async fn an_assertion_is_meant_for_the_issuer_or_for_the_endpoint() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let (issuer, endpoint) = (keyed.idp.issuer.clone(), keyed.idp.at("/oauth/token"));
    for aud in [json!(issuer), json!(endpoint), json!([issuer]), json!(["https://other.example", endpoint])] {
        let mut claims = keyed.claims();
        claims["aud"] = aud.clone();
        let answer = keyed.shows(&keyed.key.signs(&claims)).await;
        assert_eq!(answer.error(), "invalid_grant", "{aud}");
    }
    for aud in [json!("https://other.example"), json!(format!("{issuer}/")), json!([]), json!(null), json!(1)]
    {
        let mut claims = keyed.claims();
        claims["aud"] = aud.clone();
        is_unknown(&keyed.shows(&keyed.key.signs(&claims)).await, &aud.to_string());
    }
}

#[actix_web::test]
async fn an_assertion_works_once() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let assertion = keyed.key.signs(&keyed.claims());
    is_known(&keyed.shows(&assertion).await);
    is_unknown(&keyed.shows(&assertion).await, "the same again");
    // As long as it lives, and to the last second of the tolerance.
    keyed.idp.passes(119);
    is_unknown(&keyed.shows(&assertion).await, "much later");
    let answers = keyed.key.signs(&keyed.claims());
    let answers = futures_util::future::join_all((0..50).map(|_| keyed.shows(&answers))).await;
    assert_eq!(answers.iter().filter(|answer| answer.error() == "invalid_grant").count(), 1);
}

#[actix_web::test]
async fn two_clients_may_use_one_jti() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let mut own = keyed.claims();
    own["jti"] = "1".into();
    let mut others = claims(&keyed.idp, SECRET.0);
    others["jti"] = "1".into();
    is_known(&keyed.shows(&keyed.key.signs(&own)).await);
    is_known(&keyed.shows(&signed_with_secret(SECRET.1, &others)).await);
}

#[actix_web::test]
async fn an_assertion_with_a_claim_that_is_missing_or_wrong_is_refused() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let now = keyed.idp.clock.now().as_unix();
    for (claim, values) in [
        ("iss", vec![json!(null), json!("client2"), json!(keyed.idp.issuer)]),
        ("sub", vec![json!(null), json!("client1"), json!("nobody")]),
        ("exp", vec![json!(null), json!((now + 60).to_string()), json!(now - 60), json!(now + 3661)]),
        ("nbf", vec![json!(now + 61), json!("x")]),
        ("iat", vec![json!(now + 61), json!("x")]),
        ("jti", vec![json!(null), json!(1)]),
    ] {
        for value in values {
            let mut claims = keyed.claims();
            claims[claim] = value.clone();
            is_unknown(&keyed.shows(&keyed.key.signs(&claims)).await, &format!("{claim} {value}"));
        }
    }
    for (claim, value) in [("exp", now - 59), ("exp", now + 3660), ("nbf", now + 60), ("iat", now + 60)] {
        let mut claims = keyed.claims();
        claims[claim] = value.into();
        is_known(&keyed.shows(&keyed.key.signs(&claims)).await);
    }
}

#[actix_web::test]
async fn the_times_of_an_assertion_may_have_a_fraction() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    for value in ["{now}.5", "{now}.999999", "{now}.0e0"] {
        let mut claims = keyed.claims();
        let seconds = keyed.idp.clock.now().as_unix().to_string();
        let value: Value = serde_json::from_str(&value.replace("{now}", &seconds)).unwrap();
        (claims["iat"], claims["nbf"], claims["exp"]) = (value.clone(), value.clone(), value.clone());
        is_known(&keyed.shows(&keyed.key.signs(&claims)).await);
    }
}

#[actix_web::test]
async fn an_assertion_that_lives_for_an_hour_by_a_clock_that_is_ahead_works_once() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let mut claims = keyed.claims();
    let now = keyed.idp.clock.now().as_unix() + 60;
    (claims["iat"], claims["exp"]) = (now.into(), (now + 3600).into());
    let assertion = keyed.key.signs(&claims);
    is_known(&keyed.shows(&assertion).await);
    // To the last second in which it would be good.
    keyed.idp.passes(3719);
    is_unknown(&keyed.shows(&assertion).await, "the same again");
}

#[actix_web::test]
async fn i17_an_assertion_does_not_choose_its_key_or_its_algorithm() {
    let keyed = Keyed::start(KeyAlg::Es256);
    let (key, own) = (&keyed.key, Key::new(KeyAlg::Es256));
    let encoded = |value: &Value| base64_url(&value.to_string());
    // `none`, in each spelling.
    for alg in ["none", "None", "nOnE", ""] {
        let header = encoded(&json!({ "alg": alg, "typ": "JWT", "kid": key.kid() }));
        let token = format!("{header}.{}.", encoded(&keyed.claims()));
        is_unknown(&keyed.shows(&token).await, alg);
    }
    // HS256 with the public key, as it is published and as PEM.
    for secret in [key.public.to_string(), key.public["x"].as_str().unwrap().to_owned()] {
        is_unknown(&keyed.shows(&signed_with_secret(&secret, &keyed.claims())).await, "HS256");
    }
    // A key that it brings along, or names.
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(own.public.clone()).unwrap();
    let header = Header { jwk: Some(jwk), ..own.header() };
    let token = jsonwebtoken::encode(&header, &keyed.claims(), &own.encoding()).unwrap();
    is_unknown(&keyed.shows(&token).await, "jwk");
    let elsewhere = Published::default();
    elsewhere.set(&[&own]);
    let header = Header { jku: Some(elsewhere.serve()), ..own.header() };
    let token = jsonwebtoken::encode(&header, &keyed.claims(), &own.encoding()).unwrap();
    is_unknown(&keyed.shows(&token).await, "jku");
    assert_eq!(elsewhere.asked(), 0, "nothing is fetched that a token names");
    // The name of a right key, another hand; a path for a name.
    for kid in [key.kid(), "../../etc/passwd"] {
        let header = Header { kid: Some(kid.to_owned()), ..own.header() };
        let token = jsonwebtoken::encode(&header, &keyed.claims(), &own.encoding()).unwrap();
        is_unknown(&keyed.shows(&token).await, kid);
    }
    // Something critical that nobody here knows, and another kind of token.
    for header in [
        Header { crit: Some(vec!["exp".into()]), ..key.header() },
        Header { typ: Some("at+jwt".into()), ..key.header() },
        Header { typ: Some("logout+jwt".into()), ..key.header() },
    ] {
        let token = jsonwebtoken::encode(&header, &keyed.claims(), &key.encoding()).unwrap();
        is_unknown(&keyed.shows(&token).await, &format!("{header:?}"));
    }
    // No JWT at all, and more than a header should be.
    for token in ["", "x", "..", "a.b.c", &format!("{}.e30.x", base64_url(&"a".repeat(40_000)))] {
        let answer = keyed.shows(token).await;
        assert!([400, 401].contains(&answer.status), "{token}: {answer:?}");
    }
    is_known(&keyed.shows(&key.signs(&keyed.claims())).await);
}

#[actix_web::test]
async fn a_registered_algorithm_is_the_only_one() {
    let pinned = |alg| move |client: &mut Client| client.auth_signing_alg = Some(alg);
    let keyed = Keyed::start_with(KeyAlg::Es256, pinned(Algorithm::ES256));
    is_known(&keyed.shows(&keyed.key.signs(&keyed.claims())).await);
    let keyed = Keyed::start_with(KeyAlg::Es256, pinned(Algorithm::RS256));
    is_unknown(&keyed.shows(&keyed.key.signs(&keyed.claims())).await, "another one");
}

#[actix_web::test]
async fn i12_an_assertion_beside_a_secret_or_another_name_is_refused() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let token = keyed.key.signs(&keyed.claims());
    let shown =
        [("grant_type", "refresh_token"), ("client_assertion", &token), ("client_assertion_type", TYPE)];
    for more in [("client_id", "client1"), ("client_secret", "client1-secret")] {
        let answer = keyed.idp.token_as(None, &[&shown[..], &[more]].concat()).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{more:?}");
    }
    let both = keyed.idp.token_as(Some(("client1", "client1-secret")), &shown).await;
    assert_eq!(both.error(), "invalid_request");
    for half in [&shown[..2], &[shown[0], shown[2]], &[shown[0], shown[1], ("client_assertion_type", "x")]] {
        assert_eq!(keyed.idp.token_as(None, half).await.error(), "invalid_request", "{half:?}");
    }
}
