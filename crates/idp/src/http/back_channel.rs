//! A request of the back channel: a form that a client sends, and proves to be its own.

use std::sync::Arc;

use actix_web::HttpRequest;
use shared::{error::ErrorCode, flow::Checks, params::Params};
use web::form::{Form, FormError};

use super::{client_auth, oauth_error::OAuthError};
use crate::{domain::client::Client, state::AppState};

/// The client that asks, and its parameters, of which those in `repeatable` may stand more than once.
pub async fn asked(
    state: &AppState,
    request: &HttpRequest,
    form: Result<Form, FormError>,
    repeatable: &[&str],
    checks: &mut Checks,
) -> Result<(Arc<Client>, Params), OAuthError> {
    // RFC 6749 §3.2, RFC 7009 §2.1, RFC 7662 §2.1: parameters are in the body, each at most once. A code or a token in
    // a query would end up in logs.
    if !request.query_string().is_empty() {
        return Err(OAuthError::bad_request(
            ErrorCode::InvalidRequest,
            "This endpoint takes its parameters in the body, none in the query.",
        ));
    }
    let params = form?.params(repeatable)?;
    let client = client_auth::authenticate(state, request, &params, checks).await?;
    Ok((client, params))
}
