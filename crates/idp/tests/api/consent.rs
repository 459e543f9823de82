//! Steps 5 and 6: the decision, and the way back.

use crate::helpers::{AuthorizationRequest, Browser, Idp, REDIRECT_URI};

async fn at_consent(idp: &Idp) -> Browser {
    let mut browser = Browser::new(idp);
    browser.opens(&AuthorizationRequest::new()).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    assert!(browser.page.contains("/consent/"));
    browser
}

#[actix_web::test]
async fn cancel_goes_back_with_access_denied_and_only_to_the_registered_address() {
    let idp = Idp::start();
    let location = at_consent(&idp).await.decides("deny").await.location();
    location.is_refusal(&idp, "access_denied");
}

#[actix_web::test]
async fn i7_a_consent_link_opened_in_another_browser_is_refused() {
    let idp = Idp::start();
    let attacker = at_consent(&idp).await;
    let mut victim = at_consent(&idp).await;
    let answer = victim.goes(&attacker.page).await;
    assert_eq!((answer.status, answer.location.as_deref()), (403, None));
    assert!(answer.body.contains(r#"href="http://127.0.0.1:5002/""#), "no way back: {}", answer.body);
    let mut stranger = Browser::new(&idp);
    assert_eq!(stranger.goes(&attacker.page).await.status, 403);
}

#[actix_web::test]
async fn i7_the_consent_form_needs_its_token() {
    let idp = Idp::start();
    let mut browser = at_consent(&idp).await;
    assert_eq!(browser.submits_raw(&[("decision", "allow")]).await.status, 403);
}

#[actix_web::test]
async fn going_back_leads_to_the_present_stage() {
    let idp = Idp::start();
    let mut browser = at_consent(&idp).await;
    let consent = browser.page.clone();
    let login = consent.replace("/consent/", "/login/");
    browser.goes(&login).await;
    assert_eq!(browser.page, consent);
    // Before the login there is no consent page.
    let mut early = Browser::new(&idp);
    early.opens(&AuthorizationRequest::new()).await;
    let login = early.page.clone();
    early.goes(&login.replace("/login/", "/consent/")).await;
    assert_eq!(early.page, login);
}

#[actix_web::test]
async fn an_answered_request_says_so_and_leads_back_to_the_application() {
    let idp = Idp::start();
    let mut browser = at_consent(&idp).await;
    let consent = browser.page.clone();
    let csrf = browser.shown.csrf();
    assert!(browser.decides("allow").await.location().param("code").is_some());
    for address in [&consent, &consent.replace("/consent/", "/login/")] {
        let page = browser.goes(address).await;
        assert_eq!(page.status, 409);
        assert!(page.body.contains(r#"href="http://127.0.0.1:5002/""#), "{}", page.body);
    }
    // A second click on the button buys no second code.
    browser.page = consent;
    let again = browser.submits_raw(&[("csrf", &csrf), ("account", "1"), ("decision", "allow")]).await;
    assert_eq!((again.status, again.location.as_deref()), (409, None));
}

#[actix_web::test]
async fn fifty_clicks_at_once_buy_one_code() {
    let idp = Idp::start();
    let browser = at_consent(&idp).await;
    let csrf = browser.shown.csrf();
    let cookies: Vec<String> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fields = [("csrf", csrf.as_str()), ("account", "1"), ("decision", "allow")];
    let http = crate::helpers::http();
    let click = || {
        http.post(&browser.page)
            .header("cookie", cookies.join("; "))
            .header("sec-fetch-site", "same-origin")
            .form(&fields)
            .send()
    };
    let answers = futures_util::future::join_all((0..50).map(|_| click())).await;
    let redirects = answers.iter().filter(|answer| answer.as_ref().unwrap().status() == 303).count();
    assert_eq!(redirects, 1);
}

#[actix_web::test]
async fn what_is_not_ticked_is_not_granted_and_the_answer_states_it() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new();
    let mut browser = Browser::new(&idp);
    browser.opens(&asked).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    let fields = [("decision", "allow"), ("scope", "email"), ("scope", "admin")];
    let code = browser.submits(&fields).await.location().param("code").unwrap();
    let code = crate::helpers::Code {
        value: code,
        verifier: asked.verifier.expose().to_owned(),
        redirect_uri: REDIRECT_URI.to_owned(),
    };
    assert_eq!(idp.redeems(&code).await.json()["scope"], "openid email");
}

#[actix_web::test]
async fn who_unticks_everything_says_no() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    browser.opens(&AuthorizationRequest::new().with("scope", "profile")).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    let location = browser.submits(&[("decision", "allow")]).await.location();
    location.is_refusal(&idp, "access_denied");
}

#[actix_web::test]
async fn a_decision_that_is_neither_yes_nor_no_is_refused_and_decides_nothing() {
    let idp = Idp::start();
    let mut browser = at_consent(&idp).await;
    let csrf = browser.shown.csrf();
    assert_eq!(
        browser.submits_raw(&[("csrf", &csrf), ("account", "1"), ("decision", "perhaps")]).await.status,
        400
    );
    let allowed = browser.submits_raw(&[("csrf", &csrf), ("account", "1"), ("decision", "allow")]).await;
    assert!(allowed.location().param("code").is_some());
}

#[actix_web::test]
async fn when_the_session_has_ended_the_password_is_asked_again() {
    let idp = Idp::start_with(|settings| settings.session_idle = std::time::Duration::from_secs(30));
    let mut browser = at_consent(&idp).await;
    idp.passes(31);
    browser.decides("allow").await;
    assert!(browser.page.contains("/login/"), "{}", browser.page);
    browser.signs_in("demo", "DemoTest2024!").await;
    assert!(browser.decides("allow").await.location().param("code").is_some());
}

#[actix_web::test]
async fn two_tabs_both_finish() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    browser.opens(&AuthorizationRequest::new().with("state", "first")).await;
    let first = browser.page.clone();
    browser.opens(&AuthorizationRequest::new().with("state", "second")).await;
    for (page, state) in [(browser.page.clone(), "second"), (first, "first")] {
        browser.goes(&page).await;
        browser.signs_in("demo", "DemoTest2024!").await;
        let location = browser.decides("allow").await.location();
        assert_eq!(location.param("state").as_deref(), Some(state));
    }
}
