//! Keys that sign whatever they are told to.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rp::algorithm::Algorithm;
use serde_json::{Value, json};

/// The provider's key.
pub static HONEST: LazyLock<&TestKey> = LazyLock::new(|| &keys_for(Algorithm::Rs256).honest);
/// The key that the provider changes to.
pub static NEXT: LazyLock<&TestKey> = LazyLock::new(|| &keys_for(Algorithm::Rs256).next);
/// Somebody else's key.
pub static EVIL: LazyLock<&TestKey> = LazyLock::new(|| &keys_for(Algorithm::Rs256).evil);

/// The key of HS256, as short as it may be.
pub const CLIENT_SECRET: &str = "a client secret of 32 characters";

/// The same three for one algorithm.
pub struct Keys {
    pub honest: TestKey,
    pub next: TestKey,
    pub evil: TestKey,
}

/// The keys for `algorithm`. RS256 and PS256 have the same; with HS256 there is one honest secret, whatever it is called.
pub fn keys_for(algorithm: Algorithm) -> &'static Keys {
    static KEYS: LazyLock<[Keys; 5]> = LazyLock::new(|| {
        let three = |generate: &dyn Fn() -> Pair| [(); 3].map(|()| Arc::new(generate()));
        let rsa = three(&|| Pair::Rsa(rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap()));
        let p256 = three(&|| Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()));
        let ed25519 = three(&|| Pair::Ed25519(Ed25519KeyPair::generate().unwrap()));
        let other = "the client secret of another one";
        let secrets = [CLIENT_SECRET, CLIENT_SECRET, other].map(|secret| Arc::new(Pair::Secret(secret)));
        [
            (Algorithm::Rs256, rsa.clone()),
            (Algorithm::Ps256, rsa),
            (Algorithm::Es256, p256),
            (Algorithm::EdDsa, ed25519),
            (Algorithm::Hs256, secrets),
        ]
        .map(|(algorithm, [honest, next, evil])| {
            let key = |kid, pair| TestKey { kid, algorithm, pair };
            Keys { honest: key("honest", honest), next: key("next", next), evil: key("honest", evil) }
        })
    });
    KEYS.iter().find(|keys| keys.honest.algorithm == algorithm).unwrap()
}

pub struct TestKey {
    pub kid: &'static str,
    algorithm: Algorithm,
    pair: Arc<Pair>,
}

enum Pair {
    Rsa(rsa::KeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Secret(&'static str),
}

impl TestKey {
    /// The public half.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &*self.pair {
            Pair::Rsa(_) => {
                // RSAPublicKey (RFC 8017 A.1.1) of 2048 bits: two lengths, a zero, the modulus, the exponent 65537.
                let modulus = URL_SAFE_NO_PAD.encode(&self.public_bytes()[9..265]);
                json!({ "kty": "RSA", "n": modulus, "e": "AQAB" })
            }
            Pair::P256(_) => {
                // An uncompressed point: 4, x, y (RFC 5480 §2.2).
                let (x, y) = self.public_bytes()[1..].split_at(32);
                let encoded = |bytes| URL_SAFE_NO_PAD.encode(bytes);
                json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y) })
            }
            Pair::Ed25519(_) => {
                let x = URL_SAFE_NO_PAD.encode(self.public_bytes());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }
            Pair::Secret(_) => panic!("a secret is not published"),
        };
        for (name, value) in [("use", "sig"), ("alg", self.algorithm.as_str()), ("kid", self.kid)] {
            jwk[name] = value.into();
        }
        jwk
    }

    /// The bytes of the public half, as an attacker would use them as a shared secret.
    pub fn public_bytes(&self) -> &[u8] {
        match &*self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::P256(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
            Pair::Secret(_) => panic!("a secret has no public half"),
        }
    }

    /// The header of its tokens.
    pub fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": self.algorithm.as_str(), "kid": self.kid })
    }

    /// A good ID token.
    pub fn token(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }

    /// Signs with its own algorithm, whatever the header says.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        let unsigned = unsigned(header, claims);
        let message = unsigned.as_bytes();
        let signature = match &*self.pair {
            Pair::Rsa(pair) if self.algorithm == Algorithm::Ps256 => rsa(pair, &RSA_PSS_SHA256, message),
            Pair::Rsa(pair) => rsa(pair, &RSA_PKCS1_SHA256, message),
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Secret(secret) => hmac_sha256(secret.as_bytes(), message),
        };
        format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn sign_rs512(&self, header: &Value, claims: &Value) -> String {
        let Pair::Rsa(pair) = &*self.pair else { panic!("RS512 needs an RSA key") };
        let unsigned = unsigned(&header.to_string(), &claims.to_string());
        let signature = rsa(pair, &RSA_PKCS1_SHA512, unsigned.as_bytes());
        format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn rsa(pair: &rsa::KeyPair, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// A token signed by HS256 with any key.
pub fn sign_hs256(key: &[u8], header: &Value, claims: &Value) -> String {
    let unsigned = unsigned(&header.to_string(), &claims.to_string());
    let signature = hmac_sha256(key, unsigned.as_bytes());
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// `header.payload`
pub fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// A key set for the JWKS endpoint.
pub fn key_set(keys: &[&TestKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}
