//! Where the answer to an authorization request may go (RFC 6749 §3.1.2).

use std::sync::Arc;

use thiserror::Error;
use url::Url;

/// Why an address cannot be registered as a redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RedirectUriError {
    /// RFC 6749 §3.1.2: an absolute URI.
    #[error("{0:?} is not an absolute http or https address")]
    NotAbsolute(String),
    /// RFC 6749 §3.1.2: without a fragment.
    #[error("{0:?} must not have a fragment")]
    Fragment(String),
    /// A parameter of the answer in the registered query: the client could take it for ours.
    #[error("{0:?} already holds a parameter of the authorization response")]
    ResponseParameter(String),
}

/// A registered redirect URI. It is compared as a string, never normalised (RFC 9700 §2.1). Copies share its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: Arc<str>,
    origin: Arc<str>,
}

impl RedirectUri {
    /// Reads an address from a registration.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        let not_absolute = || RedirectUriError::NotAbsolute(text.to_owned());
        // RFC 3986 §2: ASCII without spaces. The URL standard's parser mends much else, in ways of its own.
        let begins =
            |scheme: &str| text.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme));
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if !plain || !(begins("http://") || begins("https://")) {
            return Err(not_absolute());
        }
        let url = Url::parse(text).map_err(|_| not_absolute())?;
        if url.fragment().is_some() {
            return Err(RedirectUriError::Fragment(text.to_owned()));
        }
        let ours = ["code", "state", "iss", "error", "error_description", "error_uri", "response"];
        if url.query_pairs().any(|(name, _)| ours.contains(&name.as_ref())) {
            return Err(RedirectUriError::ResponseParameter(text.to_owned()));
        }
        // Kept, so that the origin of a script is compared with those of all clients without reading one address again.
        Ok(Self { text: text.into(), origin: url.origin().ascii_serialization().into() })
    }

    /// The address exactly as registered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The site that it belongs to, such as `http://127.0.0.1:5002/`.
    pub fn site(&self) -> String {
        format!("{}/", self.origin())
    }

    /// The same as browsers write it in `Origin` (RFC 6454 §6.1).
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// `host:port`, for people.
    pub fn host(&self) -> &str {
        self.origin.split_once("://").map(|(_, host)| host).unwrap_or_default()
    }
}

/// Whether what goes to an address travels in the clear (RFC 9700 §2.6: http is for loopback only).
pub fn is_exposed(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| url.scheme() == "http" && !web::origin::is_loopback(&url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{auth_method::AuthMethod, client::Client};

    #[test]
    fn an_address_with_a_fragment_another_scheme_or_no_host_cannot_be_registered() {
        for bad in ["", "/auth", "javascript:alert(1)", "https://a.example/#x", "data:,x", "http:", "http://"]
        {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(RedirectUri::parse("https://a.example:8443/cb?x=1").unwrap().host(), "a.example:8443");
    }

    #[test]
    fn an_address_keeps_its_origin_as_browsers_write_it() {
        for (address, origin, host) in [
            ("http://127.0.0.1:5002/auth", "http://127.0.0.1:5002", "127.0.0.1:5002"),
            ("HTTPS://App.Example:443/cb?x=http://y", "https://app.example", "app.example"),
            ("http://user@[::1]:80/", "http://[::1]", "[::1]"),
        ] {
            let registered = RedirectUri::parse(address).unwrap();
            assert_eq!((registered.origin(), registered.host()), (origin, host), "{address}");
            let public = Client {
                auth_method: AuthMethod::None,
                redirect_uris: vec![registered.clone()],
                ..Client::of("public")
            };
            assert!(public.lives_at(origin) && !public.lives_at(host), "{address}");
            // It is read once: what is kept is what a copy shows.
            assert!(std::ptr::eq(registered.clone().origin(), registered.origin()), "{address}");
        }
    }

    #[test]
    fn an_address_that_a_parser_would_have_to_mend_cannot_be_registered() {
        for bad in [
            "http:a.example/",
            "https:/a.example",
            "https://a.example/x\u{5}",
            " https://a.example/",
            "https://a.example\\x",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad:?}");
        }
        assert!(RedirectUri::parse("HTTPS://A.example/%7E").is_ok());
    }

    #[test]
    fn a_code_travels_in_the_clear_on_this_computer_only() {
        for (address, exposed) in [
            ("http://127.0.0.1:5002/auth", false),
            ("http://[::1]/auth", false),
            ("http://localhost/auth", false),
            ("https://app.example/cb", false),
            ("http://app.example/cb", true),
        ] {
            assert_eq!(is_exposed(address), exposed, "{address}");
        }
    }

    #[test]
    fn an_address_that_already_holds_a_code_cannot_be_registered() {
        for bad in
            ["https://a.example/?code=x", "https://a.example/?x=1&%63ode=x", "https://a.example/?state="]
        {
            assert_eq!(RedirectUri::parse(bad), Err(RedirectUriError::ResponseParameter(bad.to_owned())));
        }
        assert!(RedirectUri::parse("https://a.example/?foo=bar").is_ok());
    }
}
