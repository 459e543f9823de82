//! What a token is good for, told to whoever may know.

use serde_json::{Value, json};

use crate::{
    helpers::{Answer, AuthorizationRequest, Browser, CLIENT2, Code, DEMO, Idp, basic, http},
    refresh::{CLIENT1, text},
};

pub const API: (&str, &str) = ("api", "api-secret");

impl Idp {
    pub async fn introspects(&self, client: (&str, &str), token: &str) -> Answer {
        let request = http().post(self.at("/oauth/introspect")).form(&[("token", token)]);
        Answer::of(request.header("authorization", basic(client.0, client.1))).await
    }

    /// A code for client1 for `resources`.
    async fn code_at(&self, resources: &[&str]) -> Code {
        let asked = resources.iter().fold(AuthorizationRequest::new(), |asked, it| asked.and("resource", it));
        self.code_for(&asked).await
    }
}

#[track_caller]
fn is_inactive(answer: &Answer) {
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    assert_eq!(answer.json(), json!({ "active": false }));
}

#[actix_web::test]
async fn i19_a_token_is_described_to_its_client_and_to_the_api_that_it_is_meant_for() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    for client in [CLIENT1, API] {
        let answer = idp.introspects(client, text(&tokens, "access_token")).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
        let api = format!("{}/api", idp.issuer);
        assert_eq!(
            answer.json(),
            json!({
                "active": true, "iss": idp.issuer, "sub": "1", "username": "demo", "client_id": "client1",
                "scope": tokens["scope"], "aud": [idp.issuer, api], "token_type": "Bearer",
                "iat": 1_795_496_600, "exp": 1_795_500_200,
            })
        );
    }
    let refresh = idp.introspects(CLIENT1, text(&tokens, "refresh_token")).await.json();
    assert_eq!((&refresh["active"], &refresh["exp"]), (&json!(true), &json!(1_795_496_600 + 1_209_600)));
    assert!(refresh.get("token_type").is_none() && refresh.get("aud").is_none());
}

#[actix_web::test]
async fn i19_to_everybody_else_it_is_inactive() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    is_inactive(&idp.introspects(CLIENT2, text(&tokens, "access_token")).await);
    is_inactive(&idp.introspects(CLIENT2, text(&tokens, "refresh_token")).await);
    is_inactive(&idp.introspects(API, text(&tokens, "refresh_token")).await);
}

#[actix_web::test]
async fn i19_whoever_does_not_prove_who_they_are_is_told_nothing() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    let token = text(&tokens, "access_token");
    let nobody = Answer::of(http().post(idp.at("/oauth/introspect")).form(&[("token", token)])).await;
    let itself = http().post(idp.at("/oauth/introspect")).bearer_auth(token).form(&[("token", token)]);
    for answer in [nobody, Answer::of(itself).await, idp.introspects(("api", "wrong"), token).await] {
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
}

#[actix_web::test]
async fn i19_what_is_unknown_late_revoked_or_another_thing_is_inactive() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    let code = idp.code().await;
    let truncated = &text(&tokens, "access_token")[..40];
    for token in ["x", "a.b.c", truncated, &code.value, text(&tokens, "id_token")] {
        is_inactive(&idp.introspects(CLIENT1, token).await);
    }
    let next = idp.refreshes(text(&tokens, "refresh_token")).await.json();
    is_inactive(&idp.introspects(CLIENT1, text(&tokens, "refresh_token")).await);
    // To ask about a token uses nothing up and kills nothing.
    assert_eq!(idp.introspects(CLIENT1, text(&next, "refresh_token")).await.json()["active"], true);
    idp.revokes(text(&tokens, "access_token")).await;
    is_inactive(&idp.introspects(CLIENT1, text(&tokens, "access_token")).await);
    idp.passes(3600);
    is_inactive(&idp.introspects(API, text(&next, "access_token")).await);
    idp.passes(1_209_600);
    is_inactive(&idp.introspects(CLIENT1, text(&next, "refresh_token")).await);
}

#[actix_web::test]
async fn i13_parameters_stand_once_and_in_the_body() {
    let idp = Idp::start();
    let authorization = basic(API.0, API.1);
    let ask = |path: &str| http().post(idp.at(path)).header("authorization", &authorization);
    for request in [
        ask("/oauth/introspect"),
        ask("/oauth/introspect?token=x"),
        ask("/oauth/introspect").form(&[("token", "x"), ("token", "y")]),
        ask("/oauth/introspect").header("content-type", "application/json").body("{}"),
    ] {
        let answer = Answer::of(request).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"));
    }
}

fn audience(answer: &Value) -> Vec<&str> {
    answer["aud"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

#[actix_web::test]
async fn a_token_is_for_the_resources_that_were_asked_for_and_for_no_others() {
    let idp = Idp::start_with(|settings| {
        settings.clients[1].resource = vec!["https://one.example".into(), "https://two.example".into()];
    });
    let code = idp.code_at(&["https://one.example", "https://two.example"]).await;
    let fields = [code.fields(), vec![("resource", "https://one.example")]].concat();
    let tokens = idp.token(&fields).await.json();
    let token = text(&tokens, "access_token");
    assert_eq!(audience(&idp.introspects(CLIENT2, token).await.json()), ["https://one.example"]);
    is_inactive(&idp.introspects(API, token).await);
    assert_eq!(idp.userinfo(token).await.error(), "invalid_token", "it is not meant for userinfo");

    let usual = idp.redeems(&idp.code().await).await.json();
    is_inactive(&idp.introspects(CLIENT2, text(&usual, "access_token")).await);
}

#[actix_web::test]
async fn a_resource_that_nobody_knows_or_that_was_not_allowed_is_refused() {
    let idp = Idp::start();
    let api = format!("{}/api", idp.issuer);
    let other = format!("{api}/");
    for wrong in ["https://nobody.example", &other, "api", "https://a.example/#x"] {
        let asked = AuthorizationRequest::new().and("resource", &api).and("resource", wrong);
        Browser::new(&idp).opens(&asked).await.location().is_refusal(&idp, "invalid_target");
    }
    let code = idp.code_at(&[&api]).await;
    let fields = [code.fields(), vec![("resource", idp.issuer.as_str())]].concat();
    let answer = idp.token(&fields).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_target"));
}

#[actix_web::test]
async fn a_refresh_may_be_for_fewer_resources_and_for_no_others() {
    let idp = Idp::start();
    let first = idp.offline_tokens().await;
    let api = format!("{}/api", idp.issuer);
    let renew = async |token: &str, resource: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("resource", resource)];
        idp.token(&fields).await
    };
    let refused = renew(text(&first, "refresh_token"), "https://nobody.example").await;
    assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_target"));
    let second = renew(text(&first, "refresh_token"), &api).await.json();
    assert_eq!(audience(&idp.introspects(API, text(&second, "access_token")).await.json()), [api.as_str()]);
    let third = idp.refreshes(text(&second, "refresh_token")).await.json();
    assert_eq!(audience(&idp.introspects(API, text(&third, "access_token")).await.json()).len(), 2);
    assert_eq!(DEMO.0, idp.introspects(API, text(&third, "access_token")).await.json()["username"]);
}
