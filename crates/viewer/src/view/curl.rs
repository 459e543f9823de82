//! A request as a command that makes it again.

use std::fmt::Write as _;

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

/// The command for `message` to the server at `origin`, if it is a request. Markers of what was not recorded stay in it.
pub(crate) fn command(message: &Message, origin: &str) -> Option<String> {
    let Line::Request { method, target } = &message.line else { return None };
    // Neither brackets nor `/../` in an address are for curl to change.
    let mut command =
        format!("curl -i --globoff --path-as-is --url {}", quoted(&format!("{origin}{target}")));
    if method != if message.body.is_empty() { "GET" } else { "POST" } {
        let _ = write!(command, " \\\n  -X {}", quoted(method));
    }
    for (name, value) in &message.headers {
        let lower = name.to_ascii_lowercase();
        if !LEFT_OUT.contains(&lower.as_str()) && !lower.starts_with("sec-") {
            let _ = write!(command, " \\\n  -H {}", quoted(&format!("{name}: {value}")));
        }
    }
    if !message.body.is_empty() {
        // `--data` would read a file if the body began with @.
        let _ = write!(command, " \\\n  --data-raw {}", quoted(&message.body));
    }
    Some(command)
}

/// One word of a POSIX shell, whatever `text` holds: what was received from a stranger must not run. Control characters,
/// with which a terminal could be told to end the pasting, are written as escapes (`$'…'`, POSIX.1-2024 §2.2.4).
fn quoted(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = String::from("$'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => word.extend(['\\', c]),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(word, "\\{byte:03o}");
                }
            }
            c => word.push(c),
        }
    }
    word.push('\'');
    word
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

    #[test]
    fn a_request_can_be_made_again() {
        let headers = [("Host", "x"), ("accept", "*/*"), ("traceparent", "00-1"), ("sec-fetch-site", "none")];
        let get = request("GET", "/auth?code=a&state=b", &headers, "");
        assert_eq!(
            command(&get, "http://127.0.0.1:5002").unwrap(),
            "curl -i --globoff --path-as-is --url 'http://127.0.0.1:5002/auth?code=a&state=b' \\\n  -H 'accept: */*'"
        );
        let post = request("POST", "/login/x", &[], "username=demo&password=[not-recorded]");
        let command = command(&post, "http://127.0.0.1:5001").unwrap();
        assert!(command.ends_with("--data-raw 'username=demo&password=[not-recorded]'"), "{command}");
    }

    #[test]
    fn an_answer_is_no_command() {
        assert_eq!(command(&Message { line: Line::Status(200), ..request("", "", &[], "") }, ""), None);
    }

    /// A real shell says what it makes of the word.
    #[test]
    #[cfg(unix)]
    fn nothing_in_a_message_can_run() {
        let evil = [
            "'; touch /tmp/x; '",
            "$(id)",
            "`id`",
            "a\\'b",
            "\"\"",
            "!!",
            "-o /etc/x",
            "a\nb",
            "\u{1b}[201~id\n",
            "\u{85}ü",
        ];
        for text in evil {
            let printed =
                Command::new("bash").args(["-c", &format!("printf %s {}", quoted(text))]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&printed.stdout), text);
            assert!(!quoted(text).contains(char::is_control), "{text:?}");
        }
    }
}
