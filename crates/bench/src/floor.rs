//! Floors: what a login cannot cost less than, computed in this process as the provider computes it.

use std::hint::black_box;

use anyhow::{Result, anyhow, ensure};
use argon2::Block;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::RSA_PKCS1_SHA256,
};
use idp::{demo, domain::password::PasswordHash};
use shared::secret::Secret;

/// About as much as header and payload of an ID token have.
const TOKEN_BYTES: usize = 500;

/// An RSA-2048 signature.
#[derive(Debug)]
pub struct Signature(KeyPair);

impl Signature {
    /// With a new key.
    pub fn new() -> Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| anyhow!("no key"))?;
        Ok(Self(pair))
    }

    /// Computes one.
    pub fn compute(&self) -> Result<()> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let signed =
            self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &[b'e'; TOKEN_BYTES], &mut signature);
        black_box(signature);
        signed.map_err(|_| anyhow!("no signature"))
    }
}

/// An Argon2id hash of the password of the demo's first user.
#[derive(Debug)]
pub struct Hash {
    expected: PasswordHash,
    memory: Vec<Block>,
}

impl Hash {
    /// With the parameters of `expected`.
    pub fn new(expected: PasswordHash) -> Self {
        Self { expected, memory: Vec::new() }
    }

    /// Computes one.
    pub fn compute(&mut self) -> Result<()> {
        let (_, password) = demo::PEOPLE[0];
        ensure!(self.expected.matches(&Secret::new(password), &mut self.memory), "another password");
        Ok(())
    }

    /// The memory that it needs, in bytes.
    pub fn memory(&self) -> u64 {
        (self.memory.len() * size_of::<Block>()) as u64
    }
}
