//! The public halves of the keys that a client signs with (RFC 7517 §5, RFC 7591 §2: `jwks` and `jwks_uri`).

use jsonwebtoken::{
    Algorithm, DecodingKey, crypto,
    jwk::{Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

/// Where they are.
#[derive(Clone, Debug)]
pub enum ClientKeys {
    /// They stand in the registration.
    Registered(PublicKeys),
    /// The client publishes them, and changes them when it likes.
    Published(Url),
}

impl ClientKeys {
    /// Where they are published, if they are.
    pub const fn address(&self) -> Option<&Url> {
        match self {
            Self::Registered(_) => None,
            Self::Published(address) => Some(address),
        }
    }
}

/// Why a key set cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PublicKeysError {
    /// RFC 7517 §5.
    #[error("must be a JSON object whose member keys is a list of keys")]
    NotASet,
    /// RFC 7517 §9.2: whoever sees it could sign in the client's name.
    #[error("must not hold a private key or a secret: leave out d, p, q, dp, dq, qi, oth and k")]
    Private,
    /// Nothing to verify with.
    #[error("must hold a key for RS256, PS256, ES256 or EdDSA")]
    Empty,
    /// The number and the lists of its keys make it take much more than what was sent.
    #[error("must have fewer keys, or keys that say less: it takes more than 64 KiB")]
    TooLarge,
}

/// Public keys that verify.
#[derive(Clone, Debug)]
pub struct PublicKeys {
    keys: Box<[Jwk]>,
    weight: usize,
}

/// What makes a JWK more than a public key (RFC 7518 §6.2.2, §6.3.2 and §6.4.1, RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// How many texts a key has at most: `kid`, `x5u`, `x5t`, `x5t#S256`, and two that are the key.
const TEXTS: usize = 6;
/// What a text takes beside its bytes: a place in a list, and the rest of its own piece of memory.
const PLACE: usize = 64;

impl PublicKeys {
    /// How many bytes a set takes at most.
    pub const MOST: usize = 64 * 1024;

    /// Reads a key set. RFC 7517 §5: keys of an unknown kind are passed over.
    pub fn parse(json: &[u8]) -> Result<Self, PublicKeysError> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Map<String, Value>>,
        }
        let set: Set = serde_json::from_slice(json).map_err(|_| PublicKeysError::NotASet)?;
        if set.keys.iter().any(|key| PRIVATE.iter().any(|member| key.contains_key(*member))) {
            return Err(PublicKeysError::Private);
        }
        let keys = set.keys.into_iter().filter_map(|key| Jwk::deserialize(Value::Object(key)).ok());
        let keys: Box<[_]> = keys.filter(is_for_signatures).collect();
        let weight = json.len() + keys.iter().map(weight_beside_its_texts).sum::<usize>();
        if keys.is_empty() {
            return Err(PublicKeysError::Empty);
        }
        if weight > Self::MOST { Err(PublicKeysError::TooLarge) } else { Ok(Self { keys, weight }) }
    }

    /// How many bytes it takes.
    pub const fn weight(&self) -> usize {
        self.weight
    }

    /// The set as JSON (RFC 7517 §5).
    pub fn to_json(&self) -> Value {
        serde_json::json!({ "keys": self.keys })
    }

    /// Whether one of the keys is called `kid`; without a `kid`, whether there is any.
    pub fn knows(&self, kid: Option<&str>) -> bool {
        self.called(kid).next().is_some()
    }

    /// Whether one of the keys made this signature. Only those called `kid` are tried, if it is given.
    pub fn verify(&self, alg: Algorithm, kid: Option<&str>, signed: &str, signature: &str) -> bool {
        self.called(kid).filter(|key| is_for(key, alg)).any(|key| {
            let key = DecodingKey::from_jwk(key);
            key.and_then(|key| crypto::verify(signature, signed.as_bytes(), &key, alg)).unwrap_or(false)
        })
    }

    fn called<'a>(&'a self, kid: Option<&'a str>) -> impl Iterator<Item = &'a Jwk> {
        self.keys.iter().filter(move |key| kid.is_none() || key.common.key_id.as_deref() == kid)
    }
}

/// RFC 7517 §4.3 and §4.7: `key_ops` and `x5c` are lists, of as many as one likes.
fn weight_beside_its_texts(key: &Jwk) -> usize {
    let listed = key.common.key_operations.as_ref().map_or(0, Vec::len)
        + key.common.x509_chain.as_ref().map_or(0, Vec::len);
    size_of::<Jwk>() + (TEXTS + listed) * PLACE
}

/// RFC 7517 §4.2 and §4.3: a key that says what it is used for, or for which operations, is for nothing else.
fn is_for_signatures(key: &Jwk) -> bool {
    key.common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
        && key.common.key_operations.as_ref().is_none_or(|it| it.contains(&KeyOperations::Verify))
        && DecodingKey::from_jwk(key).is_ok()
}

/// RFC 7517 §4.4: a key that says what it is for is for nothing else.
fn is_for(key: &Jwk, alg: Algorithm) -> bool {
    key.common.key_algorithm.is_none_or(|it| it.to_string() == format!("{alg:?}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(set: &Value) -> Result<PublicKeys, PublicKeysError> {
        PublicKeys::parse(set.to_string().as_bytes())
    }

    /// The Ed25519 key of RFC 8037 Appendix A.
    fn ed25519() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    #[test]
    fn keys_of_an_unknown_kind_are_passed_over() {
        let set = json!({ "keys": [{ "kty": "AKP", "alg": "ML-DSA-44", "pub": "x" }, ed25519()] });
        assert!(parse(&set).unwrap().knows(None));
        assert_eq!(parse(&json!({ "keys": [{ "kty": "AKP" }] })).unwrap_err(), PublicKeysError::Empty);
        for (member, purpose) in
            [("use", json!("enc")), ("key_ops", json!(["encrypt"])), ("key_ops", json!([]))]
        {
            let mut encrypts = ed25519();
            encrypts[member] = purpose;
            assert_eq!(parse(&json!({ "keys": [encrypts] })).unwrap_err(), PublicKeysError::Empty);
        }
        let mut verifies = ed25519();
        verifies["key_ops"] = json!(["verify"]);
        assert!(parse(&json!({ "keys": [verifies] })).unwrap().knows(None));
    }

    #[test]
    fn a_private_key_is_never_registered() {
        let mut private = ed25519();
        private["d"] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".into();
        assert_eq!(parse(&json!({ "keys": [ed25519(), private] })).unwrap_err(), PublicKeysError::Private);
        let secret = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] });
        assert_eq!(parse(&secret).unwrap_err(), PublicKeysError::Private);
    }

    #[test]
    fn i23_a_set_weighs_what_it_takes_and_has_a_bound() {
        let set = |key: &Value, number: usize| json!({ "keys": vec![key.clone(); number] });
        let small = json!({ "kty": "RSA", "n": "", "e": "" });
        let ten = set(&small, 10);
        let taken = parse(&ten).unwrap().weight();
        assert!(taken >= ten.to_string().len() + 10 * size_of::<Jwk>(), "{taken}");
        assert_eq!(parse(&set(&small, 1000)).unwrap_err(), PublicKeysError::TooLarge);
        for list in ["x5c", "key_ops"] {
            let mut says_much = ed25519();
            says_much[list] = vec!["verify"; 10].into();
            let bare = parse(&set(&ed25519(), 1)).unwrap().weight();
            assert!(
                parse(&set(&says_much, 1)).unwrap().weight() >= bare + 10 * size_of::<String>(),
                "{list}"
            );
            says_much[list] = vec!["verify"; 5000].into();
            assert_eq!(parse(&set(&says_much, 1)).unwrap_err(), PublicKeysError::TooLarge, "{list}");
        }
    }

    #[test]
    fn what_is_no_set_is_no_set() {
        for bad in [json!([]), json!({}), json!({ "keys": {} }), json!({ "keys": [1] }), json!("x")] {
            assert_eq!(parse(&bad).unwrap_err(), PublicKeysError::NotASet, "{bad}");
        }
    }

    #[test]
    fn the_signature_of_rfc_8037_is_verified_by_its_key_only() {
        let keys = parse(&json!({ "keys": [ed25519()] })).unwrap();
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert!(keys.verify(Algorithm::EdDSA, None, signed, signature));
        assert!(!keys.verify(Algorithm::EdDSA, None, &signed[1..], signature));
        assert!(!keys.verify(Algorithm::EdDSA, Some("other"), signed, signature));
        assert!(!keys.verify(Algorithm::HS256, None, signed, signature));
    }
}
