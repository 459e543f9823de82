//! A client assertion whose header and claims, one line each, are the input, and which the client itself signed: `ISSUER`,
//! `SOON` and `NEW` in the input stand for the provider, a time a minute ahead and a `jti` that never was. The provider
//! takes it only when it says what it must, and only once; that is found out by another reader.
#![no_main]

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bench::login::form;
use fuzz::server::Server;
use idp::http::client_assertion::TYPE;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The demo's client that authenticates with `client_secret_jwt`.
const CLIENT: &str = "client-secret-jwt";
const SECRET: &[u8] = b"client-secret-jwt-secret-of-32-bytes-or-more";
/// Clocks may differ by so many seconds.
const SKEW: f64 = 60.0;
const LONGEST: f64 = 3600.0;

static IDP: LazyLock<Server> = LazyLock::new(Server::start);
static NUMBER: AtomicU64 = AtomicU64::new(0);

fuzz_target!(|lines: &[u8]| {
    let Ok(lines) = std::str::from_utf8(lines) else { return };
    let now = IDP.now();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let lines = lines
        .replace("ISSUER", &IDP.issuer)
        .replace("SOON", &(now + 60).to_string())
        .replace("NEW", &format!("number {number}"));
    let Some((header, claims)) = lines.split_once('\n') else { return };
    let assertion = signed(header, claims);
    let form = form(&[
        ("token", "none that there is"),
        ("client_assertion_type", TYPE),
        ("client_assertion", &assertion),
    ]);
    let shown = || IDP.post("/oauth/revoke", &[], form.as_bytes());
    let answer = shown();
    if answer.status != 200 {
        assert!(matches!(answer.status, 400 | 401), "{}", answer.head);
        let error: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(error["error"].is_string(), "{error}");
        return;
    }
    let [header, claims] = [header, claims].map(|json| serde_json::from_str::<Value>(json).unwrap());
    assert_eq!(header["alg"], "HS256");
    assert!(header.get("crit").is_none());
    assert_eq!((&claims["iss"], &claims["sub"]), (&CLIENT.into(), &CLIENT.into()));
    let ours = ["", "/oauth/token", "/oauth/revoke"].map(|path| Value::from(format!("{}{path}", IDP.issuer)));
    let audience = claims["aud"].as_array().map_or(vec![&claims["aud"]], |several| several.iter().collect());
    assert!(audience.iter().any(|one| ours.contains(one)));
    let now = f64::from(u32::try_from(now).unwrap());
    let expires = claims["exp"].as_f64().unwrap();
    assert!(now < expires + SKEW && expires < now + LONGEST + SKEW + 1.0);
    for begun in ["nbf", "iat"] {
        assert!(claims.get(begun).is_none_or(|it| it.is_null() || it.as_f64().unwrap() < now + SKEW + 1.0));
    }
    assert!(claims["jti"].is_string());
    assert_eq!(shown().status, 401, "an assertion works once");
});

fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
