//! What is handed out: codes, access tokens and ID tokens.

use shared::{
    clock::Timestamp,
    id_token::{self, IdTokenClaims},
    ids::Issuer,
    random::Random,
    secret::Secret,
};

use crate::domain::grant::Grant;

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

/// The claims of the ID token for a grant (OpenID Connect Core §2). Whatever describes the user comes from userinfo.
pub fn id_token_claims(
    issuer: Issuer,
    grant: &Grant,
    access_token: &Secret,
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
        at_hash: id_token::at_hash(access_token.expose()),
        amr: grant.authentication.methods.iter().map(|method| (*method).to_owned()).collect(),
    }
}
