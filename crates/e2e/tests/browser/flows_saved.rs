//! A flow as a file.

use std::{collections::BTreeSet, fs};

use e2e::{learner::Learner, pair::Pair};
use shared::flow::{Event, Message};
use viewer::saved::Saved;

const AS_PAGE: &str = ".menu a[href$='save?as=page']";

#[actix_web::test]
async fn a_flow_saved_as_one_page_opens_offline_and_without_secrets() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    let flow = learner.address().await;
    let (_, with_secrets) = learner.fetches(&format!("{flow}/save?secrets=1")).await;
    let file = learner.saves(AS_PAGE).await;
    drop(pair);
    learner.goes_offline().await;
    learner.addresses_asked_for().await;
    learner.complaints().await;

    learner.opens_a_file(&file).await;
    learner.sees("Flow #1").await;
    learner.sees("Success").await;
    assert_eq!(learner.steps().await, ["done"; 10]);
    learner.chooses("m8").await;
    learner.sees("not one byte differs").await;
    learner.chooses("m9").await;
    learner.sees("Payload").await;
    assert_eq!(learner.complaints().await, [""; 0]);
    let asked = learner.addresses_asked_for().await;
    assert!(!asked.is_empty() && asked.iter().all(|it| it.starts_with("file:")), "{asked:?}");

    let written = fs::read_to_string(&file).unwrap();
    let secrets = secrets(&Saved::parse(&with_secrets).unwrap());
    assert!(secrets.len() >= 5, "{secrets:?}");
    for secret in secrets {
        assert!(with_secrets.contains(&secret));
        assert!(!written.contains(&secret), "{secret}");
    }
}

/// What lets whoever knows it do something: code, verifier, tokens and credentials.
fn secrets(saved: &Saved) -> BTreeSet<String> {
    let messages = saved.events.iter().filter_map(|it| match &it.event {
        Event::Message(message) => Some(message),
        _ => None,
    });
    messages.flat_map(secrets_of).collect()
}

fn secrets_of(message: &Message) -> Vec<String> {
    let location = message.header("location").unwrap_or_default();
    let query = location.split_once('?').map_or("", |(_, query)| query);
    let pairs = [message.query(), query, &message.body].into_iter().flat_map(|it| it.split('&'));
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    let mut found: Vec<String> = pairs
        .filter(|(name, _)| ["code", "code_verifier"].contains(name))
        .map(|(_, value)| value.to_owned())
        .collect();
    if let Ok(answer) = serde_json::from_str::<serde_json::Value>(&message.body) {
        found.extend(answer["access_token"].as_str().map(ToOwned::to_owned));
        // What an ID token says is worth keeping; nobody can use it without its signature.
        let signature = answer["id_token"].as_str().and_then(|token| token.rsplit('.').next());
        found.extend(signature.map(ToOwned::to_owned));
    }
    let credentials = message.header("authorization").and_then(|it| it.split_once(' '));
    found.extend(credentials.map(|(_, credentials)| credentials.to_owned()));
    found
}

#[actix_web::test]
async fn a_saved_flow_is_opened_again_and_shown_like_any_other() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    let file = learner.saves(AS_PAGE).await;
    drop(pair);

    // Elsewhere, where nothing is known of that flow.
    let elsewhere = Pair::start();
    learner.opens_the_file(&format!("{}/flows/open", elsewhere.home), &file).await;
    learner.sees("Flow #1").await;
    learner.sees("Success").await;
    assert_eq!(learner.steps().await, ["done"; 10]);
    learner.chooses("m8").await;
    learner.sees("not one byte differs").await;
    learner.switches_to("ja").await;
    learner.sees("成功").await;
    learner.opens(&format!("{}/flows", elsewhere.home)).await;
    assert_eq!(learner.counts("table.flows tbody tr").await, 1);
    assert_eq!(learner.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn a_file_that_cannot_be_opened_is_refused_with_the_reason() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    let file = learner.saves(AS_PAGE).await;
    let page = fs::read_to_string(&file).unwrap();
    let open = format!("{}/flows/open", pair.home);
    for (written, in_english, in_japanese) in [
        (page.replace("\"events\":[", "\"events\":"), "cannot be read", "読めません"),
        (page[..page.len() / 2].to_owned(), "was not saved by the flow viewer", "保存したものではありません"),
        (
            "<h1>Something else</h1>".to_owned(),
            "was not saved by the flow viewer",
            "保存したものではありません",
        ),
    ] {
        let file = learner.keeps("broken.html", &written);
        for (language, reason) in [("en", in_english), ("ja", in_japanese)] {
            learner.opens_the_file(&format!("{open}?lang={language}"), &file).await;
            learner.finds("[role=alert]").await;
            learner.sees(reason).await;
        }
    }
}
