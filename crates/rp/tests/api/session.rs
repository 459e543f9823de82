//! The session: new at login, on the server, and over when the ID token is.

use serde_json::json;

use crate::{
    provider::Canned,
    world::{World, is_signed_in},
};

#[actix_web::test]
async fn r10_the_session_gets_a_new_key_at_login_and_the_old_one_is_dead() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let mut before = browser.clone();
    world.logs_in(&mut browser).await;
    assert_ne!(before.cookie("rp_session"), browser.cookie("rp_session"));
    assert!(is_signed_in(&mut browser).await);
    assert!(!is_signed_in(&mut before).await);
}

#[actix_web::test]
async fn r10_a_session_that_an_attacker_planted_is_not_signed_in() {
    let world = World::start();
    let mut attacker = world.browser();
    let login = world.begins(&mut attacker).await;
    let issuer = world.provider.issuer.clone();
    let params = [("error", "access_denied"), ("state", &*login.state), ("iss", &issuer)];
    world.returns(&mut attacker, &params).await;
    let mut victim = attacker.clone();
    assert!(victim.cookie("rp_session").is_some(), "a session that is not signed in");
    world.logs_in(&mut victim).await;
    assert!(is_signed_in(&mut victim).await);
    assert!(!is_signed_in(&mut attacker).await);
}

#[actix_web::test]
async fn r10_the_cookie_is_for_the_server_only() {
    let world = World::start();
    let answer = world.logs_in_as(&mut world.browser(), |_| ()).await;
    let cookie = answer.set_cookies.iter().find(|cookie| cookie.starts_with("rp_session=")).unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Max-Age"), "it ends with the browser: {cookie}");
}

#[actix_web::test]
async fn r10_over_https_the_cookies_are_secure() {
    let world = World::start_with(&["--base-url", "https://rp.example/app"]);
    let request = crate::browser::http();
    let address = world.listens_at();
    let get = |target: &str| {
        let url = format!("http://{address}{target}");
        crate::browser::Answer::of(request.get(url).header("host", "rp.example"))
    };
    let answer = get("/app/login").await;
    assert_eq!(answer.status, 303);
    for cookie in &answer.set_cookies {
        assert!(cookie.contains("Secure") && cookie.contains("Path=/app/"), "{cookie}");
    }
}

#[actix_web::test]
async fn r10_no_token_ever_reaches_the_browser() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let id_token = crate::keys::HONEST.token(&world.claims(&login));
    world.provider.issues(&id_token);
    let answer = world.comes_back(&mut browser, &login).await;
    let home = browser.opens("/").await;
    let seen = format!("{:?} {} {:?} {}", answer.set_cookies, answer.text, home.set_cookies, home.text);
    for secret in [id_token.as_str(), crate::provider::ACCESS_TOKEN] {
        assert!(!seen.contains(secret));
    }
}

#[actix_web::test]
async fn r10_a_cookie_that_was_never_ours_opens_nothing() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    for kept in &mut browser.cookies {
        kept.value.push('x');
    }
    assert!(!is_signed_in(&mut browser).await);
}

#[actix_web::test]
async fn a_session_ends_with_its_id_token_and_says_so_until_the_user_signs_in_or_out() {
    let world = World::start();
    let mut browser = world.browser();
    let end = world.now() + 300;
    world.logs_in_as(&mut browser, |claims| claims["exp"] = end.into()).await;
    world.passes(299);
    assert!(is_signed_in(&mut browser).await);
    world.passes(1);
    for _ in 0..2 {
        let home = browser.opens("/").await;
        assert!(home.says("notice.session_ended") && home.text.contains(r#"action="/login""#));
        assert!(!home.text.contains("Demo User"), "{}", home.text);
    }
    world.logs_in(&mut browser).await;
    assert!(!browser.opens("/").await.says("notice.session_ended"));
    world.passes(3600);
    assert!(browser.opens("/").await.says("notice.session_ended"));
    world.passes(86_400);
    assert!(!browser.opens("/").await.says("notice.session_ended"), "it is forgotten");
}

#[actix_web::test]
async fn a_session_that_is_over_before_it_begins_is_not_started_and_the_page_says_why() {
    for late in [0, 59] {
        let world = World::start();
        let mut browser = world.browser();
        world.logs_in(&mut browser).await;
        let end = world.now() - late;
        let answer = world.logs_in_as(&mut browser, |claims| claims["exp"] = end.into()).await;
        assert!(answer.leads_to("/"), "{answer:?}");
        let home = browser.opens("/").await;
        assert!(
            home.says("notice.over_at_once") && home.text.contains(r#"action="/login""#),
            "{}",
            home.text
        );
        assert!(!is_signed_in(&mut browser).await, "nor does the session before go on");
    }
}

#[actix_web::test]
async fn who_signs_in_as_somebody_else_is_somebody_else() {
    let world = World::start();
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    let mut before = browser.clone();
    let userinfo = json!({ "sub": "2", "name": "Second User" });
    world.provider.answers("/userinfo", Canned::Json(200, userinfo));
    assert!(world.logs_in_as(&mut browser, |claims| claims["sub"] = "2".into()).await.leads_to("/"));
    let home = browser.opens("/").await;
    assert!(home.text.contains("Second User") && !home.text.contains("Demo User"), "{}", home.text);
    assert!(!is_signed_in(&mut before).await, "the key of the session before is dead");
}

#[actix_web::test]
async fn a_session_ends_earlier_when_the_settings_say_so() {
    let world = World::start_with(&["--session-lifetime", "60"]);
    let mut browser = world.browser();
    world.logs_in(&mut browser).await;
    world.passes(59);
    assert!(is_signed_in(&mut browser).await);
    world.passes(1);
    assert!(browser.opens("/").await.says("notice.session_ended"));
}

#[actix_web::test]
async fn r9_a_user_is_issuer_and_subject_never_the_address() {
    let world = World::start();
    let mut browser = world.browser();
    // Somebody else who has the address of user 1 now.
    let userinfo = json!({ "sub": "2", "email": "1@example.com" });
    world.provider.answers("/userinfo", Canned::Json(200, userinfo));
    let answer = world.logs_in_as(&mut browser, |claims| claims["sub"] = "2".into()).await;
    assert!(answer.leads_to("/"), "{answer:?}");
    let issuer = &world.provider.issuer;
    let user = format!(r#"<b>2</b> <span class="muted">@</span> <code>{issuer}</code>"#);
    let home = browser.opens("/").await;
    assert!(home.text.contains(&user), "{}", home.text);
}
