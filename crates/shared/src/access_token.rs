//! What an access token says that is a JWT: who may use it, on whose behalf, where, how far and how long (RFC 9068
//! §2.2).

use serde::Serialize;

use crate::{
    clock::Timestamp,
    ids::{ClientId, Issuer, Subject},
    scope::Scope,
};

/// The claims.
#[derive(Clone, Debug, Serialize)]
pub struct AccessTokenClaims {
    /// Who issued it.
    pub iss: Issuer,
    /// On whose behalf it is used.
    pub sub: Subject,
    /// The resources that it is meant for.
    pub aud: Vec<String>,
    /// Who may use it.
    pub client_id: ClientId,
    /// How far it reaches.
    pub scope: Scope,
    /// Its own name, which no other token has.
    pub jti: String,
    /// When it was issued.
    pub iat: Timestamp,
    /// When it ends.
    pub exp: Timestamp,
}
