//! Keys that sign whatever they are told to.

use std::sync::LazyLock;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The provider's key.
pub static HONEST: LazyLock<TestKey> = LazyLock::new(|| TestKey::generate("honest"));
/// The key that the provider changes to.
pub static NEXT: LazyLock<TestKey> = LazyLock::new(|| TestKey::generate("next"));
/// Somebody else's key.
pub static EVIL: LazyLock<TestKey> = LazyLock::new(|| TestKey::generate("honest"));

pub struct TestKey {
    pub kid: &'static str,
    pair: KeyPair,
}

impl TestKey {
    fn generate(kid: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        Self { kid, pair }
    }

    /// The public half.
    pub fn jwk(&self) -> Value {
        // RSAPublicKey (RFC 8017 A.1.1) of 2048 bits: two lengths, a zero, the modulus, the exponent 65537.
        let der = self.pair.public_key().as_ref();
        let modulus = URL_SAFE_NO_PAD.encode(&der[9..265]);
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": modulus, "e": "AQAB" })
    }

    /// The bytes of the public half, as an attacker would use them as a shared secret.
    pub fn public_bytes(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A good ID token.
    pub fn token(&self, claims: &Value) -> String {
        self.sign(&json!({ "typ": "JWT", "alg": "RS256", "kid": self.kid }), claims)
    }

    /// Signs with RS256, whatever the header says.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        self.sign_with(&RSA_PKCS1_SHA256, &unsigned(header, claims))
    }

    pub fn sign_rs512(&self, header: &Value, claims: &Value) -> String {
        let unsigned = unsigned(&header.to_string(), &claims.to_string());
        self.sign_with(&RSA_PKCS1_SHA512, &unsigned)
    }

    fn sign_with(&self, encoding: &'static dyn RsaEncoding, unsigned: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), unsigned.as_bytes(), &mut signature).unwrap();
        format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// `header.payload`
pub fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// A key set for the JWKS endpoint.
pub fn key_set(keys: &[&TestKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}
