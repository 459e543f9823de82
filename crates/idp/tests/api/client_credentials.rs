//! Tokens for a client itself.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    api::is_challenged,
    helpers::{Answer, AuthorizationRequest, Browser, CLIENT2, Idp, basic, http},
    introspection::API,
    refresh::text,
};

const SERVICE: (&str, &str) = ("service", "service-secret");

impl Idp {
    async fn asks_for_itself(&self, client: (&str, &str), more: &[(&str, &str)]) -> Answer {
        let fields = [&[("grant_type", "client_credentials")], more].concat();
        self.token_as(Some(client), &fields).await
    }
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[actix_web::test]
async fn a_client_gets_a_token_of_its_own_and_nothing_about_anybody() {
    let idp = Idp::start();
    let answer = idp.asks_for_itself(SERVICE, &[]).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let tokens = answer.json();
    let members: Vec<_> = tokens.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!((&tokens["scope"], &tokens["expires_in"]), (&json!("api.access"), &json!(3600)));
    let token = text(&tokens, "access_token");
    let said = claims(token);
    assert_eq!((&said["sub"], &said["client_id"]), (&json!("service"), &json!("service")));
    let me = json!({ "client_id": "service", "sub": "service", "scope": "api.access" });
    assert_eq!(idp.calls("/api/me", token).await.json(), me);
    assert_eq!(idp.calls("/api/notes", token).await.json()["notes"][0]["text"], "Note 1 of service");
    let told = idp.introspects(API, token).await.json();
    assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!("service")));
    assert!(told.get("username").is_none());
}

#[actix_web::test]
async fn an_opaque_one_works_in_the_same_way_and_can_be_revoked() {
    let idp = Idp::start_with(|settings| {
        let service = settings.clients.iter_mut().find(|client| client.id.as_str() == SERVICE.0).unwrap();
        service.access_token_format = idp::domain::client::AccessTokenFormat::Opaque;
    });
    let tokens = idp.asks_for_itself(SERVICE, &[]).await.json();
    let token = text(&tokens, "access_token");
    assert!(token.starts_with("at_"));
    assert_eq!(idp.calls("/api/me", token).await.json()["sub"], "service");
    let request = http().post(idp.at("/oauth/revoke")).form(&[("token", token)]);
    let request = request.header("authorization", basic(SERVICE.0, SERVICE.1));
    assert_eq!(Answer::of(request).await.status, 200);
    is_challenged(&idp.calls("/api/me", token).await, 401, "invalid_token");
}

#[actix_web::test]
async fn it_has_no_claims_whatever_its_name_is() {
    // Even when a user has the client's name as `sub`: a token of the client itself is nobody's.
    let idp = Idp::start_with(|settings| {
        let service = settings.clients.iter_mut().find(|client| client.id.as_str() == SERVICE.0).unwrap();
        service.id = shared::ids::ClientId::new("1");
        service.scope = shared::scope::Scope::parse("openid profile offline_access api.access").unwrap();
    });
    let client = ("1", SERVICE.1);
    for asked in ["openid", "profile email", "offline_access"] {
        let refused = idp.asks_for_itself(client, &[("scope", asked)]).await;
        assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_scope"), "{asked}");
    }
    let tokens = idp.asks_for_itself(client, &[("scope", "openid profile api.access")]).await.json();
    assert_eq!(tokens["scope"], "api.access");
    is_challenged(&idp.userinfo(text(&tokens, "access_token")).await, 403, "insufficient_scope");
}

#[actix_web::test]
async fn only_clients_that_are_registered_for_it_ask_for_themselves_and_those_for_nobody_else() {
    let idp = Idp::start();
    for client in [("client1", "client1-secret"), CLIENT2, API] {
        let refused = idp.asks_for_itself(client, &[]).await;
        assert_eq!((refused.status, refused.error().as_str()), (400, "unauthorized_client"), "{client:?}");
    }
    let refused = idp.asks_for_itself((SERVICE.0, "wrong"), &[]).await;
    assert_eq!((refused.status, refused.error().as_str()), (401, "invalid_client"));
    for grant_type in ["authorization_code", "refresh_token"] {
        let fields = [("grant_type", grant_type), ("code", "x"), ("refresh_token", "x")];
        assert_eq!(idp.token_as(Some(SERVICE), &fields).await.error(), "unauthorized_client");
    }
    // Nor does it sign anybody in: it has no address to return to.
    let asked = AuthorizationRequest::new().with("client_id", SERVICE.0);
    Browser::new(&idp).opens(&asked).await.is_error_page("redirect_uri");
}

#[actix_web::test]
async fn a_client_that_may_not_use_codes_is_refused_at_the_authorization_endpoint() {
    let idp = Idp::start_with(|settings| settings.clients[0].grant_types.clear());
    let refused = Browser::new(&idp).opens(&AuthorizationRequest::new()).await.location();
    refused.is_refusal(&idp, "unauthorized_client");
}

#[actix_web::test]
async fn the_token_is_for_the_resource_that_was_asked_for() {
    let idp = Idp::start();
    let api = format!("{}/api", idp.issuer);
    let tokens = idp.asks_for_itself(SERVICE, &[("resource", &api)]).await.json();
    assert_eq!(claims(text(&tokens, "access_token"))["aud"], json!([api]));
    let refused = idp.asks_for_itself(SERVICE, &[("resource", "https://nobody.example")]).await;
    assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_target"));
}

#[actix_web::test]
async fn it_is_part_of_no_flow_and_begins_none() {
    let idp = Idp::start();
    let tokens = idp.asks_for_itself(SERVICE, &[]).await.json();
    idp.calls("/api/me", text(&tokens, "access_token")).await;
    assert!(idp.state.recorder.as_ref().unwrap().flows(10, |_| true).is_empty());
}

#[actix_web::test]
async fn i23_one_client_does_not_take_all_the_room_and_others_go_on() {
    let idp = Idp::start_with(|settings| settings.capacity = 64);
    let mut issued = 0;
    let refused = loop {
        let answer = idp.asks_for_itself(SERVICE, &[]).await;
        if answer.status != 200 {
            break answer;
        }
        issued += 1;
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, "30"));
    assert!(issued <= 32, "{issued}");
    assert_eq!(idp.redeems(&idp.code().await).await.status, 200);
}
