//! Discovery: what the provider says about itself (OpenID Connect Discovery §4).

use openidconnect::{
    AdditionalProviderMetadata, AuthUrl, EndSessionUrl, IssuerUrl, JsonWebKeySetUrl, ProviderMetadata,
    TokenUrl, UserInfoUrl,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use shared::{
    flow::{Checks, Rule},
    ids::Issuer,
};
use url::Url;

use web::origin::is_loopback;

use super::ProviderError;

/// The document as the library reads it, with seven members that it does not know.
type Document = ProviderMetadata<
    Additional,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Additional {
    /// RFC 9207 §3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    /// OpenID Connect RP-Initiated Logout §2.1.
    end_session_endpoint: Option<EndSessionUrl>,
    /// RFC 9126 §5.
    pushed_authorization_request_endpoint: Option<Url>,
    /// RFC 8414 §2.
    revocation_endpoint: Option<Url>,
    /// RFC 8414 §2.
    introspection_endpoint: Option<Url>,
    /// Where our provider tells its half of a flow. A member of our own.
    flow_recording_endpoint: Option<Url>,
    /// Where it is told to go step by step. A member of our own.
    flow_steps_endpoint: Option<Url>,
}

impl AdditionalProviderMetadata for Additional {}

/// What a login needs to know of the provider.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The issuer, equal to the one in the settings.
    pub issuer: IssuerUrl,
    /// Step 2 goes here.
    pub authorization_endpoint: AuthUrl,
    /// Requests are left here in advance, if anywhere.
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// Step 8 goes here.
    pub token_endpoint: TokenUrl,
    /// The claims about the user are here, if anywhere.
    pub userinfo_endpoint: Option<UserInfoUrl>,
    /// The keys that verify ID tokens are here.
    pub jwks_uri: JsonWebKeySetUrl,
    /// Who logs out goes here, if there is a way to end the provider's session.
    pub end_session_endpoint: Option<EndSessionUrl>,
    /// Whether every authorization response carries `iss`, so that a missing one is wrong (RFC 9207 §2.4).
    pub announces_iss: bool,
    /// Where tokens are given back, if anywhere.
    pub revocation_endpoint: Option<Url>,
    /// Where it is asked what a token is good for, if anywhere.
    pub introspection_endpoint: Option<Url>,
    /// Where clients register themselves, if anywhere.
    pub registration_endpoint: Option<Url>,
    /// Where its half of a flow is told, if anywhere.
    pub flow_recording_endpoint: Option<Url>,
    /// Where it is told to go step by step, if anywhere.
    pub flow_steps_endpoint: Option<Url>,
}

/// Where the document lies. A path in the issuer comes first, a trailing slash is taken away for this one
/// purpose (OpenID Connect Discovery §4).
pub(super) fn document_url(issuer: &Issuer) -> String {
    let base = issuer.as_str().strip_suffix('/').unwrap_or(issuer.as_str());
    format!("{base}/.well-known/openid-configuration")
}

/// Reads the document that was found at `issuer`.
pub(super) fn read(body: &[u8], issuer: &Issuer, checks: &mut Checks) -> Result<Metadata, ProviderError> {
    let document: Document =
        serde_json::from_slice(body).map_err(|error| ProviderError::Invalid(error.to_string()))?;
    // OpenID Connect Discovery §4.3: the issuer in the document is the one that was asked, character by character.
    // Otherwise whoever serves the document could pass as somebody else.
    checks.equal(Rule::IssuerDiscovered, issuer.as_str(), document.issuer())?;
    let token_endpoint = document.token_endpoint().cloned().ok_or_else(|| {
        ProviderError::Invalid("token_endpoint is missing, which the code flow needs".to_owned())
    })?;
    let additional = document.additional_metadata();
    let metadata = Metadata {
        issuer: document.issuer().clone(),
        authorization_endpoint: document.authorization_endpoint().clone(),
        pushed_authorization_request_endpoint: additional.pushed_authorization_request_endpoint.clone(),
        token_endpoint,
        userinfo_endpoint: document.userinfo_endpoint().cloned(),
        jwks_uri: document.jwks_uri().clone(),
        end_session_endpoint: additional.end_session_endpoint.clone(),
        announces_iss: additional.authorization_response_iss_parameter_supported,
        revocation_endpoint: additional.revocation_endpoint.clone(),
        introspection_endpoint: additional.introspection_endpoint.clone(),
        registration_endpoint: document.registration_endpoint().map(|it| it.url().clone()),
        flow_recording_endpoint: additional.flow_recording_endpoint.clone(),
        flow_steps_endpoint: additional.flow_steps_endpoint.clone(),
    };
    check_schemes(&metadata)?;
    Ok(metadata)
}

/// An https issuer has https endpoints (OpenID Connect Discovery §3); one on this computer may have http ones, on this
/// computer. What goes there is the client's secret, and tokens come back (RFC 6749 §3.1.2.1, §3.2).
fn check_schemes(metadata: &Metadata) -> Result<(), ProviderError> {
    let (issuer, here) = (metadata.issuer.url().scheme(), is_loopback(metadata.issuer.url()));
    let endpoints: [(&str, Option<&Url>); 11] = [
        ("authorization_endpoint", Some(metadata.authorization_endpoint.url())),
        ("pushed_authorization_request_endpoint", metadata.pushed_authorization_request_endpoint.as_ref()),
        ("token_endpoint", Some(metadata.token_endpoint.url())),
        ("userinfo_endpoint", metadata.userinfo_endpoint.as_ref().map(UserInfoUrl::url)),
        ("jwks_uri", Some(metadata.jwks_uri.url())),
        ("end_session_endpoint", metadata.end_session_endpoint.as_ref().map(EndSessionUrl::url)),
        ("revocation_endpoint", metadata.revocation_endpoint.as_ref()),
        ("introspection_endpoint", metadata.introspection_endpoint.as_ref()),
        ("registration_endpoint", metadata.registration_endpoint.as_ref()),
        ("flow_recording_endpoint", metadata.flow_recording_endpoint.as_ref()),
        ("flow_steps_endpoint", metadata.flow_steps_endpoint.as_ref()),
    ];
    for (name, endpoint) in endpoints {
        let scheme = endpoint.map_or("https", Url::scheme);
        if scheme != "https" && scheme != issuer {
            return Err(ProviderError::Invalid(format!("{name} is an address of the kind {scheme:?}")));
        }
        if scheme == "http" && here && !endpoint.is_some_and(is_loopback) {
            return Err(ProviderError::Invalid(format!("{name} is an http address of another computer")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};
    use shared::flow::NoRecording;

    use super::*;

    fn document() -> Value {
        json!({
            "issuer": "https://op.example",
            "authorization_endpoint": "https://op.example/authorize",
            "token_endpoint": "https://op.example/token",
            "jwks_uri": "https://op.example/jwks",
            "response_types_supported": ["code", "a new one"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "a new one"],
        })
    }

    fn read_as(document: &Value, issuer: &str) -> Result<Metadata, ProviderError> {
        let mut checks = Checks::new(Arc::new(NoRecording));
        read(document.to_string().as_bytes(), &Issuer::new(issuer), &mut checks)
    }

    #[test]
    fn the_document_lies_below_the_issuer() {
        let url = |issuer| document_url(&Issuer::new(issuer));
        assert_eq!(url("https://op.example"), "https://op.example/.well-known/openid-configuration");
        assert_eq!(url("https://op.example/"), url("https://op.example"));
        assert_eq!(url("https://op.example/a"), "https://op.example/a/.well-known/openid-configuration");
    }

    #[test]
    fn r3_the_issuer_in_the_document_is_compared_character_by_character() {
        assert!(read_as(&document(), "https://op.example").is_ok());
        for other in
            ["https://op.example/", "https://OP.example", "https://op.example:443", "https://evil.example"]
        {
            assert!(matches!(read_as(&document(), other), Err(ProviderError::Refused(_))), "{other}");
        }
    }

    #[test]
    fn iss_in_responses_is_expected_only_when_announced() {
        let mut document = document();
        assert!(!read_as(&document, "https://op.example").unwrap().announces_iss);
        document["authorization_response_iss_parameter_supported"] = true.into();
        assert!(read_as(&document, "https://op.example").unwrap().announces_iss);
    }

    #[test]
    fn an_https_issuer_has_https_endpoints() {
        let names = [
            "authorization_endpoint",
            "pushed_authorization_request_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "jwks_uri",
            "end_session_endpoint",
        ];
        for name in names {
            for endpoint in ["http://op.example/x", "javascript:alert(1)", "file:///etc/passwd"] {
                let mut document = document();
                document[name] = endpoint.into();
                let refused = read_as(&document, "https://op.example");
                assert!(matches!(refused, Err(ProviderError::Invalid(_))), "{name}: {endpoint}");
            }
        }
    }

    #[test]
    fn an_issuer_on_this_computer_has_its_http_endpoints_here() {
        let here = "http://127.0.0.1:5001";
        let text = document().to_string().replace("https://op.example", here);
        let document = || serde_json::from_str::<Value>(&text).unwrap();
        assert!(read_as(&document(), here).is_ok());
        for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "revocation_endpoint"] {
            for (endpoint, is_taken) in [
                ("http://op.example/x", false),
                ("http://192.0.2.1/x", false),
                ("http://localhost:5001/x", true),
                ("https://op.example/x", true),
            ] {
                let mut document = document();
                document[name] = endpoint.into();
                assert_eq!(read_as(&document, here).is_ok(), is_taken, "{name}: {endpoint}");
            }
        }
        // Who has taken an issuer elsewhere by http, has it all so (`RP_ALLOW_HTTP`).
        let elsewhere = "http://op.example";
        let text = text.replace(here, elsewhere);
        assert!(read_as(&serde_json::from_str(&text).unwrap(), elsewhere).is_ok());
    }

    #[test]
    fn a_document_without_a_token_endpoint_is_of_no_use() {
        let mut document = document();
        document.as_object_mut().unwrap().remove("token_endpoint");
        assert!(matches!(read_as(&document, "https://op.example"), Err(ProviderError::Invalid(_))));
    }
}
