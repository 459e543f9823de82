//! The form of the token request (step 8), sent to the real provider by an authenticated client that has a good code: `CODE`
//! in the input stands for it. Only the one right form opens it, and only once. What is read at all is read as the URL
//! standard reads it.
#![no_main]

use std::sync::LazyLock;

use bench::login::{CLIENT2, VERIFIER};
use fuzz::server::Server;
use libfuzzer_sys::fuzz_target;
use shared::params::Params;
use url::form_urlencoded;

static IDP: LazyLock<Server> = LazyLock::new(Server::start);

fuzz_target!(|form: &[u8]| {
    let standard: Vec<_> = form_urlencoded::parse(form).collect();
    if let Ok(params) = Params::parse_with_repeats(form) {
        assert!(params.iter().eq(standard.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))));
        assert_eq!(Params::parse_with_repeats(params.encode().as_bytes()).unwrap(), params);
    }

    let code = IDP.code();
    let form = with(form, &code);
    let authorization = format!("Authorization: {}\r\n", CLIENT2.credentials);
    let redeemed = || IDP.post("/oauth/token", &[authorization.as_bytes()], &form);
    let answer = redeemed();
    if answer.status != 200 {
        let error: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(error["error"].is_string(), "{error}");
        return;
    }
    let standard: Vec<_> = form_urlencoded::parse(&form).collect();
    let the_one = |name: &str| {
        let mut values = standard.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_ref());
        values.next().filter(|_| values.next().is_none())
    };
    assert_eq!(the_one("grant_type"), Some("authorization_code"));
    assert_eq!(the_one("code"), Some(code.as_str()));
    assert_eq!(the_one("redirect_uri"), Some(CLIENT2.redirect_uri));
    assert_eq!(the_one("code_verifier"), Some(VERIFIER));
    assert_eq!(redeemed().status, 400, "a code works once");
});

/// The form with the code where its name stands.
fn with(form: &[u8], code: &str) -> Vec<u8> {
    match form.windows(4).position(|word| word == b"CODE") {
        Some(at) => [&form[..at], code.as_bytes(), &form[at + 4..]].concat(),
        None => form.to_vec(),
    }
}
