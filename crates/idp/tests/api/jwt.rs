//! Access tokens that are JWTs: what they say, who reads them, and what does not pass as one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::{
    api::is_challenged,
    helpers::{AuthorizationRequest, Browser, Code, DEMO, Idp, SCOPE},
    introspection::API,
    refresh::{allowed, text},
};

const JWT_CLIENT: (&str, &str) = ("client-jwt", "client-jwt-secret");

fn asked() -> AuthorizationRequest {
    AuthorizationRequest::new()
        .with("client_id", JWT_CLIENT.0)
        .with("scope", &format!("{SCOPE} offline_access"))
}

impl Idp {
    async fn jwt_tokens(&self) -> Value {
        self.jwt_tokens_for(&asked()).await
    }

    async fn jwt_tokens_for(&self, asked: &AuthorizationRequest) -> Value {
        let mut browser = Browser::new(self);
        browser.opens(asked).await;
        browser.signs_in(DEMO.0, DEMO.1).await;
        let location = allowed(&mut browser).await.location();
        self.token_as(Some(JWT_CLIENT), &Code::of(asked, &location).fields()).await.json()
    }
}

fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[actix_web::test]
async fn it_says_who_may_use_it_for_whom_where_how_far_and_how_long() {
    let idp = Idp::start();
    let tokens = idp.jwt_tokens().await;
    let token = text(&tokens, "access_token");
    let header = part(token, 0);
    let (kid, _) = &idp.state.keys.list(idp.state.clock.now()).await[0];
    assert_eq!(header, json!({ "typ": "at+jwt", "alg": "RS256", "kid": kid }));
    let mut claims = part(token, 1);
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(jti.as_str().unwrap().len(), 43);
    assert_eq!(
        claims,
        json!({
            "iss": idp.issuer, "sub": "1", "aud": [idp.issuer, format!("{}/api", idp.issuer)],
            "client_id": "client-jwt", "scope": format!("{SCOPE} offline_access"),
            "iat": 1_795_496_600, "exp": 1_795_500_200,
        })
    );
    assert_eq!(crate::exchange::payload(&tokens)["at_hash"], shared::id_token::at_hash(token));
}

#[actix_web::test]
async fn the_api_the_userinfo_endpoint_and_whoever_asks_take_it_for_what_it_is() {
    let idp = Idp::start();
    let tokens = idp.jwt_tokens().await;
    let token = text(&tokens, "access_token");
    let me = idp.calls("/api/me", token).await.json();
    assert_eq!(me, json!({ "client_id": "client-jwt", "sub": "1", "scope": tokens["scope"] }));
    assert_eq!(idp.calls("/api/notes", token).await.status, 200);
    assert_eq!(idp.userinfo(token).await.json()["name"], "Demo User");
    let told = idp.introspects(API, token).await.json();
    assert_eq!((&told["active"], &told["aud"]), (&json!(true), &part(token, 1)["aud"]));
    let fields = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    let renewed = idp.token_as(Some(JWT_CLIENT), &fields).await.json();
    assert_eq!(part(text(&renewed, "access_token"), 0)["typ"], "at+jwt");
    assert_ne!(part(text(&renewed, "access_token"), 1)["jti"], part(token, 1)["jti"]);
}

#[actix_web::test]
async fn what_was_revoked_is_known_here_and_not_where_it_is_read_until_it_ends() {
    let idp = Idp::start();
    let tokens = idp.jwt_tokens().await;
    let token = text(&tokens, "access_token");
    let fields = [("token", text(&tokens, "refresh_token"))];
    let request = crate::helpers::http().post(idp.at("/oauth/revoke")).form(&fields);
    let request = request.basic_auth(JWT_CLIENT.0, Some(JWT_CLIENT.1));
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(idp.userinfo(token).await.error(), "invalid_token");
    assert_eq!(idp.introspects(API, token).await.json(), json!({ "active": false }));
    // The API asks nobody: that is what such a token is for.
    assert_eq!(idp.calls("/api/me", token).await.status, 200);
    idp.passes(3599);
    assert_eq!(idp.calls("/api/me", token).await.status, 200);
    idp.passes(1);
    is_challenged(&idp.calls("/api/me", token).await, 401, "invalid_token");
}

#[actix_web::test]
async fn a_token_of_a_time_that_never_was_does_not_open_the_api() {
    let idp = Idp::start();
    let travels = async |how: [(&str, &str); 1]| {
        let request = crate::helpers::http().post(idp.at("/flows/steps")).form(&how);
        let request = request.basic_auth(JWT_CLIENT.0, Some(JWT_CLIENT.1));
        assert_eq!(request.send().await.unwrap().status(), 200);
    };
    for (ahead, status) in [("60", 200), ("61", 401), ("604800", 401)] {
        travels([("skip", ahead)]).await;
        let tokens = idp.jwt_tokens().await;
        let token = text(&tokens, "access_token");
        assert_eq!(idp.calls("/api/notes", token).await.status, 200, "{ahead}");
        travels([("return", "1")]).await;
        assert_eq!(idp.calls("/api/notes", token).await.status, status, "{ahead}");
    }
}

#[actix_web::test]
async fn a_token_that_is_meant_for_others_does_not_open_the_api() {
    let idp = Idp::start();
    let tokens = idp.jwt_tokens_for(&asked().and("resource", &idp.issuer)).await;
    let token = text(&tokens, "access_token");
    assert_eq!(part(token, 1)["aud"], json!([idp.issuer]));
    is_challenged(&idp.calls("/api/me", token).await, 401, "invalid_token");
    assert_eq!(idp.userinfo(token).await.status, 200);
}

#[actix_web::test]
async fn i17_an_id_token_does_not_open_the_api_and_an_access_token_is_no_id_token() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    let request = asked();
    browser.opens(&request).await;
    browser.signs_in(DEMO.0, DEMO.1).await;
    let location = allowed(&mut browser).await.location();
    let tokens = idp.token_as(Some(JWT_CLIENT), &Code::of(&request, &location).fields()).await.json();
    is_challenged(&idp.calls("/api/me", text(&tokens, "id_token")).await, 401, "invalid_token");
    let hinted = |name: &str| {
        asked().with("prompt", "none").with("scope", "openid").with("id_token_hint", text(&tokens, name))
    };
    // The user is signed in: with a hint that is none, no login will do.
    let refused = browser.opens(&hinted("access_token")).await.location();
    refused.is_refusal(&idp, "login_required");
    let refused = browser.opens(&hinted("id_token")).await.location();
    refused.is_refusal(&idp, "consent_required");
}

#[actix_web::test]
async fn i17_a_token_that_the_issuer_did_not_sign_does_not_open_the_api() {
    let idp = Idp::start();
    let tokens = idp.jwt_tokens().await;
    let token = text(&tokens, "access_token");
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let kid = &part(token, 0)["kid"];
    let published = idp.state.keys.published(idp.state.clock.now()).await;
    let with_public_key = jsonwebtoken::encode(
        &Header {
            typ: Some("at+jwt".into()),
            kid: kid.as_str().map(Into::into),
            ..Header::new(Algorithm::HS256)
        },
        &part(token, 1),
        &EncodingKey::from_secret(&published),
    );
    let mut admin = part(token, 1);
    admin["sub"] = json!("2");
    let with_header = |header: Value| format!("{}.{payload}.{signature}", encoded(&header));
    for forged in [
        format!("{header}.{}.{signature}", encoded(&admin)),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.x"),
        format!("{header}.{payload}.{}", &signature[..signature.len() - 4]),
        with_public_key.unwrap(),
        with_header(json!({ "typ": "at+jwt", "alg": "none" })),
        with_header(json!({ "typ": "at+jwt", "alg": "ES256", "kid": kid })),
        with_header(json!({ "typ": "JWT", "alg": "RS256", "kid": kid })),
        with_header(json!({ "alg": "RS256", "kid": kid })),
        with_header(json!({ "typ": "at+jwt", "alg": "RS256" })),
        with_header(json!({ "typ": "at+jwt", "alg": "RS256", "kid": "../../etc/passwd" })),
        with_header(json!({ "typ": "at+jwt", "alg": "RS256", "kid": kid, "crit": ["x"], "x": 1 })),
        with_header(json!({ "typ": "at+jwt", "alg": "RS256", "kid": kid, "jku": "http://127.0.0.1:9/" })),
        "..".to_owned(),
        ".".repeat(100),
    ] {
        is_challenged(&idp.calls("/api/me", &forged).await, 401, "invalid_token");
        assert_eq!(idp.userinfo(&forged).await.error(), "invalid_token", "{forged}");
    }
    // Another provider has the same names, and other keys.
    let other = Idp::start();
    let foreign = other.jwt_tokens().await;
    is_challenged(&idp.calls("/api/me", text(&foreign, "access_token")).await, 401, "invalid_token");
}

#[actix_web::test]
async fn the_algorithm_is_the_one_that_the_provider_signs_with() {
    for alg in idp::keys::KeyAlg::ALL {
        let idp = Idp::start_with(|settings| settings.signing_alg = alg);
        let tokens = idp.jwt_tokens().await;
        let token = text(&tokens, "access_token");
        assert_eq!(part(token, 0)["alg"], alg.as_str());
        assert_eq!(idp.calls("/api/me", token).await.status, 200, "{alg}");
    }
}
