//! A login whose answer is posted: it ends as any other, is told as any other, and no address holds its code.

use shared::{
    flow::{
        Entry, Exchange, Line, Message, Outcome, Party, Pause, Recorded, Release, Rule, State, Step, Story,
    },
    response_mode::FormPost,
};
use viewer::view::concealed;

use crate::{
    flows::messages,
    pair::{AGREE, Browser, PASSWORD, Pair},
    steps::walk::failed,
};

const BY_FORM: [&str; 2] = ["--response-mode", "form_post"];

fn pair() -> Pair {
    Pair::start_with(&[], &BY_FORM)
}

/// The messages at a place of the story, those of the IdP last, each as whose it is and what it is.
fn told(story: &Story<'_>, step: Step) -> Vec<(Party, Exchange, bool)> {
    let messages = &story.stage(Entry::Step(step)).unwrap().messages;
    let mut told: Vec<_> =
        messages.iter().map(|it| (it.by, it.message.exchange, it.message.is_request())).collect();
    // Of one moment, as all of a test are, the order between the two is a guess.
    told.sort_by_key(|(by, ..)| *by);
    told
}

fn of(events: &[Recorded], exchange: Exchange, is_request: bool) -> &Message {
    let mut all = messages(events).map(|(_, message)| message);
    all.find(|it| it.exchange == exchange && it.is_request() == is_request).unwrap()
}

#[actix_web::test]
async fn a_login_by_form_is_told_in_ten_steps_with_the_form_in_the_sixth() {
    let pair = pair();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    assert!(browser.is_greeted(), "{}", browser.text);
    let events = pair.latest().await;
    let story = pair.tells(&events);
    assert_eq!(story.outcome, Outcome::SignedIn);
    assert!(story.steps().all(|stage| stage.state == State::Done));
    assert_eq!(
        told(&story, Step::Redirect),
        [(Party::Rp, Exchange::CallbackPost, true), (Party::Idp, Exchange::Decision, false)]
    );
    assert_eq!(
        told(&story, Step::Callback),
        [(Party::Rp, Exchange::CallbackPost, false), (Party::Rp, Exchange::Callback, true)]
    );
    let page = FormPost::read(&of(&events, Exchange::Decision, false).body).unwrap();
    assert_eq!(page.params.encode(), of(&events, Exchange::CallbackPost, true).body);
    let code = page.params.get("code").unwrap();
    for (_, message) in messages(&events) {
        let target = match &message.line {
            Line::Request { target, .. } => target.as_str(),
            Line::Status(_) => message.header("location").unwrap_or_default(),
        };
        assert!(!target.contains(code), "{target}");
    }
    let checks = &story.stage(Entry::Step(Step::Callback)).unwrap().checks;
    assert!(checks.iter().any(|(_, check)| check.rule == Rule::ResponseModeAsAsked));
}

#[actix_web::test]
async fn what_is_saved_without_secrets_tells_the_same_story_without_the_code() {
    let pair = pair();
    pair.signs_in(&mut Browser::default()).await;
    let events = pair.latest().await;
    let code = FormPost::read(&of(&events, Exchange::Decision, false).body).unwrap();
    let code = code.params.get("code").unwrap();
    let without = concealed(&events);
    assert!(!serde_json::to_string(&without).unwrap().contains(code));
    let (one, other) = (pair.tells(&events), pair.tells(&without));
    for step in Step::ALL {
        assert_eq!(told(&one, step), told(&other, step), "{step:?}");
    }
    let page = FormPost::read(&of(&without, Exchange::Decision, false).body).unwrap();
    assert_eq!(page.params.get("iss"), Some(pair.idp.as_str()), "what is no secret stays");
}

#[actix_web::test]
async fn an_error_in_a_form_and_a_login_without_a_page_are_told_too() {
    let pair = pair();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &[("decision", "deny")]).await;
    assert!(browser.text.contains(r#"role="alert""#) && browser.text.contains("access_denied"));
    assert_eq!(pair.tells(&pair.latest().await).outcome, Outcome::Declined("access_denied".into()));
    let there = pair.provider.recorder.as_ref().unwrap().flows(1, |_| true);
    assert_eq!(pair.tells(&there[0].events).outcome, Outcome::Declined("access_denied".into()));

    browser.opens(&format!("{}/login?prompt=none", pair.rp)).await;
    assert!(browser.text.contains("consent_required"), "{}", browser.text);
    assert_eq!(pair.tells(&pair.latest().await).outcome, Outcome::Declined("consent_required".into()));
}

#[actix_web::test]
async fn a_form_is_held_read_and_let_go_at_both_servers() {
    let pair = pair();
    let mut browser = pair.begins_step_by_step().await;
    let mut held = Vec::new();
    while !browser.is_greeted() {
        if let Some(pause) = browser.held_at() {
            held.push(pause);
            if matches!(pause, Pause::AuthorizationResponse | Pause::Callback) {
                assert!(browser.text.contains("POST /auth"), "{}", browser.text);
                assert!(browser.lines("params.raw").starts_with("code="), "{}", browser.text);
            }
        }
        browser.goes_on().await;
    }
    assert_eq!(held, Pause::LOGIN);
    let events = pair.latest().await;
    assert_eq!(pair.tells(&events).outcome, Outcome::SignedIn);
    assert_eq!(messages(&events).filter(|(_, it)| it.exchange == Exchange::CallbackPost).count(), 2);
}

#[actix_web::test]
async fn r1_r3_a_form_is_judged_as_it_was_edited() {
    for pause in [Pause::AuthorizationResponse, Pause::Callback] {
        for (from, to, expected) in [
            ("iss=http", "iss=https", (Party::Rp, Rule::ResponseIssuer)),
            ("state=", "state=x", (Party::Rp, Rule::StateKnown)),
            ("code=", "code=x", (Party::Idp, Rule::CodeKnown)),
        ] {
            let pair = pair();
            let mut browser = pair.is_held_at(pause).await;
            let params = browser.lines("params.raw").replacen(from, to, 1);
            browser.lets_go(&[("do", "send"), ("params.as", "raw"), ("params.raw", &params)]).await;
            browser.goes_on_to_the_end().await;
            let idp = pair.provider.recorder.as_ref().unwrap().flows(100, |_| true);
            let flows = [pair.flows(), idp].concat();
            let events: Vec<_> = flows.iter().flat_map(|flow| flow.events.clone()).collect();
            assert_eq!(failed(&events), [expected], "{pause:?} {from}");
            assert!(!pair.greets(&mut browser).await);
        }
    }
}

#[actix_web::test]
async fn a_form_that_is_dropped_ends_the_login_where_it_was_held() {
    for pause in [Pause::AuthorizationResponse, Pause::Callback] {
        let pair = pair();
        let mut browser = pair.is_held_at(pause).await;
        browser.lets_go(&[("do", "drop")]).await;
        let events = pair.latest().await;
        assert_eq!(pair.tells(&events).outcome, Outcome::Ended, "{pause:?}");
        assert!(!pair.greets(&mut browser).await);
    }
}

#[actix_web::test]
async fn r3_an_answer_in_another_mode_than_was_asked_for_is_found_out() {
    for (flags, from, to) in [
        (&BY_FORM[..], "&response_mode=form_post", ""),
        (&[][..], "response_type=code", "response_type=code&response_mode=form_post"),
    ] {
        let pair = Pair::start_with(&[], flags);
        let mut browser = pair.begins_step_by_step().await;
        let params = browser.lines("params.raw");
        assert!(params.contains(from), "{params}");
        let params = params.replacen(from, to, 1);
        browser.lets_go(&[("do", "send"), ("params.as", "raw"), ("params.raw", &params)]).await;
        browser.goes_on_to_the_end().await;
        let events = pair.latest().await;
        assert_eq!(failed(&events), [(Party::Rp, Rule::ResponseModeAsAsked)]);
        assert!(!pair.greets(&mut browser).await);
    }
    // One that the provider does not know comes back as its error.
    let pair = pair();
    let mut browser = pair.begins_step_by_step().await;
    let params = browser.lines("params.raw").replacen("=form_post", "=carrier_pigeon", 1);
    browser.lets_go(&[("do", "send"), ("params.as", "raw"), ("params.raw", &params)]).await;
    browser.goes_on_to_the_end().await;
    assert!(browser.text.contains("invalid_request"), "{}", browser.text);
    assert_eq!(failed(&pair.latest().await), [(Party::Idp, Rule::ResponseModeKnown)]);
}

#[actix_web::test]
async fn what_came_of_a_form_is_told_as_it_is_of_a_redirect() {
    let pair = pair();
    let mut browser = pair.is_held_at(Pause::AuthorizationResponse).await;
    browser.lets_go(&[("do", "send"), ("guess", "rp_refuses")]).await;
    browser.goes_on_to_the_end().await;
    let events = pair.latest().await;
    let story = pair.tells(&events);
    for pause in Pause::LOGIN {
        let Some(outcomes) = pause.outcomes() else { continue };
        assert_eq!(story.came_of(pause).unwrap().happened, outcomes[0], "{pause:?}");
    }
    let release = events.iter().find_map(|it| match &it.event {
        shared::flow::Event::Release(Release { pause, guess, .. }) => Some((*pause, guess.unwrap().id())),
        _ => None,
    });
    assert_eq!(release, Some((Pause::AuthorizationResponse, "rp_refuses")));
}

#[actix_web::test]
async fn r12_a_form_that_is_sent_again_is_refused_and_the_session_stays() {
    let pair = pair();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &AGREE).await;
    assert!(browser.is_greeted());
    let events = pair.latest().await;
    let page = of(&events, Exchange::Decision, false).body.clone();
    // Back, and once more.
    browser.page = Some(pair.rp.parse().unwrap());
    browser.text = page;
    browser.submits(Some(&format!("{}/auth", pair.rp)), &[]).await;
    assert!(browser.text.contains("HTTP 400"), "{}", browser.text);
    assert!(pair.greets(&mut browser).await);
    assert_eq!(messages(&pair.latest().await).filter(|(_, it)| it.exchange == Exchange::Token).count(), 4);
}
