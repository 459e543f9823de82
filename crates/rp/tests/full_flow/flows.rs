//! What both servers recorded of a flow, put together at the RP.

use std::{sync::Arc, time::Duration};

use shared::{
    flow::{
        Entry, Event, Exchange, Message, Outcome, Party, Recorded, State, Step, Story, Turn, Value, Verdict,
    },
    secret::SecretHash,
};
use viewer::{recorder::Flow, view::OtherHalf};

use crate::pair::{AGREE, Browser, PASSWORD, Pair, http};

/// Longer than a test takes.
const PATIENCE: i64 = 600_000;

impl Pair {
    pub(crate) fn flows(&self) -> Vec<Arc<Flow>> {
        self.app.recorder.as_ref().unwrap().flows(100, |_| true)
    }

    /// Both halves of the latest flow.
    pub(crate) async fn latest(&self) -> Vec<Recorded> {
        let flow = self.flows().remove(0);
        let (seen, theirs) = rp::flows::other_half(&self.app, &flow).await;
        assert_eq!(seen, OtherHalf::Seen);
        [flow.events.clone(), theirs].concat()
    }

    pub(crate) fn tells<'a>(&self, events: &'a [Recorded]) -> Story<'a> {
        Story::tell(events, self.app.clock.now_millis(), PATIENCE)
    }
}

pub(crate) fn messages(events: &[Recorded]) -> impl Iterator<Item = (Party, &Message)> {
    events.iter().filter_map(|it| match &it.event {
        Event::Message(message) => Some((it.by, message)),
        Event::Check(_) | Event::Life(_) | Event::Release(_) => None,
    })
}

#[actix_web::test]
async fn a_login_is_recorded_by_both_sides_and_told_in_ten_steps() {
    let pair = Pair::start();
    pair.signs_in(&mut Browser::default()).await;
    let events = pair.latest().await;
    let story = pair.tells(&events);
    assert_eq!(story.outcome, Outcome::SignedIn);
    for stage in story.steps() {
        assert_eq!(stage.state, State::Done, "{:?}", stage.entry);
        assert!(!stage.messages.is_empty() || !stage.checks.is_empty(), "{:?}", stage.entry);
    }
    for entry in [Entry::Discovery, Entry::Keys, Entry::Userinfo] {
        assert!(story.stage(entry).is_some(), "{entry:?}");
    }
    let checks: usize = story.stages.iter().map(|stage| stage.checks.len()).sum();
    assert!(checks > 30, "{checks}");
    assert!(story.stages.iter().flat_map(|it| &it.checks).all(|(_, it)| it.verdict != Verdict::Failed));
}

#[actix_web::test]
async fn a_back_channel_message_is_the_same_on_both_sides() {
    let pair = Pair::start();
    pair.signs_in(&mut Browser::default()).await;
    let events = pair.latest().await;
    let story = pair.tells(&events);
    let back = [
        Entry::Discovery,
        Entry::Step(Step::TokenRequest),
        Entry::Step(Step::TokenResponse),
        Entry::Keys,
        Entry::Userinfo,
    ];
    for stage in back.map(|entry| story.stage(entry).unwrap()) {
        for it in &stage.messages {
            let (received, _) =
                it.other.unwrap_or_else(|| panic!("one half of {:?} is missing", stage.entry));
            assert_eq!(it.message, received);
        }
    }
}

#[actix_web::test]
async fn the_messages_of_a_step_stand_in_the_order_of_the_flow() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    pair.clock.advance(Duration::from_secs(3));
    browser.submits(None, &PASSWORD).await;
    pair.clock.advance(Duration::from_secs(3));
    browser.submits(None, &AGREE).await;
    let events = pair.latest().await;
    let story = pair.tells(&events);
    let routes = |step| -> Vec<_> {
        let messages = story.stage(Entry::Step(step)).unwrap().messages.iter();
        messages.map(|it| (it.message.from, it.message.to)).collect()
    };
    let (browser, rp, idp) = (Party::Browser, Party::Rp, Party::Idp);
    assert_eq!(routes(Step::AuthorizationRequest), [(rp, browser), (browser, idp), (idp, browser)], "step 2");
    assert_eq!(routes(Step::Redirect), [(idp, browser), (browser, rp)], "step 6");
}

#[actix_web::test]
async fn the_rp_tells_of_a_refresh_token_where_one_came() {
    let pair = Pair::start();
    let mut browser = pair.at_the_tokens().await;
    browser.does("refresh").await;
    let events = pair.latest().await;
    let story = pair.tells(&events);
    let turns = |entry| -> Vec<_> {
        let lives = story.stage(entry).unwrap().lives.iter();
        let of_rp = lives.filter(|(by, life)| *by == Party::Rp && life.value == Value::RefreshToken);
        of_rp.map(|(_, life)| life.turn).collect()
    };
    assert_eq!(turns(Entry::Step(Step::TokenResponse)), [Turn::Received]);
    assert_eq!(turns(Entry::Step(Step::Validation)), [Turn::Stored]);
    assert_eq!(turns(Entry::Refresh), [Turn::Sent, Turn::Destroyed, Turn::Received]);

    pair.signs_in(&mut Browser::default()).await;
    let events = pair.latest().await;
    let is_told = events.iter().any(
        |it| matches!(&it.event, Event::Life(life) if it.by == Party::Rp && life.value == Value::RefreshToken),
    );
    assert!(!is_told, "none came");
}

#[actix_web::test]
async fn what_is_done_with_tokens_after_a_login_is_the_same_on_both_sides() {
    let pair = Pair::start();
    let mut browser = pair.at_the_tokens().await;
    for deed in ["refresh", "call_me", "introspect_access", "revoke_access"] {
        browser.does(deed).await;
    }
    let events = pair.latest().await;
    let story = pair.tells(&events);
    for entry in [Entry::Refresh, Entry::Api, Entry::Introspection, Entry::Revocation] {
        let messages = &story.stage(entry).unwrap().messages;
        let routes: Vec<_> = messages.iter().map(|it| (it.message.from, it.message.to)).collect();
        assert_eq!(routes, [(Party::Rp, Party::Idp), (Party::Idp, Party::Rp)], "{entry:?}");
        for it in messages {
            let (received, _) = it.other.unwrap_or_else(|| panic!("one half of {entry:?} is missing"));
            assert_eq!(it.message, received);
        }
    }
}

#[actix_web::test]
async fn what_names_an_origin_is_asked_by_a_script_in_the_browser() {
    let pair = Pair::start();
    let browser = pair.at_the_tokens().await;
    let token = browser.token("access_token");
    let request = http().get(format!("{}/api/me", pair.idp)).bearer_auth(token).header("origin", &pair.rp);
    assert_eq!(request.send().await.unwrap().status(), 200);
    let events = pair.latest().await;
    let routes: Vec<_> = messages(&events)
        .filter(|(_, it)| it.exchange == Exchange::Api)
        .map(|(_, it)| (it.from, it.to))
        .collect();
    assert_eq!(routes, [(Party::Browser, Party::Idp), (Party::Idp, Party::Browser)]);
}

#[actix_web::test]
async fn a_cancelled_login_a_spoiled_callback_and_a_logout_are_told_too() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    browser.submits(None, &[("username", "demo"), ("password", "wrong")]).await;
    let events = pair.latest().await;
    assert_eq!(pair.tells(&events).outcome, Outcome::Running, "a wrong password ends nothing");
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &[("decision", "deny")]).await;
    let events = pair.latest().await;
    assert_eq!(pair.tells(&events).outcome, Outcome::Declined("access_denied".into()));

    browser.opens(&format!("{}/auth?state=forged&code=x", pair.rp)).await;
    let events = pair.latest().await;
    let story = pair.tells(&events);
    assert_eq!(story.outcome.id(), "refused");
    assert_eq!(story.current, Entry::Step(Step::Callback));

    pair.signs_in(&mut browser).await;
    browser.submits(Some("/logout"), &[]).await;
    let events = pair.latest().await;
    let story = pair.tells(&events);
    assert!(!story.is_login());
    assert_eq!(story.outcome, Outcome::SignedOut);
    assert!(story.steps().all(|stage| stage.state == State::Done), "{:?}", story.stages);
}

#[actix_web::test]
async fn neither_passwords_nor_cookies_are_recorded() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    browser.submits(None, &[("username", "demo"), ("password", "typed in vain")]).await;
    // The demo's own passwords stand on its login page, for everybody to read.
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &AGREE).await;
    let written = serde_json::to_string(&pair.latest().await).unwrap();
    assert!(!written.contains("typed") && !written.contains("password=Demo"), "{written}");
    assert_eq!(written.matches("username=demo&password=[not-recorded]").count(), 2, "{written}");
    // The list of logins under way names them by the beginnings of their `state`, which is no secret of it.
    let secret = |name: &str| name != "lang" && name != "rp_attempt_recent";
    let cookies: Vec<_> = browser.cookies.iter().filter(|((name, _), _)| secret(name)).collect();
    assert!(!cookies.is_empty());
    for ((name, _), value) in cookies {
        assert!(!written.contains(value.as_str()), "{name}");
    }
}

#[actix_web::test]
async fn nobody_is_told_of_flows_that_are_not_theirs() {
    let pair = Pair::start();
    pair.signs_in(&mut Browser::default()).await;
    let flow = pair.flows().remove(0);
    let correlators: Vec<_> = flow.correlators.iter().map(|it| ("correlator", it.encode())).collect();
    let ask = |id: &str, secret: &str, form: &[(&str, String)]| {
        http().post(format!("{}/flows/lookup", pair.idp)).basic_auth(id, Some(secret)).form(form).send()
    };
    let told = ask("client1", "client1-secret", &correlators).await.unwrap();
    assert!(told.text().await.unwrap().len() > 10_000);
    let of_the_trace_only = |text: &str| {
        let half: serde_json::Value = serde_json::from_str(text).unwrap();
        half["events"].as_array().unwrap().iter().all(|it| it["event"]["message"]["exchange"] != "authorize")
    };
    let other = ask("client2", "client2-secret", &correlators).await.unwrap().text().await.unwrap();
    assert!(of_the_trace_only(&other), "{other}");
    let forged =
        [("correlator", SecretHash::of("state client1 guessed").encode()), ("correlator", "x".into())];
    let nothing = ask("client1", "client1-secret", &forged).await.unwrap();
    assert_eq!(nothing.text().await.unwrap(), r#"{"events":[]}"#);
    assert_eq!(ask("client1", "wrong", &correlators).await.unwrap().status(), 401);
}

#[actix_web::test]
async fn where_nothing_is_recorded_there_is_nothing_to_ask() {
    let pair = Pair::start_with(&["--record", "off"], &["--record", "off"]);
    pair.signs_in(&mut Browser::default()).await;
    assert!(pair.app.recorder.is_none() && pair.provider.recorder.is_none());
    let answer = http().post(format!("{}/flows/lookup", pair.idp)).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let document = http().get(format!("{}/.well-known/openid-configuration", pair.idp)).send().await.unwrap();
    assert!(!document.text().await.unwrap().contains("flow_recording_endpoint"));
    for site in [&pair.rp, &pair.idp] {
        let status = async |path: &str| http().get(format!("{site}{path}")).send().await.unwrap().status();
        assert_eq!(status("/flows").await, 404);
        assert_eq!(status("/flows/open").await, 404);
        assert_eq!(status("/glossary").await, 200, "words are explained all the same");
    }
}

#[actix_web::test]
async fn a_provider_that_records_nothing_leaves_the_rps_own_half() {
    let pair = Pair::start_with(&["--record", "off"], &[]);
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &AGREE).await;
    let flow = pair.flows().remove(0);
    let (seen, theirs) = rp::flows::other_half(&pair.app, &flow).await;
    assert_eq!((seen, theirs.len()), (OtherHalf::Foreign, 0));
    assert!(messages(&flow.events).all(|(by, _)| by == Party::Rp));
    assert_eq!(pair.tells(&flow.events).outcome, Outcome::SignedIn);
}

#[actix_web::test]
async fn what_the_front_door_lets_in_is_recorded_and_nothing_else() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    let login = |host: &str| http().get(format!("{}/login", pair.rp)).header("host", host).send();
    assert_eq!(login("evil.example").await.unwrap().status(), 421);
    assert_eq!(login("localhost:5002").await.unwrap().status(), 421);
    let long = format!("{}/login?x={}", pair.rp, "x".repeat(10_000));
    assert_eq!(http().get(long).send().await.unwrap().status(), 414);
    assert!(pair.flows().is_empty());
    browser.opens(&format!("{}/login", pair.rp)).await;
    assert_eq!(http().head(format!("{}/auth?state=forged", pair.rp)).send().await.unwrap().status(), 400);
    assert_eq!(pair.flows().len(), 2, "HEAD is taken for GET, and recorded like it");
}

#[actix_web::test]
async fn a_password_in_a_body_that_is_no_login_form_is_not_recorded_either() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    let page = browser.page.clone().unwrap();
    for (media_type, body) in [
        ("application/x-www-form-urlencoded", r#"{"username":"demo","password":"geheim-1"}"#),
        ("application/json", r#"{"p\u0061ssword":"geheim-2"}"#),
        ("text/plain", "p%61ssword=geheim-3"),
        ("application/x-www-form-urlencoded", "pass=geheim-4&csrf=x"),
    ] {
        let request = http().post(page.clone()).header("content-type", media_type).body(body);
        request.header("sec-fetch-site", "same-origin").send().await.unwrap();
    }
    let events = pair.latest().await;
    assert_eq!(messages(&events).filter(|(_, it)| it.body == "[not-recorded]").count(), 4);
    assert!(!serde_json::to_string(&events).unwrap().contains("geheim"));
}

#[actix_web::test]
async fn outside_the_demo_nobody_is_shown_the_clients_secret() {
    let pair = Pair::start_with(&[], &["--client-id", "client2", "--client-secret", "client2-secret"]);
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    browser.opens(&format!("{}/flows/{}", pair.rp, pair.flows()[0].id)).await;
    assert!(browser.text.contains("[not-recorded]"), "{}", browser.text);
    let written = serde_json::to_string(&pair.latest().await).unwrap() + &browser.text;
    assert!(!written.contains("client2-secret") && !written.contains("Y2xpZW50MjpjbGllbnQyLXNlY3JldA"));
}

#[actix_web::test]
async fn what_one_visitor_without_a_cookie_opened_is_not_another_ones() {
    let pair = Pair::start_with(&[], &["--client-id", "client2", "--client-secret", "client2-secret"]);
    let mut owner = Browser::default();
    pair.signs_in(&mut owner).await;
    owner.opens(&format!("{}/flows/{}/save?as=page", pair.rp, pair.flows()[0].id)).await;
    let file = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.html\"\r\n\r\n{}\r\n--x--\r\n",
        owner.text
    );
    let send = |site: &str, file: String| {
        let request =
            http().post(format!("{}/flows/open", pair.rp)).header("sec-fetch-site", site.to_owned());
        request.header("content-type", "multipart/form-data; boundary=x").body(file).send()
    };
    assert_eq!(send("cross-site", file.clone()).await.unwrap().status(), 403);
    let large = file.replacen("</html>", &" ".repeat(5 * 1024 * 1024), 1);
    assert_eq!(send("same-origin", large).await.unwrap().status(), 413);
    let opened = send("same-origin", file).await.unwrap();
    assert_eq!(opened.status(), 303);
    let location = opened.headers()["location"].to_str().unwrap().to_owned();
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let look = |cookie: String| http().get(format!("{}{location}", pair.rp)).header("cookie", cookie).send();
    assert_eq!(look(cookie).await.unwrap().status(), 200);
    assert_eq!(look("rp_viewer=".into()).await.unwrap().status(), 404);
    assert_eq!(look("rp_viewer=another".into()).await.unwrap().status(), 404);
}

#[actix_web::test]
async fn a_stream_ends_when_the_flow_is_over_and_when_the_server_stops() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    let live = format!("{}/flows/{}/live", pair.rp, pair.flows()[0].id);
    let listen = || async { http().get(&live).send().await.unwrap() };
    let (until_over, until_stop) = (listen().await, listen().await);
    pair.app.closing.close();
    assert!(!until_stop.text().await.unwrap().contains("over"));
    assert!(!until_over.text().await.unwrap().contains("over"));
}
