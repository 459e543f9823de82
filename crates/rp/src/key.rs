//! The key that this application signs with (`private_key_jwt`), and its public half at `/jwks`, where the provider looks
//! for it (RFC 7591 §2, `jwks_uri`).

use std::fmt;

use actix_web::{HttpResponse, http::header, web::Data};
use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use jsonwebtoken::{
    EncodingKey, Header,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use serde::Serialize;
use serde_json::json;

use crate::{algorithm::Algorithm, state::AppState};

/// A private key and its public half.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    private: EncodingKey,
    public: Jwk,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid()).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new one that nobody else has; `None` for HS256, whose key is the client secret.
    pub fn generate(algorithm: Algorithm) -> Option<Self> {
        let private = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pkcs8 = KeyPair::generate(KeySize::Rsa2048).ok()?.as_der().ok()?;
                let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", pkcs8.as_ref()));
                EncodingKey::from_rsa_pem(pem.as_bytes()).ok()?
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
                EncodingKey::from_ec_der(pair.to_pkcs8v1().ok()?.as_ref())
            }
            Algorithm::EdDsa => {
                EncodingKey::from_ed_der(Ed25519KeyPair::generate().ok()?.to_pkcs8v1().ok()?.as_ref())
            }
            Algorithm::Hs256 => return None,
        };
        Self::of(algorithm, private)
    }

    /// The one in a PEM file (PKCS #8).
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Option<Self> {
        let private = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => EncodingKey::from_rsa_pem(pem),
            Algorithm::Es256 => EncodingKey::from_ec_pem(pem),
            Algorithm::EdDsa => EncodingKey::from_ed_pem(pem),
            Algorithm::Hs256 => return None,
        };
        Self::of(algorithm, private.ok()?)
    }

    fn of(algorithm: Algorithm, private: EncodingKey) -> Option<Self> {
        let mut public = Jwk::from_encoding_key(&private, algorithm.at_jsonwebtoken()).ok()?;
        // RFC 7638: a name that follows from the key, and so never means another one.
        public.common.key_id = public.thumbprint(ThumbprintHash::SHA256).ok();
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Some(Self { algorithm, private, public })
    }

    /// Its name.
    pub fn kid(&self) -> Option<&str> {
        self.public.common.key_id.as_deref()
    }

    /// How it signs.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What signs.
    pub(crate) const fn private(&self) -> &EncodingKey {
        &self.private
    }

    /// What the world may know of it.
    pub const fn public(&self) -> &Jwk {
        &self.public
    }

    /// A JWT of the kind `typ`.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Option<String> {
        let header = Header {
            typ: Some(typ.to_owned()),
            kid: self.kid().map(ToOwned::to_owned),
            ..Header::new(self.algorithm.at_jsonwebtoken())
        };
        jsonwebtoken::encode(&header, claims, &self.private).ok()
    }
}

/// `GET /jwks`
pub async fn jwks(app: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        .json(json!({ "keys": [app.key.public()] }))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_a_key_signs_its_public_half_verifies_and_no_other() {
        for algorithm in Algorithm::ALL.into_iter().filter(|it| *it != Algorithm::Hs256) {
            let (key, other) =
                (SigningKey::generate(algorithm).unwrap(), SigningKey::generate(algorithm).unwrap());
            let token = key.sign("JWT", &json!({ "sub": "app" })).unwrap();
            let mut validation = Validation::new(algorithm.at_jsonwebtoken());
            validation.required_spec_claims.clear();
            let verified = |key: &SigningKey| {
                let key = DecodingKey::from_jwk(key.public()).unwrap();
                jsonwebtoken::decode::<Value>(&token, &key, &validation).is_ok()
            };
            assert!(verified(&key) && !verified(&other), "{algorithm:?}");
            assert_eq!(jsonwebtoken::decode_header(&token).unwrap().kid.as_deref(), key.kid());
        }
        assert!(SigningKey::generate(Algorithm::Hs256).is_none(), "HS256 has no public half");
    }

    #[test]
    fn nothing_private_is_published_or_printed() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
            let key = SigningKey::generate(algorithm).unwrap();
            let public = serde_json::to_value(key.public()).unwrap();
            for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(public.get(member).is_none(), "{member}");
            }
            assert_eq!((&public["use"], &public["alg"]), (&json!("sig"), &json!(algorithm.as_str())));
            assert!(format!("{key:?}").len() < 80, "{key:?}");
        }
    }
}
