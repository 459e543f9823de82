//! An IdP that is away.

use e2e::{
    learner::{LOGIN, Learner},
    pair::Pair,
};

#[actix_web::test]
async fn the_rp_says_that_the_idp_is_away_and_works_as_soon_as_it_is_back() {
    let mut pair = Pair::start();
    let learner = Learner::of(&pair).await;
    pair.stops_idp().await;
    learner.opens_home().await;
    learner.sees("no answer").await;
    learner.clicks(LOGIN).await;
    learner.sees("The Identity Provider cannot be reached").await;

    pair.restarts_idp();
    learner.follows("Back to home, to sign in again").await;
    learner.is_signed_out().await;
    learner.sees_no("no answer").await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn an_idp_that_stops_half_way_costs_one_login_and_no_more() {
    let mut pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.logs_out().await;
    learner.clicks_login().await;
    let login = learner.address().await;
    let state = learner.state_of_login().await;
    pair.stops_idp().await;
    learner.opens(&format!("{}/auth?code=c&state={state}&iss={}", pair.home, pair.issuer)).await;
    learner.sees("The Identity Provider cannot be reached").await;

    // The one that comes back does not know the login that was under way, and signs with another key.
    pair.restarts_idp();
    learner.opens(login.as_str()).await;
    learner.sees("This login cannot go on").await;
    learner.logs_in().await;
}
