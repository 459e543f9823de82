//! The door of the API: each request is let in by its access token, or is told why not (RFC 6750 §3).

use actix_web::{HttpRequest, http::StatusCode};
use serde::Serialize;
use shared::{
    error::ErrorCode,
    flow::{Checks, Failed, Rule},
    ids::{ClientId, Subject},
    params::Params,
    scope::Scope,
};

use super::jwt::{self, Trusted};
use crate::{
    config,
    features::introspection::{self, Asker},
    http::{bearer, oauth_error::OAuthError},
    state::AppState,
};

/// The name of the API in `WWW-Authenticate`.
const REALM: &str = "api";

/// What a token that was let in says.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    /// Which application calls.
    pub client_id: ClientId,
    /// On whose behalf.
    pub sub: Subject,
    /// How far the user lets it.
    pub scope: Scope,
}

/// Lets a request in.
pub async fn admit(state: &AppState, request: &HttpRequest) -> Result<Access, OAuthError> {
    let mut checks = state.checks();
    let token = bearer::token(request, &Params::default(), REALM)?;
    // RFC 7519 §3: three parts between two dots. An opaque token has none.
    if token.expose().contains('.') {
        validated(state, token.expose(), &mut checks).await
    } else {
        introspected(state, token.expose(), &mut checks).await
    }
}

/// Lets a request in whose token reaches as far as `needed`.
pub async fn admit_with(state: &AppState, request: &HttpRequest, needed: &str) -> Result<Access, OAuthError> {
    let access = admit(state, request).await?;
    // RFC 6750 §3.1: who asks for more than the token permits is told how much it would take.
    state
        .checks()
        .judge(Rule::AccessTokenScope, needed, access.scope.to_string(), access.scope.contains(needed))
        .map_err(|_| {
            let description = "The access token does not reach that far.";
            OAuthError::bearer(ErrorCode::InsufficientScope, description, StatusCode::FORBIDDEN)
                .needing(needed)
        })?;
    Ok(access)
}

/// RFC 9068: a JWT says by itself what it is. Elsewhere the keys would be fetched from the issuer's `jwks_uri`, and
/// kept.
async fn validated(state: &AppState, token: &str, checks: &mut Checks) -> Result<Access, OAuthError> {
    let (now, resource) = (state.clock.now(), config::api_of(&state.settings.origin));
    let keys = state.keys.published(state.present()).await;
    let trusted = Trusted {
        issuer: state.metadata.issuer.as_str(),
        algorithm: state.settings.signing_alg.into(),
        resource: &resource,
    };
    jwt::read(token, trusted, &keys, now, checks).map_err(|Failed(check)| {
        tracing::info!(rule = check.rule.id(), "refused");
        OAuthError::invalid_token()
    })
}

/// RFC 7662: an opaque token means nothing to an API; the provider that issued it says what it is. Elsewhere this would
/// be a request to the introspection endpoint.
async fn introspected(state: &AppState, token: &str, checks: &mut Checks) -> Result<Access, OAuthError> {
    let resource = [config::api_of(&state.settings.origin)];
    let asker = Asker { client: None, resources: &resource };
    let answer = introspection::introspect(state, asker, token, checks).await?;
    let described = answer.token.filter(|_| answer.active).ok_or_else(OAuthError::invalid_token)?;
    Ok(Access { client_id: described.client_id, sub: described.sub, scope: described.scope })
}
