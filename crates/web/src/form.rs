//! The body of a form, read strictly and within bounds.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest, ResponseError,
    dev::Payload,
    http::StatusCode,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt as _;
use shared::params::{Params, ParamsError};
use thiserror::Error;

use crate::server::PATIENCE;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Why a form was not read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// More than [`MAX_BODY`].
    #[error("the body is larger than 64 KiB")]
    TooLarge,
    /// Another media type.
    #[error("the body is not application/x-www-form-urlencoded")]
    MediaType,
    /// The connection ended before the body did.
    #[error("the body is incomplete")]
    Incomplete,
    /// Our patience did.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// Not well-formed, or a parameter stands twice.
    #[error(transparent)]
    Params(#[from] ParamsError),
}

impl FormError {
    /// The status that says so.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType | Self::Incomplete | Self::Params(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl ResponseError for FormError {
    fn status_code(&self) -> StatusCode {
        self.status()
    }
}

/// The bytes of an `application/x-www-form-urlencoded` body. Handlers ask for `Result<Form, FormError>`, because
/// each audience gets its own kind of answer.
#[derive(Debug)]
pub struct Form(Bytes);

impl Form {
    /// The parameters; those in `repeatable` may stand more than once.
    pub fn params(&self, repeatable: &[&str]) -> Result<Params, FormError> {
        Ok(Params::parse(&self.0, repeatable)?)
    }

    /// The query and the form of one request as one set, in which a parameter may stand twice.
    pub fn behind_query(&self, query: &str) -> Result<Params, FormError> {
        let mut params = Params::parse_with_repeats(query.as_bytes())?;
        params.extend(&self.0)?;
        Ok(params)
    }
}

impl FromRequest for Form {
    type Error = FormError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, FormError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let essence = header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
        let is_form = essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let announced = header("content-length").and_then(|length| length.parse::<usize>().ok());
        let payload = payload.take();
        Box::pin(async move {
            if announced.is_some_and(|length| length > MAX_BODY) {
                return Err(FormError::TooLarge);
            }
            let body = tokio::time::timeout(PATIENCE, read(payload)).await;
            let body = body.map_err(|_| FormError::TooSlow)??;
            // An empty body needs no media type.
            if !is_form && !body.is_empty() { Err(FormError::MediaType) } else { Ok(Self(body)) }
        })
    }
}

async fn read(mut payload: Payload) -> Result<Bytes, FormError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| FormError::Incomplete)?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(FormError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
