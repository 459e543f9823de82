//! The home page and the health check.

use serde_json::{Value, json};

use crate::{provider::Canned, world::World};

#[actix_web::test]
async fn signed_out_it_shows_the_button_and_that_the_provider_answers() {
    let world = World::start();
    let home = world.browser().opens("/").await;
    assert_eq!(home.status, 200);
    assert!(home.text.contains(r#"action="/login""#) && home.says("home.login"));
    assert!(home.says("home.provider.up"), "{}", home.text);
    assert!(home.text.contains(&world.provider.issuer));
    assert!(home.set_cookies.is_empty(), "a visitor gets no cookie");
}

#[actix_web::test]
async fn beside_the_tutorials_way_it_offers_single_sign_on_and_another_account() {
    let world = World::start();
    let mut browser = world.browser();
    let home = browser.opens("/").await;
    let (_, form) = home.text.split_once(r#"action="/login""#).unwrap();
    let (form, _) = form.split_once("</form>").unwrap();
    // The first button is the one that Enter presses: it says nothing, and the RP sends prompt=login.
    let buttons: Vec<_> =
        form.split("<button").skip(1).map(|button| button.split('>').next().unwrap()).collect();
    assert_eq!(buttons.len(), 3, "{form}");
    assert!(!buttons[0].contains("name="), "{form}");
    for (button, value) in buttons[1..].iter().zip(["sso", "select_account"]) {
        assert!(button.contains(&format!(r#"name="prompt" value="{value}""#)), "{button}");
        assert!(home.says(&format!("home.{value}")) && home.says(&format!("home.{value}.what")));
    }
}

#[actix_web::test]
async fn it_starts_without_the_provider_and_works_as_soon_as_that_answers() {
    let world = World::start();
    let discovery = "/.well-known/openid-configuration";
    world.provider.answers(discovery, Canned::Json(503, json!({})));
    let mut browser = world.browser();
    assert!(browser.opens("/").await.says("home.provider.down"));
    browser.opens("/login").await.is_problem(502, "idp_unreachable");
    world.provider.describes_itself(|_| ());
    world.logs_in(&mut browser).await;
}

#[actix_web::test]
async fn a_provider_that_hangs_does_not_hold_the_home_page_up() {
    let world = World::start();
    let discovery = "/.well-known/openid-configuration";
    world.provider.answers(discovery, Canned::Silence);
    let began = std::time::Instant::now();
    for _ in 0..5 {
        assert!(world.browser().opens("/").await.says("home.provider.down"));
    }
    // One second for the first, nothing for the others: asked once in five seconds.
    assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    assert_eq!(world.provider.calls(discovery).len(), 1);
}

#[actix_web::test]
async fn signed_in_it_shows_each_claim_with_its_source_and_each_check() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in_as(&mut browser, |claims| claims["department"] = "研究".into()).await;
    let home = browser.opens("/").await;
    let shown = ["Demo User", "1@example.com", "department", "研究", "pwd", &world.provider.issuer];
    for text in shown {
        assert!(home.text.contains(text), "{text}: {}", home.text);
    }
    let checks = [
        "state_known",
        "state_same_browser",
        "state_unused",
        "response_issuer",
        "token_type",
        "id_token_present",
        "token_well_formed",
        "issuer_claim",
        "subject_claim",
        "audience",
        "authorized_party",
        "algorithm",
        "critical_header",
        "signature",
        "expiry",
        "issued_at",
        "nonce",
        "access_token_hash",
        "library_verifier",
        "userinfo_subject",
    ];
    for rule in checks {
        home.names_check(rule);
    }
}

#[actix_web::test]
async fn a_user_without_a_name_is_greeted_all_the_same() {
    let world = World::start();
    world.provider.answers("/userinfo", Canned::Json(200, json!({ "sub": "1" })));
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    assert_eq!(browser.opens("/").await.status, 200);
}

#[actix_web::test]
async fn claims_are_shown_as_text() {
    let world = World::start();
    let evil = "<svg onload=alert(1)>{{7*7}}";
    let userinfo = json!({ "sub": "1", "name": evil, "<b>": { "x": evil } });
    world.provider.answers("/userinfo", Canned::Json(200, userinfo));
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let home = browser.opens("/").await;
    assert!(!home.text.contains("<svg onload") && !home.text.contains("<b>:"));
    assert!(home.text.contains("&lt;svg onload"));
}

#[actix_web::test]
async fn it_is_healthy_whether_or_not_the_provider_answers() {
    for (status, provider) in [(200, "reachable"), (503, "unreachable")] {
        let world = World::start();
        if status != 200 {
            let discovery = "/.well-known/openid-configuration";
            world.provider.answers(discovery, Canned::Json(status, json!({})));
        }
        let answer = world.browser().opens("/health").await;
        assert_eq!(answer.status, 200);
        let body: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(body, json!({ "status": "ok", "provider": provider }));
    }
}
