//! Steps 8 and 9: the token endpoint (RFC 6749 §3.2, OpenID Connect Core §3.1.3). It authenticates the client, looks
//! at the grant type and hands over to the grant's own file.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use shared::{error::ErrorCode, flow::Rule, token::TokenResponse};
use web::form::{Form, FormError};

use crate::{
    code_flow::exchange,
    http::{
        client_auth,
        oauth_error::{OAuthError, refused},
    },
    state::AppState,
};

/// `POST /oauth/token`
pub async fn token(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, OAuthError> {
    // RFC 6749 §3.2: parameters are in the body, each at most once. A code in a query would end up in logs.
    if !request.query_string().is_empty() {
        return Err(OAuthError::bad_request(
            ErrorCode::InvalidRequest,
            "The token endpoint takes its parameters in the body, none in the query.",
        ));
    }
    let params = form?.params(&["resource", "audience"])?;
    let mut checks = state.checks();
    let client = client_auth::authenticate(&state, &request, &params, &mut checks).await?;
    let grant_type = params
        .get("grant_type")
        .ok_or_else(|| OAuthError::bad_request(ErrorCode::InvalidRequest, "grant_type is missing."))?;
    checks.equal(Rule::GrantTypeKnown, "authorization_code", grant_type).map_err(refused(
        ErrorCode::UnsupportedGrantType,
        "The only grant_type here is authorization_code.",
    ))?;
    exchange::exchange(&state, &client, &params, &mut checks).await.map(|tokens| answer(&tokens))
}

/// RFC 6749 §5.1: nobody on the way may keep the tokens.
fn answer(tokens: &TokenResponse) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(tokens)
}
