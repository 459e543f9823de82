//! Logging out.

use crate::{
    browser::{Browser, http},
    world::{World, is_signed_in},
};

async fn csrf(browser: &mut Browser) -> String {
    let page = browser.opens("/logout").await;
    assert_eq!(page.status, 200);
    let (_, rest) = page.text.split_once(r#"name="csrf" value=""#).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[actix_web::test]
async fn r14_a_get_asks_and_a_post_from_that_page_signs_out() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let token = csrf(&mut browser).await;
    assert!(is_signed_in(&mut browser).await, "asking ends nothing");
    let mut copied = browser.clone();
    let answer = browser.submits("/logout", &[("csrf", &token)]).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    assert!(browser.opens("/").await.says("notice.signed_out"));
    assert!(!browser.opens("/").await.says("notice.signed_out"));
    assert!(!is_signed_in(&mut copied).await, "the old key is dead");
}

#[actix_web::test]
async fn r14_another_site_cannot_sign_anybody_out() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let token = csrf(&mut browser).await;
    let senders = [
        Some(("sec-fetch-site", "cross-site")),
        Some(("sec-fetch-site", "same-site")),
        Some(("origin", "http://127.0.0.1:5001")),
        Some(("origin", "null")),
        None,
    ];
    for sender in senders {
        let mut request = http().post(format!("{}/logout", world.origin)).form(&[("csrf", &token)]);
        if let Some((name, value)) = sender {
            request = request.header(name, value);
        }
        let answer = browser.sends("/logout", request).await;
        answer.is_problem(403, "foreign_origin");
    }
    assert!(is_signed_in(&mut browser).await);
}

#[actix_web::test]
async fn r14_a_form_without_the_token_of_this_session_is_refused() {
    let world = World::start();
    let (mut browser, mut other) = (world.browser(), world.browser());
    world.logs_in(&mut browser).await;
    world.logs_in(&mut other).await;
    let foreign = csrf(&mut other).await;
    for fields in [vec![], vec![("csrf", "")], vec![("csrf", foreign.as_str())]] {
        let answer = browser.submits("/logout", &fields).await;
        answer.is_problem(403, "csrf");
    }
    assert!(is_signed_in(&mut browser).await);
}

#[actix_web::test]
async fn only_the_own_session_ends() {
    let world = World::start();
    let (mut browser, mut other) = (world.browser(), world.browser());
    world.logs_in(&mut browser).await;
    world.logs_in(&mut other).await;
    let token = csrf(&mut browser).await;
    browser.submits("/logout", &[("csrf", &token)]).await;
    assert!(is_signed_in(&mut other).await);
}

#[actix_web::test]
async fn who_is_not_signed_in_is_led_home() {
    let world = World::start();
    let mut browser = world.browser();
    assert!(browser.opens("/logout").await.leads_to("/"));
    assert!(browser.submits("/logout", &[]).await.leads_to("/"));
}
