//! The provider's public keys (RFC 7517 §5), read twice: by openidconnect for its own verifier, and here for the
//! checks that the page shows.

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use openidconnect::core::CoreJsonWebKeySet;
use serde::Deserialize;
use serde_json::Value;

use super::ProviderError;

/// The largest set that is read, in bytes.
pub(super) const MAX_SET: usize = 64 * 1024;

/// The keys of one provider at one time.
#[derive(Clone, Debug)]
pub struct KeySet {
    /// As openidconnect reads them.
    pub library: CoreJsonWebKeySet,
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    kid: Option<String>,
    verifies: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The members of a JWK that say whether it can verify RS256 (RFC 7517 §4, RFC 7518 §6.3.1).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    intended: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// Reads a set. RFC 7517 §5: keys of an unknown kind are passed over; they are somebody else's.
    pub fn read(body: &[u8]) -> Result<Self, ProviderError> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let invalid = |error: serde_json::Error| ProviderError::Invalid(format!("the key set: {error}"));
        let set: Set = serde_json::from_slice(body).map_err(invalid)?;
        Ok(Self {
            library: serde_json::from_slice(body).map_err(invalid)?,
            keys: set.keys.into_iter().filter_map(Key::read).collect(),
        })
    }

    /// Whether a key is called `kid`; without a `kid`, whether there is any.
    pub fn knows(&self, kid: Option<&str>) -> bool {
        self.candidates(kid).next().is_some()
    }

    /// Whether one of the keys made this RS256 signature. Only the keys called `kid` are tried, if it is given.
    pub fn verify(&self, kid: Option<&str>, signed: &str, signature: &str) -> bool {
        self.candidates(kid).any(|key| {
            crypto::verify(signature, signed.as_bytes(), &key.verifies, Algorithm::RS256).unwrap_or(false)
        })
    }

    fn candidates(&self, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        let kid = kid.map(str::to_owned);
        self.keys.iter().filter(move |key| kid.is_none() || key.kid == kid)
    }
}

impl Key {
    fn read(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        let fits = jwk.kty == "RSA"
            && jwk.intended.is_none_or(|intended| intended == "sig")
            && jwk.alg.is_none_or(|alg| alg == "RS256");
        let verifies = DecodingKey::from_rsa_components(&jwk.n?, &jwk.e?).ok()?;
        fits.then_some(Self { kid: jwk.kid, verifies })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let set = json!({ "keys": [
            { "kty": "RSA", "kid": "mine", "use": "sig", "alg": "RS256", "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "encryption", "use": "enc", "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "other-alg", "alg": "PS512", "n": "sXch", "e": "AQAB" },
            { "kty": "RSA", "kid": "broken", "n": "===", "e": "AQAB" },
            { "kty": "EC", "kid": "curve", "crv": "secp256k1", "x": "AA", "y": "AA" },
            { "kty": "OKP", "kid": "edwards", "crv": "Ed25519", "x": "AA" },
            { "kty": "oct", "kid": "shared", "k": "AA" },
            { "kty": "PQC", "kid": "future" },
            "not even an object",
        ]});
        let keys = KeySet::read(set.to_string().as_bytes()).unwrap();
        let known: Vec<_> =
            ["mine", "encryption", "other-alg", "broken", "curve", "edwards", "shared", "future"]
                .into_iter()
                .filter(|kid| keys.knows(Some(kid)))
                .collect();
        assert_eq!(known, ["mine"]);
        assert!(keys.knows(None));
    }

    #[test]
    fn an_empty_set_knows_no_key() {
        assert!(!KeySet::read(br#"{"keys":[]}"#).unwrap().knows(None));
        assert!(KeySet::read(br#"{"keys":{}}"#).is_err());
        assert!(KeySet::read(b"<html>").is_err());
    }
}
