//! How a client proves who it is at the back channel (RFC 6749 §2.3, OpenID Connect Core §9): with a secret in the header
//! or in the form, with an assertion that it signed, or, if it is public, not at all; whichever it is registered for.

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

use super::{
    client_assertion::{self, Assertion},
    oauth_error::OAuthError,
};
use crate::{
    domain::{auth_method::AuthMethod, client::Client},
    state::AppState,
};

/// What a client presents.
enum Presented<'a> {
    /// A secret that both sides know.
    Secret(Credentials),
    /// A document that the client signed.
    Assertion(Box<Assertion<'a>>),
    /// A name, and nothing else.
    Name(ClientId),
}

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
    let (client, method) = match presented(request, params)? {
        Presented::Secret(credentials) => (by_secret(state, &credentials, checks).await?, credentials.method),
        Presented::Assertion(assertion) => {
            let client = known(state, &assertion.client_id, |_| true, checks).await?;
            let endpoint = format!("{}{}", state.settings.origin.root(), request.path());
            client_assertion::verify(state, &client, &assertion, &endpoint, checks).await?;
            checks.pass(Rule::ClientAuthenticated, Words::Authenticated);
            (client, assertion.method())
        }
        Presented::Name(id) => {
            let client = known(state, &id, Client::is_public, checks).await?;
            checks.not_applicable(Rule::ClientAuthenticated, Words::Authenticated, Words::PublicClient);
            (client, AuthMethod::None)
        }
    };
    // OpenID Connect Core §9: the method is part of the registration. Only whoever proved who they are is told which it
    // is.
    checks
        .equal(Rule::ClientAuthMethod, client.auth_method.as_str(), method.as_str())
        .map_err(logged(OAuthError::other_auth_method(client.auth_method)))?;
    Ok(client)
}

/// The same, for what a name alone does not open.
pub fn confidential(client: Arc<Client>, checks: &mut Checks) -> Result<Arc<Client>, OAuthError> {
    if client.is_public() {
        let failed = checks.refuse(Rule::ClientAuthenticated, Words::Authenticated, Words::PublicClient);
        return Err(logged(OAuthError::invalid_client())(failed));
    }
    Ok(client)
}

/// The client of this name and kind. If there is none, the answer is that of a wrong secret. Whether a client exists is
/// no secret all the same: what an assertion fails at is told of known clients only, and the authorization endpoint
/// tells everybody which names are unknown.
async fn known(
    state: &AppState,
    id: &ClientId,
    kind: impl FnOnce(&Client) -> bool,
    checks: &mut Checks,
) -> Result<Arc<Client>, OAuthError> {
    let client = state.stores.clients.find(id, state.present()).await?.filter(|client| kind(client));
    client.ok_or_else(|| {
        let (expected, shown) = (Words::Authenticated, Words::NotAuthenticated);
        let failed = checks.refuse(Rule::ClientAuthenticated, expected, shown);
        logged(OAuthError::invalid_client())(failed)
    })
}

/// The client that knows this secret.
async fn by_secret(
    state: &AppState,
    presented: &Credentials,
    checks: &mut Checks,
) -> Result<Arc<Client>, OAuthError> {
    let client = state.stores.clients.find(&presented.id, state.present()).await?;
    let secret = client.as_ref().and_then(|client| client.secret.as_ref());
    // As much work for an unknown client as for a known one with a wrong secret.
    let expected = secret.map_or_else(|| SecretHash::of(""), Secret::hash);
    let matches = expected.matches(presented.secret.expose()) && secret.is_some();
    let shown = if matches { Words::Authenticated } else { Words::NotAuthenticated };
    checks
        .judge(Rule::ClientAuthenticated, Words::Authenticated, shown, matches)
        .map_err(logged(OAuthError::invalid_client()))?;
    client.ok_or_else(OAuthError::invalid_client)
}

/// Whoever connects an application looks into the log first. What was presented stays out of it.
fn logged(refusal: OAuthError) -> impl FnOnce(Failed) -> OAuthError {
    move |Failed(check)| {
        tracing::info!(rule = check.rule.id(), description = refusal.description, "refused");
        refusal
    }
}

/// RFC 6749 §2.3: a client must not use more than one method in a request.
fn presented<'a>(request: &HttpRequest, params: &'a Params) -> Result<Presented<'a>, OAuthError> {
    let (name, secret) = (params.get("client_id"), params.get("client_secret"));
    let (header, assertion) = (basic(request)?, assertion(params)?);
    if usize::from(header.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some()) > 1 {
        return Err(invalid_request("The client uses two authentication methods at once."));
    }
    let presented = match (header, assertion, name, secret) {
        (Some(credentials), ..) => Presented::Secret(credentials),
        (_, Some(assertion), ..) => Presented::Assertion(Box::new(assertion)),
        (_, _, Some(id), Some(secret)) => Presented::Secret(Credentials {
            method: AuthMethod::ClientSecretPost,
            id: ClientId::new(id),
            secret: Secret::new(secret),
        }),
        (_, _, Some(id), None) => Presented::Name(ClientId::new(id)),
        (_, _, None, _) => return Err(OAuthError::invalid_client()),
    };
    let id = match &presented {
        Presented::Secret(credentials) => &credentials.id,
        Presented::Assertion(assertion) => &assertion.client_id,
        Presented::Name(id) => id,
    };
    // RFC 7521 §4.2: optional beside credentials, but then the same.
    if name.is_some_and(|name| name != id.as_str()) {
        return Err(invalid_request("client_id names another client than the credentials."));
    }
    Ok(presented)
}

/// RFC 7521 §4.2: `client_assertion`, with the type that says how to read it.
fn assertion(params: &Params) -> Result<Option<Assertion<'_>>, OAuthError> {
    match (params.get("client_assertion"), params.get("client_assertion_type")) {
        (None, None) => Ok(None),
        (Some(token), Some(client_assertion::TYPE)) => {
            Assertion::read(token).map(Some).ok_or_else(OAuthError::invalid_client)
        }
        _ => Err(invalid_request("client_assertion and its client_assertion_type belong together.")),
    }
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
