//! The Relying Party as each kind of client: whatever it proves who it is with, everything goes on in the same way.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use shared::{
    flow::{Event, Exchange, Message, Party, Recorded, Rule, Verdict},
    params::Params,
};

use crate::{
    flows::messages,
    pair::{AGREE, Browser, PASSWORD, Pair, http},
    steps::walk::failed,
};

/// Each way to authenticate, with a client of the demo that is registered for it.
const WAYS: [(&str, &str, &str); 5] = [
    ("client_secret_basic", "client1", "client1-secret"),
    ("client_secret_post", "client-post", "client-post-secret"),
    ("client_secret_jwt", "client-secret-jwt", "client-secret-jwt-secret-of-32-bytes-or-more"),
    ("private_key_jwt", "client-private-key", ""),
    ("none", "client-public", ""),
];

fn as_client(method: &str) -> Pair {
    as_client_with(method, &[])
}

fn as_client_with(method: &str, more: &[&str]) -> Pair {
    let (_, id, secret) = WAYS.into_iter().find(|(name, ..)| *name == method).unwrap();
    let flags = [&["--token-endpoint-auth-method", method, "--client-id", id], more].concat();
    let secret = ["--client-secret", secret];
    let secret = if secret[1].is_empty() { &[][..] } else { &secret[..] };
    Pair::start_with(&[], &[&flags[..], secret].concat())
}

/// What the RP sent in this exchange, the last time.
fn sent(events: &[Recorded], exchange: Exchange) -> &Message {
    let sent = messages(events).filter(|(by, it)| {
        *by == Party::Rp && it.exchange == exchange && it.from == Party::Rp && it.to == Party::Idp
    });
    sent.last().unwrap().1
}

/// What the form says, and the credentials in the header.
fn shown(message: &Message) -> (Params, Option<&str>) {
    (Params::parse(message.body.as_bytes(), &[]).unwrap(), message.header("authorization"))
}

/// A part of the assertion.
fn part(form: &Params, at: usize) -> Value {
    let part = form.get("client_assertion").unwrap().split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[actix_web::test]
async fn a_login_works_with_each_way_to_authenticate_and_shows_no_more_than_it_takes() {
    for (method, id, secret) in WAYS {
        let pair = as_client(method);
        let mut browser = Browser::default();
        pair.signs_in(&mut browser).await;
        assert!(browser.text.contains("Welcome, Demo User!"), "{method}: {}", browser.text);
        let events = pair.latest().await;
        assert!(failed(&events).is_empty(), "{method}: {:?}", failed(&events));
        let (form, header) = shown(sent(&events, Exchange::Token));
        assert_eq!(header.is_some(), method == "client_secret_basic", "{method}");
        assert_eq!(form.get("client_id"), header.is_none().then_some(id), "{method}");
        let in_the_form = (method == "client_secret_post").then_some(secret);
        assert_eq!(form.get("client_secret"), in_the_form, "{method}");
        assert_eq!(form.get("client_assertion").is_some(), method.ends_with("_jwt"), "{method}");
        // The provider says how it was convinced.
        let judged = events.iter().find_map(|it| match &it.event {
            Event::Check(check) if check.rule == Rule::ClientAuthMethod => Some(check),
            _ => None,
        });
        let judged = judged.unwrap();
        assert_eq!((judged.actual.value(), judged.verdict), (method, Verdict::Passed));
    }
}

#[actix_web::test]
async fn what_is_done_with_the_tokens_is_authenticated_in_the_same_way() {
    for (method, ..) in WAYS {
        let pair = as_client(method);
        let mut browser = pair.at_the_tokens().await;
        browser.does("refresh").await;
        browser.is_told(&["HTTP 200"]);
        browser.does("call_me").await;
        browser.is_told(&["HTTP 200"]);
        // A name that everybody knows is not enough to be told about tokens.
        browser.does("introspect_access").await;
        let told = if method == "none" { ["HTTP 401", "invalid_client"] } else { ["HTTP 200", "active"] };
        browser.is_told(&told);
        browser.does("revoke_refresh").await;
        browser.is_told(&["HTTP 200"]);
        browser.does("call_me").await;
        browser.is_told(&["HTTP 401"]);
    }
}

#[actix_web::test]
async fn an_assertion_is_new_each_time_for_a_minute_and_for_this_provider() {
    for (method, alg) in [("client_secret_jwt", "HS256"), ("private_key_jwt", "ES256")] {
        let pair = as_client(method);
        let mut browser = pair.at_the_tokens().await;
        browser.does("refresh").await;
        let events = pair.latest().await;
        let [first, second] = [Exchange::Token, Exchange::Refresh].map(|it| shown(sent(&events, it)).0);
        assert_eq!(part(&first, 0)["alg"], alg);
        let claims = part(&first, 1);
        let id = claims["sub"].clone();
        assert_eq!((&claims["iss"], &claims["aud"]), (&id, &Value::from(pair.idp.clone())));
        let seconds = |name: &str| claims[name].as_i64().unwrap();
        assert_eq!(seconds("exp") - seconds("iat"), 60);
        assert_ne!(claims["jti"], part(&second, 1)["jti"]);
    }
}

#[actix_web::test]
async fn each_algorithm_signs_an_assertion_that_the_provider_accepts() {
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let pair = as_client_with("private_key_jwt", &["--token-endpoint-auth-signing-alg", alg]);
        let mut browser = Browser::default();
        pair.signs_in(&mut browser).await;
        assert!(browser.text.contains("Welcome, Demo User!"), "{alg}: {}", browser.text);
        let jwks = http().get(format!("{}/jwks", pair.rp)).send().await.unwrap();
        let jwks: Value = jwks.json().await.unwrap();
        assert_eq!(jwks["keys"][0]["alg"], alg);
        assert!(jwks["keys"][0].get("d").is_none());
    }
}

#[actix_web::test]
async fn who_is_registered_for_another_way_is_refused_and_told_what_it_means() {
    let flags = ["--client-id", "client-post", "--client-secret", "client-post-secret"];
    let pair = Pair::start_with(&[], &flags);
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &AGREE).await;
    assert!(browser.text.contains("invalid_client"), "{}", browser.text);
    // Who is not known at the token endpoint is not told the provider's half of the flow either.
    let there = pair.provider.recorder.as_ref().unwrap().flows(1, |_| true);
    assert_eq!(failed(&there[0].events), [(Party::Idp, Rule::ClientAuthMethod)]);
}
