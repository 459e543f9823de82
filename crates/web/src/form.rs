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
    /// Another one, where JSON is wanted.
    #[error("the body is not application/json")]
    NotJson,
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
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
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
        let is_form = is(request, "application/x-www-form-urlencoded");
        let body = body(request, payload);
        Box::pin(async move {
            let body = body.await?;
            // An empty body needs no media type.
            if !is_form && !body.is_empty() { Err(FormError::MediaType) } else { Ok(Self(body)) }
        })
    }
}

/// Whether the body says of itself that it is `media_type`.
pub(crate) fn is(request: &HttpRequest, media_type: &str) -> bool {
    let said = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    let essence = said.and_then(|said| said.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(media_type)
}

/// The body, within bounds of size and of time.
pub(crate) fn body(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, FormError>> + use<> {
    let announced = request.headers().get("content-length").and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<usize>().ok());
    let payload = payload.take();
    async move {
        if announced.is_some_and(|length| length > MAX_BODY) {
            return Err(FormError::TooLarge);
        }
        tokio::time::timeout(PATIENCE, read(payload)).await.map_err(|_| FormError::TooSlow)?
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
