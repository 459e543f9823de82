//! Files that somebody made to do harm: they are shown as well as can be, and soon.

use std::time::Instant;

use shared::flow::{Event, Exchange, Line, Message, Party, Recorded, Story};
use viewer::view::{Listed, Show, compare_page, flow_page, list_page};

use super::{ListFacts, PATIENCE, facts, flow, rendered, sample};

const MANY: usize = 8_000;
const JSON: &str = "application/json";

fn to_token_endpoint(target: &str, media_type: &str, body: &str) -> Message {
    Message {
        exchange: Exchange::Token,
        from: Party::Rp,
        to: Party::Idp,
        line: Line::Request { method: "POST".into(), target: target.into() },
        headers: vec![("content-type".into(), media_type.into())],
        body: body.into(),
        cut: 0,
        span: "s".into(),
    }
}

/// Both records of a message.
fn twice(message: &Message, at: [i64; 2]) -> Vec<Recorded> {
    let of = |(by, at)| Recorded { by, at, within: "s".into(), event: Event::Message(message.clone()) };
    [Party::Rp, Party::Idp].into_iter().zip(at).map(of).collect()
}

fn many(begins: &str) -> Vec<Recorded> {
    let pairs: Vec<_> = (0..MANY).map(|at| format!("{begins}{at}={at}&code={at}&")).collect();
    let query = pairs.concat();
    let message = to_token_endpoint(&format!("/?{query}"), "application/x-www-form-urlencoded", &query);
    twice(&message, [sample::BEGAN; 2])
}

#[test]
fn thousands_of_parameters_are_shown_in_part_and_the_page_says_so() {
    let (a, b) = (many("a"), many("b"));
    let (a, b) = (Story::tell(&a, sample::BEGAN, PATIENCE), Story::tell(&b, sample::BEGAN, PATIENCE));
    let (of_a, of_b) = (facts(7, sample::BEGAN), facts(8, sample::BEGAN));
    let before = Instant::now();
    let (flow, both) = (flow_page(&a, &of_a), compare_page((&a, &of_a), (&b, &of_b)));
    let took = before.elapsed();
    let html = rendered("en", "viewer/flow.html", &flow);
    assert!(html.contains("31801 more are not shown."));
    assert!(html.contains("31505 more lines are not shown."));
    let html = rendered("en", "viewer/compare.html", &both);
    assert!(html.contains("15800 more are not shown."));
    // What looks for each among all others takes minutes.
    assert!(took.as_secs() < 10, "{took:?}");
}

#[test]
fn json_of_brackets_is_shown_in_part() {
    let html = flow("en", &twice(&to_token_endpoint("/", JSON, &"[".repeat(100_000)), [sample::BEGAN; 2]));
    assert!(html.contains("99504 more lines are not shown.") && html.len() < 700_000, "{}", html.len());
}

#[test]
fn records_that_differ_where_it_is_not_shown_are_not_called_the_same() {
    let message = to_token_endpoint(&format!("/?{}", "a&".repeat(1_000)), JSON, "");
    let mut events = twice(&message, [sample::BEGAN; 2]);
    assert!(flow("en", &events).contains("not one byte differs"));
    let Event::Message(other) = &mut events[1].event else { unreachable!() };
    other.headers.push(("x-more".into(), "1".into()));
    assert!(!flow("en", &events).contains("not one byte differs"));
}

#[test]
fn no_number_is_too_large_or_too_small() {
    let mut message = to_token_endpoint("/", "text/html", "<p>");
    message.cut = usize::MAX;
    for at in [[i64::MIN, i64::MAX], [i64::MAX, i64::MIN], [i64::MIN; 2], [i64::MAX; 2]] {
        let events = twice(&message, at);
        for now in [i64::MIN, 0, i64::MAX] {
            let story = Story::tell(&events, now, PATIENCE);
            flow_page(&story, &facts(8, now));
            let listed = [Listed { id: "fl_x", number: 8, story: &story }];
            list_page(&listed, &ListFacts { base: "", now, show: Show::All, with: None });
        }
    }
    assert!(flow("en", &twice(&message, [0, 1])).contains(&format!("{} more bytes", usize::MAX)));
}

#[test]
fn a_request_with_control_characters_is_no_command() {
    let html = flow("en", &twice(&to_token_endpoint("/", JSON, "x\n'; id #"), [sample::BEGAN; 2]));
    assert!(html.contains("the request holds control characters") && !html.contains("curl -i"));
    assert!(flow("en", &sample::login()).contains("not for <code>cmd</code> or PowerShell"));
}
