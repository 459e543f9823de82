//! What is handed out in steps 6 and 9: codes, access tokens, refresh tokens, and what an ID token says (OpenID Connect
//! Core §2).

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use shared::{
    access_token::AccessTokenClaims,
    clock::Timestamp,
    id_token::{self, Hash, IdTokenClaims},
    ids::Issuer,
    random::{self, Random},
    secret::{Secret, SecretHash},
};

use crate::domain::{
    access_token::AccessToken, grant::Approval, refresh_family::RefreshToken, session::ACR_PASSWORD,
};

/// How the `request_uri` of a pushed request begins (RFC 9126 §2.2).
pub const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";

/// The `request_uri` of a pushed request.
pub fn mint_request_uri(random: &dyn Random) -> Secret {
    Secret::mint(REQUEST_URI, random)
}

/// The authorization code of step 6.
pub fn mint_code(random: &dyn Random) -> Secret {
    Secret::mint("code_", random)
}

/// An access token that is opaque: it means something to this provider only.
pub fn mint_access_token(random: &dyn Random) -> Secret {
    Secret::mint("at_", random)
}

/// What an access token says that is a JWT (RFC 9068 §2.2).
pub fn access_token_claims(issuer: Issuer, access: &AccessToken, random: &dyn Random) -> AccessTokenClaims {
    AccessTokenClaims {
        iss: issuer,
        sub: access.subject(),
        aud: access.audience.as_slice().to_vec(),
        client_id: access.client_id.clone(),
        scope: access.scope.clone(),
        jti: random::token(random),
        iat: access.issued,
        exp: access.expires,
    }
}

/// The first refresh token of a new family, and the hash of the handle that all of them share.
pub fn mint_family(random: &dyn Random) -> (SecretHash, Secret) {
    let handle = random::token(random);
    (SecretHash::of(&handle), RefreshToken::write(&handle, &random::token(random)))
}

/// The refresh token that takes the place of `presented`, in the same family.
pub fn mint_next(presented: &str, random: &dyn Random) -> Secret {
    let handle = RefreshToken::handle(presented).unwrap_or_default();
    RefreshToken::write(handle, &random::token(random))
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

/// The claims of the ID token for what was allowed (OpenID Connect Core §2). `user` is what it says about the user
/// beyond that.
pub fn id_token_claims(
    issuer: Issuer,
    approval: &Approval,
    nonce: Option<String>,
    user: Map<String, Value>,
    at_hash: String,
    now: Timestamp,
    expires: Timestamp,
) -> IdTokenClaims {
    IdTokenClaims {
        iss: issuer,
        sub: approval.authentication.subject.clone(),
        aud: approval.client_id.clone(),
        exp: expires,
        iat: now,
        auth_time: approval.authentication.at,
        nonce,
        at_hash,
        amr: approval.authentication.methods.iter().map(|method| (*method).to_owned()).collect(),
        // OpenID Connect Core §5.5.1.1: what really happened, whatever was asked for.
        acr: approval.claims.acr.then_some(ACR_PASSWORD),
        user,
    }
}
