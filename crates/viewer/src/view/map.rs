//! The sequence diagram: three lanes, and on them every step and whatever stands beside the steps.

use serde::Serialize;
use shared::flow::{Entry, Exchange, Line, Message, Party, Stage, State, Step, Story, Verdict};

use super::{anchor, sight::Sight};

/// The diagram, in groups of one channel each.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    /// `front`, `back` or `inside`; `script` and `within` where the client is a script in the browser.
    channel: &'static str,
    /// Whether there is room for the channel's name at its side.
    named: bool,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    anchor: String,
    entry: &'static str,
    number: Option<u8>,
    state: &'static str,
    here: bool,
    /// Who sees anything of it.
    see: String,
    hops: Vec<Hop>,
    /// What the client does by itself: the key of its words.
    inside: Option<&'static str>,
    /// Where the client is.
    client: &'static str,
    /// Whether a check refused here, and the flow did not go past it.
    refused: bool,
    /// How often the same was asked.
    times: usize,
}

/// An arrow.
#[derive(Debug, Serialize)]
struct Hop {
    /// From and to: `w-r`.
    lanes: String,
    by: &'static str,
    /// The key of its words.
    text: &'static str,
    /// A word of what went over the wire.
    wire: String,
    back: bool,
    /// Whether it was recorded.
    seen: bool,
}

/// An arrow as it is expected: from, to, its words, and the message that it stands for.
type Planned = (Party, Party, &'static str, &'static [Exchange], bool);

const WEB: Party = Party::Browser;
const RP: Party = Party::Rp;
const IDP: Party = Party::Idp;

/// The arrows of an entry.
#[rustfmt::skip]
const fn plan(entry: Entry) -> &'static [Planned] {
    use Exchange as X;
    match entry {
        Entry::Step(Step::Click) => &[(WEB, RP, "seq.click", &[X::Login], true)],
        Entry::Step(Step::AuthorizationRequest) => &[
            (RP, WEB, "seq.forward", &[X::Login], false),
            (WEB, IDP, "seq.authorize", &[X::Authorize], true),
        ],
        Entry::Step(Step::LoginPage) => &[(IDP, WEB, "seq.login_page", &[X::LoginPage, X::AccountPage], false)],
        Entry::Step(Step::Password) => &[(WEB, IDP, "seq.password", &[X::Password], true)],
        Entry::Step(Step::Consent) => &[
            (IDP, WEB, "seq.consent_page", &[X::ConsentPage], false),
            (WEB, IDP, "viewer.hop.decision", &[X::Decision], true),
        ],
        Entry::Step(Step::Redirect) => &[
            (IDP, WEB, "viewer.hop.redirect", &[X::Decision, X::Authorize, X::Password, X::ConsentPage, X::AccountChoice, X::AccountPage, X::LoginPage], false),
            (WEB, RP, "viewer.hop.callback", &[X::Callback, X::CallbackPost], true),
        ],
        Entry::Step(Step::TokenRequest) => &[(RP, IDP, "seq.exchange", &[X::Token], true)],
        Entry::Step(Step::TokenResponse) => &[(IDP, RP, "seq.tokens", &[X::Token], false)],
        Entry::Step(Step::Callback | Step::Validation) => &[],
        Entry::Discovery => &[(RP, IDP, "viewer.hop.discovery", &[X::Discovery], true)],
        Entry::Push => &[(RP, IDP, "viewer.hop.push", &[X::Push], true)],
        Entry::Keys => &[(RP, IDP, "viewer.hop.jwks", &[X::Keys], true)],
        Entry::Userinfo => &[(RP, IDP, "viewer.hop.userinfo", &[X::Userinfo], true)],
        Entry::Refresh => &[
            (RP, IDP, "viewer.hop.refresh", &[X::Refresh], true),
            (IDP, RP, "seq.tokens", &[X::Refresh], false),
        ],
        Entry::Api => &[(RP, IDP, "viewer.hop.api", &[X::Api], true)],
        Entry::Introspection => &[(RP, IDP, "viewer.hop.introspection", &[X::Introspect], true)],
        Entry::Revocation => &[(RP, IDP, "viewer.hop.revocation", &[X::Revoke], true)],
        Entry::Logout => &[
            (WEB, RP, "viewer.hop.logout", &[X::Logout], true),
            (RP, WEB, "seq.forward", &[X::Logout], false),
        ],
        Entry::EndSession => &[
            (WEB, IDP, "viewer.hop.end_session", &[X::EndSession], true),
            (IDP, WEB, "seq.forward", &[X::SignOut, X::EndSession], false),
        ],
        Entry::LogoutDone => &[(WEB, RP, "viewer.hop.logout_done", &[X::LogoutDone], true)],
    }
}

/// The arrows of an entry where the client is at `client`. What the RP's server would say the script in the browser says; what
/// the two would say to each other nobody says. Back from the IdP the browser asks the server, which has the page.
fn planned(entry: Entry, client: Party) -> impl Iterator<Item = Planned> {
    let is_return = matches!(entry, Entry::Step(Step::Redirect) | Entry::LogoutDone);
    let at = move |party| if party == RP && !is_return { client } else { party };
    let arrows = plan(entry).iter().map(move |(from, to, text, exchanges, is_request)| {
        (at(*from), at(*to), *text, *exchanges, *is_request)
    });
    arrows.filter(|(from, to, ..)| from != to)
}

/// The key of the words on an arrow that nobody planned.
const ERROR_PAGE: &str = "viewer.hop.error_page";

/// The keys of the words on all arrows.
pub fn arrow_texts() -> impl Iterator<Item = &'static str> {
    let planned = Entry::LOGIN.into_iter().chain(Entry::LOGOUT).flat_map(plan);
    planned.map(|(_, _, text, ..)| *text).chain([ERROR_PAGE])
}

/// What the client does by itself in an entry.
fn inside(entry: Entry, client: Party) -> Option<&'static str> {
    match entry {
        Entry::Step(Step::Click) if client == WEB => Some("seq.click"),
        Entry::Logout if client == WEB => Some("viewer.hop.logout"),
        Entry::Step(Step::Callback) => Some("seq.check_callback"),
        Entry::Step(Step::Validation) => Some("seq.validate"),
        _ => None,
    }
}

/// `front`, `back` or `inside`. A script in the browser has no back channel: it asks the IdP itself.
pub(crate) fn channel(entry: Entry, client: Party) -> &'static str {
    match entry {
        _ if client == WEB && inside(entry, client).is_some() => "within",
        Entry::Step(Step::Callback | Step::Validation) => "inside",
        Entry::Step(Step::TokenRequest | Step::TokenResponse)
        | Entry::Discovery
        | Entry::Push
        | Entry::Keys
        | Entry::Userinfo
        | Entry::Refresh
        | Entry::Api
        | Entry::Introspection
        | Entry::Revocation => {
            if client == WEB {
                "script"
            } else {
                "back"
            }
        }
        _ => "front",
    }
}

/// Between whom an entry is: who speaks in it first, and to whom.
pub(crate) fn route(entry: Entry, client: Party) -> (Party, Party) {
    planned(entry, client).last().map_or((client, client), |(from, to, ..)| (from, to))
}

/// The diagram of a flow.
pub(crate) fn groups(story: &Story<'_>, sight: &Sight<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for stage in &story.stages {
        let channel = channel(stage.entry, story.client);
        let row = row(story, stage, sight);
        match groups.last_mut() {
            Some(group) if group.channel == channel => group.rows.push(row),
            _ => groups.push(Group { channel, named: false, rows: vec![row] }),
        }
    }
    for group in &mut groups {
        group.named = !matches!(group.channel, "inside" | "within") && group.rows.len() > 1;
    }
    groups
}

fn row(story: &Story<'_>, stage: &Stage<'_>, sight: &Sight<'_>) -> Row {
    let channel = channel(stage.entry, story.client);
    let planned: Vec<Planned> = planned(stage.entry, story.client).collect();
    let mut hops: Vec<Hop> = planned.iter().map(|planned| hop(stage, channel, planned)).collect();
    // A page that says what went wrong is an arrow of its own.
    let refusal = stage.messages.iter().rev().map(|it| it.message).find(|it| it.is_front_channel());
    let is_page = stage.state == State::Failed && channel != "script";
    let refusal = refusal.filter(|it| is_page && it.status().is_some_and(|code| code >= 400));
    if let Some(page) = refusal {
        hops.push(Hop {
            lanes: lanes(page.from, page.to),
            by: page.from.id(),
            text: ERROR_PAGE,
            wire: wire(page),
            back: false,
            seen: true,
        });
    }
    let mut expected: Vec<_> = planned.iter().map(|(from, to, ..)| (*from, *to)).collect();
    if expected.is_empty() {
        expected.push((story.client, story.client));
    }
    let requests = stage.messages.iter().filter(|it| it.message.is_request());
    let last = planned.iter().rev().find(|(.., is_request)| *is_request);
    let times = last.map_or(0, |(.., exchanges, _)| {
        requests.filter(|it| exchanges.contains(&it.message.exchange)).count()
    });
    Row {
        anchor: anchor(stage.entry),
        entry: stage.entry.id(),
        number: stage.entry.step().map(Step::number),
        state: stage.state.id(),
        here: stage.entry == story.current,
        see: sight.of_stage(stage, &expected),
        hops,
        inside: inside(stage.entry, story.client),
        client: story.client.id(),
        refused: stage.state != State::Done && count(stage, Verdict::Failed) > 0,
        times,
    }
}

fn hop(stage: &Stage<'_>, channel: &str, (from, to, text, exchanges, is_request): &Planned) -> Hop {
    let is_it = |message: &Message| {
        message.is_request() == *is_request && exchanges.contains(&message.exchange) && message.from == *from
    };
    let found = stage.messages.iter().rev().map(|it| it.message).find(|message| is_it(message));
    Hop {
        lanes: lanes(*from, *to),
        by: from.id(),
        text,
        wire: found.map(wire).unwrap_or_default(),
        back: channel == "back",
        seen: found.is_some(),
    }
}

fn lanes(from: Party, to: Party) -> String {
    let lane = |party| match party {
        Party::Browser => 'w',
        Party::Rp => 'r',
        Party::Idp => 'i',
    };
    format!("{}-{}", lane(from), lane(to))
}

/// `GET /auth`, `303`. Random parts of a path are of no use here.
pub(crate) fn wire(message: &Message) -> String {
    const LONGEST: usize = 18;
    match &message.line {
        Line::Status(status) => status.to_string(),
        Line::Request { method, target } => {
            let path = target.split('?').next().unwrap_or_default();
            let mut parts = path.split('/').skip(1);
            let short = |part: &&str| part.len() <= LONGEST;
            let kept: Vec<_> = parts.by_ref().take_while(short).collect();
            let rest = if path.split('/').skip(1).count() > kept.len() { "/…" } else { "" };
            format!("{method} /{}{rest}", kept.join("/"))
        }
    }
}

/// How many checks of a stage came out as `verdict`.
pub(crate) fn count(stage: &Stage<'_>, verdict: Verdict) -> usize {
    stage.checks.iter().filter(|(_, check)| check.verdict == verdict).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_says_in_short_what_went_over_the_wire() {
        let request = |target: &str| Message {
            exchange: Exchange::Login,
            from: WEB,
            to: RP,
            line: Line::Request { method: "GET".into(), target: target.into() },
            headers: vec![],
            body: String::new(),
            cut: 0,
            span: String::new(),
        };
        assert_eq!(wire(&request("/login/in_tGT0DBPQabcdefghijkl?x=1")), "GET /login/…");
        assert_eq!(wire(&request("/oauth/authorize?client_id=x")), "GET /oauth/authorize");
        assert_eq!(wire(&request("/")), "GET /");
        assert_eq!(wire(&Message { line: Line::Status(303), ..request("") }), "303");
    }

    #[test]
    fn every_place_of_a_flow_is_drawn() {
        for entry in Entry::LOGIN.into_iter().chain(Entry::LOGOUT) {
            for client in [RP, WEB] {
                let (arrows, inside) = (planned(entry, client).count(), inside(entry, client));
                assert_ne!(arrows == 0, inside.is_none(), "{}", entry.id());
            }
        }
    }
}
