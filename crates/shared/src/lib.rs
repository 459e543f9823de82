//! The words that the OpenID Provider and the Relying Party both speak.
//!
//! Here belong values and rules that a specification gives both sides: identifiers, secrets, scopes, PKCE,
//! error codes, the form encoding, token answers and claims, and the checks that each side makes in the ten
//! steps of the flow. Here does not belong: servers, stores, files, sockets, pages. Time and
//! randomness come in from outside: everything here is pure but [`clock::SystemClock`] and [`random::SystemRandom`],
//! which a server hands to all others when it starts.

pub mod access_token;
pub mod authorize;
pub mod clock;
pub mod error;
pub mod flow;
pub mod id_token;
pub mod ids;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod random;
pub mod response_mode;
pub mod scope;
pub mod secret;
pub mod token;
