//! PKCE, method S256: proof that whoever redeems the code is who asked for it (RFC 7636). Made in step 2,
//! proved in step 8. The method `plain` is not spoken here (RFC 9700 §2.1.1).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::{
    random::{self, Random},
    secret::Secret,
};

/// Why a verifier or a challenge was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PkceError {
    /// RFC 7636 §4.1: 43 to 128 characters out of `A-Z a-z 0-9 - . _ ~`.
    #[error("code_verifier must have 43 to 128 unreserved characters")]
    Verifier,
    /// RFC 7636 §4.2: base64url of a SHA-256, 43 characters.
    #[error("code_challenge must be 43 characters of base64url")]
    Challenge,
}

/// `code_verifier`: the secret that the RP keeps until step 8.
#[derive(Clone, Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// A new one with 256 random bits.
    pub fn generate(random: &dyn Random) -> Self {
        Self(Secret::new(random::token(random)))
    }

    /// Reads one that was presented.
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(Secret::new(text)))
        } else {
            Err(PkceError::Verifier)
        }
    }

    /// RFC 7636 §4.2: `BASE64URL(SHA256(ASCII(code_verifier)))`.
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.expose())))
    }

    /// The verifier itself, for the token request.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// `code_challenge`: what the whole world may see of the verifier, in step 2.
#[derive(Clone, Debug)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads one that came with a request.
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if text.len() == 43 && text.bytes().all(base64url) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PkceError::Challenge)
        }
    }

    /// RFC 7636 §4.6: whether `verifier` is the one that this challenge was made from, in constant time.
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        self.0.as_bytes().ct_eq(verifier.challenge().0.as_bytes()).into()
    }

    /// The challenge as it goes over the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn the_example_of_rfc_7636_appendix_b_holds() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        assert_eq!(verifier.challenge().as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_challenge_is_met_only_by_its_own_verifier() {
        let random = SeededRandom::new(1);
        let (mine, other) = (CodeVerifier::generate(&random), CodeVerifier::generate(&random));
        assert!(mine.challenge().is_met_by(&mine));
        assert!(!mine.challenge().is_met_by(&other));
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        for length in [43, 128] {
            assert!(CodeVerifier::parse(&"a".repeat(length)).is_ok());
        }
        for length in [0, 42, 129] {
            assert!(CodeVerifier::parse(&"a".repeat(length)).is_err());
        }
        assert!(CodeVerifier::parse(&"=".repeat(43)).is_err());
        assert!(CodeChallenge::parse(&"=".repeat(43)).is_err());
    }
}
