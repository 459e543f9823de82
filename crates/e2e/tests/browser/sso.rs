//! Who has signed in once, and who has said yes once.

use e2e::{
    learner::{ALLOW, CHOOSE, Learner, SINGLE_SIGN_ON},
    pair::Pair,
};

#[actix_web::test]
async fn who_has_signed_in_and_consented_comes_back_without_seeing_a_page() {
    let pair = Pair::start_with_remembered_consent();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.leaves_the_app().await;
    learner.visited().await;
    learner.clicks(SINGLE_SIGN_ON).await;
    learner.is_welcomed().await;
    let way: Vec<_> = learner.visited().await.iter().map(|page| page.path().to_owned()).collect();
    assert_eq!(way, ["/login", "/oauth/authorize", "/auth", "/"]);
    assert_eq!(pair.token_calls(), 2);
}

#[actix_web::test]
async fn the_tutorials_client_asks_for_consent_again_but_for_no_password() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.leaves_the_app().await;
    learner.clicks(SINGLE_SIGN_ON).await;
    learner.sees("asks for these permissions").await;
    learner.sees("Signed in as Demo User").await;
    learner.allows().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn the_tutorials_button_asks_for_the_password_again_and_the_page_says_why() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.leaves_the_app().await;
    learner.clicks_login().await;
    learner.sees("Demo User, you are signed in already.").await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn what_was_left_unticked_is_remembered_too() {
    let pair = Pair::start_with_remembered_consent();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.clicks("input[value=email]").await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.leaves_the_app().await;
    learner.clicks(SINGLE_SIGN_ON).await;
    learner.is_welcomed().await;
    learner.sees_no("1@example.com").await;

    // Asked once more, the page shows what was said last time; now it is yes.
    learner.opens(&format!("{}/login?prompt=consent", pair.home)).await;
    learner.finds(ALLOW).await;
    let ticked = async |scope| learner.counts(&format!("input[value='{scope}']:checked")).await;
    assert_eq!((ticked("profile").await, ticked("email").await), (1, 0));
    learner.clicks("input[value=email]").await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.sees("1@example.com").await;
}

#[actix_web::test]
async fn two_users_of_one_browser_choose_who_it_is() {
    let pair = Pair::start_with_remembered_consent();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.leaves_the_app().await;
    learner.logs_in_as_alice().await;
    learner.leaves_the_app().await;

    // Asked to choose, or because it is not clear who is meant.
    for (button, name) in [(CHOOSE, "Demo User"), (SINGLE_SIGN_ON, "Alice Mary Example")] {
        learner.clicks(button).await;
        learner.sees("Who is signing in?").await;
        assert_eq!(learner.counts(".choices li").await, 2);
        learner.follows(name).await;
        learner.is_welcomed_as(name).await;
        learner.leaves_the_app().await;
    }
}

#[actix_web::test]
async fn somebody_else_can_take_over_at_the_consent_page() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.follows("Use another account").await;
    learner.follows("Somebody else").await;
    learner.signs_in_as_alice().await;
    learner.sees("Signed in as Alice Mary Example").await;
    learner.follows("All 14 values").await;
    learner.sees("https://people.example/alice.png").await;
    learner.allows().await;
    learner.is_welcomed_as("Alice Mary Example").await;
    assert_eq!(pair.token_calls(), 1);
}

#[actix_web::test]
async fn a_login_without_any_page_needs_somebody_who_is_signed_in_and_has_consented() {
    let pair = Pair::start_with_remembered_consent();
    let learner = Learner::of(&pair).await;
    let silently = format!("{}/login?prompt=none", pair.home);
    learner.opens(&silently).await;
    learner.is_signed_out().await;
    learner.sees("login_required").await;

    learner.logs_in().await;
    learner.leaves_the_app().await;
    learner.opens(&silently).await;
    learner.is_welcomed().await;
}
