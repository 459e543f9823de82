//! Errors for the back channel: JSON with a code from a closed set (RFC 6749 §5.2 and §4.1.2.1), for a developer who
//! reads a log.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use shared::{error::ErrorCode, flow::Failed};
use thiserror::Error;
use web::form::FormError;

use crate::{domain::auth_method::AuthMethod, passwords::Busy, store::StoreError};

/// An error of an endpoint that programs talk to.
#[derive(Clone, Debug, Error)]
#[error("{description}")]
pub struct OAuthError {
    /// The code that the client decides by; none for whoever did not know that credentials are needed.
    pub code: Option<ErrorCode>,
    /// A sentence in printable ASCII without `"` and `\`.
    pub description: String,
    /// The status.
    pub status: StatusCode,
    /// `WWW-Authenticate`, where credentials were missing or wrong.
    pub challenge: Option<String>,
}

impl OAuthError {
    /// 400 with a code (RFC 6749 §5.2).
    pub fn bad_request(code: ErrorCode, description: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            description: description.into(),
            status: StatusCode::BAD_REQUEST,
            challenge: None,
        }
    }

    /// The sender may not ask this, whoever it says that it is.
    pub fn forbidden(description: &str) -> Self {
        Self { status: StatusCode::FORBIDDEN, ..Self::bad_request(ErrorCode::InvalidRequest, description) }
    }

    /// RFC 6749 §5.2: 401, and the scheme that the client can use.
    pub fn invalid_client() -> Self {
        Self {
            code: Some(ErrorCode::InvalidClient),
            description: "The client is unknown or its credentials are wrong.".into(),
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(r#"Basic realm="clients", charset="UTF-8""#.into()),
        }
    }

    /// The client is who it says, the way in which it proved it is not the registered one.
    pub fn other_auth_method(registered: AuthMethod) -> Self {
        let registered = registered.as_str();
        let description = format!("The client is registered for token_endpoint_auth_method {registered}.");
        Self { description, ..Self::invalid_client() }
    }

    /// RFC 6750 §3: what is wrong with a bearer token.
    pub fn bearer(code: ErrorCode, description: &str, status: StatusCode) -> Self {
        let challenge = format!(r#"Bearer error="{code}", error_description="{description}""#);
        Self { code: Some(code), description: description.into(), status, challenge: Some(challenge) }
    }

    /// RFC 6750 §3.1: one answer for a token that is unknown, late, revoked or meant for others.
    pub fn invalid_token() -> Self {
        let description = "The access token is unknown, late, revoked or meant for others.";
        Self::bearer(ErrorCode::InvalidToken, description, StatusCode::UNAUTHORIZED)
    }

    /// RFC 6750 §3: and what scope it would take.
    #[must_use]
    pub fn needing(self, scope: &str) -> Self {
        let challenge = self.challenge.map(|challenge| format!(r#"{challenge}, scope="{scope}""#));
        Self { challenge, ..self }
    }

    /// RFC 6750 §3.1: no token at all, so no error code and no body. §3: the scheme never stands alone.
    pub fn no_bearer_token(realm: &str) -> Self {
        Self {
            code: None,
            description: "This endpoint needs an access token.".into(),
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(format!(r#"Bearer realm="{realm}""#)),
        }
    }

    /// The same where values of the request stand in the description, which may hold neither quotation marks nor anything
    /// but ASCII (RFC 6749 §5.2).
    #[must_use]
    pub fn in_ascii(self) -> Self {
        let description = self.description.replace(['"', '\\'], "'").replace('§', "section ");
        let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
        Self { description: description.chars().map(plain).collect(), ..self }
    }

    /// No room at the moment.
    pub fn unavailable() -> Self {
        Self {
            code: Some(ErrorCode::TemporarilyUnavailable),
            description: "The server is busy. Try again later.".into(),
            status: StatusCode::SERVICE_UNAVAILABLE,
            challenge: None,
        }
    }

    /// Something broke; only the log knows what.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        tracing::error!(%detail, "internal error");
        Self {
            code: Some(ErrorCode::ServerError),
            description: "Something broke inside the server. Its log says what.".into(),
            status: StatusCode::INTERNAL_SERVER_ERROR,
            challenge: None,
        }
    }

    /// 405 for an endpoint that programs talk to.
    pub fn method_not_allowed() -> Self {
        Self {
            code: Some(ErrorCode::InvalidRequest),
            description: "This endpoint does not take this method.".into(),
            status: StatusCode::METHOD_NOT_ALLOWED,
            challenge: None,
        }
    }
}

impl From<FormError> for OAuthError {
    fn from(error: FormError) -> Self {
        Self { status: error.status(), ..Self::bad_request(ErrorCode::InvalidRequest, error.to_string()) }
            .in_ascii()
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "store");
        Self::unavailable()
    }
}

impl From<Busy> for OAuthError {
    fn from(_: Busy) -> Self {
        Self::unavailable()
    }
}

/// A failed check with the code that stands for it, without its values: they may be secrets.
pub fn refused(code: ErrorCode, description: &'static str) -> impl FnOnce(Failed) -> OAuthError {
    move |Failed(check)| {
        tracing::info!(rule = check.rule.id(), "refused");
        OAuthError::bad_request(code, description)
    }
}

impl ResponseError for OAuthError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        #[derive(Serialize)]
        struct Body<'a> {
            error: ErrorCode,
            error_description: &'a str,
        }
        let mut response = HttpResponse::build(self.status);
        response
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::PRAGMA, "no-cache"));
        if let Some(challenge) = &self.challenge {
            response.insert_header((header::WWW_AUTHENTICATE, challenge.as_str()));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, "30"));
        }
        match self.code {
            Some(error) => response.json(Body { error, error_description: &self.description }),
            None => response.finish(),
        }
    }
}
