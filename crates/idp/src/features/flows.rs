//! What was recorded of flows: for the client that they belong to, at the back channel; and for whoever runs this server, in
//! the viewer, behind an address that is told at start.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use async_trait::async_trait;
use serde_json::json;
use shared::{flow::Recorded, secret::SecretHash};
use viewer::{
    desk::{Desk, Sees},
    recorder::{Addresses, Flow, Recorder},
    view::OtherHalf,
};
use web::{
    cookies,
    form::{Form, FormError},
    last_segment::LastSegment,
    problem::Problem,
};

use crate::{
    http::{client_auth, oauth_error::OAuthError},
    state::AppState,
};

/// The cookie of whoever came by the address that is told at start.
const COOKIE: &str = "idp_viewer";

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

/// `GET /flows/enter/{token}`: the address that is told at start. The token goes into a cookie, so that it is in no address
/// of the pages behind it.
pub async fn enter(state: Data<AppState>, token: LastSegment) -> Result<HttpResponse, Problem> {
    if !state.viewer_token.matches(&token) {
        return Err(Problem::not_found());
    }
    let (path, secure) =
        (format!("{}/flows", state.settings.origin.path()), state.settings.origin.is_https());
    let cookie = cookies::cookie(COOKIE, token.0, &path, secure, None).into_owned();
    Ok(HttpResponse::SeeOther().cookie(cookie).insert_header((header::LOCATION, path)).finish())
}

/// Where that is.
pub fn address(state: &AppState) -> Option<String> {
    let token = state.viewer_token.expose();
    state.recorder.as_ref().map(|_| format!("{}/flows/enter/{token}", state.settings.origin.as_str()))
}

#[async_trait(?Send)]
impl Desk for AppState {
    fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_deref()
    }

    fn sees(&self, request: &HttpRequest) -> Sees {
        let presented = cookies::value(request, COOKIE);
        let is_known = presented.is_some_and(|token| self.viewer_token.matches(&token));
        if is_known { Sees::Everything } else { Sees::Nothing }
    }

    /// The clients' halves are not asked for: they need not be ours.
    async fn other_half(&self, _flow: &Flow) -> (OtherHalf, Vec<Recorded>) {
        (OtherHalf::Own, Vec::new())
    }

    fn addresses(&self) -> Addresses {
        Addresses { rp: String::new(), idp: self.settings.origin.as_str().to_owned() }
    }

    fn patience(&self) -> i64 {
        i64::try_from(self.settings.interaction_lifetime.as_millis()).unwrap_or(i64::MAX)
    }
}
