//! Signing out (OpenID Connect RP-Initiated Logout 1.0).

use crate::helpers::{
    ALICE, Answer, AuthorizationRequest, Browser, DEMO, Idp, base64_url, hint_by_secret, http, id_token_of,
    signed_in,
};

const BACK: &str = "http://127.0.0.1:5002/logout/done";

/// Opens the logout endpoint with these parameters.
async fn logs_out<'a>(browser: &'a mut Browser, idp: &Idp, params: &[(&str, &str)]) -> &'a Answer {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    browser.goes(&idp.at(&format!("/oauth/logout?{query}"))).await
}

/// Whether a request without a page is answered for `username`.
async fn is_signed_in(browser: &mut Browser, username: &str) -> bool {
    let asked = AuthorizationRequest::of_client2().with("prompt", "none").with("login_hint", username);
    browser.opens(&asked).await.location().param("code").is_some()
}

#[actix_web::test]
async fn with_a_hint_the_session_ends_and_the_browser_goes_back_with_its_state() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK), ("state", "a b&c")];
    let answer = logs_out(&mut browser, &idp, &params).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.location.as_deref(), Some("http://127.0.0.1:5002/logout/done?state=a+b%26c"));
    assert!(!is_signed_in(&mut browser, "demo").await);
}

#[actix_web::test]
async fn without_a_state_nothing_is_added_to_the_address() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK)];
    assert_eq!(logs_out(&mut browser, &idp, &params).await.location.as_deref(), Some(BACK));
}

#[actix_web::test]
async fn a_hint_that_has_expired_still_says_who_is_meant() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    idp.passes(7200);
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK)];
    assert_eq!(logs_out(&mut browser, &idp, &params).await.location.as_deref(), Some(BACK));
    assert!(!is_signed_in(&mut browser, "demo").await);
}

#[actix_web::test]
async fn one_user_signs_out_and_the_other_stays() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO, ALICE]).await;
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    logs_out(&mut browser, &idp, &[("id_token_hint", &hint)]).await;
    assert!(!is_signed_in(&mut browser, "demo").await);
    assert!(is_signed_in(&mut browser, "alice").await);
}

/// Browsers keep pages for their Back button, even those that say `no-store`, until a cookie changes.
#[actix_web::test]
async fn i14_every_sign_out_changes_the_cookie() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO, ALICE]).await;
    let hints =
        [id_token_of(&idp, &mut browser, "demo").await, id_token_of(&idp, &mut browser, "alice").await];
    for hint in hints {
        let before = browser.cookies["idp_session"].clone();
        logs_out(&mut browser, &idp, &[("id_token_hint", &hint)]).await;
        assert_ne!(browser.cookies["idp_session"], before);
        let mut old = Browser::new(&idp);
        old.cookies.insert("idp_session".to_owned(), before);
        assert!(!is_signed_in(&mut old, "alice").await, "the old cookie is worth nothing");
    }
    assert_eq!(browser.cookies["idp_session"], "");
}

#[actix_web::test]
async fn i18_a_hint_about_somebody_who_is_not_signed_in_here_ends_nobody_elses_session_unasked() {
    let idp = Idp::start();
    let mut elsewhere = signed_in(&idp, &[ALICE]).await;
    let hint = id_token_of(&idp, &mut elsewhere, "alice").await;
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK)];
    let page = logs_out(&mut browser, &idp, &params).await;
    assert!(page.location.is_none() && page.body.contains("Demo User"), "{page:?}");
    assert!(is_signed_in(&mut browser, "demo").await);
}

#[actix_web::test]
async fn i18_a_hint_of_another_session_of_the_same_user_ends_this_one_only_after_a_question() {
    let idp = Idp::start();
    let mut elsewhere = signed_in(&idp, &[DEMO]).await;
    let hint = id_token_of(&idp, &mut elsewhere, "demo").await;
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK)];
    idp.passes(1);
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let page = logs_out(&mut browser, &idp, &params).await;
    assert!(page.location.is_none() && page.body.contains("Demo User"), "{page:?}");
    assert!(is_signed_in(&mut browser, "demo").await);
    // In its own session it is enough, also for a client that came later without any page.
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK)];
    assert_eq!(logs_out(&mut browser, &idp, &params).await.location.as_deref(), Some(BACK));
    assert!(is_signed_in(&mut elsewhere, "demo").await);
}

#[actix_web::test]
async fn i18_without_a_hint_the_user_is_asked_first() {
    let idp = Idp::start();
    for params in [
        &[][..],
        &[("state", "x")],
        &[("client_id", "client2"), ("post_logout_redirect_uri", BACK), ("state", "x")],
    ] {
        let mut browser = signed_in(&idp, &[DEMO]).await;
        let page = logs_out(&mut browser, &idp, params).await;
        assert_eq!((page.status, page.location.as_deref()), (200, None));
        assert!(page.body.contains("Demo User"), "{}", page.body);
        assert!(is_signed_in(&mut browser, "demo").await);
    }
}

#[actix_web::test]
async fn a_user_who_says_yes_is_signed_out_and_goes_back() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO, ALICE]).await;
    let params = [("client_id", "client2"), ("post_logout_redirect_uri", BACK), ("state", "x")];
    logs_out(&mut browser, &idp, &params).await;
    confirm(&mut browser, &idp).await;
    assert_eq!(browser.shown.location.as_deref(), Some("http://127.0.0.1:5002/logout/done?state=x"));
    assert!(!is_signed_in(&mut browser, "demo").await);
    assert!(!is_signed_in(&mut browser, "alice").await);
}

#[actix_web::test]
async fn without_an_address_the_page_says_that_it_is_done() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    logs_out(&mut browser, &idp, &[]).await;
    confirm(&mut browser, &idp).await;
    assert_eq!(browser.shown.status, 200);
    assert!(browser.shown.body.contains("ログアウトしました"), "{}", browser.shown.body);
    assert!(!is_signed_in(&mut browser, "demo").await);
}

/// Presses the button of the question.
async fn confirm(browser: &mut Browser, idp: &Idp) {
    let (_, action) = browser.shown.body.split_once(r#"action=""#).unwrap();
    let action = action.split('"').next().unwrap().replace("&amp;", "&");
    browser.page = idp.at(&action);
    browser.submits(&[]).await;
}

#[actix_web::test]
async fn nobody_is_asked_when_nobody_is_signed_in() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    let params = [("client_id", "client2"), ("post_logout_redirect_uri", BACK)];
    assert_eq!(logs_out(&mut browser, &idp, &params).await.location.as_deref(), Some(BACK));
    assert_eq!(logs_out(&mut browser, &idp, &[]).await.status, 200);
}

#[actix_web::test]
async fn i18_an_address_that_is_not_registered_is_never_redirected_to_and_nobody_is_signed_out() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    let unregistered = [
        "http://127.0.0.1:5002/logout/done/",
        "http://127.0.0.1:5002/logout/done?x=1",
        "http://127.0.0.1:5002/logout/done#x",
        "http://127.0.0.1:5002/auth",
        "http://localhost:5002/logout/done",
        "//evil.example",
        "javascript:alert(1)",
    ];
    for address in unregistered {
        let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", address)];
        logs_out(&mut browser, &idp, &params).await.is_error_page("post_logout_redirect_uri");
        assert!(is_signed_in(&mut browser, "demo").await, "{address}");
    }
}

#[actix_web::test]
async fn i18_an_address_without_a_client_is_an_error() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    logs_out(&mut browser, &idp, &[("post_logout_redirect_uri", BACK)])
        .await
        .is_error_page("post_logout_redirect_uri");
    for client_id in ["client9", "client1 "] {
        let params = [("client_id", client_id), ("post_logout_redirect_uri", BACK)];
        logs_out(&mut browser, &idp, &params).await.is_error_page("client_id");
    }
    assert!(is_signed_in(&mut browser, "demo").await);
}

#[actix_web::test]
async fn i18_a_hint_of_another_provider_or_for_another_client_signs_nobody_out() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    let payload = hint.split('.').nth(1).unwrap().to_owned();
    let foreign = Idp::start();
    let mut elsewhere = signed_in(&foreign, &[DEMO]).await;
    let foreign = id_token_of(&foreign, &mut elsewhere, "demo").await;
    let unsigned = format!("{}.{payload}.", base64_url(r#"{"alg":"none"}"#));
    for forged in [foreign.as_str(), unsigned.as_str(), "x"] {
        let params =
            [("id_token_hint", forged), ("client_id", "client2"), ("post_logout_redirect_uri", BACK)];
        let page = logs_out(&mut browser, &idp, &params).await;
        assert_eq!((page.status, page.location.as_deref()), (200, None));
        assert!(page.body.contains("Demo User"), "the user is asked: {}", page.body);
        assert!(is_signed_in(&mut browser, "demo").await);
        // And stays here, also after saying yes.
        logs_out(&mut browser, &idp, &params).await;
        confirm(&mut browser, &idp).await;
        assert_eq!((browser.shown.status, browser.shown.location.as_deref()), (200, None));
        browser = signed_in(&idp, &[DEMO]).await;
    }
    let params = [("id_token_hint", hint.as_str()), ("client_id", "client1")];
    logs_out(&mut browser, &idp, &params).await.is_error_page("client_id");
    assert!(is_signed_in(&mut browser, "demo").await);
}

#[actix_web::test]
async fn i18_the_confirmation_needs_the_token_of_its_page_and_our_own_origin() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    logs_out(&mut browser, &idp, &[]).await;
    let csrf = browser.shown.csrf();
    browser.page = idp.at("/logout");
    assert_eq!(browser.submits_raw(&[("csrf", "x")]).await.status, 403);
    assert_eq!(browser.submits_raw(&[]).await.status, 403);
    let cookies: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cross_site = http()
        .post(idp.at("/logout"))
        .header("sec-fetch-site", "cross-site")
        .header("cookie", cookies.join("; "))
        .form(&[("csrf", csrf)]);
    assert_eq!(Answer::of(cross_site).await.status, 403);
    assert!(is_signed_in(&mut browser, "demo").await);
}

#[actix_web::test]
async fn a_posted_request_is_the_same_request() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK), ("state", "s")];
    let answer = Answer::of(http().post(idp.at("/oauth/logout")).form(&fields)).await;
    assert_eq!(answer.status, 303);
    let back = browser.goes(&answer.location.unwrap()).await;
    assert_eq!(back.location.as_deref(), Some("http://127.0.0.1:5002/logout/done?state=s"));
}

#[actix_web::test]
async fn i18_a_hint_that_the_client_can_have_written_itself_signs_nobody_out_unasked() {
    let idp = Idp::start();
    let hint = hint_by_secret(&idp, "1");
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK)];
    let page = logs_out(&mut browser, &idp, &params).await;
    assert_eq!((page.status, page.location.as_deref()), (200, None));
    assert!(page.body.contains("Demo User"), "{}", page.body);
    assert!(is_signed_in(&mut browser, "demo").await);
    // It is a hint all the same: it says which client asks, and where the browser goes then.
    logs_out(&mut browser, &idp, &params).await;
    confirm(&mut browser, &idp).await;
    assert_eq!(browser.shown.location.as_deref(), Some(BACK));
    assert!(!is_signed_in(&mut browser, "demo").await);
    assert_eq!(logs_out(&mut browser, &idp, &params).await.location.as_deref(), Some(BACK));
}

#[actix_web::test]
async fn a_parameter_that_stands_twice_is_refused() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    assert_eq!(logs_out(&mut browser, &idp, &[("state", "1"), ("state", "2")]).await.status, 400);
}
