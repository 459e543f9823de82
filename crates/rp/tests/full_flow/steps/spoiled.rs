//! One thing spoiled at each pause: the check that is meant for it finds out, and nobody is signed in.

use shared::flow::{Event, Outcome, Party, Pause, Recorded, Release, Rule};

use super::walk::failed;
use crate::pair::{Browser, Pair};

/// The raw parameters of the held message, with `from` in them replaced.
pub(super) fn params(browser: &Browser, from: &str, to: &str) -> String {
    let params = browser.lines("params.raw");
    assert!(params.contains(from), "{from}: {params}");
    params.replacen(from, to, 1)
}

/// Lets the held message go with other parameters.
pub(super) async fn with_params(browser: &mut Browser, params: &str) {
    browser.lets_go(&[("do", "send"), ("params.as", "raw"), ("params.raw", params)]).await;
}

/// Spoils the parameters at `pause`, goes on to the end, and returns the failed checks of all flows.
async fn spoils_params(pause: Pause, from: &str, to: &str) -> Vec<(Party, Rule)> {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(pause).await;
    let params = params(&browser, from, to);
    with_params(&mut browser, &params).await;
    browser.goes_on_to_the_end().await;
    let failed = failed_anywhere(&pair);
    assert!(!pair.greets(&mut browser).await, "{pause:?} {from}");
    failed
}

/// The checks that failed at either server, in any flow: a `state` that was changed belongs to none that is known.
fn failed_anywhere(pair: &Pair) -> Vec<(Party, Rule)> {
    let rp = pair.flows();
    let idp = pair.provider.recorder.as_ref().unwrap().flows(100, |_| true);
    let events: Vec<Recorded> = rp.iter().chain(&idp).flat_map(|flow| flow.events.clone()).collect();
    failed(&events)
}

#[actix_web::test]
async fn i1_i4_an_authorization_request_is_judged_as_it_was_edited() {
    let at = Pause::AuthorizationRequest;
    let cases = [
        ("%2Fauth&", "%2Fauthx&", Rule::RedirectUriRegistered),
        ("client_id=client1", "client_id=nobody", Rule::ClientKnown),
        ("code_challenge_method=S256", "code_challenge_method=plain", Rule::ChallengeMethod),
        ("code_challenge=", "no_challenge=", Rule::ChallengePresent),
        ("response_type=code", "response_type=token", Rule::ResponseTypeCode),
        ("prompt=login", "prompt=dance", Rule::PromptPossible),
    ];
    for (from, to, rule) in cases {
        assert_eq!(spoils_params(at, from, to).await, [(Party::Idp, rule)], "{from}");
    }
}

#[actix_web::test]
async fn r1_r2_values_of_another_login_are_found_out_where_they_are_compared() {
    let failed = spoils_params(Pause::AuthorizationRequest, "nonce=", "nonce=x").await;
    assert_eq!(failed, [(Party::Rp, Rule::Nonce)]);
    let failed = spoils_params(Pause::AuthorizationRequest, "state=", "state=x").await;
    assert_eq!(failed, [(Party::Rp, Rule::StateKnown)]);
}

#[actix_web::test]
async fn i4_a_challenge_that_was_changed_is_met_by_no_verifier() {
    let failed = spoils_params(Pause::AuthorizationRequest, "code_challenge=", "code_challenge=0").await;
    // 44 characters are none.
    assert_eq!(failed, [(Party::Idp, Rule::ChallengePresent)]);
    let pair = Pair::start();
    let mut browser = pair.begins_step_by_step().await;
    let params = browser.lines("params.raw");
    let (before, rest) = params.split_once("code_challenge=").unwrap();
    let other = format!("{before}code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM{}", &rest[43..]);
    with_params(&mut browser, &other).await;
    browser.goes_on_to_the_end().await;
    assert_eq!(failed_anywhere(&pair), [(Party::Idp, Rule::VerifierMeetsChallenge)]);
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn r1_r3_an_authorization_response_is_judged_as_it_was_edited() {
    for pause in [Pause::AuthorizationResponse, Pause::Callback] {
        let failed = spoils_params(pause, "iss=http", "iss=https").await;
        assert_eq!(failed, [(Party::Rp, Rule::ResponseIssuer)], "{pause:?}");
        let failed = spoils_params(pause, "state=", "state=x").await;
        assert_eq!(failed, [(Party::Rp, Rule::StateKnown)], "{pause:?}");
        let failed = spoils_params(pause, "code=", "code=x").await;
        assert_eq!(failed, [(Party::Idp, Rule::CodeKnown)], "{pause:?}");
    }
}

#[actix_web::test]
async fn i18_where_an_authorization_response_goes_cannot_be_edited() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::AuthorizationResponse).await;
    browser.lets_go(&[("do", "send"), ("address", "https://attacker.example/")]).await;
    assert_eq!(browser.held_at(), Some(Pause::Callback));
    assert!(browser.is_at(&pair.rp), "{:?}", browser.page);
}

#[actix_web::test]
async fn i3_i4_i12_a_token_request_is_judged_as_it_was_edited() {
    let at = Pause::TokenRequest;
    let cases = [
        ("code=", "code=x", Rule::CodeKnown),
        ("code_verifier=", "code_verifier=x", Rule::VerifierMeetsChallenge),
        ("%2Fauth", "%2Fother", Rule::RedirectUriSame),
    ];
    for (from, to, rule) in cases {
        assert_eq!(spoils_params(at, from, to).await, [(Party::Idp, rule)], "{from}");
    }
    let pair = Pair::start();
    let mut browser = pair.is_held_at(at).await;
    let headers = browser.lines("headers.raw");
    let (before, _) = headers.split_once("authorization: ").unwrap();
    let other = format!("{before}authorization: Basic Y2xpZW50MTpndWVzc2Vk");
    browser.lets_go(&[("do", "send"), ("headers.as", "raw"), ("headers.raw", &other)]).await;
    assert!(browser.lines("body").contains("invalid_client"), "{}", browser.text);
    browser.goes_on_to_the_end().await;
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn r2_a_token_answer_is_judged_as_it_was_edited() {
    let answer = async |from: &str, to: &str| {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(Pause::TokenResponse).await;
        let body = browser.lines("body");
        assert!(body.contains(from), "{body}");
        browser.lets_go(&[("do", "send"), ("body", &body.replacen(from, to, 1))]).await;
        browser.goes_on_to_the_end().await;
        let failed = failed_anywhere(&pair);
        assert!(!pair.greets(&mut browser).await, "{from}");
        failed
    };
    assert_eq!(answer("\"id_token\"", "\"id_tokens\"").await, [(Party::Rp, Rule::IdTokenPresent)]);
    assert_eq!(answer("\"Bearer\"", "\"MAC\"").await, [(Party::Rp, Rule::TokenType)]);
    assert_eq!(answer("\"at_", "\"at_x").await, [(Party::Rp, Rule::AccessTokenHash)]);
    assert_eq!(answer("{", "").await, [], "what is no JSON is no answer");
}

/// The check that refuses an ID token that was edited.
async fn forges(fields: &[(&str, &str)], edit: impl Fn(&mut String, &mut String)) -> Vec<(Party, Rule)> {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::Validation).await;
    let (mut header, mut payload) = (browser.lines("token.header"), browser.lines("token.payload"));
    edit(&mut header, &mut payload);
    let token = [("do", "send"), ("token.header", header.as_str()), ("token.payload", payload.as_str())];
    browser.lets_go(&[&token[..], fields].concat()).await;
    assert!(browser.text.contains("HTTP 502"), "{}", browser.text);
    let failed = failed_anywhere(&pair);
    assert!(!pair.greets(&mut browser).await, "{fields:?}");
    failed
}

#[actix_web::test]
async fn r4_r5_a_claim_that_was_changed_is_found_out_by_its_own_check() {
    let changed = |from: &'static str, to: &'static str| {
        move |_: &mut String, payload: &mut String| {
            assert!(payload.contains(from), "{payload}");
            *payload = payload.replacen(from, to, 1);
        }
    };
    let cases = [
        ("\"iss\": \"http", "\"iss\": \"https", Rule::IssuerClaim),
        ("\"aud\": \"client1\"", "\"aud\": \"client2\"", Rule::Audience),
        ("\"sub\": \"1\"", "\"sub\": 1", Rule::SubjectClaim),
        ("\"sub\": \"1\"", "\"sub\": \"2\"", Rule::Signature),
        ("\"nonce\"", "\"nounce\"", Rule::Signature),
    ];
    for (from, to, rule) in cases {
        assert_eq!(forges(&[("sign", "kept")], changed(from, to)).await, [(Party::Rp, rule)], "{from}");
    }
}

#[actix_web::test]
async fn r6_a_token_that_somebody_else_signed_is_refused_however_it_is_done() {
    let untouched = |_: &mut String, _: &mut String| ();
    let cases: [(&[(&str, &str)], Rule); 6] = [
        (&[("sign", "none")], Rule::Algorithm),
        (&[("sign", "public_key")], Rule::Algorithm),
        (&[("sign", "fresh")], Rule::Signature),
        (&[("sign", "fresh"), ("embed", "jwk")], Rule::Signature),
        (&[("sign", "fresh"), ("embed", "jku"), ("embed", "kid")], Rule::Signature),
        (&[("sign", "fresh"), ("embed", "jwk"), ("embed", "jku"), ("embed", "kid")], Rule::Signature),
    ];
    for (fields, rule) in cases {
        assert_eq!(forges(fields, untouched).await, [(Party::Rp, rule)], "{fields:?}");
    }
    let spelled = |header: &mut String, _: &mut String| *header = header.replace("RS256", "nOnE");
    assert_eq!(forges(&[("sign", "kept")], spelled).await, [(Party::Rp, Rule::Algorithm)]);
}

#[actix_web::test]
async fn r6_a_forged_token_is_what_it_says() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::Validation).await;
    let (header, payload) = (browser.lines("token.header"), browser.lines("token.payload"));
    let form = [
        ("do", "send"),
        ("token.header", header.as_str()),
        ("token.payload", payload.as_str()),
        ("sign", "fresh"),
        ("embed", "jwk"),
        ("embed", "kid"),
    ];
    browser.lets_go(&form).await;
    let events = pair.latest().await;
    let release = events.iter().find_map(|it| match &it.event {
        Event::Release(release) => Some(release.clone()),
        _ => None,
    });
    let Release { changes, .. } = release.unwrap();
    let names: Vec<_> = changes.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(names, ["header kid", "header jwk", "signature"]);
    let jwk: serde_json::Value = serde_json::from_str(changes[1].after.as_deref().unwrap()).unwrap();
    assert_eq!((jwk["kty"].as_str(), jwk.get("d")), (Some("RSA"), None), "the private half stays here");
    assert_eq!(pair.tells(&events).outcome, Outcome::Refused(Some(Rule::Signature), None));
}

#[actix_web::test]
async fn r6_a_token_can_be_pasted_as_people_paste() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::Validation).await;
    let token = browser.lines("token.raw");
    let (begin, end) = token.split_at(token.len() / 2);
    let pasted = format!("\"{begin}\r\n  {end}\",\r\n");
    browser.lets_go(&[("do", "send"), ("token.as", "raw"), ("token.raw", &pasted)]).await;
    assert_eq!(browser.held_at(), Some(Pause::UserinfoRequest), "it is the same token");
    let mut browser = pair.is_held_at(Pause::Validation).await;
    browser.lets_go(&[("do", "send"), ("token.as", "raw"), ("token.raw", "not.a.token")]).await;
    assert!(browser.text.contains("HTTP 502"), "{}", browser.text);
    assert_eq!(failed(&pair.latest().await), [(Party::Rp, Rule::TokenWellFormed)]);
}

#[actix_web::test]
async fn an_access_token_that_was_spoiled_opens_nothing() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::UserinfoRequest).await;
    let headers = browser.lines("headers.raw").replacen("Bearer at_", "Bearer at_x", 1);
    let form = [
        ("do", "send"),
        ("headers.as", "raw"),
        ("headers.raw", headers.as_str()),
        ("guess", "invalid_token"),
    ];
    browser.lets_go(&form).await;
    assert!(
        browser.text.contains("as predicted") && browser.text.contains(r#"value="401""#),
        "{}",
        browser.text
    );
    assert_eq!(failed(&pair.latest().await), [(Party::Idp, Rule::BearerTokenActive)]);
    browser.goes_on_to_the_end().await;
    assert!(browser.text.contains("Welcome, 1!"), "{}", browser.text);
}

#[actix_web::test]
async fn r9_claims_about_somebody_else_end_the_login() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::UserinfoResponse).await;
    let body = browser.lines("body").replacen("\"sub\": \"1\"", "\"sub\": \"2\"", 1);
    browser.lets_go(&[("do", "send"), ("body", &body)]).await;
    assert!(browser.text.contains("HTTP 502"), "{}", browser.text);
    assert_eq!(failed(&pair.latest().await), [(Party::Rp, Rule::UserinfoSubject)]);
    assert!(!pair.greets(&mut browser).await);
}

#[actix_web::test]
async fn what_cannot_be_sent_is_shown_again_as_it_was_typed() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::Validation).await;
    let form = [("do", "send"), ("token.header", "{"), ("token.payload", "{\"sub\": \"typed\"}")];
    browser.lets_go(&form).await;
    assert!(browser.text.contains("The header is no JSON object."), "{}", browser.text);
    assert!(browser.lines("token.payload").contains("typed"));
    browser.sends().await;
    assert_eq!(browser.held_at(), Some(Pause::UserinfoRequest), "what was held was not touched");
}
