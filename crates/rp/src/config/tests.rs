//! What becomes of the settings that are given, and what is said of those that are wrong.

use super::*;

fn given(arguments: &[&str]) -> Result<Settings, String> {
    let line = [&["rp"], arguments].concat();
    let arguments = Arguments::try_parse_from(line).map_err(|error| error.to_string())?;
    Settings::try_from(arguments)
}

#[test]
fn flows_are_recorded_only_while_everything_is_on_this_computer() {
    let records = |flags: &[&str]| given(flags).unwrap().record;
    let elsewhere = ["--base-url", "https://rp.example"];
    assert!(records(&[]));
    assert!(!records(&elsewhere));
    assert!(!records(&["--issuer", "https://op.example"]));
    assert!(records(&[&elsewhere[..], &["--record", "on"]].concat()));
    assert!(!records(&["--record", "off"]));
}

#[test]
fn the_secret_does_not_show_itself() {
    let arguments = Arguments::parse_from(["rp", "--client-secret", "sesame"]);
    assert!(!format!("{arguments:?}").contains("sesame"));
    let settings = Settings::try_from(arguments).unwrap();
    assert_eq!(settings.client.secret.as_ref().unwrap().expose(), "sesame");
    assert!(!format!("{settings:?}").contains("sesame"));
}

#[test]
fn without_any_setting_it_is_the_tutorials_client() {
    let settings = given(&[]).unwrap();
    assert_eq!(settings.redirect_uri(), "http://127.0.0.1:5002/auth");
    assert_eq!(settings.post_logout_redirect_uri(), "http://127.0.0.1:5002/logout/done");
    assert_eq!(settings.issuer.as_str(), "http://127.0.0.1:5001");
    assert_eq!(settings.client.id.as_str(), "client1");
    assert_eq!(settings.scope.to_string(), "openid profile email api.access rp.login");
}

#[test]
fn in_a_container_the_browsers_address_is_not_the_bound_one() {
    let settings = given(&["--bind", "0.0.0.0:5002"]).unwrap();
    assert_eq!(settings.base_url.as_str(), "http://127.0.0.1:5002");
}

#[test]
fn a_foreign_issuer_keeps_its_slash() {
    let settings = given(&["--issuer", "https://tenant.example/"]).unwrap();
    assert_eq!(settings.issuer.as_str(), "https://tenant.example/");
}

#[test]
fn every_mistake_is_one_sentence_that_names_the_setting() {
    let mistakes: [(&[&str], &str); 18] = [
        (&["--issuer", "op.example"], "RP_ISSUER"),
        (&["--issuer", "http://op.example"], "use https"),
        (&["--issuer", "https://op.example?x=1"], "RP_ISSUER"),
        (&["--issuer", "javascript:alert(1)"], "RP_ISSUER"),
        (&["--base-url", "http://127.0.0.1:5002/"], "RP_BASE_URL"),
        (&["--bind", "192.0.2.1:5002"], "RP_BASE_URL"),
        (&["--scope", "profile"], "RP_SCOPE must contain openid"),
        (&["--client-id", ""], "RP_CLIENT_ID"),
        (&["--session-cookie", "rp_attempt_x"], "RP_SESSION_COOKIE"),
        (&["--id-token-signed-response-alg", "none"], "possible values: RS256, PS256, ES256, EdDSA, HS256"),
        (&["--id-token-signed-response-alg", "HS256"], "RP_CLIENT_SECRET is too short"),
        (&["--token-endpoint-auth-method", "tls_client_auth"], "possible values: client_secret_basic"),
        (&["--token-endpoint-auth-method", "client_secret_jwt"], "RP_CLIENT_SECRET is too short"),
        (&["--token-endpoint-auth-method", "none", "--client-secret", "x"], "RP_CLIENT_SECRET is of no use"),
        (&["--token-endpoint-auth-signing-alg", "HS256"], "RP_TOKEN_ENDPOINT_AUTH_SIGNING_ALG"),
        (&["--client-key", "/no/such/key.pem"], "RP_CLIENT_KEY names /no/such/key.pem"),
        (&["--client-key", "Cargo.toml"], "holds no private key for ES256"),
        (&["--response-mode", "fragment"], "possible values: query, form_post"),
    ];
    for (arguments, expected) in mistakes {
        let sentence = given(arguments).unwrap_err();
        assert!(sentence.contains(expected), "{arguments:?}: {sentence}");
        // What clap says becomes one sentence where the program reads its arguments.
        assert!(!sentence.contains('\n') || sentence.starts_with("error: "), "{arguments:?}: {sentence}");
    }
}

#[test]
fn r6_the_key_of_hs256_has_as_many_bytes_as_its_hash() {
    let with =
        |secret: &str| given(&["--id-token-signed-response-alg", "HS256", "--client-secret", secret]).is_ok();
    assert!(with(&"s".repeat(32)) && with(&"秘".repeat(11)));
    assert!(!with(&"s".repeat(31)) && !with(&"秘".repeat(10)));
}

#[test]
fn the_page_of_the_public_client_is_there_in_the_demo_or_when_it_is_named() {
    let script = |flags: &[&str]| given(flags).unwrap().spa_client_id.map(|id| id.as_str().to_owned());
    let own = ["--client-secret", "s3cret"];
    assert_eq!(script(&[]).as_deref(), Some("client-public"));
    assert_eq!(script(&own), None);
    assert_eq!(script(&["--issuer", "https://op.example"]), None);
    assert_eq!(script(&[&own[..], &["--spa-client-id", "mine"]].concat()).as_deref(), Some("mine"));
    assert_eq!(script(&["--spa-client-id", ""]), None);
}

#[test]
fn http_outside_this_computer_must_be_asked_for() {
    assert!(given(&["--issuer", "http://op.example", "--allow-http"]).is_ok());
}
