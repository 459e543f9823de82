//! Logging out: a GET asks, a POST from that very page does it. A link or a picture on another site cannot sign
//! anybody out.

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::Data,
};
use serde::Serialize;
use web::{
    form::{Form, FormError},
    front_door::Site,
    pages::Kind,
    problem::Problem,
};

use crate::{
    session::{self, Notice, Visitor},
    state::AppState,
};

#[derive(Serialize)]
struct Page<'a> {
    csrf: &'a str,
}

/// `GET /logout`
pub async fn ask(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let Visitor::SignedIn(signed_in) = session::visitor(&session, state.clock.now())? else {
        return Ok(home(&state));
    };
    let page = Page { csrf: signed_in.csrf.expose() };
    site.pages.respond(&request, StatusCode::OK, Kind::Form, "rp/logout.html", None, &page)
}

/// `POST /logout`
pub async fn end(
    request: HttpRequest,
    form: Result<Form, FormError>,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    if !site.origin.is_sender_of(&request) {
        return Err(Problem::foreign_origin());
    }
    let params = form?.params(&[])?;
    if let Visitor::SignedIn(signed_in) = session::visitor(&session, state.clock.now())? {
        let presented = params.get("csrf").unwrap_or_default();
        if !signed_in.csrf.matches(presented) {
            return Err(Problem::csrf());
        }
        session::end(&session, &Notice::signed_out())?;
    }
    Ok(home(&state))
}

fn home(state: &AppState) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, state.settings.home())).finish()
}
