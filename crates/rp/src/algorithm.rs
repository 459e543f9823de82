//! How the provider signs the ID tokens for this client: one algorithm, fixed by the settings. It is the value that the
//! client is registered with as `id_token_signed_response_alg` (OpenID Connect Dynamic Client Registration §2).

use clap::ValueEnum;
use openidconnect::core::CoreJwsSigningAlgorithm;
use shared::id_token::Hash;

/// A signature algorithm for ID tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// RSA with the older padding: what every provider can do
    #[default]
    #[value(name = "RS256")]
    Rs256,
    /// RSA with the newer padding
    #[value(name = "PS256")]
    Ps256,
    /// Elliptic curve P-256
    #[value(name = "ES256")]
    Es256,
    /// Elliptic curve Ed25519
    #[value(name = "EdDSA")]
    EdDsa,
    /// No public key: the client secret makes the signature and verifies it
    #[value(name = "HS256")]
    Hs256,
}

impl Algorithm {
    /// All of them, the default first.
    pub const ALL: [Self; 5] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa, Self::Hs256];

    /// Its name in `alg` (RFC 7518 §3.1, RFC 8037 §3.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    /// The hash inside it, which `at_hash` is made with.
    pub const fn hash(self) -> Hash {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 | Self::Hs256 => Hash::Sha256,
            Self::EdDsa => Hash::Sha512,
        }
    }

    /// As the crate that verifies signatures here calls it.
    pub(crate) const fn at_jsonwebtoken(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
        }
    }

    /// As the library of the second opinion calls it.
    pub(crate) const fn at_openidconnect(self) -> CoreJwsSigningAlgorithm {
        match self {
            Self::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            Self::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            Self::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            Self::EdDsa => CoreJwsSigningAlgorithm::EdDsa,
            Self::Hs256 => CoreJwsSigningAlgorithm::HmacSha256,
        }
    }
}
