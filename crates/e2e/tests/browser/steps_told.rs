//! What came of a message: beside what was predicted on the next page, and in the flow viewer.

use e2e::{
    learner::Learner,
    pair::Pair,
    stepping::{REPEAT, TOLD},
};
use shared::flow::Pause;

/// The next page tells all of this about the message that was let go last.
async fn is_told(learner: &Learner, words: &[&str]) {
    let told = learner.reads(TOLD).await;
    for word in words {
        assert!(told.contains(word), "{word}: {told}");
    }
}

#[actix_web::test]
async fn a_right_prediction_is_shown_beside_what_happened() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.sees("What will come of it?").await;
    assert_eq!(learner.counts("input[name=guess]").await, 3);
    learner.clicks("label:has(input[value=tokens_come])").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    let words = ["Predicted", "Tokens come", "What happened", "as predicted", "All checks passed:"];
    is_told(&learner, &words).await;
    learner.switches_to("ja").await;
    is_told(&learner, &["トークンが返る", "予想どおり", "個の検査すべてに合格"]).await;
}

#[actix_web::test]
async fn a_wrong_prediction_is_shown_beside_what_happened() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.clicks("label:has(input[value=tokens_come])").await;
    learner.adds_to_value("code_verifier", "x").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    let words = [
        "Tokens come",
        "invalid_grant comes",
        "not as predicted",
        "The check that decided",
        "code_verifier is the code_challenge",
    ];
    is_told(&learner, &words).await;
    learner.switches_to("ja").await;
    is_told(&learner, &["invalid_grant", "予想と違いました", "決めた検査"]).await;
}

#[actix_web::test]
async fn what_came_of_the_authorization_request_is_told_when_the_browser_is_back() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.goes_step_by_step().await;
    learner.clicks("label:has(input[value=idp_goes_on])").await;
    learner.steps_on(Pause::AuthorizationRequest, Pause::Callback).await;
    is_told(&learner, &["The IdP accepts it and goes on", "as predicted"]).await;
}

#[actix_web::test]
async fn the_flow_viewer_shows_what_was_changed_by_hand() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    let verifier = learner.reads_value("code_verifier").await;
    learner.adds_to_value("code_verifier", "x").await;
    learner.clicks("label:has(input[value=invalid_grant])").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    learner.opens_its_flow().await;
    learner.chooses("m8").await;
    for (language, words) in [
        ("en", ["Changed by hand", "let go", "invalid_grant comes", "as predicted"]),
        ("ja", ["人の手で書き換えられました", "送信しました", "invalid_grant", "予想どおり"]),
    ] {
        learner.switches_to(language).await;
        learner.chooses("m8").await;
        let released = learner.reads("#m8 .released").await;
        for word in words {
            assert!(released.contains(word), "{word}: {released}");
        }
    }
    let changed = [["code_verifier".to_owned(), verifier.clone(), format!("{verifier}x")]];
    assert_eq!(learner.reads_changes("m8").await, changed);
    // What was sent is not what arrived.
    assert_eq!(learner.counts("#m8 .same.different").await, 1);
}

#[actix_web::test]
async fn a_message_that_was_let_go_untouched_is_nothing_to_tell_of() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::UserinfoResponse).await;
    learner.lets_go().await;
    learner.is_welcomed().await;
    learner.opens_its_flow().await;
    learner.finds(".status").await;
    assert_eq!(learner.counts(".released").await, 0);
}

#[actix_web::test]
async fn the_flow_viewer_shows_a_request_that_was_sent_twice() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.clicks(REPEAT).await;
    learner.is_held_at(Pause::TokenResponse).await;
    learner.opens_its_flow().await;
    learner.chooses("m8").await;
    assert!(learner.reads("#m8 .released").await.contains("sent twice"));
}
