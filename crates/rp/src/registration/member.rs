//! What stands in a registration, member by member, for the page that shows it (RFC 7591 §2, §3.2.1).

use serde::Serialize;
use serde_json::Value;

/// The members that the catalogue explains, under `registration.member.<name>`.
pub const MEMBERS: [&str; 37] = [
    "client_id",
    "client_secret",
    "client_secret_expires_at",
    "client_id_issued_at",
    "registration_client_uri",
    "registration_access_token",
    "application_type",
    "redirect_uris",
    "post_logout_redirect_uris",
    "client_name",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "grant_types",
    "response_types",
    "scope",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "jwks",
    "jwks_uri",
    "id_token_signed_response_alg",
    "request_object_signing_alg",
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "subject_type",
    "default_max_age",
    "require_auth_time",
    "initiate_login_uri",
    "software_id",
    "software_version",
    "access_token_format",
    "require_pkce",
    "remember_consent",
    "claims_in_id_token",
    "refresh_without_offline_access",
];

/// A member of the answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Member {
    name: String,
    value: String,
    /// The key of its explanation, under `registration.member`.
    explained: &'static str,
}

impl Member {
    pub(super) fn of((name, value): (&String, &Value)) -> Self {
        let base = name.split('#').next().unwrap_or_default();
        let explained = MEMBERS.into_iter().find(|known| *known == base).unwrap_or("other");
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Array(values) if values.iter().all(Value::is_string) => {
                values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
            }
            other => other.to_string(),
        };
        Self { name: name.clone(), value, explained }
    }
}
