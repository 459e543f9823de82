//! One order out of what several recorded, each in its own.

use std::collections::HashSet;

use super::super::{Event, Exchange, Message, Party, Recorded};

/// One order out of several: each side's own order stays, and between the sides the time decides. What happened at the same
/// moment is put in the order in which it can have happened. Who fetched the IdP's documents it does not know, so that it
/// keeps these apart from everything else, and tells them in an order of their own.
pub(super) fn merged(events: &[Recorded]) -> Vec<&Recorded> {
    let is_document = |it: &&Recorded| matches!(&it.event, Event::Message(message) if is_document(message));
    let fetched: HashSet<_> =
        events.iter().filter(is_document).map(|it| (it.by, it.within.as_str())).collect();
    let fetched = &fetched;
    let of = |(party, apart)| {
        let is_it = move |it: &&Recorded| {
            let is_apart = party == Party::Idp && fetched.contains(&(it.by, it.within.as_str()));
            it.by == party && is_apart == apart
        };
        (events.iter().filter(is_it).peekable(), 0)
    };
    let mut sides =
        [(Party::Rp, false), (Party::Browser, false), (Party::Idp, true), (Party::Idp, false)].map(of);
    let mut merged = Vec::with_capacity(events.len());
    loop {
        let nexts = sides.iter_mut().filter_map(|side| {
            let (events, rank) = side;
            let next = events.peek()?;
            *rank = rank_of(next).unwrap_or(*rank);
            Some(((next.at, *rank), side))
        });
        // Of two that are alike the first.
        match nexts.min_by_key(|(place, _)| *place).and_then(|(_, (events, _))| events.next()) {
            Some(it) => merged.push(it),
            None => return merged,
        }
    }
}

/// Whether it is about a document that the IdP gives to everybody.
const fn is_document(message: &Message) -> bool {
    matches!(message.exchange, Exchange::Discovery | Exchange::Keys)
}

/// Where in the flow a message stands, for those of one moment. What is no message goes with the message before it.
fn rank_of(it: &Recorded) -> Option<usize> {
    let Event::Message(message) = &it.event else { return None };
    let exchange = Exchange::ALL.iter().position(|known| *known == message.exchange)?;
    // From the outside inwards and back: the one who asks records the request first and the response last.
    let within = match (message.is_request(), message.from == it.by) {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 3,
    };
    Some(exchange * 4 + within)
}
