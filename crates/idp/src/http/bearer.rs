//! An access token that is shown: in the header, or in a form (RFC 6750 §2).

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
};
use shared::{error::ErrorCode, params::Params, secret::Secret};

use super::oauth_error::OAuthError;

/// RFC 6750 §2: the token in the header or in the form, not in both, and never in the address, where histories and
/// logs would keep it. Whoever shows none is told in the name of `realm`.
pub fn token(request: &HttpRequest, form: &Params, realm: &str) -> Result<Secret, OAuthError> {
    let invalid =
        |description| OAuthError::bearer(ErrorCode::InvalidRequest, description, StatusCode::BAD_REQUEST);
    let query = Params::parse_with_repeats(request.query_string().as_bytes());
    if query.is_err() || query.is_ok_and(|query| query.iter().any(|(name, _)| name == "access_token")) {
        return Err(invalid("The access token must not be in the query."));
    }
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let in_header = headers.next();
    if headers.next().is_some() || (in_header.is_some() && form.get("access_token").is_some()) {
        return Err(invalid("The access token is sent in more than one way."));
    }
    let none = || OAuthError::no_bearer_token(realm);
    let Some(value) = in_header else {
        return form.get("access_token").map(Secret::new).ok_or_else(none);
    };
    let credentials = value.to_str().ok().and_then(|value| value.split_once(' '));
    // RFC 6750 §2.1: one space or more.
    match credentials.map(|(scheme, token)| (scheme, token.trim_start_matches(' '))) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            Ok(Secret::new(token))
        }
        Some((scheme, _)) if !scheme.eq_ignore_ascii_case("bearer") => Err(none()),
        _ => Err(OAuthError::invalid_token()),
    }
}
