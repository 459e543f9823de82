//! What came of the message that was let go last: what was done with it, what was foretold, what happened, and which check
//! refused it, or how many it passed.

use serde::Serialize;
use shared::flow::{Check, Happened, Party, Pause, Release, Rule, Shown, Step, Story, Verb, Verdict};
use web::problem::Foretold;

use super::draft::Draft;

/// What came of the message before.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    pause: &'static str,
    verb: &'static str,
    changes: Vec<&'a str>,
    guess: Option<&'static str>,
    happened: Option<&'static str>,
    /// The check that refused it.
    check: Option<Decided<'a>>,
    /// Or how many it passed, all of them.
    passed: Option<Passed>,
    /// The answer to the second of two, or the check that refused it.
    second: Option<Second>,
    refused: Option<Decided<'a>>,
}

#[derive(Debug, Serialize)]
struct Second {
    status: u16,
    error: String,
}

/// Checks that were all passed, and at whom.
#[derive(Debug, Serialize)]
struct Passed {
    house: &'static str,
    n: usize,
}

/// A check, as the component `check` wants it.
#[derive(Debug, Serialize)]
struct Decided<'a> {
    house: &'static str,
    rule: &'static str,
    step: Option<u8>,
    section: &'static str,
    verdict: &'static str,
    expected: &'a Shown<'static>,
    actual: &'a Shown<'static>,
}

/// What came of a request, as its held answer says: nobody has told of it if it was changed so much that the other side
/// does not know to which flow it belongs.
pub(super) fn heard(held: Pause, draft: &Draft) -> Option<Happened> {
    Happened::of_answer(held.answers()?, draft.status, &draft.body)
}

/// What came of the message that was let go at `pause`, if anything is known of it. Of what is done after a login, `story` is
/// that of the deed.
pub(super) fn told<'a>(story: &Story<'a>, pause: Pause, heard: Option<Happened>) -> Option<Told<'a>> {
    let releases = story.stages.iter().flat_map(|stage| &stage.releases);
    let release = releases.map(|it| it.release).rfind(|release| release.pause == pause);
    let came = story.came_of(pause);
    let happened = came.map(|came| came.happened).or(heard);
    if release.is_none() && happened.is_none() {
        return None;
    }
    let guess = release.and_then(|release| release.guess);
    let verb = release.map_or(Verb::Sent, |release| release.verb);
    Some(Told {
        pause: pause.id(),
        verb: verb.id(),
        changes: release.map(changed).unwrap_or_default(),
        guess: guess.map(Happened::id),
        happened: happened.map(Happened::id),
        check: came.and_then(|came| came.decided).map(|(by, check)| decided(by, check)),
        passed: came.and_then(|came| came.passed).map(|(by, n)| Passed { house: by.id(), n }),
        second: (verb == Verb::Repeated).then(|| second(story, pause)).flatten(),
        refused: (verb == Verb::Repeated).then(|| refused(story, pause)).flatten(),
    })
}

/// What was foretold of the message that was let go last, beside what happened, if that is known. Nothing more will come.
pub(super) fn foretold(story: &Story<'_>, pause: Pause) -> Option<Foretold> {
    let nothing_came = pause.when_nothing_comes().filter(|_| pause.is_afterwards());
    let told = told(story, pause, story.came_of(pause).map(|came| came.happened).or(nothing_came))?;
    Some(Foretold { guess: told.guess?, happened: told.happened? })
}

fn changed(release: &Release) -> Vec<&str> {
    release.changes.iter().map(|change| change.name.as_str()).collect()
}

fn decided(by: Party, check: &Check) -> Decided<'_> {
    Decided {
        house: by.id(),
        rule: check.rule.id(),
        step: check.rule.step().map(Step::number),
        section: check.rule.section(),
        verdict: check.verdict.id(),
        expected: &check.expected,
        actual: &check.actual,
    }
}

/// The answer to the second of two requests, as whoever sent it recorded it.
fn second(story: &Story<'_>, pause: Pause) -> Option<Second> {
    let stages = story.stages.iter();
    let messages = stages.flat_map(|stage| &stage.messages).map(|paired| paired.message);
    let asked = pause.asks()?;
    let answer = messages.filter(|it| it.exchange == asked && !it.is_request()).nth(1)?;
    let body = serde_json::from_str::<serde_json::Value>(&answer.body).unwrap_or_default();
    let error = body.get("error").and_then(serde_json::Value::as_str).unwrap_or_default();
    // A stranger's words are shown as far as they are a code.
    let is_code = error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    Some(Second { status: answer.status()?, error: if is_code { error.to_owned() } else { String::new() } })
}

/// The check that refused what came a second time. A callback was handed to the RP's own code here, so that there is no message
/// of it.
fn refused<'a>(story: &Story<'a>, pause: Pause) -> Option<Decided<'a>> {
    if pause != Pause::Callback {
        return story.refused_again(pause).map(|(by, check)| decided(by, check));
    }
    let refused =
        |(_, check): &&(Party, &Check)| check.rule == Rule::StateUnused && check.verdict == Verdict::Failed;
    story.stage(pause.entry())?.checks.iter().find(refused).map(|(by, check)| decided(*by, check))
}
