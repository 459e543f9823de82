//! What a session does with its tokens: it refreshes them, gives them back, asks about them, shows them to the API.

use std::time::Duration;

use shared::flow::{Check, Entry, Event, Party, Recorded, Rule, State, Verdict};

use super::flows::messages;
use crate::pair::{AGREE, Browser, PASSWORD, Pair, http};

/// The demo scope, and the right to refresh.
const OFFLINE: &str = "scope=openid+profile+email+api.access+offline_access&prompt=consent";

impl Pair {
    /// Signs in with these wishes, and everything agreed to that was asked for.
    pub(crate) async fn signs_in_with(&self, browser: &mut Browser, wishes: &str) {
        browser.opens(&format!("{}/login?{wishes}", self.rp)).await;
        if browser.is_at(&format!("{}/login/", self.idp)) {
            browser.submits(None, &PASSWORD).await;
        }
        let asked: Vec<_> = AGREE.into_iter().chain([("scope", "offline_access")]).collect();
        browser.submits(None, &asked).await;
        assert!(browser.is_at(&format!("{}/", self.rp)), "{:?} {}", browser.page, browser.text);
    }

    /// A browser that is signed in, may refresh, and has the page of its tokens open.
    pub(crate) async fn at_the_tokens(&self) -> Browser {
        let mut browser = Browser::default();
        self.signs_in_with(&mut browser, &format!("{OFFLINE}&next=/tokens")).await;
        assert!(browser.is_at(&format!("{}/tokens", self.rp)), "{:?}", browser.page);
        browser
    }

    /// The messages of this kind in the flow of the login, as the RP saw them.
    async fn recorded(&self, entry: Entry) -> usize {
        let events = self.latest().await;
        let story = self.tells(&events);
        story.stage(entry).map_or(0, |stage| stage.messages.len())
    }
}

impl Browser {
    pub(crate) async fn does(&mut self, deed: &str) {
        self.submits(Some("/tokens"), &[("do", deed)]).await;
    }

    /// A token as the page shows it.
    pub(crate) fn token(&self, name: &str) -> String {
        let (_, rest) = self
            .text
            .split_once(&format!(r#"id="token-{name}">"#))
            .unwrap_or_else(|| panic!("{name}: {}", self.text));
        rest.split('<').next().unwrap().to_owned()
    }

    /// What the page says came of the latest deed.
    pub(crate) fn told(&self) -> &str {
        let (_, rest) = self.text.split_once(r#"id="done""#).unwrap_or_else(|| panic!("{}", self.text));
        rest.split("</section>").next().unwrap()
    }

    pub(crate) fn is_told(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.told().contains(text), "{text}: {}", self.told());
        }
    }
}

fn made(events: &[Recorded], rule: Rule) -> Vec<&Check> {
    let checks = events.iter().filter_map(|it| match &it.event {
        Event::Check(check) if it.by == Party::Rp && check.rule == rule => Some(check),
        _ => None,
    });
    checks.collect()
}

#[actix_web::test]
async fn a_refresh_brings_new_tokens_and_the_page_says_which_changed() {
    let pair = Pair::start();
    let mut browser = pair.at_the_tokens().await;
    let before = ["id_token", "access_token", "refresh_token"].map(|name| browser.token(name));
    pair.clock.advance(Duration::from_secs(5));
    browser.does("refresh").await;
    browser.is_told(&["HTTP 200"]);
    for (name, before) in ["id_token", "access_token", "refresh_token"].into_iter().zip(before) {
        assert_ne!(browser.token(name), before, "{name}");
    }
    assert_eq!(browser.text.matches("badge changed").count(), 3, "{}", browser.text);
    let events = pair.latest().await;
    for rule in [Rule::RenewedSubject, Rule::RenewedAuthTime] {
        let made = made(&events, rule);
        assert!(made.len() == 1 && made[0].verdict == Verdict::Passed, "{rule:?}: {made:?}");
    }
    assert_eq!(pair.recorded(Entry::Refresh).await, 2, "the request and its answer");
}

#[actix_web::test]
async fn i6_a_replaced_refresh_token_sent_again_ends_the_family() {
    let pair = Pair::start();
    let mut browser = pair.at_the_tokens().await;
    browser.does("refresh").await;
    browser.does("call_me").await;
    browser.is_told(&["HTTP 200", "client1"]);
    browser.does("replay").await;
    browser.is_told(&["HTTP 400", "invalid_grant"]);
    browser.does("call_me").await;
    browser.is_told(&["HTTP 401", "invalid_token"]);
    // The one who is signed in has lost the family too, and is told so however often.
    for _ in 0..2 {
        browser.does("refresh").await;
        browser.is_told(&["HTTP 400", "invalid_grant"]);
    }
}

#[actix_web::test]
async fn two_tabs_that_refresh_at_once_use_the_token_once_and_keep_the_new_one() {
    let pair = Pair::start();
    let browser = pair.at_the_tokens().await;
    let tab = || async {
        let mut tab = Browser {
            cookies: browser.cookies.clone(),
            page: browser.page.clone(),
            text: browser.text.clone(),
        };
        tab.does("refresh").await;
    };
    futures_util::future::join_all((0..8).map(|_| tab())).await;
    let mut after = browser;
    after.opens(&format!("{}/tokens", pair.rp)).await;
    after.does("introspect_refresh").await;
    after.is_told(&["&quot;active&quot;: true"]);
    after.does("refresh").await;
    after.is_told(&["HTTP 200"]);
}

#[actix_web::test]
async fn what_is_given_back_is_good_for_nothing() {
    let pair = Pair::start();
    let mut browser = pair.at_the_tokens().await;
    browser.does("introspect_access").await;
    browser.is_told(&["HTTP 200", "&quot;active&quot;: true", "api.access"]);
    browser.does("revoke_access").await;
    browser.is_told(&["HTTP 200"]);
    browser.does("introspect_access").await;
    browser.is_told(&["&quot;active&quot;: false"]);
    browser.does("call_me").await;
    browser.is_told(&["HTTP 401", "invalid_token"]);

    browser.does("revoke_refresh").await;
    browser.is_told(&["HTTP 200"]);
    browser.does("introspect_refresh").await;
    browser.is_told(&["&quot;active&quot;: false"]);
    browser.does("refresh").await;
    browser.is_told(&["HTTP 400", "invalid_grant"]);
    for (entry, most) in [(Entry::Revocation, 4), (Entry::Introspection, 6), (Entry::Api, 2)] {
        assert!(pair.recorded(entry).await >= most, "{entry:?}");
    }
    let events = pair.latest().await;
    let story = pair.tells(&events);
    let state = |entry| story.stage(entry).unwrap().state;
    for entry in [Entry::Introspection, Entry::Api, Entry::Refresh] {
        assert_eq!(state(entry), State::Refused, "{entry:?}");
    }
    assert_eq!(state(Entry::Revocation), State::Done);
}

#[actix_web::test]
async fn i19_the_api_says_which_scope_is_missing() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in_with(&mut browser, "scope=openid+profile&prompt=login&next=/tokens").await;
    browser.does("call_me").await;
    browser.is_told(&["HTTP 200"]);
    browser.does("call_notes").await;
    browser.is_told(&["HTTP 403", "insufficient_scope"]);
    assert!(browser.text.contains("offline_access"), "the page offers a login that may refresh");
}

#[actix_web::test]
async fn who_is_not_signed_in_signs_in_first_and_comes_back() {
    let pair = Pair::start();
    for (path, text) in [("/profile", "client1"), ("/tokens", "token-access_token")] {
        let mut browser = Browser::default();
        browser.opens(&format!("{}{path}", pair.rp)).await;
        assert!(browser.is_at(&format!("{}/login/", pair.idp)), "{:?}", browser.page);
        browser.submits(None, &PASSWORD).await;
        browser.submits(None, &AGREE).await;
        assert!(browser.is_at(&format!("{}{path}", pair.rp)), "{:?}", browser.page);
        assert!(browser.text.contains(text), "{}", browser.text);
    }
}

#[actix_web::test]
async fn r10_tokens_are_shown_only_where_flows_are_recorded() {
    let pair = Pair::start_with(&["--record", "off"], &["--record", "off"]);
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    assert!(!browser.text.contains(r#"href="/tokens""#) && browser.text.contains(r#"href="/profile""#));
    browser.opens(&format!("{}/profile", pair.rp)).await;
    assert!(
        browser.text.contains("client1") && !browser.text.contains(r#"href="/tokens""#),
        "{}",
        browser.text
    );
    let status = http().get(format!("{}/tokens", pair.rp)).send().await.unwrap().status();
    assert_eq!(status, 404);
}

#[actix_web::test]
async fn a_deed_without_the_pages_token_or_from_another_site_is_refused() {
    let pair = Pair::start();
    let browser = pair.at_the_tokens().await;
    let cookies: Vec<_> =
        browser.cookies.iter().map(|((name, _), value)| format!("{name}={value}")).collect();
    let send = |site: &'static str, form: &'static [(&str, &str)]| {
        let request = http().post(format!("{}/tokens", pair.rp)).header("sec-fetch-site", site);
        request.header("cookie", cookies.join("; ")).form(form).send()
    };
    assert_eq!(send("cross-site", &[("do", "refresh")]).await.unwrap().status(), 403);
    assert_eq!(send("same-origin", &[("do", "refresh")]).await.unwrap().status(), 403);
    assert_eq!(pair.recorded(Entry::Refresh).await, 0);
    let mut browser = browser;
    browser.does("steal").await;
    assert!(browser.text.contains("400"), "{}", browser.text);
}

#[actix_web::test]
async fn what_is_wished_for_at_a_login_stands_in_the_authorization_request() {
    let pair = Pair::start();
    let wishes = [
        ("scope", "openid profile"),
        ("max_age", "600"),
        ("acr_values", "urn:example:gold"),
        ("ui_locales", "ja en"),
        ("login_hint", "demo"),
        ("claims", r#"{"id_token":{"email":null}}"#),
    ];
    let query: Vec<_> =
        wishes.map(|(name, value)| format!("{name}={}", shared::params::encode(value))).into_iter().collect();
    let answer = http().get(format!("{}/login?{}", pair.rp, query.join("&"))).send().await.unwrap();
    let location = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    for (name, value) in wishes {
        assert!(location.query_pairs().any(|it| it == (name.into(), value.into())), "{name}: {location}");
    }
    // The home page has a list of prompts, and buttons behind it that say another one.
    let answer =
        http().get(format!("{}/login?prompt=login&prompt=select_account", pair.rp)).send().await.unwrap();
    assert!(answer.headers()["location"].to_str().unwrap().contains("prompt=select_account"));
    for mistaken in ["prompt=never", "max_age=soon", "scope=%22", "max_age=1&max_age=2"] {
        let answer = http().get(format!("{}/login?{mistaken}", pair.rp)).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{mistaken}");
    }
}

#[actix_web::test]
async fn where_an_age_was_asked_for_the_time_of_the_login_is_checked() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in_with(&mut browser, "max_age=600").await;
    let events = pair.latest().await;
    let passed = made(&events, Rule::AuthenticationAge);
    assert!(passed.len() == 1 && passed[0].verdict == Verdict::Passed, "{passed:?}");
}

#[actix_web::test]
async fn a_session_goes_on_with_new_tokens_where_that_is_wanted() {
    for wanted in [true, false] {
        let flags = if wanted { &["--session-refresh"][..] } else { &[] };
        let pair = Pair::start_with(&[], flags);
        let mut browser = Browser::default();
        pair.signs_in_with(&mut browser, OFFLINE).await;
        pair.clock.advance(Duration::from_secs(3550));
        browser.opens(&format!("{}/", pair.rp)).await;
        pair.clock.advance(Duration::from_secs(3000));
        browser.opens(&format!("{}/", pair.rp)).await;
        assert_eq!(browser.text.contains("Welcome, Demo User!"), wanted, "{}", browser.text);
        assert_eq!(
            messages(&pair.latest().await)
                .filter(|(by, it)| *by == Party::Rp && it.exchange == shared::flow::Exchange::Refresh)
                .count()
                > 0,
            wanted
        );
    }
}

#[actix_web::test]
async fn a_session_that_is_refreshed_ends_at_its_own_bound_all_the_same() {
    let pair = Pair::start_with(&[], &["--session-refresh", "--session-lifetime", "4000"]);
    let mut browser = Browser::default();
    pair.signs_in_with(&mut browser, OFFLINE).await;
    for (passes, refreshes) in [(3550, 1), (10, 1), (400, 1), (30, 1)] {
        pair.clock.advance(Duration::from_secs(passes));
        browser.opens(&format!("{}/", pair.rp)).await;
        assert!(browser.text.contains("Welcome, Demo User!"), "{}", browser.text);
        assert_eq!(pair.recorded(Entry::Refresh).await, 2 * refreshes, "after {passes} more seconds");
    }
    pair.clock.advance(Duration::from_secs(60));
    browser.opens(&format!("{}/", pair.rp)).await;
    assert!(!browser.text.contains("Welcome, Demo User!"), "{}", browser.text);
    assert_eq!(pair.recorded(Entry::Refresh).await, 2);
}
