//! Which claims are said, and where: scopes, the `claims` parameter, `acr`.

use serde_json::{Value, json};

use crate::helpers::{AuthorizationRequest, Browser, CLIENT2, Code, DEMO, Idp, id_token_of, signed_in};

/// The ID token and the userinfo of a login of alice, who allowed everything that was asked for.
async fn login(idp: &Idp, asked: &AuthorizationRequest, ticked: &[(&str, &str)]) -> (Value, Value) {
    let mut browser = Browser::new(idp);
    browser.opens(asked).await;
    if browser.signs_in("alice", "AliceTest2024!").await.location.is_none() {
        browser.submits(&[&[("decision", "allow")], ticked].concat()).await;
    }
    let code = Code::of(asked, &browser.shown.location());
    let tokens = idp.token_as(Some(CLIENT2), &code.fields()).await.json();
    let userinfo = idp.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    (crate::exchange::payload(&tokens), userinfo)
}

fn asked(claims: &Value) -> AuthorizationRequest {
    AuthorizationRequest::of_client2().with("scope", "openid").with("claims", &claims.to_string())
}

#[actix_web::test]
async fn a_claim_is_asked_for_by_name_and_said_where_it_was_asked_for() {
    let idp = Idp::start();
    let claims = json!({ "userinfo": { "name": { "essential": true } }, "id_token": { "nickname": null } });
    let ticked = [("claim", "name"), ("claim", "nickname")];
    let (id_token, userinfo) = login(&idp, &asked(&claims), &ticked).await;
    assert_eq!(userinfo, json!({ "sub": "2", "name": "Alice Mary Example" }));
    assert_eq!((&id_token["nickname"], id_token.get("name")), (&json!("Ali"), None));
}

#[actix_web::test]
async fn a_claim_that_the_user_unticks_is_not_said() {
    let idp = Idp::start();
    let claims = json!({ "userinfo": { "name": null, "nickname": null } });
    let (_, userinfo) = login(&idp, &asked(&claims), &[("claim", "nickname")]).await;
    assert_eq!(userinfo, json!({ "sub": "2", "nickname": "Ali" }));
}

#[actix_web::test]
async fn a_claim_that_no_scope_of_the_client_opens_is_not_said() {
    let idp = Idp::start();
    // `client1` may not ask for the telephone number by scope, so not by name either.
    let claims = json!({ "userinfo": { "phone_number": null } }).to_string();
    let asked = AuthorizationRequest::new().with("scope", "openid").with("claims", &claims);
    let mut browser = Browser::new(&idp);
    browser.opens(&asked).await;
    let page = browser.signs_in("alice", "AliceTest2024!").await;
    assert!(!page.body.contains("phone_number"), "{}", page.body);
}

#[actix_web::test]
async fn acr_says_what_happened_and_only_when_somebody_asks() {
    let idp = Idp::start();
    let acr = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";
    let plain = AuthorizationRequest::of_client2().with("scope", "openid");
    assert_eq!(login(&idp, &plain, &[]).await.0.get("acr"), None);
    let wished = AuthorizationRequest::of_client2().with("scope", "openid").with("acr_values", "gold silver");
    assert_eq!(login(&idp, &wished, &[]).await.0["acr"], acr);
    let essential = json!({ "id_token": { "acr": { "essential": true, "values": ["gold", acr] } } });
    assert_eq!(login(&idp, &asked(&essential), &[]).await.0["acr"], acr);
}

#[actix_web::test]
async fn an_essential_acr_out_of_reach_is_a_failed_login() {
    let idp = Idp::start();
    let claims = json!({ "id_token": { "acr": { "essential": true, "value": "gold" } } });
    let location = Browser::new(&idp).opens(&asked(&claims)).await.location();
    location.is_refusal(&idp, "unmet_authentication_requirements");
}

#[actix_web::test]
async fn an_answer_about_another_user_than_the_one_asked_for_is_no_answer() {
    let idp = Idp::start();
    let asked = asked(&json!({ "id_token": { "sub": { "value": "2" } } }));
    let mut browser = Browser::new(&idp);
    let page = browser.opens(&asked).await;
    // I11: whoever asks for a number does not learn whose it is.
    assert!(!page.body.contains(r#"value="alice""#), "{}", page.body);
    browser.signs_in("demo", "DemoTest2024!").await.location().is_refusal(&idp, "login_required");
    let (id_token, _) = login(&idp, &asked, &[]).await;
    assert_eq!(id_token["sub"], "2");
}

#[actix_web::test]
async fn of_several_users_that_are_asked_for_one_must_be_the_one() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let hint = id_token_of(&idp, &mut browser, "demo").await;
    let sub = |wish: Value| json!({ "id_token": { "sub": wish } });
    let contradiction =
        json!({ "userinfo": { "sub": { "value": "1" } }, "id_token": { "sub": { "value": "2" } } });
    let silent = |claims: &Value| {
        let asked = AuthorizationRequest::of_client2().with("prompt", "none");
        asked.with("claims", &claims.to_string())
    };
    let either = silent(&sub(json!({ "values": ["2", "1"] })));
    assert!(browser.opens(&either).await.location().param("code").is_some());
    for nobody in [
        silent(&sub(json!({ "values": ["2", "3"] }))),
        silent(&contradiction),
        silent(&sub(json!({ "value": "2" }))).with("id_token_hint", &hint),
    ] {
        browser.opens(&nobody).await.location().is_refusal(&idp, "login_required");
    }
}

#[actix_web::test]
async fn a_claims_parameter_that_cannot_be_read_is_invalid() {
    let idp = Idp::start();
    for bad in ["[]", "{", r#"{"userinfo":1}"#, r#"{"id_token":{"name":"x"}}"#] {
        let asked = AuthorizationRequest::of_client2().with("claims", bad);
        let location = Browser::new(&idp).opens(&asked).await.location();
        location.is_refusal(&idp, "invalid_request");
    }
}

#[actix_web::test]
async fn i23_a_request_that_names_many_users_is_refused() {
    let idp = Idp::start();
    let names = |names: Vec<String>| {
        let claims = json!({ "id_token": { "sub": { "values": names } } }).to_string();
        AuthorizationRequest::new().with("claims", &claims)
    };
    let many = names((0..17).map(|it| it.to_string()).collect());
    Browser::new(&idp).opens(&many).await.location().is_refusal(&idp, "invalid_request");
    let often = names(vec!["1".to_owned(); 500]);
    assert_eq!(Browser::new(&idp).opens(&often).await.status, 200, "it is one user, however often named");
}

#[actix_web::test]
async fn claims_in_the_id_token_are_a_matter_of_registration() {
    let idp = Idp::start_with(|settings| settings.clients[1].claims_in_id_token = true);
    let asked = AuthorizationRequest::of_client2().with("scope", "openid email");
    let (id_token, userinfo) = login(&idp, &asked, &[("scope", "email")]).await;
    assert_eq!((&id_token["email"], &userinfo["email"]), (&json!("2@example.com"), &json!("2@example.com")));
    assert_eq!(id_token.get("name"), None);
}

#[actix_web::test]
async fn everything_that_is_known_of_a_user_comes_back_in_its_form() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::of_client2().with("scope", "openid profile email address phone");
    let ticked = ["profile", "email", "address", "phone"].map(|value| ("scope", value));
    let (_, userinfo) = login(&idp, &asked, &ticked).await;
    let claims = userinfo.as_object().unwrap();
    assert_eq!(claims.len(), idp::domain::claims::STANDARD.len() + 1, "{userinfo}");
    assert!(claims.values().all(|value| !value.is_null() && value != ""), "{userinfo}");
    assert!(userinfo["updated_at"].is_number() && userinfo["address"].is_object(), "{userinfo}");
    assert!(userinfo["email_verified"].is_boolean() && userinfo["phone_number_verified"].is_boolean());
}
