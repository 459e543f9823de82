//! How clients prove who they are (OpenID Connect Core §9): what they sign with, and that only the registered way counts.

mod assertion;
mod keys;
mod public;
mod ways;

use std::sync::atomic::{AtomicU32, Ordering};

use idp::{
    domain::client::Client,
    keys::{KeyAlg, SigningKey},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use shared::clock::Clock as _;

pub use self::ways::Ways;
use crate::helpers::{Answer, Idp};

pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SECRET: (&str, &str) = ("client-secret-jwt", "client-secret-jwt-secret-of-32-bytes-or-more");
const PRIVATE_KEY: &str = "client-private-key";
const PUBLIC: &str = "client-public";
static NEXT_JTI: AtomicU32 = AtomicU32::new(0);

/// A key that a client signs with.
pub struct Key {
    pub alg: KeyAlg,
    pem: String,
    pub public: Value,
}

impl Key {
    pub fn new(alg: KeyAlg) -> Self {
        let pem = SigningKey::generate_pem(alg).unwrap();
        let public = serde_json::to_value(SigningKey::from_pem(alg, &pem).unwrap().public()).unwrap();
        Self { alg, pem, public }
    }

    fn kid(&self) -> &str {
        self.public["kid"].as_str().unwrap()
    }

    pub fn encoding(&self) -> EncodingKey {
        match self.alg {
            KeyAlg::Rs256 => EncodingKey::from_rsa_pem(self.pem.as_bytes()),
            KeyAlg::Es256 => EncodingKey::from_ec_pem(self.pem.as_bytes()),
            KeyAlg::EdDsa => EncodingKey::from_ed_pem(self.pem.as_bytes()),
        }
        .unwrap()
    }

    /// A header as this key signs.
    pub fn header(&self) -> Header {
        Header { kid: Some(self.kid().to_owned()), ..Header::new(self.alg.into()) }
    }

    pub fn signs(&self, claims: &Value) -> String {
        jsonwebtoken::encode(&self.header(), claims, &self.encoding()).unwrap()
    }
}

pub fn client<'a>(clients: &'a mut [Client], id: &str) -> &'a mut Client {
    clients.iter_mut().find(|client| client.id.as_str() == id).unwrap()
}

/// The claims of a good assertion, each with a `jti` of its own.
pub fn claims(idp: &Idp, client_id: &str) -> Value {
    let now = idp.clock.now().as_unix();
    let jti = NEXT_JTI.fetch_add(1, Ordering::Relaxed).to_string();
    json!({ "iss": client_id, "sub": client_id, "aud": idp.issuer, "exp": now + 60, "iat": now, "jti": jti })
}

pub fn signed_with_secret(secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

async fn shows(idp: &Idp, assertion: &str) -> Answer {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "rt_x")];
    let shown = [("client_assertion", assertion), ("client_assertion_type", TYPE)];
    idp.token_as(None, &[fields, shown].concat()).await
}

#[track_caller]
fn is_known(answer: &Answer) {
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{answer:?}");
}

#[track_caller]
fn is_unknown(answer: &Answer, why: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{why}: {answer:?}");
}

#[actix_web::test]
async fn what_is_right_in_another_way_than_the_registered_one_is_refused_and_told_which_that_is() {
    let idp = Idp::start();
    for (client, fields, registered) in [
        (Some(SECRET), vec![], "client_secret_jwt"),
        (Some(("client-post", "client-post-secret")), vec![], "client_secret_post"),
        (None, vec![("client_id", "client2"), ("client_secret", "client2-secret")], "client_secret_basic"),
    ] {
        let fields = [&[("grant_type", "refresh_token"), ("refresh_token", "rt_x")], &fields[..]].concat();
        let answer = idp.token_as(client, &fields).await;
        is_unknown(&answer, registered);
        assert!(answer.json()["error_description"].as_str().unwrap().contains(registered), "{answer:?}");
    }
    let signed = signed_with_secret(SECRET.1, &claims(&idp, SECRET.0));
    is_known(&shows(&idp, &signed).await);
    // The secret of a client that is registered for nothing of the kind signs nothing.
    let signed = signed_with_secret("client2-secret", &claims(&idp, "client2"));
    is_unknown(&shows(&idp, &signed).await, "too short to be a key");
}
