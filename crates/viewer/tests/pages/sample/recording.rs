//! How samples are put together: one message, check or life of a value after the other.

use shared::flow::{
    Check, Event, Exchange, Life, Line, Message, Party, Recorded, Rule, Shown, Step, Turn, Value, Verdict,
};

use super::{BEGAN, IDP, JSON, RP, WEB};

/// Events, in the order in which they happen.
#[derive(Default)]
pub(super) struct Recording {
    pub(super) events: Vec<Recorded>,
    pub(super) now: i64,
}

impl Recording {
    pub(super) fn after(&mut self, millis: i64) {
        self.now += millis;
    }

    fn note(&mut self, by: Party, within: &str, event: Event) {
        self.events.push(Recorded { by, at: BEGAN + self.now, within: within.to_owned(), event });
    }

    #[expect(clippy::too_many_arguments, reason = "a message has that many parts")]
    fn message(
        &mut self,
        by: Party,
        exchange: Exchange,
        (from, to): (Party, Party),
        line: Line,
        headers: &[(&str, &str)],
        body: &str,
        within: &str,
        span: &str,
    ) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (body, span) = (body.to_owned(), span.to_owned());
        self.note(
            by,
            within,
            Event::Message(Message { exchange, from, to, line, headers, body, cut: 0, span }),
        );
    }

    /// A request of the browser.
    pub(super) fn ask(
        &mut self,
        to: Party,
        exchange: Exchange,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        let host = if to == RP { "127.0.0.1:5002" } else { "127.0.0.1:5001" };
        let usual = [("host", host), ("accept", "text/html"), ("accept-language", "ja,en;q=0.7")];
        let line = Line::Request { method: method.to_owned(), target: target.to_owned() };
        let span = exchange.id();
        self.message(to, exchange, (WEB, to), line, &[&usual[..], headers].concat(), body, span, span);
    }

    /// The answer to it.
    pub(super) fn answer(
        &mut self,
        by: Party,
        exchange: Exchange,
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        self.after(2);
        let span = exchange.id();
        self.message(by, exchange, (by, WEB), Line::Status(status), headers, body, span, span);
    }

    /// A message from server to server, recorded by both.
    pub(super) fn direct(
        &mut self,
        exchange: Exchange,
        line: &Line,
        headers: &[(&str, &str)],
        body: &str,
        within: &str,
    ) {
        let is_request = matches!(line, Line::Request { .. });
        let (from, to) = if is_request { (RP, IDP) } else { (IDP, RP) };
        let span = exchange.id();
        for by in [from, to] {
            let within = if by == RP { within } else { span };
            self.message(by, exchange, (from, to), line.clone(), headers, body, within, span);
            self.after(3);
        }
    }

    pub(super) fn fetch(
        &mut self,
        exchange: Exchange,
        target: &str,
        extra: &[(&str, &str)],
        answer: &str,
        within: &str,
    ) {
        let headers = [&[("host", "127.0.0.1:5001"), ("accept", "application/json")], extra].concat();
        self.direct(
            exchange,
            &Line::Request { method: "GET".into(), target: target.into() },
            &headers,
            "",
            within,
        );
        self.direct(exchange, &Line::Status(200), &[JSON], answer, within);
    }

    pub(super) fn passed(&mut self, by: Party, within: &str, rule: Rule, shown: &str) {
        self.check(by, within, rule, shown.to_owned(), shown.to_owned(), Verdict::Passed);
    }

    pub(super) fn check(
        &mut self,
        by: Party,
        within: &str,
        rule: Rule,
        expected: impl Into<Shown<'static>>,
        actual: impl Into<Shown<'static>>,
        verdict: Verdict,
    ) {
        let check = Check { rule, expected: expected.into(), actual: actual.into(), verdict };
        self.note(by, within, Event::Check(check));
    }

    pub(super) fn lives(&mut self, by: Party, within: &str, step: Step, moments: &[(Value, Turn)]) {
        for (value, turn) in moments {
            self.note(by, within, Event::Life(Life { value: *value, turn: *turn, step }));
        }
    }
}
