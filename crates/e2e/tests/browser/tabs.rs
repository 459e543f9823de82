//! More than one tab.

use e2e::{learner::Learner, pair::Pair};

#[actix_web::test]
async fn r1_two_tabs_log_in_at_the_same_time_and_both_arrive() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.opens_a_tab().await;
    learner.opens_home().await;
    learner.clicks_login().await;

    learner.turns_to_tab(0).await;
    learner.signs_in().await;
    learner.turns_to_tab(1).await;
    learner.signs_in().await;
    learner.turns_to_tab(0).await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.turns_to_tab(1).await;
    learner.allows().await;
    learner.is_welcomed().await;
    assert_eq!(pair.token_calls(), 2);
}

#[actix_web::test]
async fn who_signs_out_in_one_tab_is_signed_out_in_the_other() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_a_tab().await;
    learner.opens_home().await;
    learner.is_welcomed().await;
    learner.logs_out().await;
    learner.sees("You have signed out").await;
    learner.turns_to_tab(0).await;
    learner.logs_out().await;
    learner.is_signed_out().await;
}
