//! The `Cookie` header of a login page (step 3), sent to the real provider. Cookies ignore ports, so anything may stand in it:
//! no foreign cookie opens the page, and none keeps the visitor from theirs.
#![no_main]

use std::sync::LazyLock;

use bench::login::CLIENT1;
use fuzz::server::Server;
use libfuzzer_sys::fuzz_target;
use url::form_urlencoded;

const OURS: &str = "idp_browser=the-browser-of-the-fuzzer";

static IDP: LazyLock<Server> = LazyLock::new(Server::start);

fuzz_target!(|cookies: &[u8]| {
    // These would end the header, or are refused before anybody looks at it.
    if cookies.iter().any(u8::is_ascii_control) {
        return;
    }
    let asked =
        IDP.get(CLIENT1.authorization_request().as_bytes(), &[format!("Cookie: {OURS}\r\n").as_bytes()]);
    let login_page = asked.header("location").unwrap().strip_prefix(&IDP.issuer).unwrap();
    let page =
        |ours: &str| IDP.get(login_page.as_bytes(), &[b"Cookie: ", cookies, ours.as_bytes(), b"\r\n"]).status;
    // Names and values may be percent-encoded.
    let decoded: Vec<_> = form_urlencoded::parse(cookies).flat_map(|(name, value)| [name, value]).collect();
    let mentions = |word| decoded.iter().any(|part| part.contains(word));
    if !mentions("the-browser-of-the-fuzzer") {
        assert_eq!(page(""), 403, "{decoded:?}");
    }
    if !mentions("idp_browser") {
        assert_eq!(page(&format!("; {OURS}")), 200, "{decoded:?}");
    }
});
