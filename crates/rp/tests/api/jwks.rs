//! The provider's keys: fetched when a new one is met, and not more often.

use futures_util::future::join_all;
use serde_json::{Value, json};
use web::{catalogue::Catalogue, lang::Lang};

use crate::{
    browser::{Answer, Browser},
    keys::{EVIL, HONEST, NEXT, TestKey, key_set},
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
    world.provider.publishes(&[&NEXT]);
    world.passes(5);
    let answer = logs_in_with(&world, &mut world.browser(), &NEXT).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    assert_eq!(fetched(&world), 2);
}

/// The provider starts again with other keys, and the first of its tokens has this header. How often the verdict on a
/// signature stands on the home page comes back.
async fn logs_in_after_a_restart_with(key: &TestKey, header: &Value) -> usize {
    let world = World::start();
    world.logs_in(&mut world.browser()).await;
    world.provider.publishes(&[key]);
    world.passes(5);
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    world.provider.issues(&key.sign(header, &world.claims(&login)));
    let answer = world.comes_back(&mut browser, &login).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    assert_eq!(fetched(&world), 2);
    let name = Catalogue::load(Lang::En).unwrap().plain("check.signature.name", |_| None).unwrap();
    browser.opens("/").await.text.matches(&name).count()
}

#[actix_web::test]
async fn r8_a_new_key_with_the_name_of_an_old_one_is_fetched_when_it_is_met() {
    assert_eq!(logs_in_after_a_restart_with(&EVIL, &HONEST.header()).await, 1, "judged once");
}

#[actix_web::test]
async fn r8_a_new_key_is_fetched_for_a_token_that_names_none() {
    let header = json!({ "typ": "JWT", "alg": "RS256" });
    assert_eq!(logs_in_after_a_restart_with(&NEXT, &header).await, 1, "judged once");
}

#[actix_web::test]
async fn r8_wrong_signatures_cause_one_fetch_in_five_seconds() {
    let world = World::start();
    world.logs_in(&mut world.browser()).await;
    for (seconds, fetches) in [(4, 1), (1, 2), (4, 2), (1, 3)] {
        world.passes(seconds);
        for _ in 0..2 {
            let answer = logs_in_with(&world, &mut world.browser(), &EVIL).await;
            answer.is_problem(502, "id_token_refused");
            answer.names_check("signature");
        }
        assert_eq!(fetched(&world), fetches);
    }
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
async fn r8_many_who_meet_a_new_key_at_once_cause_one_fetch() {
    let world = World::start();
    world.logs_in(&mut world.browser()).await;
    world.provider.publishes(&[&NEXT]);
    world.passes(5);
    let mut browsers: Vec<_> = (0..10).map(|_| world.browser()).collect();
    let mut logins = Vec::new();
    for browser in &mut browsers {
        logins.push(world.begins(browser).await);
    }
    world.provider.issues(&NEXT.token(&world.claims(&logins[0])));
    let answers =
        join_all(browsers.iter_mut().zip(&logins).map(|(browser, login)| world.comes_back(browser, login)))
            .await;
    assert!(answers[0].leads_to("/"), "{:?}", answers[0]);
    for answer in &answers[1..] {
        answer.names_check("nonce");
    }
    assert_eq!(fetched(&world), 2);
}

#[actix_web::test]
async fn r8_a_key_that_changes_between_the_click_and_the_token_is_found() {
    let world = World::start();
    world.logs_in(&mut world.browser()).await;
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    world.passes(30);
    world.provider.publishes(&[&HONEST, &NEXT]);
    world.provider.issues(&NEXT.token(&world.claims(&login)));
    let answer = world.comes_back(&mut browser, &login).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    assert_eq!(fetched(&world), 2);
    // Both keys are known now: whoever comes with the old one causes no fetch.
    world.logs_in(&mut world.browser()).await;
    assert_eq!(fetched(&world), 2);
}

/// The provider publishes `key` at `path` from now on, and nothing at the address before.
fn moves_to(world: &World, path: &str, key: &TestKey) {
    world.provider.answers("/jwks", Canned::Json(404, json!({})));
    world.provider.answers(path, Canned::Json(200, key_set(&[key])));
    let uri = format!("{}{path}", world.provider.issuer);
    world.provider.describes_itself(|document| document["jwks_uri"] = uri.into());
}

#[actix_web::test]
async fn r8_keys_that_have_moved_are_fetched_from_their_new_address() {
    let world = World::start();
    world.logs_in(&mut world.browser()).await;
    world.passes(5);
    moves_to(&world, "/moved", &NEXT);
    // Whose name is known from the old address is not believed either.
    let answer = logs_in_with(&world, &mut world.browser(), &HONEST).await;
    answer.names_check("signature");
    assert!(logs_in_with(&world, &mut world.browser(), &NEXT).await.leads_to("/"));
    assert_eq!((fetched(&world), world.provider.calls("/moved").len()), (1, 1));
}

#[actix_web::test]
async fn r8_keys_that_move_between_the_click_and_the_token_are_found() {
    let world = World::start();
    world.logs_in(&mut world.browser()).await;
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    world.passes(30);
    moves_to(&world, "/moved", &NEXT);
    world.provider.issues(&NEXT.token(&world.claims(&login)));
    let answer = world.comes_back(&mut browser, &login).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    assert_eq!((fetched(&world), world.provider.calls("/moved").len()), (1, 1));
}

#[actix_web::test]
async fn r8_without_discovery_the_keys_are_looked_for_where_they_were() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    world.passes(30);
    world.provider.answers("/.well-known/openid-configuration", Canned::Json(503, json!({})));
    world.provider.issues(&HONEST.token(&world.claims(&login)));
    assert!(world.comes_back(&mut browser, &login).await.leads_to("/"));
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
    const MOST: usize = 64 * 1024;
    for (size, is_read) in [(MOST, true), (MOST + 1, false)] {
        let world = World::start();
        let mut set = key_set(&[&HONEST]).to_string();
        set.push_str(&" ".repeat(size - set.len()));
        world.provider.answers("/jwks", Canned::Raw(200, "application/json", set.into_bytes()));
        let answer = logs_in_with(&world, &mut world.browser(), &HONEST).await;
        if is_read {
            assert!(answer.leads_to("/"), "{answer:?}");
        } else {
            answer.is_problem(502, "discovery_invalid");
            // Who comes a moment later is told the same.
            let answer = logs_in_with(&world, &mut world.browser(), &HONEST).await;
            answer.is_problem(502, "discovery_invalid");
            assert_eq!(fetched(&world), 1);
        }
    }
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
    world.provider.publishes(&[&NEXT]);
    world.passes(599);
    assert!(logs_in_with(&world, &mut world.browser(), &HONEST).await.leads_to("/"));
    world.passes(1);
    let answer = logs_in_with(&world, &mut world.browser(), &HONEST).await;
    answer.is_problem(502, "id_token_refused");
    answer.names_check("signature");
}
