//! What a client tells that is a script in the browser: it has no server that could record its half.

use std::{net::IpAddr, sync::Arc};

use shared::flow::{Event, Party, Recorded};

use super::{FlowId, Recorder, SHARE_OF_ONE_FLOW};
use crate::correlate::{self, Correlator};

impl Recorder {
    /// The flow of `client` that is known by `name`. It begins here, at `address`, when there is none.
    pub(crate) fn told_of(&self, client: &str, name: Correlator, address: Option<IpAddr>) -> FlowId {
        let mut kept = self.kept();
        let known = kept.index.get(&name).into_iter().flatten().rev();
        let known = known.filter_map(|begun| kept.flows.get(begun));
        if let Some(flow) = known.into_iter().find(|flow| flow.client.as_deref() == Some(client)) {
            return flow.id.clone();
        }
        let [id, trace] = [(); 2].map(|()| self.hex::<16>());
        let begun = kept.begin(id.clone(), trace, true);
        if let Some(flow) = kept.flows.get_mut(&begun) {
            let flow = Arc::make_mut(flow);
            (flow.client, flow.address) = (Some(client.to_owned()), address);
            flow.correlators.insert(name);
        }
        kept.index.entry(name).or_default().push(begun);
        id
    }

    /// Adds what was told, all of it at once: it came together.
    pub(crate) fn add_told(&self, id: &str, told: impl Iterator<Item = (i64, String, Event)>) {
        let mut kept = self.kept();
        let Some(begun) = kept.ids.get(id).copied() else { return };
        for (at, within, event) in told {
            let correlators = match &event {
                Event::Message(message) => correlate::of(message, &[]),
                _ => Vec::new(),
            };
            let recorded = Recorded { by: Party::Browser, at, within, event };
            kept.add(begun, recorded, &correlators, self.limits.bytes / SHARE_OF_ONE_FLOW);
        }
        kept.shrink(&self.limits, begun);
        drop(kept);
        self.changed.send_modify(|count| *count += 1);
    }
}
