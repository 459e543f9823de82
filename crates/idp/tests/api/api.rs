//! The protected API: who is let in with which token, and what everybody else is told.

use serde_json::json;
use shared::flow::{Entry, Story};

use crate::{
    helpers::{Answer, AuthorizationRequest, Idp, http},
    refresh::text,
};

impl Idp {
    pub async fn calls(&self, path: &str, access_token: &str) -> Answer {
        Answer::of(http().get(self.at(path)).bearer_auth(access_token)).await
    }

    async fn access_token(&self, scope: &str) -> String {
        let code = self.code_for(&AuthorizationRequest::new().with("scope", scope)).await;
        text(&self.redeems(&code).await.json(), "access_token").to_owned()
    }
}

/// RFC 6750 §3: a status, an error, and a challenge that says the same.
#[track_caller]
pub fn is_challenged(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{answer:?}");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with(&format!(r#"Bearer error="{error}", error_description=""#)), "{challenge}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn it_knows_what_the_token_says_and_nothing_else() {
    let idp = Idp::start();
    let answer = idp.calls("/api/me", &idp.access_token("openid api.access").await).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let expected = json!({ "client_id": "client1", "sub": "1", "scope": "openid api.access" });
    assert_eq!(answer.json(), expected);
}

#[actix_web::test]
async fn the_notes_need_their_scope_and_are_those_of_the_tokens_user() {
    let idp = Idp::start();
    let notes = idp.calls("/api/notes", &idp.access_token("api.access").await).await.json();
    assert_eq!(notes["notes"][0], json!({ "id": 1, "text": "Note 1 of 1" }));
    let token = idp.access_token("openid profile").await;
    let refused = idp.calls("/api/notes", &token).await;
    is_challenged(&refused, 403, "insufficient_scope");
    assert!(refused.header("www-authenticate").ends_with(r#", scope="api.access""#));
    assert_eq!(idp.calls("/api/me", &token).await.status, 200);
}

#[actix_web::test]
async fn without_a_token_it_says_only_that_one_is_needed() {
    let idp = Idp::start();
    for path in ["/api/me", "/api/notes"] {
        let basic = http().get(idp.at(path)).basic_auth("client1", Some("client1-secret"));
        for request in [http().get(idp.at(path)), basic] {
            let answer = Answer::of(request).await;
            let told = (answer.status, answer.header("www-authenticate"), answer.body.as_str());
            assert_eq!(told, (401, r#"Bearer realm="api""#, ""));
        }
    }
}

#[actix_web::test]
async fn a_token_that_is_unknown_late_revoked_or_for_others_is_refused() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    let good = text(&tokens, "access_token");
    let code = AuthorizationRequest::new().and("resource", &idp.issuer);
    let for_userinfo = idp.redeems(&idp.code_for(&code).await).await.json();
    let others =
        [&good[..good.len() - 1], "x", "a.b.c", text(&tokens, "refresh_token"), text(&tokens, "id_token")];
    for token in others.into_iter().chain([text(&for_userinfo, "access_token")]) {
        is_challenged(&idp.calls("/api/me", token).await, 401, "invalid_token");
    }
    assert_eq!(idp.calls("/api/me", good).await.status, 200);
    let next = idp.refreshes(text(&tokens, "refresh_token")).await.json();
    idp.revokes(good).await;
    is_challenged(&idp.calls("/api/me", good).await, 401, "invalid_token");
    idp.passes(3600);
    is_challenged(&idp.calls("/api/me", text(&next, "access_token")).await, 401, "invalid_token");
}

#[actix_web::test]
async fn i14_a_token_in_the_address_or_in_two_ways_is_refused() {
    let idp = Idp::start();
    let token = idp.access_token("api.access").await;
    let in_address = format!("/api/me?access_token={token}");
    let twice = http().get(idp.at("/api/me")).bearer_auth(&token).header("authorization", "Bearer x");
    for request in [
        http().get(idp.at(&in_address)),
        http().get(idp.at(&in_address)).bearer_auth(&token),
        http().get(idp.at("/api/me?x=%")).bearer_auth(&token),
        twice,
    ] {
        is_challenged(&Answer::of(request).await, 400, "invalid_request");
    }
    let posted = Answer::of(http().post(idp.at("/api/me")).form(&[("access_token", &token)])).await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET"));
}

#[actix_web::test]
async fn a_malformed_header_is_never_a_failure_of_the_server() {
    let idp = Idp::start();
    for path in ["/api/me", "/api/notes", "/oauth/userinfo"] {
        let (long, dots) = (format!("Bearer {}", "a".repeat(8000)), format!("Bearer {}", ".".repeat(2000)));
        for value in
            ["Bearer", "Bearer ", "Bearer\t", "bearer", "Bearer a b", "Bearer \"", "", " ", "x", &long, &dots]
        {
            let answer = Answer::of(http().get(idp.at(path)).header("authorization", value)).await;
            assert_eq!(answer.status, 401, "{path} {value:.20}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path} {value:.20}");
        }
        let bytes = reqwest::header::HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap();
        let answer = Answer::of(http().get(idp.at(path)).header("authorization", bytes)).await;
        assert_eq!(answer.status, 401, "{path}");
    }
}

#[actix_web::test]
async fn a_call_is_told_beside_the_steps_of_its_login() {
    let idp = Idp::start();
    let token = idp.access_token("openid").await;
    idp.calls("/api/me", &token).await;
    idp.calls("/api/notes", &token).await;
    let flows = idp.state.recorder.as_ref().unwrap().flows(10, |_| true);
    let story = Story::tell(&flows[0].events, idp.state.clock.now_millis(), 600_000);
    let called = story.stage(Entry::Api).unwrap();
    let checks: Vec<_> = called.checks.iter().map(|(_, check)| check.rule.id()).collect();
    let admitted = ["bearer_token_active", "token_for_who_asks"];
    assert_eq!(checks, [&admitted[..], &admitted[..], &["access_token_scope"]].concat());
    assert_eq!((called.messages.len(), story.outcome.id()), (4, "tokens_issued"));
}
