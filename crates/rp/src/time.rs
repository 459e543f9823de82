//! The time machine: both clocks put forward together, to see what ends; or one of them alone, to see what happens when
//! they disagree. Only where both servers are on this computer and flows are recorded.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::{Data, ServiceConfig, get, post, resource},
};
use serde::Serialize;
use shared::params::Params;
use web::{
    form::{Form, FormError},
    front_door::Site,
    pages::Kind,
    problem::Problem,
};

use crate::{flows, next, own_form, state::AppState};

/// By how many minutes one can skip ahead.
const SKIPS: [u64; 3] = [1, 10, 60];

#[derive(Serialize)]
struct Page<'a> {
    skips: [u64; 3],
    /// By how many minutes the clock here is ahead, and the provider's if it tells.
    rp: u64,
    idp: Option<u64>,
    /// Where to go on.
    next: String,
    token: &'a str,
    /// It did not work.
    failed: bool,
}

/// Whose clock is moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Rp,
    Idp,
}

/// The addresses.
pub fn routes(app: &mut ServiceConfig) {
    app.service(resource("/time").route(get().to(page)).route(post().to(travel)));
}

/// `GET /time`, with an optional `next`.
async fn page(
    request: HttpRequest,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let params = Params::parse(request.query_string().as_bytes(), &[]).map_err(Problem::malformed)?;
    show(&request, &state, &site, params.get("next"), false).await
}

async fn show(
    request: &HttpRequest,
    state: &AppState,
    site: &Site,
    next: Option<&str>,
    failed: bool,
) -> Result<HttpResponse, Problem> {
    let there = flows::at_provider(state, &state.client(), std::iter::empty()).await;
    let page = Page {
        skips: SKIPS,
        rp: state.time.as_ref().map_or(0, |time| time.ahead().as_secs() / 60),
        idp: there.and_then(|there| there.ahead).map(|ahead| ahead / 60),
        next: next::local(next, &state.settings.base_url),
        token: state.form_token.expose(),
        failed,
    };
    let status = if failed { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
    site.pages.respond(request, status, Kind::Form, "rp/time.html", None, &page)
}

/// `POST /time`: `skip` minutes, or `back`; `side` is whose clock is moved.
async fn travel(
    request: HttpRequest,
    form: Result<Form, FormError>,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let params = own_form::read(&site, &request, form)?;
    own_form::require_token(&params, &state.form_token)?;
    let next = params.get("next");
    let moved = match params.get("skip") {
        Some("back") => go_back(&state).await,
        Some(minutes) => {
            let minutes: u64 = minutes.parse().map_err(Problem::malformed)?;
            if !SKIPS.contains(&minutes) {
                return Err(Problem::malformed("skip is none of 1, 10 and 60"));
            }
            skip(&state, minutes, side(&params)?).await
        }
        None => return Err(Problem::malformed("skip is missing")),
    };
    if !moved {
        return show(&request, &state, &site, next, true).await;
    }
    let location = next::local(next, &state.settings.base_url);
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, location)).finish())
}

fn side(params: &Params) -> Result<Side, Problem> {
    match params.get("side") {
        None | Some("both") => Ok(Side::Both),
        Some("rp") => Ok(Side::Rp),
        Some("idp") => Ok(Side::Idp),
        Some(_) => Err(Problem::malformed("side is none of both, rp and idp")),
    }
}

/// The provider goes first: if it cannot, nobody does.
async fn skip(state: &AppState, minutes: u64, side: Side) -> bool {
    if side != Side::Rp {
        let there =
            flows::at_provider(state, &state.client(), [("skip", (minutes * 60).to_string())].into_iter())
                .await;
        if there.is_none() {
            return false;
        }
    }
    if let Some(time) = state.time.as_ref().filter(|_| side != Side::Idp) {
        time.skip(Duration::from_secs(minutes * 60));
    }
    true
}

/// What began in a time that never was has never been.
async fn go_back(state: &AppState) -> bool {
    if let Some(since) = state.time.as_ref().and_then(|time| time.return_to_present()) {
        state.attempts.forget_since(since).await;
        state.posted.forget_since(since);
        state.sessions.forget_since(since);
        state.logouts.forget_since(since);
        if let Some(steps) = &state.steps {
            steps.forget_since(since);
        }
    }
    flows::at_provider(state, &state.client(), [("return", "1".to_owned())].into_iter()).await.is_some()
        || !flows::goes_step_by_step(state).await
}
