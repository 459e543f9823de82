//! After step 10: the claims, and whose they are.

use serde_json::json;

use crate::{
    provider::{ACCESS_TOKEN, Canned},
    world::{World, is_signed_in},
};

#[actix_web::test]
async fn claims_are_asked_for_once_with_the_token_in_the_header() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    assert!(is_signed_in(&mut browser).await);
    let [call] = &world.provider.calls("/userinfo")[..] else { panic!("one call") };
    assert_eq!(call.authorization.as_deref(), Some(&*format!("Bearer {ACCESS_TOKEN}")));
    assert_eq!(call.query, "");
    let home = browser.opens("/").await;
    assert!(home.text.contains("Demo User") && home.text.contains("1@example.com"));
}

#[actix_web::test]
async fn r9_claims_about_somebody_else_end_the_login() {
    let world = World::start();
    let mut browser = world.browser();
    world.provider.answers("/userinfo", Canned::Json(200, json!({ "sub": "2", "name": "Eve" })));
    let answer = world.logs_in_as(&mut browser, |_| ()).await;
    answer.is_problem(502, "userinfo_subject");
    answer.names_check("userinfo_subject");
    assert!(!is_signed_in(&mut browser).await);
}

#[actix_web::test]
async fn r16_a_login_stands_without_the_claims_and_says_so() {
    let failures = [
        Canned::Json(401, json!({ "error": "invalid_token" })),
        Canned::Json(500, json!({})),
        Canned::Json(200, json!({ "name": "somebody" })),
        Canned::Json(200, json!(["sub"])),
        Canned::Json(200, json!({ "sub": "1", "padding": "x".repeat(256 * 1024) })),
        Canned::Raw(200, "application/jwt", b"a.b.c".to_vec()),
        Canned::Redirect(302, "/elsewhere".into()),
    ];
    for failure in failures {
        let world = World::start();
        let mut browser = world.browser();
        world.provider.answers("/userinfo", failure);
        world.logs_in(&mut browser).await;
        let home = browser.opens("/").await;
        assert!(home.says("session.userinfo_failed"), "{}", home.text);
        assert!(!home.text.contains("somebody"));
        assert!(world.provider.calls("/elsewhere").is_empty());
    }
}

#[actix_web::test]
async fn a_provider_without_a_userinfo_endpoint_is_no_failure() {
    let world = World::start();
    world.provider.describes_itself(|document| {
        document.as_object_mut().unwrap().remove("userinfo_endpoint");
    });
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let home = browser.opens("/").await;
    assert!(home.text.contains(r#"action="/logout""#));
    assert!(!home.says("session.userinfo_failed"));
}
