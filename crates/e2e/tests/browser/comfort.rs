//! For everybody: two languages, without scripts, without a mouse.

use e2e::{
    chrome::Profile,
    learner::{ALLOW, CANCEL, Key, LOGIN, LOGOUT, Learner, SIGN_IN},
    pair::Pair,
};

#[actix_web::test]
async fn the_browsers_language_is_the_first_choice() {
    let pair = Pair::start();
    let learner = Learner::with(&pair, Profile { language: "ja,en", ..Profile::default() }).await;
    learner.opens_home().await;
    learner.sees("Relying Party クライアントアプリ ホーム").await;
    learner.clicks_login().await;
    learner.sees("認証サーバーでログイン").await;
    learner.signs_in().await;
    learner.sees("許可する").await;
    learner.allows().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn a_language_chosen_at_the_rp_holds_at_the_idp() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.switches_to("ja").await;
    learner.clicks_login().await;
    learner.sees("認証サーバーでログイン").await;
    learner.switches_to("en").await;
    learner.sees("Sign in at the Identity Provider").await;
    learner.signs_in().await;
    learner.sees("asks for these permissions").await;
    learner.switches_to("ja").await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.finds("html[lang=ja]").await;
}

#[actix_web::test]
async fn everything_works_without_scripts() {
    let pair = Pair::start();
    let learner = Learner::with(&pair, Profile { scripts: false, ..Profile::default() }).await;
    learner.opens_home().await;
    // Only the page's script would show it.
    assert_eq!(learner.reads("[data-theme-switch]").await, "");
    learner.clicks_login().await;
    learner.signs_in_as("demo", "guess").await;
    learner.sees("The user name or the password is wrong.").await;
    learner.signs_in_as("demo", "DemoTest2024!").await;
    learner.finds(CANCEL).await;
    learner.cancels().await;
    learner.sees("access_denied").await;

    learner.logs_in().await;
    learner.sees("UTC").await;
    pair.passes(60);
    learner.reloads().await;
    assert_eq!(learner.reads(".clock").await, "59min0s");
    learner.logs_out().await;
    learner.sees("You have signed out").await;
}

#[actix_web::test]
async fn everything_works_without_a_mouse_and_the_focus_is_always_seen() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.tabs_to(LOGIN).await;
    learner.presses(Key::Enter).await;
    learner.finds("#password").await;
    learner.tabs_to(SIGN_IN).await;
    learner.presses(Key::Enter).await;
    learner.finds(ALLOW).await;
    learner.tabs_to("input[value=email]").await;
    learner.presses(Key::Space).await;
    learner.tabs_to(ALLOW).await;
    learner.presses(Key::Enter).await;
    learner.is_welcomed().await;
    learner.sees_no("1@example.com").await;
    learner.tabs_to(LOGOUT).await;
    learner.presses(Key::Enter).await;
    learner.sees("You have signed out").await;
}

#[actix_web::test]
async fn a_term_explains_itself_by_keyboard() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.tabs_to("main button.term").await;
    learner.sees_no("it is compared character for character").await;
    learner.presses(Key::Enter).await;
    learner.sees("it is compared character for character").await;
    learner.presses(Key::Escape).await;
    learner.sees_no("it is compared character for character").await;
}
