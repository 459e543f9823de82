//! Steps 8 and 9, and whenever tokens are renewed: the token endpoint (RFC 6749 §3.2, OpenID Connect Core §3.1.3). It
//! authenticates the client, looks at the grant type and hands over to the grant's own file.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use shared::{
    error::ErrorCode,
    flow::{Checks, Rule},
    token::TokenResponse,
};
use web::form::{Form, FormError};

use crate::{
    code_flow::exchange,
    domain::client::{Client, GrantType},
    features::{client_credentials, refresh},
    http::{
        back_channel,
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
    let mut checks = state.checks();
    let repeatable = ["resource", "audience"];
    let (client, params) = back_channel::asked(&state, &request, form, &repeatable, &mut checks).await?;
    let grant_type = params
        .get("grant_type")
        .ok_or_else(|| OAuthError::bad_request(ErrorCode::InvalidRequest, "grant_type is missing."))?;
    let tokens = match allowed(&client, grant_type, &mut checks)? {
        GrantType::AuthorizationCode => exchange::exchange(&state, &client, &params, &mut checks).await,
        GrantType::RefreshToken => refresh::refresh(&state, &client, &params, &mut checks).await,
        GrantType::ClientCredentials => {
            client_credentials::issue(&state, &client, &params, &mut checks).await
        }
    };
    tokens.map(|tokens| answer(&tokens))
}

/// RFC 6749 §5.2: a grant type that this server knows, and that this client may use.
fn allowed(client: &Client, presented: &str, checks: &mut Checks) -> Result<GrantType, OAuthError> {
    let names = |types: &[GrantType]| types.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" / ");
    let Some(grant_type) = GrantType::find(presented) else {
        let failed = checks.refuse(Rule::GrantTypeKnown, names(&GrantType::ALL), presented);
        let description = "grant_type is none that this server knows.";
        return Err(refused(ErrorCode::UnsupportedGrantType, description)(failed));
    };
    checks.pass(Rule::GrantTypeKnown, presented);
    let allowed = names(&client.grant_types);
    checks.judge(Rule::GrantTypeAllowed, allowed, presented.to_owned(), client.may_use(grant_type)).map_err(
        refused(ErrorCode::UnauthorizedClient, "The client is not registered for this grant_type."),
    )?;
    Ok(grant_type)
}

/// RFC 6749 §5.1: nobody on the way may keep the tokens.
fn answer(tokens: &TokenResponse) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(tokens)
}
