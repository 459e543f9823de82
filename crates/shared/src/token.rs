//! The token endpoint's answer, step 9 (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).

use serde::Serialize;

use crate::{scope::Scope, secret::Secret};

/// A successful answer of the token endpoint.
#[derive(Debug, Serialize)]
pub struct TokenResponse {
    /// Opens the userinfo endpoint and APIs, for whoever bears it.
    pub access_token: Secret,
    /// Always `Bearer` (RFC 6750 §4).
    pub token_type: &'static str,
    /// Seconds until the access token ends.
    pub expires_in: u64,
    /// What was granted; always stated, because it may be less than what was asked for (RFC 6749 §5.1).
    pub scope: Scope,
    /// Says who signed in; absent when `openid` was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<Secret>,
    /// Buys new tokens when the access token has ended; absent when the client gets none (RFC 6749 §1.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
}
