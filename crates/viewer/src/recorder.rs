//! The flows that a server remembers, each with its events, in bounds.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Write as _,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

use shared::{
    clock::Clock,
    flow::{Entry, Event, Exchange, Line, Message, Party, Recorded, Step},
    random::Random,
    secret::SecretHash,
};
use tokio::sync::watch;

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

/// What an event, and what a correlator takes beside its texts, in bytes: generous guesses.
const EVENT: usize = 256;
const CORRELATOR: usize = 128;
/// How many names of a server as a client are remembered, beside the first.
const MOST_NAMES: usize = 16;
/// By how many values a flow is found at most.
const MOST_CORRELATORS: usize = 200;
/// To how many flows a value belongs at most: two, where the same `state` was used again.
const MOST_FLOWS: usize = 8;
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

#[derive(Default)]
struct Kept {
    /// In the order in which they began.
    flows: BTreeMap<u64, Arc<Flow>>,
    ids: HashMap<FlowId, u64>,
    index: HashMap<Correlator, Vec<u64>>,
    bytes: usize,
    begun: u64,
    numbered: u32,
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

    /// Notes whose browser began a flow.
    pub fn give_to(&self, id: &str, owner: SecretHash) {
        let mut kept = self.kept();
        if let Some(begun) = kept.ids.get(id).copied()
            && let Some(flow) = kept.flows.get_mut(&begun)
        {
            Arc::make_mut(flow).owner = Some(owner);
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

impl Kept {
    /// The latest flow that a message with these correlators belongs to. One client's messages never join another's flow.
    fn find(&self, exchange: Exchange, correlators: &[Correlator], client: Option<&str>) -> Option<&Flow> {
        if exchange == Exchange::Login {
            return None;
        }
        let flows =
            correlators.iter().filter_map(|it| self.index.get(it)).flat_map(|flows| flows.iter().rev());
        let mut flows = flows.filter_map(|begun| self.flows.get(begun)).map(Arc::as_ref);
        flows.find(|flow| match exchange {
            // Who asks again after an answer begins again, whatever `state` they use.
            Exchange::Push | Exchange::Authorize => {
                flow.client.as_deref() == client && !flow.is_answered && !flow.is_over
            }
            // They have no client, and stay among themselves.
            Exchange::Discovery | Exchange::Keys => flow.number.is_none(),
            Exchange::Token | Exchange::Refresh | Exchange::Introspect | Exchange::Revoke => {
                client.is_some() && flow.client.as_deref() == client
            }
            _ => flow.number.is_some() && client.is_none_or(|client| flow.client.as_deref() == Some(client)),
        })
    }

    fn begin(&mut self, id: FlowId, trace: String, is_flow: bool) -> u64 {
        self.begun += 1;
        let begun = self.begun;
        if is_flow {
            self.numbered += 1;
        }
        let flow = Flow {
            id: id.clone(),
            number: is_flow.then_some(self.numbered),
            owner: None,
            client: None,
            correlators: HashSet::from([correlate::trace(&trace)]),
            trace,
            address: None,
            events: Vec::new(),
            opened: None,
            bytes: EVENT,
            is_over: !is_flow,
            is_stray: false,
            is_answered: false,
        };
        self.bytes += flow.bytes;
        self.ids.insert(id, begun);
        self.flows.insert(begun, Arc::new(flow));
        begun
    }

    /// Whether it was added: a flow that has its share already gets no more, and is found by nothing more.
    fn add(&mut self, begun: u64, recorded: Recorded, correlators: &[Correlator], share: usize) -> bool {
        let Some(flow) = self.flows.get_mut(&begun) else { return false };
        let weight = weight(&recorded) + correlators.len() * CORRELATOR;
        if flow.bytes + weight > share {
            return false;
        }
        let flow = Arc::make_mut(flow);
        flow.is_over = flow.is_over || ends(&recorded);
        flow.is_answered = flow.is_answered || answers(&recorded);
        flow.bytes += weight;
        self.bytes += weight;
        flow.events.push(recorded);
        for correlator in correlators {
            let flows = self.index.entry(*correlator).or_default();
            let has_room = flows.len() < MOST_FLOWS && flow.correlators.len() < MOST_CORRELATORS;
            if has_room && !flows.contains(&begun) {
                flows.push(begun);
                flow.correlators.insert(*correlator);
            }
        }
        true
    }

    /// Forgets flows until everything is in bounds: what began in the middle before what is over, and that before what goes
    /// on; of these those of the address that has the most, the oldest first. The flow that is being recorded stays.
    fn shrink(&mut self, limits: &Limits, current: u64) {
        while self.flows.len() > limits.flows || self.bytes > limits.bytes {
            let mut by_address: HashMap<Option<IpAddr>, usize> = HashMap::new();
            for flow in self.flows.values() {
                *by_address.entry(flow.address).or_default() += flow.bytes;
            }
            let greediest =
                by_address.into_iter().max_by_key(|(_, bytes)| *bytes).map(|(address, _)| address);
            let others = self.flows.iter().filter(|(begun, _)| **begun != current);
            let oldest = others.min_by_key(|(begun, flow)| {
                (Some(flow.address) != greediest, !flow.is_stray, !flow.is_over, **begun)
            });
            let Some(begun) = oldest.map(|(begun, _)| *begun) else { return };
            self.forget(begun);
        }
    }

    fn forget(&mut self, begun: u64) {
        let Some(flow) = self.flows.remove(&begun) else { return };
        self.bytes -= flow.bytes;
        self.ids.remove(&flow.id);
        for correlator in &flow.correlators {
            if let Some(flows) = self.index.get_mut(correlator) {
                flows.retain(|known| *known != begun);
                if flows.is_empty() {
                    self.index.remove(correlator);
                }
            }
        }
    }
}

/// Whether nothing more is expected, as far as one event tells.
fn ends(recorded: &Recorded) -> bool {
    let Event::Message(message) = &recorded.event else { return false };
    let last = match recorded.by {
        Party::Rp => matches!(message.exchange, Exchange::Callback | Exchange::LogoutDone),
        _ => matches!(message.exchange, Exchange::Token | Exchange::EndSession | Exchange::SignOut),
    };
    last && !message.is_request()
}

/// Whether it sends the browser back to the client (RFC 6749 §4.1.2).
fn answers(recorded: &Recorded) -> bool {
    let Event::Message(message) = &recorded.event else { return false };
    recorded.by == Party::Idp && Entry::of(message, Step::Callback) == Entry::Step(Step::Redirect)
}

fn weight(recorded: &Recorded) -> usize {
    let texts = match &recorded.event {
        Event::Message(message) => {
            let headers = message.headers.iter().map(|(name, value)| name.len() + value.len() + 48);
            let target = match &message.line {
                Line::Request { method, target } => method.len() + target.len(),
                Line::Status(_) => 0,
            };
            message.body.len() + target + message.span.len() + headers.sum::<usize>()
        }
        Event::Check(check) => check.expected.value().len() + check.actual.value().len(),
        Event::Life(_) => 0,
        Event::Release(release) => release.length(),
    };
    EVENT + recorded.within.len() + texts
}

mod told;

#[cfg(test)]
mod tests;
