//! What was recorded of flows: for the client that they belong to, at the back channel.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use serde_json::json;
use shared::secret::SecretHash;
use web::form::{Form, FormError};

use crate::{
    http::{client_auth, oauth_error::OAuthError},
    state::AppState,
};

/// `POST /flows/lookup`: the events of the client's own flows that one of the values of `correlator` belongs to, each the
/// hash of something that only its own messages carry.
pub async fn lookup(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, OAuthError> {
    let params = form?.params(&["correlator"])?;
    let client = client_auth::authenticate(&state, &request, &params, &mut state.checks()).await?;
    let correlators: Vec<_> = params.all("correlator").filter_map(SecretHash::decode).collect();
    let found = state.recorder.as_ref().map(|recorder| recorder.events_of(&correlators, client.id.as_str()));
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "events": found.unwrap_or_default() })))
}
