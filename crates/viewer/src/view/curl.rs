//! A request as a command that makes it again.

use serde::Serialize;
use shared::flow::{Line, Message};

/// What curl adds by itself, what belongs to one connection, and what only a recorder asks for.
const LEFT_OUT: [&str; 8] = [
    "host",
    "content-length",
    "connection",
    "accept-encoding",
    "transfer-encoding",
    "traceparent",
    "user-agent",
    "upgrade-insecure-requests",
];

/// A request for curl.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Curl {
    /// `None` if the request holds control characters: with them a terminal can be told to end the pasting, and no way to
    /// write them is the same in every shell.
    command: Option<String>,
}

/// The command for `message` to the server at `origin`, if it is a request. Markers of what was not recorded stay in it.
pub(crate) fn curl(message: &Message, origin: &str) -> Option<Curl> {
    let Line::Request { method, target } = &message.line else { return None };
    Some(Curl { command: command(message, method, &format!("{origin}{target}")) })
}

fn command(message: &Message, method: &str, address: &str) -> Option<String> {
    // Neither brackets nor `/../` in an address are for curl to change.
    let mut words = vec![format!("curl -i --globoff --path-as-is --url {}", quoted(address)?)];
    if method != if message.body.is_empty() { "GET" } else { "POST" } {
        words.push(format!("-X {}", quoted(method)?));
    }
    for (name, value) in &message.headers {
        let lower = name.to_ascii_lowercase();
        // curl would read a file if a header began with @.
        let is_left_out =
            LEFT_OUT.contains(&lower.as_str()) || lower.starts_with("sec-") || lower.starts_with('@');
        if !is_left_out {
            words.push(format!("-H {}", quoted(&format!("{name}: {value}"))?));
        }
    }
    if !message.body.is_empty() {
        // So would `--data` with a body.
        words.push(format!("--data-raw {}", quoted(&message.body)?));
    }
    Some(words.join(" \\\n  "))
}

/// One word of any POSIX shell, whatever `text` holds: what was received from a stranger must not run.
/// Between single quotes nothing has a meaning but their end (POSIX.1-2024 §2.2.2).
fn quoted(text: &str) -> Option<String> {
    (!text.contains(char::is_control)).then(|| format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use shared::flow::{Exchange, Party};

    use super::*;

    fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Message {
        Message {
            exchange: Exchange::Token,
            from: Party::Rp,
            to: Party::Idp,
            line: Line::Request { method: method.into(), target: target.into() },
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.into(),
            cut: 0,
            span: "1".into(),
        }
    }

    fn told(message: &Message, origin: &str) -> Option<String> {
        curl(message, origin).unwrap().command
    }

    #[test]
    fn a_request_can_be_made_again() {
        let headers = [("Host", "x"), ("accept", "*/*"), ("traceparent", "00-1"), ("sec-fetch-site", "none")];
        let get = request("GET", "/auth?code=a&state=b", &headers, "");
        assert_eq!(
            told(&get, "http://127.0.0.1:5002").unwrap(),
            "curl -i --globoff --path-as-is --url 'http://127.0.0.1:5002/auth?code=a&state=b' \\\n  -H 'accept: */*'"
        );
        let post = request("POST", "/login/x", &[], "username=demo&password=[not-recorded]");
        let command = told(&post, "http://127.0.0.1:5001").unwrap();
        assert!(command.ends_with("--data-raw 'username=demo&password=[not-recorded]'"), "{command}");
    }

    #[test]
    fn an_answer_is_no_command() {
        assert_eq!(curl(&Message { line: Line::Status(200), ..request("", "", &[], "") }, ""), None);
    }

    #[test]
    fn no_header_makes_curl_read_a_file() {
        let get = request("GET", "/", &[("@/etc/passwd", "x")], "");
        assert!(!told(&get, "http://rp").unwrap().contains("passwd"));
    }

    /// Real shells say what they make of the word: on Debian `sh` is dash.
    #[test]
    #[cfg(unix)]
    fn nothing_in_a_message_can_run() {
        let evil = [
            "'; touch /tmp/x; '",
            "$(id)",
            "`id`",
            "a\\'b",
            "a\\",
            "\"\"",
            "!!",
            "-o /etc/x",
            "'\\'';id;'",
            "ü\u{2028}",
        ];
        for (text, shell) in evil.into_iter().flat_map(|text| ["sh", "bash"].map(|shell| (text, shell))) {
            let script = format!("printf %s {}", quoted(text).unwrap());
            let printed = Command::new(shell).args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&printed.stdout), text, "{shell}");
        }
    }

    #[test]
    fn what_cannot_be_written_for_every_shell_is_no_command() {
        for evil in ["x\n'; touch /tmp/x; #", "\u{1b}[201~id\n", "a\tb", "\r", "\u{85}", "\0"] {
            let name_of_header = [(evil, "x")];
            let value_of_header = [("x", evil)];
            for message in [
                request("POST", "/", &[], evil),
                request("GET", evil, &[], ""),
                request(evil, "/", &[], ""),
                request("GET", "/", &name_of_header, ""),
                request("GET", "/", &value_of_header, ""),
            ] {
                assert_eq!(told(&message, "http://rp"), None, "{evil:?}");
            }
        }
    }
}
