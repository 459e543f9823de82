//! What becomes of a login when a message was changed, dropped or repeated by hand: who notices, and by which check.

use e2e::{
    learner::{LOGIN, Learner},
    pair::Pair,
    stepping::{DROP, REPEAT, TOLD},
};
use shared::flow::Pause;

/// The check that failed, as a page of a refusal names it.
const FAILED: &str = ".error .check.failed";

/// A page says that this check failed, and nobody is signed in.
async fn is_refused(learner: &Learner, check: &str) {
    learner.sees(check).await;
    assert!(learner.reads(FAILED).await.contains(check), "{check}");
    learner.opens_home().await;
    learner.is_signed_out().await;
}

#[actix_web::test]
async fn a_changed_redirect_uri_is_refused_by_the_idp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.goes_step_by_step().await;
    learner.adds_to_value("redirect_uri", "x").await;
    learner.lets_go().await;
    learner.sees("character for character").await;
    assert!(learner.address().await.as_str().starts_with(&pair.issuer));
    is_refused(&learner, "The redirect_uri is a registered one").await;
}

#[actix_web::test]
async fn a_changed_issuer_is_refused_by_the_rp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::AuthorizationResponse).await;
    learner.types_value("iss", "https://other.example").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::Callback).await;
    assert_eq!(learner.reads_value("iss").await, "https://other.example");
    learner.lets_go().await;
    is_refused(&learner, "The iss that came back is the issuer that was asked").await;
    assert_eq!(pair.token_calls(), 0);
}

#[actix_web::test]
async fn a_changed_state_is_refused_by_the_rp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Callback).await;
    learner.adds_to_value("state", "x").await;
    learner.lets_go().await;
    is_refused(&learner, "The state was made by this app").await;
    assert_eq!(pair.token_calls(), 0);
}

#[actix_web::test]
async fn a_changed_code_verifier_is_refused_by_the_idp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.adds_to_value("code_verifier", "x").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    let told = learner.reads(TOLD).await;
    for words in [
        "Changed",
        "code_verifier",
        "invalid_grant comes",
        "The hash of the code_verifier is the code_challenge",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(learner.reads_field("#f-status").await, "400");
    learner.lets_go().await;
    learner.sees("The Identity Provider refused to give tokens").await;
    learner.opens_home().await;
    learner.is_signed_out().await;
}

#[actix_web::test]
async fn a_changed_secret_is_refused_by_the_idp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    // It is typed as it is, and goes as Base64.
    assert_eq!(learner.reads_value("authorization").await, "Basic client1:client1-secret");
    learner.adds_to_value("authorization", "x").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    let told = learner.reads(TOLD).await;
    for words in ["Another error comes, or nothing", "The app has proved who it is"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[actix_web::test]
async fn what_came_of_a_request_in_another_apps_name_is_told_by_its_answer() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.types_value("authorization", "Basic client2:guess").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    let told = learner.reads(TOLD).await;
    assert!(told.contains("Another error comes, or nothing"), "{told}");
}

#[actix_web::test]
async fn raw_text_goes_as_it_was_typed() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.clicks("#held input[name='params.as'][value=raw]").await;
    let raw = learner.reads_field("#f-params-raw").await;
    // Twice the same parameter: no form of names and values could be read like this.
    learner.types("#f-params-raw", &format!("{raw}\n&code=another")).await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    assert!(learner.reads_field("#f-body").await.contains("invalid_request"));
    let told = learner.reads(TOLD).await;
    assert!(told.contains("Another error comes, or nothing") && told.contains("Changed"), "{told}");
}

#[actix_web::test]
async fn an_answer_without_an_id_token_is_refused_by_the_rp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenResponse).await;
    learner.replaces_in("#f-body", "\"id_token\"", "\"no_token\"").await;
    learner.lets_go().await;
    is_refused(&learner, "The answer contains an ID token").await;
}

#[actix_web::test]
async fn a_changed_access_token_is_noticed_by_the_id_token() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenResponse).await;
    learner.replaces_in("#f-body", "\"access_token\": \"", "\"access_token\": \"x").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::Validation).await;
    learner.lets_go().await;
    is_refused(&learner, "The at_hash fits the access token").await;
}

#[actix_web::test]
async fn a_changed_claim_is_noticed_by_the_signature() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Validation).await;
    learner.replaces_in("#f-token-payload", "\"sub\": \"1\"", "\"sub\": \"2\"").await;
    learner.lets_go().await;
    is_refused(&learner, "The signature verifies with the issuer’s key").await;
}

#[actix_web::test]
async fn without_the_claims_the_user_is_signed_in_all_the_same() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::UserinfoRequest).await;
    learner.adds_to_value("authorization", "x").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::UserinfoResponse).await;
    let told = learner.reads(TOLD).await;
    assert!(told.contains("invalid_token comes") && told.contains("The access token is valid now"), "{told}");
    learner.lets_go().await;
    learner.sees("could not be fetched from userinfo. The login itself is complete.").await;
    learner.sees_no("Demo User").await;
}

#[actix_web::test]
async fn claims_about_somebody_else_are_refused_by_the_rp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::UserinfoResponse).await;
    learner.replaces_in("#f-body", "\"sub\": \"1\"", "\"sub\": \"2\"").await;
    learner.lets_go().await;
    is_refused(&learner, "The sub of userinfo is the sub of the ID token").await;
}

#[actix_web::test]
async fn what_is_not_signed_can_be_changed_and_nobody_notices() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::UserinfoResponse).await;
    learner.replaces_in("#f-body", "Demo User", "Somebody Else").await;
    learner.lets_go().await;
    learner.is_welcomed_as("Somebody Else").await;
}

#[actix_web::test]
async fn a_page_tells_what_it_means_that_a_message_was_dropped() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    for (pause, server, meaning) in [
        (Pause::AuthorizationRequest, &pair.home, "The authorization request was never sent."),
        (Pause::LoginPage, &pair.issuer, "The IdP’s answer is lost."),
        (Pause::AuthorizationResponse, &pair.issuer, "The browser never came back to the RP."),
        (Pause::Callback, &pair.home, "The callback never reached the RP."),
    ] {
        learner.steps_to(pause).await;
        learner.clicks(DROP).await;
        learner.sees("This login has stopped here").await;
        learner.sees(meaning).await;
        assert!(learner.address().await.as_str().starts_with(server.as_str()), "{pause:?}");
        learner.reloads().await;
        learner.sees(meaning).await;
        learner.opens_home().await;
        learner.is_signed_out().await;
    }
    assert_eq!(pair.token_calls(), 0);
}

#[actix_web::test]
async fn a_token_request_that_was_dropped_has_no_answer() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.clicks(DROP).await;
    learner.sees("The Identity Provider cannot be reached").await;
    assert_eq!(pair.token_calls(), 0);
    learner.opens_its_flow().await;
    learner.chooses("m8").await;
    learner.sees("dropped").await;
    learner.opens_home().await;
    learner.finds(LOGIN).await;
}

#[actix_web::test]
async fn of_two_token_requests_the_first_answer_counts() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.sees("Only the first answer counts.").await;
    learner.clicks(REPEAT).await;
    learner.is_held_at(Pause::TokenResponse).await;
    assert_eq!(pair.token_calls(), 2);
    let told = learner.reads(TOLD).await;
    for words in ["sent twice", "Tokens come", "The second answer (not used)", "400 invalid_grant"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(learner.reads_field("#f-status").await, "200");
}

#[actix_web::test]
async fn of_two_callbacks_the_first_counts() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Callback).await;
    learner.clicks(REPEAT).await;
    learner.is_held_at(Pause::TokenRequest).await;
    let told = learner.reads(TOLD).await;
    for words in ["sent twice", "The state has not been used before", "Only the first counts."] {
        assert!(told.contains(words), "{words}: {told}");
    }
    learner.steps_on(Pause::TokenRequest, Pause::UserinfoResponse).await;
    learner.lets_go().await;
    learner.is_welcomed().await;
    assert_eq!(pair.token_calls(), 1);
}
