//! A message as it went over the wire, line by line, and the two records of one message beside each other.

use std::collections::HashSet;

use serde::Serialize;
use shared::flow::{Line, Message, authorization_response};

use super::{
    fields::{is_form, is_json, is_page},
    html::{escape, value},
    parameters::is_secret,
};

/// More of a page is not shown.
const MUCH: usize = 8_000;
/// More lines of a message are not shown.
const MOST_LINES: usize = 500;

/// A record of a message.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    /// Whose record it is.
    house: &'static str,
    /// The lines, as HTML.
    html: String,
    /// How many more lines there are.
    more: usize,
    /// How many bytes of the body are not there.
    cut: usize,
    /// The body, if it is a page.
    page: Option<String>,
    /// Whether the page brings a code or an error to another site, so that it is a secret.
    carries: bool,
    /// The body as it was sent, if it is JSON, which is shown with line breaks.
    json: Option<String>,
    /// The length of the body.
    bytes: usize,
}

/// What the two records of a message have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Likeness {
    /// Everything.
    Same,
    /// Everything but some headers, which each side's HTTP library adds or leaves out.
    Headers,
    /// Not even that.
    Different,
}

/// A line of a message.
struct WireLine {
    /// What it says, to be compared.
    text: String,
    html: String,
    /// Whether it goes on where the line before it ended: the break is for display.
    joined: bool,
}

/// The lines of a message that are shown, and how many more there are.
#[derive(Default)]
struct Lines {
    shown: Vec<WireLine>,
    more: usize,
}

impl Lines {
    fn push(&mut self, line: impl FnOnce() -> WireLine) {
        if self.shown.len() < MOST_LINES {
            self.shown.push(line());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    fn push_text(&mut self, text: &str, html: String) {
        self.push(|| WireLine { text: text.to_owned(), html, joined: false });
    }
}

/// The record of a message.
pub(crate) fn record(message: &Message, house: &'static str) -> Record {
    written(message, house, &lines(message), &HashSet::new())
}

/// The two records of a message, with what stands in one of them only marked.
pub(crate) fn twins(
    (one, house): (&Message, &'static str),
    (other, other_house): (&Message, &'static str),
) -> (Record, Record, Likeness) {
    let (lines_of_one, lines_of_other) = (lines(one), lines(other));
    let only = |mine: &Lines, other: &Lines| -> HashSet<usize> {
        let known: HashSet<&str> = other.shown.iter().map(|line| line.text.as_str()).collect();
        let mine = mine.shown.iter().enumerate();
        mine.filter(|(_, line)| !known.contains(line.text.as_str())).map(|(at, _)| at).collect()
    };
    let (only_one, only_other) = (only(&lines_of_one, &lines_of_other), only(&lines_of_other, &lines_of_one));
    // What is not shown is not compared by its lines.
    let all_shown = lines_of_one.more == 0 && lines_of_other.more == 0;
    let likeness = if one.line != other.line || one.body != other.body || one.cut != other.cut {
        Likeness::Different
    } else if only_one.is_empty() && only_other.is_empty() && (all_shown || one.headers == other.headers) {
        Likeness::Same
    } else {
        Likeness::Headers
    };
    (
        written(one, house, &lines_of_one, &only_one),
        written(other, other_house, &lines_of_other, &only_other),
        likeness,
    )
}

fn written(message: &Message, house: &'static str, lines: &Lines, only_here: &HashSet<usize>) -> Record {
    let mut html = String::new();
    for (at, line) in lines.shown.iter().enumerate() {
        let is_only_here = only_here.contains(&at) && !line.text.is_empty();
        let (open, close) = if is_only_here { ("<mark>", "</mark>") } else { ("", "") };
        let joined = if line.joined { " joined" } else { "" };
        let gap = if line.text.is_empty() { " gap" } else { "" };
        html.extend([r#"<span class="wire"#, joined, gap, r#"">"#, open, &line.html, close, "</span>"]);
    }
    let shown = |text: &str| text.chars().take(MUCH).collect::<String>();
    let page = is_page(message).then(|| shown(&message.body)).filter(|page| !page.is_empty());
    let left_out = page.as_ref().map_or(0, |page| message.body.len() - page.len());
    Record {
        house,
        carries: authorization_response(message).is_some(),
        html,
        more: lines.more,
        cut: message.cut.saturating_add(left_out),
        page,
        json: is_json(message).then(|| message.body.clone()).filter(|json| !json.is_empty()),
        bytes: message.body.len().saturating_add(message.cut),
    }
}

fn lines(message: &Message) -> Lines {
    let mut lines = Lines::default();
    match &message.line {
        Line::Request { method, target } => request_line(&mut lines, method, target),
        Line::Status(status) => {
            let reason = actix_web::http::StatusCode::from_u16(*status).ok();
            let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or_default();
            let html = format!("HTTP/1.1 <b>{status}</b> {}", escape(reason));
            lines.push_text(&format!("HTTP/1.1 {status} {reason}"), html);
        }
    }
    for (name, value) in &message.headers {
        header(&mut lines, name, value);
    }
    if !message.body.is_empty() && !is_page(message) {
        lines.push_text("", String::new());
        if is_form(message) {
            pairs(&mut lines, &message.body, "");
        } else if is_json(message) {
            pretty(&mut lines, &message.body);
        } else {
            for line in message.body.lines() {
                lines.push_text(line, escape(line));
            }
        }
    }
    lines
}

fn request_line(lines: &mut Lines, method: &str, target: &str) {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    lines.push_text(&format!("{method} {path}"), format!("<b>{}</b> {}", escape(method), escape(path)));
    if let Some(query) = query {
        pairs(lines, query, "?");
    }
    if let Some(last) = lines.shown.last_mut().filter(|_| lines.more == 0) {
        last.text.push_str(" HTTP/1.1");
        last.html.push_str(" HTTP/1.1");
    }
}

/// A query or a form, a parameter on each line. `sign` is what stands before the first.
fn pairs(lines: &mut Lines, encoded: &str, sign: &str) {
    for (at, pair) in encoded.split('&').enumerate() {
        let sign = if at == 0 { sign } else { "&" };
        lines.push(|| {
            let (name, equals, text) = match pair.split_once('=') {
                Some((name, text)) => (name, "=", text),
                None => (pair, "", ""),
            };
            let html =
                format!("{}<b>{}</b>{equals}{}", escape(sign), escape(name), value(text, is_secret(name)));
            WireLine { text: format!("{sign}{pair}"), html, joined: !sign.is_empty() }
        });
    }
}

fn header(lines: &mut Lines, name: &str, text: &str) {
    let lower = name.to_ascii_lowercase();
    let (shown, query) = match text.split_once('?') {
        Some((address, query)) if matches!(lower.as_str(), "location" | "referer") => (address, Some(query)),
        _ => (text, None),
    };
    let html = match (lower.as_str(), shown.split_once(' ')) {
        ("authorization", Some((scheme, credentials))) => {
            format!("{} {}", escape(scheme), value(credentials, true))
        }
        ("cookie", _) => value(shown, true),
        _ => escape(shown),
    };
    lines.push_text(&format!("{lower}: {shown}"), format!("{}: {html}", escape(name)));
    if let Some(query) = query {
        pairs(lines, query, "?");
    }
}

/// A line of JSON, with the name of its member standing out.
fn member(line: &str) -> WireLine {
    let indent = line.len() - line.trim_start().len();
    let space = "\u{a0}".repeat(indent);
    let html = match line.trim_start().split_once("\": ") {
        Some((name, rest)) if name.starts_with('"') => {
            let name = &name[1..];
            format!("{space}&quot;<b>{}</b>&quot;: {}", escape(name), value(rest, is_secret(name)))
        }
        _ => format!("{space}{}", escape(line.trim_start())),
    };
    WireLine { text: line.to_owned(), html, joined: false }
}

/// JSON with line breaks, every token as it was written and where it was written. What is no JSON comes out odd, but whole.
fn pretty(lines: &mut Lines, json: &str) {
    const MOST_DEPTH: usize = 40;
    let mut line = String::new();
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let mut chars = json.trim().chars().peekable();
    let mut break_line = |line: &mut String, depth: usize| {
        lines.push(|| member(line));
        *line = "  ".repeat(depth.min(MOST_DEPTH));
    };
    while let Some(c) = chars.next() {
        if in_text {
            line.push(c);
            in_text = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            ' ' | '\t' | '\r' | '\n' => {}
            '{' | '[' => {
                line.push(c);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                // An empty one stays on its line.
                if chars.peek().is_none_or(|next| !matches!(next, '}' | ']')) {
                    depth += 1;
                    break_line(&mut line, depth);
                } else if let Some(close) = chars.next() {
                    line.push(close);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut line, depth);
                line.push(c);
            }
            ',' => {
                line.push(c);
                break_line(&mut line, depth);
            }
            ':' => line.push_str(": "),
            other => {
                line.push(other);
                in_text = other == '"';
            }
        }
    }
    lines.push(|| member(&line));
}

#[cfg(test)]
mod tests {
    use shared::flow::{Exchange, Party};

    use super::*;

    fn post(headers: &[(&str, &str)], body: &str) -> Message {
        Message {
            exchange: Exchange::Token,
            from: Party::Rp,
            to: Party::Idp,
            line: Line::Request { method: "POST".into(), target: "/oauth/token".into() },
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.into(),
            cut: 0,
            span: "1".into(),
        }
    }

    fn text(html: &str) -> String {
        let mut text = String::new();
        for part in html.split('<') {
            text.push_str(part.split_once('>').map_or(part, |(_, rest)| rest));
        }
        text
    }

    #[test]
    fn nothing_in_a_message_becomes_markup() {
        let evil = "<svg onload=\"x\">'&";
        let form = ("content-type", "application/x-www-form-urlencoded");
        let json = ("content-type", "application/json");
        let body = format!("code={evil}&{evil}={evil}");
        for message in [
            post(&[form, (evil, evil), ("authorization", evil), ("location", &format!("x?{evil}"))], &body),
            post(&[json], &format!("{{\"{}\": \"<svg>\"}}", "code<svg>")),
            post(&[("content-type", "text/plain")], evil),
            Message {
                line: Line::Request { method: evil.into(), target: format!("/{evil}?{evil}") },
                ..post(&[], "")
            },
        ] {
            let html = record(&message, "rp").html;
            assert!(html.contains("&lt;svg") && !html.contains("<svg"), "{html}");
            assert!(!html.contains("onload=\""), "{html}");
        }
    }

    #[test]
    fn a_form_is_shown_byte_for_byte_with_its_secrets_marked() {
        let body = "grant_type=authorization_code&code=c%2B1&redirect_uri=http%3A%2F%2Frp&x";
        let record = record(&post(&[("content-type", "application/x-www-form-urlencoded")], body), "rp");
        assert!(text(&record.html).replace("&amp;", "&").ends_with(body), "{}", record.html);
        assert!(record.html.contains(r#"<span class="secret">c%2B1</span>"#));
    }

    #[test]
    fn json_keeps_its_order_and_its_escapes() {
        let json = r#"{"z": "a\"b,{}\\", "a":[1,  2],"e":{},"n":null}"#;
        let pretty = |json: &str| -> Vec<String> {
            let mut lines = Lines::default();
            super::pretty(&mut lines, json);
            lines.shown.into_iter().map(|line| line.text).collect()
        };
        assert_eq!(
            pretty(json),
            [
                "{",
                r#"  "z": "a\"b,{}\\","#,
                r#"  "a": ["#,
                "    1,",
                "    2",
                "  ],",
                r#"  "e": {},"#,
                r#"  "n": null"#,
                "}"
            ]
        );
        assert!(pretty("no json: ]]]").concat().contains("nojson"));
    }

    #[test]
    fn two_records_say_what_only_one_of_them_has() {
        let (one, other) =
            (post(&[("Accept", "*/*")], "a=1"), post(&[("accept", "*/*"), ("host", "x")], "a=1"));
        let (sent, received, likeness) = twins((&one, "rp"), (&other, "idp"));
        assert_eq!(likeness, Likeness::Headers);
        assert!(!sent.html.contains("<mark>"), "{}", sent.html);
        assert!(received.html.contains("<mark>host: x</mark>"), "{}", received.html);
        assert_eq!(twins((&one, "rp"), (&one, "idp")).2, Likeness::Same);
        assert_eq!(twins((&one, "rp"), (&post(&[("accept", "*/*")], "a=2"), "idp")).2, Likeness::Different);
    }
}
