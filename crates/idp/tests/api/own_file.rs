//! The program with a configuration file of one's own: whoever stands in it can log in, and nothing of the demo is left.

use std::{fs, path::Path};

use clap::Parser as _;
use idp::{
    config::{Arguments, Settings, file},
    domain::password::PasswordHash,
};
use serde_json::{Value, json};
use shared::{
    clock::{Clock as _, SystemClock},
    random::SystemRandom,
    secret::Secret,
};

use crate::{
    helpers::{Answer, AuthorizationRequest, Browser, basic, http},
    process::{Running, written},
};

const CALLBACK: &str = "https://app.example/callback";
const FILE: &str = r#"
[[clients]]
client_id = "app"
client_secret = "a secret of one's own"
redirect_uris = ["https://app.example/callback"]
client_name = "Own Application"
scope = "openid profile email address phone app:read"

[[users]]
sub = "u-1"
username = "Mika"
password_hash = "HASH"
name = "Mika Example"
given_name = "Mika"
family_name = "Example"
middle_name = "M."
nickname = "Mi"
preferred_username = "mika.example"
profile = "https://people.example/mika"
picture = "https://people.example/mika.png"
website = "https://mika.example"
gender = "unspecified"
birthdate = "0000-02-29"
zoneinfo = "Europe/Berlin"
locale = "de-DE"
updated_at = 1700000000
email = "mika@people.example"
email_verified = true
phone_number = "+49 30 000000"
phone_number_verified = false
address = { street_address = "Example-Straße 1", locality = "Berlin", country = "DE" }
"#;

fn own_file() -> String {
    let hash = PasswordHash::of(&Secret::new("correct horse"), &SystemRandom).unwrap();
    FILE.replace("HASH", &hash.to_string())
}

#[actix_web::test]
async fn whoever_stands_in_the_file_logs_in_and_all_their_claims_come_back() {
    let running = Running::start(&["--config", &written("own.toml", &own_file())]).await;
    let mut browser = Browser::at(&running.issuer);
    let scope = "openid profile email address phone app:read";
    let asked = AuthorizationRequest::new().with("client_id", "app").with("redirect_uri", CALLBACK);
    let asked = asked.with("scope", scope);

    browser.opens(&asked).await;
    assert!(browser.shown.body.contains("Own Application"));
    for of_the_demo in ["demo", "Demo", "alice", "client1"] {
        assert!(!browser.shown.body.contains(of_the_demo), "{of_the_demo} is on the login page");
    }
    browser.signs_in("mika@people.example", "correct horse").await;
    // A scope value that no standard knows is shown as it is.
    for shared in ["Mika Example", "Example-Straße 1", "+49 30 000000", "app:read"] {
        assert!(browser.shown.body.contains(shared), "{shared} is not in {}", browser.shown.body);
    }
    let ticked = scope.split(' ').map(|value| ("scope", value)).chain([("decision", "allow")]);
    let decided = browser.submits(&ticked.collect::<Vec<_>>()).await;
    let code = decided.location().param("code").unwrap();

    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", asked.verifier.expose()),
    ];
    let request = http().post(format!("{}/oauth/token", running.issuer)).form(&fields);
    let tokens = Answer::of(request.header("authorization", basic("app", "a secret of one's own"))).await;
    let access_token = tokens.json()["access_token"].as_str().unwrap().to_owned();
    let request = http().get(format!("{}/oauth/userinfo", running.issuer));
    let claims = Answer::of(request.bearer_auth(access_token)).await.json();
    assert_eq!(claims, expected_claims());
}

/// OpenID Connect Core §5.1, §5.4: every claim of the four scope values.
fn expected_claims() -> Value {
    json!({
        "sub": "u-1",
        "name": "Mika Example",
        "given_name": "Mika",
        "family_name": "Example",
        "middle_name": "M.",
        "nickname": "Mi",
        "preferred_username": "mika.example",
        "profile": "https://people.example/mika",
        "picture": "https://people.example/mika.png",
        "website": "https://mika.example",
        "gender": "unspecified",
        "birthdate": "0000-02-29",
        "zoneinfo": "Europe/Berlin",
        "locale": "de-DE",
        "updated_at": 1_700_000_000,
        "email": "mika@people.example",
        "email_verified": true,
        "address": { "street_address": "Example-Straße 1", "locality": "Berlin", "country": "DE" },
        "phone_number": "+49 30 000000",
        "phone_number_verified": false,
    })
}

#[actix_web::test]
async fn nobody_of_the_demo_can_ask_or_sign_in() {
    let running = Running::start(&["--config", &written("own_only.toml", &own_file())]).await;
    let mut browser = Browser::at(&running.issuer);
    browser.opens(&AuthorizationRequest::new()).await.is_error_page("client_id");
    let asked = AuthorizationRequest::new().with("client_id", "app").with("redirect_uri", CALLBACK);
    browser.opens(&asked.with("scope", "openid")).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    assert!(browser.shown.body.contains(r#"id="failed""#), "{}", browser.shown.body);
}

#[test]
fn a_code_is_good_for_a_minute_unless_somebody_is_to_learn_from_it() {
    let file = written("minute.toml", &own_file());
    for (flags, seconds) in [
        (&["idp"][..], 600),
        (&["idp", "--config", &file], 60),
        (&["idp", "--config", &file, "--code-lifetime", "90"], 90),
    ] {
        let settings = Settings::try_from(Arguments::parse_from(flags)).unwrap();
        assert_eq!(settings.code_lifetime.as_secs(), seconds, "{flags:?}");
    }
}

#[test]
fn the_files_of_the_documentation_and_the_examples_are_fine() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |name: &str| fs::read_to_string(repository.join(name)).unwrap();
    let block = |page: String| page.split("```toml").nth(1).unwrap().split("```").next().unwrap().to_owned();
    let english = block(read("docs/own-application.md"));
    assert_eq!(english, block(read("docs/own-application.ja.md")));
    for (text, clients) in [(english, 1), (read("examples/idp.toml"), 8)] {
        let read = file::parse("idp.toml", &text, Path::new(""), SystemClock.now()).unwrap();
        assert_eq!((read.clients.len(), read.users.len()), (clients, 1));
        // The password that is written beside the hash.
        assert!(read.users[0].password.matches(&Secret::new("MikaTest2024!"), &mut Vec::new()));
    }
}

#[actix_web::test]
async fn the_keys_of_a_client_are_not_fetched_in_the_clear_from_another_computer() {
    let keys = |address: &str| {
        let members = format!("jwks_uri = \"{address}\"\ntoken_endpoint_auth_method = \"private_key_jwt\"");
        own_file().replace("client_secret = \"a secret of one's own\"", &members)
    };
    let settings = |address: &str, flags: &[&str]| {
        let path = written("keys.toml", &keys(address));
        let arguments = Arguments::parse_from([&["idp", "--config", &path], flags].concat());
        Settings::try_from(arguments).map(drop)
    };
    let mistake = settings("http://app.example/jwks", &[]).unwrap_err();
    assert!(mistake.contains("jwks_uri") && mistake.contains("use https"), "{mistake}");
    assert_eq!(settings("http://app.example/jwks", &["--allow-http"]), Ok(()));
    for good in ["https://app.example/jwks", "http://127.0.0.1:5002/jwks"] {
        assert_eq!(settings(good, &[]), Ok(()), "{good}");
    }
}
