//! Redirect URIs: the first line is registered, the second is presented in step 2. What is let through is byte for byte what was
//! registered, and an answer that is sent there arrives there, whole.
#![no_main]

use std::sync::LazyLock;

use idp::{
    demo,
    domain::{client::Client, redirect_uri::RedirectUri},
};
use libfuzzer_sys::fuzz_target;
use shared::{
    authorize::{self, AuthorizationResponse},
    ids::Issuer,
    secret::Secret,
};
use url::Url;

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let at_home = RedirectUri::parse("http://127.0.0.1:5002/auth").unwrap();
    demo::clients(&at_home).remove(0)
});

fuzz_target!(|lines: &[u8]| {
    let text = String::from_utf8_lossy(lines);
    let (registered, presented) = text.split_once('\n').unwrap_or((&text, &text));
    let Ok(uri) = RedirectUri::parse(registered) else { return };
    assert_eq!(uri.as_str(), registered);

    let mut client = CLIENT.clone();
    client.redirect_uris.push(uri);
    let found = client.redirect_uri(presented).map(RedirectUri::as_str);
    let expected =
        [CLIENT.redirect_uris[0].as_str(), registered].into_iter().find(|known| *known == presented);
    assert_eq!(found, expected);

    // RFC 6749 §3.1.2: the registered query is kept, the answer stands behind it.
    let response = AuthorizationResponse::Code(Secret::new("code_1"));
    let sent = response.params(Some(presented), &Issuer::new("https://op.example"));
    let location = authorize::location(registered, &sent);
    let (there, arrived) = (Url::parse(registered).unwrap(), Url::parse(&location).unwrap());
    assert_eq!((there.origin(), there.path()), (arrived.origin(), arrived.path()));
    assert_eq!(arrived.fragment(), None);
    let own: Vec<_> = there.query_pairs().collect();
    let all: Vec<_> = arrived.query_pairs().collect();
    assert_eq!(all[..own.len()], own);
    let answer: Vec<_> =
        all[own.len()..].iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    assert_eq!(answer, [("code", "code_1"), ("state", presented), ("iss", "https://op.example")]);
});
