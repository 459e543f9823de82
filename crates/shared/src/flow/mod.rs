//! The flow as people see it: ten steps, and the checks that each side makes in them.
//!
//! Every protocol check of both servers goes through [`Checks`] into a [`CheckSink`], which today does nothing.

mod check;
mod rule;
mod shown;

pub use check::{Check, CheckSink, Checks, Failed, NoRecording, Verdict};
pub use rule::{Rule, Step};
pub use shown::{Shown, Words};
