//! One thing spoiled at each pause of what is done with tokens: whoever is meant to find out does, or nobody can.

use shared::flow::{Party, Pause, Rule};

use super::{
    spoiled::{params, with_params},
    walk::failed,
};
use crate::pair::{Browser, Pair};

/// Lets the held message go with other headers.
async fn with_headers(browser: &mut Browser, from: &str, to: &str) {
    let headers = browser.lines("headers.raw");
    assert!(headers.contains(from), "{from}: {headers}");
    let headers = headers.replacen(from, to, 1);
    browser.lets_go(&[("do", "send"), ("headers.as", "raw"), ("headers.raw", &headers)]).await;
}

/// Lets the held answer go with another body.
async fn with_body(browser: &mut Browser, from: &str, to: &str) {
    let body = browser.lines("body");
    assert!(body.contains(from), "{from}: {body}");
    browser.lets_go(&[("do", "send"), ("body", &body.replacen(from, to, 1))]).await;
}

/// What the page of the tokens says, once everything else has been let go.
async fn in_the_end(browser: &mut Browser, texts: &[&str]) {
    browser.goes_on_to_the_end().await;
    browser.is_told(texts);
}

#[actix_web::test]
async fn i6_a_refresh_request_is_judged_as_it_was_edited() {
    let cases = [
        ("refresh_token=", "refresh_token=x", "invalid_grant", Rule::RefreshTokenKnown),
        ("grant_type=", "scope=openid+phone&grant_type=", "invalid_scope", Rule::ScopeNotWider),
    ];
    for (from, to, error, rule) in cases {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(Pause::RefreshRequest).await;
        let spoiled = params(&browser, from, to);
        with_params(&mut browser, &spoiled).await;
        assert!(browser.lines("body").contains(error), "{from}: {}", browser.text);
        in_the_end(&mut browser, &["HTTP 400", error]).await;
        assert_eq!(failed(&pair.latest().await), [(Party::Idp, rule)], "{from}");
        // The session has its tokens still, and they are good.
        browser.does("refresh").await;
        browser.is_told(&["HTTP 200"]);
    }
}

#[actix_web::test]
async fn who_asks_for_new_tokens_proves_who_it_is() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshRequest).await;
    let headers = browser.lines("headers.raw");
    let (_, credentials) = headers.split_once("authorization: ").unwrap();
    let credentials = credentials.lines().next().unwrap().to_owned();
    with_headers(&mut browser, &credentials, "Basic Y2xpZW50MTpndWVzc2Vk").await;
    assert!(browser.lines("body").contains("invalid_client"), "{}", browser.text);
    in_the_end(&mut browser, &["invalid_client"]).await;
}

#[actix_web::test]
async fn a_refresh_that_asks_for_less_gets_less() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshRequest).await;
    let less = params(&browser, "grant_type=", "scope=openid+offline_access&grant_type=");
    with_params(&mut browser, &less).await;
    in_the_end(&mut browser, &["HTTP 200"]).await;
    browser.does("call_notes").await;
    browser.is_told(&["HTTP 403", "insufficient_scope"]);
}

#[actix_web::test]
async fn an_answer_with_new_tokens_is_judged_as_it_was_edited() {
    let cases = [
        ("Bearer", "DPoP", Rule::TokenType),
        (r#""access_token": ""#, r#""access_token": "x"#, Rule::AccessTokenHash),
    ];
    for (from, to, rule) in cases {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(Pause::RefreshResponse).await;
        with_body(&mut browser, from, to).await;
        browser.goes_on_to_the_end().await;
        assert!(browser.text.contains("HTTP 502"), "{from}: {}", browser.text);
        assert_eq!(failed(&pair.latest().await), [(Party::Rp, rule)], "{from}");
    }
    // What is no answer at all is refused, too.
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshResponse).await;
    browser.lets_go(&[("do", "send"), ("body", "no"), ("guess", "rp_refuses")]).await;
    assert!(browser.text.contains("HTTP 502") && browser.text.contains("as predicted"), "{}", browser.text);
}

#[actix_web::test]
async fn where_no_id_token_comes_with_new_tokens_the_old_one_stays() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RefreshResponse).await;
    with_body(&mut browser, "\"id_token\"", "\"other\"").await;
    browser.is_told(&["HTTP 200"]);
    assert_eq!(browser.text.matches("badge changed").count(), 2, "{}", browser.text);
}

#[actix_web::test]
async fn a_new_id_token_is_judged_as_it_was_edited() {
    let cases = [
        (r#""sub": "1""#, r#""sub": "2""#, "kept", Rule::Signature),
        (r#""sub": "1""#, r#""sub": "2""#, "none", Rule::Algorithm),
        (r#""aud": "client1""#, r#""aud": "client2""#, "kept", Rule::Audience),
    ];
    for (from, to, sign, rule) in cases {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(Pause::RefreshedToken).await;
        let (header, payload) = (browser.lines("token.header"), browser.lines("token.payload"));
        assert!(payload.contains(from), "{payload}");
        let payload = payload.replacen(from, to, 1);
        let form = [
            ("do", "send"),
            ("token.as", "fields"),
            ("token.header", &header),
            ("token.payload", &payload),
            ("sign", sign),
            ("guess", "rp_refuses"),
        ];
        browser.lets_go(&form).await;
        assert!(browser.text.contains("HTTP 502") && browser.text.contains("as predicted"), "{to} {sign}");
        assert_eq!(failed(&pair.latest().await), [(Party::Rp, rule)], "{to} {sign}");
        // The tokens of before are those of the session still, and the provider has replaced them.
        browser.opens(&format!("{}/tokens", pair.rp)).await;
        browser.does("call_me").await;
        browser.is_told(&["HTTP 200"]);
    }
}

#[actix_web::test]
async fn a_token_that_nobody_knows_is_given_back_without_a_word_and_the_real_one_is_good_still() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::RevocationRequest).await;
    let spoiled = params(&browser, "token=", "token=x");
    with_params(&mut browser, &spoiled).await;
    in_the_end(&mut browser, &["HTTP 200"]).await;
    browser.does("introspect_access").await;
    browser.is_told(&["&quot;active&quot;: true"]);
    // A hint that is wrong is a hint.
    browser.does_step_by_step("revoke_access").await;
    let spoiled = params(&browser, "token_type_hint=access_token", "token_type_hint=refresh_token");
    with_params(&mut browser, &spoiled).await;
    in_the_end(&mut browser, &["HTTP 200"]).await;
    browser.does("introspect_access").await;
    browser.is_told(&["&quot;active&quot;: false"]);
}

#[actix_web::test]
async fn only_a_client_gives_tokens_back_and_asks_about_them() {
    for pause in [Pause::RevocationRequest, Pause::IntrospectionRequest] {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(pause).await;
        let outcomes = pause.outcomes().unwrap();
        let headers = browser.lines("headers.raw").replacen("authorization", "x-nothing", 1);
        let guess = if pause == Pause::RevocationRequest { outcomes[1] } else { outcomes[2] };
        let form = [("do", "send"), ("headers.as", "raw"), ("headers.raw", &headers), ("guess", guess.id())];
        browser.lets_go(&form).await;
        assert!(!browser.text.contains("not as predicted"), "{pause:?}: {}", browser.text);
        in_the_end(&mut browser, &["HTTP 401", "invalid_client"]).await;
        browser.does("introspect_access").await;
        browser.is_told(&["&quot;active&quot;: true"]);
    }
}

#[actix_web::test]
async fn what_an_answer_says_is_believed_and_changes_nothing_at_the_provider() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::IntrospectionResponse).await;
    with_body(&mut browser, r#""active": true"#, r#""active": false"#).await;
    browser.is_told(&["&quot;active&quot;: false"]);
    browser.does("call_me").await;
    browser.is_told(&["HTTP 200"]);

    browser.does_step_by_step("introspect_access").await;
    let spoiled = params(&browser, "token=", "token=x");
    with_params(&mut browser, &spoiled).await;
    assert!(browser.lines("body").contains("false"), "{}", browser.text);
    with_body(&mut browser, "false", "true").await;
    browser.is_told(&["&quot;active&quot;: true"]);

    browser.does_step_by_step("revoke_access").await;
    browser.sends().await;
    browser.lets_go(&[("do", "send"), ("status", "503")]).await;
    browser.is_told(&["HTTP 503"]);
    browser.does("call_me").await;
    browser.is_told(&["HTTP 401"]);
}

#[actix_web::test]
async fn i19_the_api_judges_the_token_as_it_was_edited() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::ApiRequest).await;
    with_headers(&mut browser, "Bearer ", "Bearer x").await;
    assert!(browser.text.contains(r#"value="401""#), "{}", browser.text);
    in_the_end(&mut browser, &["HTTP 401", "invalid_token"]).await;

    let (id_token, access_token) = (browser.token("id_token"), browser.token("access_token"));
    browser.does_step_by_step("call_me").await;
    with_headers(&mut browser, &access_token, &id_token).await;
    in_the_end(&mut browser, &["HTTP 401", "invalid_token"]).await;
    let refused = [Rule::BearerTokenActive, Rule::AccessTokenTyp].map(|rule| (Party::Idp, rule));
    assert_eq!(failed(&pair.latest().await), refused);

    browser.does_step_by_step("call_me").await;
    browser.sends().await;
    browser.lets_go(&[("do", "send"), ("status", "418"), ("body", "{\"sub\":\"somebody\"}")]).await;
    browser.is_told(&["HTTP 418", "somebody"]);
}
