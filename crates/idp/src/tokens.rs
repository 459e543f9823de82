//! What is handed out in steps 6 and 9: codes, access tokens, and what an ID token says (OpenID Connect Core §2).

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use shared::{
    clock::Timestamp,
    id_token::{self, Hash, IdTokenClaims},
    ids::Issuer,
    random::Random,
    secret::Secret,
};

use crate::domain::{grant::Grant, session::ACR_PASSWORD};

/// The authorization code of step 6.
pub fn mint_code(random: &dyn Random) -> Secret {
    Secret::mint("code_", random)
}

/// An access token: opaque, it means something to this provider only.
pub fn mint_access_token(random: &dyn Random) -> Secret {
    Secret::mint("at_", random)
}

/// The handle of an interaction.
pub fn mint_handle(random: &dyn Random) -> Secret {
    Secret::mint("in_", random)
}

/// The id of a session or of a browser.
pub fn mint_cookie(random: &dyn Random) -> Secret {
    Secret::mint("", random)
}

/// What binds an access token to the ID token that comes with it and that `alg` signs.
pub fn at_hash(access_token: &Secret, alg: Algorithm) -> String {
    // OpenID Connect Core §3.1.3.6: the hash of that algorithm; all of ours but EdDSA have SHA-256.
    let hash = if alg == Algorithm::EdDSA { Hash::Sha512 } else { Hash::Sha256 };
    id_token::at_hash_by(access_token.expose(), hash)
}

/// The claims of the ID token for a grant (OpenID Connect Core §2). `user` is what it says about the user beyond that.
pub fn id_token_claims(
    issuer: Issuer,
    grant: &Grant,
    user: Map<String, Value>,
    at_hash: String,
    now: Timestamp,
    expires: Timestamp,
) -> IdTokenClaims {
    IdTokenClaims {
        iss: issuer,
        sub: grant.authentication.subject.clone(),
        aud: grant.client_id.clone(),
        exp: expires,
        iat: now,
        auth_time: grant.authentication.at,
        nonce: grant.nonce.clone(),
        at_hash,
        amr: grant.authentication.methods.iter().map(|method| (*method).to_owned()).collect(),
        // OpenID Connect Core §5.5.1.1: what really happened, whatever was asked for.
        acr: grant.claims.acr.then_some(ACR_PASSWORD),
        user,
    }
}
