//! The page whose script is a client, and what it may tell of itself.

use serde_json::{Value, json};

use crate::{
    browser::{Answer, Browser, http},
    world::World,
};

const TOLD: &str = "/spa/told";

/// The message that begins a login.
fn request() -> Value {
    let target = "/authorize?client_id=client-public&state=s1&response_type=code";
    json!({ "ago": 10, "event": { "message": {
        "exchange": "authorize", "from": "browser", "to": "idp",
        "line": { "request": { "method": "GET", "target": target } },
        "headers": [], "body": "", "cut": 0, "span": "0123456789abcdef",
    } } })
}

async fn tells(browser: &mut Browser, told: &Value) -> Answer {
    browser.submits(TOLD, &[("state", "s1"), ("told", &told.to_string())]).await
}

#[actix_web::test]
async fn the_page_of_the_script_may_ask_the_issuer_and_nobody_else() {
    let world = World::start();
    let answer = world.browser().opens("/spa").await;
    assert_eq!(answer.status, 200);
    let policy = answer.header("content-security-policy");
    let sources: Vec<_> = policy.split("; ").filter(|part| part.starts_with("connect-src")).collect();
    assert_eq!(sources, [format!("connect-src 'self' {}", world.provider.issuer)]);
    assert!(policy.contains("script-src 'self';") && policy.contains("form-action 'none'"), "{policy}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert!(!answer.text.contains("client1-secret"));
    let home = world.browser().opens("/").await;
    assert!(home.header("content-security-policy").contains("connect-src 'self';"));
    assert!(home.text.contains(r#"href="/spa""#));
}

#[actix_web::test]
async fn outside_of_the_demo_there_is_no_such_page_unless_a_client_is_named() {
    let own = ["--client-secret", "s3cret"];
    let world = World::start_with(&own);
    let mut browser = world.browser();
    assert_eq!(browser.opens("/spa").await.status, 404);
    assert_eq!(tells(&mut browser, &json!([request()])).await.status, 404);
    assert!(!browser.opens("/").await.text.contains(r#"href="/spa""#));
    let world = World::start_with(&[&own[..], &["--spa-client-id", "mine"]].concat());
    let mut browser = world.browser();
    assert!(browser.opens("/spa").await.text.contains(r#"data-client_id="mine""#));
    // What a browser tells is a flow of that browser.
    let answer = tells(&mut browser, &json!([request()])).await;
    let flow: Value = serde_json::from_str(&answer.text).unwrap();
    let flow = flow["flow"].as_str().unwrap();
    assert_eq!(browser.opens(flow).await.status, 200);
    assert_eq!(world.browser().opens(flow).await.status, 404);
}

#[actix_web::test]
async fn where_nothing_is_recorded_nothing_is_told() {
    let world = World::start_with(&["--record", "off"]);
    let mut browser = world.browser();
    assert!(browser.opens("/spa").await.text.contains(r#"data-told="""#));
    assert_eq!(tells(&mut browser, &json!([request()])).await.status, 404);
}

#[actix_web::test]
async fn what_the_script_tells_is_shown_as_a_flow() {
    let world = World::start();
    let mut browser = world.browser();
    let refusal = json!({ "ago": 0, "event": { "check": {
        "rule": "state_known", "verdict": "failed",
        "expected": { "words": null, "value": "<b>expected</b>" }, "actual": { "words": "absent", "value": "" },
    } } });
    let first: Value = serde_json::from_str(&tells(&mut browser, &json!([request()])).await.text).unwrap();
    let second: Value = serde_json::from_str(&tells(&mut browser, &json!([refusal])).await.text).unwrap();
    assert_eq!(first, second);
    let page = browser.opens(first["flow"].as_str().unwrap()).await;
    assert!(page.text.contains("Made by the script in the browser"));
    assert!(page.text.contains("&lt;b&gt;expected&lt;/b&gt;") && !page.text.contains("<b>expected</b>"));
    assert!(page.text.contains("hop w-i web") && !page.text.contains("hop r-i"));
    assert_eq!(browser.opens("/").await.status, 200);
}

#[actix_web::test]
async fn what_cannot_be_true_or_comes_from_elsewhere_is_not_recorded() {
    let world = World::start();
    let mut browser = world.browser();
    let mut password = request();
    password["event"]["message"]["exchange"] = json!("password");
    let mut server = request();
    server["event"]["message"]["from"] = json!("rp");
    let many: Vec<_> = (0..101).map(|_| request()).collect();
    for told in [json!({}), json!([]), json!([{}]), json!([password]), json!([server]), json!(many)] {
        tells(&mut browser, &told).await.is_problem(400, "malformed");
    }
    browser.submits(TOLD, &[("told", &json!([request()]).to_string())]).await.is_problem(400, "malformed");
    let long = "x".repeat(70_000);
    let mut large = request();
    large["event"]["message"]["body"] = json!(long);
    assert_eq!(tells(&mut browser, &json!([large])).await.status, 413);
    for site in ["cross-site", "same-site", "none"] {
        let form = http().post(format!("{}{TOLD}", world.origin)).header("sec-fetch-site", site);
        let answer =
            Answer::of(form.form(&[("state", "s1"), ("told", &json!([request()]).to_string())])).await;
        answer.is_problem(403, "foreign_origin");
    }
    assert!(!browser.opens("/flows").await.text.contains("#1"));
}
