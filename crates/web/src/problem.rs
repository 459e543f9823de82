//! What a person is told when something went wrong: a page of the site, never a stack trace.

use std::fmt::Display;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde::Serialize;
use shared::{
    error::ErrorCode,
    flow::{Check, Failed, Step},
};
use thiserror::Error;

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mender {
    /// The person in front of the page.
    You,
    /// The developer of the client application.
    App,
    /// The operator of the identity provider.
    Idp,
    /// Whoever runs the server that shows the page: the application's developer or the provider's operator.
    Server,
}

impl Mender {
    /// Its name in templates.
    pub const fn id(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::App => "app",
            Self::Idp => "idp",
            Self::Server => "server",
        }
    }
}

/// What somebody foretold, and what happened: the ids of two texts `came.<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Foretold {
    /// What was foretold.
    pub guess: &'static str,
    /// What happened.
    pub happened: &'static str,
}

/// A failure with a page of its own. Its texts stand in the catalogue under `problem.<id>`; the front door renders it.
#[derive(Clone, Debug, Error)]
#[error("{id}{}", .detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default())]
pub struct Problem {
    /// Its name in the catalogue and in the log.
    pub id: &'static str,
    /// The status of the answer.
    pub status: StatusCode,
    /// Who can mend it.
    pub mender: Mender,
    /// The OAuth or OpenID Connect code of this failure, where there is one.
    pub code: Option<ErrorCode>,
    /// The code that the other server gave.
    pub oauth_error: Option<ErrorCode>,
    /// The check that refused, and so the step that failed.
    pub check: Option<Check>,
    /// The step that failed.
    pub step: Option<Step>,
    /// Where the page's button leads.
    pub next: Option<String>,
    /// When to try again, in seconds (`Retry-After`).
    pub retry_after: Option<u32>,
    /// What somebody foretold who went step by step.
    pub foretold: Option<Foretold>,
    /// For the log only.
    pub detail: Option<String>,
}

impl Problem {
    /// Every failure that both sites share.
    pub const COMMON: [&str; 12] = [
        "not_found",
        "method_not_allowed",
        "malformed",
        "too_large",
        "too_slow",
        "address_too_long",
        "misdirected",
        "foreign_origin",
        "csrf",
        "step_unknown",
        "overloaded",
        "internal",
    ];

    /// A failure called `id`.
    pub const fn new(id: &'static str, status: StatusCode, mender: Mender) -> Self {
        Self {
            id,
            status,
            mender,
            code: None,
            oauth_error: None,
            check: None,
            step: None,
            next: None,
            retry_after: None,
            foretold: None,
            detail: None,
        }
    }

    /// No page has this address.
    pub const fn not_found() -> Self {
        Self::new("not_found", StatusCode::NOT_FOUND, Mender::You)
    }

    /// The address does not take this method.
    pub const fn method_not_allowed() -> Self {
        Self::new("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, Mender::App)
    }

    /// A query or form that is not well-formed, or holds a parameter twice.
    pub fn malformed(detail: impl Display) -> Self {
        Self::new("malformed", StatusCode::BAD_REQUEST, Mender::App)
            .code(ErrorCode::InvalidRequest)
            .detail(detail)
    }

    /// A body beyond its bound.
    pub const fn too_large() -> Self {
        Self::new("too_large", StatusCode::PAYLOAD_TOO_LARGE, Mender::App)
    }

    /// A body that does not arrive.
    pub const fn too_slow() -> Self {
        Self::new("too_slow", StatusCode::REQUEST_TIMEOUT, Mender::You)
    }

    /// An address beyond its bound.
    pub const fn address_too_long() -> Self {
        Self::new("address_too_long", StatusCode::URI_TOO_LONG, Mender::App)
    }

    /// A request for another host.
    pub const fn misdirected() -> Self {
        Self::new("misdirected", StatusCode::MISDIRECTED_REQUEST, Mender::You)
    }

    /// A form that another site sent.
    pub const fn foreign_origin() -> Self {
        Self::new("foreign_origin", StatusCode::FORBIDDEN, Mender::You)
    }

    /// A form without the token of its page.
    pub const fn csrf() -> Self {
        Self::new("csrf", StatusCode::FORBIDDEN, Mender::You)
    }

    /// A login that was gone through step by step, and that nothing is held of any more.
    pub const fn step_unknown() -> Self {
        Self::new("step_unknown", StatusCode::NOT_FOUND, Mender::You)
    }

    /// No room at the moment (RFC 9110 §15.6.4).
    pub fn overloaded() -> Self {
        let problem = Self::new("overloaded", StatusCode::SERVICE_UNAVAILABLE, Mender::Server);
        Self { retry_after: Some(30), ..problem.code(ErrorCode::TemporarilyUnavailable) }
    }

    /// Something broke; only the log knows what.
    pub fn internal(detail: impl Display) -> Self {
        Self::new("internal", StatusCode::INTERNAL_SERVER_ERROR, Mender::Server)
            .code(ErrorCode::ServerError)
            .detail(detail)
    }

    /// With the code that says the same to programs.
    #[must_use]
    pub fn code(self, code: ErrorCode) -> Self {
        Self { code: Some(code), ..self }
    }

    /// With the check that refused, and its step.
    #[must_use]
    pub fn check(self, Failed(check): Failed) -> Self {
        Self { step: check.rule.step(), check: Some(check), ..self }
    }

    /// With the step that failed.
    #[must_use]
    pub fn at(self, step: Step) -> Self {
        Self { step: Some(step), ..self }
    }

    /// Without a step: it happened beside the flow, whatever the check is otherwise for.
    #[must_use]
    pub fn beside_the_flow(self) -> Self {
        Self { step: None, check: self.check, ..self }
    }

    /// With the code that the other server gave.
    #[must_use]
    pub fn because_of(self, oauth_error: Option<ErrorCode>) -> Self {
        Self { oauth_error, ..self }
    }

    /// With a button that leads on.
    #[must_use]
    pub fn next(self, href: impl Into<String>) -> Self {
        Self { next: Some(href.into()), ..self }
    }

    /// With a word for the log.
    #[must_use]
    pub fn detail(self, detail: impl Display) -> Self {
        Self { detail: Some(detail.to_string()), ..self }
    }
}

impl From<crate::form::FormError> for Problem {
    fn from(error: crate::form::FormError) -> Self {
        match error {
            crate::form::FormError::TooLarge => Self::too_large(),
            crate::form::FormError::TooSlow => Self::too_slow(),
            other => Self::malformed(other),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    /// An answer without a body: the front door finds the problem in it and writes the page.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status);
        response.extensions_mut().insert(self.clone());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_problem_is_listed() {
        let made = [
            Problem::not_found(),
            Problem::method_not_allowed(),
            Problem::malformed(""),
            Problem::too_large(),
            Problem::too_slow(),
            Problem::address_too_long(),
            Problem::misdirected(),
            Problem::foreign_origin(),
            Problem::csrf(),
            Problem::step_unknown(),
            Problem::overloaded(),
            Problem::internal(""),
        ];
        assert_eq!(made.map(|problem| problem.id), Problem::COMMON);
    }
}
