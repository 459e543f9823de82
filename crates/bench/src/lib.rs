//! What a login costs: a load driver for the provider, and the floors to compare with.

pub mod login;
pub mod wire;
