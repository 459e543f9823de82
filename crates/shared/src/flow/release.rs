//! Step by step: what was done with a message that was held.

use serde::{Deserialize, Serialize};

use super::{Happened, Pause};

/// What was done with a held message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It was let go.
    Sent,
    /// It was dropped.
    Dropped,
    /// It was sent twice.
    Repeated,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Dropped, Self::Repeated];

    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Repeated => "repeated",
        }
    }
}

/// Something that was edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The parameter, header, claim or part.
    pub name: String,
    /// What it was; `None` if it was not there.
    pub before: Option<String>,
    /// What it became; `None` if it was taken away.
    pub after: Option<String>,
}

/// A held message was let go, in another way than untouched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Where.
    pub pause: Pause,
    /// How.
    pub verb: Verb,
    /// What was edited first.
    pub changes: Vec<Change>,
    /// What somebody foretold.
    pub guess: Option<Happened>,
}

impl Release {
    /// What its changes take, in bytes: their texts, and what is around them.
    pub fn length(&self) -> usize {
        const AROUND: usize = 96;
        let texts = |change: &Change| {
            let values = [&change.before, &change.after].into_iter().flatten();
            AROUND + change.name.len() + values.map(String::len).sum::<usize>()
        };
        self.changes.iter().map(texts).sum()
    }
}
