//! Going through a login step by step, with the real Relying Party and the real provider.

mod afterwards;
mod afterwards_spoiled;
mod clocks;
mod foretold;
mod spoiled;
mod verbs;
pub(crate) mod walk;

use std::time::Duration;

use futures_util::future::join_all;
use shared::flow::{Event, Line, Message, Outcome, Party, Pause, Recorded};

use crate::pair::{Browser, PASSWORD, Pair, http};

#[actix_web::test]
async fn a_login_is_held_at_every_message_in_its_order() {
    let pair = Pair::start();
    let mut browser = pair.begins_step_by_step().await;
    let mut held = Vec::new();
    while !browser.is_greeted() {
        held.extend(browser.held_at());
        browser.goes_on().await;
    }
    assert_eq!(held, Pause::LOGIN);
}

/// An event without what is different in every login.
pub(super) fn outline(it: &Recorded) -> String {
    let message = |message: &Message| {
        let line = match &message.line {
            Line::Request { method, target } => {
                let path = target.split('?').next().unwrap();
                let names: Vec<_> =
                    message.query().split('&').filter_map(|it| it.split('=').next()).collect();
                let path = path.rsplit_once("/in_").map_or(path, |(path, _)| path);
                // Whoever asks says how.
                let names: Vec<_> = names.into_iter().filter(|name| !matches!(*name, "" | "pace")).collect();
                format!("{method} {path} {names:?}")
            }
            Line::Status(status) => status.to_string(),
        };
        let headers = message.headers.iter().map(|(name, _)| name.as_str());
        // Whoever holds something has a cookie of its own.
        let headers: Vec<_> = headers.filter(|name| *name != "cookie").collect();
        format!("{:?} {:?} {:?} {line} {headers:?}", message.exchange, message.from, message.to)
    };
    match &it.event {
        Event::Message(it) => message(it),
        Event::Check(check) => format!("{:?} {:?}", check.rule, check.verdict),
        Event::Life(life) => format!("{life:?}"),
        Event::Release(release) => format!("{release:?}"),
    }
}

#[actix_web::test]
async fn when_nothing_is_edited_the_same_is_recorded_as_without_stopping() {
    let pair = Pair::start();
    pair.signs_in(&mut Browser::default()).await;
    let straight = pair.latest().await;
    // The provider's metadata and keys are asked for again.
    let pair = Pair::start();
    pair.is_held_at(Pause::UserinfoResponse).await.goes_on().await;
    let held = pair.latest().await;
    for party in [Party::Rp, Party::Idp] {
        let of = |events: &[Recorded]| -> Vec<_> {
            events.iter().filter(|it| it.by == party).map(outline).collect()
        };
        assert_eq!(of(&straight), of(&held));
    }
}

#[actix_web::test]
async fn ten_logins_of_one_browser_are_held_at_once() {
    let pair = Pair::start();
    let mut browsers = vec![pair.begins_step_by_step().await];
    for _ in 1..10 {
        let mut tab = Browser { cookies: browsers[browsers.len() - 1].cookies.clone(), ..Browser::default() };
        tab.opens(&format!("{}/login?pace=step", pair.rp)).await;
        browsers.push(tab);
    }
    assert_eq!(pair.flows().len(), 10);
    // All of them go on at the same time, each in its own tab.
    let all_cookies = browsers.iter().flat_map(|tab| tab.cookies.clone()).collect::<Vec<_>>();
    for tab in &mut browsers {
        tab.cookies = all_cookies.iter().cloned().collect();
    }
    let walks = browsers.into_iter().map(|mut tab| async move {
        tab.goes_on_to_the_end().await;
        assert!(tab.is_greeted(), "{:?} {}", tab.page, tab.text);
    });
    join_all(walks).await;
    for flow in pair.flows() {
        assert_eq!(pair.tells(&flow.events).outcome, Outcome::SignedIn);
    }
}

#[actix_web::test]
async fn a_reload_a_second_tab_and_a_page_left_behind_show_the_same_pause() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::TokenRequest).await;
    let page = browser.page.clone().unwrap();
    let left_behind = browser.text.clone();
    browser.opens(page.as_str()).await;
    assert_eq!(browser.held_at(), Some(Pause::TokenRequest));
    // Whoever loads the callback again is led to what is held.
    let (_, message) = latest_callback(&pair);
    browser.opens(&format!("{}{message}", pair.rp)).await;
    assert_eq!(browser.held_at(), Some(Pause::TokenRequest));
    browser.sends().await;
    assert_eq!(browser.held_at(), Some(Pause::TokenResponse));
    browser.text = left_behind;
    browser.submits(None, &[("do", "drop")]).await;
    assert_eq!(browser.held_at(), Some(Pause::TokenResponse), "what was left behind lets nothing go");
    browser.goes_on_to_the_end().await;
    assert!(browser.is_greeted());
    browser.opens(page.as_str()).await;
    assert!(browser.is_greeted(), "a login that is over leads to where it led");
}

fn latest_callback(pair: &Pair) -> (Party, String) {
    let flow = pair.flows().remove(0);
    let target = crate::flows::messages(&flow.events).find_map(|(by, message)| match &message.line {
        Line::Request { target, .. } if target.starts_with("/auth?") => Some((by, target.clone())),
        _ => None,
    });
    target.unwrap()
}

#[actix_web::test]
async fn nobody_else_sees_what_is_held_or_lets_it_go() {
    let pair = Pair::start();
    let browser = pair.is_held_at(Pause::TokenRequest).await;
    let page = browser.page.clone().unwrap();
    let mut stranger = Browser::default();
    stranger.opens(page.as_str()).await;
    assert!(stranger.text.contains("Nothing is held here any more"), "{}", stranger.text);
    assert!(!stranger.text.contains("code_verifier"));

    let cookies: Vec<_> =
        browser.cookies.iter().map(|((name, _), value)| format!("{name}={value}")).collect();
    let post = |cookies: &str, origin: &str, form: &[(&str, &str)]| {
        let request = http().post(page.clone()).header("cookie", cookies).header("sec-fetch-site", origin);
        request.form(form).send()
    };
    let own = cookies.join("; ");
    let forged = [("do", "send"), ("turn", "3"), ("csrf", "guessed")];
    assert_eq!(post(&own, "same-origin", &forged).await.unwrap().status(), 403);
    assert_eq!(post(&own, "cross-site", &forged).await.unwrap().status(), 403);
    assert_eq!(post("", "same-origin", &forged).await.unwrap().status(), 404);
    let mut browser = browser;
    browser.goes_on_to_the_end().await;
    assert!(browser.is_greeted());
}

#[actix_web::test]
async fn what_another_browser_is_told_is_not_held_for_whoever_began_the_login() {
    let pair = Pair::start();
    let mut attacker = Browser::default();
    attacker.opens(&format!("{}/login?pace=step&prompt=sso", pair.rp)).await;
    attacker.sends().await;
    assert_eq!(attacker.held_at(), Some(Pause::LoginPage));
    // The attacker's authorization request, opened by somebody else who is signed in at the provider.
    let mut victim = Browser::default();
    pair.signs_in(&mut victim).await;
    let flow = pair.flows().into_iter().last().unwrap();
    let began =
        crate::flows::messages(&flow.events).find_map(|(_, it)| it.header("location").map(ToOwned::to_owned));
    victim.opens(&began.unwrap()).await;
    assert!(victim.is_at(&format!("{}/consent/", pair.idp)), "{:?}", victim.page);
    victim.goes_on().await;
    assert!(victim.text.contains("HTTP 400"), "the code comes back with the wrong browser: {}", victim.text);
    attacker.opens(attacker.page.clone().unwrap().as_str()).await;
    assert!(!attacker.text.contains("name=\"params.raw\""), "{}", attacker.text);
    assert!(!attacker.text.contains("/consent/"), "{}", attacker.text);
}

#[actix_web::test]
async fn outside_the_demo_nobody_is_shown_what_the_client_proves_itself_with() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let client2 = ["--client-id", "client2", "--client-secret", "client2-secret"];
        let flags = [&client2[..], &["--token-endpoint-auth-method", method]].concat();
        let pair = Pair::start_with(&[], &flags);
        let mut browser = pair.is_held_at(Pause::TokenRequest).await;
        for secret in ["client2-secret", "Y2xpZW50MjpjbGllbnQyLXNlY3JldA"] {
            assert!(!browser.text.contains(secret), "{method}: {}", browser.text);
        }
        // It can be edited all the same, and what was never shown goes along.
        let (params, headers) =
            (browser.lines("params.raw"), browser.lines("headers.raw") + "\nx-extra: 1\ncontent-length: 3\n");
        let form = [
            ("do", "send"),
            ("params.as", "raw"),
            ("params.raw", params.as_str()),
            ("headers.as", "raw"),
            ("headers.raw", headers.as_str()),
        ];
        browser.lets_go(&form).await;
        // client2 is registered for the first of the two.
        let there = pair.provider.recorder.as_ref().unwrap().flows(1, |_| true);
        let there = serde_json::to_string(&there[0].events).unwrap();
        assert!(
            there.contains("client2:client2-secret")
                || there.contains("Y2xpZW50MjpjbGllbnQyLXNlY3JldA")
                || there.contains("client_secret=client2-secret"),
            "{method}: {there}"
        );
        assert_eq!(
            browser.lines("body").contains("access_token"),
            method == "client_secret_basic",
            "{}",
            browser.text
        );
        browser.goes_on_to_the_end().await;
        // Who is refused as a client is told nothing of the provider's half.
        let registered = method == "client_secret_basic";
        let events = if registered { pair.latest().await } else { pair.flows().remove(0).events.clone() };
        let written = serde_json::to_string(&events).unwrap();
        assert!(written.contains("x-extra") && !written.contains("client2-secret"), "{written}");
    }
}

#[actix_web::test]
async fn outside_the_demo_nobody_is_shown_an_assertion_that_has_not_been_sent() {
    let pem = idp::keys::SigningKey::generate_pem(idp::keys::KeyAlg::Es256).unwrap();
    let file = std::env::temp_dir().join(format!("rp-key-{}.pem", std::process::id()));
    std::fs::write(&file, pem).unwrap();
    let (method, key) = (["--token-endpoint-auth-method", "private_key_jwt"], file.to_str().unwrap());
    let flags = [&["--client-id", "client-private-key", "--client-key", key][..], &method].concat();
    let pair = Pair::start_with(&[], &flags);
    std::fs::remove_file(&file).unwrap();
    let mut browser = pair.is_held_at(Pause::TokenRequest).await;
    let params = browser.lines("params.raw");
    assert!(params.contains("client_assertion=[not-recorded]"), "{params}");
    assert!(!browser.text.contains("eyJ"), "{}", browser.text);
    // It goes along all the same, also with a request that was edited.
    let form = [("do", "send"), ("params.as", "raw"), ("params.raw", &*format!("{params}&extra=1"))];
    browser.lets_go(&form).await;
    browser.goes_on_to_the_end().await;
    assert!(browser.is_greeted(), "{}", browser.text);
}

#[actix_web::test]
async fn who_wants_to_stop_no_more_stops_at_neither_server() {
    for pause in Pause::LOGIN {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(pause).await;
        browser.lets_go(&[("do", "run")]).await;
        while !browser.is_greeted() {
            assert_eq!(browser.held_at(), None, "after {pause:?}");
            browser.goes_on().await;
        }
    }
}

#[actix_web::test]
async fn a_login_that_is_not_recorded_is_not_held() {
    let off = ["--record", "off"];
    let pair = Pair::start_with(&off, &off);
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login?pace=step", pair.rp)).await;
    assert!(browser.is_at(&format!("{}/login/", pair.idp)), "{:?}", browser.page);
    browser.submits(None, &PASSWORD).await;
    browser.goes_on_to_the_end().await;
    assert!(browser.is_greeted());
    for address in
        [format!("{}/step/x", pair.rp), format!("{}/time", pair.rp), format!("{}/step/x", pair.idp)]
    {
        assert_eq!(http().get(&address).send().await.unwrap().status(), 404, "{address}");
    }
    browser.opens(&format!("{}/logout", pair.rp)).await;
    browser.submits(None, &[]).await;
    assert!(!browser.text.contains(r#"name="pace""#), "{}", browser.text);
    // Where the provider records nothing the RP stops by itself.
    let pair = Pair::start_with(&off, &[]);
    let mut browser = pair.begins_step_by_step().await;
    browser.sends().await;
    assert!(browser.is_at(&format!("{}/login/", pair.idp)), "{:?}", browser.page);
    browser.goes_on_to(Pause::Callback).await;
    browser.goes_on_to_the_end().await;
    assert!(browser.is_greeted());
}

#[actix_web::test]
async fn without_any_page_of_the_provider_only_its_answer_is_held_there() {
    let pair = Pair::start_with(&[], &["--client-id", "client2", "--client-secret", "client2-secret"]);
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    browser.opens(&format!("{}/login?pace=step&prompt=sso", pair.rp)).await;
    let mut held = Vec::new();
    while let Some(pause) = browser.held_at() {
        held.push(pause);
        browser.sends().await;
    }
    assert!(browser.is_greeted());
    let without_page: Vec<_> = Pause::LOGIN.into_iter().filter(|pause| *pause != Pause::LoginPage).collect();
    assert_eq!(held, without_page);
}

#[actix_web::test]
async fn a_login_that_takes_too_long_while_it_is_held_is_over() {
    for pause in [Pause::AuthorizationRequest, Pause::Callback, Pause::TokenResponse, Pause::UserinfoResponse]
    {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(pause).await;
        pair.clock.advance(Duration::from_secs(600));
        browser.sends().await;
        assert!(browser.text.contains("Nothing is held here any more"), "{pause:?}: {}", browser.text);
        assert!(!pair.greets(&mut browser).await, "{pause:?}");
    }
}

#[actix_web::test]
async fn i3_a_code_that_was_held_for_too_long_buys_nothing() {
    let pair = Pair::start_with(&["--code-lifetime", "60"], &[]);
    let mut browser = pair.is_held_at(Pause::TokenRequest).await;
    assert!(browser.text.contains(r#"max="60" value="60""#), "{}", browser.text);
    pair.clock.advance(Duration::from_secs(61));
    browser.sends().await;
    assert_eq!(browser.held_at(), Some(Pause::TokenResponse));
    assert!(browser.text.contains("invalid_grant"), "{}", browser.text);
    browser.sends().await;
    assert!(browser.text.contains("HTTP 502"), "{}", browser.text);
    assert!(!pair.greets(&mut browser).await);
}
