//! The Relying Party registers itself at the provider, is that client from then on, and forgets it again.

use shared::flow::{Event, Exchange, Party, Pause};

use crate::{
    flows::messages,
    pair::{AGREE, Browser, PASSWORD, Pair, http},
    steps::walk::failed,
};

/// Each way to authenticate, each with another way to sign ID tokens.
const WAYS: [(&str, &str); 5] = [
    ("client_secret_basic", "RS256"),
    ("client_secret_post", "ES256"),
    ("client_secret_jwt", "EdDSA"),
    ("private_key_jwt", "RS256"),
    ("none", "ES256"),
];

impl Pair {
    fn page(&self) -> String {
        format!("{}/registration", self.rp)
    }

    /// Sends the form of the page with these fields, and returns the page that comes of it.
    async fn asks(&self, fields: &[(&str, &str)]) -> String {
        let page = http().get(self.page()).send().await.unwrap().text().await.unwrap();
        let (_, token) = page.split_once(r#"name="csrf" value=""#).unwrap();
        let fields = [&[("csrf", token.split('"').next().unwrap())], fields].concat();
        let request = http().post(self.page()).header("sec-fetch-site", "same-origin").form(&fields);
        assert_eq!(request.send().await.unwrap().status(), 303);
        let page = http().get(self.page()).header("accept-language", "en");
        page.send().await.unwrap().text().await.unwrap()
    }

    async fn registers(&self, method: &str, alg: &str) -> String {
        self.asks(&[("do", "register"), ("name", "Photos"), ("method", method), ("alg", alg)]).await
    }

    fn client_id(&self) -> String {
        self.app.client().id.as_str().to_owned()
    }
}

#[actix_web::test]
async fn it_registers_for_each_way_to_authenticate_logs_in_and_forgets() {
    for (method, alg) in WAYS {
        let pair = Pair::start();
        let page = pair.registers(method, alg).await;
        assert!(page.contains("HTTP 201"), "{method}: {page}");
        let id = pair.client_id();
        assert!(id.starts_with("app-") && page.contains(&id), "{method}: {page}");
        assert_eq!(
            page.contains("client_secret_expires_at"),
            method.starts_with("client_secret"),
            "{method}"
        );
        // The consent page shows who asks, with a logo that comes from here.
        let mut browser = Browser::default();
        browser.opens(&format!("{}/login?scope=openid+profile+offline_access", pair.rp)).await;
        browser.submits(None, &PASSWORD).await;
        for text in ["Photos", &format!(r#"src="{}/assets/favicon.svg"#, pair.rp), "registered itself"] {
            assert!(browser.text.contains(text), "{method}: {text} is not in {}", browser.text);
        }
        let agreed: Vec<_> = AGREE.into_iter().chain([("scope", "offline_access")]).collect();
        browser.submits(None, &agreed).await;
        assert!(browser.text.contains("Welcome, Demo User!"), "{method}: {}", browser.text);
        // What the provider saw of it belongs to it, too.
        let events = pair.latest().await;
        assert!(failed(&events).is_empty(), "{method}: {:?}", failed(&events));
        let both = [Party::Rp, Party::Idp];
        assert!(
            both.iter()
                .all(|party| messages(&events)
                    .any(|(by, it)| { by == *party && it.exchange == Exchange::Token })),
            "{method}"
        );
        browser.opens(&format!("{}/tokens", pair.rp)).await;
        browser.does("refresh").await;
        browser.is_told(&["HTTP 200"]);
        let read = pair.asks(&[("do", "read")]).await;
        assert!(read.contains("HTTP 200") && read.contains("registration_access_token"), "{method}: {read}");
        let forgotten = pair.asks(&[("do", "forget")]).await;
        assert!(forgotten.contains("HTTP 204") && forgotten.contains("is gone"), "{method}: {forgotten}");
        assert_eq!(pair.client_id(), "client1");
        // All that the client was given is dead, and the application is who it was before.
        browser.opens(&format!("{}/tokens", pair.rp)).await;
        browser.does("call_me").await;
        browser.is_told(&["HTTP 401"]);
        // What the provider recorded of it, it tells nobody any more; the flow says so.
        let flow = pair.flows().remove(0);
        browser.opens(&format!("{}/flows/{}", pair.rp, flow.id)).await;
        assert!(browser.text.contains("Its registration has been deleted"), "{method}: {}", browser.text);
        browser.opens(&format!("{}/", pair.rp)).await;
        browser.submits(Some("/logout"), &[]).await;
        assert!(browser.text.contains("You have signed out of this app"), "{method}: {}", browser.text);
        let mut browser = Browser::default();
        pair.signs_in(&mut browser).await;
        assert!(browser.text.contains("Welcome, Demo User!"), "{method}: {}", browser.text);
    }
}

#[actix_web::test]
async fn an_id_token_is_signed_with_the_secret_that_the_registration_brought() {
    let pair = Pair::start();
    pair.registers("client_secret_basic", "HS256").await;
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    assert!(browser.text.contains("Welcome, Demo User!"), "{}", browser.text);
}

#[actix_web::test]
async fn what_began_under_a_name_goes_on_under_it() {
    let pair = Pair::start();
    let mut under_way = Browser::default();
    under_way.opens(&format!("{}/login", pair.rp)).await;
    under_way.submits(None, &PASSWORD).await;
    let mut session = pair.at_the_tokens().await;
    pair.registers("client_secret_post", "RS256").await;
    // The login ends as client1, and its callback is found in its flow; so do the tokens of the session.
    under_way.submits(None, &AGREE).await;
    assert!(under_way.text.contains("Welcome, Demo User!"), "{}", under_way.text);
    session.opens(&format!("{}/tokens", pair.rp)).await;
    session.does("refresh").await;
    session.is_told(&["HTTP 200"]);
    session.does("call_me").await;
    session.is_told(&["HTTP 200"]);
    let flows = pair.app.recorder.as_ref().unwrap().flows(5, |_| true);
    assert_eq!(flows.len(), 2, "a callback out of nowhere would be another flow");
    for flow in flows {
        let back = flow
            .events
            .iter()
            .any(|it| matches!(&it.event, Event::Message(message) if message.exchange == Exchange::Callback));
        assert!(back);
    }
    // Another one begins as who it is now.
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    assert!(browser.text.contains("Photos"), "{}", browser.text);
}

#[actix_web::test]
async fn what_began_under_a_name_is_held_under_it_at_both_servers() {
    let pair = Pair::start();
    let mut browser = pair.begins_step_by_step().await;
    pair.registers("client_secret_post", "RS256").await;
    let mut held = Vec::new();
    while !browser.is_greeted() {
        held.extend(browser.held_at());
        // The page at the callback tells how long the code is good: the provider says so to the client that it is for.
        if held.last() == Some(&Pause::Callback) {
            assert!(browser.text.contains(r#"id="left-code""#), "{}", browser.text);
        }
        browser.goes_on().await;
    }
    assert_eq!(held, Pause::LOGIN);
}

#[actix_web::test]
async fn what_the_provider_refuses_is_shown_with_its_meaning_and_changes_nothing() {
    let pair = Pair::start();
    for (method, alg, said) in [("none", "HS256", "HS256 signs with"), ("none", "PS256", "must be RS256")] {
        let page = pair.registers(method, alg).await;
        for text in ["HTTP 400", "invalid_client_metadata", said, "cannot be registered"] {
            assert!(page.contains(text), "{text} is not in {page}");
        }
        // Whoever was refused changes one thing and tries again.
        for chosen in [method, alg] {
            assert!(page.contains(&format!("<option selected>{chosen}</option>")), "{page}");
        }
        assert_eq!(pair.client_id(), "client1");
    }
}

#[actix_web::test]
async fn a_provider_without_registration_is_said_to_have_none() {
    let pair = Pair::start_with(&["--registration", "off"], &[]);
    let page = http().get(pair.page()).header("accept-language", "en").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("has no <code>registration_endpoint</code>"));
}

#[actix_web::test]
async fn only_a_form_of_the_page_itself_registers_anybody() {
    let pair = Pair::start();
    let page = http().get(pair.page()).send().await.unwrap().text().await.unwrap();
    let (_, token) = page.split_once(r#"name="csrf" value=""#).unwrap();
    let token = token.split('"').next().unwrap();
    let fields = |token| [("csrf", token), ("do", "register"), ("method", "none"), ("alg", "RS256")];
    for (site, token) in [("cross-site", token), ("same-site", token), ("same-origin", "x")] {
        let request = http().post(pair.page()).header("sec-fetch-site", site).form(&fields(token));
        assert_eq!(request.send().await.unwrap().status(), 403, "{site}");
    }
    for bad in [("method", "magic"), ("alg", "none"), ("do", "everything")] {
        let sent = fields(token).map(|(name, value)| if name == bad.0 { bad } else { (name, value) });
        let request = http().post(pair.page()).header("sec-fetch-site", "same-origin").form(&sent);
        assert_eq!(request.send().await.unwrap().status(), 400, "{bad:?}");
    }
    assert_eq!(pair.client_id(), "client1");
}

#[actix_web::test]
async fn outside_the_demo_nobody_changes_who_the_application_is() {
    let pair = Pair::start_with(&[], &["--client-secret", "of-its-own"]);
    assert_eq!(http().get(pair.page()).send().await.unwrap().status(), 404);
}
