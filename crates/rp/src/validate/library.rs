//! The second opinion: the verifier of openidconnect, with the same expectations and the same clock.

use std::str::FromStr as _;

use chrono::{DateTime, TimeZone as _, Utc};
use openidconnect::{
    ClientId, ClientSecret, IssuerUrl, JsonWebKeySet, Nonce,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet},
};
use shared::clock::Timestamp;

use super::{Expected, SKEW};
use crate::provider::{KeySet, Source};

/// What the library says of a token; an error is its reason.
///
/// It is told of the client secret only where that is the key, so that it can accept no other HMAC.
pub(super) fn verify(id_token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<(), String> {
    let issuer = IssuerUrl::new(expected.issuer.to_owned()).map_err(|error| error.to_string())?;
    let client_id = ClientId::new(expected.client_id.to_owned());
    let verifier = match &keys.source {
        Source::Published(keys) => {
            let readable = keys.iter().filter_map(|key| key.library.clone()).collect();
            CoreIdTokenVerifier::new_public_client(client_id, issuer, CoreJsonWebKeySet::new(readable))
        }
        Source::Shared(secret) => {
            check_length(id_token)?;
            let secret = ClientSecret::new(secret.expose().to_owned());
            CoreIdTokenVerifier::new_confidential_client(client_id, secret, issuer, JsonWebKeySet::default())
        }
    };
    // It knows no tolerance. A clock that is slow by as much is the same.
    let clock = utc(expected.now - SKEW);
    let verifier =
        verifier.set_allowed_algs([keys.algorithm().at_openidconnect()]).set_time_fn(move || clock);
    let token = CoreIdToken::from_str(id_token).map_err(|error| error.to_string())?;
    // OpenID Connect Core §12.2: a token that comes with a refresh need not say it.
    let nonce = |presented: Option<&Nonce>| match presented {
        Some(nonce) if nonce.secret() == expected.nonce => Ok(()),
        None if expected.renewed.is_some() => Ok(()),
        _ => Err("another nonce".to_owned()),
    };
    token.claims(&verifier, nonce).map(|_| ()).map_err(|error| error.to_string())
}

/// The library panics at an HMAC of another length than that of SHA-256: 32 bytes, in base64url 43 characters.
fn check_length(id_token: &str) -> Result<(), String> {
    let signature = id_token.rsplit('.').next().unwrap_or_default();
    if signature.len() == 43 { Ok(()) } else { Err("the signature has another length".to_owned()) }
}

fn utc(at: Timestamp) -> DateTime<Utc> {
    Utc.timestamp_opt(at.as_unix(), 0).single().unwrap_or_default()
}
