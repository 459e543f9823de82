//! Logs. A line never holds a query, a form, a cookie or a token: codes travel in them.

use std::io::IsTerminal as _;

use actix_web::{
    Error, HttpMessage as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use tracing::{Level, Span, field};
use tracing_actix_web::{RequestId, RootSpanBuilder};
use tracing_subscriber::{filter::Targets, prelude::*};

use crate::settings::LogFormat;

/// Starts the log. `level` is a filter such as `info` or `idp=debug,info`; an error says what is wrong with it.
pub fn start(level: &str, format: LogFormat) -> Result<(), String> {
    let filter: Targets = level.parse().map_err(|error| format!("the log level {level:?}: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.finish().with(filter).try_init(),
        LogFormat::Json => builder.json().finish().with(filter).try_init(),
    };
    started.map_err(|error| error.to_string())
}

/// The span of a request: method and route pattern, without path parameters and query.
#[derive(Debug)]
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let route = request.match_pattern().unwrap_or_else(|| "unknown".into());
        let reference = request.extensions().get::<RequestId>().map(reference_of).unwrap_or_default();
        tracing::info_span!("request", method = %request.method(), route, reference, status = field::Empty)
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        let _inside = span.enter();
        // Whoever watches the log watches the flow.
        match outcome {
            Ok(response) if is_noise(response.request().path()) => tracing::debug!("answered"),
            _ => tracing::info!("answered"),
        }
    }
}

fn is_noise(path: &str) -> bool {
    path.contains("/assets/") || path.ends_with("/health")
}

/// The number by which a page and the log name the same request: `7F3A-91C2`.
pub fn reference_of(id: &RequestId) -> String {
    let (first, _, _, _) = id.as_fields();
    format!("{:04X}-{:04X}", first >> 16, first & 0xffff)
}
