//! Which flow a message joins, who is told of it, and what is forgotten first.

use shared::{
    clock::{ManualClock, Timestamp},
    flow::Line,
    random::SeededRandom,
};

use super::{kept::MOST_CORRELATORS, *};

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
    let id = recorder.find_or_begin(&message, None).unwrap();
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
    assert_eq!(recorder.find_or_begin(&page, None), None, "a page of no flow begins none");
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

fn token(client: &str, code: &str) -> Message {
    message(Exchange::Token, "/token", &format!("client_id={client}&client_secret=s&code={code}"))
}

#[test]
fn a_message_of_one_client_never_joins_a_flow_of_another() {
    let recorder = recorder(10, 100_000);
    let junk = message(Exchange::Authorize, "/authorize?client_id=attacker&code=x", "");
    let flow = recorder.find_or_begin(&junk, None).unwrap();
    recorder.add(&flow, "1", 1, Event::Message(junk));
    let request = token("victim", "x");
    let other = recorder.find_or_begin(&request, None).unwrap();
    recorder.add(&other, "2", 1, Event::Message(request));
    assert_ne!(flow, other);
    let code = correlate::of(&token("victim", "x"), &[]);
    assert_eq!(recorder.events_of(&code, "attacker").len(), 1, "their own message only");
    assert_eq!(recorder.events_of(&code, "victim").len(), 1);
    let nobody = Message {
        headers: vec![("authorization".into(), "Basic !".into())],
        ..message(Exchange::Token, "/token", "code=x")
    };
    let stray = recorder.find_or_begin(&nobody, None).unwrap();
    recorder.add(&stray, "3", 1, Event::Message(nobody));
    assert_eq!(recorder.events_of(&code, "attacker").len(), 1);
}

#[test]
fn a_state_that_is_used_again_after_an_answer_begins_a_new_flow() {
    let recorder = recorder(10, 100_000);
    let first = begin(&recorder, "c", "same", "");
    assert_eq!(begin(&recorder, "c", "same", ""), first);
    let sent_back = Message {
        line: Line::Status(303),
        headers: vec![("location".into(), "http://rp/auth?code=x&state=same".into())],
        ..message(Exchange::Decision, "", "")
    };
    recorder.add(&first, "1", 2000, Event::Message(sent_back));
    assert_ne!(begin(&recorder, "c", "same", ""), first);
}

#[test]
fn i23_strays_and_whoever_takes_the_most_are_forgotten_before_others() {
    let recorder = recorder(4, 1_000_000);
    let begin_at = |state: &str, address: &str| {
        let message = message(Exchange::Authorize, &format!("/authorize?client_id=c&state={state}"), "");
        let id = recorder.find_or_begin(&message, address.parse().ok()).unwrap();
        recorder.add(&id, "1", 1, Event::Message(message));
        id
    };
    let (mine, theirs) = (begin_at("1", "192.0.2.1"), begin_at("2", "192.0.2.2"));
    for number in 0..20 {
        let stray = message(Exchange::Callback, &format!("/auth?state=x{number}"), "");
        let id = recorder.find_or_begin(&stray, "192.0.2.2".parse().ok()).unwrap();
        recorder.add(&id, "1", 1, Event::Message(stray));
    }
    assert!(recorder.flow(&mine).is_some() && recorder.flow(&theirs).is_some());
    for number in 0..20 {
        begin_at(&format!("more {number}"), "192.0.2.2");
    }
    assert!(recorder.flow(&mine).is_some() && recorder.flow(&theirs).is_none());
}

#[test]
fn i23_whatever_is_long_counts() {
    let recorder = recorder(100, 80_000);
    let long = format!("/authorize?client_id=c&state=s&x={}", "x".repeat(20_000));
    let long = message(Exchange::Authorize, &long, "");
    let id = recorder.find_or_begin(&long, None).unwrap();
    recorder.add(&id, "1", 1, Event::Message(long));
    assert!(recorder.flow(&id).unwrap().events.is_empty());
    let many = begin(&recorder, "c", "many", "");
    for number in 0..500 {
        let callback =
            message(Exchange::Callback, &format!("/auth?client_id=c&state=many&code={number}"), "");
        recorder.add(&many, "1", 1, Event::Message(callback));
    }
    assert!(recorder.flow(&many).unwrap().correlators.len() <= MOST_CORRELATORS + 1);
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

#[test]
fn a_flow_stays_with_the_browser_that_began_it() {
    let recorder = recorder(10, 100_000);
    let id = begin(&recorder, "c", "s", "");
    let [first, second] = ["first", "second"].map(SecretHash::of);
    recorder.give_to(&id, first);
    recorder.give_to(&id, second);
    assert!(recorder.flow(&id).unwrap().owner == Some(first));
}
