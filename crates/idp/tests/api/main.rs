//! The provider over a real port: one file for each part of the flow, tests named after the rules they prove.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(unreachable_pub, reason = "one program in several files")]

mod helpers;

mod api;
mod authorize;
mod bounds;
mod claims;
mod client_auth;
mod client_credentials;
mod consent;
mod discovery;
mod exchange;
mod form_post;
mod home;
mod introspection;
mod jwt;
mod key_commands;
mod keys;
mod login;
mod logout;
mod own_file;
mod par;
mod process;
mod refresh;
mod registration;
mod request_object;
mod revocation;
mod room;
mod sessions;
mod userinfo;
