//! A login that is gone through step by step.

use e2e::{
    chrome::Profile,
    learner::{Key, LOGIN, LOGOUT, Learner},
    pair::Pair,
    stepping::{DROP, RUN, SEND, STEP_BY_STEP, value_of},
};
use shared::flow::{Party, Pause};

/// What each pause's page is called, in English and in Japanese; which step the ribbon says is under way; and what is held.
const PAGES: [(Pause, &str, &str, usize, &str); 9] = [
    (
        Pause::AuthorizationRequest,
        "Held before step 2",
        "ステップ 2 の前で止めています",
        2,
        "GET /oauth/authorize",
    ),
    (Pause::LoginPage, "Held before step 3", "ステップ 3 の前で止めています", 3, "303"),
    (Pause::AuthorizationResponse, "Held before step 6", "ステップ 6 の前で止めています", 6, "303"),
    (Pause::Callback, "Held before step 7", "ステップ 7 の前で止めています", 7, "GET /auth"),
    (Pause::TokenRequest, "Held before step 8", "ステップ 8 の前で止めています", 8, "POST /oauth/token"),
    (Pause::TokenResponse, "Held at step 9", "ステップ 9 で止めています", 9, "200"),
    (Pause::Validation, "Held before step 10", "ステップ 10 の前で止めています", 10, "id_token"),
    (
        Pause::UserinfoRequest,
        "Held before the claims are asked for",
        "ユーザー情報を尋ねる前で止めています",
        10,
        "GET /oauth/userinfo",
    ),
    (
        Pause::UserinfoResponse,
        "Held: userinfo has answered",
        "userinfo の答えが届いたところで止めています",
        10,
        "200",
    ),
];

async fn every_pause_is_passed_in(language: &'static str, title: impl Fn(usize) -> &'static str) {
    let pair = Pair::start();
    let learner = Learner::with(&pair, Profile { language, ..Profile::default() }).await;
    learner.goes_step_by_step().await;
    for (at, (pause, _, _, step, wire)) in PAGES.into_iter().enumerate() {
        learner.is_held_at(pause).await;
        assert_eq!(learner.reads("h1").await, title(at));
        let server = if pause.by() == Party::Rp { &pair.home } else { &pair.issuer };
        assert!(learner.address().await.as_str().starts_with(server.as_str()), "{pause:?}");
        assert_eq!(learner.ribbon().await.len(), step, "{pause:?}");
        assert_eq!(learner.reads(".gate-line span").await, wire);
        let [drops, repeats] = [DROP, "#held button[value=repeat]"].map(|button| learner.counts(button));
        assert_eq!(drops.await == 1, pause.verbs().drops.is_some(), "{pause:?}");
        assert_eq!(repeats.await == 1, pause.verbs().repeats, "{pause:?}");
        learner.lets_go().await;
        if pause == Pause::LoginPage {
            learner.signs_in().await;
            learner.allows().await;
        }
    }
    learner.finds(LOGOUT).await;
    learner.sees("Demo User").await;
    assert_eq!(pair.token_calls(), 1);
    assert_eq!(learner.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn a_login_stops_at_nine_places_and_comes_to_its_end_in_english() {
    every_pause_is_passed_in("en", |at| PAGES[at].1).await;
}

#[actix_web::test]
async fn a_login_stops_at_nine_places_and_comes_to_its_end_in_japanese() {
    every_pause_is_passed_in("ja", |at| PAGES[at].2).await;
}

#[actix_web::test]
async fn who_wants_to_stop_no_more_at_the_rp_is_led_to_the_end() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.goes_step_by_step().await;
    learner.clicks(RUN).await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.opens_home().await;
    learner.logs_out().await;

    learner.steps_to(Pause::TokenRequest).await;
    learner.clicks(RUN).await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn who_wants_to_stop_no_more_at_the_idp_is_led_to_the_end() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::LoginPage).await;
    learner.clicks(RUN).await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.logs_out().await;

    learner.steps_to(Pause::AuthorizationResponse).await;
    learner.clicks(RUN).await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn going_step_by_step_needs_no_scripts() {
    let pair = Pair::start();
    let learner = Learner::with(&pair, Profile { scripts: false, ..Profile::default() }).await;
    learner.steps_to(Pause::TokenRequest).await;
    learner.sees("The code is good for").await;
    learner.clicks("#held input[name='params.as'][value=raw]").await;
    assert!(learner.reads_field("#f-params-raw").await.starts_with("grant_type=authorization_code&"));
    assert!(!learner.finds(&value_of("code")).await.is_displayed().await.unwrap());
    learner.clicks("#held input[name='params.as'][value=fields]").await;
    learner.adds_to_value("code_verifier", "x").await;
    learner.clicks("#held input[value=invalid_grant]").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    learner.sees("as predicted").await;
    learner.sees("The hash of the code_verifier is the code_challenge").await;
    learner.lets_go().await;
    learner.sees("The Identity Provider refused to give tokens").await;

    learner.steps_to(Pause::UserinfoResponse).await;
    learner.lets_go().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn a_message_is_changed_and_sent_without_a_mouse_and_the_focus_is_always_seen() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.tabs_to("input[name=pace]:checked").await;
    learner.presses(Key::Down).await;
    assert!(learner.is_on(STEP_BY_STEP).await);
    // Enter in a choice sends its form.
    learner.presses(Key::Enter).await;
    learner.is_held_at(Pause::AuthorizationRequest).await;
    learner.tabs_to(SEND).await;
    learner.presses(Key::Enter).await;
    learner.is_held_at(Pause::LoginPage).await;
    learner.tabs_to(SEND).await;
    learner.presses(Key::Enter).await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_held_at(Pause::AuthorizationResponse).await;
    learner.tabs_to(&value_of("iss")).await;
    // What a field holds is chosen when Tab leads there.
    learner.writes("https://other.example").await;
    learner.tabs_to(SEND).await;
    learner.presses(Key::Enter).await;
    learner.is_held_at(Pause::Callback).await;
    assert_eq!(learner.reads_value("iss").await, "https://other.example");
    learner.tabs_to(SEND).await;
    learner.presses(Key::Enter).await;
    learner.sees("The iss that came back is the issuer that was asked").await;
    learner.opens_home().await;
    learner.finds(LOGIN).await;
}

#[actix_web::test]
async fn enter_in_a_field_sends_the_message() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Callback).await;
    learner.tabs_to(&value_of("state")).await;
    learner.writes("made-up").await;
    learner.presses(Key::Enter).await;
    learner.sees("The state was made by this app").await;
}
