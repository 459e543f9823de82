//! What the fuzz targets share. `scripts/fuzz` builds and runs them; each file in `targets/` is one.
//!
//! A target gets bytes and says what must be true of them, whatever they are. Where the code in question can only be
//! reached by a message, the message goes to the real server over a real port.

pub mod provider;
pub mod server;
pub mod token;
