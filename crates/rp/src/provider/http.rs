//! The HTTP client for the back channel. The other side may be hostile or broken, so everything has a bound.

use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse, http};
use reqwest::redirect;
use shared::secret::Secret;
use thiserror::Error;
use url::Url;
use web::origin;

/// How long a request may take, from the first byte sent to the last one read.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The request cannot be written down.
    #[error("the request cannot be made: {0}")]
    Request(#[from] http::Error),
    /// No connection, no answer in time, or an answer that breaks off.
    #[error("no answer: {}", .0.without_url_and_with_cause())]
    Transport(#[from] reqwest::Error),
    /// An answer beyond its bound.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

trait Explain {
    fn without_url_and_with_cause(&self) -> String;
}

impl Explain for reqwest::Error {
    /// `reqwest` says "error sending request"; what happened stands in the chain of causes.
    fn without_url_and_with_cause(&self) -> String {
        let mut words = Vec::new();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            words.push(error.to_string());
            cause = error.source();
        }
        if self.is_timeout() {
            words.push("timed out".to_owned());
        }
        words.join(": ")
    }
}

/// A client that follows no redirect: a provider that answers 302 to a request with our credentials must not choose
/// who else gets them.
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// The client for one issuer. A proxy set for the outside world is of no use for an issuer on this computer.
    pub fn for_issuer(issuer: &str) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT)
            .user_agent(concat!("rp/", env!("CARGO_PKG_VERSION")));
        let local = Url::parse(issuer).is_ok_and(|url| origin::is_loopback(&url));
        let builder = if local { builder.no_proxy() } else { builder };
        builder.build().map(Self)
    }

    /// Sends a request and reads the answer up to `limit` bytes.
    pub async fn send(&self, request: HttpRequest, limit: usize) -> Result<HttpResponse, FetchError> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > limit {
                return Err(FetchError::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }

    /// `GET`, with a bearer token in the header where one is needed (RFC 6750 §2.1), never in the query.
    pub async fn get(
        &self,
        url: &str,
        bearer: Option<&Secret>,
        limit: usize,
    ) -> Result<HttpResponse, FetchError> {
        let mut request = http::Request::get(url).header(http::header::ACCEPT, "application/json");
        if let Some(token) = bearer {
            request = request.header(http::header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        self.send(request.body(Vec::new())?, limit).await
    }
}
