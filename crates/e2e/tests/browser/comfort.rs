//! For everybody: two languages, without scripts, without a mouse.

use e2e::{
    chrome::Profile,
    learner::{ALLOW, CANCEL, CHOOSE, Key, LOGIN, LOGOUT, Learner, SIGN_IN, SINGLE_SIGN_ON},
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
async fn sessions_and_consents_work_without_scripts() {
    let pair = Pair::start_with_remembered_consent();
    let learner = Learner::with(&pair, Profile { scripts: false, ..Profile::default() }).await;
    learner.logs_in().await;
    learner.leaves_the_app().await;
    learner.clicks(CHOOSE).await;
    learner.follows("Somebody else").await;
    learner.signs_in_as("alice", "AliceTest2024!").await;
    learner.follows("All 14 values").await;
    learner.sees("https://people.example/alice.png").await;
    learner.allows().await;
    learner.is_welcomed_as("Alice Mary Example").await;
    learner.leaves_the_app().await;
    learner.clicks(SINGLE_SIGN_ON).await;
    learner.follows("Demo User").await;
    learner.is_welcomed().await;

    learner.opens(&format!("{}/", pair.issuer)).await;
    learner.follows("Withdraw").await;
    learner.sees("Demo User").await;
    assert_eq!(learner.counts("form[action='/withdraw']").await, 1);
    learner.opens(&format!("{}/oauth/logout", pair.issuer)).await;
    learner.clicks("main button[type=submit]").await;
    learner.sees("You are signed out of the Identity Provider").await;
    learner.opens_home().await;
    learner.logs_out().await;
    learner.sees("Both sessions have ended").await;
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
async fn accounts_are_chosen_without_a_mouse_and_enter_in_the_list_allows() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.leaves_the_app().await;
    learner.logs_in_as_alice().await;
    learner.leaves_the_app().await;
    learner.tabs_to(CHOOSE).await;
    learner.presses(Key::Enter).await;
    learner.sees("Who is signing in?").await;
    learner.tabs_to("button[name=account][value='1']").await;
    learner.presses(Key::Enter).await;
    learner.sees("Signed in as Demo User").await;
    learner.tabs_to("input[value=email]").await;
    learner.presses(Key::Space).await;
    learner.presses(Key::Enter).await;
    learner.is_welcomed().await;
    learner.sees_no("1@example.com").await;
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
