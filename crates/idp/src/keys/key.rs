//! A key that signs: one algorithm, a private half that stays here, a public half for the world (RFC 7517 §4).

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey, VerificationAlgorithm,
    },
};
use clap::ValueEnum;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use serde::Serialize;
use serde_json::{Map, Value};
use shared::secret::Secret;

use super::{SigningError, jws};

/// What a key of this server signs with (RFC 7518 §3.1, RFC 8037 §3.1). RS256 comes first: every provider must have it
/// (OpenID Connect Discovery §3). HS256 is not among them, because its key is the client's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum KeyAlg {
    /// RSA of 2048 bits, PKCS #1 v1.5, SHA-256
    #[value(name = "RS256")]
    Rs256,
    /// ECDSA on the curve P-256, SHA-256
    #[value(name = "ES256")]
    Es256,
    /// Ed25519
    #[value(name = "EdDSA")]
    EdDsa,
}

impl KeyAlg {
    /// All of them; this server has a key for each.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl fmt::Display for KeyAlg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<KeyAlg> for Algorithm {
    fn from(alg: KeyAlg) -> Self {
        match alg {
            KeyAlg::Rs256 => Self::RS256,
            KeyAlg::Es256 => Self::ES256,
            KeyAlg::EdDsa => Self::EdDSA,
        }
    }
}

/// A key. It is parsed once: parsing it again at every signature would double the cost of a login.
#[derive(Debug)]
pub struct SigningKey {
    pair: Pair,
    kid: String,
    public: Jwk,
    /// The headers of what it signs, as they stand in the token.
    headers: Headers,
}

#[derive(Debug)]
struct Headers {
    id_token: String,
    access_token: String,
}

#[derive(Debug)]
enum Pair {
    Rsa(rsa::KeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl SigningKey {
    /// A new private key, as PKCS #8 in PEM.
    pub fn generate_pem(alg: KeyAlg) -> Result<String, aws_lc_rs::error::Unspecified> {
        let pem = |der: &[u8]| pem::encode(&pem::Pem::new("PRIVATE KEY", der));
        Ok(match alg {
            KeyAlg::Rs256 => pem(rsa::KeyPair::generate(KeySize::Rsa2048)?.as_der()?.as_ref()),
            KeyAlg::Es256 => {
                pem(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref())
            }
            KeyAlg::EdDsa => pem(Ed25519KeyPair::generate()?.to_pkcs8v1()?.as_ref()),
        })
    }

    /// Reads a private key; an error says what is wrong with it.
    pub fn from_pem(alg: KeyAlg, pem: &str) -> Result<Self, String> {
        let encoded = match alg {
            KeyAlg::Rs256 => EncodingKey::from_rsa_pem(pem.as_bytes()),
            KeyAlg::Es256 => EncodingKey::from_ec_pem(pem.as_bytes()),
            KeyAlg::EdDsa => EncodingKey::from_ed_pem(pem.as_bytes()),
        };
        let encoded = encoded.map_err(|error| error.to_string())?;
        let pair = match alg {
            KeyAlg::Rs256 => rsa::KeyPair::from_der(encoded.as_bytes()).map(Pair::Rsa),
            KeyAlg::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, encoded.as_bytes()).map(Pair::Ec)
            }
            KeyAlg::EdDsa => Ed25519KeyPair::from_pkcs8(encoded.as_bytes()).map(Pair::Ed),
        };
        let pair = pair.map_err(|error| error.to_string())?;
        let (public, headers) = describe(&encoded, alg.into()).map_err(|error| error.to_string())?;
        let kid = public.common.key_id.clone().unwrap_or_default();
        Ok(Self { pair, kid, public, headers })
    }

    /// The `kid` of this key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the world may know of it.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// Signs claims of an ID token.
    pub fn sign(&self, claims: &impl Serialize) -> Result<Secret, SigningError> {
        jws::sign(&self.headers.id_token, claims, |message| self.pair.sign(message))
    }

    /// Signs claims of an access token.
    pub fn sign_access_token(&self, claims: &impl Serialize) -> Result<Secret, SigningError> {
        jws::sign(&self.headers.access_token, claims, |message| self.pair.sign(message))
    }

    /// The claims of an ID token that this key signed. An access token is none: its header says so (RFC 8725 §3.11).
    pub fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        jws::verify(&self.headers.id_token, token, |message, signature| self.pair.verify(message, signature))
    }
}

/// The public half, and the headers that name it.
fn describe(key: &EncodingKey, alg: Algorithm) -> Result<(Jwk, Headers), jsonwebtoken::errors::Error> {
    let mut public = Jwk::from_encoding_key(key, alg)?;
    // RFC 7638: the name of a key is a hash of what it is, so no two keys share one.
    let kid = Some(public.thumbprint(ThumbprintHash::SHA256)?);
    public.common.key_id.clone_from(&kid);
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    let header = Header { kid, ..Header::new(alg) };
    let id_token = jws::part(&header)?;
    // RFC 9068 §2.1.
    let access_token = jws::part(&Header { typ: Some("at+jwt".into()), ..header })?;
    Ok((public, Headers { id_token, access_token }))
}

impl Pair {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| SigningError::Failed)?;
                Ok(signature)
            }
            Self::Ec(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| SigningError::Failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Ed(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, public): (&'static dyn VerificationAlgorithm, &[u8]) = match self {
            Self::Rsa(pair) => (&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref()),
            Self::Ec(pair) => (&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref()),
            Self::Ed(pair) => (&ED25519, pair.public_key().as_ref()),
        };
        UnparsedPublicKey::new(algorithm, public).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::json;

    use super::*;

    fn generate(alg: KeyAlg) -> SigningKey {
        SigningKey::from_pem(alg, &SigningKey::generate_pem(alg).unwrap()).unwrap()
    }

    fn published(key: &SigningKey) -> Value {
        serde_json::to_value(key.public()).unwrap()
    }

    #[test]
    fn what_a_key_signs_only_its_own_public_half_verifies() {
        for alg in KeyAlg::ALL {
            let (key, other) = (generate(alg), generate(alg));
            let token = key.sign(&json!({ "sub": "1" })).unwrap();
            let verified = |key: &SigningKey| {
                let mut validation = Validation::new(alg.into());
                validation.required_spec_claims.clear();
                let public = DecodingKey::from_jwk(key.public()).unwrap();
                jsonwebtoken::decode::<Value>(token.expose(), &public, &validation).map(|data| data.claims)
            };
            assert_eq!(verified(&key).unwrap(), json!({ "sub": "1" }), "{alg}");
            assert!(verified(&other).is_err(), "{alg}");
            assert_eq!(key.verify(token.expose()).unwrap()["sub"], "1", "{alg}");
            assert!(other.verify(token.expose()).is_none(), "{alg}");
        }
    }

    #[test]
    fn i17_an_access_token_is_no_id_token() {
        for alg in KeyAlg::ALL {
            let key = generate(alg);
            let token = key.sign_access_token(&json!({ "sub": "1" })).unwrap();
            assert_eq!(jsonwebtoken::decode_header(token.expose()).unwrap().typ.as_deref(), Some("at+jwt"));
            assert!(key.verify(token.expose()).is_none(), "{alg}");
        }
    }

    #[test]
    fn i24_no_private_member_is_published() {
        let members = [
            (KeyAlg::Rs256, &["alg", "e", "kid", "kty", "n", "use"][..]),
            (KeyAlg::Es256, &["alg", "crv", "kid", "kty", "use", "x", "y"]),
            (KeyAlg::EdDsa, &["alg", "crv", "kid", "kty", "use", "x"]),
        ];
        for (alg, members) in members {
            let published = published(&generate(alg));
            let seen: Vec<_> = published.as_object().unwrap().keys().collect();
            assert_eq!(seen, members);
            assert_eq!((&published["alg"], &published["use"]), (&json!(alg.as_str()), &json!("sig")));
        }
    }

    #[test]
    fn a_key_is_named_by_its_thumbprint() {
        // RFC 7638 §3.1 and RFC 8037 §2: the required members in alphabetical order, without spaces.
        for alg in KeyAlg::ALL {
            let key = published(&generate(alg));
            let members = match alg {
                KeyAlg::Rs256 => format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, key["e"], key["n"]),
                KeyAlg::Es256 => {
                    format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"])
                }
                KeyAlg::EdDsa => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":{}}}"#, key["x"]),
            };
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, members.as_bytes());
            assert_eq!(key["kid"], URL_SAFE_NO_PAD.encode(hash), "{alg}");
        }
    }

    #[test]
    fn a_key_of_another_kind_or_no_key_is_refused() {
        for alg in KeyAlg::ALL {
            let pem = SigningKey::generate_pem(alg).unwrap();
            for other in KeyAlg::ALL {
                assert_eq!(SigningKey::from_pem(other, &pem).is_ok(), alg == other, "{alg} as {other}");
            }
            assert!(SigningKey::from_pem(alg, &pem[..pem.len() / 2]).is_err(), "half of a {alg} key");
            assert!(SigningKey::from_pem(alg, "").is_err());
        }
        // A curve that ES256 does not use.
        let p384 = EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let p384 = pem::encode(&pem::Pem::new("PRIVATE KEY", p384.to_pkcs8v1().unwrap().as_ref()));
        assert!(SigningKey::from_pem(KeyAlg::Es256, &p384).is_err());
    }

    #[test]
    fn i17_only_the_very_header_of_a_key_is_read() {
        let key = generate(KeyAlg::EdDsa);
        let token = key.sign(&json!({ "sub": "1" })).unwrap();
        let [header, payload, signature] = token.expose().split('.').collect::<Vec<_>>().try_into().unwrap();
        let (kid, trap) = (key.kid(), "http://127.0.0.1:9/jwks");
        let jwk = published(&key);
        // Each is signed by the right key; still none of them is a token as this server makes them.
        for hostile in [
            json!({ "typ": "JWT", "alg": "none", "kid": kid }),
            json!({ "typ": "JWT", "alg": "HS256", "kid": kid }),
            json!({ "typ": "JWT", "alg": "EdDSA" }),
            json!({ "alg": "EdDSA", "kid": kid }),
            json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": kid }),
            json!({ "typ": "JWT", "alg": "EdDSA", "kid": kid, "crit": ["x"], "x": 1 }),
            json!({ "typ": "JWT", "alg": "EdDSA", "kid": kid, "jku": trap }),
            json!({ "typ": "JWT", "alg": "EdDSA", "kid": kid, "jwk": jwk }),
            json!({ "typ": "JWT", "alg": "EdDSA", "kid": "../../etc/passwd" }),
        ] {
            let hostile_header = jws::part(&hostile).unwrap();
            let signed = jws::sign(&hostile_header, &json!({}), |message| key.pair.sign(message)).unwrap();
            assert!(key.verify(signed.expose()).is_none(), "{hostile}");
            let swapped = format!("{hostile_header}.{payload}.{signature}");
            assert!(key.verify(&swapped).is_none(), "{hostile}");
        }
        for spoiled in [
            String::new(),
            format!("{header}.{payload}"),
            format!("{header}.{payload}."),
            format!("{header}.{payload}.{signature}."),
            format!("{header}.{payload}.{signature}="),
            format!("{header}..{signature}"),
            format!("{header}.{payload}x.{signature}"),
            format!("{header}.{payload}.{payload}.{signature}"),
            format!("x{}", token.expose()),
        ] {
            assert!(key.verify(&spoiled).is_none(), "{spoiled}");
        }
        assert!(key.verify(token.expose()).is_some());
    }
}
