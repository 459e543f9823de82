//! The query of the authorization request (step 2), sent to the real provider. Wherever it leads the browser: to a page
//! of its own, or to a redirect URI that is registered for the client that asks, and there with its issuer.
#![no_main]

use std::sync::LazyLock;

use fuzz::server::Server;
use libfuzzer_sys::fuzz_target;
use shared::{params::Params, response_mode::FormPost};
use url::form_urlencoded;

static IDP: LazyLock<Server> = LazyLock::new(Server::start);

fuzz_target!(|query: &[u8]| {
    // These would end the request target.
    if query.iter().any(|byte| byte.is_ascii_control() || matches!(byte, b' ' | b'#')) {
        return;
    }
    let answer = IDP.get(&[b"/oauth/authorize?", query].concat(), &[]);
    let form = FormPost::read(&String::from_utf8_lossy(&answer.body));
    let location = answer.header("location");
    if location.is_none() && form.is_none() {
        assert!((400..500).contains(&answer.status), "{}", answer.head);
        return;
    }
    assert_eq!(answer.status, if form.is_some() { 200 } else { 303 });

    // What the URL standard's reader makes of the query, which is not the provider's own.
    // A parameter that stands twice has no value, be one of the two empty (RFC 6749 §3.1).
    let asked: Vec<_> = form_urlencoded::parse(query).collect();
    let the_one = |name: &str| {
        let mut values = asked.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_ref());
        values.next().filter(|value| values.next().is_none() && !value.is_empty())
    };
    let client =
        IDP.state.settings.clients.iter().find(|client| Some(client.id.as_str()) == the_one("client_id"));
    let client = client.expect("whoever is led on has named one client");
    let redirect_uri = the_one("redirect_uri").expect("and one redirect URI");
    assert!(client.redirect_uris.iter().any(|registered| registered.as_str() == redirect_uri));

    if location.is_some_and(|location| location.starts_with(&format!("{}/", IDP.issuer))) {
        assert_eq!(the_one("response_type"), Some("code"));
        assert!(!client.require_pkce || the_one("code_challenge_method") == Some("S256"));
        return;
    }
    assert!(form.is_none() || the_one("response_mode") == Some("form_post"));
    let response = match (form, location) {
        (Some(form), _) => {
            assert_eq!(form.action, redirect_uri);
            form.params
        }
        (None, location) => {
            let query = location.and_then(|to| to.strip_prefix(redirect_uri)?.strip_prefix('?')).unwrap();
            Params::parse(query.as_bytes(), &[]).unwrap()
        }
    };
    assert_eq!(response.get("iss"), Some(IDP.issuer.as_str()));
    assert_eq!(response.get("state"), the_one("state"));
    assert!(response.get("error").is_some() && response.get("code").is_none());
});
