//! Before the flow: the provider describes itself.

use serde_json::{Value, json};

use crate::client_auth::Ways;
use crate::helpers::{Answer, AuthorizationRequest, Browser, CLIENT2, Code, Idp, http};

async fn get(idp: &Idp, path: &str) -> Answer {
    Answer::of(http().get(idp.at(path))).await
}

#[actix_web::test]
async fn the_issuer_is_the_address_of_the_document_without_its_well_known_part() {
    let idp = Idp::start();
    let document = get(&idp, "/.well-known/openid-configuration").await;
    assert_eq!((document.status, document.header("content-type")), (200, "application/json"));
    assert_eq!(document.json()["issuer"], json!(idp.issuer));
}

#[actix_web::test]
async fn oauth_clients_find_the_same_document_under_their_own_name() {
    let idp = Idp::start();
    let openid = get(&idp, "/.well-known/openid-configuration").await.json();
    assert_eq!(get(&idp, "/.well-known/oauth-authorization-server").await.json(), openid);
}

#[actix_web::test]
async fn an_issuer_with_a_path_has_everything_below_it() {
    let idp = Idp::start_with(|settings| {
        let issuer = format!("{}/op", settings.origin.as_str());
        settings.origin = web::origin::Origin::parse(&issuer, false).unwrap();
    });
    let document = get(&idp, "/.well-known/openid-configuration").await.json();
    for (member, endpoint) in document.as_object().unwrap() {
        if member.ends_with("_endpoint") || member == "jwks_uri" {
            assert!(endpoint.as_str().unwrap().starts_with(&idp.issuer), "{member}");
        }
    }
    // RFC 8414 §3.1: here the well-known part stands before the path.
    let root = idp.issuer.trim_end_matches("/op");
    let other = Answer::of(http().get(format!("{root}/.well-known/oauth-authorization-server/op"))).await;
    assert_eq!(other.json(), document);
    assert_eq!(idp.redeems(&idp.code().await).await.status, 200);
}

#[actix_web::test]
async fn what_is_listed_works_and_nothing_else_is_listed() {
    let idp = Idp::start();
    let document = get(&idp, "/.well-known/openid-configuration").await.json();
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert_eq!(
        document["grant_types_supported"],
        json!(["authorization_code", "refresh_token", "client_credentials"])
    );
    let algs = json!(["RS256", "ES256", "EdDSA", "HS256"]);
    assert_eq!(document["id_token_signing_alg_values_supported"], algs);
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = &document[format!("{endpoint}_endpoint_auth_methods_supported")];
        let every =
            ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];
        // Nobody learns about tokens with a name alone.
        let possible = if endpoint == "introspection" { &every[..4] } else { &every[..] };
        assert_eq!(methods, &json!(possible), "{endpoint}");
        let algs = &document[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
        assert_eq!(algs, &json!(["HS256", "RS256", "PS256", "ES256", "EdDSA"]), "{endpoint}");
    }
    assert_eq!(document["pushed_authorization_request_endpoint"], json!(idp.at("/oauth/par")));
    assert_eq!(document["request_parameter_supported"], true);
    assert_eq!(document["request_uri_parameter_supported"], false, "but for what was pushed");
    let algs = json!(["HS256", "RS256", "PS256", "ES256", "EdDSA"]);
    assert_eq!(document["request_object_signing_alg_values_supported"], algs);
    for nobody_must in ["require_pushed_authorization_requests", "require_signed_request_object"] {
        assert_eq!(document[nobody_must], false, "{nobody_must}");
    }
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["prompt_values_supported"], json!(["none", "login", "consent", "select_account"]));
    assert_eq!(document["claims_parameter_supported"], true);
    // The claims of a real login of somebody of whom everything is known are the listed ones.
    let tokens = tokens_of_alice(&idp).await;
    let userinfo = idp.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    let payload = crate::exchange::payload(&tokens);
    assert_eq!(document["acr_values_supported"], json!([payload["acr"]]));
    let claims = userinfo.as_object().unwrap().keys().chain(payload.as_object().unwrap().keys());
    let mut seen: Vec<_> = claims.map(String::as_str).collect();
    seen.sort_unstable();
    seen.dedup();
    let mut listed: Vec<_> =
        document["claims_supported"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    listed.sort_unstable();
    assert_eq!(seen, listed);
}

#[actix_web::test]
async fn every_endpoint_grant_scope_and_way_to_authenticate_that_is_listed_works() {
    let idp = Idp::start();
    let document = get(&idp, "/.well-known/openid-configuration").await.json();
    let listed = |name: &str| -> Vec<String> {
        document[name].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    // A request without credentials shows that there is an endpoint, and what it is.
    for (name, path) in [
        ("token_endpoint", "/oauth/token"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("introspection_endpoint", "/oauth/introspect"),
    ] {
        assert_eq!(document[name], json!(idp.at(path)));
        let answer = Answer::of(http().post(idp.at(path))).await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{name}");
    }
    // Each grant gets as far as what is exchanged, for a client that is registered for it, and none that is not listed.
    let tokens = idp.offline_tokens().await;
    let code = idp.code().await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let (own, service) = (Some(("client1", "client1-secret")), Some(("service", "service-secret")));
    for (grant_type, client, fields) in [
        ("authorization_code", own, code.fields()),
        ("refresh_token", own, vec![("refresh_token", refresh_token)]),
        ("client_credentials", service, vec![]),
    ] {
        assert!(listed("grant_types_supported").contains(&grant_type.to_owned()));
        let fields: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "grant_type").collect();
        let answer = idp.token_as(client, &[&[("grant_type", grant_type)], &fields[..]].concat()).await;
        assert_eq!(answer.status, 200, "{grant_type}: {answer:?}");
    }
    assert_eq!(listed("grant_types_supported").len(), 3);
    assert!(listed("scopes_supported").contains(&"offline_access".to_owned()));
    assert!(tokens["scope"].as_str().unwrap().contains("offline_access"));
    // Each way to authenticate, at each of them.
    let ways = Ways::start();
    for endpoint in ["token", "revocation", "introspection"] {
        let address = document[format!("{endpoint}_endpoint")].as_str().unwrap();
        let path = address.trim_start_matches(&idp.issuer);
        for method in listed(&format!("{endpoint}_endpoint_auth_methods_supported")) {
            for alg in listed(&format!("{endpoint}_endpoint_auth_signing_alg_values_supported")) {
                let answer = ways.ask(path, &method, &alg).await;
                assert!(answer.is_none_or(|answer| answer.status == 200), "{endpoint} {method} {alg}");
            }
        }
    }
}

#[actix_web::test]
async fn what_nobody_is_registered_for_is_not_listed() {
    let idp = Idp::start_with(|settings| {
        settings.clients.truncate(1);
        settings.clients[0].grant_types.truncate(1);
        settings.clients[0].scope = shared::scope::Scope::parse("openid").unwrap();
        settings.registration = None;
    });
    let document = get(&idp, "/.well-known/openid-configuration").await.json();
    assert_eq!(document["grant_types_supported"], json!(["authorization_code"]));
    assert_eq!(document["scopes_supported"], json!(["openid"]));
}

/// Of a login in which everything is asked for that can be.
async fn tokens_of_alice(idp: &Idp) -> Value {
    let asked = AuthorizationRequest::of_client2()
        .with("scope", "openid profile email address phone")
        .with("acr_values", "whatever");
    let mut browser = Browser::new(idp);
    browser.opens(&asked).await;
    browser.signs_in("alice", "AliceTest2024!").await;
    let ticked = ["profile", "email", "address", "phone"].map(|value| ("scope", value));
    let location = browser.submits(&[&[("decision", "allow")], &ticked[..]].concat()).await.location();
    let code = Code::of(&asked, &location);
    idp.token_as(Some(CLIENT2), &code.fields()).await.json()
}

/// What a browser asks before a script of another site may read `path`.
fn preflight(idp: &Idp, path: &str, method: &str) -> reqwest::RequestBuilder {
    http()
        .request(reqwest::Method::OPTIONS, idp.at(path))
        .header("origin", "https://spa.example")
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "x-requested-with")
}

#[actix_web::test]
async fn i16_scripts_of_any_site_may_read_discovery_and_keys() {
    let idp = Idp::start();
    for path in
        ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/oauth/jwks"]
    {
        let asked = Answer::of(preflight(&idp, path, "GET")).await;
        assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, "*"), "{path}");
        assert_eq!(asked.header("access-control-allow-methods"), "GET");
        assert_eq!(asked.header("access-control-allow-headers"), "*");
        let with_origin = http().get(idp.at(path)).header("origin", "https://spa.example");
        for request in [with_origin, http().get(idp.at(path)), http().head(idp.at(path))] {
            let read = Answer::of(request).await;
            assert_eq!((read.status, read.header("access-control-allow-origin")), (200, "*"), "{path}");
            assert_eq!(read.header("cross-origin-resource-policy"), "cross-origin");
            assert_eq!(read.header("access-control-allow-credentials"), "");
        }
    }
}

#[actix_web::test]
async fn i16_nothing_else_is_open_to_scripts_of_other_sites() {
    let idp = Idp::start();
    let mut browser = crate::helpers::Browser::new(&idp);
    browser.opens(&crate::helpers::AuthorizationRequest::new()).await;
    let login = browser.page.trim_start_matches(&idp.issuer).to_owned();
    for path in [
        "/oauth/authorize",
        &login,
        "/account/x",
        "/consent/x",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/introspect",
        "/oauth/userinfo",
        "/oauth/logout",
        "/logout",
        "/",
        "/health",
        "/nowhere",
    ] {
        let refused = Answer::of(preflight(&idp, path, "POST")).await;
        assert!([404, 405].contains(&refused.status), "{path}: {}", refused.status);
        let methods = [http().get(idp.at(path)), http().post(idp.at(path))];
        let methods = methods.map(|request| Answer::of(request.header("origin", "https://spa.example")));
        let answers = futures_util::future::join_all(methods).await;
        for answer in answers.into_iter().chain([refused]) {
            let opened = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
            assert_eq!(opened, None, "{path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        }
    }
}
