//! `GET /health`: the RP is ready when it serves. Whether the provider answers is said in the body; it is no reason to
//! restart the RP.

use actix_web::{HttpResponse, web::Data};
use serde::Serialize;

use crate::state::AppState;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    provider: &'static str,
}

/// The answer for containers and scripts.
pub async fn health(state: Data<AppState>) -> HttpResponse {
    let reachable = state.provider.is_reachable().await;
    HttpResponse::Ok()
        .json(Health { status: "ok", provider: if reachable { "reachable" } else { "unreachable" } })
}
