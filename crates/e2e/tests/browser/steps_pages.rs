//! The page of a pause in the hands of a browser: loaded again, left behind, in a second tab.

use e2e::{
    learner::{Learner, SIGN_IN},
    pair::Pair,
    stepping::{RUN, SEND, value_of},
};
use shared::flow::Pause;

#[actix_web::test]
async fn reset_brings_back_what_was_there() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Callback).await;
    let state = learner.reads_value("state").await;
    learner.types_value("state", "made-up").await;
    learner.clicks("input[value=rp_refuses]").await;
    learner.follows("Reset").await;
    learner.finds("#held:not(:has(input[name=guess]:checked))").await;
    assert_eq!(learner.reads_value("state").await, state);
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenRequest).await;
    learner.sees_no("Changed").await;
}

#[actix_web::test]
async fn the_same_message_is_held_after_a_reload_after_back_and_in_a_second_tab() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    let (page, code) = (learner.page_of_pause().await, learner.reads_value("code").await);
    learner.reloads().await;
    learner.is_held_at(Pause::TokenRequest).await;
    assert_eq!(learner.reads_value("code").await, code);

    learner.follows("See the flow").await;
    learner.finds(".bench").await;
    learner.goes_back().await;
    learner.is_held_at(Pause::TokenRequest).await;

    learner.opens_a_tab().await;
    learner.opens(&page).await;
    learner.is_held_at(Pause::TokenRequest).await;
    assert_eq!(learner.reads_value("code").await, code);
    assert_eq!(pair.token_calls(), 0);
}

#[actix_web::test]
async fn a_page_that_was_left_behind_lets_nothing_go() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::Callback).await;
    let page = learner.page_of_pause().await;
    learner.opens_a_tab().await;
    learner.opens(&page).await;
    learner.is_held_at(Pause::Callback).await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenRequest).await;

    // The first tab still shows the callback.
    learner.turns_to_tab(0).await;
    learner.is_held_at(Pause::Callback).await;
    learner.types_value("state", "made-up").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenRequest).await;
    assert_eq!(pair.token_calls(), 0);
    learner.steps_on(Pause::TokenRequest, Pause::UserinfoResponse).await;
    learner.lets_go().await;
    learner.is_welcomed().await;

    // Whoever comes back to a login that is over is led to where it ended.
    learner.turns_to_tab(1).await;
    learner.reloads().await;
    learner.is_welcomed().await;
    assert_eq!(pair.token_calls(), 1);
}

#[actix_web::test]
async fn back_says_where_a_login_goes_on() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.goes_step_by_step().await;
    let page = learner.page_of_pause().await;
    learner.lets_go().await;
    learner.is_held_at(Pause::LoginPage).await;
    learner.opens(&page).await;
    learner.sees("This login goes on at the IdP").await;
    learner.goes_back().await;
    learner.is_held_at(Pause::LoginPage).await;
    learner.lets_go().await;
    learner.finds(SIGN_IN).await;
    learner.goes_back().await;
    learner.sees("This login goes on with the IdP’s pages").await;
    learner.goes_forward().await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_held_at(Pause::AuthorizationResponse).await;
    let page = learner.page_of_pause().await;
    learner.lets_go().await;
    learner.is_held_at(Pause::Callback).await;
    learner.opens(&page).await;
    learner.sees("This login goes on at the RP").await;
    learner.goes_back().await;
    learner.is_held_at(Pause::Callback).await;
    learner.clicks(RUN).await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn back_to_a_login_that_went_on_without_stopping_leads_to_its_flow() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.goes_step_by_step().await;
    let page = learner.page_of_pause().await;
    learner.clicks(RUN).await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.opens(&page).await;
    learner.sees("This login went on without stopping").await;
    learner.follows("See the flow").await;
    learner.finds(".bench").await;
    learner.sees("Success").await;
}

#[actix_web::test]
async fn back_after_a_message_was_let_go_shows_what_is_held_now() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenResponse).await;
    learner.goes_back().await;
    learner.is_held_at(Pause::TokenResponse).await;
    assert_eq!(pair.token_calls(), 1);
    learner.steps_on(Pause::TokenResponse, Pause::UserinfoResponse).await;
    learner.lets_go().await;
    learner.is_welcomed().await;
    learner.goes_back().await;
    learner.is_welcomed().await;
    assert_eq!(pair.token_calls(), 1);
}

#[actix_web::test]
async fn another_browser_sees_nothing_of_what_is_held() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    let page = learner.page_of_pause().await;
    let stranger = Learner::of(&pair).await;
    stranger.opens(&page).await;
    stranger.sees("Nothing is held here any more").await;
    assert_eq!(stranger.counts("input").await, 0);
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
}

#[actix_web::test]
async fn two_logins_in_two_tabs_do_not_disturb_each_other() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.steps_to(Pause::TokenRequest).await;
    let first = learner.page_of_pause().await;
    let code = learner.reads_value("code").await;
    learner.opens_a_tab().await;
    learner.steps_to(Pause::Callback).await;
    assert_ne!(learner.page_of_pause().await, first);
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenRequest).await;
    assert_ne!(learner.reads_value("code").await, code);
    learner.adds_to_value("code_verifier", "x").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    learner.sees("invalid_grant comes").await;

    learner.turns_to_tab(0).await;
    learner.reloads().await;
    learner.is_held_at(Pause::TokenRequest).await;
    assert_eq!(learner.reads_value("code").await, code);
    learner.steps_on(Pause::TokenRequest, Pause::UserinfoResponse).await;
    learner.lets_go().await;
    learner.is_welcomed().await;

    learner.turns_to_tab(1).await;
    learner.finds(SEND).await;
    learner.lets_go().await;
    learner.sees("The Identity Provider refused to give tokens").await;
}

#[actix_web::test]
async fn what_can_be_done_is_in_sight_without_scrolling() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.goes_step_by_step().await;
    let script = "const { top, bottom } = document.querySelector(arguments[0]).getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;";
    for (here, next) in Pause::LOGIN.into_iter().zip(Pause::LOGIN.into_iter().skip(1).map(Some).chain([None]))
    {
        learner.is_held_at(here).await;
        for width in [1280, 1024] {
            learner.widens_to(width).await;
            let seen = learner.evaluates(script, vec![SEND.into()]).await;
            assert_eq!(seen, true, "{here:?}, {width} pixels");
            assert_eq!(learner.overflow().await, 0, "{here:?}, {width} pixels");
        }
        learner.widens_to(1280).await;
        if let Some(next) = next {
            learner.steps_on(here, next).await;
        }
    }
    assert_eq!(learner.counts(&value_of("authorization")).await, 0);
}
