//! Step 7: whose return is it, and is it the first?

use futures_util::future::join_all;

use crate::world::{World, is_signed_in};

#[actix_web::test]
async fn r1_no_state_no_token_call() {
    let world = World::start();
    let mut browser = world.browser();
    world.begins(&mut browser).await;
    let issuer = world.provider.issuer.clone();
    let answer = world.returns(&mut browser, &[("code", "c"), ("iss", &issuer)]).await;
    answer.is_problem(400, "state_missing");
    assert!(world.provider.calls("/token").is_empty());
}

#[actix_web::test]
async fn r1_a_state_that_nobody_sent_is_unknown() {
    let world = World::start();
    let mut browser = world.browser();
    let issuer = world.provider.issuer.clone();
    let params = [("code", "c"), ("state", "made-up-by-an-attacker"), ("iss", &issuer)];
    let answer = world.returns(&mut browser, &params).await;
    answer.is_problem(400, "state_unknown");
    answer.names_check("state_known");
    assert!(world.provider.calls("/token").is_empty());
}

#[actix_web::test]
async fn r1_the_callback_of_another_browser_is_refused_and_the_owner_can_still_finish() {
    let world = World::start();
    let (mut attacker, mut victim) = (world.browser(), world.browser());
    let login = world.begins(&mut attacker).await;
    world.begins(&mut victim).await;
    let answer = world.returns_with_code(&mut victim, &login).await;
    answer.is_problem(400, "state_other_browser");
    answer.names_check("state_same_browser");
    assert!(world.provider.calls("/token").is_empty());
    assert!(!is_signed_in(&mut victim).await);
    assert!(world.returns_with_code(&mut attacker, &login).await.leads_to("/"));
}

#[actix_web::test]
async fn r1_two_tabs_both_work() {
    let world = World::start();
    let mut browser = world.browser();
    let (first, second) = (world.begins(&mut browser).await, world.begins(&mut browser).await);
    assert!(world.returns_with_code(&mut browser, &second).await.leads_to("/"));
    assert!(world.returns_with_code(&mut browser, &first).await.leads_to("/"));
    assert!(is_signed_in(&mut browser).await);
    assert!(browser.attempt_cookies().is_empty(), "{:?}", browser.cookies);
}

#[actix_web::test]
async fn r1_a_login_that_takes_too_long_is_forgotten() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    world.passes(600);
    let answer = world.returns_with_code(&mut browser, &login).await;
    answer.is_problem(400, "state_unknown");
}

#[actix_web::test]
async fn r1_the_attempts_cookie_is_for_the_callback_only() {
    let world = World::start();
    let answer = world.browser().opens("/login").await;
    let cookie = answer.set_cookies.iter().find(|cookie| !cookie.starts_with("rp_attempt_recent")).unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/auth", "Max-Age=600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "http on loopback: {cookie}");
}

#[actix_web::test]
async fn r1_a_browser_has_ten_logins_under_way_and_the_oldest_is_forgotten() {
    let world = World::start();
    let mut browser = world.browser();
    let mut logins = Vec::new();
    for _ in 0..12 {
        logins.push(world.begins(&mut browser).await);
    }
    assert_eq!(browser.attempt_cookies().len(), 10);
    let oldest = world.returns_with_code(&mut browser, &logins[1]).await;
    oldest.is_problem(400, "state_other_browser");
    let kept = world.returns_with_code(&mut browser, &logins[2]).await;
    assert!(kept.leads_to("/"), "{kept:?}");
}

#[actix_web::test]
async fn r12_a_reload_after_success_makes_no_second_token_call() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    assert!(world.returns_with_code(&mut browser, &login).await.leads_to("/"));
    let again = world.comes_back(&mut browser, &login).await;
    again.is_problem(400, "state_reused");
    again.names_check("state_unused");
    assert_eq!(world.provider.calls("/token").len(), 1);
    assert!(is_signed_in(&mut browser).await, "the session stays");
}

#[actix_web::test]
async fn r12_of_many_callbacks_at_once_one_makes_the_token_call() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let mut tabs: Vec<_> = (0..20).map(|_| browser.clone()).collect();
    let answers = join_all(tabs.iter_mut().map(|tab| world.returns_with_code(tab, &login))).await;
    let succeeded = answers.iter().filter(|answer| answer.leads_to("/")).count();
    assert_eq!((succeeded, world.provider.calls("/token").len()), (1, 1));
}

#[actix_web::test]
async fn r12_a_refusal_is_shown_again_at_every_reload_without_any_call() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let mut claims = world.claims(&login);
    claims["nonce"] = "of another login".into();
    world.provider.issues(&crate::keys::HONEST.token(&claims));
    let refused = world.comes_back(&mut browser, &login).await;
    refused.is_problem(502, "id_token_refused");
    refused.names_check("nonce");
    let calls = |path| world.provider.calls(path).len();
    let before = (calls("/token"), calls("/jwks"), calls("/userinfo"));
    let again = world.comes_back(&mut browser, &login).await;
    again.is_problem(502, "id_token_refused");
    again.names_check("nonce");
    let issuer = world.provider.issuer.clone();
    let params = [("code", "code-1"), ("state", &*login.state), ("iss", &issuer), ("lang", "ja")];
    let in_japanese = world.returns(&mut browser, &params).await;
    assert_eq!(in_japanese.status, 502);
    assert!(in_japanese.text.contains(r#"<html lang="ja">"#));
    assert_eq!((calls("/token"), calls("/jwks"), calls("/userinfo")), before);
    let stranger = world.comes_back(&mut world.browser(), &login).await;
    stranger.is_problem(400, "state_other_browser");
}

/// Every address of 127.0.0.0/8 is this computer only on Linux.
#[cfg(target_os = "linux")]
#[actix_web::test]
async fn i23_logins_from_one_address_leave_room_for_those_from_others() {
    use crate::{browser::Answer, provider::Canned, world::Login};

    let world = World::start();
    // What the provider says is kept for the log: a few such logins take as much as many others.
    let refusal =
        serde_json::json!({ "error": "invalid_grant", "error_description": "x".repeat(200 * 1024) });
    world.provider.answers("/token", Canned::Json(400, refusal));
    let mut browser = world.browser();
    let mut refused = 0;
    let full = loop {
        let answer = browser.opens("/login").await;
        if answer.status != 303 || refused == 100 {
            break answer;
        }
        let login = Login::sent_by(&answer);
        world.comes_back(&mut browser, &login).await;
        refused += 1;
    };
    full.is_problem(503, "overloaded");
    full.header("retry-after");
    let elsewhere = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .local_address(std::net::IpAddr::from([127, 0, 0, 2]))
        .build()
        .unwrap();
    let answer = Answer::of(elsewhere.get(format!("{}/login", world.origin))).await;
    assert_eq!(answer.status, 303, "{answer:?}");
}
