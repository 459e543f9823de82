//! The chain, told from a few events.

use shared::flow::{Check, Event, Exchange, Line, Message, Recorded, Words};

use super::*;

/// Events of both halves.
#[derive(Default)]
struct Recording {
    events: Vec<Recorded>,
    spans: usize,
}

impl Recording {
    /// A login that brought `tokens`: a refresh token and an access token.
    fn login(tokens: &str) -> Self {
        let mut it = Self::default();
        it.exchange(Exchange::Token, "grant_type=authorization_code&code=c", None, &told(tokens));
        it
    }

    /// A request and its answer, as both recorded it; `found` is the check of the IdP that failed.
    fn exchange(&mut self, exchange: Exchange, form: &str, found: Option<Rule>, answer: &str) {
        self.spans += 1;
        let line = Line::Request { method: "POST".into(), target: "/".into() };
        let is_good = answer.is_empty() || answer.contains("access_token");
        self.message(exchange, line, "application/x-www-form-urlencoded", form);
        if let Some(rule) = found {
            let (expected, actual) = (Words::Unused.into(), Words::Used.into());
            let check = Check { rule, expected, actual, verdict: Verdict::Failed };
            self.note(Party::Idp, Event::Check(check));
        }
        let status = Line::Status(if is_good { 200 } else { 400 });
        self.message(exchange, status, "application/json", answer);
    }

    fn message(&mut self, exchange: Exchange, line: Line, media_type: &str, body: &str) {
        let is_request = matches!(line, Line::Request { .. });
        let (from, to) = if is_request { (Party::Rp, Party::Idp) } else { (Party::Idp, Party::Rp) };
        let (headers, span) = (vec![("content-type".into(), media_type.into())], self.spans.to_string());
        let message = Message { exchange, from, to, line, headers, body: body.into(), cut: 0, span };
        self.note(from, Event::Message(message.clone()));
        self.note(to, Event::Message(message));
    }

    fn note(&mut self, by: Party, event: Event) {
        let at = i64::try_from(self.events.len()).unwrap();
        self.events.push(Recorded { by, at, within: self.spans.to_string(), event });
    }

    fn refresh(&mut self, token: &str, tokens: &str) {
        self.exchange(Exchange::Refresh, &presents(token), None, &told(tokens));
    }

    fn refused(&mut self, token: &str, rule: Rule) {
        self.exchange(Exchange::Refresh, &presents(token), Some(rule), r#"{"error":"invalid_grant"}"#);
    }

    fn revoke(&mut self, token: &str) {
        self.exchange(Exchange::Revoke, &format!("token={token}&token_type_hint=refresh_token"), None, "");
    }

    /// Each token with its fate, `!` where it came again, and its access tokens, `x` before those that are revoked; then
    /// what ended them.
    fn drawn(&self) -> String {
        let story = Story::tell(&self.events, 1000, 600_000);
        let Some(family) = family(&story) else { return String::new() };
        let link = |link: &Link| {
            let access =
                |access: &Access| format!("{}{}", if access.revoked { "x" } else { "" }, access.value);
            let accesses: Vec<_> = link.accesses.iter().map(access).collect();
            let again = if link.again { "!" } else { "" };
            format!("{}{again} {:?} {}", link.value, link.fate, accesses.join(" "))
        };
        let links: Vec<_> = family.links.iter().map(link).collect();
        let end =
            family.end.map(|end| format!(" | {:?} {:?} {:?} {}", end.how, end.n, end.rule, end.accesses));
        links.join(", ") + &end.unwrap_or_default()
    }

    fn half(mut self, by: Party) -> Self {
        self.events.retain(|it| it.by == by);
        self
    }
}

fn presents(token: &str) -> String {
    format!("grant_type=refresh_token&refresh_token={token}")
}

fn told(tokens: &str) -> String {
    match tokens.split_once(' ') {
        Some((refresh, access)) => format!(r#"{{"refresh_token":"{refresh}","access_token":"{access}"}}"#),
        None => format!(r#"{{"access_token":"{tokens}"}}"#),
    }
}

fn renewed_twice() -> Recording {
    let mut it = Recording::login("r1 a1");
    it.refresh("r1", "r2 a2");
    it.refresh("r2", "r3 a3");
    it
}

/// Token 1 comes again, and then what was the latest one.
fn reused() -> Recording {
    let mut it = renewed_twice();
    it.refused("r1", Rule::RefreshTokenUnused);
    it.refused("r3", Rule::PermissionStands);
    it
}

const DEAD: &str = "r1! Revoked xa1, r2 Revoked xa2, r3 Revoked xa3 | Reuse Some(1)";

#[test]
fn a_login_without_a_refresh_token_has_no_family() {
    assert_eq!(Recording::login("a1").drawn(), "");
}

#[test]
fn each_token_buys_the_next_one() {
    assert_eq!(Recording::login("r1 a1").drawn(), "r1 Current a1");
    assert_eq!(renewed_twice().drawn(), "r1 Used a1, r2 Used a2, r3 Current a3");
}

#[test]
fn an_old_token_that_comes_again_ends_them_all() {
    assert_eq!(reused().drawn(), format!("{DEAD} Some(\"refresh_token_unused\") 3"));
}

#[test]
fn either_half_alone_tells_of_it_as_well_as_it_can() {
    assert_eq!(reused().half(Party::Idp).drawn(), format!("{DEAD} Some(\"refresh_token_unused\") 3"));
    assert_eq!(reused().half(Party::Rp).drawn(), format!("{DEAD} None 3"));
    for half in [Party::Rp, Party::Idp] {
        assert_eq!(renewed_twice().half(half).drawn(), renewed_twice().drawn());
    }
    // Somebody else was faster, with the same token, and the RP does not know.
    let mut it = Recording::login("r1 a1");
    it.refused("r1", Rule::RefreshTokenUnused);
    assert_eq!(it.half(Party::Rp).drawn(), "r1 Over a1 | Refused Some(1) None 1");
}

#[test]
fn a_refresh_token_that_is_given_back_takes_all_with_it_an_access_token_goes_alone() {
    let mut it = renewed_twice();
    it.revoke("a2");
    assert_eq!(it.drawn(), "r1 Used a1, r2 Used xa2, r3 Current a3");
    it.revoke("r3");
    let revoked = "r1 Revoked xa1, r2 Revoked xa2, r3 Revoked xa3 | GivenBack Some(3) None 3";
    assert_eq!(it.drawn(), revoked);
    for half in [Party::Rp, Party::Idp] {
        let mut again = renewed_twice();
        again.revoke("r3");
        assert_eq!(again.half(half).drawn(), revoked);
    }
}

#[test]
fn a_refusal_that_costs_nothing_ends_nothing() {
    let mut it = Recording::login("r1 a1");
    it.refused("other", Rule::RefreshTokenKnown);
    it.refused("r1", Rule::RefreshTokenOfThisClient);
    it.exchange(
        Exchange::Refresh,
        &presents("r1"),
        Some(Rule::ScopeNotWider),
        r#"{"error":"invalid_scope"}"#,
    );
    it.exchange(Exchange::Refresh, &presents("r1"), None, r#"{"error":"temporarily_unavailable"}"#);
    assert_eq!(it.drawn(), "r1 Current a1");
    // What failed before is not taken for the reason of what fails now.
    it.refused("r1", Rule::RefreshTokenFresh);
    assert_eq!(it.drawn(), "r1 Over a1 | Late Some(1) Some(\"refresh_token_fresh\") 1");
}

#[test]
fn a_code_that_comes_again_ends_what_it_began() {
    let mut it = Recording::login("r1 a1");
    it.refresh("r1", "r2 a2");
    let form = "grant_type=authorization_code&code=c";
    it.exchange(Exchange::Token, form, Some(Rule::CodeUnused), r#"{"error":"invalid_grant"}"#);
    assert_eq!(it.drawn(), "r1 Revoked xa1, r2 Revoked xa2 | Code None Some(\"code_unused\") 2");
}

#[test]
fn without_its_secrets_the_chain_is_as_long_as_it_was() {
    let mut it = reused();
    it.events = super::super::concealed(&it.events);
    let tokens = ["[redacted] Revoked x[redacted]"; 3].join(", ");
    assert_eq!(it.drawn(), format!("{tokens} | Reuse None Some(\"refresh_token_unused\") 3"));
}

#[test]
fn a_provider_may_let_a_refresh_token_be_used_again() {
    let mut it = Recording::login("r1 a1");
    it.refresh("r1", "a2");
    it.refresh("r1", "r1 a3");
    assert_eq!(it.drawn(), "r1 Current a1 a2 a3");
}
