//! Steps 3 and 4: the login page and the password.

use web::{catalogue::Catalogue, lang::Lang};

use crate::helpers::{Answer, AuthorizationRequest, Browser, Idp, http};

async fn at_login(idp: &Idp) -> Browser {
    let mut browser = Browser::new(idp);
    browser.opens(&AuthorizationRequest::new()).await;
    assert!(browser.page.contains("/login/"));
    browser
}

#[actix_web::test]
async fn a_wrong_password_shows_the_form_again_and_the_right_one_goes_on() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    let again = browser.signs_in("demo", "wrong").await;
    assert!(again.body.contains(r#"role="alert""#), "{}", again.body);
    browser.signs_in("Demo ", "DemoTest2024!").await;
    assert!(browser.page.contains("/consent/"));
}

#[actix_web::test]
async fn i7_a_form_without_its_token_is_refused() {
    let idp = Idp::start();
    let credentials = [("username", "demo"), ("password", "DemoTest2024!")];
    let mut browser = at_login(&idp).await;
    let token = browser.shown.csrf();
    assert_eq!(browser.submits_raw(&credentials).await.status, 403);
    let other = at_login(&idp).await.shown.csrf();
    assert_eq!(
        browser.submits_raw(&[&[("csrf", other.as_str())], &credentials[..]].concat()).await.status,
        403
    );
    assert_eq!(
        browser.submits_raw(&[&[("csrf", token.as_str())], &credentials[..]].concat()).await.status,
        200
    );
    assert!(browser.page.contains("/consent/"));
}

#[actix_web::test]
async fn i7_a_form_of_another_origin_is_refused() {
    let idp = Idp::start();
    let browser = at_login(&idp).await;
    let csrf = browser.shown.csrf();
    let cookie = format!("idp_browser={}", browser.cookies["idp_browser"]);
    let fields = [("csrf", csrf.as_str()), ("username", "demo"), ("password", "DemoTest2024!")];
    for (name, value, accepted) in [
        ("sec-fetch-site", "cross-site", false),
        ("sec-fetch-site", "same-site", false),
        ("origin", "http://127.0.0.1:5002", false),
        ("origin", "null", false),
        ("x-nothing", "", false),
        ("origin", idp.issuer.as_str(), true),
    ] {
        let request = http().post(&browser.page).header("cookie", &cookie).header(name, value).form(&fields);
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, if accepted { 303 } else { 403 }, "{name}: {value}");
    }
}

#[actix_web::test]
async fn i7_pages_cannot_be_framed_and_run_no_foreign_script() {
    let idp = Idp::start();
    let page = at_login(&idp).await.shown;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("form-action"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(
        !page.body.contains("<style") && !page.body.contains(" style=") && !page.body.contains(" onclick=")
    );
}

#[actix_web::test]
async fn i7_the_session_is_a_new_one_after_every_login() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    browser.cookies.insert("idp_session".into(), "planted".into());
    browser.signs_in("demo", "DemoTest2024!").await;
    let first = browser.cookies["idp_session"].clone();
    assert_ne!(first, "planted");
    browser.opens(&AuthorizationRequest::new()).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    assert_ne!(browser.cookies["idp_session"], first);
    // The old one has ended: with it the consent page leads back to the login.
    browser.cookies.insert("idp_session".into(), first);
    let consent = browser.page.clone();
    browser.goes(&consent).await;
    assert!(browser.page.contains("/login/"), "{}", browser.page);
}

#[actix_web::test]
async fn i11_the_same_page_and_one_hash_for_known_and_unknown_users() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    let mut bodies = Vec::new();
    for username in ["demo", "nobody"] {
        let before = idp.state.passwords.computed();
        let body = browser.signs_in(username, "wrong").await.body.clone();
        assert_eq!(idp.state.passwords.computed() - before, 1, "{username}");
        bodies.push(body.replace(&format!(r#"value="{username}""#), "value"));
    }
    assert_eq!(bodies[0], bodies[1]);
}

#[actix_web::test]
async fn i9_a_password_of_a_megabyte_is_refused_before_it_is_hashed() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    let before = idp.state.passwords.computed();
    let answer = browser.signs_in("demo", &"a".repeat(1024 * 1024)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(idp.state.passwords.computed(), before);
}

#[actix_web::test]
async fn i14_a_page_is_not_kept_and_tells_no_other_site_where_the_browser_was() {
    let idp = Idp::start();
    let page = at_login(&idp).await.shown;
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let error = Answer::of(http().get(idp.at("/oauth/authorize"))).await;
    assert_eq!(error.header("referrer-policy"), "no-referrer");
}

#[actix_web::test]
async fn i15_every_redirect_after_a_form_is_a_303() {
    let idp = Idp::start();
    let browser = at_login(&idp).await;
    let csrf = browser.shown.csrf();
    let cookie = format!("idp_browser={}", browser.cookies["idp_browser"]);
    let fields = [("csrf", csrf.as_str()), ("username", "demo"), ("password", "DemoTest2024!")];
    let request = http().post(&browser.page).header("cookie", cookie).header("sec-fetch-site", "same-origin");
    assert_eq!(Answer::of(request.form(&fields)).await.status, 303);
    let posted = http().post(idp.at("/oauth/authorize")).form(AuthorizationRequest::new().pairs());
    assert_eq!(Answer::of(posted).await.status, 303);
    for decision in ["allow", "deny"] {
        let mut browser = at_login(&idp).await;
        browser.signs_in("demo", "DemoTest2024!").await;
        assert_eq!(browser.decides(decision).await.status, 303, "{decision}");
    }
}

#[actix_web::test]
async fn cookies_are_for_this_provider_and_not_for_scripts() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    let page = browser.page.clone();
    let csrf = browser.shown.csrf();
    let cookie = format!("idp_browser={}", browser.cookies["idp_browser"]);
    let fields = [("csrf", csrf.as_str()), ("username", "demo"), ("password", "DemoTest2024!")];
    let request =
        http().post(&page).header("cookie", cookie).header("sec-fetch-site", "same-origin").form(&fields);
    let answer = Answer::of(request).await;
    let session = answer.set_cookies.iter().find(|cookie| cookie.starts_with("idp_session=")).unwrap();
    assert!(
        session.contains("HttpOnly") && session.contains("SameSite=Lax") && session.contains("Path=/"),
        "{session}"
    );
    assert!(!session.contains("Secure"), "on http a Secure cookie would be lost: {session}");
    browser.goes(&page).await;
}

#[actix_web::test]
async fn a_login_that_takes_too_long_says_so() {
    let idp = Idp::start();
    let texts = Catalogue::load(Lang::Ja).unwrap();
    let mut browser = at_login(&idp).await;
    idp.passes(599);
    assert_eq!(browser.signs_in("demo", "wrong").await.status, 200);
    idp.passes(1);
    let answer = browser.signs_in("demo", "DemoTest2024!").await;
    answer.is_error_page(texts.get("problem.interaction_unknown.title").unwrap());
}

#[actix_web::test]
async fn ui_locales_chooses_the_language_unless_the_visitor_has() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    let page = browser.opens(&AuthorizationRequest::new().with("ui_locales", "se en")).await;
    assert!(page.body.contains(r#"<html lang="en""#), "{}", page.body);
    browser.cookies.insert("lang".into(), "ja".into());
    let page = browser.opens(&AuthorizationRequest::new().with("ui_locales", "se en")).await;
    assert!(page.body.contains(r#"<html lang="ja""#), "{}", page.body);
}
