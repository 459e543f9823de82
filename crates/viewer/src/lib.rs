//! What happens in a flow: recorded by both servers while it happens, and shown as a page.
//!
//! The [`recorder`] keeps flows, each found by what travels in it ([`correlate`]). The [`tap`] stands at a server's door and
//! records every message; checks and the lives of values come through the sink that the servers' code tells them to.
//! [`view`] makes a page of a flow; with [`steps`] somebody holds its messages, changes them and lets them go.

pub mod correlate;
pub mod desk;
pub mod live;
mod open;
pub mod recorder;
pub mod redact;
pub mod saved;
pub mod script;
pub mod steps;
pub mod tap;
pub mod view;
