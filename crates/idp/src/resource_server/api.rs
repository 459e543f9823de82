//! Two resources: one for whoever brings a token that is meant for this API, one that needs the scope `api.access`.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use serde::Serialize;
use shared::ids::Subject;

use super::access;
use crate::{http::oauth_error::OAuthError, state::AppState};

/// What a token must permit for the notes to be read.
const READ_NOTES: &str = "api.access";

/// `GET /api/me`: what the API knows of a request, which is what its token says and nothing else.
pub async fn me(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, OAuthError> {
    let access = access::admit(&state, &request).await?;
    Ok(answer(&access))
}

#[derive(Serialize)]
struct Notes {
    notes: Vec<Note>,
}

#[derive(Serialize)]
struct Note {
    id: u32,
    text: String,
}

/// `GET /api/notes`: the notes of whoever the application calls for: a user, or itself.
pub async fn notes(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, OAuthError> {
    let access = access::admit_with(&state, &request, READ_NOTES).await?;
    Ok(answer(&Notes { notes: notes_of(&access.sub) }))
}

/// Another API would ask its database. Whose notes they are is decided by `sub`, and not by anything that the request
/// says.
fn notes_of(sub: &Subject) -> Vec<Note> {
    let text = |id| format!("Note {id} of {}", sub.as_str());
    (1..=3).map(|id| Note { id, text: text(id) }).collect()
}

/// RFC 6750 §5.3: what a token opened, nobody on the way may keep.
fn answer(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}
