//! The answer in a form: with scripts and without, across sites, and what Back does.

use e2e::{
    chrome::Profile,
    learner::{LOGIN, Learner},
    pair::Pair,
    stepping::SEND,
    stranger::Stranger,
};
use idp::{demo, domain::redirect_uri::RedirectUri};
use shared::flow::Pause;

/// The button of the page that brings the answer.
const RETURN: &str = "form[action$='/auth'] button";

async fn logs_in_by_form(learner: &Learner, scripts: bool) {
    learner.opens_the_options().await;
    learner.clicks("#w-response_mode option[value=form_post]").await;
    learner.clicks(LOGIN).await;
    learner.signs_in().await;
    learner.allows().await;
    if !scripts {
        learner.sees("Returning to").await;
        learner.clicks(RETURN).await;
    }
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn a_login_by_form_needs_no_click_and_leaves_its_code_in_no_address() {
    for host in ["127.0.0.1", "localhost"] {
        let pair = Pair::start_with(host, |_| ());
        let learner = Learner::of(&pair).await;
        logs_in_by_form(&learner, true).await;
        learner.is_at(&format!("{}/", pair.home)).await;
        let visited = learner.visited().await;
        let asked = visited.iter().find(|page| page.path() == "/oauth/authorize").unwrap();
        assert!(asked.query_pairs().any(|(name, value)| name == "response_mode" && value == "form_post"));
        let back = visited.iter().filter(|page| page.path().starts_with("/auth"));
        assert_eq!(back.clone().count(), 2, "a form, and a look with the cookies: {visited:?}");
        assert!(back.clone().all(|page| page.query().is_none()), "{visited:?}");
        assert_eq!((pair.token_calls(), learner.complaints().await), (1, vec![]));
    }
}

#[actix_web::test]
async fn a_login_by_form_works_without_scripts() {
    for host in ["127.0.0.1", "localhost"] {
        let pair = Pair::start_with(host, |_| ());
        let learner = Learner::with(&pair, Profile { scripts: false, ..Profile::default() }).await;
        logs_in_by_form(&learner, false).await;
        assert_eq!(pair.token_calls(), 1);
    }
}

#[actix_web::test]
async fn who_says_no_comes_back_by_form_too() {
    let pair = Pair::start_with("localhost", |_| ());
    let learner = Learner::of(&pair).await;
    learner.opens(&format!("{}/login?response_mode=form_post", pair.home)).await;
    learner.signs_in().await;
    learner.cancels().await;
    learner.sees("access_denied").await;
    learner.is_at(&format!("{}/", pair.home)).await;
}

#[actix_web::test]
async fn r12_back_after_a_login_by_form_says_that_it_is_answered() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    logs_in_by_form(&learner, true).await;
    learner.goes_back().await;
    learner.sees("You have already answered").await;
    learner.follows("Back to the app").await;
    learner.is_welcomed().await;
    learner.reloads().await;
    learner.is_welcomed().await;
    assert_eq!(pair.token_calls(), 1);
}

#[actix_web::test]
async fn r12_a_form_that_is_pressed_again_after_back_costs_nobody_their_session() {
    let pair = Pair::start_with_remembered_consent();
    let learner = Learner::with(&pair, Profile { scripts: false, ..Profile::default() }).await;
    logs_in_by_form(&learner, false).await;
    // Now nobody is asked: the page of the form is what the authorization endpoint shows.
    learner.opens(&format!("{}/login?response_mode=form_post&prompt=sso", pair.home)).await;
    learner.clicks(RETURN).await;
    learner.is_welcomed().await;
    learner.goes_back().await;
    learner.sees("Returning to").await;
    let calls = pair.token_calls();
    learner.clicks(RETURN).await;
    learner.sees("This login is already over").await;
    assert_eq!(pair.token_calls(), calls);
    learner.opens_home().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn r1_two_tabs_both_come_back_by_form() {
    let pair = Pair::start_with("localhost", |_| ());
    let learner = Learner::of(&pair).await;
    let login = format!("{}/login?response_mode=form_post", pair.home);
    learner.opens(&login).await;
    learner.opens_a_tab().await;
    learner.opens(&login).await;
    for tab in [1, 0] {
        learner.turns_to_tab(tab).await;
        learner.signs_in().await;
        learner.allows().await;
        learner.is_welcomed().await;
    }
    assert_eq!(pair.token_calls(), 2);
}

/// A policy of `form-action 'self'` would stop the browser here, and one with the client's address behind it.
#[actix_web::test]
async fn a_client_may_lead_on_from_a_form_to_a_third_origin() {
    let third = Stranger::that_shows("<h1>The third origin</h1>".to_owned());
    let client = Stranger::that_redirects_to(third.at("localhost"));
    let redirect_uri = RedirectUri::parse(&format!("{}/auth", client.at("127.0.0.1"))).unwrap();
    let pair = Pair::start_with("127.0.0.1", |idp| idp.clients = demo::clients(&redirect_uri));
    let learner = Learner::of(&pair).await;
    let question = pair.question("client1", "openid", "response_mode=form_post");
    learner.opens(&question.replace(&format!("{}/auth", pair.home), redirect_uri.as_str())).await;
    learner.signs_in().await;
    learner.allows().await;
    learner.sees("The third origin").await;
    assert_eq!(learner.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn a_form_is_held_and_let_go_step_by_step() {
    let pair = Pair::start_with("localhost", |_| ());
    let learner = Learner::of(&pair).await;
    learner.opens(&format!("{}/login?response_mode=form_post&pace=step", pair.home)).await;
    learner.is_held_at(Pause::AuthorizationRequest).await;
    learner.steps_on(Pause::AuthorizationRequest, Pause::Callback).await;
    assert!(!learner.reads_value("code").await.is_empty());
    learner.clicks(SEND).await;
    learner.is_held_at(Pause::TokenRequest).await;
    learner.steps_on(Pause::TokenRequest, Pause::UserinfoResponse).await;
    learner.lets_go().await;
    learner.is_welcomed().await;
    assert_eq!(learner.complaints().await, [""; 0]);
}
