//! The provider's own page.

use crate::helpers::{ALICE, Answer, AuthorizationRequest, Browser, DEMO, Idp, http, signed_in};

#[actix_web::test]
async fn it_shows_the_endpoints_the_keys_the_clients_and_the_demo_users() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    let page = browser.goes(&idp.at("/")).await;
    assert_eq!(page.status, 200);
    let document = Answer::of(http().get(idp.at("/oauth/jwks"))).await.json();
    let kids = document["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
    let shown = [
        "/oauth/par",
        "/oauth/token",
        "/oauth/logout",
        "client1",
        "client2",
        "client-hs256",
        "demo",
        "AliceTest2024!",
    ];
    for shown in kids.chain(shown.map(ToOwned::to_owned)) {
        assert!(page.body.contains(&shown), "{shown} is not in {}", page.body);
    }
    assert!(!page.body.contains("client1-secret"));
}

#[actix_web::test]
async fn on_another_host_than_this_computer_it_does_not_say_who_the_clients_are() {
    let idp = Idp::start_with(|settings| {
        settings.origin = web::origin::Origin::parse("http://idp.example", true).unwrap();
        settings.shown_users = &[];
    });
    let address = format!("http://{}/", idp.address);
    let request = http().get(address).header("host", "idp.example");
    let page = Answer::of(request).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(!page.body.contains("client1") && !page.body.contains("DemoTest2024!"), "{}", page.body);
}

#[actix_web::test]
async fn it_shows_who_is_signed_in_here_and_signs_one_of_them_out() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO, ALICE]).await;
    let page = browser.goes(&idp.at("/")).await;
    assert!(page.body.contains("Demo User") && page.body.contains("Alice Mary Example"), "{}", page.body);
    let csrf = browser.shown.csrf();
    browser.page = idp.at("/logout");
    browser.submits_raw(&[("csrf", &csrf), ("account", "1"), ("then", "home")]).await;
    assert_eq!(browser.page, idp.at("/"));
    assert!(!browser.shown.body.contains("Demo User"), "{}", browser.shown.body);
    assert!(browser.shown.body.contains("Alice Mary Example"), "{}", browser.shown.body);
}

#[actix_web::test]
async fn a_consent_is_withdrawn_by_whoever_gave_it_and_asked_for_again() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    browser.goes(&idp.at("/")).await;
    let csrf = browser.shown.csrf();
    browser.page = idp.at("/withdraw");
    // Somebody else's consent is not theirs to withdraw.
    let mut alice = signed_in(&idp, &[ALICE]).await;
    browser.submits_raw(&[("csrf", &csrf), ("account", "2"), ("client", "client2")]).await;
    let silent = || AuthorizationRequest::of_client2().with("prompt", "none");
    assert!(alice.opens(&silent()).await.location().param("code").is_some());
    browser.page = idp.at("/withdraw");
    browser.submits_raw(&[("csrf", &csrf), ("account", "1"), ("client", "client2")]).await;
    assert_eq!(browser.page, idp.at("/"));
    browser.opens(&silent()).await.location().is_refusal(&idp, "consent_required");
    browser.page = idp.at("/withdraw");
    assert_eq!(browser.submits_raw(&[("csrf", "x"), ("account", "1")]).await.status, 403);
}
