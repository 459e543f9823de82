//! Logging out: here and at the provider.

use std::collections::HashMap;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    browser::{Answer, Browser, http},
    keys::HONEST,
    provider::Canned,
    world::{World, is_signed_in},
};

const DISCOVERY: &str = "/.well-known/openid-configuration";

async fn csrf(browser: &mut Browser) -> String {
    let page = browser.opens("/logout").await;
    assert_eq!(page.status, 200);
    let (_, rest) = page.text.split_once(r#"name="csrf" value=""#).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Submits the form of the logout page by its first button.
async fn logs_out(browser: &mut Browser) -> Answer {
    let token = csrf(browser).await;
    browser.submits("/logout", &[("csrf", &token)]).await
}

/// What the provider is told.
fn told(answer: &Answer) -> HashMap<String, String> {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.location().query_pairs().into_owned().collect()
}

/// The browser comes back from the provider.
async fn comes_back(browser: &mut Browser, state: &str) -> Answer {
    browser.opens(&format!("/logout/done?state={state}")).await
}

#[actix_web::test]
async fn r14_a_get_asks_and_a_post_from_that_page_signs_out_of_both() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let token = csrf(&mut browser).await;
    assert!(is_signed_in(&mut browser).await, "asking ends nothing");
    let mut copied = browser.clone();
    let away = browser.submits("/logout", &[("csrf", &token)]).await;
    assert!(away.location().as_str().starts_with(&format!("{}/end-session?", world.provider.issuer)));
    assert!(!is_signed_in(&mut copied).await, "the old key is dead before the provider is asked");
    assert!(comes_back(&mut browser, &told(&away)["state"]).await.leads_to("/"));
    assert!(browser.opens("/").await.says("notice.signed_out_of_both"));
    assert!(!browser.opens("/").await.says("notice.signed_out_of_both"));
    assert!(!browser.cookies.iter().any(|kept| kept.name == "rp_attempt_logout"));
}

#[actix_web::test]
async fn the_provider_is_told_whose_session_ends_and_where_to_lead_back() {
    let world = World::start_with(&["--scope", "openid"]);
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    // The hint is the ID token of this login, not of an earlier one.
    let login = world.begins(&mut browser).await;
    let id_token = HONEST.token(&world.claims(&login));
    world.provider.issues(&id_token);
    assert!(world.comes_back(&mut browser, &login).await.leads_to("/"));
    let away = logs_out(&mut browser).await;
    let mut told = told(&away);
    assert_eq!(told.remove("state").unwrap().len(), 43, "256 bits");
    let expected = [
        ("id_token_hint", id_token),
        ("client_id", "client1".to_owned()),
        ("post_logout_redirect_uri", format!("{}/logout/done", world.origin)),
        ("ui_locales", "en".to_owned()),
    ];
    assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value)).into());
    let cookie = away.set_cookies.iter().find(|cookie| cookie.starts_with("rp_attempt_logout=")).unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/logout/done", "Max-Age=600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(away.header("referrer-policy"), "no-referrer");
}

#[actix_web::test]
async fn r14_whose_session_has_ended_here_can_still_end_the_providers() {
    for opened_in_time in [true, false] {
        let world = World::start();
        let mut browser = world.browser();
        let login = world.begins(&mut browser).await;
        let id_token = HONEST.token(&world.claims(&login));
        world.provider.issues(&id_token);
        world.comes_back(&mut browser, &login).await;
        assert!(!browser.opens("/logout").await.says("logout.what.ended"));
        let early = csrf(&mut browser).await;
        world.passes(3600);
        let home = browser.opens("/").await;
        assert!(
            home.says("notice.session_ended") && home.text.contains(r#"href="/logout""#),
            "{}",
            home.text
        );
        browser.submits("/logout", &[("csrf", "made-up")]).await.is_problem(403, "csrf");
        let away = if opened_in_time {
            browser.submits("/logout", &[("csrf", &early)]).await
        } else {
            assert!(browser.opens("/logout").await.says("logout.what.ended"));
            logs_out(&mut browser).await
        };
        let told = told(&away);
        assert_eq!(told["id_token_hint"], id_token);
        let home = browser.opens("/").await;
        assert!(!home.says("notice.session_ended") && !home.text.contains(r#"href="/logout""#));
        assert!(comes_back(&mut browser, &told["state"]).await.leads_to("/"));
        assert!(browser.opens("/").await.says("notice.signed_out_of_both"));
    }
}

#[actix_web::test]
async fn an_address_that_has_a_query_already_keeps_it() {
    let world = World::start();
    let endpoint = format!("{}/end-session?tenant=a%26b", world.provider.issuer);
    world.provider.describes_itself(|document| document["end_session_endpoint"] = endpoint.clone().into());
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let away = logs_out(&mut browser).await;
    assert!(away.location().as_str().starts_with(&format!("{endpoint}&id_token_hint=")), "{away:?}");
}

#[actix_web::test]
async fn the_user_may_choose_to_sign_out_of_this_app_only() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let token = csrf(&mut browser).await;
    let answer = browser.submits("/logout", &[("csrf", &token), ("only", "app")]).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    assert!(browser.opens("/").await.says("notice.signed_out"));
    assert!(!is_signed_in(&mut browser).await);
}

#[actix_web::test]
async fn r14_a_state_that_is_missing_wrong_or_used_is_refused_and_nothing_is_claimed() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let state = told(&logs_out(&mut browser).await)["state"].clone();
    let cut = &state[..42];
    for target in [
        "/logout/done".to_owned(),
        "/logout/done?state=".to_owned(),
        "/logout/done?state=made-up".to_owned(),
        format!("/logout/done?state={cut}"),
    ] {
        let answer = browser.opens(&target).await;
        answer.is_problem(400, "logout_unknown");
        answer.names_check("logout_state");
        assert!(!browser.opens("/").await.says("notice.signed_out_of_both"), "{target}");
    }
    let twice = browser.opens(&format!("/logout/done?state={state}&state={state}")).await;
    twice.is_problem(400, "malformed");
    assert!(comes_back(&mut browser, &state).await.leads_to("/"), "nothing was used up");
    comes_back(&mut browser, &state).await.is_problem(400, "logout_unknown");
}

#[actix_web::test]
async fn r14_the_return_of_another_browser_is_refused_and_the_owner_can_still_come_back() {
    let world = World::start();
    let (mut attacker, mut victim) = (world.browser(), world.browser());
    world.logs_in(&mut attacker).await;
    world.logs_in(&mut victim).await;
    let state = told(&logs_out(&mut attacker).await)["state"].clone();
    logs_out(&mut victim).await;
    for browser in [&mut victim, &mut world.browser()] {
        let answer = comes_back(browser, &state).await;
        answer.is_problem(400, "logout_unknown");
        answer.names_check("logout_state");
    }
    assert!(comes_back(&mut attacker, &state).await.leads_to("/"));
}

#[actix_web::test]
async fn r14_of_many_returns_at_once_one_is_expected() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let state = told(&logs_out(&mut browser).await)["state"].clone();
    let mut tabs: Vec<_> = (0..20).map(|_| browser.clone()).collect();
    let answers = join_all(tabs.iter_mut().map(|tab| comes_back(tab, &state))).await;
    assert_eq!(answers.iter().filter(|answer| answer.leads_to("/")).count(), 1);
}

#[actix_web::test]
async fn r14_a_logout_is_waited_for_as_long_as_a_login() {
    for (seconds, in_time) in [(599, true), (600, false)] {
        let world = World::start();
        let mut browser = world.browser();
        world.logs_in(&mut browser).await;
        let state = told(&logs_out(&mut browser).await)["state"].clone();
        world.passes(seconds);
        let answer = comes_back(&mut browser, &state).await;
        if in_time {
            assert!(answer.leads_to("/"), "{answer:?}");
        } else {
            answer.is_problem(400, "logout_unknown");
        }
    }
}

#[actix_web::test]
async fn who_has_signed_in_again_meanwhile_is_not_told_to_be_signed_out() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let state = told(&logs_out(&mut browser).await)["state"].clone();
    world.logs_in(&mut browser).await;
    assert!(comes_back(&mut browser, &state).await.leads_to("/"));
    let home = browser.opens("/").await;
    assert!(home.text.contains(r#"action="/logout""#) && !home.says("notice.signed_out_of_both"));
}

/// Logs in, lets `change` happen at the provider, and logs out: the session here is over all the same.
async fn only_here_after(change: impl FnOnce(&World)) {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    world.passes(5);
    change(&world);
    let answer = logs_out(&mut browser).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    assert!(browser.opens("/").await.says("notice.provider_goes_on"));
    assert!(!is_signed_in(&mut browser).await);
}

#[actix_web::test]
async fn a_provider_without_the_endpoint_keeps_its_session_and_the_page_says_so() {
    only_here_after(|world| {
        world.provider.describes_itself(|document| {
            document.as_object_mut().unwrap().remove("end_session_endpoint");
        });
    })
    .await;
}

#[actix_web::test]
async fn r16_a_provider_that_does_not_answer_keeps_nobody_signed_in_here() {
    for failure in [Canned::Json(503, json!({})), Canned::Raw(200, "text/html", b"<html>".to_vec())] {
        only_here_after(|world| world.provider.answers(DISCOVERY, failure)).await;
    }
    only_here_after(|world| {
        world.provider.describes_itself(|document| document["issuer"] = "https://evil.example".into());
    })
    .await;
}

#[actix_web::test]
async fn r16_a_browser_is_not_sent_to_an_address_of_another_kind() {
    for endpoint in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "/end-session"] {
        let change = |document: &mut Value| document["end_session_endpoint"] = endpoint.into();
        only_here_after(|world| world.provider.describes_itself(change)).await;
        // Nor does a login begin at such a provider.
        let world = World::start();
        world.provider.describes_itself(change);
        world.browser().opens("/login").await.is_problem(502, "discovery_invalid");
    }
}

#[actix_web::test]
async fn r14_another_site_cannot_sign_anybody_out() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let token = csrf(&mut browser).await;
    let senders = [
        Some(("sec-fetch-site", "cross-site")),
        Some(("sec-fetch-site", "same-site")),
        Some(("origin", "http://127.0.0.1:5001")),
        Some(("origin", "null")),
        None,
    ];
    for sender in senders {
        let mut request = http().post(format!("{}/logout", world.origin)).form(&[("csrf", &token)]);
        if let Some((name, value)) = sender {
            request = request.header(name, value);
        }
        let answer = browser.sends("/logout", request).await;
        answer.is_problem(403, "foreign_origin");
    }
    assert!(is_signed_in(&mut browser).await);
}

#[actix_web::test]
async fn r14_a_form_without_the_token_of_this_session_is_refused() {
    let world = World::start();
    let (mut browser, mut other) = (world.browser(), world.browser());
    world.logs_in(&mut browser).await;
    world.logs_in(&mut other).await;
    let foreign = csrf(&mut other).await;
    for fields in [vec![], vec![("csrf", "")], vec![("csrf", foreign.as_str())]] {
        let answer = browser.submits("/logout", &fields).await;
        answer.is_problem(403, "csrf");
    }
    assert!(is_signed_in(&mut browser).await);
}

#[actix_web::test]
async fn only_the_own_session_ends() {
    let world = World::start();
    let (mut browser, mut other) = (world.browser(), world.browser());
    world.logs_in(&mut browser).await;
    world.logs_in(&mut other).await;
    logs_out(&mut browser).await;
    assert!(is_signed_in(&mut other).await);
}

#[actix_web::test]
async fn who_is_not_signed_in_is_led_home() {
    let world = World::start();
    let mut browser = world.browser();
    assert!(browser.opens("/logout").await.leads_to("/"));
    assert!(browser.submits("/logout", &[]).await.leads_to("/"));
}
