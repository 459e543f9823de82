//! What a client says of itself when it registers (RFC 7591), sent to the real provider. What is registered is a client
//! that is safe to have, and that its own token, and nothing else, reads and deletes.
#![no_main]

use std::sync::LazyLock;

use fuzz::server::Server;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use url::Url;

static IDP: LazyLock<Server> = LazyLock::new(Server::start);

fuzz_target!(|document: &[u8]| {
    let answer = IDP.send("POST", "/oauth/register", &[], document);
    let registered: Value = serde_json::from_slice(&answer.body).unwrap();
    if answer.status != 201 {
        assert!(matches!(answer.status, 400 | 413), "{}", answer.head);
        assert!(registered["error"].is_string(), "{registered}");
        return;
    }
    let asked: Value = serde_json::from_slice(document).unwrap();
    let signs_in =
        registered["grant_types"].as_array().is_some_and(|it| it.contains(&"authorization_code".into()));
    assert_eq!(
        registered["redirect_uris"].as_array().is_some_and(|it| !it.is_empty()),
        signs_in,
        "{registered}"
    );
    for redirect_uri in registered["redirect_uris"].as_array().into_iter().flatten() {
        assert!(asked["redirect_uris"].as_array().unwrap().contains(redirect_uri));
        let url = Url::parse(redirect_uri.as_str().unwrap()).unwrap();
        assert!(url.fragment().is_none() && !matches!(url.scheme(), "javascript" | "data"), "{url}");
        assert!(url.scheme() != "http" || is_loopback(&url), "{url}");
    }
    let method = registered["token_endpoint_auth_method"].as_str().unwrap();
    assert_eq!(
        registered.get("client_secret").is_some(),
        method.starts_with("client_secret_"),
        "{registered}"
    );
    assert!(method != "none" || registered["require_pkce"] == true, "{registered}");

    let own = registered["registration_client_uri"].as_str().unwrap();
    let own = own.strip_prefix(&IDP.issuer).unwrap();
    let token = registered["registration_access_token"].as_str().unwrap();
    let shown = |method: &str, token: &str| {
        IDP.send(method, own, &[format!("Authorization: Bearer {token}\r\n").as_bytes()], b"")
    };
    assert_eq!(shown("GET", "reg_of_somebody_else").status, 401);
    let read: Value = serde_json::from_slice(&shown("GET", token).body).unwrap();
    assert_eq!(read["redirect_uris"], registered["redirect_uris"]);
    assert_eq!(shown("DELETE", token).status, 204);
    assert_eq!(shown("GET", token).status, 401);
});

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
