//! Steps 1 and 2: what the RP sends the browser away with.

use std::collections::HashMap;

use crate::world::{Login, World};

fn params(login: &Login) -> HashMap<String, String> {
    login.request.query_pairs().into_owned().collect()
}

#[actix_web::test]
async fn the_request_is_the_tutorials_with_state_nonce_and_challenge() {
    let world = World::start();
    let login = world.begins(&mut world.browser()).await;
    let params = params(&login);
    let redirect_uri = format!("{}/auth", world.origin);
    let expected = [
        ("response_type", "code"),
        ("client_id", "client1"),
        ("redirect_uri", &redirect_uri),
        ("scope", "openid profile email api.access rp.login"),
        ("prompt", "login"),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in expected {
        assert_eq!(params[name], value, "{name}");
    }
    for fresh in ["state", "nonce", "code_challenge"] {
        assert_eq!(params[fresh].len(), 43, "{fresh}: 256 bits");
    }
    assert!(login.request.as_str().starts_with(&format!("{}/authorize?", world.provider.issuer)));
}

#[actix_web::test]
async fn a_login_here_and_now_is_not_asked_for_where_no_page_may_be_shown() {
    let world = World::start();
    for (chosen, sent) in [
        ("/login?prompt=none&max_age=0", None),
        ("/login?prompt=none&max_age=1", Some("1")),
        ("/login?prompt=login&max_age=0", Some("0")),
    ] {
        let login = Login::sent_by(&world.browser().opens(chosen).await);
        assert_eq!(params(&login).get("max_age").map(String::as_str), sent, "{chosen}");
    }
}

#[actix_web::test]
async fn what_the_user_chooses_becomes_prompt_and_changes_nothing_else() {
    let world = World::start();
    for (chosen, sent) in [
        ("/login?prompt=login", Some("login")),
        ("/login?prompt=sso", None),
        ("/login?prompt=select_account", Some("select_account")),
        ("/login?prompt=consent", Some("consent")),
        ("/login?prompt=none", Some("none")),
        ("/login?prompt=", Some("login")),
    ] {
        let mut browser = world.browser();
        let login = Login::sent_by(&browser.opens(chosen).await);
        let mut params = params(&login);
        assert_eq!(params.remove("prompt").as_deref(), sent, "{chosen}");
        let mut names: Vec<_> = params.keys().map(String::as_str).collect();
        names.sort_unstable();
        let expected = [
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "nonce",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
        ];
        assert_eq!(names, expected, "{chosen}");
        assert!(world.returns_with_code(&mut browser, &login).await.leads_to("/"), "{chosen}");
    }
}

#[actix_web::test]
async fn another_prompt_is_not_passed_on() {
    let world = World::start();
    for chosen in ["create", "SSO", "none login", "<svg onload=alert(1)>"] {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("prompt", chosen).finish();
        let answer = world.browser().opens(&format!("/login?{query}")).await;
        answer.is_problem(400, "malformed");
        assert!(answer.set_cookies.is_empty(), "no login has begun");
    }
}

#[actix_web::test]
async fn r2_every_login_has_its_own_state_nonce_and_challenge() {
    let world = World::start();
    let mut browser = world.browser();
    let (first, second) = (world.begins(&mut browser).await, world.begins(&mut browser).await);
    for fresh in ["state", "nonce", "code_challenge"] {
        assert_ne!(params(&first)[fresh], params(&second)[fresh], "{fresh}");
    }
}

#[actix_web::test]
async fn the_metadata_is_asked_for_again_when_a_login_begins_later() {
    let world = World::start();
    let mut browser = world.browser();
    world.begins(&mut browser).await;
    world.begins(&mut browser).await;
    world.provider.describes_itself(|document| {
        document["authorization_endpoint"] = format!("{}/moved", world.provider.issuer).into();
    });
    world.passes(5);
    let login = world.begins(&mut browser).await;
    assert_eq!(login.request.path(), "/moved");
    let asked = world.provider.calls("/.well-known/openid-configuration");
    assert_eq!(asked.len(), 2);
}

#[actix_web::test]
async fn r3_a_discovery_document_of_another_issuer_stops_the_login() {
    let world = World::start();
    world.provider.describes_itself(|document| document["issuer"] = "https://evil.example".into());
    let answer = world.browser().opens("/login").await;
    answer.is_problem(502, "discovery_invalid");
    answer.names_check("issuer_discovered");
    assert!(answer.set_cookies.is_empty());
}

#[actix_web::test]
async fn r11_only_a_path_of_our_own_is_gone_to_after_the_login() {
    let targets = [
        ("/reports?year=2026", "/reports?year=2026"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\/evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/login", "/"),
        ("/auth", "/"),
        ("/logout", "/"),
    ];
    let world = World::start();
    for (next, expected) in targets {
        let mut browser = world.browser();
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        let login = Login::sent_by(&browser.opens(&format!("/login?{query}")).await);
        let answer = world.returns_with_code(&mut browser, &login).await;
        assert!(answer.leads_to(expected), "{next:?}: {answer:?}");
    }
}

#[actix_web::test]
async fn a_parameter_that_stands_twice_is_refused() {
    let world = World::start();
    let answer = world.browser().opens("/login?next=/a&next=/b").await;
    answer.is_problem(400, "malformed");
}
