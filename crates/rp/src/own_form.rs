//! Forms of our own pages. Cookies ignore ports, so that `SameSite` does not keep a page of another port of this host from
//! sending one (RFC 6749 §10.12).

use actix_web::HttpRequest;
use shared::{params::Params, secret::Secret};
use web::{
    form::{Form, FormError},
    front_door::Site,
    problem::Problem,
};

/// What a page of this very site sent.
pub fn read(site: &Site, request: &HttpRequest, form: Result<Form, FormError>) -> Result<Params, Problem> {
    if !site.origin.is_sender_of(request) {
        return Err(Problem::foreign_origin());
    }
    Ok(form?.params(&[])?)
}

/// Whether it was made for whoever sent it: it carries `token`.
pub fn require_token(params: &Params, token: &Secret) -> Result<(), Problem> {
    let matches = token.matches(params.get("csrf").unwrap_or_default());
    matches.then_some(()).ok_or_else(Problem::csrf)
}
