//! The second opinion: the verifier of openidconnect, with the same expectations and the same clock.

use std::str::FromStr as _;

use chrono::{DateTime, TimeZone as _, Utc};
use openidconnect::{
    ClientId, IssuerUrl, Nonce,
    core::{CoreIdToken, CoreIdTokenVerifier},
};
use shared::clock::Timestamp;

use super::{Expected, SKEW};
use crate::provider::KeySet;

/// What the library says of a token; an error is its reason.
///
/// It is told of no client secret, so that it can accept no HMAC, and it allows RS256 only unless told otherwise.
pub(super) fn verify(id_token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<(), String> {
    let issuer = IssuerUrl::new(expected.issuer.to_owned()).map_err(|error| error.to_string())?;
    let client_id = ClientId::new(expected.client_id.to_owned());
    // It knows no tolerance. A clock that is slow by as much is the same.
    let clock = utc(expected.now - SKEW);
    let verifier = CoreIdTokenVerifier::new_public_client(client_id, issuer, keys.library.clone())
        .set_time_fn(move || clock);
    let token = CoreIdToken::from_str(id_token).map_err(|error| error.to_string())?;
    let nonce = Nonce::new(expected.nonce.to_owned());
    token.claims(&verifier, &nonce).map(|_| ()).map_err(|error| error.to_string())
}

fn utc(at: Timestamp) -> DateTime<Utc> {
    Utc.timestamp_opt(at.as_unix(), 0).single().unwrap_or_default()
}
