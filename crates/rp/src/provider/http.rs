//! The HTTP client for the back channel. The other side may be hostile or broken, so everything has a bound.
//! While flows are recorded, a request says which one it is of (`traceparent`, W3C Trace Context §3.2).

use std::{sync::Arc, time::Duration};

use openidconnect::{HttpRequest, HttpResponse, http};
use reqwest::redirect;
use shared::{
    flow::{Event, Exchange, Line, Message, Party, Sink},
    secret::Secret,
};
use thiserror::Error;
use url::Url;
use viewer::{redact, tap};
use web::origin;

/// How long a request may take, from the first byte sent to the last one read.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer is recorded, in bytes.
const MAX_RECORDED: usize = 64 * 1024;
const USER_AGENT: &str = concat!("rp/", env!("CARGO_PKG_VERSION"));
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
    /// Somebody who goes step by step dropped the request, or its answer.
    #[error("no answer: it was dropped by hand")]
    Dropped,
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
///
/// While somebody watches the flow, every request and every answer is recorded as it goes over the wire.
#[derive(Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    sink: Arc<dyn Sink>,
    /// Whether the client's secret is everybody's, and may be recorded.
    is_demo: bool,
}

impl HttpClient {
    /// The client for one issuer. A proxy set for the outside world is of no use for an issuer on this computer.
    ///
    /// Each request has a connection of its own. The provider may close one that has been quiet at the moment in which it
    /// is used again; then nobody knows whether a token request has arrived, and a code works once: it cannot be sent
    /// again (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
    pub fn for_issuer(issuer: &str, sink: Arc<dyn Sink>, is_demo: bool) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(0)
            .user_agent(USER_AGENT);
        let local = Url::parse(issuer).is_ok_and(|url| origin::is_loopback(&url));
        let builder = if local { builder.no_proxy() } else { builder };
        Ok(Self { client: builder.build()?, sink, is_demo })
    }

    /// Sends a request of `exchange` and reads the answer up to `limit` bytes.
    pub async fn send(
        &self,
        exchange: Exchange,
        mut request: HttpRequest,
        limit: usize,
    ) -> Result<HttpResponse, FetchError> {
        let span = self.prepare(&mut request);
        self.note_request(exchange, &request, span.as_deref());
        let response = self.answered(request, limit).await?;
        self.note_answer(exchange, &response, span.as_deref());
        Ok(response)
    }

    /// Completes a request whose flow somebody watches, and says under which span both sides will record it.
    pub(crate) fn prepare(&self, request: &mut HttpRequest) -> Option<String> {
        let (traceparent, span) = self.sink.traceparent()?;
        complete(request, &traceparent);
        Some(span)
    }

    /// Records a request that somebody watches.
    pub(crate) fn note_request(&self, exchange: Exchange, request: &HttpRequest, span: Option<&str>) {
        let Some(span) = span else { return };
        self.record(Message {
            exchange,
            from: Party::Rp,
            to: Party::Idp,
            line: Line::Request {
                method: request.method().to_string(),
                target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            },
            headers: tap::headers(pairs(request.headers())),
            body: String::from_utf8_lossy(request.body()).into_owned(),
            cut: 0,
            span: span.to_owned(),
        });
    }

    /// Records its answer.
    pub(crate) fn note_answer(&self, exchange: Exchange, response: &HttpResponse, span: Option<&str>) {
        let Some(span) = span else { return };
        let kept = &response.body()[..response.body().len().min(MAX_RECORDED)];
        self.record(Message {
            exchange,
            from: Party::Idp,
            to: Party::Rp,
            line: Line::Status(response.status().as_u16()),
            headers: tap::headers(pairs(response.headers())),
            body: String::from_utf8_lossy(kept).into_owned(),
            cut: response.body().len() - kept.len(),
            span: span.to_owned(),
        });
    }

    fn record(&self, mut message: Message) {
        if !self.is_demo {
            redact::client_secret(&mut message);
        }
        self.sink.record(Event::Message(message));
    }

    /// The same, recorded nowhere: what is beside the flow.
    pub async fn answered(&self, request: HttpRequest, limit: usize) -> Result<HttpResponse, FetchError> {
        let mut answer = self.client.execute(request.try_into()?).await?;
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

    /// `GET`, recorded as part of `exchange`.
    pub async fn get(&self, exchange: Exchange, url: &str, limit: usize) -> Result<HttpResponse, FetchError> {
        self.send(exchange, get(url, None)?, limit).await
    }
}

/// `GET`, with a bearer token in the header where one is needed (RFC 6750 §2.1), never in the query.
pub fn get(url: &str, bearer: Option<&Secret>) -> Result<HttpRequest, FetchError> {
    let mut request = http::Request::get(url).header(http::header::ACCEPT, "application/json");
    if let Some(token) = bearer {
        request = request.header(http::header::AUTHORIZATION, format!("Bearer {}", token.expose()));
    }
    Ok(request.body(Vec::new())?)
}

/// What the libraries would add last is added here, so that what is recorded is what is sent; and the name under which
/// the other side records it.
fn complete(request: &mut HttpRequest, traceparent: &str) {
    use http::header::{ACCEPT, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, USER_AGENT as AGENT};
    let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let length = request.body().len();
    let length = (length > 0 || request.method() == http::Method::POST).then(|| length.to_string());
    let added = [
        (HOST, Some(host)),
        (AGENT, Some(USER_AGENT.to_owned())),
        (ACCEPT, Some("*/*".to_owned())),
        (CONTENT_LENGTH, length),
        (HeaderName::from_static("traceparent"), Some(traceparent.to_owned())),
    ];
    for (name, value) in added {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            request.headers_mut().entry(name).or_insert(value);
        }
    }
}

fn pairs(headers: &http::HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}
