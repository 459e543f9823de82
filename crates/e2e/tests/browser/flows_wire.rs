//! What the flow viewer has is what went over the wire: somebody who stands between browser, RP and IdP saw the same.

use std::collections::BTreeSet;

use e2e::{eavesdropper::Heard, learner::Learner, pair::Pair};
use shared::flow::{Event, Line, Message, Party};
use viewer::saved::Saved;

/// What is about the connection, and not about the message.
const OF_THE_CONNECTION: [&str; 4] = ["connection", "date", "keep-alive", "transfer-encoding"];
const NOT_RECORDED: &str = "[not-recorded]";
/// Addresses at which the messages of a login arrive.
const OF_A_LOGIN: [&str; 8] = [
    "/login",
    "/auth",
    "/oauth/authorize",
    "/login/",
    "/consent/",
    "/oauth/token",
    "/oauth/userinfo",
    "/oauth/jwks",
];

/// A message: its first line, its headers and its body.
type Wire = (String, BTreeSet<(String, String)>, String);

#[actix_web::test]
async fn what_the_viewer_has_is_what_went_over_the_wire() {
    let (pair, [before_idp, before_rp]) = Pair::start_overheard().await;
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    let cookies = learner.cookies().await;
    learner.opens_the_latest_flow().await;
    let flow = learner.address().await;
    let (status, page) = learner.fetches(&format!("{flow}/save?secrets=1")).await;
    assert_eq!(status, 200);
    let saved = Saved::parse(&page).unwrap();
    assert!(!saved.redacted);
    let recorded = |by: Party, is_front: bool| {
        let messages = saved.events.iter().filter(|it| it.by == by).filter_map(|it| match &it.event {
            Event::Message(message) if message.is_front_channel() == is_front => Some(of_record(message)),
            _ => None,
        });
        sorted(messages)
    };
    let heard = |at: &e2e::eavesdropper::Eavesdropper, is_front: bool| {
        let exchanges = at.heard().into_iter().filter(|(request, _)| {
            // The RP names the flow in what it sends on the back channel. What it asks beside any flow has no name.
            is_of_a_login(request) && request.header("traceparent").is_none() == is_front
        });
        sorted(exchanges.flat_map(|(request, answer)| [of_wire(&request), of_wire(&answer.unwrap())]))
    };
    let (to_rp, to_idp, behind) =
        (heard(&before_rp, true), heard(&before_idp, true), heard(&before_idp, false));
    // Login and callback; authorization, two pages and two forms; token, keys and userinfo.
    assert_eq!([to_rp.len(), to_idp.len(), behind.len()], [4, 10, 6]);
    assert_same(&recorded(Party::Rp, true), &to_rp);
    assert_same(&recorded(Party::Idp, true), &to_idp);
    assert_same(&recorded(Party::Rp, false), &behind);
    assert_same(&recorded(Party::Idp, false), &behind);

    assert!(page.contains("password=[not-recorded]") && !page.contains("password=DemoTest2024"));
    assert!(before_idp.heard().iter().any(|(request, _)| request.body.contains("password=DemoTest2024")));
    // The list of logins under way names them by the beginnings of their `state`, which is no secret of the browser's.
    for cookie in cookies.iter().filter(|cookie| cookie["name"] != "rp_attempt_recent") {
        let value = cookie["value"].as_str().unwrap();
        assert!(!page.contains(value), "{cookie}");
    }
}

fn is_of_a_login(request: &Heard) -> bool {
    let path = request.target().split('?').next().unwrap_or_default();
    OF_A_LOGIN.iter().any(|known| if known.ends_with('/') { path.starts_with(known) } else { path == *known })
}

fn assert_same(recorded: &[Wire], heard: &[Wire]) {
    assert_eq!(recorded.len(), heard.len());
    for (recorded, heard) in recorded.iter().zip(heard) {
        assert_eq!(recorded.0, heard.0);
        assert_eq!(recorded.1, heard.1, "{}", heard.0);
        assert_eq!(recorded.2, heard.2, "{}", heard.0);
    }
}

fn sorted(messages: impl Iterator<Item = Wire>) -> Vec<Wire> {
    let mut messages: Vec<Wire> = messages.collect();
    messages.sort();
    messages
}

fn of_record(message: &Message) -> Wire {
    assert_eq!(message.cut, 0);
    let line = match &message.line {
        Line::Request { method, target } => format!("{method} {target}"),
        Line::Status(status) => status.to_string(),
    };
    (line, message.headers.iter().cloned().collect(), message.body.clone())
}

fn of_wire(heard: &Heard) -> Wire {
    assert!(heard.is_complete);
    let line = match heard.line.strip_suffix(" HTTP/1.1") {
        Some(request) => request.to_owned(),
        None => heard.line.split(' ').nth(1).unwrap_or_default().to_owned(),
    };
    let headers = heard.headers.iter().map(|(name, value)| {
        let name = name.to_lowercase();
        let value = without_cookies(&name, value);
        (name, value)
    });
    let headers = headers.filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()));
    (line, headers.collect(), without_password(&heard.body))
}

fn without_cookies(name: &str, value: &str) -> String {
    let (pairs, attributes) = match name {
        "cookie" => (value, None),
        "set-cookie" => value.split_once(';').map_or((value, None), |(pair, rest)| (pair, Some(rest))),
        _ => return value.to_owned(),
    };
    let hidden = pairs.split(';').map(|pair| match pair.split_once('=') {
        // One that is taken back has no value.
        Some((name, "")) => format!("{name}="),
        Some((name, _)) => format!("{name}={NOT_RECORDED}"),
        None => NOT_RECORDED.to_owned(),
    });
    let hidden = hidden.collect::<Vec<_>>().join(";");
    attributes.map_or_else(|| hidden.clone(), |rest| format!("{hidden};{rest}"))
}

fn without_password(body: &str) -> String {
    match body.split_once("&password=") {
        Some((before, after)) => {
            let rest = after.split_once('&').map_or(String::new(), |(_, rest)| format!("&{rest}"));
            format!("{before}&password={NOT_RECORDED}{rest}")
        }
        None => body.to_owned(),
    }
}
