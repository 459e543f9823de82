//! The pair in a real browser.
//!
//! [`pair`] starts both servers in this process, on ports of their own and with one clock that stands still until a
//! test moves it. [`chrome`] opens Chromium windows. A [`learner`] sits in front of one and does what learners do;
//! [`tour`] leads them past every page there is. The tests tell stories in these words, and the program `pictures`
//! photographs the tour.

#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

pub mod chrome;
pub mod learner;
pub mod pair;
pub mod senses;
pub mod stranger;
pub mod tour;
pub mod wait;
