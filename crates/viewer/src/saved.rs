//! A flow as a file: the page that opens offline, and in it the events, so that the file can be opened here again; the
//! messages as HAR, the picture as Mermaid. Secrets are left out unless they are asked for.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    flow::{Event, Line, Message, Party, Recorded, Story},
    params::Params,
};
use thiserror::Error;
use web::moment::Moment;

/// How many events a file holds at most, and how long a body, a target or a header in it is, in bytes.
pub const MOST_EVENTS: usize = 5_000;
const LONGEST: usize = 3 * 64 * 1024;
/// The year 2100, in milliseconds.
const LATEST: i64 = 4_102_444_800_000;
/// Where the events stand in the page.
const OPENING: &str = r#"<script type="application/json" id="flow">"#;

/// A flow in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The version of this format: 1.
    pub version: u8,
    /// The number that the flow had.
    pub number: u32,
    /// The RP's address.
    pub rp: String,
    /// The IdP's address.
    pub idp: String,
    /// Whether secrets are left out.
    pub redacted: bool,
    /// What happened.
    pub events: Vec<Recorded>,
}

/// Why a file cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// It is something else.
    #[error("this is no file that the flow viewer saved")]
    NotSaved,
    /// It is damaged, or of another version.
    #[error("the flow in this file cannot be read: {0}")]
    Unreadable(String),
}

impl Saved {
    /// The events as they stand in a page: JSON in which nothing ends the element.
    pub fn to_script(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c");
        format!("{OPENING}{json}</script>")
    }

    /// Reads a page that was saved.
    pub fn parse(page: &str) -> Result<Self, OpenError> {
        let (_, rest) = page.split_once(OPENING).ok_or(OpenError::NotSaved)?;
        let (json, _) = rest.split_once("</script>").ok_or(OpenError::NotSaved)?;
        let saved: Self =
            serde_json::from_str(json).map_err(|error| OpenError::Unreadable(error.to_string()))?;
        if saved.version != 1 {
            return Err(OpenError::Unreadable(format!("version {}", saved.version)));
        }
        if saved.events.len() > MOST_EVENTS || !saved.events.iter().all(is_possible) {
            return Err(OpenError::Unreadable("an event is none that is recorded".into()));
        }
        Ok(saved)
    }
}

/// Whether an event that comes from elsewhere can have been recorded, or told by a script.
pub fn is_possible(it: &Recorded) -> bool {
    let is_short = match &it.event {
        Event::Message(message) => {
            let target = if let Line::Request { target, .. } = &message.line { target.len() } else { 0 };
            let headers = message.headers.iter().map(|(name, value)| name.len() + value.len());
            let longest = headers.chain([target, message.body.len(), message.span.len()]).max();
            longest.is_none_or(|longest| longest <= LONGEST)
                && message.headers.len() <= 200
                && u32::try_from(message.cut).is_ok()
        }
        Event::Check(check) => check.expected.value().len() + check.actual.value().len() <= LONGEST,
        Event::Life(_) => true,
        Event::Release(release) => {
            release.pause.by() == it.by && release.changes.len() <= 200 && release.length() <= 4 * LONGEST
        }
    };
    is_short && (0..LATEST).contains(&it.at)
}

/// The messages as HAR 1.2, which browsers' tools open. Of the two records of a back-channel message it has the sender's.
pub fn har(story: &Story<'_>, rp: &str, idp: &str) -> Value {
    let all: Vec<_> = story.stages.iter().flat_map(|stage| &stage.messages).collect();
    let requests = all.iter().filter(|it| it.message.is_request());
    let entries: Vec<Value> = requests
        .map(|it| {
            let request = it.message;
            let answer = all.iter().find(|other| {
                !other.message.is_request()
                    && other.message.span == request.span
                    && other.message.exchange == request.exchange
            });
            let waited = answer.map_or(0, |answer| answer.at.saturating_sub(it.at).max(0));
            json!({
                "startedDateTime": iso(it.at),
                "time": waited,
                "request": har_request(request, if request.to == Party::Rp { rp } else { idp }),
                "response": har_response(answer.map(|answer| answer.message)),
                "cache": {},
                "timings": { "send": 0, "wait": waited, "receive": 0 },
                "comment": request.exchange.id(),
            })
        })
        .collect();
    let creator = json!({ "name": "flow viewer", "version": env!("CARGO_PKG_VERSION") });
    json!({ "log": { "version": "1.2", "creator": creator, "entries": entries } })
}

fn har_request(request: &Message, site: &str) -> Value {
    // What is known only as host and port, or not at all, gets a scheme: a HAR has whole addresses.
    let scheme = if site.contains("://") { "" } else { "http://" };
    let (method, target) = match &request.line {
        Line::Request { method, target } => (method.as_str(), target.as_str()),
        Line::Status(_) => ("", ""),
    };
    let mut written = json!({
        "method": method,
        "url": format!("{scheme}{site}{target}"),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": har_pairs(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
        "queryString": har_params(request.query()),
        "headersSize": -1,
        "bodySize": request.body.len() + request.cut,
    });
    if !request.body.is_empty() {
        let media_type = request.header("content-type").unwrap_or_default();
        written["postData"] = json!({ "mimeType": media_type, "text": request.body });
    }
    written
}

fn har_response(answer: Option<&Message>) -> Value {
    let headers = answer.map_or(&[][..], |answer| &answer.headers);
    let body = answer.map_or("", |answer| answer.body.as_str());
    json!({
        "status": answer.and_then(Message::status).unwrap_or(0),
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": har_pairs(headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
        "content": {
            "size": body.len() + answer.map_or(0, |answer| answer.cut),
            "mimeType": answer.and_then(|answer| answer.header("content-type")).unwrap_or_default(),
            "text": body,
        },
        "redirectURL": answer.and_then(|answer| answer.header("location")).unwrap_or_default(),
        "headersSize": -1,
        "bodySize": body.len(),
    })
}

fn har_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Value> {
    pairs.map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn har_params(query: &str) -> Vec<Value> {
    let params = Params::parse_with_repeats(query.as_bytes()).unwrap_or_default();
    har_pairs(params.iter())
}

fn iso(at: i64) -> String {
    let seconds = Moment::from(shared::clock::Timestamp::from_unix(at.div_euclid(1000)));
    format!("{}.{:03}Z", seconds.iso().trim_end_matches('Z'), at.rem_euclid(1000))
}

/// The messages as a Mermaid sequence diagram.
pub fn mermaid(story: &Story<'_>) -> String {
    let mut diagram =
        "sequenceDiagram\n  participant web as Browser\n  participant rp as RP\n  participant idp as IdP\n"
            .to_owned();
    for stage in &story.stages {
        for it in &stage.messages {
            let arrow = if it.message.is_request() { "->>" } else { "-->>" };
            let what = match &it.message.line {
                Line::Request { method, target } => {
                    format!("{method} {}", target.split('?').next().unwrap_or_default())
                }
                Line::Status(status) => status.to_string(),
            };
            let number = stage.entry.step().map_or(String::new(), |step| format!("{} ", step.number()));
            let what: String = what.chars().filter(|it| !matches!(it, ';' | '#' | '\n' | '\r')).collect();
            let (from, to) = (it.message.from.id(), it.message.to.id());
            // Writing to memory cannot fail.
            let _ = writeln!(diagram, "  {from}{arrow}{to}: {number}{what}");
        }
        for (by, check) in &stage.checks {
            let _ = writeln!(diagram, "  Note over {}: {} {}", by.id(), check.verdict.id(), check.rule.id());
        }
    }
    diagram
}

#[cfg(test)]
mod tests {
    use shared::flow::{Check, Exchange, Rule, Verdict};

    use super::*;

    const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";

    fn message(exchange: Exchange, line: Line, headers: &[(&str, &str)], body: &str) -> Recorded {
        let is_request = matches!(line, Line::Request { .. });
        let (from, to) = if is_request { (Party::Rp, Party::Idp) } else { (Party::Idp, Party::Rp) };
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let event = Event::Message(Message {
            exchange,
            from,
            to,
            line,
            headers,
            body: body.into(),
            cut: 0,
            span: "s".into(),
        });
        Recorded { by: Party::Rp, at: 1_795_496_600_123, within: "w".into(), event }
    }

    fn events() -> Vec<Recorded> {
        let post = Line::Request { method: "POST".into(), target: "/oauth/token".into() };
        let basic = ("authorization", "Basic Y2xpZW50MTpzZWNyZXQ=");
        let form = "grant_type=authorization_code&code=code_0123456789&code_verifier=verifier%2B0123456789";
        let answer =
            format!(r#"{{"access_token":"at_0123456789","id_token":"{TOKEN}","token_type":"Bearer"}}"#);
        let check = Check {
            rule: Rule::CodeKnown,
            expected: "verifier+0123456789".into(),
            actual: "code_0123456789".into(),
            verdict: Verdict::Passed,
        };
        vec![
            message(Exchange::Token, post, &[basic], form),
            Recorded { by: Party::Idp, at: 1, within: "s".into(), event: Event::Check(check) },
            message(Exchange::Token, Line::Status(200), &[("content-type", "application/json")], &answer),
            message(Exchange::LoginPage, Line::Status(200), &[("content-type", "text/html")], "<form>"),
        ]
    }

    fn saved(events: Vec<Recorded>) -> Saved {
        Saved {
            version: 1,
            number: 8,
            rp: "http://rp".into(),
            idp: "http://idp".into(),
            redacted: true,
            events,
        }
    }

    #[test]
    fn what_was_saved_can_be_opened_again() {
        let saved = saved(events());
        let page = format!("<!doctype html><p>a page</p>{}<p>more</p>", saved.to_script());
        assert_eq!(Saved::parse(&page).unwrap(), saved);
        assert!(!saved.to_script()[OPENING.len()..].contains("<form>"));
    }

    #[test]
    fn what_is_no_saved_flow_is_refused_with_a_reason() {
        assert_eq!(Saved::parse("<p>hello"), Err(OpenError::NotSaved));
        let page = |json: &str| format!("{OPENING}{json}</script>");
        for broken in ["", "{}", "[]", r#"{"version":1}"#] {
            assert!(matches!(Saved::parse(&page(broken)), Err(OpenError::Unreadable(_))), "{broken}");
        }
        let mut later = saved(events());
        later.version = 2;
        assert!(Saved::parse(&later.to_script()).is_err());
        let mut timeless = saved(events());
        timeless.events[0].at = i64::MAX;
        assert!(Saved::parse(&timeless.to_script()).is_err());
        let mut endless = saved(events());
        if let Event::Message(message) = &mut endless.events[0].event {
            message.cut = usize::MAX;
        }
        assert!(Saved::parse(&endless.to_script()).is_err());
    }

    #[test]
    fn messages_are_written_as_har_and_mermaid() {
        let events = events();
        let story = Story::tell(&events, 0, 1);
        let har = har(&story, "http://rp", "http://idp");
        let entry = &har["log"]["entries"][0];
        assert_eq!(entry["request"]["url"], "http://idp/oauth/token");
        assert_eq!(entry["startedDateTime"], "2026-11-24T05:03:20.123Z");
        assert_eq!(entry["response"]["status"], 200);
        let picture = mermaid(&story);
        assert!(picture.contains("rp->>idp: 8 POST /oauth/token"), "{picture}");
        assert!(picture.contains("idp-->>rp: 9 200"), "{picture}");
    }
}
