//! ID tokens of one login, signed with a key that only this process has.

use std::sync::Arc;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rp::{
    algorithm::Algorithm,
    provider::KeySet,
    validate::{self, Expected, IdToken},
};
use serde_json::{Value, json};
use shared::{
    clock::Timestamp,
    flow::{Checks, NoRecording},
};

/// The login that the tokens are for.
pub const LOGIN: Expected<'_> = Expected {
    issuer: "https://op.example",
    client_id: "client1",
    nonce: "n-0S6_WzA2Mj",
    access_token: "at_jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
    max_age: None,
    renewed: None,
    now: Timestamp::from_unix(1_795_496_600),
};
/// The header of a good token.
pub const HEADER: &str = r#"{"typ":"JWT","alg":"RS256","kid":"honest"}"#;
/// The claims of a good token.
pub const CLAIMS: &str = r#"{"iss":"https://op.example","sub":"1","aud":"client1","exp":1795500200,"iat":1795496600,"nonce":"n-0S6_WzA2Mj"}"#;

/// The provider's key.
pub struct Key(KeyPair);

impl Key {
    /// A new key.
    pub fn generate() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// Its public half.
    pub fn jwk(&self) -> Value {
        // RSAPublicKey (RFC 8017 A.1.1) of 2048 bits: two lengths, a zero, the modulus, the exponent 65537.
        let modulus = URL_SAFE_NO_PAD.encode(&self.0.public_key().as_ref()[9..265]);
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "honest", "n": modulus, "e": "AQAB" })
    }

    /// The key set that publishes it.
    pub fn set(&self) -> KeySet {
        KeySet::published(json!({ "keys": [self.jwk()] }).to_string().as_bytes(), Algorithm::Rs256).unwrap()
    }

    /// A token that says this.
    pub fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What the RP makes of a token: the claims, if it accepts it for [`LOGIN`].
pub fn accepted(token: &str, keys: &KeySet) -> Option<IdToken> {
    let mut checks = Checks::new(Arc::new(NoRecording));
    let jwt = validate::read(token, &mut checks).ok()?;
    validate::validate(jwt, keys, &LOGIN, &mut checks).ok()
}
