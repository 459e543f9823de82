//! What is done with tokens after a login, step by step.

use e2e::{
    chrome::Profile,
    learner::{Key, Learner},
    pair::Pair,
    stepping::{DROP, REPEAT, SEND, STEP_BY_STEP, value_of},
};
use shared::flow::Pause;

/// What is done, where it is held, what the page is called in English and in Japanese, and what is held.
type Row = (&'static str, Pause, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const PAGES: [Row; 9] = [
    ("introspect_access", Pause::IntrospectionRequest, "Held before the IdP is asked about a token", "トークンについて尋ねる前で止めています", "POST /oauth/introspect"),
    ("introspect_access", Pause::IntrospectionResponse, "Held: the IdP has told about the token", "トークンについての答えが届いたところで止めています", "200"),
    ("call_me", Pause::ApiRequest, "Held before the API is called", "API を呼ぶ前で止めています", "GET /api/me"),
    ("call_me", Pause::ApiResponse, "Held: the API has answered", "API が答えたところで止めています", "200"),
    ("refresh", Pause::RefreshRequest, "Held before new tokens are asked for", "新しいトークンを取りに行く前で止めています", "POST /oauth/token"),
    ("refresh", Pause::RefreshResponse, "Held: the answer to the refresh has arrived", "更新の答えが届いたところで止めています", "200"),
    ("refresh", Pause::RefreshedToken, "Held before the new ID token is validated", "新しい ID トークンを検証する前で止めています", "id_token"),
    ("revoke_refresh", Pause::RevocationRequest, "Held before a token is given back", "トークンを返す前で止めています", "POST /oauth/revoke"),
    ("revoke_refresh", Pause::RevocationResponse, "Held: the IdP has answered", "IdP が答えたところで止めています", "200"),
];

/// Text in which every space is one that lines break at.
fn plain(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

async fn every_deed_is_passed_in(language: &'static str, title: impl Fn(&Row) -> &'static str) {
    let pair = Pair::start();
    let learner = Learner::with(&pair, Profile { language, ..Profile::default() }).await;
    learner.may_refresh(&pair).await;
    for row in PAGES {
        let (deed, pause, .., wire) = row;
        if pause.asks().is_some() {
            learner.begins(deed, pause).await;
        }
        learner.is_held_at(pause).await;
        assert_eq!(plain(&learner.reads("h1").await), title(&row));
        assert_eq!(learner.reads(".gate-line span").await, wire);
        let [drops, repeats] = [DROP, REPEAT].map(|button| learner.counts(button));
        assert_eq!(drops.await == 1, pause.verbs().drops.is_some(), "{pause:?}");
        assert_eq!(repeats.await == 1, pause.verbs().repeats, "{pause:?}");
        for width in [1280, 390] {
            learner.widens_to(width).await;
            assert_eq!(learner.overflow().await, 0, "{pause:?}, {width} pixels");
        }
        learner.widens_to(1280).await;
        learner.lets_go().await;
        if pause.answers().is_some() && pause != Pause::RefreshResponse || pause == Pause::RefreshedToken {
            learner.is_told(deed, "HTTP 200").await;
        }
    }
    assert_eq!(learner.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn everything_that_is_done_with_tokens_stops_where_it_says_in_english() {
    every_deed_is_passed_in("en", |row| row.2).await;
}

#[actix_web::test]
async fn everything_that_is_done_with_tokens_stops_where_it_says_in_japanese() {
    every_deed_is_passed_in("ja", |row| row.3).await;
}

#[actix_web::test]
async fn a_learner_sends_a_refresh_token_twice_and_sees_the_family_die() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.may_refresh(&pair).await;
    learner.begins("refresh", Pause::RefreshRequest).await;
    learner.clicks(REPEAT).await;
    learner.is_held_at(Pause::RefreshResponse).await;
    learner.sees("400 invalid_grant").await;
    learner.sees("The second one was refused by this check.").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::RefreshedToken).await;
    learner.lets_go().await;
    learner.is_told("refresh", "HTTP 200").await;
    learner.begins("call_me", Pause::ApiRequest).await;
    learner.clicks("#held input[value=invalid_token]").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::ApiResponse).await;
    learner.sees("as predicted").await;
    learner.lets_go().await;
    learner.is_told("call_me", "HTTP 401").await;
    learner.opens_the_latest_flow().await;
    // The map says so, too: what was refused last has no tick.
    learner.finds(".entry.refused a[href='#api']").await;
}

#[actix_web::test]
async fn who_logged_in_step_by_step_goes_on_so_and_needs_no_scripts() {
    let pair = Pair::start();
    let learner = Learner::with(&pair, Profile { scripts: false, ..Profile::default() }).await;
    learner.steps_to(Pause::UserinfoResponse).await;
    learner.lets_go().await;
    learner.is_welcomed().await;
    learner.opens(&format!("{}/tokens", pair.home)).await;
    learner.finds(&format!("{STEP_BY_STEP}:checked")).await;
    learner.begins("call_me", Pause::ApiRequest).await;
    learner.adds_to_value("authorization", "x").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::ApiResponse).await;
    assert_eq!(learner.reads_field("#f-status").await, "401");
    learner.types("#f-status", "418").await;
    learner.lets_go().await;
    learner.is_told("call_me", "HTTP 418").await;
    // Whoever wants to stop no more says so once.
    learner.clicks(STEP_BY_STEP).await;
    learner.does("call_me", "HTTP 200").await;
    learner.does("introspect_access", "HTTP 200").await;
}

#[actix_web::test]
async fn a_deed_is_held_and_let_go_without_a_mouse() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.may_refresh(&pair).await;
    learner.tabs_to(STEP_BY_STEP).await;
    learner.presses(Key::Space).await;
    learner.tabs_to("button[value=introspect_access]").await;
    learner.presses(Key::Enter).await;
    learner.is_held_at(Pause::IntrospectionRequest).await;
    learner.tabs_to(&value_of("token")).await;
    learner.writes("made-up").await;
    learner.tabs_to(SEND).await;
    learner.presses(Key::Enter).await;
    learner.is_held_at(Pause::IntrospectionResponse).await;
    learner.tabs_to(SEND).await;
    learner.presses(Key::Enter).await;
    learner.is_told("introspect_access", "\"active\": false").await;
}

#[actix_web::test]
async fn back_and_a_second_tab_lead_to_what_is_held() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.may_refresh(&pair).await;
    let tokens = learner.address().await;
    learner.begins("refresh", Pause::RefreshRequest).await;
    learner.goes_back().await;
    learner.finds("#token-refresh_token").await;
    learner.reloads().await;
    learner.follows("Go on with it").await;
    learner.is_held_at(Pause::RefreshRequest).await;
    learner.opens_a_tab().await;
    learner.opens(tokens.as_str()).await;
    learner.sees("is still held on its way").await;
    learner.clicks("button[value=call_me]").await;
    learner.is_held_at(Pause::RefreshRequest).await;
    learner.lets_go().await;
    learner.is_held_at(Pause::RefreshResponse).await;
    // The first tab has been left behind, and lets nothing go.
    learner.turns_to_tab(0).await;
    learner.clicks(DROP).await;
    learner.is_held_at(Pause::RefreshResponse).await;
    learner.lets_go().await;
    learner.is_held_at(Pause::RefreshedToken).await;
    learner.lets_go().await;
    learner.is_told("refresh", "HTTP 200").await;
}
