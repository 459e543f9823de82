//! The pair in a real browser.
//!
//! [`pair`] starts both servers in this process, on ports of their own and with one clock that stands still until a
//! test moves it. [`chrome`] opens Chromium windows. A [`learner`] sits in front of one and does what learners do, and
//! [`viewing`] is what they do in the flow viewer, [`stepping`] what they do step by step, [`tokens`] what they do
//! with the tokens of a session, [`script_client`] what they do at the client in the browser; [`tour`] leads them past
//! every page there is. An [`eavesdropper`] stands in front of a server and writes down what goes over the wire. The
//! tests tell stories in these words, and the program `pictures` photographs the tour.

#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

pub mod barriers;
pub mod chrome;
pub mod eavesdropper;
pub mod learner;
pub mod pair;
pub mod registering;
pub mod script_client;
pub mod senses;
pub mod stepping;
pub mod stranger;
pub mod tokens;
pub mod tour;
pub mod viewing;
pub mod wait;
