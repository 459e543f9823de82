//! An answer that comes later than its handler returns: the message is held, or its code runs in the background.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use actix_web::{HttpMessage as _, HttpRequest, rt::task::JoinHandle};
use shared::flow::{Event, Exchange, Line, Message, Recorded};

use super::{CURRENT, Current, asker};
use crate::recorder::{FlowId, Recorder};

/// A request of a flow that has not been answered yet. Meanwhile its browser looks at pages that are no part of the flow.
#[derive(Clone)]
pub struct PutOff {
    recorder: Arc<Recorder>,
    exchange: Exchange,
    span: String,
    flow: FlowId,
    /// Whether a request that is recorded waits for it.
    is_asked: bool,
}

/// Puts off the answer to the request that is being answered: what the handler returns now is not recorded. `None` if the
/// request belongs to no flow.
pub fn put_off() -> Option<PutOff> {
    let put_off = |current: &Rc<Current>| {
        let flow = current.flow.borrow().clone()?;
        current.is_put_off.set(true);
        let recorder = Arc::clone(&current.recorder);
        let (exchange, span) = (current.exchange.get(), current.span.clone());
        Some(PutOff { recorder, exchange, span, flow, is_asked: true })
    };
    CURRENT.try_with(put_off).ok().flatten()
}

impl Current {
    /// The request whose answer was put off.
    pub(super) fn resumed(put_off: &PutOff) -> Self {
        Self {
            recorder: Arc::clone(&put_off.recorder),
            exchange: Cell::new(put_off.exchange),
            asker: asker(put_off.exchange, false),
            span: put_off.span.clone(),
            flow: RefCell::new(Some(put_off.flow.clone())),
            request: RefCell::default(),
            body: RefCell::default(),
            length: Cell::default(),
            link: None,
            address: None,
            pending: RefCell::default(),
            is_put_off: Cell::new(false),
        }
    }
}

impl PutOff {
    /// Something that is done in a flow, and that no request asked for which is recorded.
    pub fn in_flow(recorder: &Arc<Recorder>, flow: &str, exchange: Exchange) -> Self {
        let span = recorder.hex::<8>();
        Self { recorder: Arc::clone(recorder), exchange, span, flow: flow.to_owned(), is_asked: false }
    }

    /// The flow.
    pub fn flow(&self) -> &str {
        &self.flow
    }

    /// The name of what is done in a flow after its login, under which all of it is recorded.
    pub(crate) fn deed(&self) -> Option<&str> {
        (!self.is_asked).then_some(self.span.as_str())
    }

    /// The answer with this status, as it will be recorded, without its headers and its body; `None` if nobody asked.
    pub(crate) fn answer(&self, status: u16) -> Option<Recorded> {
        if !self.is_asked {
            return None;
        }
        let message = Message {
            exchange: self.exchange,
            from: self.recorder.party(),
            to: asker(self.exchange, false),
            line: Line::Status(status),
            headers: Vec::new(),
            body: String::new(),
            cut: 0,
            span: self.span.clone(),
        };
        let (by, at) = (self.recorder.party(), self.recorder.now());
        Some(Recorded { by, at, within: self.span.clone(), event: Event::Message(message) })
    }

    /// Takes note of an event of the request.
    pub(crate) fn record(&self, event: Event) {
        self.recorder.add(&self.flow, &self.span, self.recorder.now(), event);
    }

    /// What happens in `work` happens while the request is being answered.
    pub async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(Rc::new(Current::resumed(self)), work).await
    }

    /// The answer to `request` is the one that was put off, and is recorded as such.
    pub fn is_answered_by(self, request: &HttpRequest) {
        if self.is_asked {
            request.extensions_mut().insert(self);
        }
    }

    /// Has `work` done in the background, as part of the request.
    pub async fn spawn(&self, work: impl Future<Output = ()> + 'static) -> Option<JoinHandle<()>> {
        self.scope(async { spawn(work) }).await
    }
}

/// Has `work` done in the background, as part of the request that is being answered.
pub fn spawn(work: impl Future<Output = ()> + 'static) -> Option<JoinHandle<()>> {
    let current = CURRENT.try_with(Rc::clone).ok()?;
    Some(actix_web::rt::spawn(CURRENT.scope(current, work)))
}

/// What happens in `work` happens in the same flow, but apart from the request that is being answered.
pub async fn apart<T>(work: impl Future<Output = T>) -> T {
    match put_off_again() {
        Some(put_off) => put_off.scope(work).await,
        None => work.await,
    }
}

/// The request that is being answered, under another name.
fn put_off_again() -> Option<PutOff> {
    let again = |current: &Rc<Current>| {
        let recorder = Arc::clone(&current.recorder);
        let (exchange, span) = (current.exchange.get(), recorder.hex::<8>());
        Some(PutOff { exchange, span, flow: current.flow.borrow().clone()?, recorder, is_asked: true })
    };
    CURRENT.try_with(again).ok().flatten()
}
