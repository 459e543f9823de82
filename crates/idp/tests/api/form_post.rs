//! Step 6 by `response_mode=form_post`: the answer in a form, an error as well as a code.

use shared::{params::Params, response_mode::FormPost};

use crate::helpers::{
    Answer, AuthorizationRequest, Browser, CLIENT2, Code, DEMO, Idp, REDIRECT_URI, http, signed_in,
};

fn asked() -> AuthorizationRequest {
    AuthorizationRequest::new().with("response_mode", "form_post")
}

/// What the page posts, and that it is a page from which nothing leaks.
#[track_caller]
fn posted(page: &Answer) -> FormPost {
    assert_eq!((page.status, page.location.as_deref()), (200, None), "{page:?}");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("form-action") && !policy.contains("unsafe"), "{policy}");
    FormPost::read(&page.body).unwrap_or_else(|| panic!("no form: {}", page.body))
}

/// RFC 6749 §4.1.2.1 and RFC 9207: an error for the RP, with its `state` and our `iss`.
#[track_caller]
fn is_refusal(page: &Answer, idp: &Idp, code: &str) {
    let FormPost { action, params } = posted(page);
    assert_eq!(action, REDIRECT_URI);
    assert_eq!(params.get("error"), Some(code), "{page:?}");
    assert!(params.get("error_description").is_some());
    assert_eq!((params.get("state"), params.get("iss")), (Some("af0ifjsldkj"), Some(idp.issuer.as_str())));
    assert_eq!(params.get("code"), None);
}

async fn answered(idp: &Idp, asked: &AuthorizationRequest, decision: &str) -> Browser {
    let mut browser = Browser::new(idp);
    browser.opens(asked).await;
    browser.signs_in(DEMO.0, DEMO.1).await;
    browser.decides(decision).await;
    browser
}

fn names(params: &Params) -> Vec<&str> {
    params.iter().map(|(name, _)| name).collect()
}

#[actix_web::test]
async fn i5_a_code_comes_in_a_form_with_state_and_issuer_and_buys_tokens() {
    let idp = Idp::start();
    let asked = asked();
    let browser = answered(&idp, &asked, "allow").await;
    let FormPost { action, params } = posted(&browser.shown);
    assert_eq!((action.as_str(), names(&params)), (REDIRECT_URI, vec!["code", "state", "iss"]));
    assert_eq!((params.get("state"), params.get("iss")), (Some("af0ifjsldkj"), Some(idp.issuer.as_str())));
    let code = Code {
        value: params.get("code").unwrap().to_owned(),
        verifier: asked.verifier.expose().to_owned(),
        redirect_uri: REDIRECT_URI.to_owned(),
    };
    assert_eq!(idp.redeems(&code).await.status, 200);
    assert_eq!(
        idp.redeems(&code).await.error(),
        "invalid_grant",
        "a page that is sent twice buys nothing more"
    );
}

#[actix_web::test]
async fn the_form_is_the_first_of_its_page_and_is_submitted_by_a_script_of_ours_or_by_its_button() {
    let idp = Idp::start();
    let page = answered(&idp, &asked(), "allow").await.shown;
    let (_, form) = page.body.split_once("<form").unwrap();
    assert!(form.starts_with(&format!(r#" method="post" action="{REDIRECT_URI}""#)), "{form}");
    let (form, _) = form.split_once("</form>").unwrap();
    assert_eq!(form.matches("<button").count(), 1);
    // A field of this name would stand in the place of the method that the script calls.
    assert!(form.contains(r#"type="submit""#) && !form.contains(r#"name="submit""#), "{form}");
    let (_, script) = page.body.split_once(r#"<script src="/assets/form_post.js"#).unwrap();
    let address = format!("/assets/form_post.js{}", script.split('"').next().unwrap());
    let script = Answer::of(http().get(idp.at(&address))).await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    assert!(script.body.contains("document.forms[0].submit()"), "{}", script.body);
    // To ask for the page again in another language would be to ask for another answer.
    assert!(!page.body.contains("lang=en") && !page.body.contains("<script>"));
}

#[actix_web::test]
async fn i2_errors_come_in_a_form_too() {
    let idp = Idp::start();
    for (asked, error) in [
        (asked().without("response_type"), "invalid_request"),
        (asked().with("response_type", "token"), "unsupported_response_type"),
        (asked().with("scope", "unheard.of"), "invalid_scope"),
        (asked().with("prompt", "none"), "login_required"),
        (asked().with("request", "eyJhbGciOiJub25lIn0.e30."), "invalid_request_object"),
        (asked().without("code_challenge"), "invalid_request"),
        (asked().and("scope", "openid"), "invalid_request"),
    ] {
        let mut browser = Browser::new(&idp);
        is_refusal(browser.opens(&asked).await, &idp, error);
    }
    is_refusal(&answered(&idp, &asked(), "deny").await.shown, &idp, "access_denied");
}

#[actix_web::test]
async fn i2_no_form_is_sent_anywhere_while_client_or_redirect_uri_are_in_doubt() {
    let idp = Idp::start();
    for asked in [
        asked().with("client_id", "nobody"),
        asked().without("redirect_uri"),
        asked().with("redirect_uri", "https://evil.example/"),
        asked().and("redirect_uri", REDIRECT_URI),
    ] {
        let mut browser = Browser::new(&idp);
        let page = browser.opens(&asked).await;
        page.is_error_page("invalid_request");
        assert!(!page.body.contains("<form"), "{}", page.body);
    }
}

#[actix_web::test]
async fn a_mode_that_is_unknown_or_stands_twice_is_refused_in_the_default_one() {
    let idp = Idp::start();
    let good = AuthorizationRequest::new;
    for asked in [
        good().with("response_mode", "fragment"),
        good().with("response_mode", "FORM_POST"),
        good().with("response_mode", "form_post.jwt"),
        asked().and("response_mode", "form_post"),
        asked().and("response_mode", "query"),
    ] {
        let mut browser = Browser::new(&idp);
        browser.opens(&asked).await.location().is_refusal(&idp, "invalid_request");
    }
    // One without a value is none.
    for usual in [good(), good().with("response_mode", ""), good().with("response_mode", "query")] {
        let location = answered(&idp, &usual, "allow").await.shown.location();
        assert!(location.param("code").is_some(), "{location:?}");
    }
}

#[actix_web::test]
async fn whatever_a_client_puts_into_its_state_stays_in_its_field() {
    let idp = Idp::start();
    for state in [
        r#""><script>alert(1)</script>"#,
        "' onfocus='alert(1)' ",
        "</form><form action='https://evil.example/'>",
        "{{ 7 * 7 }} &amp; &#x27; 日本語 +%2B",
        "a\r\nb\tc",
    ] {
        let page = answered(&idp, &asked().with("state", state), "allow").await.shown;
        assert_eq!(posted(&page).params.get("state"), Some(state));
        assert_eq!(page.body.matches("<form").count(), 1, "{}", page.body);
        assert!(!page.body.contains("<script>") && !page.body.contains("' onfocus"), "{}", page.body);
    }
}

#[actix_web::test]
async fn i1_a_registered_query_survives_in_the_action_and_the_answer_stands_beside_it() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::of_other_client().with("response_mode", "form_post");
    let FormPost { action, params } = posted(&answered(&idp, &asked, "allow").await.shown);
    assert_eq!(action, "https://rp.example/cb?foo=bar");
    assert_eq!(names(&params), ["code", "state", "iss"]);
}

#[actix_web::test]
async fn who_is_signed_in_and_has_consented_gets_the_form_at_once() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    for asked in [
        AuthorizationRequest::of_client2().with("response_mode", "form_post"),
        AuthorizationRequest::of_client2().with("response_mode", "form_post").with("prompt", "none"),
    ] {
        let FormPost { params, .. } = posted(browser.opens(&asked).await);
        let code = Code {
            value: params.get("code").unwrap().to_owned(),
            verifier: asked.verifier.expose().to_owned(),
            redirect_uri: REDIRECT_URI.to_owned(),
        };
        assert_eq!(idp.token_as(Some(CLIENT2), &code.fields()).await.status, 200);
    }
}

#[actix_web::test]
async fn a_posted_authorization_request_keeps_its_mode() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let asked = AuthorizationRequest::of_client2().with("response_mode", "form_post");
    let request = http().post(idp.at("/oauth/authorize")).header("sec-fetch-site", "cross-site");
    let led_on = Answer::of(request.form(asked.pairs())).await;
    assert_eq!(led_on.status, 303);
    let page = browser.goes(led_on.location.as_deref().unwrap()).await;
    assert!(posted(page).params.get("code").is_some());
}

#[actix_web::test]
async fn an_answer_in_a_form_ends_the_request_as_a_redirect_does() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    browser.opens(&asked()).await;
    browser.signs_in(DEMO.0, DEMO.1).await;
    let (consent, csrf) = (browser.page.clone(), browser.shown.csrf());
    browser.decides("allow").await;
    posted(&browser.shown);
    assert_eq!(browser.goes(&consent).await.status, 409);
    browser.page = consent;
    let again = browser.submits_raw(&[("csrf", &csrf), ("account", "1"), ("decision", "allow")]).await;
    assert_eq!((again.status, again.location.as_deref()), (409, None));
}

#[actix_web::test]
async fn i14_no_address_holds_a_code() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    browser.opens(&asked()).await;
    let mut addresses = vec![browser.page.clone()];
    browser.signs_in(DEMO.0, DEMO.1).await;
    addresses.push(browser.page.clone());
    browser.decides("allow").await;
    addresses.extend([browser.page.clone(), browser.shown.location.clone().unwrap_or_default()]);
    let code = posted(&browser.shown).params.get("code").unwrap().to_owned();
    let headers = format!("{:?}", browser.shown.headers);
    assert!(addresses.iter().all(|address| !address.contains(&code)) && !headers.contains(&code));
}

#[actix_web::test]
async fn the_page_speaks_the_language_that_the_client_asks_for() {
    let idp = Idp::start();
    for (locale, word) in [("ja", "に戻ります"), ("en", "Returning to")] {
        let asked = asked().with("prompt", "none").with("ui_locales", locale);
        let mut browser = Browser::new(&idp);
        let page = browser.opens(&asked).await;
        assert!(page.body.contains(word) && page.body.contains(&format!(r#"<html lang="{locale}">"#)));
    }
}

#[actix_web::test]
async fn the_modes_are_announced() {
    let idp = Idp::start();
    let document = Answer::of(http().get(idp.at("/.well-known/openid-configuration"))).await.json();
    assert_eq!(document["response_modes_supported"], serde_json::json!(["query", "form_post"]));
}
