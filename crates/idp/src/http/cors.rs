//! Which scripts of other sites may read what the back channel answers (Fetch §3.2): those of public clients, who have no
//! server of their own to ask for them. Their origins are those of their redirect URIs. Nobody else's script may, and at
//! the authorization endpoint, where browsers go by themselves, no script at all (RFC 9700 §2.6).

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use crate::{state::AppState, store::Stored};

/// Answers browsers that ask on behalf of a script, and marks what the scripts of public clients may read.
pub async fn for_public_clients(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let is_ours = is_of_a_public_client(&request, &origin).await.unwrap_or(false);
    let asks_first = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_ours && asks_first {
        request.into_response(preflight())
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    if is_ours {
        allow(response.headers_mut(), origin);
    }
    // A cache must not give one site's answer to another.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    Ok(response)
}

async fn is_of_a_public_client(request: &ServiceRequest, origin: &HeaderValue) -> Stored<bool> {
    let (Some(state), Ok(origin)) = (request.app_data::<Data<AppState>>(), origin.to_str()) else {
        return Ok(false);
    };
    let clients = state.stores.clients.all(state.present()).await?;
    Ok(clients.iter().any(|client| client.lives_at(origin)))
}

fn preflight() -> HttpResponse {
    HttpResponse::build(StatusCode::NO_CONTENT)
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, traceparent"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
        .finish()
}

/// Never with `Access-Control-Allow-Credentials`: cookies open nothing here.
fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("WWW-Authenticate"));
}
