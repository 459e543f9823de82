//! HTTP that belongs to no single endpoint: the browser's cookies, CSRF tokens, requests that other sites post, ID
//! tokens that come back as hints, requests of the back channel and how clients authenticate in them, who of other sites may
//! read the answers, access tokens that are shown, and errors.
//!
//! Errors have three audiences: a page is for the user ([`web::problem::Problem`]), a redirect is for the RP
//! ([`crate::code_flow::redirect::Refusal`]), JSON is for the back channel ([`oauth_error::OAuthError`]).

pub mod back_channel;
pub mod bearer;
pub mod browser;
pub mod by_get;
pub mod client_assertion;
pub mod client_auth;
pub mod client_jwt;
pub mod cors;
pub mod csrf;
pub mod id_token_hint;
pub mod oauth_error;
