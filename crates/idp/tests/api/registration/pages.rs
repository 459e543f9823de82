//! What users see of a client that registered itself.

use serde_json::json;

use super::{client_with, request_of, text};
use crate::helpers::{AuthorizationRequest, Browser, DEMO, Idp};

#[actix_web::test]
async fn the_pages_show_logo_policy_and_terms_and_that_nobody_vouches_for_the_client() {
    let idp = Idp::start();
    let client = idp
        .registered(&client_with(&json!({
            "client_name": "Photos",
            "client_name#ja": "写真",
            "logo_uri": "https://photos.example:8443/logo.png",
            "policy_uri": "https://photos.example/privacy",
            "tos_uri": "https://photos.example/terms",
            "tos_uri#ja": "https://photos.example/ja/terms",
        })))
        .await;
    for (lang, name, terms) in
        [("en", "Photos", "https://photos.example/terms"), ("ja", "写真", "https://photos.example/ja/terms")]
    {
        let asked = request_of(&client).with("ui_locales", lang);
        let mut browser = Browser::new(&idp);
        for page in ["login", "consent"] {
            if page == "login" {
                browser.opens(&asked).await;
            } else {
                browser.signs_in(DEMO.0, DEMO.1).await;
            }
            let shown = &browser.shown;
            assert!(browser.page.contains(page), "{shown:?}");
            for text in [
                name,
                r#"src="https://photos.example:8443/logo.png""#,
                r#"href="https://photos.example/privacy""#,
                &format!(r#"href="{terms}""#),
                r#"referrerpolicy="no-referrer""#,
                r#"class="note""#,
            ] {
                assert!(shown.body.contains(text), "{page} {lang}: {text} is not in {}", shown.body);
            }
            let policy = shown.header("content-security-policy");
            assert!(policy.contains("img-src 'self' https://photos.example:8443;"), "{policy}");
        }
    }
    // Nothing of it for a client of the settings.
    let mut browser = Browser::new(&idp);
    let shown = browser.opens(&AuthorizationRequest::new()).await;
    assert!(shown.header("content-security-policy").contains("img-src 'self';"));
    assert!(!shown.body.contains("<img") && !shown.body.contains(r#"class="note""#), "{}", shown.body);
}

#[actix_web::test]
async fn the_providers_own_page_lists_whoever_registered_and_all_that_is_registered_but_secrets() {
    let idp = Idp::start();
    let client = idp
        .registered(&client_with(&json!({ "client_name": "Photos <1>", "contacts": ["a@b.example"] })))
        .await;
    let page = Browser::new(&idp).goes(&idp.at("/")).await.body.clone();
    for text in
        [text(&client, "client_id"), "Photos &lt;1&gt;", "a@b.example", "require_pkce", "/oauth/register"]
    {
        assert!(page.contains(text), "{text} is not in {page}");
    }
    for secret in ["client_secret", "registration_access_token"].map(|member| text(&client, member)) {
        assert!(!page.contains(secret));
    }
}
