//! The provider over a real port: one file for each part of the flow, tests named after the rules they prove.

#[expect(unreachable_pub, reason = "the vocabulary of this test program")]
mod helpers;

mod authorize;
mod bounds;
mod consent;
mod discovery;
#[expect(unreachable_pub, reason = "another file reads an ID token too")]
mod exchange;
mod login;
mod userinfo;
