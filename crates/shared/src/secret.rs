//! Secrets as types: they cannot be printed or compared by accident, and stores keep only their hashes.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::random::{self, Random};

/// A value that whoever holds it may use: a code, a token, a client secret, a verifier, a cookie.
///
/// It has no `==` and its `Debug` shows nothing. Compare with [`Secret::matches`] or by [`SecretHash`].
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret that came from outside.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// A new unguessable value behind `prefix`. The prefix names the kind of handle, so that one kind can never
    /// pass as another.
    pub fn mint(prefix: &str, random: &dyn Random) -> Self {
        Self(format!("{prefix}{}", random::token(random)))
    }

    /// The value itself, for the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the value: what a store keeps.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }

    /// Whether `other` is the same value, in constant time for values of one length.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// SHA-256 of a [`Secret`]. Good for values with 128 bits of randomness and more; passwords need Argon2id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Hashes a value that was presented.
    pub fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented.as_bytes()).into())
    }

    /// It as text: base64url.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The inverse of [`SecretHash::encode`]; `None` for what is none.
    pub fn decode(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Whether `presented` is the value that was hashed, in constant time.
    pub fn matches(&self, presented: &str) -> bool {
        self.0.ct_eq(&Self::of(presented).0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretHash({}…)", &URL_SAFE_NO_PAD.encode(self.0)[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn a_secret_does_not_show_itself() {
        let shown = format!("{:?}", Secret::new("client1-secret"));
        assert!(!shown.contains("client1"));
    }

    #[test]
    fn a_hash_matches_only_what_was_hashed() {
        let secret = Secret::mint("code_", &SeededRandom::new(1));
        assert!(secret.expose().starts_with("code_"));
        assert!(secret.hash().matches(secret.expose()));
        let truncated = &secret.expose()[..secret.expose().len() - 1];
        assert!(!secret.hash().matches(truncated));
        assert!(!secret.matches(truncated));
    }
}
