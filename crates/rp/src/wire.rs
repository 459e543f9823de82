//! How the messages of one login, and of what is done after it, travel to the provider and back: straight, or through
//! the hands of somebody who goes step by step. Whoever sends and receives here does not know which.

use openidconnect::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue},
    },
};
use shared::{
    flow::{Exchange, Pause},
    params,
    secret::Secret,
};
use viewer::steps::{Draft, Released};

use crate::{
    provider::{FetchError, HttpClient},
    state::AppState,
};

/// The wire of one login, or of one deed after it.
pub struct Wire<'a> {
    app: &'a AppState,
    /// The flow whose messages are held.
    held: Option<&'a str>,
}

impl<'a> Wire<'a> {
    /// Nobody stands between.
    pub const fn straight(app: &'a AppState) -> Self {
        Self { app, held: None }
    }

    /// Somebody holds the messages of `flow`.
    pub const fn held(app: &'a AppState, flow: &'a str) -> Self {
        Self { app, held: Some(flow) }
    }

    /// Whether whatever travels here now is held.
    pub fn holds(&self) -> bool {
        self.held.zip(self.app.steps.as_ref()).is_some_and(|(flow, steps)| steps.holds(flow))
    }

    fn http(&self) -> &HttpClient {
        self.app.provider.http()
    }

    /// Sends a request of `exchange` and reads the answer up to `limit` bytes.
    pub async fn send(
        &self,
        exchange: Exchange,
        mut request: HttpRequest,
        limit: usize,
    ) -> Result<HttpResponse, FetchError> {
        let Some(pauses) = Pause::of(exchange).filter(|_| self.held.is_some()) else {
            return self.http().send(exchange, request, limit).await;
        };
        // Where not everybody knows the client's secret already, it is shown to nobody.
        let conceal = !self.app.settings.is_demo();
        let span = self.http().prepare(&mut request);
        let (edited, twice) = match self.hold(pauses.0, draft_of_request(&request, conceal)).await {
            Released::Sent(draft) => (Some(draft), false),
            Released::Repeated(draft) => (Some(draft), true),
            Released::Dropped => (None, false),
        };
        // Recorded is what our own code says and hears; the other side records what arrives there.
        self.http().note_request(exchange, &request, span.as_deref());
        let edited = with_edits(&request, &edited.ok_or(FetchError::Dropped)?, conceal);
        let answer = self.http().answered(edited.clone(), limit).await?;
        let second = if twice { Some(self.again(exchange, request, edited, limit).await) } else { None };
        let heard = match self.hold(pauses.1, draft_of_answer(&answer)).await {
            Released::Sent(draft) | Released::Repeated(draft) => answer_with_edits(answer, draft),
            Released::Dropped => return Err(FetchError::Dropped),
        };
        self.http().note_answer(exchange, &heard, span.as_deref());
        if let Some((Ok(second), span)) = second {
            self.http().note_answer(exchange, &second, span.as_deref());
        }
        Ok(heard)
    }

    /// Sends a request a second time, under a name of its own.
    async fn again(
        &self,
        exchange: Exchange,
        mut request: HttpRequest,
        mut edited: HttpRequest,
        limit: usize,
    ) -> (Result<HttpResponse, FetchError>, Option<String>) {
        let name = HeaderName::from_static("traceparent");
        request.headers_mut().remove(&name);
        let span = self.http().prepare(&mut request);
        if let Some(trace) = request.headers().get(&name).filter(|_| edited.headers().contains_key(&name)) {
            edited.headers_mut().insert(name, trace.clone());
        }
        self.http().note_request(exchange, &request, span.as_deref());
        (self.http().answered(edited, limit).await, span)
    }

    /// The ID token as it is validated after `pause`.
    pub async fn id_token(&self, pause: Pause, id_token: &Secret) -> Secret {
        let draft = Draft { token: id_token.expose().to_owned(), ..Draft::default() };
        match self.hold(pause, draft).await {
            Released::Sent(draft) | Released::Repeated(draft) => Secret::new(draft.token),
            Released::Dropped => id_token.clone(),
        }
    }

    async fn hold(&self, pause: Pause, draft: Draft) -> Released {
        match (self.held, &self.app.steps) {
            (Some(flow), Some(steps)) => steps.hold(flow, pause, draft).await,
            _ => Released::Sent(draft),
        }
    }
}

/// What of a connection and of a body follows from what they become.
const NOT_EDITED: [&str; 8] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];
/// What of a form proves who the client is: an assertion that has not been sent yet could be sent by somebody else.
const PROOFS: [&str; 2] = ["client_secret", "client_assertion"];
/// What stands where the client's secret is nobody's to see.
const SECRET: &str = "[not-recorded]";

/// A request as it can be edited. With `conceal` it shows nobody what the client proves itself with.
fn draft_of_request(request: &HttpRequest, conceal: bool) -> Draft {
    let headers = request.headers().iter().filter(|(name, _)| !NOT_EDITED.contains(&name.as_str()));
    let text = |name: &HeaderName, value: &HeaderValue| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let is_basic = value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "));
        if conceal && name == AUTHORIZATION && is_basic { format!("Basic {SECRET}") } else { value }
    };
    let form = String::from_utf8_lossy(request.body());
    let pairs = form.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if conceal && PROOFS.contains(&name) => format!("{name}={SECRET}"),
        _ => pair.to_owned(),
    });
    Draft {
        method: request.method().to_string(),
        address: request.uri().to_string(),
        params: pairs.collect::<Vec<_>>().join("&"),
        headers: headers.map(|(name, value)| (name.to_string(), text(name, value))).collect(),
        ..Draft::default()
    }
}

/// The request as it was edited. What was not touched is byte for byte the same; so is what was never shown.
fn with_edits(request: &HttpRequest, draft: &Draft, conceal: bool) -> HttpRequest {
    let shown = draft_of_request(request, conceal);
    if *draft == shown {
        return request.clone();
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &draft.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
            continue;
        };
        let is_concealed = conceal && name == AUTHORIZATION && value == format!("Basic {SECRET}");
        let value = request.headers().get(&name).filter(|_| is_concealed).cloned().unwrap_or(value);
        if !NOT_EDITED.contains(&name.as_str()) {
            headers.append(name, value);
        }
    }
    // Beyond this computer a request with credentials goes to no other site of the same front end.
    if conceal && let Some(host) = request.headers().get(HOST) {
        headers.insert(HOST, host.clone());
    }
    let form = String::from_utf8_lossy(request.body());
    let pairs = draft.params.split('&').map(|pair| {
        let shown = params::decode(pair.as_bytes()).unwrap_or_default();
        let proof = shown.strip_suffix(SECRET).filter(|name| conceal && name.ends_with('='));
        let proof = proof.filter(|name| PROOFS.contains(&name.trim_end_matches('=')));
        proof.and_then(|name| form.split('&').find(|sent| sent.starts_with(name))).unwrap_or(pair)
    });
    let body = pairs.collect::<Vec<_>>().join("&").into_bytes();
    if request.headers().contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let mut edited = request.clone();
    (*edited.headers_mut(), *edited.body_mut()) = (headers, body);
    edited
}

fn draft_of_answer(answer: &HttpResponse) -> Draft {
    Draft {
        status: answer.status().as_u16(),
        body: String::from_utf8_lossy(answer.body()).into_owned(),
        ..Draft::default()
    }
}

fn answer_with_edits(mut answer: HttpResponse, draft: Draft) -> HttpResponse {
    if draft != draft_of_answer(&answer) {
        *answer.status_mut() = StatusCode::from_u16(draft.status).unwrap_or_default();
        *answer.body_mut() = draft.body.into_bytes();
    }
    answer
}
