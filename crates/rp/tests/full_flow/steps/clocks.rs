//! The time machine: both clocks, or one of them, put forward and back.

use shared::flow::{Exchange, Party, Pause, Rule};

use super::walk::failed;
use crate::pair::{Browser, Pair, http};

impl Pair {
    /// Moves clocks with the form of the page.
    async fn travels(&self, skip: &str, side: &str) -> Browser {
        let mut browser = Browser::default();
        browser.opens(&format!("{}/time", self.rp)).await;
        let token = browser.text.split_once(r#"name="csrf" value=""#).unwrap().1.split('"').next().unwrap();
        let form = [("csrf", token), ("skip", skip), ("side", side), ("next", "/time")];
        let sent =
            http().post(format!("{}/time", self.rp)).header("sec-fetch-site", "same-origin").form(&form);
        assert_eq!(sent.send().await.unwrap().status(), 303);
        browser.opens(&format!("{}/time", self.rp)).await;
        browser
    }

    /// What the provider's home page says of its clock.
    async fn idp_is_ahead(&self) -> bool {
        let mut browser = Browser::default();
        browser.opens(&format!("{}/", self.idp)).await;
        browser.text.contains("This clock is")
    }
}

#[actix_web::test]
async fn a_session_ends_when_both_clocks_are_put_forward_and_is_back_when_they_are_right() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    let page = pair.travels("60", "both").await;
    assert!(page.text.contains("This clock is 60 min ahead") && pair.idp_is_ahead().await, "{}", page.text);
    assert!(!pair.greets(&mut browser).await, "an hour is longer than the ID token is good for");
    assert!(browser.text.contains("so your session has ended"), "{}", browser.text);
    let page = pair.travels("back", "both").await;
    assert!(!page.text.contains("This clock is") && !pair.idp_is_ahead().await, "{}", page.text);
}

#[actix_web::test]
async fn what_began_in_a_time_that_never_was_ends_with_it() {
    let pair = Pair::start();
    let mut before = Browser::default();
    pair.signs_in(&mut before).await;
    pair.travels("10", "both").await;
    let mut since = Browser::default();
    pair.signs_in(&mut since).await;
    let mut under_way = pair.is_held_at(Pause::TokenRequest).await;
    pair.travels("back", "both").await;
    assert!(!pair.greets(&mut since).await, "a session of that time");
    assert!(pair.greets(&mut before).await, "a session of the present");
    since.opens(&format!("{}/login?prompt=none", pair.rp)).await;
    assert!(since.text.contains("login_required"), "the provider's session of that time: {}", since.text);
    under_way.sends().await;
    assert!(under_way.text.contains("Nothing is held here any more"), "{}", under_way.text);
}

#[actix_web::test]
async fn i3_a_code_grows_old_in_a_moment() {
    let pair = Pair::start_with(&["--code-lifetime", "60"], &[]);
    let mut browser = pair.is_held_at(Pause::TokenRequest).await;
    pair.travels("1", "both").await;
    browser.opens(browser.page.clone().unwrap().as_str()).await;
    assert!(browser.text.contains("time is up"), "{}", browser.text);
    browser.sends().await;
    browser.goes_on_to_the_end().await;
    assert_eq!(failed(&pair.latest().await), [(Party::Idp, Rule::CodeFresh)]);
}

#[actix_web::test]
async fn r5_when_one_clock_alone_is_ahead_the_id_token_is_from_another_time() {
    for (side, rule) in [("idp", Rule::IssuedAt), ("rp", Rule::Expiry)] {
        let pair = Pair::start();
        let page = pair.travels(if side == "idp" { "10" } else { "60" }, side).await;
        assert!(page.text.contains("Experiment: the two clocks disagree"), "{}", page.text);
        if side == "rp" {
            // An hour and the tolerance.
            pair.travels("1", side).await;
        }
        let mut browser = Browser::default();
        browser.opens(&format!("{}/login", pair.rp)).await;
        browser.goes_on_to_the_end().await;
        assert_eq!(failed(&pair.latest().await), [(Party::Rp, rule)], "{side}");
        assert!(!pair.greets(&mut browser).await);
    }
}

#[actix_web::test]
async fn what_is_known_of_the_provider_does_not_travel() {
    let pair = Pair::start();
    pair.travels("60", "both").await;
    pair.signs_in(&mut Browser::default()).await;
    pair.travels("back", "both").await;
    // The provider has new keys; the RP fetches them although it has looked in the time ahead.
    pair.clock.advance(std::time::Duration::from_secs(6));
    let asked = |pair: &Pair| {
        let flows = pair.flows();
        let events = flows.iter().flat_map(|flow| flow.events.clone()).collect::<Vec<_>>();
        crate::flows::messages(&events).filter(|(_, it)| it.exchange == Exchange::Discovery).count()
    };
    let before = asked(&pair);
    pair.signs_in(&mut Browser::default()).await;
    assert!(asked(&pair) > before, "the metadata of the time ahead is not fresh for an hour");
}

#[actix_web::test]
async fn only_a_client_moves_the_clock_of_the_provider_and_only_so_far() {
    let pair = Pair::start();
    let steps = format!("{}/flows/steps", pair.idp);
    let stranger = http().post(&steps).form(&[("skip", "60")]).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    for skip in ["-1", "x", "604801", "18446744073709551615"] {
        let sent = http().post(&steps).basic_auth("client1", Some("client1-secret")).form(&[("skip", skip)]);
        assert_eq!(sent.send().await.unwrap().status(), 400, "{skip}");
    }
    assert!(!pair.idp_is_ahead().await);
    let forged = [("csrf", "guessed"), ("skip", "60")];
    let sent = http().post(format!("{}/time", pair.rp)).header("sec-fetch-site", "same-origin").form(&forged);
    assert_eq!(sent.send().await.unwrap().status(), 403);
}

#[actix_web::test]
async fn i7_no_page_in_a_browser_moves_the_clock_of_the_provider() {
    let pair = Pair::start();
    let moves = || {
        let named = [("client_id", "client-public"), ("skip", "60")];
        http().post(format!("{}/flows/steps", pair.idp)).form(&named)
    };
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", pair.rp.as_str()),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "same-origin"),
    ] {
        let status = moves().header(name, value).send().await.unwrap().status();
        assert_eq!(status, 403, "{name}: {value}");
        assert!(!pair.idp_is_ahead().await, "{name}: {value}");
    }
    assert_eq!(moves().send().await.unwrap().status(), 200);
}

#[actix_web::test]
async fn r11_who_has_travelled_goes_back_to_a_page_of_this_site_only() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    for next in ["//evil.example", "/\\evil.example", "https://evil.example"] {
        browser.opens(&format!("{}/time?next={next}", pair.rp)).await;
        assert!(browser.text.contains(r#"name="next" value="/""#), "{next}: {}", browser.text);
    }
}
