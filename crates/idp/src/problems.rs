//! Every failure of the provider that a person sees, beside those that both sites share.

use actix_web::http::StatusCode;
use shared::{error::ErrorCode, flow::Step};
use web::problem::{Mender, Problem};

use crate::{passwords::Busy, store::StoreError};

/// Their names in the catalogue.
pub const ALL: [&str; 12] = [
    "unknown_client",
    "redirect_uri_missing",
    "redirect_uri_unregistered",
    "parameter_repeated",
    "request_refused",
    "request_uri_unknown",
    "request_uri_used",
    "interaction_unknown",
    "other_browser",
    "already_answered",
    "logout_client",
    "post_logout_redirect_uri",
];

/// An authorization request that nobody can be told of but the user.
fn bad_request(id: &'static str) -> Problem {
    Problem::new(id, StatusCode::BAD_REQUEST, Mender::App)
        .code(ErrorCode::InvalidRequest)
        .at(Step::AuthorizationRequest)
}

/// `client_id` is missing or names nobody.
pub fn unknown_client() -> Problem {
    bad_request("unknown_client")
}

/// `redirect_uri` is missing.
pub fn redirect_uri_missing() -> Problem {
    bad_request("redirect_uri_missing")
}

/// `redirect_uri` is not one that the client registered.
pub fn redirect_uri_unregistered() -> Problem {
    bad_request("redirect_uri_unregistered")
}

/// `client_id` or `redirect_uri` stands twice.
pub fn parameter_repeated(name: &str) -> Problem {
    bad_request("parameter_repeated").detail(name)
}

/// A request is no good, and what would say where to tell so cannot be believed.
pub fn request_refused(code: ErrorCode) -> Problem {
    bad_request("request_refused").code(code)
}

/// Nobody left a request there, not this client, or it is forgotten.
pub fn request_uri_unknown() -> Problem {
    bad_request("request_uri_unknown").code(ErrorCode::InvalidRequestUri)
}

/// A browser came for the request before.
pub fn request_uri_used() -> Problem {
    Problem::new("request_uri_used", StatusCode::BAD_REQUEST, Mender::You)
        .code(ErrorCode::InvalidRequestUri)
        .at(Step::AuthorizationRequest)
}

/// The login took too long, or never was.
pub fn interaction_unknown() -> Problem {
    Problem::new("interaction_unknown", StatusCode::BAD_REQUEST, Mender::You)
}

/// The login belongs to another browser.
pub fn other_browser() -> Problem {
    Problem::new("other_browser", StatusCode::FORBIDDEN, Mender::You)
}

/// The login is over; `home` leads back to the application.
pub fn already_answered(home: &str) -> Problem {
    Problem::new("already_answered", StatusCode::CONFLICT, Mender::You).next(home)
}

/// `client_id` names nobody, or somebody else than the hint.
pub fn logout_client() -> Problem {
    bad_logout("logout_client")
}

/// `post_logout_redirect_uri` is not one that the client registered.
pub fn post_logout_redirect_uri() -> Problem {
    bad_logout("post_logout_redirect_uri")
}

fn bad_logout(id: &'static str) -> Problem {
    Problem::new(id, StatusCode::BAD_REQUEST, Mender::App).code(ErrorCode::InvalidRequest)
}

/// A store that does not answer as it should.
pub fn from_store(error: StoreError) -> Problem {
    match error {
        StoreError::Full => Problem::overloaded().detail(error),
    }
}

/// Too many passwords are being checked.
pub fn from_passwords(busy: Busy) -> Problem {
    Problem::overloaded().detail(busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_listed() {
        let made = [
            unknown_client(),
            redirect_uri_missing(),
            redirect_uri_unregistered(),
            parameter_repeated(""),
            request_refused(ErrorCode::InvalidRequest),
            request_uri_unknown(),
            request_uri_used(),
            interaction_unknown(),
            other_browser(),
            already_answered(""),
            logout_client(),
            post_logout_redirect_uri(),
        ];
        assert_eq!(made.map(|problem| problem.id), ALL);
    }
}
