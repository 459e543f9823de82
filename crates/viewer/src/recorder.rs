//! The flows that a server remembers, each with its events, in bounds.

mod kept;
mod told;

use std::{
    collections::HashSet,
    fmt::Write as _,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

use shared::{
    clock::Clock,
    flow::{Event, Exchange, Message, Party, Recorded},
    random::Random,
    secret::SecretHash,
};
use tokio::sync::watch;

use self::kept::{Kept, weight};
use crate::{
    correlate::{self, Correlator},
    saved::Saved,
};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Flows.
    pub flows: usize,
    /// Bytes of all their events.
    pub bytes: usize,
    /// Bytes of one body.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { flows: 10_000, bytes: 32 * 1024 * 1024, body: 64 * 1024 }
    }
}

/// How many names of a server as a client are remembered, beside the first.
const MOST_NAMES: usize = 16;
/// Of one flow no more is kept than this part of all bytes, so that one cannot drive out the others.
const SHARE_OF_ONE_FLOW: usize = 8;

/// The name of a flow at one server: random, so that nobody guesses it.
pub type FlowId = String;

/// Addresses for people, host and port; empty where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The RP's.
    pub rp: String,
    /// The IdP's.
    pub idp: String,
}

/// What the recorder keeps of a flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name.
    pub id: FlowId,
    /// A number for people, counted from 1. Messages that no flow was found for have none.
    pub number: Option<u32>,
    /// Whose browser began it, where that is kept.
    pub owner: Option<SecretHash>,
    /// The client that it is for, if a message named one.
    pub client: Option<String>,
    /// What its back-channel messages carry in `traceparent`.
    pub trace: String,
    /// What it is found by.
    pub correlators: HashSet<Correlator>,
    /// The address that it began at, as far as that is known.
    pub address: Option<IpAddr>,
    /// What happened.
    pub events: Vec<Recorded>,
    /// Where the servers were, if it was opened from a file.
    pub opened: Option<Addresses>,
    bytes: usize,
    is_over: bool,
    /// It began in the middle: with a callback or a code out of nowhere.
    is_stray: bool,
    /// The browser was sent back to the client.
    is_answered: bool,
}

/// The flows of one server.
pub struct Recorder {
    party: Party,
    /// Who this server is as a client, if it is one: all names that it has, or had, the first of which stands for it.
    names: RwLock<Vec<String>>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    kept: Mutex<Kept>,
    changed: watch::Sender<u64>,
}

impl Recorder {
    /// An empty recorder of the server `party`, which is `client` where it is a client.
    pub fn new(
        party: Party,
        client: Option<String>,
        limits: Limits,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let kept = Mutex::default();
        Self {
            party,
            names: RwLock::new(client.into_iter().collect()),
            limits,
            clock,
            random,
            kept,
            changed: watch::Sender::new(0),
        }
    }

    /// Whose recorder it is.
    pub const fn party(&self) -> Party {
        self.party
    }

    /// How much is kept.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// The time in milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now_millis()
    }

    /// A counter that grows whenever something is recorded.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The flow called `id`.
    pub fn flow(&self, id: &str) -> Option<Arc<Flow>> {
        let kept = self.kept();
        kept.flows.get(kept.ids.get(id)?).cloned()
    }

    /// The latest flow that `correlator` belongs to.
    pub fn flow_of(&self, correlator: &Correlator) -> Option<Arc<Flow>> {
        let kept = self.kept();
        kept.flows.get(kept.index.get(correlator)?.last()?).cloned()
    }

    /// How many events the flow called `id` has.
    pub fn length(&self, id: &str) -> Option<usize> {
        let kept = self.kept();
        Some(kept.flows.get(kept.ids.get(id)?)?.events.len())
    }

    /// The latest flows for which `shown` holds, `most` of them, the latest first.
    pub fn flows(&self, most: usize, shown: impl Fn(&Flow) -> bool) -> Vec<Arc<Flow>> {
        let kept = self.kept();
        let flows = kept.flows.values().rev().filter(|flow| flow.number.is_some() && shown(flow));
        flows.take(most).cloned().collect()
    }

    /// What was recorded of the flows of `client` that one of `correlators` belongs to; and of what the trace of one of them
    /// asked without saying who asks, the provider's metadata and keys.
    pub fn events_of(&self, correlators: &[Correlator], client: &str) -> Vec<Recorded> {
        let kept = self.kept();
        let mut found: Vec<u64> =
            correlators.iter().filter_map(|it| kept.index.get(it)).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        let flows = found.iter().filter_map(|begun| kept.flows.get(begun));
        let own = flows.filter(|flow| flow.client.as_deref() == Some(client) || flow.number.is_none());
        own.flat_map(|flow| flow.events.iter().cloned()).collect()
    }

    /// The flow that `message` belongs to; one that begins a flow begins it here, at `address`. `None` if it belongs to none.
    pub(crate) fn find_or_begin(&self, message: &Message, address: Option<IpAddr>) -> Option<FlowId> {
        let correlators = correlate::of(message, &self.names());
        let client = self.known_as(correlate::client_of(message));
        let mut kept = self.kept();
        if let Some(flow) = kept.find(message.exchange, &correlators, client.as_deref()) {
            return Some(flow.id.clone());
        }
        let (begins, is_stray) = match message.exchange {
            Exchange::Login
            | Exchange::Push
            | Exchange::Authorize
            | Exchange::Logout
            | Exchange::EndSession => (true, false),
            // A callback or a code out of nowhere is worth seeing, too.
            Exchange::Callback | Exchange::Token => (true, true),
            Exchange::Discovery | Exchange::Keys if !correlators.is_empty() => (false, true),
            _ => return None,
        };
        let [id, trace] = [(); 2].map(|()| self.hex::<16>());
        let begun = kept.begin(id, trace, begins);
        let flow = Arc::make_mut(kept.flows.get_mut(&begun)?);
        (flow.client, flow.address, flow.is_stray) = (client.filter(|_| begins), address, is_stray);
        Some(flow.id.clone())
    }

    /// This server has another name as a client from now on. What it began under an earlier one goes on.
    pub fn also_known_as(&self, name: String) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        if names.len() > MOST_NAMES {
            names.remove(1);
        }
        names.push(name);
    }

    fn names(&self) -> RwLockReadGuard<'_, Vec<String>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client that a message names, or else this server itself, whose names are one.
    fn known_as(&self, client: Option<String>) -> Option<String> {
        let names = self.names();
        let own = client.as_ref().is_none_or(|client| names.contains(client));
        if own { names.first().cloned().or(client) } else { client }
    }

    /// Adds what happened to a flow.
    pub(crate) fn add(&self, id: &str, within: &str, at: i64, event: Event) {
        let mut kept = self.kept();
        let Some(begun) = kept.ids.get(id).copied() else { return };
        let correlators = match &event {
            Event::Message(message) => correlate::of(message, &self.names()),
            Event::Check(_) | Event::Life(_) | Event::Release(_) => Vec::new(),
        };
        let recorded = Recorded { by: self.party, at, within: within.to_owned(), event };
        if kept.add(begun, recorded, &correlators, self.limits.bytes / SHARE_OF_ONE_FLOW) {
            kept.shrink(&self.limits, begun);
            drop(kept);
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// Takes a flow out of a file into the list, for `owner`. `None` if it is larger than a flow may be.
    pub fn adopt(&self, saved: Saved, owner: Option<SecretHash>) -> Option<FlowId> {
        let bytes = saved.rp.len() + saved.idp.len() + saved.events.iter().map(weight).sum::<usize>();
        if bytes > self.limits.bytes / SHARE_OF_ONE_FLOW {
            return None;
        }
        let [id, trace] = [(); 2].map(|()| self.hex::<16>());
        let mut kept = self.kept();
        let begun = kept.begin(id.clone(), trace, true);
        if let Some(flow) = kept.flows.get_mut(&begun) {
            let flow = Arc::make_mut(flow);
            flow.owner = owner;
            flow.events = saved.events;
            flow.opened = Some(Addresses { rp: saved.rp, idp: saved.idp });
            flow.is_over = true;
            flow.bytes += bytes;
        }
        kept.bytes += bytes;
        kept.shrink(&self.limits, begun);
        Some(id)
    }

    /// Notes whose browser began a flow. It stays theirs: what leads others to it may be known to others.
    pub fn give_to(&self, id: &str, owner: SecretHash) {
        let mut kept = self.kept();
        if let Some(begun) = kept.ids.get(id).copied()
            && let Some(flow) = kept.flows.get_mut(&begun)
        {
            Arc::make_mut(flow).owner.get_or_insert(owner);
        }
    }

    /// The trace of a flow.
    pub(crate) fn trace_of(&self, id: &str) -> Option<String> {
        let kept = self.kept();
        kept.flows.get(kept.ids.get(id)?).map(|flow| flow.trace.clone())
    }

    /// Random hexadecimal digits, two for each of `N` bytes.
    pub(crate) fn hex<const N: usize>(&self) -> String {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        let mut digits = String::with_capacity(2 * N);
        for byte in bytes {
            let _ = write!(digits, "{byte:02x}");
        }
        digits
    }

    /// A thread that broke while it held the lock has at worst left out an event.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
