//! Steps 8 and 9: what goes to the token endpoint, and what may come back.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use shared::{params::Params, pkce::CodeVerifier};

use crate::{
    browser::Answer,
    provider::{ACCESS_TOKEN, Canned},
    world::{World, is_signed_in},
};

async fn after(answer: impl FnOnce(&World) -> Canned) -> (World, Answer) {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    world.provider.answers("/token", answer(&world));
    let answer = world.comes_back(&mut browser, &login).await;
    assert!(!is_signed_in(&mut browser).await);
    assert_eq!(world.provider.calls("/token").len(), 1, "a code is tried once");
    (world, answer)
}

fn answer(change: impl FnOnce(&mut Value)) -> Canned {
    let mut body = json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": "a.b.c" });
    change(&mut body);
    Canned::Json(200, body)
}

#[actix_web::test]
async fn the_code_goes_with_verifier_redirect_uri_and_credentials_in_the_header() {
    let world = World::start_with(&["--client-id", "client1", "--client-secret", "a:b %+ü"]);
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    world.returns_with_code(&mut browser, &login).await;
    let [call] = &world.provider.calls("/token")[..] else { panic!("one call") };
    let credentials = STANDARD.encode("client1:a%3Ab+%25%2B%C3%BC");
    assert_eq!(call.authorization.as_deref(), Some(&*format!("Basic {credentials}")));
    let sent = Params::parse(call.body.as_bytes(), &[]).unwrap();
    assert_eq!(sent.get("grant_type"), Some("authorization_code"));
    assert_eq!(sent.get("code"), Some("code-1"));
    assert_eq!(sent.get("redirect_uri"), Some(&*format!("{}/auth", world.origin)));
    assert_eq!(sent.get("client_secret"), None);
    let verifier = CodeVerifier::parse(sent.get("code_verifier").unwrap()).unwrap();
    let challenge = login.request.query_pairs().find(|(name, _)| name == "code_challenge").unwrap();
    assert_eq!(verifier.challenge().as_str(), challenge.1);
}

#[actix_web::test]
async fn by_client_secret_post_the_credentials_go_in_the_form_and_nowhere_else() {
    let secret = "a:b %+ü";
    let world = World::start_with(&[
        "--token-endpoint-auth-method",
        "client_secret_post",
        "--client-id",
        "an app",
        "--client-secret",
        secret,
    ]);
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let mut claims = world.claims(&login);
    claims["aud"] = "an app".into();
    world.provider.issues(&crate::keys::HONEST.token(&claims));
    assert!(world.comes_back(&mut browser, &login).await.leads_to("/"));
    let [call] = &world.provider.calls("/token")[..] else { panic!("one call") };
    assert_eq!(call.authorization, None);
    let sent = Params::parse(call.body.as_bytes(), &[]).unwrap();
    assert_eq!((sent.get("client_id"), sent.get("client_secret")), (Some("an app"), Some(secret)));
    assert_eq!(call.query, "");
}

#[actix_web::test]
async fn a_refusal_is_told_by_its_code() {
    let refusal = json!({ "error": "invalid_grant", "error_description": "<b>late</b>" });
    let (_, answer) = after(|_| Canned::Json(400, refusal)).await;
    answer.is_problem(502, "token_refused");
    assert!(answer.says("oauth_error.invalid_grant"), "{}", answer.text);
    assert!(!answer.text.contains("late"));
}

#[actix_web::test]
async fn r13_an_unknown_code_of_the_token_endpoint_is_not_repeated() {
    let refusal = json!({ "error": "<svg onload=alert(1)>" });
    let (_, answer) = after(|_| Canned::Json(400, refusal)).await;
    answer.is_problem(502, "token_refused");
    assert!(!answer.text.contains("onload"));
}

#[actix_web::test]
async fn an_answer_without_id_token_signs_nobody_in() {
    let (world, answer) = after(|_| {
        answer(|body| {
            body.as_object_mut().unwrap().remove("id_token");
        })
    })
    .await;
    answer.is_problem(502, "id_token_missing");
    answer.names_check("id_token_present");
    assert!(world.provider.calls("/userinfo").is_empty());
}

#[actix_web::test]
async fn another_kind_of_token_is_of_no_use() {
    let (_, answer) = after(|_| answer(|body| body["token_type"] = "DPoP".into())).await;
    answer.is_problem(502, "token_answer_invalid");
    answer.names_check("token_type");
}

#[actix_web::test]
async fn the_kind_of_token_is_compared_without_case() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let id_token = crate::keys::HONEST.token(&world.claims(&login));
    world.provider.answers(
        "/token",
        answer(|body| {
            body["token_type"] = "bearer".into();
            body["id_token"] = id_token.into();
        }),
    );
    assert!(world.comes_back(&mut browser, &login).await.leads_to("/"));
}

#[actix_web::test]
async fn r16_an_answer_that_cannot_be_read_is_a_page() {
    let answers = [
        Canned::Json(200, json!({ "token_type": "Bearer" })),
        Canned::Json(200, json!([])),
        Canned::Raw(200, "text/html", b"<html>hello</html>".to_vec()),
        Canned::Raw(200, "application/json", b"{".to_vec()),
        Canned::Raw(500, "text/html", b"<h1>Internal Server Error</h1>".to_vec()),
        Canned::Raw(500, "application/json", Vec::new()),
        Canned::Raw(200, "application/json", Vec::new()),
    ];
    for canned in answers {
        let (_, answer) = after(|_| canned).await;
        answer.is_problem(502, "token_answer_invalid");
        assert!(!answer.text.contains("hello"));
    }
}

#[actix_web::test]
async fn r16_the_credentials_are_not_taken_elsewhere_by_a_redirect() {
    for status in [301, 302, 303, 307, 308] {
        let (world, answer) = after(|world| {
            let elsewhere = format!("{}/elsewhere", world.provider.issuer);
            Canned::Redirect(status, elsewhere)
        })
        .await;
        answer.is_problem(502, "token_answer_invalid");
        assert!(world.provider.calls("/elsewhere").is_empty(), "{status}");
    }
}

#[actix_web::test]
async fn r16_an_answer_of_more_than_256_kib_is_not_read() {
    let (_, answer) = after(|_| answer(|body| body["padding"] = "x".repeat(256 * 1024).into())).await;
    answer.is_problem(502, "token_answer_invalid");
}

#[actix_web::test]
async fn r16_no_request_goes_over_a_connection_that_the_provider_may_be_closing() {
    let world = World::start();
    world.logs_in(&mut world.browser()).await;
    world.logs_in(&mut world.browser()).await;
    let asked = ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"];
    let calls: Vec<_> = asked.iter().flat_map(|path| world.provider.calls(path)).collect();
    let connections: HashSet<_> = calls.iter().map(|call| call.from).collect();
    assert_eq!((calls.len(), connections.len()), (6, 6), "{calls:?}");
}

#[actix_web::test]
async fn r16_a_provider_that_does_not_answer_is_given_five_seconds() {
    let began = Instant::now();
    let (_, answer) = after(|_| Canned::Silence).await;
    answer.is_problem(502, "idp_unreachable");
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(8), "{took:?}");
}

#[actix_web::test]
async fn r16_all_who_wait_for_a_silent_provider_wait_together() {
    let world = World::start();
    let discovery = "/.well-known/openid-configuration";
    world.provider.answers(discovery, Canned::Silence);
    let began = Instant::now();
    let mut browsers = [(); 3].map(|()| world.browser());
    let logins = browsers.iter_mut().map(|browser| browser.opens("/login"));
    for answer in futures_util::future::join_all(logins).await {
        answer.is_problem(502, "idp_unreachable");
    }
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(world.provider.calls(discovery).len(), 1);
}
