//! The tap at a server's door: it sees what comes in and what goes out, and changes neither.
//!
//! While a request is answered it is the current one of its task; checks, values and messages to the other server, which
//! the server's code tells the [`Watch`], belong to it.

use std::{
    cell::{Cell, RefCell},
    net::IpAddr,
    rc::Rc,
    sync::Arc,
};

use actix_web::{
    Error, HttpMessage as _, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use futures_util::StreamExt as _;
use shared::flow::{Event, Exchange, Line, Message, Party, Sink};

use web::{
    front_door::{MAX_ADDRESS, Site},
    pages::FlowLink,
    visitor,
};

use crate::{
    correlate,
    desk::Sees,
    recorder::{FlowId, Recorder},
    redact,
};

mod put_off;

pub use put_off::{PutOff, apart, put_off, spawn};

tokio::task_local! {
    static CURRENT: Rc<Current>;
}

/// Which requests of a server are part of a flow, by method and path.
pub type Plan = fn(&str, &str) -> Option<Exchange>;

/// Where a server shows flows, and to whom.
pub struct Shown {
    /// The address of the list.
    pub at: String,
    /// What the sender of a request may see.
    pub to: Box<dyn Fn(&HttpRequest) -> Sees + Send + Sync>,
}

/// A recorder at the door of a server.
pub struct Tap {
    /// Where to.
    pub recorder: Arc<Recorder>,
    /// The path below which the server lives, without a slash at its end.
    pub base: String,
    /// What is recorded.
    pub plan: Plan,
    /// Where flows are shown to whoever may see them here.
    pub shown: Option<Shown>,
}

/// A request that is being answered.
struct Current {
    recorder: Arc<Recorder>,
    exchange: Cell<Exchange>,
    asker: Party,
    span: String,
    flow: RefCell<Option<FlowId>>,
    /// The request, until its body has been read.
    request: RefCell<Option<Message>>,
    body: RefCell<Vec<u8>>,
    length: Cell<usize>,
    /// Where the page that answers finds the address of its flow, and what its visitor may see.
    link: Option<(FlowLink, String, Sees)>,
    address: Option<IpAddr>,
    /// What happened before it is known to which flow it belongs.
    pending: RefCell<Vec<(i64, Event)>>,
    /// The answer comes later, to another request.
    is_put_off: Cell<bool>,
}

/// The middleware.
pub async fn tap(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(current) = Current::of(&request) else {
        let answered = next.call(request).await?.map_into_boxed_body();
        let put_off = answered.request().extensions_mut().remove::<PutOff>();
        return Ok(match put_off {
            Some(put_off) => Current::resumed(&put_off).answer(answered),
            None => answered,
        });
    };
    let current = Rc::new(current);
    let payload = request.take_payload();
    request.set_payload(current.listen(payload));
    let answered = CURRENT.scope(Rc::clone(&current), next.call(request)).await?;
    current.settle();
    Ok(current.answer(answered))
}

impl Current {
    /// What is recorded of `request`; `None` if nothing is.
    fn of(request: &ServiceRequest) -> Option<Self> {
        let tap = request.app_data::<Data<Tap>>()?;
        let path = request.path().strip_prefix(tap.base.as_str())?;
        // The front door takes HEAD for GET, and lets in only who asks for this site.
        let method = if *request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
        let exchange = (tap.plan)(method, path)?;
        let site = request.app_data::<Data<Site>>()?;
        let is_short = request.uri().path_and_query().is_none_or(|it| it.as_str().len() <= MAX_ADDRESS);
        if !is_short || !site.origin.is_asked_by(request.request()) {
            return None;
        }
        let recorder = Arc::clone(&tap.recorder);
        let party = recorder.party();
        let from = asker(exchange, request.headers().contains_key(header::ORIGIN));
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let headers = headers(pairs(request.headers()));
        let traced = headers.iter().find(|(name, _)| name == "traceparent");
        let span = traced.and_then(|(_, value)| correlate::trace_and_span(value));
        let span = span.map_or_else(|| recorder.hex::<8>(), |(_, span)| span.to_owned());
        let line = Line::Request {
            method: request.method().as_str().to_owned(),
            target: redact::target(target).into_owned(),
        };
        let message = Message {
            exchange,
            from,
            to: party,
            line,
            headers,
            body: String::new(),
            cut: 0,
            span: span.clone(),
        };
        let link = tap
            .shown
            .as_ref()
            .map(|shown| (FlowLink::of(request.request()), shown.at.clone(), (shown.to)(request.request())));
        Some(Self {
            recorder,
            link,
            address: visitor::address(request.request()),
            exchange: Cell::new(exchange),
            asker: from,
            span,
            flow: RefCell::default(),
            request: RefCell::new(Some(message)),
            body: RefCell::default(),
            length: Cell::default(),
            pending: RefCell::default(),
            is_put_off: Cell::new(false),
        })
    }

    /// The body as the handler reads it, listened to.
    fn listen(self: &Rc<Self>, payload: Payload) -> Payload {
        if matches!(payload, Payload::None) {
            self.settle();
            return payload;
        }
        let current = Rc::clone(self);
        let heard = payload.inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                current.hear(chunk);
            }
        });
        let current = Rc::clone(self);
        let end = futures_util::stream::once(async move { current.settle() });
        let end = end.filter_map(|()| std::future::ready(None));
        Payload::Stream { payload: Box::pin(heard.chain(end)) }
    }

    fn hear(&self, chunk: &Bytes) {
        let mut body = self.body.borrow_mut();
        let room = self.recorder.limits().body.saturating_sub(body.len());
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        self.length.set(self.length.get() + chunk.len());
    }

    /// The request is complete, or nothing more of it is read: it is recorded, and everything that waited for it.
    fn settle(&self) {
        let Some(mut message) = self.request.borrow_mut().take() else { return };
        let (body, at) = (self.body.take(), self.recorder.now());
        message.cut = self.length.get() - body.len();
        let body = String::from_utf8_lossy(&body);
        let Some(exchange) = self.exchange.get().with_form(&body) else { return };
        self.exchange.set(exchange);
        message.exchange = exchange;
        let media_type = message.header("content-type").unwrap_or_default();
        message.body = redact::body(message.exchange, media_type, &body).into_owned();
        *self.flow.borrow_mut() = self.recorder.find_or_begin(&message, self.address);
        if let (Some((link, address, sees)), Some(id)) = (&self.link, self.flow.borrow().as_deref())
            && self.recorder.flow(id).is_some_and(|flow| sees.includes(&flow))
        {
            link.note(format!("{address}/{id}"));
        }
        let pending = self.pending.take();
        let first = pending.first().map_or(at, |(at, _)| *at);
        self.record(first, Event::Message(message));
        for (at, event) in pending {
            self.record(at, event);
        }
    }

    fn record(&self, at: i64, event: Event) {
        if self.request.borrow().is_some() {
            self.pending.borrow_mut().push((at, event));
        } else if let Some(flow) = self.flow.borrow().as_deref() {
            self.recorder.add(flow, &self.span, at, event);
        }
    }

    /// Records the answer. A stream is recorded without its body.
    fn answer(&self, answered: ServiceResponse<impl MessageBody + 'static>) -> ServiceResponse<BoxBody> {
        if self.flow.borrow().is_none() || self.is_put_off.get() {
            return answered.map_into_boxed_body();
        }
        let (request, response) = answered.into_parts();
        let (response, body) = response.into_parts();
        let mut headers = headers(pairs(response.headers()));
        let (text, cut, body) = match body.try_into_bytes() {
            Ok(bytes) => {
                let kept = &bytes[..bytes.len().min(self.recorder.limits().body)];
                let text = String::from_utf8_lossy(kept).into_owned();
                headers.push(("content-length".into(), bytes.len().to_string()));
                (text, bytes.len() - kept.len(), BoxBody::new(bytes))
            }
            Err(stream) => (String::new(), 0, stream.boxed()),
        };
        in_order(&mut headers);
        let from = self.recorder.party();
        let (exchange, to) = (self.exchange.get(), self.asker);
        let line = Line::Status(response.status().as_u16());
        let message = Message { exchange, from, to, line, headers, body: text, cut, span: self.span.clone() };
        self.record(self.recorder.now(), Event::Message(message));
        ServiceResponse::new(request, response.set_body(body))
    }
}

/// Who asks. What clients ask is asked by their servers, or else by a script in the browser: then the browser says whose
/// (Fetch §3.2), which servers never do.
const fn asker(exchange: Exchange, names_its_origin: bool) -> Party {
    match exchange {
        Exchange::Discovery
        | Exchange::Push
        | Exchange::Keys
        | Exchange::Token
        | Exchange::Userinfo
        | Exchange::Refresh
        | Exchange::Api
        | Exchange::Introspect
        | Exchange::Revoke
            if !names_its_origin =>
        {
            Party::Rp
        }
        _ => Party::Browser,
    }
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}

/// How much of a header is recorded, in characters.
const LONGEST_HEADER: usize = 8 * 1024;
/// What the HTTP library adds last, or changes on the way: about the connection and not about the message.
const OF_THE_CONNECTION: [&str; 4] = ["connection", "date", "keep-alive", "transfer-encoding"];

/// Headers as they are recorded: names and values in one order, since what arrives has none that could be known, without
/// what nobody is to see.
pub fn headers<'a>(pairs: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<(String, String)> {
    let of_the_message = pairs.filter(|(name, _)| !OF_THE_CONNECTION.contains(name));
    let mut headers: Vec<_> = of_the_message
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value);
            let mut value = redact::header(name, &value).into_owned();
            if value.chars().nth(LONGEST_HEADER).is_some() {
                value = value.chars().take(LONGEST_HEADER).chain("[cut]".chars()).collect();
            }
            (name.to_owned(), value)
        })
        .collect();
    in_order(&mut headers);
    headers
}

/// `Host` first, the others by their names.
fn in_order(headers: &mut [(String, String)]) {
    headers.sort_by(|(one, _), (other, _)| (one != "host", one).cmp(&(other != "host", other)));
}

/// The sink of a server that records: what is told belongs to the request that is being answered.
pub struct Watch {
    /// Whoever else wants to know.
    pub also: Arc<dyn Sink>,
}

impl Sink for Watch {
    fn is_watching(&self) -> bool {
        self.also.is_watching() || CURRENT.try_with(|_| ()).is_ok()
    }

    fn record(&self, event: Event) {
        if self.also.is_watching() {
            self.also.record(event.clone());
        }
        // Outside of a request that is recorded, nobody watches.
        let _ = CURRENT.try_with(|current| current.record(current.recorder.now(), event));
    }

    fn traceparent(&self) -> Option<(String, String)> {
        CURRENT
            .try_with(|current| {
                let trace = current.recorder.trace_of(current.flow.borrow().as_deref()?)?;
                let span = current.recorder.hex::<8>();
                Some((format!("00-{trace}-{span}-01"), span))
            })
            .ok()
            .flatten()
    }
}

/// Of which exchange the request is that is being answered.
pub fn current_exchange() -> Option<Exchange> {
    CURRENT.try_with(|current| current.exchange.get()).ok()
}

/// The flow of the request that is being answered.
pub fn current_flow() -> Option<FlowId> {
    CURRENT.try_with(|current| current.flow.borrow().clone()).ok().flatten()
}
