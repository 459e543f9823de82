//! What the provider is about: clients, users, their sessions, interactions and grants. Pure: no server, no store,
//! no clock; every change takes `now` and returns what became of it.

pub mod access_token;
pub mod audience;
pub mod auth_method;
pub mod authorization_request;
pub mod claims;
pub mod claims_request;
pub mod client;
pub mod client_keys;
pub mod client_metadata;
pub mod consent;
pub mod grant;
pub mod interaction;
pub mod localized;
pub mod password;
pub mod prompt;
pub mod pushed_request;
pub mod redirect_uri;
pub mod refresh_family;
pub mod registration;
pub mod return_address;
pub mod session;
pub mod user;

use thiserror::Error;

/// A change that the present stage does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{change} is not possible: {stage}")]
pub struct InvalidTransition {
    /// What was tried.
    pub change: &'static str,
    /// The stage in which it was tried.
    pub stage: &'static str,
}
