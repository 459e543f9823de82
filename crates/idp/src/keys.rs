//! The keys that sign ID tokens: made at the first start, published without their private half.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::RSA_PKCS1_SHA256,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use serde::Serialize;
use shared::secret::Secret;
use thiserror::Error;

/// The file in the keys folder.
const FILE: &str = "rs256.pem";

/// Why there is no key to sign with.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The folder or its file cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// The file holds something else.
    #[error("{0} holds no RSA private key in PEM that can sign: {1}")]
    Unusable(PathBuf, String),
    /// No key could be made.
    #[error("no RSA key could be made")]
    Generation,
}

/// A token could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("signing failed")]
pub struct SigningError;

/// An RS256 key. It is parsed once: parsing it again at every signature would double the cost of a login.
#[derive(Debug)]
pub struct SigningKey {
    pair: KeyPair,
    public: Jwk,
    kid: String,
}

impl SigningKey {
    /// A new RSA key of 2048 bits that nobody else has and that ends with this process.
    pub fn generate() -> Result<Self, KeyError> {
        Self::from_pem(&generate_pem()?, Path::new("the new key"))
    }

    /// The key in `folder`; made and kept there when there is none.
    pub fn kept_in(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(FILE);
        let failed = |error| KeyError::File(path.clone(), error);
        match fs::read_to_string(&path) {
            Ok(pem) => Self::from_pem(&pem, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = generate_pem()?;
                fs::create_dir_all(folder).map_err(failed)?;
                write_whole(&path, &pem).map_err(failed)?;
                Self::from_pem(&pem, &path)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn from_pem(pem: &str, path: &Path) -> Result<Self, KeyError> {
        let unusable = |error: &dyn std::fmt::Display| KeyError::Unusable(path.to_owned(), error.to_string());
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|error| unusable(&error))?;
        let pair = KeyPair::from_der(key.as_bytes()).map_err(|error| unusable(&error))?;
        let mut public = Jwk::from_encoding_key(&key, Algorithm::RS256).map_err(|error| unusable(&error))?;
        // RFC 7638: the name of a key is a hash of what it is, so no two keys share one.
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|error| unusable(&error))?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { pair, public, kid })
    }

    /// The `kid` of this key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the world may know of it (RFC 7517 §5).
    pub fn public(&self) -> JwkSet {
        JwkSet { keys: vec![self.public.clone()] }
    }

    /// Signs claims: a JWT in compact form (RFC 7515 §3.1).
    pub fn sign(&self, claims: &impl Serialize) -> Result<Secret, SigningError> {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::RS256) };
        let encode = |part: Result<Vec<u8>, serde_json::Error>| {
            part.map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| SigningError)
        };
        let (header, payload) = (encode(serde_json::to_vec(&header))?, encode(serde_json::to_vec(claims))?);
        let mut token = format!("{header}.{payload}");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| SigningError)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(Secret::new(token))
    }
}

fn generate_pem() -> Result<String, KeyError> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generation)?;
    let der = pair.as_der().map_err(|_| KeyError::Generation)?;
    Ok(pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref())))
}

/// Writes a file that is there whole or not at all, readable by its owner only where the system knows owners.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(&draft)?, text.as_bytes())?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::{Value, json};

    use super::*;

    fn verified(token: &Secret, key: &SigningKey) -> Result<Value, jsonwebtoken::errors::Error> {
        let public = DecodingKey::from_jwk(&key.public().keys[0]).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        jsonwebtoken::decode(token.expose(), &public, &validation).map(|data| data.claims)
    }

    #[test]
    fn what_a_key_signs_only_its_own_public_half_verifies() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let token = key.sign(&json!({ "sub": "1" })).unwrap();
        assert_eq!(verified(&token, &key).unwrap(), json!({ "sub": "1" }));
        assert!(verified(&token, &other).is_err());
        assert_ne!(key.kid(), other.kid());
    }

    #[test]
    fn i24_no_private_member_is_published() {
        let published = serde_json::to_value(SigningKey::generate().unwrap().public()).unwrap();
        let members: Vec<_> = published["keys"][0].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
    }

    #[test]
    fn a_key_is_named_by_its_thumbprint() {
        let published = serde_json::to_value(SigningKey::generate().unwrap().public()).unwrap();
        let key = &published["keys"][0];
        // RFC 7638 §3.1: the required members in alphabetical order, without spaces.
        let members = format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, key["e"], key["n"]);
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, members.as_bytes());
        assert_eq!(key["kid"], URL_SAFE_NO_PAD.encode(hash));
    }

    #[test]
    fn a_kept_key_is_the_same_after_a_restart() {
        let folder = std::env::temp_dir().join(format!("idp-keys-{}", std::process::id()));
        let first = SigningKey::kept_in(&folder).unwrap();
        let second = SigningKey::kept_in(&folder).unwrap();
        assert_eq!(first.kid(), second.kid());
        fs::write(folder.join(FILE), "not a key").unwrap();
        let broken = SigningKey::kept_in(&folder).unwrap_err().to_string();
        assert!(broken.contains(FILE), "{broken}");
        fs::remove_dir_all(folder).unwrap();
    }
}
