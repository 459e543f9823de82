//! The real Relying Party against the real provider, over real ports: the ten steps from the click to the greeting.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod clients;
mod flows;
mod form_post;
mod pair;
mod registration;
mod steps;
mod strangers;
mod tokens;
mod ways;

use std::{collections::HashMap, time::Duration};

use actix_session::storage::SessionStore as _;
use actix_web::cookie::time;
use idp::keys::{Folder, Stage};
use shared::clock::Clock as _;

use crate::pair::{AGREE, Browser, PASSWORD, Pair};

#[actix_web::test]
async fn from_the_click_to_the_greeting_and_out_again() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    for text in ["Welcome, Demo User!", "1@example.com", "pwd", &pair.idp] {
        assert!(browser.text.contains(text), "{text}: {}", browser.text);
    }
    browser.submits(Some("/logout"), &[]).await;
    assert!(browser.is_at(&format!("{}/", pair.rp)), "{:?}", browser.page);
    assert!(browser.text.contains("Both sessions have ended"), "{}", browser.text);
    assert!(browser.text.contains(r#"action="/login""#), "{}", browser.text);
}

#[actix_web::test]
async fn who_says_no_comes_back_to_a_red_box() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &[("decision", "deny")]).await;
    assert!(browser.is_at(&format!("{}/", pair.rp)), "{:?}", browser.page);
    assert!(browser.text.contains(r#"role="alert""#) && browser.text.contains("access_denied"));
    // The page leads to the flow of what it tells, once.
    let link = notice_link(&pair.flows()[0].id);
    assert!(browser.text.contains(&link), "{link}: {}", browser.text);
    browser.opens(&format!("{}/", pair.rp)).await;
    assert!(!browser.text.contains(&link), "{}", browser.text);
}

/// The link of a notice to the flow that it is about.
fn notice_link(flow: &str) -> String {
    format!(r#"<br><a href="/flows/{flow}">See this flow</a>"#)
}

#[actix_web::test]
async fn a_silent_login_that_failed_leads_to_its_own_flow_beside_that_of_the_session() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    let session = pair.flows()[0].id.clone();
    browser.opens(&format!("{}/login?prompt=none", pair.rp)).await;
    assert!(browser.text.contains("Welcome, Demo User!") && browser.text.contains("consent_required"));
    let silent = pair.flows()[0].id.clone();
    assert!(silent != session && browser.text.contains(&notice_link(&silent)), "{}", browser.text);
    assert!(
        browser.text.contains(&format!(r#"class="to-flows" href="/flows/{session}""#)),
        "{}",
        browser.text
    );
}

#[actix_web::test]
async fn i23_where_no_session_has_room_a_login_ends_with_the_way_to_begin_again() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    browser.submits(None, &PASSWORD).await;
    let hour = time::Duration::HOUR;
    while pair.app.sessions.have_room() {
        pair.app.sessions.save(HashMap::new(), &hour).await.unwrap();
    }
    browser.submits(None, &AGREE).await;
    for text in ["HTTP 503", r#"class="btn primary" href="/""#] {
        assert!(browser.text.contains(text), "{text}: {}", browser.text);
    }
    // Nobody signed in with a session that is not kept, and the code was spent once.
    browser.opens(&format!("{}/", pair.rp)).await;
    assert!(browser.text.contains(r#"action="/login""#), "{}", browser.text);
}

#[actix_web::test]
async fn the_session_ends_with_the_id_token() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    pair.clock.advance(Duration::from_secs(3599));
    browser.opens(&format!("{}/", pair.rp)).await;
    assert!(browser.text.contains("Welcome, Demo User!"));
    pair.clock.advance(Duration::from_secs(1));
    browser.opens(&format!("{}/", pair.rp)).await;
    assert!(browser.text.contains(r#"action="/login""#), "{}", browser.text);
}

#[actix_web::test]
async fn logging_in_again_asks_for_the_password_again() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    pair.signs_in(&mut browser).await;
    assert!(browser.text.contains("Welcome, Demo User!"));
}

#[actix_web::test]
async fn r8_i24_a_login_survives_a_rotation_of_the_keys() {
    let folder = std::env::temp_dir().join(format!("rp-full-flow-{}", std::process::id()));
    let pair = Pair::start_with(&["--keys", folder.to_str().unwrap()], &[]);
    // The RP fetches the keys, and does not look again before it must.
    pair.signs_in(&mut Browser::default()).await;
    let mut under_way = Browser::default();
    under_way.opens(&format!("{}/login", pair.rp)).await;
    under_way.submits(None, &PASSWORD).await;

    let wait = Duration::from_secs(120);
    let made = Folder::at(&folder).rotate(None, wait, pair.clock.now()).unwrap();
    // While the new key waits, who comes signs in.
    pair.signs_in(&mut Browser::default()).await;
    pair.clock.advance(wait);
    let signing = pair.provider.keys.list(pair.clock.now()).await;
    let signing: Vec<_> = signing.iter().filter(|(_, it)| it.stage == Stage::Signing).collect();
    assert!(signing.iter().map(|(kid, _)| kid).eq(made.iter().map(|(_, key)| key.kid())), "{signing:?}");

    // The login that is under way ends with a token of a key that the RP has never seen.
    under_way.submits(None, &AGREE).await;
    assert!(under_way.text.contains("Welcome, Demo User!"), "{}", under_way.text);
    pair.signs_in(&mut Browser::default()).await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[actix_web::test]
async fn r6_the_pair_agrees_on_every_algorithm_that_both_have() {
    let hs256 = ["--client-id", "client-hs256", "--client-secret", "client-hs256-secret-of-32-bytes-or-more"];
    for (alg, client) in [("RS256", &[][..]), ("ES256", &[]), ("EdDSA", &[]), ("HS256", &hs256)] {
        let at_idp = if client.is_empty() { &["--signing-alg", alg][..] } else { &[] };
        let pair = Pair::start_with(at_idp, &[&["--id-token-signed-response-alg", alg], client].concat());
        let mut browser = Browser::default();
        pair.signs_in(&mut browser).await;
        assert!(browser.text.contains("Welcome, Demo User!"), "{alg}: {}", browser.text);
        // The hint of the logout is a token of the same kind.
        browser.submits(Some("/logout"), &[]).await;
        if alg == "HS256" {
            // The RP can have written it itself: the provider asks the user first.
            assert!(browser.is_at(&format!("{}/oauth/logout", pair.idp)), "{:?}", browser.page);
            let (_, action) = browser.text.split_once(r#"action=""#).unwrap();
            let action = action.split('"').next().unwrap().replace("&amp;", "&");
            browser.submits(Some(&action), &[]).await;
        }
        assert!(browser.text.contains("Both sessions have ended"), "{alg}: {}", browser.text);
    }
}

#[actix_web::test]
async fn who_is_signed_in_at_the_provider_needs_no_password_and_after_the_logout_does() {
    let pair = Pair::start();
    let login = |prompt: &str| format!("{}/login?prompt={prompt}", pair.rp);
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    browser.opens(&login("sso")).await;
    assert!(browser.is_at(&format!("{}/consent/", pair.idp)), "{:?}", browser.page);
    browser.submits(None, &AGREE).await;
    assert!(browser.text.contains("Welcome, Demo User!"), "{}", browser.text);
    browser.opens(&login("select_account")).await;
    assert!(browser.text.contains("Who is signing in?"), "{}", browser.text);
    // This client is asked for consent every time.
    browser.opens(&login("none")).await;
    assert!(browser.is_at(&format!("{}/", pair.rp)), "{:?}", browser.page);
    assert!(browser.text.contains("consent_required") && browser.text.contains("Welcome, Demo User!"));

    browser.submits(Some("/logout"), &[]).await;
    browser.opens(&login("none")).await;
    assert!(browser.text.contains("login_required"), "{}", browser.text);
    browser.opens(&login("sso")).await;
    assert!(browser.is_at(&format!("{}/login/", pair.idp)), "{:?}", browser.page);
}

#[actix_web::test]
async fn r14_after_the_session_has_ended_here_the_provider_takes_the_expired_token_as_a_hint() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    pair.clock.advance(Duration::from_secs(3600));
    browser.opens(&format!("{}/logout", pair.rp)).await;
    browser.submits(None, &[]).await;
    assert!(browser.is_at(&format!("{}/", pair.rp)), "{:?}", browser.page);
    assert!(browser.text.contains("Both sessions have ended"), "{}", browser.text);
    browser.opens(&format!("{}/login?prompt=sso", pair.rp)).await;
    assert!(browser.is_at(&format!("{}/login/", pair.idp)), "{:?}", browser.page);
}

#[actix_web::test]
async fn where_the_consent_is_remembered_a_second_login_shows_no_page_at_all() {
    let pair = Pair::start_with(&[], &["--client-id", "client2", "--client-secret", "client2-secret"]);
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    for prompt in ["sso", "none"] {
        browser.opens(&format!("{}/", pair.rp)).await;
        browser.submits(Some("/logout"), &[("only", "app")]).await;
        assert!(browser.text.contains("You have signed out of this app."), "{}", browser.text);
        browser.opens(&format!("{}/login?prompt={prompt}", pair.rp)).await;
        assert!(browser.is_at(&format!("{}/", pair.rp)), "{prompt}: {:?}", browser.page);
        assert!(browser.text.contains("Welcome, Demo User!"), "{prompt}: {}", browser.text);
    }
}
