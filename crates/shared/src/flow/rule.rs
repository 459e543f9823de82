//! The rules that are checked in the ten steps and beside them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::Step;

/// A rule that one side checks. Its texts stand in the catalogue under `check.<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is described by its row in `Rule::facts` and in the catalogue")]
pub enum Rule {
    ClientKnown,
    RedirectUriRegistered,
    RequestByValueOnly,
    RequestUriKnown,
    RequestUriOfThisClient,
    RequestUriFresh,
    RequestUriUnused,
    PushedRequestRequired,
    SignedRequestRequired,
    RequestObjectReadable,
    RequestObjectAlgorithm,
    RequestObjectSignature,
    RequestObjectIssuer,
    RequestObjectAudience,
    RequestObjectTimely,
    RequestObjectSame,
    RequestObjectNoAssertion,
    RequestObjectFlat,
    ResponseTypeCode,
    ResponseModeKnown,
    ScopeAllowed,
    ResourceKnown,
    ChallengePresent,
    ChallengeMethod,
    PromptPossible,
    HintOurs,
    MaxAgeReadable,
    ClaimsReadable,
    AcrPossible,
    SilentLogin,
    SilentConsent,
    SubjectAsAsked,
    SameBrowser,
    CsrfToken,
    AttemptsAllowed,
    PasswordCorrect,
    AssertionAlgorithm,
    AssertionSignature,
    AssertionIssuer,
    AssertionAudience,
    AssertionExpiry,
    AssertionUnused,
    ClientAuthenticated,
    ClientAuthMethod,
    GrantTypeKnown,
    GrantTypeAllowed,
    CodeKnown,
    CodeOfThisClient,
    CodeFresh,
    CodeUnused,
    RedirectUriSame,
    VerifierMeetsChallenge,
    BearerTokenActive,
    BearerTokenScope,
    IssuerDiscovered,
    StateKnown,
    StateSameBrowser,
    StateUnused,
    ResponseModeAsAsked,
    ResponseIssuer,
    TokenType,
    IdTokenPresent,
    TokenWellFormed,
    Algorithm,
    CriticalHeader,
    Signature,
    IssuerClaim,
    SubjectClaim,
    Audience,
    AuthorizedParty,
    Expiry,
    IssuedAt,
    NotBefore,
    Nonce,
    AccessTokenHash,
    LibraryVerifier,
    AuthenticationAge,
    RenewedSubject,
    RenewedAuthTime,
    UserinfoSubject,
    RefreshTokenKnown,
    RefreshTokenOfThisClient,
    RefreshTokenUnused,
    RefreshTokenFresh,
    ScopeNotWider,
    PermissionStands,
    UserKnown,
    ResourceNotWider,
    TokenOfThisClient,
    TokenForWhoAsks,
    AccessTokenTyp,
    AccessTokenAlgorithm,
    AccessTokenSignature,
    AccessTokenIssuer,
    AccessTokenAudience,
    AccessTokenExpiry,
    AccessTokenIssuedAt,
    AccessTokenScope,
    LogoutClientSame,
    PostLogoutRedirectUriRegistered,
    LogoutState,
}

impl Rule {
    /// Every rule, in the order of the flow.
    pub const ALL: [Self; 101] = [
        Self::ClientKnown,
        Self::RedirectUriRegistered,
        Self::RequestByValueOnly,
        Self::RequestUriKnown,
        Self::RequestUriOfThisClient,
        Self::RequestUriFresh,
        Self::RequestUriUnused,
        Self::PushedRequestRequired,
        Self::SignedRequestRequired,
        Self::RequestObjectReadable,
        Self::RequestObjectAlgorithm,
        Self::RequestObjectSignature,
        Self::RequestObjectIssuer,
        Self::RequestObjectAudience,
        Self::RequestObjectTimely,
        Self::RequestObjectSame,
        Self::RequestObjectNoAssertion,
        Self::RequestObjectFlat,
        Self::ResponseTypeCode,
        Self::ResponseModeKnown,
        Self::ScopeAllowed,
        Self::ResourceKnown,
        Self::ChallengePresent,
        Self::ChallengeMethod,
        Self::PromptPossible,
        Self::HintOurs,
        Self::MaxAgeReadable,
        Self::ClaimsReadable,
        Self::AcrPossible,
        Self::SilentLogin,
        Self::SilentConsent,
        Self::SubjectAsAsked,
        Self::SameBrowser,
        Self::CsrfToken,
        Self::AttemptsAllowed,
        Self::PasswordCorrect,
        Self::AssertionAlgorithm,
        Self::AssertionSignature,
        Self::AssertionIssuer,
        Self::AssertionAudience,
        Self::AssertionExpiry,
        Self::AssertionUnused,
        Self::ClientAuthenticated,
        Self::ClientAuthMethod,
        Self::GrantTypeKnown,
        Self::GrantTypeAllowed,
        Self::CodeKnown,
        Self::CodeOfThisClient,
        Self::CodeFresh,
        Self::CodeUnused,
        Self::RedirectUriSame,
        Self::VerifierMeetsChallenge,
        Self::BearerTokenActive,
        Self::BearerTokenScope,
        Self::IssuerDiscovered,
        Self::StateKnown,
        Self::StateSameBrowser,
        Self::StateUnused,
        Self::ResponseModeAsAsked,
        Self::ResponseIssuer,
        Self::TokenType,
        Self::IdTokenPresent,
        Self::TokenWellFormed,
        Self::Algorithm,
        Self::CriticalHeader,
        Self::Signature,
        Self::IssuerClaim,
        Self::SubjectClaim,
        Self::Audience,
        Self::AuthorizedParty,
        Self::Expiry,
        Self::IssuedAt,
        Self::NotBefore,
        Self::Nonce,
        Self::AccessTokenHash,
        Self::LibraryVerifier,
        Self::AuthenticationAge,
        Self::RenewedSubject,
        Self::RenewedAuthTime,
        Self::UserinfoSubject,
        Self::RefreshTokenKnown,
        Self::RefreshTokenOfThisClient,
        Self::RefreshTokenUnused,
        Self::RefreshTokenFresh,
        Self::ScopeNotWider,
        Self::PermissionStands,
        Self::UserKnown,
        Self::ResourceNotWider,
        Self::TokenOfThisClient,
        Self::TokenForWhoAsks,
        Self::AccessTokenTyp,
        Self::AccessTokenAlgorithm,
        Self::AccessTokenSignature,
        Self::AccessTokenIssuer,
        Self::AccessTokenAudience,
        Self::AccessTokenExpiry,
        Self::AccessTokenIssuedAt,
        Self::AccessTokenScope,
        Self::LogoutClientSame,
        Self::PostLogoutRedirectUriRegistered,
        Self::LogoutState,
    ];

    /// A short name for texts, logs and addresses.
    pub const fn id(self) -> &'static str {
        self.facts().0
    }

    /// In which step of a login; logging out is none.
    pub const fn step(self) -> Option<Step> {
        self.facts().1
    }

    /// The section of the specification that asks for it.
    pub const fn section(self) -> &'static str {
        self.facts().2
    }

    #[rustfmt::skip]
    #[expect(clippy::too_many_lines, reason = "a table")]
    const fn facts(self) -> (&'static str, Option<Step>, &'static str) {
        use Step::{AuthorizationRequest, Callback, Consent, Password, TokenRequest, TokenResponse, Validation};
        let (id, step, section) = match self {
            Self::ClientKnown => ("client_known", AuthorizationRequest, "RFC 6749 §4.1.2.1"),
            Self::RedirectUriRegistered => ("redirect_uri_registered", AuthorizationRequest, "RFC 9700 §2.1"),
            Self::RequestByValueOnly => ("request_by_value_only", AuthorizationRequest, "OpenID Connect Core §3.1.2.6"),
            Self::RequestUriKnown => ("request_uri_known", AuthorizationRequest, "RFC 9126 §4"),
            Self::RequestUriOfThisClient => ("request_uri_of_this_client", AuthorizationRequest, "RFC 9126 §2.2"),
            Self::RequestUriFresh => ("request_uri_fresh", AuthorizationRequest, "RFC 9126 §4"),
            Self::RequestUriUnused => ("request_uri_unused", AuthorizationRequest, "RFC 9126 §4"),
            Self::PushedRequestRequired => ("pushed_request_required", AuthorizationRequest, "RFC 9126 §6"),
            Self::SignedRequestRequired => ("signed_request_required", AuthorizationRequest, "RFC 9101 §10.5"),
            Self::RequestObjectReadable => ("request_object_readable", AuthorizationRequest, "RFC 9101 §4"),
            Self::RequestObjectAlgorithm => ("request_object_algorithm", AuthorizationRequest, "RFC 8725 §3.1"),
            Self::RequestObjectSignature => ("request_object_signature", AuthorizationRequest, "RFC 9101 §6.2"),
            Self::RequestObjectIssuer => ("request_object_issuer", AuthorizationRequest, "OpenID Connect Core §6.1"),
            Self::RequestObjectAudience => ("request_object_audience", AuthorizationRequest, "OpenID Connect Core §6.1"),
            Self::RequestObjectTimely => ("request_object_timely", AuthorizationRequest, "RFC 7519 §4.1.4"),
            Self::RequestObjectSame => ("request_object_same", AuthorizationRequest, "OpenID Connect Core §6.1"),
            Self::RequestObjectNoAssertion => {
                ("request_object_no_assertion", AuthorizationRequest, "RFC 9101 §10.8")
            }
            Self::RequestObjectFlat => ("request_object_flat", AuthorizationRequest, "OpenID Connect Core §6.1"),
            Self::ResponseTypeCode => ("response_type_code", AuthorizationRequest, "RFC 6749 §3.1.1"),
            Self::ResponseModeKnown => ("response_mode_known", AuthorizationRequest, "OAuth 2.0 Multiple Response Types §2.1"),
            Self::ScopeAllowed => ("scope_allowed", AuthorizationRequest, "RFC 6749 §3.3"),
            Self::ResourceKnown => ("resource_known", AuthorizationRequest, "RFC 8707 §2"),
            Self::ChallengePresent => ("challenge_present", AuthorizationRequest, "RFC 9700 §2.1.1"),
            Self::ChallengeMethod => ("challenge_method", AuthorizationRequest, "RFC 7636 §4.3"),
            Self::PromptPossible => ("prompt_possible", AuthorizationRequest, "OpenID Connect Core §3.1.2.1"),
            Self::HintOurs => ("hint_ours", AuthorizationRequest, "OpenID Connect Core §3.1.2.2"),
            Self::MaxAgeReadable => ("max_age_readable", AuthorizationRequest, "OpenID Connect Core §3.1.2.1"),
            Self::ClaimsReadable => ("claims_readable", AuthorizationRequest, "OpenID Connect Core §5.5"),
            Self::AcrPossible => ("acr_possible", AuthorizationRequest, "OpenID Connect Core §5.5.1.1"),
            Self::SilentLogin => ("silent_login", AuthorizationRequest, "OpenID Connect Core §3.1.2.6"),
            Self::SilentConsent => ("silent_consent", AuthorizationRequest, "OpenID Connect Core §3.1.2.6"),
            Self::SubjectAsAsked => ("subject_as_asked", Password, "OpenID Connect Core §3.1.2.1"),
            Self::SameBrowser => ("same_browser", Consent, "RFC 9700 §4.7"),
            Self::CsrfToken => ("csrf_token", Consent, "RFC 6749 §10.12"),
            Self::AttemptsAllowed => ("attempts_allowed", Password, "RFC 6819 §5.1.4.2"),
            Self::PasswordCorrect => ("password_correct", Password, "OpenID Connect Core §3.1.2.3"),
            Self::AssertionAlgorithm => ("assertion_algorithm", TokenRequest, "RFC 8725 §3.1"),
            Self::AssertionSignature => ("assertion_signature", TokenRequest, "RFC 7523 §3 (9)"),
            Self::AssertionIssuer => ("assertion_issuer", TokenRequest, "RFC 7523 §3 (1)"),
            Self::AssertionAudience => ("assertion_audience", TokenRequest, "RFC 7523 §3 (3)"),
            Self::AssertionExpiry => ("assertion_expiry", TokenRequest, "RFC 7523 §3 (4)"),
            Self::AssertionUnused => ("assertion_unused", TokenRequest, "OpenID Connect Core §9"),
            Self::ClientAuthenticated => ("client_authenticated", TokenRequest, "RFC 6749 §2.3.1"),
            Self::ClientAuthMethod => ("client_auth_method", TokenRequest, "OpenID Connect Core §9"),
            Self::GrantTypeKnown => ("grant_type_known", TokenRequest, "RFC 6749 §5.2"),
            Self::GrantTypeAllowed => ("grant_type_allowed", TokenRequest, "RFC 6749 §5.2"),
            Self::CodeKnown => ("code_known", TokenRequest, "RFC 6749 §4.1.3"),
            Self::CodeOfThisClient => ("code_of_this_client", TokenRequest, "RFC 6749 §4.1.3"),
            Self::CodeFresh => ("code_fresh", TokenRequest, "RFC 6749 §4.1.2"),
            Self::CodeUnused => ("code_unused", TokenRequest, "RFC 6749 §4.1.2"),
            Self::RedirectUriSame => ("redirect_uri_same", TokenRequest, "RFC 6749 §4.1.3"),
            Self::VerifierMeetsChallenge => ("verifier_meets_challenge", TokenRequest, "RFC 7636 §4.6"),
            Self::BearerTokenActive => ("bearer_token_active", Validation, "RFC 6750 §3.1"),
            Self::BearerTokenScope => ("bearer_token_scope", Validation, "OpenID Connect Core §5.3.1"),
            Self::IssuerDiscovered => ("issuer_discovered", AuthorizationRequest, "OpenID Connect Discovery §4.3"),
            Self::StateKnown => ("state_known", Callback, "RFC 6749 §10.12"),
            Self::StateSameBrowser => ("state_same_browser", Callback, "RFC 6749 §10.12"),
            Self::StateUnused => ("state_unused", Callback, "RFC 9700 §4.7.1"),
            Self::ResponseModeAsAsked => ("response_mode_as_asked", Callback, "OAuth 2.0 Multiple Response Types §2.1"),
            Self::ResponseIssuer => ("response_issuer", Callback, "RFC 9207 §2.4"),
            Self::TokenType => ("token_type", TokenResponse, "OpenID Connect Core §3.1.3.3"),
            Self::IdTokenPresent => ("id_token_present", TokenResponse, "OpenID Connect Core §3.1.3.3"),
            Self::TokenWellFormed => ("token_well_formed", Validation, "RFC 7519 §7.2"),
            Self::Algorithm => ("algorithm", Validation, "OpenID Connect Core §3.1.3.7 (7)"),
            Self::CriticalHeader => ("critical_header", Validation, "RFC 7515 §4.1.11"),
            Self::Signature => ("signature", Validation, "OpenID Connect Core §3.1.3.7 (6)"),
            Self::IssuerClaim => ("issuer_claim", Validation, "OpenID Connect Core §3.1.3.7 (2)"),
            Self::SubjectClaim => ("subject_claim", Validation, "OpenID Connect Core §2"),
            Self::Audience => ("audience", Validation, "OpenID Connect Core §3.1.3.7 (3)"),
            Self::AuthorizedParty => ("authorized_party", Validation, "OpenID Connect Core §3.1.3.7 (5)"),
            Self::Expiry => ("expiry", Validation, "OpenID Connect Core §3.1.3.7 (9)"),
            Self::IssuedAt => ("issued_at", Validation, "OpenID Connect Core §3.1.3.7 (10)"),
            Self::NotBefore => ("not_before", Validation, "RFC 7519 §4.1.5"),
            Self::Nonce => ("nonce", Validation, "OpenID Connect Core §3.1.3.7 (11)"),
            Self::AccessTokenHash => ("access_token_hash", Validation, "OpenID Connect Core §3.1.3.8"),
            Self::LibraryVerifier => ("library_verifier", Validation, "OpenID Connect Core §3.1.3.7"),
            Self::AuthenticationAge => {
                ("authentication_age", Validation, "OpenID Connect Core §3.1.3.7 (13)")
            }
            Self::RenewedSubject => ("renewed_subject", Validation, "OpenID Connect Core §12.2"),
            Self::RenewedAuthTime => ("renewed_auth_time", Validation, "OpenID Connect Core §12.2"),
            Self::UserinfoSubject => ("userinfo_subject", Validation, "OpenID Connect Core §5.3.2"),
            Self::RefreshTokenKnown => return ("refresh_token_known", None, "RFC 6749 §6"),
            Self::RefreshTokenOfThisClient => return ("refresh_token_of_this_client", None, "RFC 6749 §6"),
            Self::RefreshTokenUnused => return ("refresh_token_unused", None, "RFC 9700 §4.14.2"),
            Self::RefreshTokenFresh => return ("refresh_token_fresh", None, "RFC 9700 §4.14.2"),
            Self::ScopeNotWider => return ("scope_not_wider", None, "RFC 6749 §6"),
            Self::PermissionStands => return ("permission_stands", None, "OpenID Connect Core §11"),
            Self::UserKnown => return ("user_known", None, "OpenID Connect Core §11"),
            Self::ResourceNotWider => return ("resource_not_wider", None, "RFC 8707 §2.2"),
            Self::TokenOfThisClient => return ("token_of_this_client", None, "RFC 7009 §2.1"),
            Self::TokenForWhoAsks => return ("token_for_who_asks", None, "RFC 7662 §4"),
            Self::AccessTokenTyp => return ("access_token_typ", None, "RFC 9068 §4"),
            Self::AccessTokenAlgorithm => return ("access_token_algorithm", None, "RFC 8725 §3.1"),
            Self::AccessTokenSignature => return ("access_token_signature", None, "RFC 9068 §4"),
            Self::AccessTokenIssuer => return ("access_token_issuer", None, "RFC 9068 §4"),
            Self::AccessTokenAudience => return ("access_token_audience", None, "RFC 8707 §2"),
            Self::AccessTokenExpiry => return ("access_token_expiry", None, "RFC 9068 §4"),
            Self::AccessTokenIssuedAt => return ("access_token_issued_at", None, "RFC 7519 §4.1.6"),
            Self::AccessTokenScope => return ("access_token_scope", None, "RFC 6750 §3.1"),
            Self::LogoutClientSame => return ("logout_client_same", None, "OpenID Connect RP-Initiated Logout §2"),
            Self::PostLogoutRedirectUriRegistered => {
                return ("post_logout_redirect_uri_registered", None, "OpenID Connect RP-Initiated Logout §3");
            }
            Self::LogoutState => return ("logout_state", None, "OpenID Connect RP-Initiated Logout §2"),
        };
        (id, Some(step), section)
    }
}

/// By its name.
impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::ALL.into_iter().find(|rule| rule.id() == id).ok_or_else(|| D::Error::custom("unknown rule"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        let names: HashSet<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
    }
}
