//! What learners do with the tokens of a session, and what they ask for at a login.

use e2e::{
    learner::{LOGIN, Learner},
    pair::Pair,
};

#[actix_web::test]
async fn a_learner_refreshes_and_sees_what_changed() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.may_refresh(&pair).await;
    learner.sees_no("changed by the last refresh").await;
    let before = learner.reads("#token-access_token").await;
    learner.does("refresh", "HTTP 200").await;
    assert_ne!(learner.reads("#token-access_token").await, before);
    assert_eq!(learner.counts(".badge.changed").await, 3);
    // To load the page again refreshes nothing again.
    let after = learner.reads("#token-access_token").await;
    learner.reloads().await;
    assert_eq!(learner.reads("#token-access_token").await, after);
    learner.goes_back().await;
    learner.goes_forward().await;
    assert_eq!(learner.reads("#token-access_token").await, after);
}

#[actix_web::test]
async fn a_learner_plays_the_thief_and_loses_everything() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.may_refresh(&pair).await;
    learner.does("refresh", "HTTP 200").await;
    learner.does("call_notes", "HTTP 200").await;
    learner.does("replay", "invalid_grant").await;
    learner.does("call_notes", "HTTP 401").await;
    learner.does("introspect_refresh", "\"active\": false").await;
    learner.does("refresh", "invalid_grant").await;
    for (language, words) in [("en", "What came of it"), ("ja", "いまの結果")] {
        learner.switches_to(language).await;
        learner.sees(words).await;
    }
    // The session of the app goes on.
    learner.opens_home().await;
    learner.switches_to("en").await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn two_tabs_refresh_one_after_the_other_and_both_go_on() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.may_refresh(&pair).await;
    let page = learner.address().await;
    learner.opens_a_tab().await;
    learner.opens(page.as_str()).await;
    learner.does("refresh", "HTTP 200").await;
    learner.turns_to_tab(0).await;
    learner.does("refresh", "HTTP 200").await;
    learner.does("call_me", "HTTP 200").await;
}

#[actix_web::test]
async fn what_is_given_back_is_good_for_nothing() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.may_refresh(&pair).await;
    learner.does("revoke_access", "HTTP 200").await;
    learner.does("call_me", "HTTP 401").await;
    learner.does("refresh", "HTTP 200").await;
    learner.does("call_me", "HTTP 200").await;
    learner.does("revoke_refresh", "HTTP 200").await;
    learner.does("introspect_access", "\"active\": false").await;
}

#[actix_web::test]
async fn the_flow_goes_on_after_the_login() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.may_refresh(&pair).await;
    learner.does("refresh", "HTTP 200").await;
    learner.does("call_me", "HTTP 200").await;
    learner.does("introspect_access", "HTTP 200").await;
    learner.does("revoke_refresh", "HTTP 200").await;
    learner.follows("See it in the flow").await;
    for words in ["/oauth/token", "/api/me", "/oauth/introspect", "/oauth/revoke"] {
        learner.sees(words).await;
    }
}

#[actix_web::test]
async fn the_provider_stops_and_the_page_says_that_there_was_no_answer() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.may_refresh(&pair).await;
    pair.stops_idp().await;
    learner.does("call_me", "no answer").await;
}

#[actix_web::test]
async fn a_learner_asks_for_more_at_a_login() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_the_options().await;
    learner.types("#w-scope", "openid profile").await;
    learner.types("#w-max_age", "600").await;
    learner.types("#w-login_hint", "alice").await;
    learner.types("#w-ui_locales", "ja").await;
    learner.clicks(LOGIN).await;
    learner.finds("html[lang=ja] #password").await;
    assert_eq!(learner.reads_field("#username").await, "alice");
    learner.switches_to("en").await;
    learner.opens_the_options().await;
    // The buttons below the list of prompts count, not the list.
    learner.clicks(e2e::learner::CHOOSE).await;
    learner.finds("#password").await;
    assert!(!learner.text().await.contains("invalid_request"));
}
