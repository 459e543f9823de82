//! Single sign-on: what `prompt`, `max_age` and hints make of a session, and of several users in one browser.

use crate::helpers::{
    ALICE, AuthorizationRequest, Browser, CLIENT2, Code, DEMO, Idp, Location, base64_url, hint_by_secret,
    id_token_of, signed_in,
};

fn asked() -> AuthorizationRequest {
    AuthorizationRequest::of_client2()
}

/// What comes back at once, without any page.
async fn silently(browser: &mut Browser, asked: &AuthorizationRequest) -> Location {
    browser.opens(asked).await.location()
}

async fn id_token(idp: &Idp, asked: &AuthorizationRequest, location: &Location) -> serde_json::Value {
    let code = Code::of(asked, location);
    crate::exchange::payload(&idp.token_as(Some(CLIENT2), &code.fields()).await.json())
}

#[actix_web::test]
async fn who_has_signed_in_and_consented_is_asked_nothing_again() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hashes = idp.state.passwords.computed();
    idp.passes(60);
    let asked = asked();
    let location = silently(&mut browser, &asked).await;
    let token = id_token(&idp, &asked, &location).await;
    assert_eq!((token["sub"].as_str(), token["nonce"].as_str()), (Some("1"), Some("n-0S6_WzA2Mj")));
    assert_eq!(token["iat"].as_i64().unwrap() - token["auth_time"].as_i64().unwrap(), 60);
    assert_eq!(idp.state.passwords.computed(), hashes);
}

#[actix_web::test]
async fn a_client_that_remembers_no_consent_asks_for_consent_but_not_for_the_password() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    browser.opens(&AuthorizationRequest::new().without("prompt")).await;
    assert!(browser.page.contains("/consent/"), "{}", browser.page);
    assert!(browser.decides("allow").await.location().param("code").is_some());
}

#[actix_web::test]
async fn a_session_ends_when_it_is_not_used_and_at_last_in_any_case() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    for _ in 0..3 {
        idp.passes(28_000);
        silently(&mut browser, &asked()).await;
    }
    idp.passes(86_400 - 3 * 28_000);
    browser.opens(&asked()).await;
    assert!(browser.page.contains("/login/"), "after a day: {}", browser.page);
    let mut idle = signed_in(&idp, &[DEMO]).await;
    idp.passes(28_800);
    idle.opens(&asked()).await;
    assert!(idle.page.contains("/login/"), "unused: {}", idle.page);
}

#[actix_web::test]
async fn prompt_none_answers_at_once_with_the_same_user_and_the_same_login() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let first = asked();
    let location = silently(&mut browser, &first).await;
    let first = id_token(&idp, &first, &location).await;
    idp.passes(10);
    let second = asked().with("prompt", "none").with("max_age", "10000");
    let location = silently(&mut browser, &second).await;
    let second = id_token(&idp, &second, &location).await;
    assert_eq!((&first["sub"], &first["auth_time"]), (&second["sub"], &second["auth_time"]));
}

#[actix_web::test]
async fn prompt_none_says_what_would_have_to_be_asked() {
    let idp = Idp::start();
    let silent = || asked().with("prompt", "none");
    let mut nobody = Browser::new(&idp);
    silently(&mut nobody, &silent()).await.is_refusal(&idp, "login_required");

    let mut browser = signed_in(&idp, &[DEMO]).await;
    let tutorial = AuthorizationRequest::new().with("prompt", "none");
    silently(&mut browser, &tutorial).await.is_refusal(&idp, "consent_required");
    let more = silent().with("scope", "openid profile email phone");
    silently(&mut browser, &more).await.is_refusal(&idp, "consent_required");
    idp.passes(11);
    silently(&mut browser, &silent().with("max_age", "10")).await.is_refusal(&idp, "login_required");
    silently(&mut browser, &silent().with("login_hint", "alice")).await.is_refusal(&idp, "login_required");
    silently(&mut browser, &silent().with("login_hint", "nobody@x")).await.is_refusal(&idp, "login_required");

    let mut both = signed_in(&idp, &[DEMO, ALICE]).await;
    silently(&mut both, &silent()).await.is_refusal(&idp, "account_selection_required");
    let hinted = silent().with("login_hint", "2@example.com");
    let location = silently(&mut both, &hinted).await;
    assert_eq!(id_token(&idp, &hinted, &location).await["sub"], "2");
}

#[actix_web::test]
async fn prompt_none_beside_another_value_and_unknown_values_are_invalid() {
    let idp = Idp::start();
    for prompt in ["none login", "consent none", "create", "LOGIN"] {
        let mut browser = Browser::new(&idp);
        silently(&mut browser, &asked().with("prompt", prompt)).await.is_refusal(&idp, "invalid_request");
    }
}

#[actix_web::test]
async fn prompt_login_asks_for_the_password_and_the_new_login_is_later() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let before = asked();
    let location = silently(&mut browser, &before).await;
    let before = id_token(&idp, &before, &location).await;
    idp.passes(1);
    let again = asked().with("prompt", "login");
    let page = browser.opens(&again).await;
    assert!(page.body.contains("Demo User"), "the page knows who is to sign in again: {}", page.body);
    let location = browser.signs_in(DEMO.0, DEMO.1).await.location();
    let after = id_token(&idp, &again, &location).await;
    assert_eq!(before["sub"], after["sub"]);
    assert!(before["auth_time"].as_i64() < after["auth_time"].as_i64());
}

#[actix_web::test]
async fn a_login_that_is_older_than_max_age_is_made_again() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    idp.passes(5);
    silently(&mut browser, &asked().with("max_age", "5")).await;
    idp.passes(1);
    browser.opens(&asked().with("max_age", "5")).await;
    assert!(browser.page.contains("/login/"), "{}", browser.page);
    browser.opens(&asked().with("max_age", "0")).await;
    assert!(browser.page.contains("/login/"), "{}", browser.page);
    for bad in ["-1", "1.5", "x", "+5", "99999999999999999999"] {
        silently(&mut browser, &asked().with("max_age", bad)).await.is_refusal(&idp, "invalid_request");
    }
}

#[actix_web::test]
async fn a_client_may_be_registered_with_a_max_age() {
    let idp = Idp::start_with(|settings| settings.clients[1].default_max_age = Some(5));
    let mut browser = signed_in(&idp, &[DEMO]).await;
    idp.passes(6);
    browser.opens(&asked()).await;
    assert!(browser.page.contains("/login/"), "{}", browser.page);
    silently(&mut browser, &asked().with("max_age", "60")).await;
}

#[actix_web::test]
async fn prompt_consent_asks_again_and_what_was_declined_is_unticked() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[]).await;
    browser.opens(&asked()).await;
    browser.signs_in(DEMO.0, DEMO.1).await;
    browser.submits(&[("decision", "allow"), ("scope", "profile")]).await.location();
    let page = browser.opens(&asked().with("prompt", "consent")).await;
    assert!(page.body.contains(r#"value="profile" checked"#), "{}", page.body);
    assert!(page.body.contains(r#"value="email">"#), "{}", page.body);
}

#[actix_web::test]
async fn one_of_several_users_is_chosen() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO, ALICE]).await;
    for (subject, name) in [("1", "Demo User"), ("2", "Alice Mary Example")] {
        let asked = asked();
        let page = browser.opens(&asked).await;
        assert!(page.body.contains(name), "{}", page.body);
        assert!(browser.page.contains("/account/"), "{}", browser.page);
        let location = browser.submits(&[("account", subject)]).await.location();
        assert_eq!(id_token(&idp, &asked, &location).await["sub"], subject);
    }
}

#[actix_web::test]
async fn prompt_select_account_lets_even_the_only_user_choose_somebody_else() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    browser.opens(&asked().with("prompt", "select_account")).await;
    assert!(browser.page.contains("/account/"), "{}", browser.page);
    browser.submits(&[("account", "")]).await;
    assert!(browser.page.contains("/login/"), "{}", browser.page);
    browser.signs_in(ALICE.0, ALICE.1).await;
    assert!(browser.decides("allow").await.location().param("code").is_some());
    // Both are signed in now.
    browser.opens(&asked()).await;
    assert!(browser.page.contains("/account/"), "{}", browser.page);
}

#[actix_web::test]
async fn i11_an_account_that_is_not_signed_in_here_cannot_be_chosen_and_has_no_name() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    browser.opens(&asked().with("prompt", "select_account")).await;
    browser.submits(&[("account", "2")]).await;
    assert!(browser.page.contains("/login/"), "{}", browser.page);
    assert!(!browser.shown.body.contains(r#"value="alice""#), "{}", browser.shown.body);
}

#[actix_web::test]
async fn a_chosen_login_that_is_too_old_is_made_again() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    idp.passes(60);
    browser.opens(&asked().with("prompt", "select_account").with("max_age", "30")).await;
    browser.submits(&[("account", "1")]).await;
    assert!(browser.page.contains("/login/"), "{}", browser.page);
}

#[actix_web::test]
async fn the_consent_page_lets_the_user_change_the_account() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO, ALICE]).await;
    browser.opens(&asked().with("prompt", "consent").with("login_hint", "demo")).await;
    assert!(browser.shown.body.contains("Demo User"), "{}", browser.shown.body);
    browser.submits(&[("decision", "switch")]).await;
    assert!(browser.page.contains("/account/"), "{}", browser.page);
    browser.submits(&[("account", "2")]).await;
    assert!(browser.shown.body.contains("Alice Mary Example"), "{}", browser.shown.body);
}

#[actix_web::test]
async fn i7_a_consent_page_that_was_shown_to_somebody_else_decides_nothing() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO, ALICE]).await;
    browser.opens(&asked().with("prompt", "consent").with("login_hint", "demo")).await;
    let (consent, csrf) = (browser.page.clone(), browser.shown.csrf());
    browser.submits(&[("decision", "switch")]).await;
    browser.submits(&[("account", "2")]).await;
    // The first page is still open in another tab, and is sent now.
    browser.page = consent.clone();
    let fields = [("csrf", csrf.as_str()), ("account", "1"), ("decision", "allow")];
    let page = browser.submits_raw(&fields).await;
    assert!(page.body.contains("Alice Mary Example"), "{}", page.body);
    assert_eq!(browser.page, consent);
}

#[actix_web::test]
async fn i7_the_session_gets_a_new_id_when_a_second_user_signs_in() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let before = browser.cookies["idp_session"].clone();
    browser.opens(&asked().with("prompt", "login")).await;
    browser.signs_in(ALICE.0, ALICE.1).await;
    assert_ne!(browser.cookies["idp_session"], before);
    browser.cookies.insert("idp_session".into(), before);
    silently(&mut browser, &asked().with("prompt", "none")).await.is_refusal(&idp, "login_required");
}

#[actix_web::test]
async fn a_hint_fills_in_the_name_and_breaks_nothing() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    let page = browser.opens(&asked().with("login_hint", "buffy@<svg>")).await;
    assert!(page.body.contains(r#"value="buffy@&lt;svg&gt;""#), "{}", page.body);
    let page = browser.opens(&asked().with("login_hint", "alice")).await;
    assert!(page.body.contains(r#"value="AliceTest2024!""#), "the demo fills in her password: {}", page.body);
    // I11: an e-mail address is shown as it was sent, whether or not somebody has it.
    for hint in ["2@EXAMPLE.com", "9@EXAMPLE.com"] {
        let page = browser.opens(&asked().with("login_hint", hint)).await;
        assert!(page.body.contains(&format!(r#"value="{hint}""#)), "{}", page.body);
    }
}

#[actix_web::test]
async fn languages_display_and_unknown_parameters_change_nothing() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let asked = asked()
        .with("display", "popup")
        .with("ui_locales", "se")
        .with("claims_locales", "se")
        .with("extra", "foobar");
    assert!(silently(&mut browser, &asked).await.param("code").is_some());
}

#[actix_web::test]
async fn a_hint_that_names_the_user_passes_even_when_it_has_expired() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO, ALICE]).await;
    let hint = id_token_of(&idp, &mut browser, "alice").await;
    // The token has expired after an hour, the session lives on.
    idp.passes(4000);
    let asked = asked().with("prompt", "none").with("id_token_hint", &hint);
    let location = silently(&mut browser, &asked).await;
    assert_eq!(id_token(&idp, &asked, &location).await["sub"], "2");
}

#[actix_web::test]
async fn a_hint_about_somebody_who_is_not_signed_in_asks_for_their_login() {
    let idp = Idp::start();
    let mut both = signed_in(&idp, &[DEMO, ALICE]).await;
    let hint = id_token_of(&idp, &mut both, "alice").await;
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let silent = asked().with("prompt", "none").with("id_token_hint", &hint);
    silently(&mut browser, &silent).await.is_refusal(&idp, "login_required");
    let page = browser.opens(&asked().with("id_token_hint", &hint)).await;
    assert!(page.body.contains(r#"value="alice""#), "{}", page.body);
    browser.signs_in(DEMO.0, DEMO.1).await.location().is_refusal(&idp, "login_required");
}

#[actix_web::test]
async fn i11_a_hint_that_the_client_can_have_written_itself_asks_for_a_login_and_tells_no_name() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hint = hint_by_secret(&idp, "2");
    let asked = AuthorizationRequest::new().with("client_id", "client-hs256").with("id_token_hint", &hint);
    let silent = asked.with("prompt", "none");
    silently(&mut browser, &silent).await.is_refusal(&idp, "login_required");
    let page = browser.opens(&silent.without("prompt")).await;
    assert!(page.body.contains(r#"name="username""#), "{}", page.body);
    assert!(!page.body.contains(r#"value="alice""#), "{}", page.body);
    browser.signs_in(DEMO.0, DEMO.1).await.location().is_refusal(&idp, "login_required");
}

#[actix_web::test]
async fn i17_a_hint_that_this_provider_did_not_sign_is_refused() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    let (header, rest) = hint.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let none = base64_url(r#"{"alg":"none","typ":"JWT"}"#);
    let foreign = Idp::start();
    let mut elsewhere = signed_in(&foreign, &[DEMO]).await;
    let foreign = id_token_of(&foreign, &mut elsewhere, "demo").await;
    let forged = [
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{header}.{}.{signature}", base64_url(r#"{"sub":"2","aud":"client2"}"#)),
        format!("{header}.{payload}"),
        foreign,
        "x".into(),
        "..".into(),
    ];
    for forged in forged {
        let asked = asked().with("id_token_hint", &forged);
        let silent = asked.with("prompt", "none");
        silently(&mut browser, &silent).await.is_refusal(&idp, "login_required");
        // It costs nobody their login, but no earlier one will do.
        browser.opens(&silent.without("prompt")).await;
        assert!(browser.page.contains("/login/"), "{}", browser.page);
    }
}
