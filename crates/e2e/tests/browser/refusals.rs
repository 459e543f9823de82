//! Callbacks that are refused.

use e2e::{learner::Learner, pair::Pair};

#[actix_web::test]
async fn r1_a_changed_state_is_refused_and_stays_refused() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    let asked = learner.last_request("/oauth/authorize").await;
    let changed = asked.as_str().replace("&state=", "&state=x");
    learner.opens(&changed).await;
    learner.signs_in().await;
    learner.allows().await;
    let title = "It is not clear which login this belongs to";
    learner.sees(title).await;
    assert_eq!(learner.address().await.path(), "/auth");
    learner.reloads().await;
    learner.sees(title).await;
    learner.switches_to("ja").await;
    learner.switches_to("en").await;
    learner.sees(title).await;
    assert_eq!(pair.token_calls(), 0);

    learner.follows("Back to home, to sign in again").await;
    learner.is_signed_out().await;
}

#[actix_web::test]
async fn r3_an_answer_of_another_issuer_is_refused_and_stays_refused() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    let state = learner.state_of_login().await;
    learner.opens(&format!("{}/auth?code=c&state={state}&iss=https://evil.example", pair.home)).await;
    let title = "The answer is not from the Identity Provider that was asked";
    learner.sees(title).await;
    learner.sees("https://evil.example").await;
    learner.reloads().await;
    learner.sees(title).await;
    learner.switches_to("ja").await;
    learner.switches_to("en").await;
    learner.sees(title).await;
    // A return to the same attempt is too late now, even the right one.
    learner.opens(&format!("{}/auth?code=c&state={state}&iss={}", pair.home, pair.issuer)).await;
    learner.sees(title).await;
    assert_eq!(pair.token_calls(), 0);
}

#[actix_web::test]
async fn r12_the_callback_opened_again_asks_for_no_tokens_and_costs_no_login() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    let callback = learner.last_request("/auth").await;
    learner.reloads().await;
    learner.is_welcomed().await;

    learner.opens(callback.as_str()).await;
    learner.sees("This login is already over").await;
    learner.reloads().await;
    learner.sees("This login is already over").await;
    learner.follows("Back to home").await;
    learner.is_welcomed().await;
    assert_eq!(pair.token_calls(), 1);
}

#[actix_web::test]
async fn r1_a_callback_opened_in_another_browser_signs_nobody_in() {
    let pair = Pair::start();
    let attacker = Learner::of(&pair).await;
    attacker.opens_home().await;
    attacker.clicks_login().await;
    let state = attacker.state_of_login().await;
    let victim = Learner::of(&pair).await;
    victim.opens(&format!("{}/auth?code=c&state={state}&iss={}", pair.home, pair.issuer)).await;
    victim.sees("This login began in another browser").await;
    victim.opens_home().await;
    victim.is_signed_out().await;
    assert_eq!(pair.token_calls(), 0);
}
