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
    http::oauth_error::OAuthError,
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
    let presented = bearer_token(request, form)?;
    let (access, user) = active(state, &presented, &mut state.checks()).await?;
    // OpenID Connect Core §5.4: each scope value opens its claims; §5.5: others were asked for one by one; §5.3.2:
    // `sub` is always among them.
    let mut claims = user.claims(|claim| access.opens(claim));
    claims.insert("sub".into(), user.subject.as_str().into());
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(claims))
}

/// RFC 6750 §2: the token in the header or in the form, not in both, and never in the address, where histories and
/// logs would keep it.
fn bearer_token(request: &HttpRequest, form: &Params) -> Result<Secret, OAuthError> {
    let invalid =
        |description| OAuthError::bearer(ErrorCode::InvalidRequest, description, StatusCode::BAD_REQUEST);
    let query = Params::parse_with_repeats(request.query_string().as_bytes());
    if query.is_err() || query.is_ok_and(|query| query.iter().any(|(name, _)| name == "access_token")) {
        return Err(invalid("The access token must not be in the query."));
    }
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let in_header = headers.next();
    if headers.next().is_some() || (in_header.is_some() && form.get("access_token").is_some()) {
        return Err(invalid("The access token is sent in more than one way."));
    }
    let Some(value) = in_header else {
        return form.get("access_token").map(Secret::new).ok_or_else(OAuthError::no_bearer_token);
    };
    let credentials = value.to_str().ok().and_then(|value| value.split_once(' '));
    // RFC 6750 §2.1: one space or more.
    match credentials.map(|(scheme, token)| (scheme, token.trim_start_matches(' '))) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            Ok(Secret::new(token))
        }
        Some((scheme, _)) if !scheme.eq_ignore_ascii_case("bearer") => Err(OAuthError::no_bearer_token()),
        _ => Err(inactive()),
    }
}

/// RFC 6750 §3.1: one answer for a token that is unknown, late, revoked with its grant or by itself, or meant for others.
async fn active(
    state: &AppState,
    presented: &Secret,
    checks: &mut Checks,
) -> Result<(AccessToken, Arc<User>), OAuthError> {
    let found = active::access_token(state, presented.expose()).await?;
    let shown = if found.is_some() { Words::Active } else { Words::Inactive };
    checks.judge(Rule::BearerTokenActive, Words::Active, shown, found.is_some()).map_err(|_| inactive())?;
    let (access, user) = found.ok_or_else(inactive)?;
    // RFC 8707 §2: a token that is meant for an API does not open the user's details here.
    let here = state.metadata.issuer.as_str();
    checks
        .judge(Rule::AccessTokenAudience, here, access.audience.to_string(), access.audience.holds(here))
        .map_err(|_| inactive())?;
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
    Ok((access, user))
}

/// RFC 6750 §3: whoever brings no usable token is told how to bring one.
fn unreadable(error: FormError) -> OAuthError {
    OAuthError { challenge: Some(r#"Bearer error="invalid_request""#.into()), ..error.into() }
}

fn inactive() -> OAuthError {
    let description = "The access token is unknown, late, revoked or meant for others.";
    OAuthError::bearer(ErrorCode::InvalidToken, description, StatusCode::UNAUTHORIZED)
}
