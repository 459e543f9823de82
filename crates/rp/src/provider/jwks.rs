//! What verifies the provider's ID tokens: its public keys for one algorithm (RFC 7517 §5), or the client secret. Each
//! key is read twice, by openidconnect for its own verifier, and here for the checks that the page shows.

use jsonwebtoken::{DecodingKey, crypto};
use openidconnect::core::CoreJsonWebKey;
use serde::Deserialize;
use serde_json::Value;
use shared::secret::Secret;

use super::ProviderError;
use crate::algorithm::Algorithm;

/// The largest set that is read, in bytes.
pub(super) const MAX_SET: usize = 64 * 1024;

/// What verifies ID tokens at one time.
#[derive(Clone, Debug)]
pub struct KeySet {
    algorithm: Algorithm,
    pub(crate) source: Source,
}

/// Where it comes from. There is no third kind, and so no way to take a public key for a secret.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The provider publishes it.
    Published(Vec<Key>),
    /// Provider and client share it.
    Shared(Secret),
}

/// A public key.
#[derive(Clone)]
pub(crate) struct Key {
    kid: Option<String>,
    verifies: DecodingKey,
    /// As openidconnect reads it, if it can.
    pub(crate) library: Option<CoreJsonWebKey>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The members of a JWK that say whether it can verify, and with what (RFC 7517 §4.1 to §4.5, RFC 7518 §6.2.1 and §6.3.1,
/// RFC 8037 §2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    intended: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads the set that the provider publishes, and keeps the keys for `algorithm`. RFC 7517 §5: keys of an unknown
    /// kind are passed over; they are somebody else's.
    pub fn published(body: &[u8], algorithm: Algorithm) -> Result<Self, ProviderError> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(body)
            .map_err(|error| ProviderError::Invalid(format!("the key set: {error}")))?;
        let keys = set.keys.iter().filter_map(|jwk| Key::read(jwk, algorithm)).collect();
        Ok(Self { algorithm, source: Source::Published(keys) })
    }

    /// HS256: the key is the client secret's UTF-8 octets (OpenID Connect Core §10.1).
    pub const fn shared(secret: Secret) -> Self {
        Self { algorithm: Algorithm::Hs256, source: Source::Shared(secret) }
    }

    /// The one algorithm that counts.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the key is the client secret.
    pub const fn is_secret(&self) -> bool {
        matches!(self.source, Source::Shared(_))
    }

    /// Whether a key is called `kid`; without a `kid`, whether there is any. There is one client secret, whatever it is
    /// called.
    pub fn knows(&self, kid: Option<&str>) -> bool {
        match &self.source {
            Source::Published(keys) => candidates(keys, kid).next().is_some(),
            Source::Shared(_) => true,
        }
    }

    /// The published key called `kid`, or any; as its JWK.
    pub fn as_jwk(&self, kid: Option<&str>) -> Option<Value> {
        let Source::Published(keys) = &self.source else { return None };
        serde_json::to_value(candidates(keys, kid).next()?.library.as_ref()?).ok()
    }

    /// Whether one of the keys made this signature. Only the keys called `kid` are tried, if it is given.
    pub fn verify(&self, kid: Option<&str>, signed: &str, signature: &str) -> bool {
        let made_by = |key: &DecodingKey| {
            let algorithm = self.algorithm.at_jsonwebtoken();
            crypto::verify(signature, signed.as_bytes(), key, algorithm).unwrap_or(false)
        };
        match &self.source {
            Source::Published(keys) => candidates(keys, kid).any(|key| made_by(&key.verifies)),
            Source::Shared(secret) => made_by(&DecodingKey::from_secret(secret.expose().as_bytes())),
        }
    }
}

fn candidates<'a>(keys: &'a [Key], kid: Option<&str>) -> impl Iterator<Item = &'a Key> {
    keys.iter().filter(move |key| kid.is_none() || key.kid.as_deref() == kid)
}

impl Key {
    fn read(value: &Value, algorithm: Algorithm) -> Option<Self> {
        let jwk = Jwk::deserialize(value).ok()?;
        let for_signatures = jwk.intended.is_none_or(|intended| intended == "sig")
            && jwk.key_ops.is_none_or(|operations| operations.iter().any(|it| it == "verify"));
        let for_algorithm = jwk.alg.is_none_or(|alg| alg == algorithm.as_str());
        if !for_signatures || !for_algorithm {
            return None;
        }
        let verifies = match (algorithm, jwk.kty.as_str(), jwk.crv.as_deref()) {
            (Algorithm::Rs256 | Algorithm::Ps256, "RSA", _) => {
                DecodingKey::from_rsa_components(&jwk.n?, &jwk.e?)
            }
            (Algorithm::Es256, "EC", Some("P-256")) => DecodingKey::from_ec_components(&jwk.x?, &jwk.y?),
            (Algorithm::EdDsa, "OKP", Some("Ed25519")) => DecodingKey::from_ed_components(&jwk.x?),
            _ => return None,
        };
        Some(Self {
            kid: jwk.kid,
            verifies: verifies.ok()?,
            library: CoreJsonWebKey::deserialize(value).ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Keys of every kind, as they stand together in the set of a provider with many clients.
    fn crowd() -> Vec<u8> {
        let set = json!({ "keys": [
            { "kty": "RSA", "kid": "rsa", "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "rsa-rs256", "use": "sig", "alg": "RS256", "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "rsa-ps256", "use": "sig", "alg": "PS256", "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "rsa-ps512", "use": "sig", "alg": "PS512", "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "rsa-ops", "key_ops": ["encrypt"], "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "rsa-enc", "use": "enc", "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "rsa-oaep", "alg": "RSA-OAEP", "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "rsa-broken", "n": "===", "e": "AQAB" },
            { "kty": "RSA", "kid": "rsa-half", "e": "AQAB" },
            { "kty": "EC", "kid": "p256", "use": "sig", "crv": "P-256", "x": "AA", "y": "AA" },
            { "kty": "EC", "kid": "p256-ecdh", "use": "enc", "crv": "P-256", "x": "AA", "y": "AA" },
            { "kty": "EC", "kid": "p256-half", "crv": "P-256", "x": "AA" },
            { "kty": "EC", "kid": "p384", "crv": "P-384", "x": "AA", "y": "AA" },
            { "kty": "EC", "kid": "secp256k1", "crv": "secp256k1", "x": "AA", "y": "AA" },
            { "kty": "EC", "kid": "no-curve", "x": "AA", "y": "AA" },
            { "kty": "OKP", "kid": "ed25519", "use": "sig", "alg": "EdDSA", "crv": "Ed25519", "x": "AA" },
            { "kty": "OKP", "kid": "ed448", "crv": "Ed448", "x": "AA" },
            { "kty": "OKP", "kid": "x25519", "crv": "X25519", "x": "AA" },
            { "kty": "oct", "kid": "secret", "alg": "HS256", "k": "AA" },
            { "kty": "PQC", "kid": "future", "x": 7 },
            { "kid": "no-kind" },
            { "kty": "RSA", "kid": 7, "n": "sXch", "e": "AQAB" },
            "not even an object",
        ]});
        set.to_string().into_bytes()
    }

    fn known(keys: &KeySet) -> Vec<&str> {
        let Source::Published(keys) = &keys.source else { return Vec::new() };
        keys.iter().filter_map(|key| key.kid.as_deref()).collect()
    }

    #[test]
    fn r6_of_a_crowd_of_keys_only_those_for_the_algorithm_are_kept() {
        let expected: [(Algorithm, &[&str]); 5] = [
            (Algorithm::Rs256, &["rsa", "rsa-rs256"]),
            (Algorithm::Ps256, &["rsa", "rsa-ps256"]),
            (Algorithm::Es256, &["p256"]),
            (Algorithm::EdDsa, &["ed25519"]),
            (Algorithm::Hs256, &[]),
        ];
        for (algorithm, kept) in expected {
            let keys = KeySet::published(&crowd(), algorithm).unwrap();
            assert_eq!(known(&keys), kept, "{algorithm:?}");
            assert_eq!(keys.knows(None), !kept.is_empty());
            assert_eq!(keys.knows(Some("rsa")), kept.contains(&"rsa"));
        }
    }

    #[test]
    fn the_client_secret_has_no_name() {
        let keys = KeySet::shared(Secret::new("s"));
        assert!(keys.knows(None) && keys.knows(Some("anything")));
        assert!(!format!("{keys:?}").contains("\"s\""));
    }

    #[test]
    fn an_empty_set_knows_no_key() {
        let read = |body: &[u8]| KeySet::published(body, Algorithm::Rs256);
        assert!(!read(br#"{"keys":[]}"#).unwrap().knows(None));
        assert!(read(br#"{"keys":{}}"#).is_err());
        assert!(read(b"<html>").is_err());
    }
}
