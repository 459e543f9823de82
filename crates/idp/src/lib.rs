//! An OpenID Provider, to learn from and to develop against.
//!
//! Read it in the order in which a login happens:
//!
//! 1. [`startup`] builds the server; its routes stand in the order of the flow.
//! 2. [`code_flow`] is the provider's half of the ten steps: discovery, the authorization request, the login page, the
//!    consent page, the redirect with the code, the exchange of the code, userinfo.
//! 3. [`token_endpoint`] authenticates the client, looks at the grant type and hands over to the grant.
//! 4. [`resource_server`] is an API that access tokens open, written as if it were somewhere else.
//! 5. [`features`] is what stands beside the code flow: refresh tokens, tokens for a client itself, revocation,
//!    introspection, signing out, the provider's own page.
//! 6. [`issuance`] is what every grant ends with, the tokens that are answered; [`active`] says which tokens count.
//! 7. [`http`] is what several endpoints need of HTTP: cookies, CSRF tokens, client authentication, errors.
//! 8. [`tokens`], [`keys`] and [`passwords`] mint, sign and check, [`client_keys`] are the keys that clients publish;
//!    [`throttle`] bounds how often a password may be wrong.
//! 9. [`store`] remembers, [`domain`] knows the rules: what a grant is, which stage follows which.
//!
//! Each module uses only what stands below it in this list, and the crates `web` and `shared`; only the token endpoint
//! reaches up, to the grant that it hands over to. Beside them stand [`config`] with the [`commands`] about it, the
//! built-in [`demo`], the [`state`] that handlers share, and [`problems`]: every failure that a person sees.

pub mod startup;

pub mod code_flow;
pub mod token_endpoint;

pub mod resource_server;

pub mod features;

pub mod active;
pub mod issuance;

pub mod http;
pub mod problems;

pub mod client_keys;
pub mod keys;
pub mod passwords;
pub mod throttle;
pub mod tokens;

pub mod store;

pub mod domain;

pub mod commands;
pub mod config;
pub mod demo;
pub mod state;
