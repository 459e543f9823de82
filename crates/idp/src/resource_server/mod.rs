//! A protected API, as whoever builds one would write it (RFC 6750). It lives in the provider's program so that there
//! is something to call, but it might be anywhere: it knows nobody's password and no session, only the token that each
//! request brings.
//!
//! [`access`] lets in who brings a token that counts, is meant for this API, and reaches far enough. An opaque token it
//! asks the provider about, a JWT it reads by itself ([`jwt`]). [`api`] is what is behind that door.

pub mod access;
pub mod api;
pub mod jwt;
