//! What a login costs: a load driver for the provider, and the floors to compare with.
//!
//! [`wire`] speaks HTTP, [`login`] signs in, message by message, and [`holder`] uses the tokens. [`process`] starts
//! servers and asks the system what they used, [`floor`] measures what nobody can save. [`cost`] and [`memory`] bring
//! them together into a [`table`].

pub mod cost;
pub mod floor;
pub mod holder;
pub mod login;
pub mod memory;
pub mod process;
pub mod server;
pub mod start;
pub mod table;
pub mod wire;
