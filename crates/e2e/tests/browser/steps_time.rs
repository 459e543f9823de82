//! The time machine: both clocks go forward together, or one of them alone, and back.

use e2e::{
    learner::{LOGIN, Learner},
    pair::Pair,
};
use shared::flow::Pause;

const BANNER: &str = "section.ahead";
const BACK: &str = "Back to the present";

#[actix_web::test]
async fn a_login_that_is_held_ends_with_its_time() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    let page = learner.page_of_pause().await;
    learner.follows("Put the clock forward").await;
    learner.sees("Time machine").await;
    learner.follows("Skip 1 min").await;
    // Back where they were, a minute later.
    learner.is_at(&page).await;
    learner.is_held_at(Pause::TokenRequest).await;
    learner.sees("This clock is 1 min ahead").await;
    learner.follows("Put the clock forward").await;
    learner.follows("Skip 10 min").await;
    learner.is_at(&page).await;
    for (language, words) in
        [("en", "Nothing is held here any more"), ("ja", "止めていたメッセージは、もうありません")]
    {
        learner.switches_to(language).await;
        learner.sees(words).await;
    }
    assert_eq!(pair.token_calls(), 0);
}

#[actix_web::test]
async fn a_code_that_is_too_old_is_refused() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.follows("Put the clock forward").await;
    learner.follows("IdP alone, 10 min").await;
    learner.is_held_at(Pause::TokenRequest).await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    learner.sees("invalid_grant comes").await;
}

#[actix_web::test]
async fn every_page_says_that_a_clock_is_ahead_until_it_is_back() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    assert_eq!(learner.counts(BANNER).await, 0);
    learner.travels(&pair, "Skip 10 min").await;
    let pages = [
        format!("{}/", pair.home),
        format!("{}/glossary", pair.home),
        format!("{}/flows", pair.home),
        format!("{}/nowhere", pair.home),
        format!("{}/", pair.issuer),
        format!("{}/nowhere", pair.issuer),
    ];
    for page in &pages {
        learner.opens(page).await;
        for (language, words) in [("en", "This clock is 10 min ahead"), ("ja", "時計を 10 分進めています")]
        {
            learner.switches_to(language).await;
            assert!(learner.reads(BANNER).await.contains(words), "{page}");
        }
    }
    learner.opens_home().await;
    learner.switches_to("en").await;
    learner.clicks(&format!("{BANNER} a")).await;
    learner.follows(BACK).await;
    learner.finds(LOGIN).await;
    for page in &pages {
        learner.opens(page).await;
        assert_eq!(learner.counts(BANNER).await, 0, "{page}");
    }
}

#[actix_web::test]
async fn a_session_that_began_in_the_time_ahead_has_never_been() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.travels(&pair, "Skip 10 min").await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.opens(&format!("{}/time", pair.home)).await;
    learner.follows(BACK).await;
    learner.finds(LOGIN).await;
    learner.sees_no("Demo User").await;
}

#[actix_web::test]
async fn a_session_that_began_in_the_present_outlives_the_journey() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens(&format!("{}/time", pair.home)).await;
    learner.follows("Skip 10 min").await;
    learner.is_welcomed().await;
    learner.clicks(&format!("{BANNER} a")).await;
    learner.follows(BACK).await;
    learner.is_welcomed().await;
    assert_eq!(learner.counts(BANNER).await, 0);
}

#[actix_web::test]
async fn an_id_token_from_the_future_is_refused() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.travels(&pair, "IdP alone, 10 min").await;
    assert_eq!(learner.counts(BANNER).await, 0);
    learner.clicks_login().await;
    learner.sees("This clock is 10 min ahead").await;
    learner.signs_in().await;
    learner.allows().await;
    learner.sees("The time of issue (iat) is not in the future").await;
    learner.opens_home().await;
    learner.is_signed_out().await;
}

#[actix_web::test]
async fn an_id_token_from_the_past_is_refused() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.travels(&pair, "RP alone, 60 min").await;
    learner.travels(&pair, "RP alone, 10 min").await;
    learner.sees("This clock is 70 min ahead").await;
    learner.opens(&format!("{}/time", pair.home)).await;
    learner.sees("Experiment: the two clocks disagree").await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.allows().await;
    learner.sees("The expiry (exp) has not passed").await;
    learner.opens_home().await;
    learner.is_signed_out().await;
}
