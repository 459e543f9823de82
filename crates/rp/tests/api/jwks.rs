//! The provider's keys: fetched when a new one is met, and not more often.

use futures_util::future::join_all;
use serde_json::json;

use crate::{
    browser::{Answer, Browser},
    keys::{HONEST, NEXT, TestKey, key_set},
    provider::Canned,
    world::World,
};

async fn logs_in_with(world: &World, browser: &mut Browser, key: &TestKey) -> Answer {
    let login = world.begins(browser).await;
    world.provider.issues(&key.token(&world.claims(&login)));
    world.comes_back(browser, &login).await
}

fn fetched(world: &World) -> usize {
    world.provider.calls("/jwks").len()
}

#[actix_web::test]
async fn r8_keys_are_fetched_once_for_many_logins() {
    let world = World::start();
    for _ in 0..3 {
        world.logs_in(&mut world.browser()).await;
        world.passes(60);
    }
    assert_eq!(fetched(&world), 1);
}

#[actix_web::test]
async fn r8_a_new_key_is_fetched_when_it_is_met() {
    let world = World::start();
    world.logs_in(&mut world.browser()).await;
    world.provider.answers("/jwks", Canned::Json(200, key_set(&[&NEXT])));
    world.passes(5);
    let answer = logs_in_with(&world, &mut world.browser(), &NEXT).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    assert_eq!(fetched(&world), 2);
}

#[actix_web::test]
async fn r8_made_up_key_names_cause_one_fetch_in_five_seconds() {
    let world = World::start();
    for _ in 0..4 {
        let answer = logs_in_with(&world, &mut world.browser(), &NEXT).await;
        answer.is_problem(502, "id_token_refused");
        answer.names_check("signature");
    }
    assert_eq!(fetched(&world), 1);
    world.passes(4);
    logs_in_with(&world, &mut world.browser(), &NEXT).await;
    assert_eq!(fetched(&world), 1);
    world.passes(1);
    logs_in_with(&world, &mut world.browser(), &NEXT).await;
    assert_eq!(fetched(&world), 2);
}

#[actix_web::test]
async fn r8_many_who_wait_for_the_keys_cause_one_fetch() {
    let world = World::start();
    let mut browsers: Vec<_> = (0..10).map(|_| world.browser()).collect();
    let mut logins = Vec::new();
    for browser in &mut browsers {
        logins.push(world.begins(browser).await);
    }
    // The nonce fits one of them only; all ten need the keys.
    world.provider.issues(&HONEST.token(&world.claims(&logins[0])));
    let answers =
        join_all(browsers.iter_mut().zip(&logins).map(|(browser, login)| world.comes_back(browser, login)))
            .await;
    assert!(answers[0].leads_to("/"), "{:?}", answers[0]);
    assert_eq!(fetched(&world), 1);
}

#[actix_web::test]
async fn r8_the_last_good_keys_stay_when_new_ones_cannot_be_had() {
    let too_many = json!({ "keys": [], "padding": "x".repeat(64 * 1024) });
    let failures = [
        Canned::Json(500, json!({})),
        Canned::Json(200, json!({ "keys": 7 })),
        Canned::Raw(200, "text/html", b"<html>".to_vec()),
        Canned::Json(200, too_many),
    ];
    for failure in failures {
        let world = World::start();
        world.logs_in(&mut world.browser()).await;
        world.provider.answers("/jwks", failure);
        world.passes(5);
        let answer = logs_in_with(&world, &mut world.browser(), &NEXT).await;
        answer.is_problem(502, "id_token_refused");
        assert_eq!(fetched(&world), 2);
        world.logs_in(&mut world.browser()).await;
    }
}

#[actix_web::test]
async fn r8_without_any_keys_nobody_is_signed_in() {
    let world = World::start();
    world.provider.answers("/jwks", Canned::Json(503, json!({})));
    let answer = logs_in_with(&world, &mut world.browser(), &HONEST).await;
    answer.is_problem(502, "idp_unreachable");
    let answer = logs_in_with(&world, &mut world.browser(), &HONEST).await;
    answer.is_problem(502, "idp_unreachable");
    assert_eq!(fetched(&world), 1);
}

#[actix_web::test]
async fn r8_a_set_of_more_than_64_kib_is_not_read() {
    let world = World::start();
    let mut set = key_set(&[&HONEST]);
    set["padding"] = "x".repeat(64 * 1024).into();
    world.provider.answers("/jwks", Canned::Json(200, set));
    let answer = logs_in_with(&world, &mut world.browser(), &HONEST).await;
    answer.is_problem(502, "discovery_invalid");
}

#[actix_web::test]
async fn keys_of_other_kinds_beside_the_right_one_do_no_harm() {
    let world = World::start();
    let mut set = key_set(&[&HONEST, &NEXT]);
    let strangers = [
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "honest", "x": "AA", "y": "AA" }),
        json!({ "kty": "FUTURE", "kid": "honest" }),
        json!({ "kty": "RSA", "use": "enc", "kid": "honest", "n": "sXch", "e": "AQAB" }),
    ];
    set["keys"].as_array_mut().unwrap().extend(strangers);
    world.provider.answers("/jwks", Canned::Json(200, set));
    world.logs_in(&mut world.browser()).await;
}

#[actix_web::test]
async fn r8_a_withdrawn_key_is_believed_for_ten_minutes_at_most() {
    let world = World::start();
    world.logs_in(&mut world.browser()).await;
    world.provider.answers("/jwks", Canned::Json(200, key_set(&[&NEXT])));
    world.passes(599);
    assert!(logs_in_with(&world, &mut world.browser(), &HONEST).await.leads_to("/"));
    world.passes(1);
    let answer = logs_in_with(&world, &mut world.browser(), &HONEST).await;
    answer.is_problem(502, "id_token_refused");
    answer.names_check("signature");
}
