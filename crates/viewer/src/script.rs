//! What a script in the browser tells of its own half of a flow. A public client has no server that sees its messages, so
//! it says itself what it sent, received and checked. That is shown like anything else that was recorded, and believed in
//! nothing else: whoever tells lies deceives themselves.

use std::net::IpAddr;

use serde::Deserialize;
use shared::flow::{Event, Exchange, Line, Message, Party, Recorded};

use crate::{
    correlate,
    recorder::{FlowId, Recorder},
    redact, saved, tap,
};

/// How much is told at once, in events.
const MOST: usize = 100;
/// How long ago it can have happened, in milliseconds: as long as a browser is away to sign in.
const LONG_AGO: i64 = 60 * 60 * 1000;
/// The longest name of a flow, and of a request, in bytes.
const LONGEST_NAME: usize = 128;

/// Something that happened in the browser.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// How many milliseconds ago: the browser's clock need not be this server's.
    ago: u32,
    /// What the script was busy with: the span of a request, or nothing.
    #[serde(default)]
    within: String,
    /// What happened.
    event: Event,
}

/// Takes note of what a script of `client` tells of the flow that it knows by its `state`; `None` if it cannot have happened
/// there.
pub fn take(
    recorder: &Recorder,
    client: &str,
    state: &str,
    address: Option<IpAddr>,
    told: Vec<Told>,
) -> Option<FlowId> {
    if state.is_empty() || state.len() > LONGEST_NAME || told.is_empty() || told.len() > MOST {
        return None;
    }
    let now = recorder.now();
    let mut events = Vec::with_capacity(told.len());
    for Told { ago, within, event } in told {
        let recorded = Recorded {
            by: Party::Browser,
            at: now.saturating_sub(LONG_AGO.min(ago.into())),
            within,
            event: clean(event)?,
        };
        if recorded.within.len() > LONGEST_NAME || !saved::is_possible(&recorded) {
            return None;
        }
        events.push(recorded);
    }
    let is_logout = |it: &Recorded| {
        matches!(&it.event, Event::Message(message)
            if matches!(message.exchange, Exchange::EndSession | Exchange::LogoutDone))
    };
    // A logout is a flow of its own.
    let name_of = if events.iter().any(is_logout) { correlate::logout_state } else { correlate::state };
    let name = name_of(client, state);
    let flow = recorder.told_of(client, name, address);
    recorder.add_told(&flow, events.into_iter().map(|it| (it.at, it.within, it.event)));
    Some(flow)
}

/// The event as it is recorded, if a script can have met with it.
fn clean(event: Event) -> Option<Event> {
    match event {
        Event::Message(message) => is_of_a_script(&message).then(|| Event::Message(without_secrets(message))),
        Event::Check(_) | Event::Life(_) => Some(event),
        Event::Release(_) => None,
    }
}

/// Whether it is a message of a client in the browser: to the IdP and back, or an address of the client's that the IdP sent
/// the browser to.
fn is_of_a_script(message: &Message) -> bool {
    let is_request = message.is_request();
    match message.exchange {
        Exchange::Callback | Exchange::LogoutDone => {
            is_request && (message.from, message.to) == (Party::Browser, Party::Rp)
        }
        Exchange::Authorize | Exchange::EndSession => {
            is_request && (message.from, message.to) == (Party::Browser, Party::Idp)
        }
        Exchange::Discovery
        | Exchange::Token
        | Exchange::Keys
        | Exchange::Userinfo
        | Exchange::Refresh
        | Exchange::Api
        | Exchange::Revoke => {
            let (client, idp) = (Party::Browser, Party::Idp);
            (message.from, message.to) == if is_request { (client, idp) } else { (idp, client) }
        }
        _ => false,
    }
}

/// What is never recorded is not recorded here either.
fn without_secrets(message: Message) -> Message {
    let pairs = message.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let headers = tap::headers(pairs);
    let (line, body) = match message.line {
        Line::Request { method, target } => {
            let media_type = headers.iter().find(|(name, _)| name == "content-type");
            let media_type = media_type.map_or("", |(_, value)| value);
            let body = redact::body(message.exchange, media_type, &message.body).into_owned();
            (Line::Request { method, target: redact::target(&target).into_owned() }, body)
        }
        status @ Line::Status(_) => (status, message.body),
    };
    Message { headers, line, body, ..message }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};
    use shared::{clock::SystemClock, random::SystemRandom};

    use super::*;
    use crate::recorder::Limits;

    fn recorder() -> Recorder {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        Recorder::new(Party::Rp, Some("client1".into()), Limits::default(), clock, random)
    }

    fn message(exchange: &str, from: &str, to: &str) -> Value {
        json!({ "ago": 5, "event": { "message": {
            "exchange": exchange, "from": from, "to": to,
            "line": { "request": { "method": "POST", "target": "/oauth/token?password=geheim" } },
            "headers": [["content-type", "application/x-www-form-urlencoded"], ["cookie", "a=geheim"]],
            "body": "code=x&client_id=spa&password=geheim", "cut": 0, "span": "s",
        } } })
    }

    fn tells(recorder: &Recorder, told: Value) -> Option<FlowId> {
        take(recorder, "spa", "state-1", None, serde_json::from_value(told).ok()?)
    }

    #[test]
    fn what_a_script_tells_is_a_flow_of_its_client_found_by_its_state() {
        let recorder = recorder();
        let flow = tells(&recorder, json!([message("token", "browser", "idp")])).unwrap();
        assert_eq!(tells(&recorder, json!([message("refresh", "browser", "idp")])), Some(flow.clone()));
        assert_ne!(take(&recorder, "spa", "state-2", None, vec![]), Some(flow.clone()));
        let recorded = recorder.flow(&flow).unwrap();
        assert_eq!((recorded.client.as_deref(), recorded.events.len()), (Some("spa"), 2));
        assert!(recorded.events.iter().all(|it| it.by == Party::Browser));
        assert!(!format!("{:?}", recorded.events).contains("geheim"));
    }

    #[test]
    fn what_no_script_can_have_met_with_is_refused() {
        let recorder = recorder();
        let check = |rule: &str| {
            let shown = json!({ "words": null, "value": "x" });
            json!({ "ago": 0, "event": { "check": {
                "rule": rule, "expected": shown, "actual": shown, "verdict": "passed",
            } } })
        };
        assert!(tells(&recorder, json!([check("nonce")])).is_some());
        let many: Vec<_> = (0..=MOST).map(|_| check("nonce")).collect();
        for told in [
            json!([]),
            json!(many),
            json!([check("made_up")]),
            json!([message("password", "browser", "idp")]),
            json!([message("token", "rp", "idp")]),
            json!([message("token", "idp", "browser")]),
            json!([message("callback", "browser", "idp")]),
            json!([{ "ago": 0, "event": { "message": { "exchange": "token" } } }]),
            json!([{ "ago": -1, "event": check("nonce")["event"] }]),
        ] {
            assert_eq!(tells(&recorder, told.clone()), None, "{told}");
        }
        let told = || serde_json::from_value(json!([check("nonce")])).unwrap();
        assert_eq!(take(&recorder, "spa", "", None, told()), None);
        assert_eq!(take(&recorder, "spa", &"s".repeat(LONGEST_NAME + 1), None, told()), None);
    }
}
