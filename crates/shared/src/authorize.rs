//! The authorization response, steps 6 and 7: the parameters that travel through the browser back to the RP
//! (RFC 6749 §4.1.2 and §4.1.2.1, RFC 9207 §2).

use crate::{error::ErrorCode, ids::Issuer, params::Params, secret::Secret};

/// What the provider tells the RP through the browser.
#[derive(Clone, Debug)]
pub enum AuthorizationResponse {
    /// The user agreed.
    Code(Secret),
    /// Somebody said no, or the request could not be served.
    Error {
        /// The code that the RP decides by.
        error: ErrorCode,
        /// A sentence for the RP's developer, in printable ASCII without `"` and `\` (RFC 6749 §4.1.2.1).
        description: &'static str,
    },
}

impl AuthorizationResponse {
    /// Its parameters, however they travel. `state` is echoed byte for byte, `iss` is always there (RFC 9207 §2).
    pub fn params(&self, state: Option<&str>, issuer: &Issuer) -> Params {
        let own = match self {
            Self::Code(code) => vec![("code", code.expose())],
            Self::Error { error, description } => {
                vec![("error", error.as_str()), ("error_description", *description)]
            }
        };
        let all =
            own.into_iter().chain(state.map(|state| ("state", state))).chain([("iss", issuer.as_str())]);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// Where the browser is sent: the redirect URI with the response behind its own query, which survives unchanged
/// (RFC 6749 §3.1.2).
pub fn location(redirect_uri: &str, response: &Params) -> String {
    // No fragment can stand behind the query (RFC 6749 §3.1.2).
    let separator = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{redirect_uri}{separator}{}", response.encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registered_query_survives_and_the_response_stands_behind_it() {
        let response = AuthorizationResponse::Code(Secret::new("abc"));
        let issuer = Issuer::new("http://127.0.0.1:5001");
        let sent = response.params(Some("s &1"), &issuer);
        let location = location("https://rp.example/cb?foo=bar", &sent);
        assert_eq!(
            location,
            "https://rp.example/cb?foo=bar&code=abc&state=s+%261&iss=http%3A%2F%2F127.0.0.1%3A5001"
        );
        let bare = super::location("https://rp.example/cb?", &response.params(None, &issuer));
        assert!(bare.starts_with("https://rp.example/cb?code=abc&iss="));
    }

    #[test]
    fn no_state_is_invented() {
        let response = AuthorizationResponse::Error { error: ErrorCode::AccessDenied, description: "No." };
        let sent = response.params(None, &Issuer::new("https://op.example"));
        let location = location("https://rp.example/cb", &sent);
        assert!(!location.contains("state="));
        assert!(location.contains("error=access_denied&error_description=No."));
    }
}
