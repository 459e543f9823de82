//! The flows that a server remembers, each with its events, in bounds.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use shared::{
    clock::Clock,
    flow::{Event, Exchange, Message, Party, Recorded},
    params::Params,
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

/// What an event takes beside its texts, in bytes: a generous guess.
const EVENT: usize = 256;
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
    /// What happened.
    pub events: Vec<Recorded>,
    /// Where the servers were, if it was opened from a file.
    pub opened: Option<Addresses>,
    bytes: usize,
    is_over: bool,
}

/// The flows of one server.
pub struct Recorder {
    party: Party,
    /// Who this server is as a client, if it is one.
    client: Option<String>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    kept: Mutex<Kept>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    /// In the order in which they began.
    flows: BTreeMap<u64, Flow>,
    ids: HashMap<FlowId, u64>,
    index: HashMap<Correlator, u64>,
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
        Self { party, client, limits, clock, random, kept, changed: watch::Sender::new(0) }
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
    pub fn flow(&self, id: &str) -> Option<Flow> {
        let kept = self.kept();
        kept.flows.get(kept.ids.get(id)?).cloned()
    }

    /// The flow that `correlator` belongs to.
    pub fn flow_of(&self, correlator: &Correlator) -> Option<Flow> {
        let kept = self.kept();
        kept.flows.get(kept.index.get(correlator)?).cloned()
    }

    /// How many events the flow called `id` has.
    pub fn length(&self, id: &str) -> Option<usize> {
        let kept = self.kept();
        Some(kept.flows.get(kept.ids.get(id)?)?.events.len())
    }

    /// All flows for which `shown` holds, the latest first, without the events of those beyond `most`.
    pub fn flows(&self, most: usize, shown: impl Fn(&Flow) -> bool) -> Vec<Flow> {
        let kept = self.kept();
        let flows = kept.flows.values().rev().filter(|flow| flow.number.is_some() && shown(flow));
        flows.take(most).cloned().collect()
    }

    /// What was recorded of the flows that one of `correlators` belongs to, as far as they are for `client`: it names its
    /// own, or knows the random trace of messages that belong to none.
    pub fn events_of(&self, correlators: &[Correlator], client: &str) -> Vec<Recorded> {
        let kept = self.kept();
        let mut found: Vec<u64> = correlators.iter().filter_map(|it| kept.index.get(it)).copied().collect();
        found.sort_unstable();
        found.dedup();
        let flows = found.iter().filter_map(|begun| kept.flows.get(begun));
        let own = flows.filter(|flow| flow.client.as_deref().is_none_or(|it| it == client));
        own.flat_map(|flow| flow.events.iter().cloned()).collect()
    }

    /// The flow that `message` belongs to; one that begins a flow begins it here. `None` if it belongs to none.
    pub(crate) fn find_or_begin(&self, message: &Message) -> Option<FlowId> {
        let correlators = correlate::of(message, self.client.as_deref());
        let mut kept = self.kept();
        if message.exchange != Exchange::Login
            && let Some(begun) = correlators.iter().find_map(|it| kept.index.get(it)).copied()
        {
            kept.learn(begun, &correlators);
            return kept.flows.get(&begun).map(|flow| flow.id.clone());
        }
        // A callback or a code out of nowhere is worth seeing, too.
        let begins = matches!(
            message.exchange,
            Exchange::Login
                | Exchange::Authorize
                | Exchange::Callback
                | Exchange::Token
                | Exchange::Logout
                | Exchange::EndSession
        );
        if !begins && message.header("traceparent").is_none() {
            return None;
        }
        let [id, trace] = [(); 2].map(|()| self.hex::<16>());
        let client = client_of(message, self.client.as_deref());
        Some(kept.begin(id, trace, begins, client, &correlators))
    }

    /// Adds what happened to a flow.
    pub(crate) fn add(&self, id: &str, within: &str, at: i64, event: Event) {
        let mut kept = self.kept();
        let Some(begun) = kept.ids.get(id).copied() else { return };
        let correlators = match &event {
            Event::Message(message) => correlate::of(message, self.client.as_deref()),
            Event::Check(_) | Event::Life(_) => Vec::new(),
        };
        let share = self.limits.bytes / SHARE_OF_ONE_FLOW;
        if kept.add(begun, Recorded { by: self.party, at, within: within.to_owned(), event }, share) {
            kept.learn(begun, &correlators);
            kept.shrink(&self.limits, begun);
            drop(kept);
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// Takes a flow out of a file into the list, for `owner`. `None` if it is larger than a flow may be.
    pub fn adopt(&self, saved: Saved, owner: Option<SecretHash>) -> Option<FlowId> {
        let bytes = saved.events.iter().map(|it| EVENT + weight(&it.event)).sum();
        if bytes > self.limits.bytes / SHARE_OF_ONE_FLOW {
            return None;
        }
        let [id, trace] = [(); 2].map(|()| self.hex::<16>());
        let mut kept = self.kept();
        let id = kept.begin(id, trace, true, None, &[]);
        let begun = kept.begun;
        if let Some(flow) = kept.flows.get_mut(&begun) {
            flow.owner = owner;
            flow.events = saved.events;
            flow.opened = Some(Addresses { rp: saved.rp, idp: saved.idp });
            flow.is_over = true;
            flow.bytes = bytes;
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
            flow.owner = Some(owner);
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
    fn begin(
        &mut self,
        id: FlowId,
        trace: String,
        is_flow: bool,
        client: Option<String>,
        correlators: &[Correlator],
    ) -> FlowId {
        self.begun += 1;
        let begun = self.begun;
        if is_flow {
            self.numbered += 1;
        }
        let flow = Flow {
            id: id.clone(),
            number: is_flow.then_some(self.numbered),
            owner: None,
            client,
            correlators: HashSet::from([correlate::trace(&trace)]),
            trace,
            events: Vec::new(),
            opened: None,
            bytes: 0,
            is_over: !is_flow,
        };
        self.ids.insert(id.clone(), begun);
        self.flows.insert(begun, flow);
        self.learn(begun, correlators);
        id
    }

    /// Notes what a flow can be found by. What is known already stays where it is.
    fn learn(&mut self, begun: u64, correlators: &[Correlator]) {
        let Some(flow) = self.flows.get_mut(&begun) else { return };
        for correlator in correlators {
            if *self.index.entry(*correlator).or_insert(begun) == begun {
                flow.correlators.insert(*correlator);
            }
        }
    }

    /// Whether it was added: a flow that has its share already gets no more.
    fn add(&mut self, begun: u64, recorded: Recorded, share: usize) -> bool {
        let Some(flow) = self.flows.get_mut(&begun) else { return false };
        let weight = EVENT + weight(&recorded.event);
        if flow.bytes + weight > share {
            return false;
        }
        flow.is_over = flow.is_over || ends(&recorded);
        flow.bytes += weight;
        self.bytes += weight;
        flow.events.push(recorded);
        true
    }

    /// Forgets the oldest flows that are over, and if that is not enough the oldest ones, until everything is in bounds.
    /// The flow that is being recorded stays.
    fn shrink(&mut self, limits: &Limits, current: u64) {
        while self.flows.len() > limits.flows || self.bytes > limits.bytes {
            let others = || self.flows.iter().filter(|(begun, _)| **begun != current);
            let oldest = others().find(|(_, flow)| flow.is_over).or_else(|| others().next());
            let Some(begun) = oldest.map(|(begun, _)| *begun) else { return };
            if let Some(flow) = self.flows.remove(&begun) {
                self.bytes -= flow.bytes;
                self.ids.remove(&flow.id);
                for correlator in &flow.correlators {
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

fn weight(event: &Event) -> usize {
    match event {
        Event::Message(message) => {
            let headers = message.headers.iter().map(|(name, value)| name.len() + value.len() + 48);
            message.body.len() + headers.sum::<usize>()
        }
        Event::Check(check) => check.expected.value().len() + check.actual.value().len(),
        Event::Life(_) => 0,
    }
}

/// For whom a flow is that begins with `message`.
fn client_of(message: &Message, client: Option<&str>) -> Option<String> {
    let named = [message.query(), &message.body].into_iter().find_map(|encoded| {
        let params = Params::parse_with_repeats(encoded.as_bytes()).ok()?;
        params.get("client_id").map(ToOwned::to_owned)
    });
    named.or_else(|| client.map(ToOwned::to_owned))
}

#[cfg(test)]
mod tests {
    use shared::{
        clock::{ManualClock, Timestamp},
        flow::Line,
        random::SeededRandom,
    };

    use super::*;

    fn recorder(flows: usize, bytes: usize) -> Recorder {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(1)));
        let limits = Limits { flows, bytes, body: 1024 };
        Recorder::new(Party::Idp, None, limits, clock, Arc::new(SeededRandom::new(1)))
    }

    fn message(exchange: Exchange, target: &str, body: &str) -> Message {
        Message {
            exchange,
            from: Party::Browser,
            to: Party::Idp,
            line: Line::Request { method: "GET".into(), target: target.into() },
            headers: vec![],
            body: body.into(),
            cut: 0,
            span: "1".into(),
        }
    }

    fn begin(recorder: &Recorder, client: &str, state: &str, body: &str) -> FlowId {
        let target = format!("/authorize?client_id={client}&state={state}");
        let message = message(Exchange::Authorize, &target, body);
        let id = recorder.find_or_begin(&message).unwrap();
        recorder.add(&id, "1", 1000, Event::Message(message));
        id
    }

    fn end(recorder: &Recorder, id: &str) {
        let answer = Message { line: Line::Status(200), ..message(Exchange::Token, "", "") };
        recorder.add(id, "2", 2000, Event::Message(answer));
    }

    #[test]
    fn the_same_state_of_the_same_client_is_the_same_flow() {
        let recorder = recorder(10, 100_000);
        let first = begin(&recorder, "c", "s", "");
        assert_eq!(begin(&recorder, "c", "s", ""), first);
        assert_ne!(begin(&recorder, "d", "s", ""), first);
        let page = message(Exchange::LoginPage, "/login/in_x", "");
        assert_eq!(recorder.find_or_begin(&page), None, "a page of no flow begins none");
    }

    #[test]
    fn a_client_sees_its_own_flows_only() {
        let recorder = recorder(10, 100_000);
        begin(&recorder, "c", "s", "");
        let correlators = [correlate::state("c", "s")];
        assert_eq!(recorder.events_of(&correlators, "c").len(), 1);
        assert_eq!(recorder.events_of(&correlators, "d").len(), 0);
        assert_eq!(recorder.events_of(&[correlate::state("c", "other")], "c").len(), 0);
    }

    #[test]
    fn the_oldest_flows_that_are_over_are_forgotten_first() {
        let recorder = recorder(2, 1_000_000);
        let (running, over) = (begin(&recorder, "c", "1", ""), begin(&recorder, "c", "2", ""));
        end(&recorder, &over);
        let third = begin(&recorder, "c", "3", "");
        assert!(recorder.flow(&over).is_none());
        assert!(recorder.flow(&running).is_some());
        let fourth = begin(&recorder, "c", "4", "");
        assert!(recorder.flow(&running).is_none());
        let numbers: Vec<_> = recorder.flows(9, |_| true).iter().map(|flow| flow.number).collect();
        assert_eq!(numbers, [Some(4), Some(3)]);
        assert!(recorder.flow(&third).is_some() && recorder.flow(&fourth).is_some());
        assert!(recorder.events_of(&[correlate::state("c", "2")], "c").is_empty(), "its index is gone, too");
    }

    #[test]
    fn bytes_are_bounded_for_all_flows_and_for_one() {
        let recorder = recorder(100, 80_000);
        let body = "x".repeat(4_000);
        for state in 0..50 {
            begin(&recorder, "c", &state.to_string(), &body);
        }
        let kept = recorder.flows(100, |_| true).len();
        assert!((15..20).contains(&kept), "{kept}");
        for _ in 0..50 {
            begin(&recorder, "c", "one", &body);
        }
        let id = begin(&recorder, "c", "one", &body);
        assert_eq!(recorder.flow(&id).unwrap().events.len(), 2, "no flow takes more than its share");
        assert!(recorder.flows(100, |_| true).len() > 10);
    }
}
