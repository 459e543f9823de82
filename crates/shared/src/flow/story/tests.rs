use super::{
    super::{Happened, Pause, Turn, Value, Verdict},
    *,
};
use crate::flow::Line;

fn message(by: Party, at: i64, exchange: Exchange, line: Line, location: &str) -> Recorded {
    let is_request = matches!(line, Line::Request { .. });
    let back = matches!(
        exchange,
        Exchange::Token | Exchange::Discovery | Exchange::Keys | Exchange::Refresh | Exchange::Api
    );
    let asker = if back { Party::Rp } else { Party::Browser };
    let answers = if back { Party::Idp } else { by };
    let (from, to) = if is_request { (asker, answers) } else { (answers, asker) };
    let headers = if location.is_empty() { vec![] } else { vec![("location".into(), location.into())] };
    let span = exchange.id().to_owned();
    let within = if back && by == Party::Rp { "callback".to_owned() } else { span.clone() };
    let message = Message { exchange, from, to, line, headers, body: String::new(), cut: 0, span };
    Recorded { by, at, within, event: Event::Message(message) }
}

fn get(by: Party, at: i64, exchange: Exchange, target: &str) -> Recorded {
    message(by, at, exchange, Line::Request { method: "GET".into(), target: target.into() }, "")
}

fn answer(by: Party, at: i64, exchange: Exchange, status: u16, location: &str) -> Recorded {
    message(by, at, exchange, Line::Status(status), location)
}

fn check(by: Party, at: i64, within: &str, rule: Rule, verdict: Verdict) -> Recorded {
    let event = Event::Check(Check { rule, expected: "a".into(), actual: "a".into(), verdict });
    Recorded { by, at, within: within.into(), event }
}

fn begun() -> Vec<Recorded> {
    vec![
        get(Party::Rp, 1, Exchange::Login, "/login"),
        answer(Party::Rp, 1, Exchange::Login, 303, "http://idp/authorize?state=x"),
        get(Party::Idp, 1, Exchange::Authorize, "/authorize?state=x"),
        check(Party::Idp, 1, "authorize", Rule::ClientKnown, Verdict::Passed),
        answer(Party::Idp, 1, Exchange::Authorize, 303, "/login/x"),
        get(Party::Idp, 1, Exchange::LoginPage, "/login/x"),
        answer(Party::Idp, 1, Exchange::LoginPage, 200, ""),
    ]
}

fn back(query: &str) -> Vec<Recorded> {
    let mut events = begun();
    events.push(answer(Party::Idp, 2, Exchange::Decision, 303, &format!("http://rp/auth?{query}")));
    events.push(get(Party::Rp, 2, Exchange::Callback, &format!("/auth?{query}")));
    events.push(check(Party::Rp, 2, "callback", Rule::StateKnown, Verdict::Passed));
    events
}

fn states(story: &Story<'_>) -> Vec<&'static str> {
    story.steps().map(|stage| stage.state.id()).collect()
}

#[test]
fn a_flow_stands_where_the_last_message_was() {
    let events = begun();
    let story = Story::tell(&events, 10, 100);
    assert_eq!(story.outcome, Outcome::Running);
    assert_eq!(story.current, Entry::Step(Step::LoginPage));
    assert_eq!(states(&story)[..4], ["done", "done", "now", "todo"]);
    assert_eq!(Story::tell(&events, 101, 100).outcome, Outcome::Ended);
}

#[test]
fn what_both_servers_recorded_at_the_same_moment_is_told_in_its_order() {
    let events = begun();
    let story = Story::tell(&events, 10, 100);
    let second = story.stage(Entry::Step(Step::AuthorizationRequest)).unwrap();
    let parties: Vec<_> = second.messages.iter().map(|it| (it.message.from, it.message.to)).collect();
    assert_eq!(
        parties,
        [(Party::Rp, Party::Browser), (Party::Browser, Party::Idp), (Party::Idp, Party::Browser)]
    );
    assert_eq!(second.checks.len(), 1);
}

#[test]
fn documents_that_were_fetched_late_hold_nothing_else_up() {
    let documents = [(1, Exchange::Discovery), (5, Exchange::Keys)];
    let document =
        |(at, exchange)| [get(Party::Idp, at, exchange, "/"), answer(Party::Idp, at, exchange, 200, "")];
    let mut events: Vec<_> = documents.into_iter().flat_map(document).collect();
    events.extend(begun());
    events.push(answer(Party::Idp, 2, Exchange::Decision, 303, "http://rp/auth?code=c&state=x"));
    events.push(get(Party::Rp, 3, Exchange::Callback, "/auth?code=c&state=x"));
    let story = Story::tell(&events, 10, 100);
    let messages = &story.stage(Entry::Step(Step::Redirect)).unwrap().messages;
    let order: Vec<_> = messages.iter().map(|it| (it.message.exchange, it.at)).collect();
    assert_eq!(order, [(Exchange::Decision, 2), (Exchange::Callback, 3)]);
}

#[test]
fn a_cancelled_login_is_declined_at_the_callback() {
    let mut events = back("error=access_denied&state=x");
    events.push(answer(Party::Rp, 2, Exchange::Callback, 303, "/"));
    let story = Story::tell(&events, 10, 100);
    assert_eq!(story.outcome, Outcome::Declined("access_denied".into()));
    assert_eq!(states(&story)[3..8], ["skipped", "skipped", "done", "failed", "todo"]);
}

#[test]
fn both_records_of_a_back_channel_message_are_one_message() {
    let mut events = back("code=c&state=x");
    let request = |by| get(by, 3, Exchange::Token, "/token");
    let refusal = |by| answer(by, 3, Exchange::Token, 400, "");
    events.extend([request(Party::Rp), request(Party::Idp)]);
    events.push(check(Party::Idp, 3, "token", Rule::CodeUnused, Verdict::Failed));
    events.extend([refusal(Party::Idp), refusal(Party::Rp)]);
    assert_eq!(Story::tell(&events, 10, 100).outcome, Outcome::Running, "the RP has not answered yet");
    events.push(answer(Party::Rp, 3, Exchange::Callback, 502, ""));
    // What happens afterwards does not change how it ended.
    events.push(answer(Party::Idp, 4, Exchange::Decision, 409, ""));
    let story = Story::tell(&events, 10, 100);
    let stage = story.stage(Entry::Step(Step::TokenRequest)).unwrap();
    assert_eq!((stage.messages.len(), stage.messages[0].by), (1, Party::Rp));
    assert!(stage.messages[0].other.is_some());
    let answers = &story.stage(Entry::Step(Step::TokenResponse)).unwrap().messages;
    assert_eq!((answers[0].by, answers[0].other.is_some()), (Party::Idp, true));
    assert_eq!(story.outcome, Outcome::Refused(Some(Rule::CodeUnused), None));
    assert_eq!(story.current, Entry::Step(Step::TokenResponse));
}

#[test]
fn without_one_half_its_steps_are_unseen() {
    let mut events: Vec<_> = begun().into_iter().filter(|it| it.by == Party::Idp).collect();
    events.push(get(Party::Idp, 4, Exchange::Token, "/token"));
    events.push(answer(Party::Idp, 4, Exchange::Token, 200, ""));
    let story = Story::tell(&events, 10, 100);
    assert_eq!(story.outcome, Outcome::TokensIssued);
    let states = states(&story);
    assert_eq!((states[0], states[6], states[9]), ("unseen", "unseen", "unseen"));
    let events: Vec<_> = back("code=c&state=x").into_iter().filter(|it| it.by == Party::Rp).collect();
    assert_eq!(self::states(&Story::tell(&events, 10, 100))[2..5], ["unseen"; 3], "nor are the IdP's");
}

#[test]
fn a_stranger_with_the_state_of_a_login_does_not_end_it() {
    let mut events = back("code=c&state=x");
    events.push(check(Party::Rp, 3, "callback", Rule::StateSameBrowser, Verdict::Failed));
    events.push(answer(Party::Rp, 3, Exchange::Callback, 400, ""));
    assert_eq!(Story::tell(&events, 10, 100).outcome, Outcome::Running);
    let out_of_nowhere: Vec<_> = events.into_iter().skip(begun().len() + 1).collect();
    let story = Story::tell(&out_of_nowhere, 10, 100);
    assert_eq!(story.outcome, Outcome::Refused(Some(Rule::StateSameBrowser), None));
}

#[test]
fn only_the_rp_itself_says_that_it_started_a_session() {
    let life = Life { value: Value::Session, turn: Turn::Created, step: Step::Validation };
    let mut events = begun();
    events.push(Recorded { by: Party::Idp, at: 2, within: "x".into(), event: Event::Life(life) });
    assert_eq!(Story::tell(&events, 10, 100).outcome, Outcome::Running);
}

#[test]
fn a_flow_stays_what_it_began_as_and_a_second_look_changes_no_end() {
    let mut events: Vec<_> = begun().into_iter().filter(|it| it.by == Party::Idp).collect();
    events.push(get(Party::Idp, 4, Exchange::Token, "/token"));
    events.push(answer(Party::Idp, 4, Exchange::Token, 200, ""));
    events.push(answer(Party::Idp, 5, Exchange::LoginPage, 409, ""));
    events.push(get(Party::Idp, 5, Exchange::EndSession, "/logout"));
    let story = Story::tell(&events, 10, 100);
    assert_eq!((story.outcome.id(), story.is_login()), ("tokens_issued", true));
}

#[test]
fn a_new_session_is_a_success() {
    let mut events = back("code=c&state=x");
    let life = Life { value: Value::Session, turn: Turn::Created, step: Step::Validation };
    events.push(check(Party::Rp, 4, "callback", Rule::Nonce, Verdict::Passed));
    events.push(Recorded { by: Party::Rp, at: 4, within: "callback".into(), event: Event::Life(life) });
    events.push(answer(Party::Rp, 4, Exchange::Callback, 303, "/"));
    let story = Story::tell(&events, 1000, 100);
    assert_eq!((story.outcome.id(), story.current), ("signed_in", Entry::Step(Step::Validation)));
    assert_eq!(states(&story)[9], "done");
}

#[test]
fn what_comes_after_a_login_stands_beside_its_steps_and_changes_no_end() {
    let mut events = begun();
    events.push(get(Party::Idp, 4, Exchange::Token, "/token"));
    events.push(answer(Party::Idp, 4, Exchange::Token, 200, ""));
    events.push(get(Party::Idp, 5, Exchange::Refresh, "/token"));
    events.push(check(Party::Idp, 5, "refresh", Rule::GrantTypeKnown, Verdict::Passed));
    events.push(check(Party::Idp, 5, "refresh", Rule::RefreshTokenUnused, Verdict::Failed));
    events.push(answer(Party::Idp, 5, Exchange::Refresh, 400, ""));
    let events: Vec<_> = events.into_iter().filter(|it| it.by == Party::Idp).collect();
    let story = Story::tell(&events, 10, 100);
    assert_eq!((story.outcome.id(), story.current), ("tokens_issued", Entry::Step(Step::TokenResponse)));
    let renewal = story.stage(Entry::Refresh).unwrap();
    assert_eq!((renewal.messages.len(), renewal.checks.len(), renewal.state), (2, 2, State::Refused));
    assert_eq!(story.stage(Entry::Step(Step::TokenRequest)).unwrap().checks.len(), 0);
    assert_eq!(story.steps().count(), 10);
}

#[test]
fn what_was_refused_last_beside_the_steps_is_told_and_the_flow_stands() {
    let mut events = back("code=c&state=x");
    let mut state_after = |status| {
        events.push(get(Party::Rp, 5, Exchange::Refresh, "/token"));
        events.push(answer(Party::Rp, 5, Exchange::Refresh, status, ""));
        let story = Story::tell(&events, 10, 100);
        assert!(story.steps().all(|stage| stage.state != State::Refused));
        story.stage(Entry::Refresh).unwrap().state
    };
    assert_eq!([200, 400, 200].map(&mut state_after), [State::Done, State::Refused, State::Done]);
}

#[test]
fn what_a_check_refused_is_no_success_though_its_answer_is_no_error() {
    let mut events = back("code=c&state=x");
    let mut state_after = |deed: &str, verdict| {
        let of_deed = |mut it: Recorded| {
            if let Event::Message(message) = &mut it.event {
                message.span = deed.to_owned();
            }
            Recorded { within: deed.to_owned(), ..it }
        };
        events.push(of_deed(get(Party::Idp, 5, Exchange::Introspect, "/introspect")));
        events.push(check(Party::Idp, 5, deed, Rule::BearerTokenActive, verdict));
        events.push(of_deed(answer(Party::Idp, 5, Exchange::Introspect, 200, "")));
        Story::tell(&events, 10, 100).stage(Entry::Introspection).unwrap().state
    };
    let states = [
        state_after("first", Verdict::Passed),
        state_after("second", Verdict::Failed),
        state_after("third", Verdict::Passed),
    ];
    assert_eq!(states, [State::Done, State::Refused, State::Done], "what was asked last counts");
}

#[test]
fn each_deed_has_a_story_of_its_own() {
    let mut events = back("code=c&state=x");
    for (deed, status) in [("first", 200), ("second", 400)] {
        let within = |it: Recorded, within: &str| Recorded { within: within.into(), ..it };
        let spanned = |mut it: Recorded| {
            if let Event::Message(message) = &mut it.event {
                message.span = format!("{deed} request");
            }
            it
        };
        events.push(within(spanned(get(Party::Rp, 5, Exchange::Refresh, "/token")), deed));
        let there = format!("{deed} request");
        let verdict = if status == 200 { Verdict::Passed } else { Verdict::Failed };
        events.push(within(spanned(get(Party::Idp, 5, Exchange::Refresh, "/token")), &there));
        events.push(check(Party::Idp, 5, &there, Rule::RefreshTokenUnused, verdict));
        events.push(within(spanned(answer(Party::Idp, 5, Exchange::Refresh, status, "")), &there));
        events.push(within(spanned(answer(Party::Rp, 5, Exchange::Refresh, status, "")), deed));
    }
    let story = Story::tell(&events, 10, 100);
    let came = |deed| {
        let story = story.of_deed(deed);
        let came = story.came_of(Pause::RefreshRequest).unwrap();
        (came.happened, came.decided.map(|(_, check)| check.verdict), came.passed)
    };
    assert_eq!(came("first"), (Happened::TokensCome, None, Some((Party::Idp, 1))), "no single one decides");
    assert_eq!(came("second"), (Happened::NoTokensOtherwise, Some(Verdict::Failed), None));
}
