//! How a client proves who it is at the back channel: `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1,
//! OpenID Connect Core §9), whichever it is registered for.

use std::sync::Arc;

use actix_web::{HttpRequest, http::header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use shared::{
    error::ErrorCode,
    flow::{Checks, Failed, Rule, Words},
    ids::ClientId,
    params::{self, Params},
    secret::{Secret, SecretHash},
};

use super::oauth_error::OAuthError;
use crate::{
    domain::client::{AuthMethod, Client},
    state::AppState,
};

/// A client's name and secret, as presented.
#[derive(Debug)]
struct Credentials {
    method: AuthMethod,
    id: ClientId,
    secret: Secret,
}

/// The client that sent this request.
pub async fn authenticate(
    state: &AppState,
    request: &HttpRequest,
    params: &Params,
    checks: &mut Checks,
) -> Result<Arc<Client>, OAuthError> {
    let presented = presented(request, params)?;
    let client = state.stores.clients.find(&presented.id).await?;
    // As much work for an unknown client as for a known one with a wrong secret.
    let expected = client.as_ref().map_or_else(|| SecretHash::of(""), |client| client.secret.hash());
    let matches = expected.matches(presented.secret.expose()) && client.is_some();
    let shown = if matches { Words::Authenticated } else { Words::NotAuthenticated };
    checks
        .judge(Rule::ClientAuthenticated, Words::Authenticated, shown, matches)
        .map_err(logged(OAuthError::invalid_client()))?;
    let client = client.ok_or_else(OAuthError::invalid_client)?;
    // OpenID Connect Core §9: the method is part of the registration. Only whoever knows the secret is told of it.
    checks
        .equal(Rule::ClientAuthMethod, client.auth_method.as_str(), presented.method.as_str())
        .map_err(logged(OAuthError::other_auth_method(client.auth_method)))?;
    Ok(client)
}

/// Whoever connects an application looks into the log first. What was presented stays out of it.
fn logged(refusal: OAuthError) -> impl FnOnce(Failed) -> OAuthError {
    move |Failed(check)| {
        tracing::info!(rule = check.rule.id(), description = refusal.description, "refused");
        refusal
    }
}

/// RFC 6749 §2.3: a client must not use more than one method in a request.
fn presented(request: &HttpRequest, params: &Params) -> Result<Credentials, OAuthError> {
    let in_form = params.get("client_secret");
    let Some(credentials) = basic(request)? else {
        let (Some(id), Some(secret)) = (params.get("client_id"), in_form) else {
            return Err(OAuthError::invalid_client());
        };
        let (id, secret) = (ClientId::new(id), Secret::new(secret));
        return Ok(Credentials { method: AuthMethod::ClientSecretPost, id, secret });
    };
    if in_form.is_some() || params.get("client_assertion").is_some() {
        return Err(invalid_request("The client uses two authentication methods at once."));
    }
    if params.get("client_id").is_some_and(|id| id != credentials.id.as_str()) {
        return Err(invalid_request("client_id names another client than the credentials."));
    }
    Ok(credentials)
}

fn invalid_request(description: &str) -> OAuthError {
    OAuthError::bad_request(ErrorCode::InvalidRequest, description)
}

/// Reads `Authorization: Basic`; `None` when there is no such header.
fn basic(request: &HttpRequest) -> Result<Option<Credentials>, OAuthError> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = headers.next() else {
        return Ok(None);
    };
    if headers.next().is_some() {
        return Err(invalid_request("The Authorization header stands more than once."));
    }
    let value = value.to_str().map_err(|_| OAuthError::invalid_client())?;
    parse_basic(value).map(Some).ok_or_else(OAuthError::invalid_client)
}

/// RFC 7617 §2 with RFC 6749 §2.3.1: both halves are form-encoded before they are joined by a colon.
fn parse_basic(value: &str) -> Option<Credentials> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = STANDARD.decode(encoded.trim()).ok()?;
    let colon = joined.iter().position(|byte| *byte == b':')?;
    let decode = |half: &[u8]| params::decode(half).ok();
    Some(Credentials {
        method: AuthMethod::ClientSecretBasic,
        id: ClientId::new(decode(&joined[..colon])?),
        secret: Secret::new(decode(&joined[colon + 1..])?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(id: &str, secret: &str) -> String {
        let joined = format!("{}:{}", params::encode(id), params::encode(secret));
        format!("Basic {}", STANDARD.encode(joined))
    }

    #[test]
    fn i12_both_halves_are_form_decoded() {
        let value = format!("basic {}", STANDARD.encode("a%3Ab:s%2Be+t%25"));
        let credentials = parse_basic(&value).unwrap();
        assert_eq!(credentials.id.as_str(), "a:b");
        assert_eq!(credentials.secret.expose(), "s+e t%");
    }

    #[test]
    fn i12_what_is_not_basic_credentials_is_no_credentials() {
        let encode = |bytes: &[u8]| format!("Basic {}", STANDARD.encode(bytes));
        for bad in ["", "Basic", "Basic ", "Basic !!!", "Bearer YTpi", "Basic YTpi YTpi"] {
            assert!(parse_basic(bad).is_none(), "{bad}");
        }
        for bad in [&b"no-colon"[..], b"\xff\xfe:x", b"a:%", b"a:%zz", b"a%00:x"] {
            assert!(parse_basic(&encode(bad)).is_none(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn i12_what_a_client_encodes_is_what_the_provider_reads(id in "[^\0]{1,20}", secret in "[^\0]{0,30}") {
            let credentials = parse_basic(&header(&id, &secret)).unwrap();
            prop_assert_eq!(credentials.id.as_str(), id);
            prop_assert_eq!(credentials.secret.expose(), secret);
        }

        #[test]
        fn i12_no_header_makes_the_reader_panic(value in "\\PC*", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse_basic(&value);
            let _ = parse_basic(&format!("Basic {}", STANDARD.encode(bytes)));
        }
    }
}
