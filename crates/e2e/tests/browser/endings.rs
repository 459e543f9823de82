//! How a session ends.

use std::time::Duration;

use e2e::{
    learner::{Learner, SIGN_IN, SINGLE_SIGN_ON},
    pair::Pair,
    wait::eventually,
};

#[actix_web::test]
async fn the_button_ends_the_session() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.logs_out().await;
    learner.sees("You have signed out").await;
    learner.reloads().await;
    learner.is_signed_out().await;
    learner.sees_no("You have signed out").await;
}

#[actix_web::test]
async fn the_logout_address_asks_first() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens(&format!("{}/logout", pair.home)).await;
    learner.sees("Sign out?").await;
    learner.follows("Back to home").await;
    learner.is_welcomed().await;

    learner.opens(&format!("{}/logout", pair.home)).await;
    learner.logs_out().await;
    learner.sees("You have signed out").await;
}

#[actix_web::test]
async fn the_session_ends_with_the_id_token() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    pair.passes(3599);
    learner.reloads().await;
    learner.is_welcomed().await;
    assert_eq!(learner.reads(".clock").await, "0min1s");

    pair.passes(1);
    learner.reloads().await;
    learner.is_signed_out().await;
    learner.sees("your session has ended").await;

    // The provider's lives longer, and can still be ended from here.
    learner.follows("Sign out at the Identity Provider too").await;
    learner.sees("Your session with this app has ended already").await;
    learner.follows("Logout").await;
    learner.sees("Both sessions have ended").await;
    learner.clicks(SINGLE_SIGN_ON).await;
    learner.finds(SIGN_IN).await;
}

#[actix_web::test]
async fn the_time_left_counts_down_before_the_eyes() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    eventually("the first minute to begin", async || {
        (learner.reads("[data-minutes]").await == "59").then_some(())
    })
    .await;
    let before = learner.reads("[data-seconds]").await;
    eventually("the next second", async || (learner.reads("[data-seconds]").await != before).then_some(()))
        .await;
}

#[actix_web::test]
async fn when_the_countdown_ends_the_page_says_so_by_itself() {
    let pair = Pair::start_with("127.0.0.1", |idp| idp.token_lifetime = Duration::from_secs(3));
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    pair.passes(3);
    learner.sees("your session has ended").await;
}
