//! What somebody did with the messages that were held in a flow.

use serde::Serialize;
use shared::flow::{Handled, Release, Stage, Story, Verb};

use super::parameters::{self, Folded};

/// What somebody did with a message that was held here.
#[derive(Debug, Serialize)]
pub(crate) struct Released<'a> {
    house: &'static str,
    pause: &'static str,
    verb: &'static str,
    changes: Vec<Changed<'a>>,
    guess: Option<&'static str>,
    happened: Option<&'static str>,
}

/// What was done at one place, in a word, for the heading above it.
pub(crate) fn in_a_word(stage: &Stage<'_>) -> &'static str {
    let did = |is_it: fn(&Release) -> bool| stage.releases.iter().any(|it| is_it(it.release));
    if did(|release| !release.changes.is_empty()) {
        "edited"
    } else if did(|release| release.verb == Verb::Dropped) {
        "dropped"
    } else if did(|release| release.verb == Verb::Repeated) {
        "repeated"
    } else {
        "predicted"
    }
}

/// All of these words, each with its text `viewer.released.<word>`.
pub const RELEASED: [&str; 4] = ["edited", "dropped", "repeated", "predicted"];

/// Something that was edited.
#[derive(Debug, Serialize)]
struct Changed<'a> {
    name: &'a str,
    secret: bool,
    before: Option<Folded>,
    after: Option<Folded>,
}

/// All that was done at one place.
pub(crate) fn releases<'a>(story: &Story<'a>, stage: &Stage<'a>) -> Vec<Released<'a>> {
    stage.releases.iter().map(|handled| released(story, handled)).collect()
}

fn released<'a>(story: &Story<'a>, handled: &Handled<'a>) -> Released<'a> {
    let Handled { by, release, .. } = *handled;
    let happened = story.came_of_handled(handled).map(|came| came.happened);
    let folded = |value: &Option<String>| value.as_deref().map(Folded::new);
    let changes = release.changes.iter().map(|change| Changed {
        name: &change.name,
        secret: parameters::is_secret(&change.name.to_ascii_lowercase()),
        before: folded(&change.before),
        after: folded(&change.after),
    });
    Released {
        house: by.id(),
        pause: release.pause.id(),
        verb: release.verb.id(),
        changes: changes.collect(),
        guess: release.guess.map(shared::flow::Happened::id),
        happened: happened.map(shared::flow::Happened::id),
    }
}
