//! The ID token's claims: who signed in, at which provider, for which client, when and how (OpenID Connect Core §2).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha512};

use crate::{
    clock::Timestamp,
    ids::{ClientId, Issuer, Subject},
};

/// What an ID token of this provider says. Name and e-mail come from the userinfo endpoint (OpenID Connect Core §5.4),
/// unless they were asked for here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdTokenClaims {
    /// Who issued it.
    pub iss: Issuer,
    /// Who signed in.
    pub sub: Subject,
    /// For which client it is meant.
    pub aud: ClientId,
    /// When it ends.
    pub exp: Timestamp,
    /// When it was issued.
    pub iat: Timestamp,
    /// When the user authenticated.
    pub auth_time: Timestamp,
    /// The client's own value from step 2, unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Binds the access token that came with it; see [`at_hash_by`].
    pub at_hash: String,
    /// How the user authenticated (RFC 8176).
    pub amr: Vec<String>,
    /// How strong that is; said only to those who ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'static str>,
    /// Claims about the user, when the client wants them here.
    #[serde(flatten)]
    pub user: Map<String, Value>,
}

/// The hash inside a signature algorithm, by which an ID token's `at_hash` is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// Of RS256, PS256, ES256 and HS256.
    Sha256,
    /// Of `EdDSA` with Ed25519 (RFC 8032 §5.1).
    Sha512,
}

/// `at_hash`: the left half of the hash of the access token's ASCII characters, in base64url. The hash is the one of
/// the algorithm that signs the ID token (OpenID Connect Core §3.1.3.6).
pub fn at_hash_by(access_token: &str, hash: Hash) -> String {
    let ascii = access_token.as_bytes();
    match hash {
        Hash::Sha256 => URL_SAFE_NO_PAD.encode(&Sha256::digest(ascii)[..16]),
        Hash::Sha512 => URL_SAFE_NO_PAD.encode(&Sha512::digest(ascii)[..32]),
    }
}

/// [`at_hash_by`] SHA-256.
pub fn at_hash(access_token: &str) -> String {
    at_hash_by(access_token, Hash::Sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_at_hash_of_openid_connect_core_appendix_a_3_holds() {
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(access_token), "77QmUPtjPfzWtF2AnpK9RQ");
    }

    #[test]
    fn the_at_hash_beside_eddsa_is_half_a_sha_512() {
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash_by(access_token, Hash::Sha512), "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM");
    }
}
