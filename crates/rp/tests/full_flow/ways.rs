//! The authorization request travels in plain parameters, signed, left at the provider in advance, or both: whichever it is,
//! both sides do the same with it, and the viewer has it in one flow.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use shared::{
    flow::{Entry, Event, Exchange, Message, Outcome, Party, Pause, Recorded, Rule, State, Step, Verdict},
    params::Params,
};

use crate::{
    flows::messages,
    pair::{AGREE, Browser, PASSWORD, Pair, http},
    steps::walk::failed,
};

/// The request that the browser brought to the authorization endpoint.
fn brought(events: &[Recorded]) -> Params {
    let (_, message) = messages(events)
        .find(|(by, it)| *by == Party::Idp && it.exchange == Exchange::Authorize && it.is_request())
        .unwrap();
    Params::parse(message.query().as_bytes(), &[]).unwrap()
}

/// What the RP left at the provider.
fn pushed(events: &[Recorded]) -> Option<&Message> {
    let mut pushed = messages(events)
        .filter(|(by, it)| *by == Party::Rp && it.exchange == Exchange::Push && it.is_request());
    pushed.next().map(|(_, message)| message)
}

fn names(params: &Params) -> Vec<&str> {
    params.iter().map(|(name, _)| name).collect()
}

fn claims(object: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(object.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

async fn signs_in(pair: &Pair, way: &str) -> Vec<Recorded> {
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login{way}", pair.rp)).await;
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &AGREE).await;
    assert!(browser.text.contains("Welcome, Demo User!"), "{way}: {}", browser.text);
    let events = pair.latest().await;
    assert!(failed(&events).is_empty(), "{way}: {:?}", failed(&events));
    let story = pair.tells(&events);
    assert_eq!(story.outcome, Outcome::SignedIn);
    assert!(story.steps().all(|stage| stage.state == State::Done), "{way}");
    assert_eq!(pair.flows().len(), 1, "one login is one flow");
    assert_eq!(pair.provider.recorder.as_ref().unwrap().flows(9, |_| true).len(), 1, "{way}");
    events
}

#[actix_web::test]
async fn in_plain_parameters_the_browser_carries_everything() {
    let pair = Pair::start();
    let events = signs_in(&pair, "").await;
    assert!(brought(&events).get("code_challenge").is_some() && pushed(&events).is_none());
}

#[actix_web::test]
async fn of_a_pushed_request_the_browser_carries_the_address_only() {
    let pair = Pair::start();
    let events = signs_in(&pair, "?way=pushed").await;
    assert_eq!(names(&brought(&events)), ["client_id", "request_uri"]);
    let form = Params::parse(pushed(&events).unwrap().body.as_bytes(), &[]).unwrap();
    for name in ["state", "nonce", "code_challenge", "redirect_uri", "scope"] {
        assert!(form.get(name).is_some(), "{name}");
    }
    let story = pair.tells(&events);
    let stage = story.stage(Entry::Push).unwrap();
    assert_eq!(stage.state, State::Done);
    assert!(stage.messages.iter().all(|it| it.other.is_some()), "both sides recorded it");
    // What the provider checks is shown where it checks it: once, when it is pushed.
    let made = |entry| -> Vec<Rule> {
        story.stage(entry).unwrap().checks.iter().map(|(_, check)| check.rule).collect()
    };
    assert!(made(Entry::Push).contains(&Rule::ClientAuthenticated));
    assert!(made(Entry::Push).contains(&Rule::ChallengeMethod));
    let later = made(Entry::Step(Step::AuthorizationRequest));
    assert!(later.contains(&Rule::RequestUriUnused) && !later.contains(&Rule::ChallengeMethod), "{later:?}");
}

#[actix_web::test]
async fn a_signed_request_is_one_parameter_that_the_viewer_takes_apart() {
    let pair = Pair::start();
    let events = signs_in(&pair, "?way=signed").await;
    let brought = brought(&events);
    assert_eq!(names(&brought), ["response_type", "client_id", "scope", "request"]);
    let claims = claims(brought.get("request").unwrap());
    assert_eq!((&claims["iss"], &claims["aud"]), (&Value::from("client1"), &Value::from(pair.idp.clone())));
    assert_eq!(claims["redirect_uri"], format!("{}/auth", pair.rp));
    let flow = &pair.flows()[0];
    let page = http().get(format!("{}/flows/{}?step=2", pair.rp, flow.id)).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("oauth-authz-req+jwt"), "{page}");
}

#[actix_web::test]
async fn a_request_is_signed_and_pushed_as_the_settings_say_and_by_whatever_the_client_has() {
    let secret = ["--client-id", "client-secret-jwt", "--token-endpoint-auth-method", "client_secret_jwt"];
    let secret = [&secret[..], &["--client-secret", "client-secret-jwt-secret-of-32-bytes-or-more"]].concat();
    let key = ["--client-id", "client-private-key", "--token-endpoint-auth-method", "private_key_jwt"];
    let public = ["--client-id", "client-public", "--token-endpoint-auth-method", "none"];
    let post = ["--client-id", "client-post", "--token-endpoint-auth-method", "client_secret_post"];
    let post = [&post[..], &["--client-secret", "client-post-secret"]].concat();
    for flags in [&secret[..], &key, &public, &post] {
        let pair = Pair::start_with(&[], &[flags, &["--par", "--request-object"]].concat());
        let events = signs_in(&pair, "").await;
        assert_eq!(names(&brought(&events)), ["client_id", "request_uri"]);
        let form = Params::parse(pushed(&events).unwrap().body.as_bytes(), &[]).unwrap();
        assert!(form.get("state").is_none(), "it stands in the request object only");
        assert_eq!(claims(form.get("request").unwrap())["client_id"], flags[1]);
        // A login can say otherwise.
        let plain = Pair::start_with(&[], &[flags, &["--par", "--request-object"]].concat());
        assert!(pushed(&signs_in(&plain, "?way=plain").await).is_none());
    }
}

#[actix_web::test]
async fn a_request_that_the_provider_does_not_take_ends_before_the_browser_goes_there() {
    let pair = Pair::start_with(&[], &["--client-secret", "wrong"]);
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login?way=pushed", pair.rp)).await;
    assert!(browser.is_at(&format!("{}/login?way=pushed", pair.rp)));
    assert!(browser.text.contains("did not take the request"), "{}", browser.text);
    assert!(browser.text.contains("invalid_client"), "the error is shown with its meaning");
    let there = pair.provider.recorder.as_ref().unwrap().flows(1, |_| true);
    assert_eq!(failed(&there[0].events), [(Party::Idp, Rule::ClientAuthenticated)]);
    let told = pair.tells(&there[0].events).outcome;
    assert_eq!(told, Outcome::Refused(Some(Rule::ClientAuthenticated), Some("invalid_client".into())));
}

#[actix_web::test]
async fn i2_a_request_that_is_refused_is_told_at_once() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login?way=pushed&max_age=1&claims=[", pair.rp)).await;
    assert!(browser.text.contains("invalid_request"), "{}", browser.text);
    assert_eq!(failed(&pair.latest().await), [(Party::Idp, Rule::ClaimsReadable)]);
}

#[actix_web::test]
async fn a_pushed_login_is_gone_through_step_by_step_at_both_servers() {
    for way in ["pushed", "signed", "signed_pushed"] {
        let pair = Pair::start();
        let mut browser = Browser::default();
        browser.opens(&format!("{}/login?pace=step&way={way}", pair.rp)).await;
        assert_eq!(browser.held_at(), Some(Pause::AuthorizationRequest), "{way}");
        browser.sends().await;
        assert_eq!(browser.held_at(), Some(Pause::LoginPage), "{way}: the provider stops, too");
        browser.goes_on_to_the_end().await;
        assert!(browser.is_greeted(), "{way}: {}", browser.text);
    }
}

#[actix_web::test]
async fn whoever_opens_the_address_of_a_pushed_request_again_ends_nothing() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login?way=pushed", pair.rp)).await;
    let brought = brought(&pair.latest().await);
    let address = format!("{}/oauth/authorize?{}", pair.idp, brought.encode());
    let mut stranger = Browser::default();
    stranger.opens(&address).await;
    assert!(stranger.text.contains("has already begun"), "{}", stranger.text);
    let events = pair.latest().await;
    let refused = events.iter().any(|it| match &it.event {
        Event::Check(check) => check.rule == Rule::RequestUriUnused && check.verdict == Verdict::Failed,
        _ => false,
    });
    assert!(refused);
    assert_eq!(pair.tells(&events).outcome, Outcome::Running);
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &AGREE).await;
    assert!(browser.is_greeted());
}

#[actix_web::test]
async fn the_answer_to_a_pushed_or_signed_request_can_come_in_a_form() {
    for way in ["pushed", "signed", "signed_pushed"] {
        let pair = Pair::start();
        let mut browser = Browser::default();
        browser.opens(&format!("{}/login?way={way}&response_mode=form_post", pair.rp)).await;
        browser.submits(None, &PASSWORD).await;
        browser.submits(None, &AGREE).await;
        let posted = browser.text.contains(&format!(r#"action="{}/auth""#, pair.rp)) || browser.is_greeted();
        assert!(posted, "{way}: {}", browser.text);
    }
}
