//! What is done with tokens after a login, step by step.

use std::time::Duration;

use shared::flow::{Event, Exchange, Happened, Party, Pause, Recorded, Release, Rule, Verb, Verdict};

use super::{outline, verbs::asked, walk::failed};
use crate::{
    flows::messages,
    pair::{Browser, Pair},
};

const REFRESH: [Pause; 3] = [Pause::RefreshRequest, Pause::RefreshResponse, Pause::RefreshedToken];
const REPLAY: [Pause; 2] = [Pause::RefreshRequest, Pause::RefreshResponse];
const REVOCATION: [Pause; 2] = [Pause::RevocationRequest, Pause::RevocationResponse];
const INTROSPECTION: [Pause; 2] = [Pause::IntrospectionRequest, Pause::IntrospectionResponse];
const API: [Pause; 2] = [Pause::ApiRequest, Pause::ApiResponse];

impl Browser {
    /// Lets everything go, and says where it was held.
    async fn goes_through(&mut self) -> Vec<Pause> {
        let mut held = Vec::new();
        while let Some(pause) = self.held_at() {
            held.push(pause);
            self.sends().await;
        }
        held
    }

    /// Whether the page says that something is held.
    fn is_led_to_what_is_held(&self) -> bool {
        self.text.contains("is still held on its way")
    }
}

#[actix_web::test]
async fn every_deed_is_held_before_its_request_and_at_its_answer_and_ends_as_ever() {
    let pair = Pair::start();
    let mut browser = pair.at_the_tokens().await;
    let deeds: [(&str, &[Pause], &str); 8] = [
        ("introspect_access", &INTROSPECTION, "&quot;active&quot;: true"),
        ("introspect_refresh", &INTROSPECTION, "&quot;active&quot;: true"),
        ("call_me", &API, "client1"),
        ("call_notes", &API, "HTTP 200"),
        ("refresh", &REFRESH, "HTTP 200"),
        ("revoke_access", &REVOCATION, "HTTP 200"),
        ("replay", &REPLAY, "invalid_grant"),
        ("revoke_refresh", &REVOCATION, "HTTP 200"),
    ];
    for (deed, pauses, told) in deeds {
        browser.does_step_by_step(deed).await;
        assert_eq!(browser.goes_through().await, pauses, "{deed}");
        assert!(browser.is_at(&format!("{}/tokens", pair.rp)), "{deed}: {:?}", browser.page);
        browser.is_told(&[told]);
        assert!(browser.told().contains(&format!(r#"data-deed="{deed}""#)), "{}", browser.told());
    }
    assert!(!browser.text.contains("predicted"), "nothing was foretold: {}", browser.text);
}

#[actix_web::test]
async fn when_nothing_is_edited_a_deed_is_recorded_as_without_stopping() {
    let mut told = Vec::new();
    for stepwise in [false, true] {
        let pair = Pair::start();
        let mut browser = pair.at_the_tokens().await;
        for deed in ["refresh", "call_me", "introspect_refresh", "replay", "revoke_access"] {
            if stepwise {
                browser.does_step_by_step(deed).await;
                assert!(!browser.goes_through().await.is_empty());
            } else {
                browser.does(deed).await;
            }
        }
        let events = pair.latest().await;
        let of = |party| -> Vec<_> { events.iter().filter(|it| it.by == party).map(outline).collect() };
        told.push([Party::Rp, Party::Idp].map(of));
    }
    let [straight, held] = <[_; 2]>::try_from(told).unwrap();
    assert_eq!(straight, held);
}

#[actix_web::test]
async fn i6_a_refresh_token_that_is_sent_twice_ends_its_family_before_the_new_tokens_are_read() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshRequest).await;
    browser.lets_go(&[("do", "repeat"), ("guess", "tokens_come")]).await;
    assert_eq!(browser.held_at(), Some(Pause::RefreshResponse));
    assert!(browser.lines("body").contains("refresh_token"), "the first answer counts");
    assert!(browser.text.contains("<code>400 invalid_grant</code>"), "{}", browser.text);
    assert!(browser.text.contains("The second one was refused by this check."), "{}", browser.text);
    // What the first passed are not what the second passed on its way, nor what refused it.
    let events = pair.latest().await;
    let story = pair.tells(&events);
    let handled = story.stages.iter().flat_map(|stage| &stage.releases).next().unwrap();
    let came = story.came_of_handled(handled).unwrap();
    let answer = messages(&events)
        .find(|(by, it)| *by == Party::Idp && it.exchange == Exchange::Refresh && it.status() == Some(200));
    let span = &answer.unwrap().1.span;
    let passed = events.iter().filter(|it| {
        it.by == Party::Idp
            && it.within == *span
            && matches!(&it.event, Event::Check(check) if check.verdict == Verdict::Passed)
    });
    assert_eq!((came.decided, came.passed), (None, Some((Party::Idp, passed.count()))));
    let said = format!("All checks passed: {}", came.passed.unwrap().1);
    assert!(browser.text.contains(&said), "{said}: {}", browser.text);
    browser.goes_through().await;
    browser.is_told(&["HTTP 200"]);
    let events = pair.latest().await;
    assert_eq!(asked(&events, Exchange::Refresh), 2);
    assert_eq!(failed(&events), [(Party::Idp, Rule::RefreshTokenUnused)]);
    browser.does("call_me").await;
    browser.is_told(&["HTTP 401", "invalid_token"]);
    browser.does("refresh").await;
    browser.is_told(&["HTTP 400", "invalid_grant"]);
}

#[actix_web::test]
async fn whatever_else_is_sent_twice_is_answered_twice() {
    for (pause, exchange) in [
        (Pause::RevocationRequest, Exchange::Revoke),
        (Pause::IntrospectionRequest, Exchange::Introspect),
        (Pause::ApiRequest, Exchange::Api),
    ] {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(pause).await;
        browser.lets_go(&[("do", "repeat")]).await;
        assert!(browser.text.contains("<code>200 </code>"), "{pause:?}: {}", browser.text);
        browser.goes_through().await;
        browser.is_told(&["HTTP 200"]);
        assert_eq!(asked(&pair.latest().await, exchange), 2, "{pause:?}");
    }
}

#[actix_web::test]
async fn what_is_dropped_is_never_sent_and_an_answer_that_is_lost_was_given() {
    for pause in Pause::AFTERWARDS.into_iter().filter(|pause| pause.verbs().drops.is_some()) {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(pause).await;
        browser.lets_go(&[("do", "drop")]).await;
        assert!(browser.is_at(&format!("{}/tokens", pair.rp)), "{pause:?}: {:?}", browser.page);
        browser.is_told(&["no answer"]);
        let (exchange, times) = match (pause.asks(), pause.answers()) {
            (Some(exchange), _) => (exchange, 0),
            (_, Some(exchange)) => (exchange, 1),
            _ => panic!("{pause:?}"),
        };
        assert_eq!(asked(&pair.latest().await, exchange), times, "{pause:?}");
    }
}

#[actix_web::test]
async fn a_refresh_that_was_dropped_can_be_tried_again_and_one_whose_answer_was_lost_ends_the_family() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshRequest).await;
    browser.lets_go(&[("do", "drop"), ("guess", "no_tokens_otherwise")]).await;
    browser.is_told(&["no answer", "as predicted"]);
    browser.does("refresh").await;
    browser.is_told(&["HTTP 200"]);
    browser.does_step_by_step("refresh").await;
    browser.sends().await;
    browser.lets_go(&[("do", "drop")]).await;
    browser.is_told(&["no answer"]);
    browser.does("refresh").await;
    browser.is_told(&["HTTP 400", "invalid_grant"]);
    browser.does("call_me").await;
    browser.is_told(&["HTTP 401"]);
}

#[actix_web::test]
async fn what_comes_of_each_message_is_one_of_the_three_things_that_can_be_foretold_of_it() {
    let pair = Pair::start();
    let mut browser = pair.at_the_tokens().await;
    for deed in ["introspect_access", "call_me", "refresh", "revoke_access"] {
        browser.does_step_by_step(deed).await;
        while let Some(pause) = browser.held_at() {
            let Some([first, ..]) = pause.outcomes() else {
                browser.sends().await;
                continue;
            };
            browser.lets_go(&[("do", "send"), ("guess", first.id())]).await;
            assert!(browser.text.contains("as predicted"), "{pause:?}: {}", browser.text);
            assert!(!browser.text.contains("not as predicted"), "{pause:?}: {}", browser.text);
        }
    }
    let events = pair.latest().await;
    let story = pair.tells(&events);
    let handled: Vec<_> = story.stages.iter().flat_map(|stage| &stage.releases).collect();
    assert_eq!(handled.len(), 6);
    for it in handled {
        let came = story.came_of_handled(it).unwrap_or_else(|| panic!("{:?}", it.release));
        assert_eq!(Some(came.happened), it.release.guess);
        // What is good whoever asks passes no check.
        let is_checked = it.release.pause.entry() != shared::flow::Entry::Revocation;
        assert!(came.passed.is_some() || !is_checked, "{:?}", it.release);
        assert_eq!(came.decided, None, "where all are passed no single one decides");
    }
}

#[actix_web::test]
async fn each_deed_is_told_by_itself() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::IntrospectionRequest).await;
    browser.lets_go(&[("do", "send"), ("guess", "token_active")]).await;
    browser.goes_through().await;
    browser.does("revoke_access").await;
    browser.does_step_by_step("introspect_access").await;
    browser.sends().await;
    assert!(!browser.text.contains("as predicted"), "what was foretold of another: {}", browser.text);
    browser.goes_through().await;
    browser.does_step_by_step("introspect_access").await;
    browser.lets_go(&[("do", "send"), ("guess", "token_active")]).await;
    assert!(browser.text.contains("not as predicted"), "{}", browser.text);
    browser.goes_through().await;
    let events = pair.latest().await;
    let story = pair.tells(&events);
    let happened = story.stages.iter().flat_map(|stage| &stage.releases);
    let happened: Vec<_> = happened.map(|it| story.came_of_handled(it).unwrap().happened).collect();
    assert_eq!(happened, [Happened::TokenActive, Happened::TokenInactive]);
}

#[actix_web::test]
async fn what_is_done_with_a_held_message_is_recorded() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::ApiRequest).await;
    browser.lets_go(&[("do", "drop"), ("guess", "api_answers")]).await;
    browser.is_told(&["not as predicted"]);
    let events = pair.latest().await;
    let releases = |events: &[Recorded]| -> Vec<Release> {
        let released = events.iter().filter_map(|it| match &it.event {
            Event::Release(release) => Some(release.clone()),
            _ => None,
        });
        released.collect()
    };
    let guess = Some(Happened::ApiAnswers);
    let expected = Release { pause: Pause::ApiRequest, verb: Verb::Dropped, changes: vec![], guess };
    assert_eq!(releases(&events), [expected]);
}

#[actix_web::test]
async fn who_wants_to_stop_no_more_is_done_and_stops_again_at_the_next() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshRequest).await;
    browser.lets_go(&[("do", "run")]).await;
    browser.is_told(&["HTTP 200"]);
    browser.does_step_by_step("call_me").await;
    assert_eq!(browser.held_at(), Some(Pause::ApiRequest));
}

#[actix_web::test]
async fn the_choice_is_remembered_and_begins_as_the_login_was() {
    let chosen = |browser: &Browser| {
        let (_, rest) = browser.text.split_once(r#"name="pace" value="step""#).unwrap();
        rest.split('>').next().unwrap().contains("checked")
    };
    let pair = Pair::start();
    let mut browser = pair.at_the_tokens().await;
    assert!(!chosen(&browser));
    browser.does_step_by_step("call_me").await;
    browser.goes_through().await;
    assert!(chosen(&browser));
    browser.does("call_me").await;
    assert!(!chosen(&browser));
    for (last, is_stepwise) in [("send", true), ("run", false)] {
        let mut browser = pair.is_held_at(Pause::UserinfoResponse).await;
        if last == "run" {
            browser = pair.is_held_at(Pause::Callback).await;
        }
        browser.lets_go(&[("do", last)]).await;
        browser.opens(&format!("{}/tokens", pair.rp)).await;
        assert_eq!(chosen(&browser), is_stepwise, "{last}");
    }
}

#[actix_web::test]
async fn two_tabs_share_what_is_held() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshRequest).await;
    let page = browser.page.clone().unwrap();
    browser.opens(&format!("{}/tokens", pair.rp)).await;
    assert!(browser.is_led_to_what_is_held() && browser.text.contains(page.path()), "{}", browser.text);
    // Another deed step by step leads to the one that is held; the same one straight waits for nothing.
    browser.does_step_by_step("call_me").await;
    assert_eq!(browser.held_at(), Some(Pause::RefreshRequest));
    browser.opens(&format!("{}/tokens", pair.rp)).await;
    browser.does("refresh").await;
    browser.is_told(&["is being used right now"]);
    browser.does("call_me").await;
    browser.is_told(&["HTTP 200"]);
    let before = browser.token("refresh_token");
    browser.opens(page.as_str()).await;
    assert_eq!(browser.goes_through().await, REFRESH);
    browser.is_told(&["HTTP 200"]);
    assert_ne!(browser.token("refresh_token"), before);
    browser.opens(page.as_str()).await;
    assert!(browser.is_at(&format!("{}/tokens", pair.rp)), "Back leads to where it led: {:?}", browser.page);
    browser.does("refresh").await;
    browser.is_told(&["HTTP 200"]);
}

#[actix_web::test]
async fn what_is_held_too_long_is_over_and_the_refresh_token_can_be_used() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshRequest).await;
    pair.clock.advance(Duration::from_secs(600));
    browser.sends().await;
    assert!(browser.text.contains("Nothing is held here any more"), "{}", browser.text);
    browser.opens(&format!("{}/tokens", pair.rp)).await;
    browser.does("refresh").await;
    browser.is_told(&["HTTP 200"]);
}

#[actix_web::test]
async fn a_token_that_ends_while_it_is_held_is_refused() {
    let pair = Pair::start_with(&["--token-lifetime", "100"], &[]);
    let mut browser = pair.is_held_at(Pause::ApiRequest).await;
    pair.clock.advance(Duration::from_secs(101));
    browser.lets_go(&[("do", "send"), ("guess", "api_answers")]).await;
    assert_eq!(browser.held_at(), Some(Pause::ApiResponse));
    assert!(browser.text.contains("not as predicted"), "{}", browser.text);
    assert_eq!(failed(&pair.latest().await), [(Party::Idp, Rule::BearerTokenActive)]);
    // The session has ended with its ID token meanwhile: nobody is told anything, and signs in again.
    browser.sends().await;
    assert!(browser.is_at(&pair.idp), "{:?}", browser.page);
}

#[actix_web::test]
async fn who_has_signed_out_meanwhile_is_not_signed_in_again_by_new_tokens() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshedToken).await;
    let page = browser.page.clone().unwrap();
    browser.opens(&format!("{}/logout", pair.rp)).await;
    browser.submits(None, &[("only", "app")]).await;
    browser.opens(page.as_str()).await;
    browser.sends().await;
    assert!(browser.is_at(&pair.idp), "{:?}", browser.page);
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn nobody_else_sees_what_is_done_with_tokens_or_lets_it_go() {
    let pair = Pair::start();
    let browser = pair.is_held_at(Pause::RefreshRequest).await;
    let mut stranger = Browser::default();
    stranger.opens(browser.page.clone().unwrap().as_str()).await;
    assert!(stranger.text.contains("Nothing is held here any more"), "{}", stranger.text);
    assert!(!stranger.text.contains("refresh_token="));
}
