//! How a client proves who it is at the back channel (OpenID Connect Core §9, RFC 7591 §2).

use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};

/// A way to authenticate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Name and secret in an `Authorization: Basic` header; what is meant when nothing is registered.
    #[default]
    ClientSecretBasic,
    /// Name and secret in the form.
    ClientSecretPost,
    /// An assertion that the secret signs: the secret itself does not travel.
    ClientSecretJwt,
    /// An assertion that a key of the client's own signs: the provider knows nothing that could be stolen from it.
    PrivateKeyJwt,
    /// None: a public client names itself, and that is all (RFC 6749 §2.1).
    None,
}

impl AuthMethod {
    /// The methods that are supported.
    pub const ALL: [Self; 5] = [
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::None,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }

    /// The one that is called `name`.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// Whether it takes a secret that both sides know.
    pub const fn needs_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }

    /// How assertions of this kind can be signed (RFC 7518 §3.1, RFC 8037 §3.1). A public key is never a secret, nor the
    /// other way round (RFC 8725 §3.1).
    pub const fn signing_algs(self) -> &'static [Algorithm] {
        match self {
            Self::ClientSecretJwt => &[Algorithm::HS256],
            Self::PrivateKeyJwt => SIGNING_ALGS,
            Self::ClientSecretBasic | Self::ClientSecretPost | Self::None => &[],
        }
    }
}

/// What a client's own key can sign with.
pub const SIGNING_ALGS: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
