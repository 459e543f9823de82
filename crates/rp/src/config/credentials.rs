//! What this client proves itself with: its secret, its key, and what these must be like.

use std::{fs, path::Path, sync::Arc};

use shared::secret::Secret;
use web::settings;

use crate::{
    algorithm::Algorithm,
    client::{AuthMethod, Client},
    key::SigningKey,
};

/// The secret of the tutorial's client.
pub(super) const TUTORIAL_SECRET: &str = "client1-secret";
/// The shortest key for HS256, in bytes: as long as its hash (RFC 7518 §3.2).
const HS256_KEY: usize = 32;

/// The secret, where the method takes one. A public client has none, and one with a key of its own needs it for HS256 only.
pub(super) fn secret(
    given: Option<Secret>,
    file: Option<&Path>,
    method: AuthMethod,
) -> Result<Option<Secret>, String> {
    let is_given = given.is_some() || file.is_some();
    if method == AuthMethod::None && is_given {
        return Err("RP_CLIENT_SECRET is of no use: with the method none there is no secret".into());
    }
    if !method.needs_secret() && !is_given {
        return Ok(None);
    }
    let given = given.map(|secret| secret.expose().to_owned());
    settings::secret("RP_CLIENT_SECRET", given, file, TUTORIAL_SECRET).map(Some)
}

/// RFC 7518 §3.2: a secret that signs with HS256 has as many bytes as its hash.
pub(super) fn long_enough(client: &Client) -> Result<(), String> {
    let signs = client.auth_method == AuthMethod::ClientSecretJwt
        || client.id_token_signed_response_alg == Algorithm::Hs256;
    let long = client.secret.as_ref().is_some_and(|secret| secret.expose().len() >= HS256_KEY);
    if signs && !long {
        return Err(format!(
            "RP_CLIENT_SECRET is too short to be the key for HS256: it needs {HS256_KEY} bytes (RFC 7518 §3.2)"
        ));
    }
    Ok(())
}

/// The private key in `file`.
pub(super) fn key(file: &Path, algorithm: Algorithm) -> Result<Arc<SigningKey>, String> {
    let pem = fs::read(file)
        .map_err(|error| format!("RP_CLIENT_KEY names {}, which cannot be read: {error}", file.display()))?;
    let key = SigningKey::from_pem(algorithm, &pem).ok_or_else(|| {
        let (file, algorithm) = (file.display(), algorithm.as_str());
        format!("RP_CLIENT_KEY names {file}, which holds no private key for {algorithm} (PKCS #8, PEM)")
    })?;
    Ok(Arc::new(key))
}
