//! Error codes of OAuth 2.0 and OpenID Connect: a closed set, so that no text of a stranger reaches a page.

use std::fmt;

use serde::{Serialize, Serializer};

/// An `error` code. Each variant names the section that defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1).
    InvalidRequest,
    /// The client failed to authenticate at the token endpoint (RFC 6749 §5.2).
    InvalidClient,
    /// The code or refresh token is wrong, late, used, or another client's (RFC 6749 §5.2).
    InvalidGrant,
    /// The client may not use this grant or response type (RFC 6749 §4.1.2.1 and §5.2).
    UnauthorizedClient,
    /// The token endpoint does not know the grant type (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// The authorization endpoint does not know the response type (RFC 6749 §4.1.2.1).
    UnsupportedResponseType,
    /// The scope is unknown or malformed (RFC 6749 §4.1.2.1 and §5.2).
    InvalidScope,
    /// The user or the server said no (RFC 6749 §4.1.2.1).
    AccessDenied,
    /// Something broke inside the server (RFC 6749 §4.1.2.1).
    ServerError,
    /// The server is overloaded or in maintenance (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable,
    /// `prompt=none`, but the user must sign in (OpenID Connect Core §3.1.2.6).
    LoginRequired,
    /// `prompt=none`, but the user must consent (OpenID Connect Core §3.1.2.6).
    ConsentRequired,
    /// `prompt=none`, but the user must do something (OpenID Connect Core §3.1.2.6).
    InteractionRequired,
    /// `prompt=none`, but the user must choose an account (OpenID Connect Core §3.1.2.6).
    AccountSelectionRequired,
    /// The login cannot be as strong as the client demands (OpenID Connect Core Error Code
    /// `unmet_authentication_requirements` 1.0).
    UnmetAuthenticationRequirements,
    /// `request` is not supported (OpenID Connect Core §3.1.2.6).
    RequestNotSupported,
    /// `request_uri` is not supported (OpenID Connect Core §3.1.2.6).
    RequestUriNotSupported,
    /// The request object is no good (OpenID Connect Core §3.1.2.6, RFC 9101 §7).
    InvalidRequestObject,
    /// There is no request at this `request_uri`, or no more (OpenID Connect Core §3.1.2.6, RFC 9101 §7).
    InvalidRequestUri,
    /// The access token is missing, wrong, late or revoked (RFC 6750 §3.1).
    InvalidToken,
    /// The access token does not reach that far (RFC 6750 §3.1).
    InsufficientScope,
    /// The resource is unknown, or was not allowed (RFC 8707 §2).
    InvalidTarget,
    /// This kind of token cannot be revoked (RFC 7009 §2.2.1).
    UnsupportedTokenType,
    /// A redirect URI cannot be registered (RFC 7591 §3.2.2).
    InvalidRedirectUri,
    /// Something else of a client cannot be registered (RFC 7591 §3.2.2).
    InvalidClientMetadata,
}

impl ErrorCode {
    /// Every code, in the order of the enum.
    pub const ALL: [Self; 25] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::UnsupportedResponseType,
        Self::InvalidScope,
        Self::AccessDenied,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::LoginRequired,
        Self::ConsentRequired,
        Self::InteractionRequired,
        Self::AccountSelectionRequired,
        Self::UnmetAuthenticationRequirements,
        Self::RequestNotSupported,
        Self::RequestUriNotSupported,
        Self::InvalidRequestObject,
        Self::InvalidRequestUri,
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::InvalidTarget,
        Self::UnsupportedTokenType,
        Self::InvalidRedirectUri,
        Self::InvalidClientMetadata,
    ];

    /// The code on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidTarget => "invalid_target",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
        }
    }

    /// The code that a message carries, if it is one of ours. A stranger's word is never passed on.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == code)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_word_and_nothing_else_is() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(ErrorCode::parse("<svg onload=alert(1)>"), None);
        assert_eq!(ErrorCode::parse("ACCESS_DENIED"), None);
    }
}
