//! How flows are kept, found again and forgotten.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use shared::flow::{Entry, Event, Exchange, Line, Party, Recorded, Step};

use super::{Flow, FlowId, Limits};
use crate::correlate::{self, Correlator};

/// What an event, and what a correlator takes beside its texts, in bytes: generous guesses.
const EVENT: usize = 256;
const CORRELATOR: usize = 128;
/// By how many values a flow is found at most.
pub(super) const MOST_CORRELATORS: usize = 200;
/// To how many flows a value belongs at most: two, where the same `state` was used again.
const MOST_FLOWS: usize = 8;

#[derive(Default)]
pub(super) struct Kept {
    /// In the order in which they began.
    pub(super) flows: BTreeMap<u64, Arc<Flow>>,
    pub(super) ids: HashMap<FlowId, u64>,
    pub(super) index: HashMap<Correlator, Vec<u64>>,
    pub(super) bytes: usize,
    begun: u64,
    numbered: u32,
}

impl Kept {
    /// The latest flow that a message with these correlators belongs to. One client's messages never join another's flow.
    pub(super) fn find(
        &self,
        exchange: Exchange,
        correlators: &[Correlator],
        client: Option<&str>,
    ) -> Option<&Flow> {
        if matches!(exchange, Exchange::Login | Exchange::Logout) {
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

    pub(super) fn begin(&mut self, id: FlowId, trace: String, is_flow: bool) -> u64 {
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
    pub(super) fn add(
        &mut self,
        begun: u64,
        recorded: Recorded,
        correlators: &[Correlator],
        share: usize,
    ) -> bool {
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
    pub(super) fn shrink(&mut self, limits: &Limits, current: u64) {
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

pub(super) fn weight(recorded: &Recorded) -> usize {
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
