//! The IdP's own page, and signing out there.

use e2e::{
    learner::{ALLOW, LOGIN, Learner, SINGLE_SIGN_ON},
    pair::Pair,
    stranger::Stranger,
};

/// The button for the user with this `sub`.
fn sign_out(subject: &str) -> String {
    format!("form[action='/logout']:has(input[name=account][value='{subject}']) button")
}

async fn opens_provider(learner: &Learner, pair: &Pair) {
    learner.opens(&format!("{}/", pair.issuer)).await;
    learner.sees("Signed in with this browser").await;
}

#[actix_web::test]
async fn the_providers_page_says_who_is_signed_in_and_signs_one_out() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    opens_provider(&learner, &pair).await;
    learner.sees("Nobody is signed in.").await;
    learner.logs_in().await;
    learner.leaves_the_app().await;
    learner.logs_in_as_alice().await;
    opens_provider(&learner, &pair).await;
    learner.sees("Demo User").await;
    learner.sees("Alice Mary Example").await;

    learner.clicks(&sign_out("2")).await;
    learner.is_at(&format!("{}/", pair.issuer)).await;
    learner.sees("Demo User").await;
    learner.sees_no("Alice Mary Example").await;
    // The app's session is the app's; but at the next login there is nobody to choose any more.
    learner.opens_home().await;
    learner.is_welcomed_as("Alice Mary Example").await;
    learner.leaves_the_app().await;
    learner.clicks(SINGLE_SIGN_ON).await;
    learner.sees("Signed in as Demo User").await;
}

#[actix_web::test]
async fn a_consent_that_was_withdrawn_is_asked_for_again() {
    let pair = Pair::start_with_remembered_consent();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.leaves_the_app().await;
    opens_provider(&learner, &pair).await;
    learner.sees("Allowed to Second Client").await;
    learner.follows("Withdraw").await;
    learner.is_at(&format!("{}/", pair.issuer)).await;
    learner.sees("Demo User").await;
    learner.sees_no("Allowed to").await;

    learner.opens_home().await;
    learner.clicks(SINGLE_SIGN_ON).await;
    learner.finds(ALLOW).await;
    learner.allows().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn logging_out_at_the_app_ends_the_providers_session_too() {
    let pair = Pair::start_with_remembered_consent();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.visited().await;
    learner.logs_out().await;
    learner.sees("Both sessions have ended").await;
    learner.is_at(&format!("{}/", pair.home)).await;
    let way: Vec<_> = learner.visited().await.iter().map(|page| page.path().to_owned()).collect();
    assert_eq!(way, ["/logout", "/oauth/logout", "/logout/done", "/"]);
    learner.reloads().await;
    learner.is_signed_out().await;
    learner.sees_no("Both sessions have ended").await;

    opens_provider(&learner, &pair).await;
    learner.sees("Nobody is signed in.").await;
    learner.opens_home().await;
    learner.clicks(SINGLE_SIGN_ON).await;
    learner.sees("Sign in at the Identity Provider").await;
    learner.sees_no("you are signed in already").await;
}

#[actix_web::test]
async fn whoever_logs_out_while_the_idp_is_away_is_told_what_goes_on() {
    let mut pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    pair.stops_idp().await;
    learner.logs_out().await;
    learner.sees("your session at the Identity Provider could not be ended").await;
    learner.is_signed_out().await;

    pair.restarts_idp();
    learner.logs_in().await;
    learner.logs_out().await;
    learner.sees("Both sessions have ended").await;
}

#[actix_web::test]
async fn i14_back_after_signing_out_at_the_provider_shows_nobody() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.leaves_the_app().await;
    opens_provider(&learner, &pair).await;
    learner.sees("Demo User").await;
    learner.opens(&format!("{}/oauth/logout", pair.issuer)).await;
    learner.sees("Sign out of the Identity Provider?").await;
    learner.sees("Demo User").await;
    learner.clicks("main button[type=submit]").await;
    learner.sees("You are signed out of the Identity Provider").await;

    learner.goes_back().await;
    learner.sees("You are signed out of the Identity Provider").await;
    learner.sees_no("Demo User").await;
    learner.goes_back().await;
    learner.sees("Nobody is signed in.").await;
    learner.sees_no("Demo User").await;
}

/// Without an ID token anybody could have sent the browser.
#[actix_web::test]
async fn another_site_can_make_the_question_appear_and_no_more() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    let asks = Stranger::that_sends_a_form_to(&format!("{}/oauth/logout?client_id=client1", pair.issuer));
    learner.opens(&asks.at("127.0.0.1")).await;
    learner.clicks("button").await;
    learner.sees("Relying Party クライアントアプリ asks you to sign out.").await;
    learner.follows("Stay signed in").await;
    learner.sees("Demo User").await;

    for target in ["/logout", "/withdraw"] {
        let forger = Stranger::that_sends_a_form_to(&format!("{}{target}", pair.issuer));
        learner.opens(&forger.at("127.0.0.1")).await;
        learner.clicks("button").await;
        learner.sees("Sent from somewhere else, so not accepted").await;
    }
    opens_provider(&learner, &pair).await;
    learner.sees("Demo User").await;
}

#[actix_web::test]
async fn a_sign_out_that_is_refused_leads_to_the_providers_page() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    let away = "post_logout_redirect_uri=https://evil.example/&client_id=client1";
    learner.opens(&format!("{}/oauth/logout?{away}", pair.issuer)).await;
    learner.sees("The address to return to after the sign-out is not registered").await;
    learner.follows("To the Identity Provider’s page").await;
    learner.is_at(&format!("{}/", pair.issuer)).await;
    learner.sees("Demo User").await;
    learner.clicks(&sign_out("1")).await;
    learner.sees("Nobody is signed in.").await;
    learner.clicks(".clients li:first-child > a").await;
    learner.is_welcomed().await;
    learner.logs_out().await;
    learner.finds(LOGIN).await;
}
