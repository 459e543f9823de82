//! The flow as people see it: ten steps, the messages that go to and fro in them, and the checks that each side makes.
//!
//! Everything that happens goes as an [`Event`] into a [`Sink`]: every protocol check of both servers through [`Checks`],
//! messages and the lives of values beside them. [`Story`] makes ten steps of what was recorded.

mod check;
mod event;
mod exchange;
mod happened;
mod pause;
mod release;
mod rule;
mod shown;
mod step;
mod story;

pub use check::{Check, Checks, Failed, Verdict};
pub use event::{Event, Life, Line, Message, NoRecording, Party, Recorded, Sink, Turn, Value};
pub use exchange::{Entry, Exchange, authorization_response};
pub use happened::Happened;
pub use pause::{Loss, Part, Pause, Verbs};
pub use release::{Change, Release, Verb};
pub use rule::Rule;
pub use shown::{Shown, Words};
pub use step::Step;
pub use story::{Came, Handled, Outcome, Paired, Stage, State, Story};
