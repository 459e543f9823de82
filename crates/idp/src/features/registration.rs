//! A client registers itself (RFC 7591, OpenID Connect Dynamic Client Registration), looks at its registration and deletes
//! it (RFC 7592).
//!
//! Bodies are `application/json` and nothing else: no page of another site can have a browser send that unasked.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path},
};
use serde_json::{Map, Value};
use shared::{
    clock::Timestamp,
    error::ErrorCode,
    ids::ClientId,
    params::Params,
    secret::{Secret, SecretHash},
};
use web::{form::FormError, json::JsonBody, visitor};

use crate::{
    config::{self, dynamic},
    domain::{client_metadata, registration::Registration},
    http::{bearer, oauth_error::OAuthError},
    state::AppState,
};

/// What the tokens of these endpoints are for (RFC 6750 §3).
const REALM: &str = "registration";

/// `POST /oauth/register`: 201 with everything that is registered, or which member is wrong.
pub async fn register(
    state: Data<AppState>,
    request: HttpRequest,
    body: Result<JsonBody, FormError>,
) -> Result<HttpResponse, OAuthError> {
    may_register(state.settings.registration.as_ref(), &request)?;
    let body = body.map_err(|error| OAuthError {
        code: Some(ErrorCode::InvalidClientMetadata),
        ..OAuthError::from(error)
    })?;
    // Registrations do not travel in time.
    let now = state.present();
    let read = dynamic::read(body.bytes(), &state.offer, state.random.as_ref(), now);
    let (client, also) = read.map_err(|refused| {
        tracing::info!(description = ?refused.description, "registration refused");
        OAuthError::bad_request(refused.code, refused.description).in_ascii()
    })?;
    let access_token = Secret::mint("reg_", state.random.as_ref());
    let registration = Registration {
        client: Arc::new(client),
        also: Arc::new(also),
        access_token: access_token.hash(),
        idle: state.settings.registration.as_ref().map(|it| it.idle).unwrap_or_default(),
        address: visitor::address(&request),
        size: body.bytes().len(),
    };
    let answer = information(&state, &registration, &access_token);
    state.stores.clients.register(registration, now).await?;
    Ok(no_store(StatusCode::CREATED).json(answer))
}

/// RFC 7591 §3: who registers shows the initial access token, where there is one.
fn may_register(how: Option<&config::Registration>, request: &HttpRequest) -> Result<(), OAuthError> {
    let Some(expected) = how.and_then(|how| how.token.as_ref()) else {
        return Ok(());
    };
    let presented = bearer::token(request, &Params::default(), REALM)?;
    // Hashed, so that not even the length of the token takes time to tell.
    expected.hash().matches(presented.expose()).then_some(()).ok_or_else(OAuthError::invalid_token)
}

/// `GET /oauth/register/{client_id}` (RFC 7592 §2.1)
pub async fn look(
    state: Data<AppState>,
    request: HttpRequest,
    client_id: Path<String>,
) -> Result<HttpResponse, OAuthError> {
    let (registration, token) = own(&state, &request, &client_id).await?;
    Ok(no_store(StatusCode::OK).json(information(&state, &registration, &token)))
}

/// `DELETE /oauth/register/{client_id}` (RFC 7592 §2.3): everything that the client was allowed and given ends with it.
pub async fn delete(
    state: Data<AppState>,
    request: HttpRequest,
    client_id: Path<String>,
) -> Result<HttpResponse, OAuthError> {
    let (registration, _) = own(&state, &request, &client_id).await?;
    let was_there = state.stores.unregister(&registration.client.id, state.present()).await?;
    if !was_there {
        return Err(OAuthError::invalid_token());
    }
    Ok(no_store(StatusCode::NO_CONTENT).finish())
}

/// RFC 7592 §2: the registration whose token is shown. One answer for a wrong token and for a client that there is not
/// (any more): nobody learns who is registered.
async fn own(
    state: &AppState,
    request: &HttpRequest,
    client_id: &str,
) -> Result<(Registration, Secret), OAuthError> {
    let presented = bearer::token(request, &Params::default(), REALM)?;
    let found = state.stores.clients.registration(&ClientId::new(client_id), state.present()).await?;
    let expected = found.as_ref().map_or_else(|| SecretHash::of(""), |it| it.access_token);
    let is_theirs = expected.matches(presented.expose());
    let found = found.filter(|_| is_theirs).ok_or_else(OAuthError::invalid_token)?;
    Ok((found, presented))
}

/// RFC 7591 §3.2.1, RFC 7592 §3: what is registered, defaults included, and what only this client is told.
fn information(state: &AppState, registration: &Registration, access_token: &Secret) -> Map<String, Value> {
    let client = &registration.client;
    let mut document = client_metadata::of(client, state.settings.signing_alg.as_str());
    document.insert("application_type".into(), "web".into());
    document.extend(registration.also.iter().map(|(name, value)| (name.clone(), value.clone())));
    if let Some(secret) = &client.secret {
        document.insert("client_secret".into(), secret.expose().into());
        // It is good as long as the registration is.
        document.insert("client_secret_expires_at".into(), 0.into());
    }
    let issued = client.registered.map(Timestamp::as_unix);
    document.insert("client_id_issued_at".into(), issued.into());
    let address = format!("{}/oauth/register/{}", state.settings.origin.as_str(), client.id);
    document.insert("registration_client_uri".into(), address.into());
    document.insert("registration_access_token".into(), access_token.expose().into());
    document
}

fn no_store(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
    answer
}
