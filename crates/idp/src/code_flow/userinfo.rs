//! After step 10: the claims about the user, for whoever bears the access token (OpenID Connect Core §5.3, RFC 6750).

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Words},
    params::Params,
    scope::Scope,
    secret::Secret,
};
use web::form::{Form, FormError};

use crate::{
    active,
    domain::{access_token::AccessToken, user::User},
    http::{bearer, oauth_error::OAuthError},
    state::AppState,
};

/// `GET /oauth/userinfo`
pub async fn get(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, OAuthError> {
    userinfo(&state, &request, &Params::default()).await
}

/// `POST /oauth/userinfo`: the token may also stand in the form (RFC 6750 §2.2).
pub async fn post(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, OAuthError> {
    let params = form.and_then(|form| form.params(&[])).map_err(unreadable)?;
    userinfo(&state, &request, &params).await
}

async fn userinfo(
    state: &AppState,
    request: &HttpRequest,
    form: &Params,
) -> Result<HttpResponse, OAuthError> {
    let presented = bearer::token(request, form, "userinfo endpoint")?;
    let (access, user) = active(state, &presented, &mut state.checks()).await?;
    // OpenID Connect Core §5.4: each scope value opens its claims; §5.5: others were asked for one by one; §5.3.2:
    // `sub` is always among them.
    let mut claims = user.claims(|claim| access.opens(claim));
    claims.insert("sub".into(), user.subject.as_str().into());
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(claims))
}

/// RFC 6750 §3.1: one answer for a token that is unknown, late, revoked with its grant or by itself, or meant for
/// others.
async fn active(
    state: &AppState,
    presented: &Secret,
    checks: &mut Checks,
) -> Result<(AccessToken, Arc<User>), OAuthError> {
    let found = active::access_token(state, presented.expose()).await?;
    let shown = if found.is_some() { Words::Active } else { Words::Inactive };
    checks
        .judge(Rule::BearerTokenActive, Words::Active, shown, found.is_some())
        .map_err(|_| OAuthError::invalid_token())?;
    let (access, user) = found.ok_or_else(OAuthError::invalid_token)?;
    // RFC 8707 §2: a token that is meant for an API does not open the user's details here.
    let here = state.metadata.issuer.as_str();
    checks
        .judge(Rule::AccessTokenAudience, here, access.audience.to_string(), access.audience.holds(here))
        .map_err(|_| OAuthError::invalid_token())?;
    // OpenID Connect Core §5.3.1: the token must come from an OpenID Connect request.
    checks
        .judge(
            Rule::BearerTokenScope,
            Scope::OPENID,
            access.scope.to_string(),
            access.scope.contains(Scope::OPENID),
        )
        .map_err(|_| {
            let description = "The access token was issued without the scope openid.";
            OAuthError::bearer(ErrorCode::InsufficientScope, description, StatusCode::FORBIDDEN)
        })?;
    // A client that acts for itself has no claims.
    let user = user.ok_or_else(OAuthError::invalid_token)?;
    Ok((access, user))
}

/// RFC 6750 §3: whoever brings no usable token is told how to bring one.
fn unreadable(error: FormError) -> OAuthError {
    OAuthError { challenge: Some(r#"Bearer error="invalid_request""#.into()), ..error.into() }
}
