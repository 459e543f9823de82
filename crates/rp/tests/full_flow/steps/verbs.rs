//! Every row of the table of what can be done where.

use shared::flow::{Event, Exchange, Outcome, Part, Party, Pause, Recorded, Rule, Verdict};

use super::walk::failed;
use crate::{
    flows::messages,
    pair::{Browser, Pair},
};

/// How many requests of an exchange the provider saw.
pub(super) fn asked(events: &[Recorded], exchange: Exchange) -> usize {
    let there = |(by, message): &(Party, &shared::flow::Message)| {
        *by == Party::Idp && message.exchange == exchange && message.is_request()
    };
    messages(events).filter(there).count()
}

async fn dropped(pause: Pause) -> (Pair, Browser, Vec<Recorded>) {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(pause).await;
    browser.lets_go(&[("do", "drop")]).await;
    let events = pair.latest().await;
    (pair, browser, events)
}

#[actix_web::test]
async fn an_authorization_request_that_is_dropped_never_reaches_the_provider() {
    let (pair, mut browser, events) = dropped(Pause::AuthorizationRequest).await;
    assert!(browser.text.contains("The authorization request was never sent."), "{}", browser.text);
    assert_eq!(asked(&events, Exchange::Authorize), 0);
    assert_eq!(pair.tells(&events).outcome, Outcome::Ended);
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn a_login_page_that_is_dropped_leaves_a_request_waiting_at_the_provider() {
    let (pair, mut browser, events) = dropped(Pause::LoginPage).await;
    assert!(
        browser.is_at(&pair.idp) && browser.text.contains("The IdP’s answer is lost."),
        "{}",
        browser.text
    );
    assert_eq!((asked(&events, Exchange::Authorize), asked(&events, Exchange::LoginPage)), (1, 0));
    assert_eq!(pair.tells(&events).outcome, Outcome::Ended);
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn an_authorization_response_that_is_dropped_leaves_a_code_that_nobody_uses() {
    let (pair, mut browser, events) = dropped(Pause::AuthorizationResponse).await;
    assert!(browser.is_at(&pair.idp) && browser.text.contains("never came back"), "{}", browser.text);
    assert_eq!(asked(&events, Exchange::Token), 0);
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn a_callback_that_is_dropped_never_reaches_the_code_of_the_rp() {
    let (pair, mut browser, events) = dropped(Pause::Callback).await;
    assert!(browser.text.contains("never reached the RP"), "{}", browser.text);
    let judged = events.iter().filter(
        |it| matches!(&it.event, Event::Check(check) if it.by == Party::Rp && check.rule == Rule::StateKnown),
    );
    assert_eq!((judged.count(), asked(&events, Exchange::Token)), (0, 0));
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn a_token_request_that_is_dropped_is_never_sent() {
    let (pair, mut browser, events) = dropped(Pause::TokenRequest).await;
    assert!(browser.text.contains("HTTP 502"), "{}", browser.text);
    assert_eq!(asked(&events, Exchange::Token), 0);
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn a_token_answer_that_is_dropped_has_used_the_code_all_the_same() {
    let (pair, mut browser, events) = dropped(Pause::TokenResponse).await;
    assert!(browser.text.contains("HTTP 502"), "{}", browser.text);
    assert_eq!(asked(&events, Exchange::Token), 1);
    let answers =
        messages(&events).filter(|(_, it)| it.exchange == Exchange::Token && it.status() == Some(200));
    assert_eq!(answers.map(|(by, _)| by).collect::<Vec<_>>(), [Party::Idp], "the RP never heard it");
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn r16_without_the_claims_somebody_is_signed_in_and_told_so() {
    for (pause, asked_for) in [(Pause::UserinfoRequest, 0), (Pause::UserinfoResponse, 1)] {
        let (_pair, browser, events) = dropped(pause).await;
        assert!(browser.text.contains(r#"href="/flows/"#), "{}", browser.text);
        assert!(browser.text.contains("Welcome, 1!"), "{pause:?}: {}", browser.text);
        assert_eq!(asked(&events, Exchange::Userinfo), asked_for);
    }
}

#[actix_web::test]
async fn r1_a_callback_that_comes_twice_counts_once() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::Callback).await;
    browser.lets_go(&[("do", "repeat")]).await;
    assert_eq!(browser.held_at(), Some(Pause::TokenRequest));
    assert!(browser.text.contains("The second one was refused by this check."), "{}", browser.text);
    browser.goes_on_to_the_end().await;
    assert!(browser.is_greeted());
    let events = pair.latest().await;
    assert_eq!(failed(&events), [(Party::Rp, Rule::StateUnused)]);
    assert_eq!(asked(&events, Exchange::Token), 1);
    assert_eq!(pair.tells(&events).outcome, Outcome::SignedIn);
    // The flow went past step 7; what came a second time is told there all the same.
    browser.opens(&format!("{}/flows/{}", pair.rp, pair.flows()[0].id)).await;
    assert!(!browser.text.contains("selfbox rp refused"), "{}", browser.text);
    assert!(browser.text.contains("check failed"), "{}", browser.text);
}

#[actix_web::test]
async fn i3_a_code_that_is_sent_twice_gets_one_answer_that_counts_and_loses_what_it_bought() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::TokenRequest).await;
    browser.lets_go(&[("do", "repeat")]).await;
    assert_eq!(browser.held_at(), Some(Pause::TokenResponse));
    assert!(browser.lines("body").contains("access_token"), "the first answer counts");
    assert!(browser.text.contains("<code>400 invalid_grant</code>"), "{}", browser.text);
    let (_, refused) = browser.text.split_once("The second one was refused by this check.").unwrap();
    assert!(refused.contains("The code has not been used before"), "{}", browser.text);
    browser.goes_on_to_the_end().await;
    let events = pair.latest().await;
    assert_eq!(asked(&events, Exchange::Token), 2);
    assert_eq!(failed(&events)[0], (Party::Idp, Rule::CodeUnused));
    // The access token died with the second use.
    let refused =
        messages(&events).any(|(_, it)| it.exchange == Exchange::Userinfo && it.status() == Some(401));
    assert!(refused && browser.text.contains("Welcome, 1!"), "{}", browser.text);
    let both = messages(&events).filter(|(by, it)| *by == Party::Rp && it.exchange == Exchange::Token);
    assert_eq!(both.count(), 4, "the RP tells of both");
}

#[actix_web::test]
async fn claims_can_be_asked_for_twice() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::UserinfoRequest).await;
    browser.lets_go(&[("do", "repeat")]).await;
    browser.goes_on_to_the_end().await;
    assert!(browser.is_greeted());
    assert_eq!(asked(&pair.latest().await, Exchange::Userinfo), 2);
}

#[actix_web::test]
async fn what_the_table_does_not_allow_cannot_be_done() {
    for pause in Pause::all() {
        let verbs = pause.verbs();
        let pair = Pair::start();
        let mut browser = pair.is_held_at(pause).await;
        let buttons =
            [("drop", verbs.drops.is_some()), ("repeat", verbs.repeats), ("send", true), ("run", true)];
        for (order, is_allowed) in buttons {
            let button = format!(r#"name="do" value="{order}""#);
            assert_eq!(browser.text.contains(&button), is_allowed, "{order} at {pause:?}");
        }
        let parts = [
            (Part::Address, "address"),
            (Part::Parameters, "params.raw"),
            (Part::Headers, "headers.raw"),
            (Part::Status, "status"),
            (Part::Body, "body"),
            (Part::Token, "token.raw"),
        ];
        for (part, field) in parts {
            let field = format!(r#"name="{field}""#);
            assert_eq!(browser.text.contains(&field), verbs.edits.contains(&part), "{part:?} at {pause:?}");
        }
        let forbidden = buttons.into_iter().find(|(_, is_allowed)| !is_allowed);
        if let Some((order, _)) = forbidden {
            let page = browser.page.clone().unwrap();
            browser.lets_go(&[("do", order)]).await;
            assert!(browser.text.contains("HTTP 400"), "{}", browser.text);
            browser.opens(page.as_str()).await;
            assert_eq!(browser.held_at(), Some(pause), "it is still held");
        }
    }
}

#[actix_web::test]
async fn a_message_goes_on_byte_for_byte_when_its_form_was_not_touched() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::TokenRequest).await;
    let (params, headers) = (browser.lines("params.raw"), browser.lines("headers.raw"));
    // Everything that the page shows comes back, as browsers send it.
    let rows: Vec<(String, String)> = params
        .split('&')
        .enumerate()
        .flat_map(|(at, pair)| {
            let (name, value) = pair.split_once('=').unwrap();
            let value = shared::params::decode(value.as_bytes()).unwrap();
            [(format!("param{at}.name"), name.to_owned()), (format!("param{at}.value"), value)]
        })
        .collect();
    let mut form: Vec<(&str, &str)> =
        rows.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    form.extend([("do", "send"), ("params.as", "fields"), ("headers.as", "raw"), ("headers.raw", &headers)]);
    browser.lets_go(&form).await;
    let body = browser.lines("body");
    browser.lets_go(&[("do", "send"), ("status", "200"), ("body", &body.replace('\n', "\r\n"))]).await;
    let (header, payload) = (browser.lines("token.header"), browser.lines("token.payload"));
    let token = [("do", "send"), ("token.as", "fields"), ("sign", "kept")];
    browser.lets_go(&[&token[..], &[("token.header", &header), ("token.payload", &payload)]].concat()).await;
    browser.goes_on_to_the_end().await;
    assert!(browser.is_greeted());
    let events = pair.latest().await;
    assert!(!events.iter().any(|it| matches!(it.event, Event::Release(_))), "nothing was changed");
    let judged = events
        .iter()
        .filter(|it| matches!(&it.event, Event::Check(check) if check.verdict == Verdict::Failed));
    assert_eq!(judged.count(), 0);
}
