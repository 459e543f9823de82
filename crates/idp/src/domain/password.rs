//! Step 4: a password as it is kept, an Argon2id hash (RFC 9106).

use std::fmt;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt},
};
use shared::{random::Random, secret::Secret};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

/// Why a hash could not be read or made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not an Argon2id hash in PHC string format: {0}")]
pub struct HashError(String);

/// An Argon2id hash with its salt and its parameters, as a PHC string such as `$argon2id$v=19$m=19456,t=2,p=1$…`.
#[derive(Clone, Debug)]
pub struct PasswordHash {
    params: Params,
    salt: Salt,
    output: Output,
}

impl PasswordHash {
    /// Reads a PHC string.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        let malformed = |error: &dyn fmt::Display| HashError(error.to_string());
        let phc = Phc::new(text).map_err(|error| malformed(&error))?;
        if phc.algorithm.as_str() != "argon2id" || phc.version != Some(0x13) {
            return Err(malformed(&"the algorithm must be argon2id, version 19"));
        }
        let params = Params::try_from(&phc).map_err(|error| malformed(&error))?;
        let (Some(salt), Some(output)) = (phc.salt, phc.hash) else {
            return Err(malformed(&"salt or hash is missing"));
        };
        Ok(Self { params, salt, output })
    }

    /// Hashes a new password with the parameters that OWASP recommends: 19 MiB, two passes, one lane.
    pub fn of(password: &Secret, random: &dyn Random) -> Result<Self, HashError> {
        let malformed = |error: &dyn fmt::Display| HashError(error.to_string());
        let mut salt = [0; 16];
        random.fill(&mut salt);
        let params = Params::default();
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into(normalised(password).as_bytes(), &salt, &mut output)
            .map_err(|error| malformed(&error))?;
        let salt = Salt::new(&salt).map_err(|error| malformed(&error))?;
        let output = Output::new(&output).map_err(|error| malformed(&error))?;
        Ok(Self { params, salt, output })
    }

    /// The hash of a password that nobody knows or will find. Nothing is computed for it: any 32 bytes will do.
    pub fn of_nobody(random: &dyn Random) -> Result<Self, HashError> {
        let malformed = |error: &dyn fmt::Display| HashError(error.to_string());
        let (mut salt, mut output) = ([0; 16], [0; Params::DEFAULT_OUTPUT_LEN]);
        random.fill(&mut salt);
        random.fill(&mut output);
        let salt = Salt::new(&salt).map_err(|error| malformed(&error))?;
        let output = Output::new(&output).map_err(|error| malformed(&error))?;
        Ok(Self { params: Params::default(), salt, output })
    }

    /// Whether it takes as long to compute as any that is made here.
    pub fn costs_the_usual(&self) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        cost(&self.params) == cost(&Params::default())
    }

    /// Memory for a hash of the usual cost: reserved in one piece, and the system gives it when it is written to.
    pub fn memory() -> Vec<Block> {
        Vec::with_capacity(Params::default().block_count())
    }

    /// Whether `password` has this hash. `memory` is lent for the computation.
    pub fn matches(&self, password: &Secret, memory: &mut Vec<Block>) -> bool {
        memory.resize(self.params.block_count(), Block::default());
        let mut computed = vec![0; self.output.len()];
        let hashed = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
            .hash_password_into_with_memory(
                normalised(password).as_bytes(),
                self.salt.as_ref(),
                &mut computed,
                memory.as_mut_slice(),
            );
        // `Output` compares in constant time.
        hashed.is_ok() && Output::new(&computed).is_ok_and(|computed| computed == self.output)
    }
}

/// The PHC string.
impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = ParamsString::try_from(&self.params).map_err(|_| fmt::Error)?;
        let phc = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params,
            salt: Some(self.salt),
            hash: Some(self.output),
        };
        phc.fmt(f)
    }
}

/// One password, however its accents are encoded: NFC (RFC 8265 §4.2.2). Nothing is cut off.
fn normalised(password: &Secret) -> String {
    password.expose().nfc().collect()
}

#[cfg(test)]
mod tests {
    use shared::random::SystemRandom;

    use super::*;

    fn hash(password: &str) -> PasswordHash {
        PasswordHash::of(&Secret::new(password), &SystemRandom).unwrap()
    }

    fn matches(hash: &PasswordHash, password: &str) -> bool {
        hash.matches(&Secret::new(password), &mut Vec::new())
    }

    #[test]
    fn i9_passwords_that_differ_at_byte_73_differ() {
        let long = "a".repeat(72);
        let hash = hash(&format!("{long}b"));
        assert!(matches(&hash, &format!("{long}b")));
        assert!(!matches(&hash, &format!("{long}c")));
        assert!(!matches(&hash, &long));
    }

    #[test]
    fn i9_composed_and_decomposed_forms_are_one_password() {
        let hash = hash("パスワード");
        assert!(matches(&hash, "ハ\u{309a}スワート\u{3099}"));
    }

    #[test]
    fn a_hash_is_written_as_it_is_read() {
        let written = hash("DemoTest2024!").to_string();
        assert!(written.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{written}");
        let read = PasswordHash::parse(&written).unwrap();
        assert_eq!(read.to_string(), written);
        assert!(matches(&read, "DemoTest2024!") && read.costs_the_usual());
        let cheaper = PasswordHash::parse(&written.replace("t=2", "t=1")).unwrap();
        assert!(!cheaper.costs_the_usual());
    }

    #[test]
    fn i9_only_argon2id_is_read() {
        for bad in ["", "DemoTest2024!", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g", "$2b$12$abc"] {
            assert!(PasswordHash::parse(bad).is_err(), "{bad}");
        }
    }
}
