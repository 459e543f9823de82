//! Step 2: the authorization request.

use shared::pkce::CodeVerifier;

use crate::helpers::{
    Answer, AuthorizationRequest, Browser, CLIENT2, Code, DEMO, Idp, REDIRECT_URI, http, signed_in,
};

async fn opens(idp: &Idp, asked: &AuthorizationRequest) -> Answer {
    let mut browser = Browser::new(idp);
    browser.opens(asked).await;
    browser.shown
}

#[actix_web::test]
async fn i1_a_redirect_uri_is_compared_exactly() {
    let idp = Idp::start();
    for changed in [
        "http://127.0.0.1:5002/auth/",
        "http://127.0.0.1:5002/Auth",
        "HTTP://127.0.0.1:5002/auth",
        "http://127.0.0.1:5002/%61uth",
        "http://127.0.0.1:5002/auth?x=1",
        "http://127.0.0.1:5002/auth?",
        "http://127.0.0.1:5002/auth#x",
        "http://127.0.0.1:5002/x/../auth",
        "http://127.0.0.1:5002/x/..;/auth",
        "http://u@127.0.0.1:5002/auth",
        "http://127.0.0.1:5002@evil.example/auth",
        "http://a@b@127.0.0.1:5002/auth",
        "http://127.0.0.1:5003/auth",
        "http://127.0.0.1/auth",
        "http://localhost:5002/auth",
        "https://127.0.0.1:5002/auth",
        "http://127.0.0.1:5002/auth_invalid",
        "javascript:alert(1)",
        "//127.0.0.1:5002/auth",
        "/auth",
    ] {
        let answer = opens(&idp, &AuthorizationRequest::new().with("redirect_uri", changed)).await;
        answer.is_error_page("invalid_request");
    }
}

#[actix_web::test]
async fn i1_percent_encoding_is_not_undone_before_comparing() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::of_other_client();
    for (changed, registered) in [
        ("https://rp.example/%7Ecb", true),
        ("https://rp.example/~cb", false),
        ("https://rp.example/%7ecb", false),
        ("https://rp.example/cb?foo=bar", true),
        ("https://rp.example/cb?foo=bar&x=1", false),
        ("https://rp.example/cb?foo=%62ar", false),
        ("https://rp.example/cb", false),
    ] {
        let answer = opens(
            &idp,
            &AuthorizationRequest::new()
                .with("client_id", &asked.get("client_id"))
                .with("redirect_uri", changed),
        )
        .await;
        assert_eq!(answer.status, if registered { 200 } else { 400 }, "{changed}");
    }
}

#[actix_web::test]
async fn i2_nobody_is_redirected_while_client_or_redirect_uri_are_in_doubt() {
    let idp = Idp::start();
    let good = AuthorizationRequest::new;
    for asked in [
        good().without("client_id"),
        good().with("client_id", "nobody"),
        good().with("client_id", "CLIENT1"),
        good().without("redirect_uri"),
        good().and("redirect_uri", REDIRECT_URI),
        good().and("client_id", "client1"),
        good().and("redirect_uri", ""),
        good().and("client_id", ""),
        good().with("redirect_uri", "https://evil.example/").with("response_type", "token"),
        good().with("client_id", "nobody").with("request", "x"),
    ] {
        opens(&idp, &asked).await.is_error_page("invalid_request");
    }
}

#[actix_web::test]
async fn a_page_about_a_wrong_redirect_uri_leads_to_the_clients_own_home_and_nowhere_else() {
    let idp = Idp::start();
    for asked in [
        AuthorizationRequest::new().without("redirect_uri"),
        AuthorizationRequest::new().with("redirect_uri", "https://evil.example/"),
    ] {
        let page = opens(&idp, &asked).await.body;
        assert!(page.contains(r#"href="http://127.0.0.1:5002/""#), "{page}");
        assert!(!page.contains(r#"href="https://evil"#), "{page}");
    }
}

#[actix_web::test]
async fn i2_every_later_error_goes_to_the_client_with_state_and_issuer() {
    let idp = Idp::start();
    let good = AuthorizationRequest::new;
    for (asked, error) in [
        (good().without("response_type"), "invalid_request"),
        (good().with("response_type", "token"), "unsupported_response_type"),
        (good().with("response_type", "code id_token"), "unsupported_response_type"),
        (good().with("response_mode", "fragment"), "invalid_request"),
        (good().with("scope", "open\"id"), "invalid_scope"),
        (good().with("scope", "unheard.of"), "invalid_scope"),
        (good().without("scope"), "invalid_scope"),
        (good().with("scope", &"a".repeat(1025)), "invalid_scope"),
        (good().with("prompt", "none"), "login_required"),
        (good().with("request", "eyJhbGciOiJub25lIn0.e30."), "invalid_request_object"),
        (good().with("request_uri", "https://evil.example/r"), "request_uri_not_supported"),
    ] {
        let answer = opens(&idp, &asked).await;
        assert_eq!(answer.status, 303);
        answer.location().is_refusal(&idp, error);
    }
}

#[actix_web::test]
async fn i4_pkce_with_s256_is_required() {
    let idp = Idp::start();
    let good = AuthorizationRequest::new;
    let verifier = "a".repeat(43);
    for asked in [
        good().without("code_challenge"),
        good().without("code_challenge").without("code_challenge_method"),
        good().without("code_challenge_method"),
        good().with("code_challenge_method", "plain").with("code_challenge", &verifier),
        good().with("code_challenge_method", "s256"),
        good().with("code_challenge", "short"),
        good().with("code_challenge", &"a".repeat(44)),
        good().with("code_challenge", &"=".repeat(43)),
    ] {
        opens(&idp, &asked).await.location().is_refusal(&idp, "invalid_request");
    }
}

#[actix_web::test]
async fn i5_iss_is_in_every_authorization_response() {
    let idp = Idp::start();
    for decision in ["allow", "deny"] {
        let mut browser = Browser::new(&idp);
        browser.opens(&AuthorizationRequest::new()).await;
        browser.signs_in("demo", "DemoTest2024!").await;
        let location = browser.decides(decision).await.location();
        assert_eq!(location.param("iss").as_deref(), Some(idp.issuer.as_str()), "{decision}");
    }
}

#[actix_web::test]
async fn i13_a_parameter_sent_twice_is_refused() {
    let idp = Idp::start();
    for name in ["scope", "nonce", "response_type", "code_challenge", "extra"] {
        let asked = AuthorizationRequest::new().and(name, "1").and(name, "1");
        opens(&idp, &asked).await.location().is_refusal(&idp, "invalid_request");
    }
    // A `state` that stands twice is not echoed.
    for second in ["second", ""] {
        let location = opens(&idp, &AuthorizationRequest::new().and("state", second)).await.location();
        assert_eq!(
            (location.param("error").as_deref(), location.param("state")),
            (Some("invalid_request"), None)
        );
    }
    // These two may repeat (RFC 8707 §2, RFC 8693 §2.1).
    let asked = AuthorizationRequest::new().and("resource", &idp.issuer).and("audience", "a");
    let asked = asked.and("resource", &format!("{}/api", idp.issuer)).and("audience", "b");
    assert_eq!(opens(&idp, &asked).await.status, 200);
}

#[actix_web::test]
async fn i13_a_parameter_in_the_query_and_again_in_the_body_is_refused() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new();
    let posted = http().post(idp.at("/oauth/authorize?nonce=again")).form(asked.pairs());
    let mut browser = Browser::new(&idp);
    let onward = Answer::of(posted).await.location();
    browser.goes(onward.0.as_str()).await.location().is_refusal(&idp, "invalid_request");
}

#[actix_web::test]
async fn a_request_may_be_posted_and_still_belongs_to_the_browser() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new();
    let mut browser = Browser::new(&idp);
    // The browser has been here before; a cross-site POST does not carry its cookie.
    browser.opens(&asked).await;
    let posted = Answer::of(http().post(idp.at("/oauth/authorize")).form(asked.pairs())).await;
    assert_eq!((posted.status, posted.set_cookies.len()), (303, 0));
    browser.goes(posted.location().0.as_str()).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    assert!(browser.decides("allow").await.location().param("code").is_some());
}

#[actix_web::test]
async fn unknown_parameters_are_ignored_and_order_does_not_matter() {
    let idp = Idp::start();
    let asked =
        AuthorizationRequest::new().and("extra", "foobar").and("display", "page").and("login_hint", "x");
    assert_eq!(opens(&idp, &asked).await.status, 200);
    let reversed: Vec<_> = asked.pairs().iter().rev().cloned().collect();
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&reversed).finish();
    let answer = Answer::of(http().get(idp.at(&format!("/oauth/authorize?{query}")))).await;
    assert!(answer.location.unwrap().contains("/login/"));
}

#[actix_web::test]
async fn state_comes_back_byte_for_byte() {
    let idp = Idp::start();
    let state = format!("{} +%&=#/?日本語~\"<>", "s".repeat(128));
    let mut browser = Browser::new(&idp);
    browser.opens(&AuthorizationRequest::new().with("state", &state)).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    assert_eq!(browser.decides("deny").await.location().param("state"), Some(state));
}

#[actix_web::test]
async fn a_registered_query_survives_in_the_answer() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    browser.opens(&AuthorizationRequest::of_other_client()).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    let location = browser.decides("allow").await.location();
    assert!(location.0.as_str().starts_with("https://rp.example/cb?foo=bar&code="), "{location:?}");
}

#[actix_web::test]
async fn the_request_cannot_be_changed_between_login_and_consent() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    browser.opens(&AuthorizationRequest::new()).await;
    let mine = CodeVerifier::parse(&"m".repeat(43)).unwrap().challenge();
    let smuggled = [
        ("redirect_uri", "https://evil.example/"),
        ("client_id", "other:client"),
        ("code_challenge", mine.as_str()),
        ("state", "forged"),
        ("scope", "admin"),
    ];
    let login = [&[("username", "demo"), ("password", "DemoTest2024!")], &smuggled[..]].concat();
    browser.submits(&login).await;
    let location = browser.submits(&[&[("decision", "allow")], &smuggled[..]].concat()).await.location();
    assert!(location.0.as_str().starts_with(REDIRECT_URI), "{location:?}");
    assert_eq!(location.param("state").as_deref(), Some("af0ifjsldkj"));
}

#[actix_web::test]
async fn i4_a_client_may_be_registered_without_pkce_and_then_sends_no_verifier() {
    let idp = Idp::start_with(|settings| settings.clients[1].require_pkce = false);
    let plain =
        || AuthorizationRequest::of_client2().without("code_challenge").without("code_challenge_method");
    let mut browser = signed_in(&idp, &[DEMO]).await;
    for (verifier, expected) in [("", 200), ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", 400)] {
        let asked = plain();
        let location = browser.opens(&asked).await.location();
        let code = Code::of(&asked, &location);
        let answer = idp.token_as(Some(CLIENT2), &code.fields_with("code_verifier", verifier)).await;
        assert_eq!(answer.status, expected, "{answer:?}");
    }
    // Whoever sends a challenge is held to it, and half a challenge is none.
    let asked = AuthorizationRequest::of_client2();
    let code = Code::of(&asked, &browser.opens(&asked).await.location());
    let answer = idp.token_as(Some(CLIENT2), &code.fields_with("code_verifier", "")).await;
    assert_eq!(answer.error(), "invalid_grant");
    let half = plain().with("code_challenge_method", "S256");
    browser.opens(&half).await.location().is_refusal(&idp, "invalid_request");
}
