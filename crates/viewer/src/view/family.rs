//! The family of refresh tokens that a login began, as a chain: each token with the access tokens that came with it, what
//! became of it, and what ended them all (RFC 9700 §4.14.2).
//!
//! It is told from messages and checks that were recorded, by either side, and knows no more than they say: where the IdP's
//! half is missing, no check says why a token was refused.

use serde::Serialize;
use shared::{
    error::ErrorCode,
    flow::{Entry, Message, Paired, Party, Rule, Step, Story, Verdict},
};

use super::{CONCEALED, anchor, fields::fields, moment::At, parameters::Folded};

/// The chain.
#[derive(Debug, Serialize)]
pub(crate) struct Family {
    /// The place at which it is shown: where tokens were renewed, or else where they arrived.
    anchor: String,
    links: Vec<Link>,
    end: Option<End>,
    dead: bool,
}

/// A refresh token.
#[derive(Debug, Serialize)]
struct Link {
    /// Its place in the chain, from 1.
    n: usize,
    at: At,
    #[serde(skip)]
    value: String,
    token: Folded,
    fate: Fate,
    /// Whether it is the one that showed what was wrong.
    again: bool,
    accesses: Vec<Access>,
}

/// What became of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
    /// It is the one that is good.
    Current,
    /// It bought the next one.
    Used,
    /// It died with its family.
    Revoked,
    /// It is good no more; how the family ended tells why.
    Over,
}

/// An access token.
#[derive(Debug, Serialize)]
struct Access {
    #[serde(skip)]
    value: String,
    token: Folded,
    revoked: bool,
}

/// What ended the family.
#[derive(Debug, Serialize)]
struct End {
    how: How,
    at: At,
    /// Which token showed it, if that is known.
    n: Option<usize>,
    accesses: usize,
    /// The check that found out, if it was recorded.
    rule: Option<&'static str>,
    section: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum How {
    /// An earlier token came again.
    Reuse,
    /// The code that all began with came again.
    Code,
    /// The client gave a token back.
    GivenBack,
    /// What the user allowed does not stand any more.
    Withdrawn,
    /// The latest token came late.
    Late,
    /// The latest token was refused, and why is not recorded here.
    Refused,
}

/// Something that happened to the family. A token that is presented has its answer, and maybe the check that failed.
enum Event<'a> {
    Presented(&'a Message, &'a Message, Option<Rule>),
    GivenBack(&'a Message),
    CodeAgain,
}

/// The family of a flow whose login brought a refresh token.
pub(crate) fn family(story: &Story<'_>) -> Option<Family> {
    let arrival = story.stage(Entry::Step(Step::TokenResponse))?;
    let first = arrival.messages.iter().find(|it| !value(it.message, "refresh_token").is_empty())?;
    let place = story.stage(Entry::Refresh).unwrap_or(arrival).entry;
    let mut family = Family { anchor: anchor(place), links: Vec::new(), end: None, dead: false };
    family.grow(first.message, first.at);
    let mut events = presented(story);
    let mut returned = exchanges(story, Entry::Revocation);
    returned.retain(|(_, answer)| answer.message.status() == Some(200));
    events.extend(returned.into_iter().map(|(asked, answer)| (answer.at, Event::GivenBack(asked.message))));
    if failed(story, Entry::Step(Step::TokenRequest)).any(|rule| rule == Rule::CodeUnused) {
        let refused = arrival.messages.iter().filter(|it| it.at >= first.at && is_invalid(it.message));
        events.extend(refused.map(|it| (it.at, Event::CodeAgain)));
    }
    events.sort_by_key(|(at, _)| *at);
    for (at, event) in events {
        match event {
            Event::Presented(asked, answer, rule) => family.present(at, asked, answer, rule),
            Event::GivenBack(asked) => family.give_back(at, asked),
            Event::CodeAgain => family.end(How::Code, at, None, Some(Rule::CodeUnused)),
        }
    }
    Some(family)
}

impl Family {
    fn present(&mut self, at: i64, asked: &Message, answer: &Message, rule: Option<Rule>) {
        if answer.status() == Some(200) {
            return self.grow(answer, at);
        }
        let n = self.number(&value(asked, "refresh_token"));
        let how = match rule {
            Some(Rule::RefreshTokenUnused) => How::Reuse,
            Some(Rule::PermissionStands | Rule::UserKnown) => How::Withdrawn,
            Some(Rule::RefreshTokenFresh) => How::Late,
            // The RP's half alone: its own tokens tell whether this was an earlier one.
            None if is_invalid(answer) && n.is_some_and(|n| n < self.links.len()) => How::Reuse,
            None if is_invalid(answer) && n.is_some() => How::Refused,
            _ => return,
        };
        self.end(how, at, n, rule);
    }

    /// With a refresh token goes the family, an access token goes alone (RFC 7009 §2.1).
    fn give_back(&mut self, at: i64, asked: &Message) {
        let token = value(asked, "token");
        let n = self.number(&token);
        if n.is_some() || token == CONCEALED && value(asked, "token_type_hint") == "refresh_token" {
            return self.end(How::GivenBack, at, n, None);
        }
        for access in self.links.iter_mut().flat_map(|link| &mut link.accesses) {
            access.revoked |= access.value == token && token != CONCEALED;
        }
    }

    /// Adds what `answer` brought. A provider may let a refresh token be used again (RFC 6749 §6).
    fn grow(&mut self, answer: &Message, at: i64) {
        let token = value(answer, "refresh_token");
        let is_new = token == CONCEALED || self.links.last().is_none_or(|last| last.value != token);
        if is_new && !token.is_empty() {
            if let Some(last) = self.links.last_mut() {
                last.fate = Fate::Used;
            }
            self.links.push(Link {
                n: self.links.len() + 1,
                at: At::from(at),
                token: Folded::new(&token),
                value: token,
                fate: Fate::Current,
                again: false,
                accesses: Vec::new(),
            });
        }
        let access = value(answer, "access_token");
        if let Some(last) = self.links.last_mut().filter(|_| !access.is_empty()) {
            last.accesses.push(Access { token: Folded::new(&access), value: access, revoked: false });
        }
    }

    /// What ends it first is told.
    fn end(&mut self, how: How, at: i64, n: Option<usize>, rule: Option<Rule>) {
        if self.end.is_some() {
            return;
        }
        let is_dead = !matches!(how, How::Late | How::Refused);
        let fate = if is_dead { Fate::Revoked } else { Fate::Over };
        for link in &mut self.links {
            link.again = how == How::Reuse && n == Some(link.n);
            link.fate = if is_dead || link.fate == Fate::Current { fate } else { link.fate };
            link.accesses.iter_mut().for_each(|access| access.revoked |= is_dead);
        }
        self.dead = is_dead;
        self.end = Some(End {
            how,
            at: At::from(at),
            n,
            accesses: self.links.iter().map(|link| link.accesses.len()).sum(),
            rule: rule.map(Rule::id),
            section: rule.map_or("", Rule::section),
        });
    }

    /// Which of its tokens this is.
    fn number(&self, token: &str) -> Option<usize> {
        self.links.iter().find(|link| link.value == token && token != CONCEALED).map(|link| link.n)
    }
}

/// Refresh tokens that were presented. Each answer that calls one invalid has one failed check of the IdP.
fn presented<'a>(story: &Story<'a>) -> Vec<(i64, Event<'a>)> {
    let others = [Rule::ClientAuthenticated, Rule::ScopeNotWider, Rule::ResourceNotWider];
    let mut rules = failed(story, Entry::Refresh).filter(|rule| !others.contains(rule));
    let told = exchanges(story, Entry::Refresh).into_iter().map(|(asked, answer)| {
        let is_judged = is_invalid(answer.message) && (answer.by == Party::Idp || answer.other.is_some());
        let rule = if is_judged { rules.next() } else { None };
        (answer.at, Event::Presented(asked.message, answer.message, rule))
    });
    told.collect()
}

/// Requests at one place with their answers.
fn exchanges<'a>(story: &Story<'a>, entry: Entry) -> Vec<(Paired<'a>, Paired<'a>)> {
    let messages = story.stage(entry).map_or(&[][..], |stage| &stage.messages);
    let asked = messages.iter().enumerate().filter(|(_, it)| it.message.is_request());
    let answered = asked.filter_map(|(at, asked)| {
        let mut later = messages.iter().skip(at + 1);
        let answer = later.find(|it| !it.message.is_request() && it.message.span == asked.message.span)?;
        Some((*asked, *answer))
    });
    answered.collect()
}

/// What the IdP found wrong at one place.
fn failed(story: &Story<'_>, entry: Entry) -> impl Iterator<Item = Rule> {
    let checks = story.stage(entry).into_iter().flat_map(|stage| &stage.checks);
    checks.filter(|(by, it)| *by == Party::Idp && it.verdict == Verdict::Failed).map(|(_, it)| it.rule)
}

fn is_invalid(answer: &Message) -> bool {
    value(answer, "error") == ErrorCode::InvalidGrant.as_str()
}

/// What `message` says under `name`, or nothing.
fn value(message: &Message, name: &str) -> String {
    fields(message).into_iter().find(|field| field.key == name).map(|field| field.value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
