//! A provider on a port of its own, a browser with cookies, and a client: the words that the tests are written in.

mod answer;
mod browser;
mod provider;
mod request;

use std::net::IpAddr;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::{Client, redirect::Policy};
use shared::params;

pub use self::{
    answer::{Answer, Location},
    browser::{Browser, hint_by_secret, id_token_of, signed_in},
    provider::Idp,
    request::{AuthorizationRequest, Code},
};

/// The redirect URI of `client1`, as in the tutorial. Nothing listens there.
pub const REDIRECT_URI: &str = "http://127.0.0.1:5002/auth";
/// Everything that `client1` may ask for.
pub const SCOPE: &str = "openid profile email api.access rp.login";
/// The built-in users.
pub const DEMO: (&str, &str) = ("demo", "DemoTest2024!");
/// And the one of whom everything is known.
pub const ALICE: (&str, &str) = ("alice", "AliceTest2024!");
/// The built-in client that remembers consent.
pub const CLIENT2: (&str, &str) = ("client2", "client2-secret");
/// A client with redirect URIs that are easy to get wrong.
pub const OTHER_CLIENT: (&str, &str) = ("other:client", "other+secret/ %");

/// `Authorization: Basic`, encoded as RFC 6749 §2.3.1 says.
pub fn basic(id: &str, secret: &str) -> String {
    let joined = format!("{}:{}", params::encode(id), params::encode(secret));
    format!("Basic {}", STANDARD.encode(joined))
}

/// A part of a JWT.
pub fn base64_url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A plain HTTP client that follows nothing, and does not read the certificates of the system at every start.
pub fn http() -> Client {
    http_from([127, 0, 0, 1].into())
}

/// The same from one of the addresses of this computer.
pub fn http_from(address: IpAddr) -> Client {
    let client = Client::builder().redirect(Policy::none()).no_proxy().tls_certs_only([]);
    client.local_address(address).build().unwrap()
}
