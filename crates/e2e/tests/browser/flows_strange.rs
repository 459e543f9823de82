//! What strangers write is shown by the flow viewer, and never run.

use std::fs;

use e2e::{learner::Learner, pair::Pair};

/// Runs where it is not escaped.
const MARKUP: &str = "<img src=x onerror=\"document.body.id='run'\">";

/// The markup stands there as text, and nothing came of it.
async fn is_shown_as_text(learner: &Learner, page: &str) {
    let text = learner.hears("main").await;
    assert!(text.contains(MARKUP), "{page}: {text}");
    assert_eq!(learner.counts("main img").await, 0, "{page}");
    assert_eq!(learner.evaluates("return document.body.id", Vec::new()).await, "", "{page}");
    assert_eq!(learner.complaints().await, [""; 0], "{page}");
}

#[actix_web::test]
async fn what_stands_in_an_address_is_text() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    let mut address = url::Url::parse(&format!("{}/auth", pair.home)).unwrap();
    for name in ["state", "error", "error_description", "iss", MARKUP] {
        address.query_pairs_mut().append_pair(name, MARKUP);
    }
    learner.opens(address.as_str()).await;
    learner.opens_its_flow().await;
    is_shown_as_text(&learner, "flow").await;
    let flow = learner.address().await;

    learner.opens(&format!("{}/auth?state=other&error=access_denied", pair.home)).await;
    learner.opens_its_flow().await;
    let other = learner.address().await;
    let name = |flow: &url::Url| flow.path().rsplit('/').next().unwrap().to_owned();
    learner.opens(&format!("{}/flows/compare?a={}&b={}", pair.home, name(&flow), name(&other))).await;
    is_shown_as_text(&learner, "comparison").await;
}

#[actix_web::test]
async fn what_stands_in_a_file_is_text() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    let saved = learner.saves(".menu a[href$='save?as=page']").await;
    let markup = serde_json::Value::from(MARKUP).to_string();
    let markup = markup.trim_matches('"').replace('<', "\\u003c");
    let page = fs::read_to_string(&saved).unwrap();
    let (shown, events) = page.split_once("application/json").unwrap();
    let prepared = format!("{shown}application/json{}", events.replace("client1", &markup));
    assert_ne!(prepared, page);
    let file = learner.keeps("prepared.html", &prepared);
    learner.opens_the_file(&format!("{}/flows/open", pair.home), &file).await;
    learner.finds(".bench").await;
    is_shown_as_text(&learner, "opened flow").await;
    let again = learner.saves(".menu a[href$='save?as=page']").await;
    learner.opens_a_file(&again).await;
    is_shown_as_text(&learner, "saved again").await;
}

#[actix_web::test]
async fn when_the_idp_is_away_the_rps_half_is_shown_and_called_a_half() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    pair.stops_idp().await;
    learner.opens_the_latest_flow().await;
    learner.sees("Only this server’s half is here: the other one does not answer.").await;
    learner.sees("Success").await;
    learner.chooses("m8").await;
    assert_eq!(learner.counts("#m8 figure").await, 1);
    learner.sees("The other side’s record of this message is not here.").await;
    learner.switches_to("ja").await;
    learner.sees("相手のサーバーが応答しません").await;
}
