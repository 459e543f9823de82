//! The discovery document: what a provider says about itself (OpenID Connect Discovery §3, RFC 8414 §2, RFC 9207 §3).

use serde::Serialize;

use crate::ids::Issuer;

/// What this provider lists. A member stands here only when what it announces works.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the document has these members")]
pub struct ProviderMetadata {
    /// Equal to `iss` in every ID token and in every authorization response.
    pub issuer: Issuer,
    /// Step 2 goes here.
    pub authorization_endpoint: String,
    /// A client can leave its request here before step 2 (RFC 9126 §5).
    pub pushed_authorization_request_endpoint: String,
    /// Step 8 goes here.
    pub token_endpoint: String,
    /// A client gives tokens back here (RFC 7009 §2; announced by RFC 8414 §2).
    pub revocation_endpoint: String,
    /// Who may know what a token is good for is told here (RFC 7662 §2; announced by RFC 8414 §2).
    pub introspection_endpoint: String,
    /// The claims about the user are here.
    pub userinfo_endpoint: String,
    /// Clients register themselves here, where they may (OpenID Connect Dynamic Client Registration §3, RFC 7591 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// Browsers are signed out here (RP-Initiated Logout §2.1).
    pub end_session_endpoint: String,
    /// The public keys that verify ID tokens are here.
    pub jwks_uri: String,
    /// Scope values that this provider knows.
    pub scopes_supported: Vec<String>,
    /// `code` only.
    pub response_types_supported: Vec<&'static str>,
    /// How an authorization response can travel.
    pub response_modes_supported: Vec<&'static str>,
    /// What the token endpoint accepts.
    pub grant_types_supported: Vec<&'static str>,
    /// `public`: every client sees the same `sub`.
    pub subject_types_supported: Vec<&'static str>,
    /// How ID tokens are signed.
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    /// How a client can authenticate at the token endpoint.
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// How the assertions are signed by which it can.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// How a client can authenticate to give a token back.
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// How the assertions are signed by which it can.
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// How a client or a resource server can authenticate to ask about a token.
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    /// How the assertions are signed by which it can.
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// Claims that can be returned.
    pub claims_supported: Vec<&'static str>,
    /// What `acr` can say.
    pub acr_values_supported: Vec<&'static str>,
    /// Values of `prompt` (Initiating User Registration 1.0 §4.2).
    pub prompt_values_supported: Vec<&'static str>,
    /// Values of `display`: one page for every window.
    pub display_values_supported: Vec<&'static str>,
    /// PKCE methods (RFC 7636 §6.2.2; announced by RFC 8414 §2).
    pub code_challenge_methods_supported: Vec<&'static str>,
    /// Languages of the pages (BCP 47).
    pub ui_locales_supported: Vec<&'static str>,
    /// Claims can be asked for one by one.
    pub claims_parameter_supported: bool,
    /// Request objects by value are read, when they are signed.
    pub request_parameter_supported: bool,
    /// Request objects by reference are refused. Stated because the default would be `true`. A `request_uri` that was given
    /// out for a pushed request is none (RFC 9126 §5).
    pub request_uri_parameter_supported: bool,
    /// How request objects are signed.
    pub request_object_signing_alg_values_supported: Vec<String>,
    /// Whether all clients must push their requests (RFC 9126 §5).
    pub require_pushed_authorization_requests: bool,
    /// Whether all clients must sign their requests (RFC 9101 §10.5).
    pub require_signed_request_object: bool,
    /// Every authorization response carries `iss` (RFC 9207 §3).
    pub authorization_response_iss_parameter_supported: bool,
    /// Where a client finds what was recorded of its own flows, while something is. A member of our own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_recording_endpoint: Option<String>,
    /// Where a client says that somebody goes through one of its flows step by step, while that is possible. A member of our
    /// own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_steps_endpoint: Option<String>,
}
