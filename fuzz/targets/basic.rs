//! The `Authorization` header of the token request (step 8), sent to the real provider. Nothing opens a good code but the
//! name and the secret of its client, whatever the way in which they are written.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bench::login::CLIENT2;
use fuzz::server::Server;
use libfuzzer_sys::fuzz_target;
use url::form_urlencoded;

static IDP: LazyLock<Server> = LazyLock::new(Server::start);

fuzz_target!(|header: &[u8]| {
    // These would end the header, or are refused before anybody looks at it.
    if header.iter().any(u8::is_ascii_control) {
        return;
    }
    let form = CLIENT2.token_request(&IDP.code());
    let answer = IDP.post("/oauth/token", &[b"Authorization: ", header, b"\r\n"], form.as_bytes());
    match answer.status {
        200 => assert_eq!(credentials(header).as_deref(), Some("client2:client2-secret")),
        401 => assert!(answer.header("www-authenticate").is_some(), "{}", answer.head),
        status => assert_eq!(status, 400),
    }
});

/// RFC 7617 §2, RFC 6749 §2.3.1, read by somebody else.
fn credentials(header: &[u8]) -> Option<String> {
    let (scheme, encoded) = std::str::from_utf8(header).ok()?.trim().split_once(' ')?;
    let joined = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let escaped = joined.replace('&', "%26").replace('=', "%3D");
    let pair = format!("x={escaped}");
    let (_, decoded) = form_urlencoded::parse(pair.as_bytes()).next()?;
    scheme.eq_ignore_ascii_case("basic").then(|| decoded.into_owned())
}
