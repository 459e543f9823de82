//! ID tokens as an attacker would make them, and the check that finds each out.

use e2e::{learner::Learner, pair::Pair};
use shared::flow::Pause;

/// What somebody chooses in the editor, and which check finds out.
async fn is_found_out(sign: &str, embeds: &[&str], check: &str, changed: &[(&str, &str)]) {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Validation).await;
    learner.scrolls_and_clicks(&format!("label:has(input[name=sign][value={sign}])")).await;
    for what in embeds {
        learner.scrolls_and_clicks(&format!("input[name=embed][value={what}]")).await;
    }
    learner.lets_go().await;
    learner.sees(check).await;
    assert!(learner.reads(".error .check.failed").await.contains(check));
    learner.opens_its_flow().await;
    let changes = learner.reads_changes("m10").await;
    for (name, after) in changed {
        let found = changes.iter().find(|change| change[0] == format!("header {name}"));
        assert!(found.is_some_and(|change| change[2].contains(after)), "{name} {after}: {changes:?}");
    }
    learner.opens_home().await;
    learner.is_signed_out().await;
}

#[actix_web::test]
async fn a_token_without_a_signature_is_found_out_by_its_algorithm() {
    let check = "The signature algorithm (alg) is the one fixed for this issuer";
    is_found_out("none", &[], check, &[("alg", "none")]).await;
}

#[actix_web::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_found_out_by_its_algorithm() {
    let check = "The signature algorithm (alg) is the one fixed for this issuer";
    is_found_out("public_key", &[], check, &[("alg", "HS256")]).await;
}

#[actix_web::test]
async fn a_token_signed_with_a_new_key_is_found_out_by_its_signature() {
    is_found_out("fresh", &[], "The signature verifies with the issuer’s key", &[]).await;
}

#[actix_web::test]
async fn the_key_that_a_token_brings_along_is_not_believed() {
    let brought = [("jwk", "RSA"), ("jku", "https://attacker.example/jwks.json"), ("kid", "")];
    is_found_out("fresh", &["jwk", "jku", "kid"], "The signature verifies with the issuer’s key", &brought)
        .await;
}

#[actix_web::test]
async fn a_token_may_be_pasted_with_quotes_and_line_breaks() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Validation).await;
    learner.clicks("#token-raw").await;
    let token = learner.reads_field("#f-token-raw").await;
    let (first, second) = token.split_at(token.len() / 2);
    learner.types("#f-token-raw", &format!("  \"{first}\n  {second}\",\n")).await;
    learner.lets_go().await;
    learner.is_held_at(Pause::UserinfoRequest).await;
    learner.sees("It passes every check").await;
    learner.sees_no("Changed").await;
}

#[actix_web::test]
async fn what_was_pasted_and_is_no_token_is_found_out_as_such() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Validation).await;
    learner.clicks("#token-raw").await;
    learner.types("#f-token-raw", "eyJhbGciOiJub25lIn0").await;
    learner.lets_go().await;
    learner.sees("The ID token is a well-formed JWT").await;
    learner.opens_home().await;
    learner.is_signed_out().await;
}

#[actix_web::test]
async fn what_is_no_json_is_shown_again_with_what_is_wrong() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Validation).await;
    learner.types("#f-token-payload", "{ \"sub\": ").await;
    learner.clicks("label:has(input[value=token_accepted])").await;
    learner.lets_go().await;
    learner.finds("#mistake[role=alert]").await;
    learner.sees("The payload is no JSON object.").await;
    assert_eq!(learner.reads_field("#f-token-payload").await.trim(), "{ \"sub\":");
    assert_eq!(learner.counts("#f-token-payload[aria-invalid=true]").await, 1);
    assert_eq!(learner.counts("input[value=token_accepted]:checked").await, 1);
    learner.follows("Reset").await;
    learner.finds("#held:not(:has(#mistake))").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::UserinfoRequest).await;
}
