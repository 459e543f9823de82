//! The Back button, at every stage. It never costs a login, and it never asks for tokens again.

use e2e::{
    learner::{ALLOW, Learner},
    pair::Pair,
};

#[actix_web::test]
async fn back_from_the_login_page_is_home_and_a_new_login_can_start() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.goes_back().await;
    learner.is_signed_out().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn back_from_the_consent_page_goes_on_with_consent() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.goes_back().await;
    learner.finds(ALLOW).await;
    learner.allows().await;
    learner.is_welcomed().await;
    assert_eq!(pair.token_calls(), 1);
}

#[actix_web::test]
async fn back_after_the_login_says_that_it_is_answered_and_leads_to_the_app() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.goes_back().await;
    learner.sees("You have already answered").await;
    learner.goes_back().await;
    learner.sees("You have already answered").await;
    learner.goes_back().await;
    learner.is_welcomed().await;

    learner.goes_forward().await;
    learner.sees("You have already answered").await;
    learner.follows("Back to the app").await;
    learner.is_welcomed().await;
    learner.is_at(&format!("{}/", pair.home)).await;
    assert_eq!(pair.token_calls(), 1);
}

#[actix_web::test]
async fn back_after_cancelling_does_not_let_choose_again() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.cancels().await;
    learner.is_signed_out().await;
    learner.goes_back().await;
    learner.sees("You have already answered").await;
    learner.follows("Back to the app").await;
    learner.is_signed_out().await;
    assert_eq!(pair.token_calls(), 0);
}

#[actix_web::test]
async fn back_after_logging_out_shows_nobodys_claims() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens(&format!("{}/logout", pair.home)).await;
    learner.logs_out().await;
    learner.sees("You have signed out").await;
    learner.goes_back().await;
    learner.is_signed_out().await;
    learner.goes_back().await;
    learner.is_signed_out().await;
    learner.sees_no("1@example.com").await;
}
