//! The Relying Party over a real port, against a provider that says whatever a test wants. Tests are named after the
//! rules that they prove.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(unreachable_pub, reason = "one program in several files")]

mod browser;
mod corpus;
mod keys;
mod provider;
mod world;

mod providers;
mod request;

mod attempts;
mod posted;
mod responses;

mod exchange;
mod jwks;
mod spoiled_tokens;
mod tokens;

mod flows;
mod home;
mod logout;
mod process;
mod session;
mod site;
mod spa;
mod userinfo;
