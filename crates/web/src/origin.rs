//! The site's own address, fixed by its settings. No header of a request can change it.

use actix_web::HttpRequest;
use shared::ids::Issuer;
use thiserror::Error;
use url::{Host, Url};

/// Why an address cannot be a site's own.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OriginError {
    /// Not a URL with a host.
    #[error("{0:?} is not an absolute http or https URL")]
    NotAUrl(String),
    /// Query, fragment or credentials (OpenID Connect Discovery §3).
    #[error("{0:?} must not have a query, a fragment or credentials")]
    TooMuch(String),
    /// A trailing slash.
    #[error("{0:?} must not end with a slash")]
    TrailingSlash(String),
    /// http outside this computer.
    #[error("{0:?} uses http, which is safe only on a loopback address such as 127.0.0.1: use https")]
    HttpOutsideLoopback(String),
}

/// `http://127.0.0.1:5001`, or an address with a path such as `https://example.org/op`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    url: Url,
    authority: String,
}

impl Origin {
    /// Reads an address. Plain http is accepted on loopback only, unless `allow_http`.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError::NotAUrl(text.to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(OriginError::NotAUrl(text.to_owned()));
        }
        let credentials = !url.username().is_empty() || url.password().is_some();
        if credentials || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginError::TooMuch(text.to_owned()));
        }
        if text.ends_with('/') {
            return Err(OriginError::TrailingSlash(text.to_owned()));
        }
        let host = url.host_str().unwrap_or_default();
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let origin = Self { text: text.to_owned(), url, authority };
        if origin.url.scheme() == "http" && !origin.is_loopback() && !allow_http {
            return Err(OriginError::HttpOutsideLoopback(text.to_owned()));
        }
        Ok(origin)
    }

    /// Exactly as in the settings.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address as an issuer identifier.
    pub fn issuer(&self) -> Issuer {
        Issuer::new(self.text.as_str())
    }

    /// The path below which everything is served; empty at the root.
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The address without its path: what a request's path goes behind.
    pub fn root(&self) -> &str {
        self.text.strip_suffix(self.path()).unwrap_or(&self.text)
    }

    /// `host:port` as browsers write it in `Host`, without a default port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether the address is on this computer. Judged by the address alone: in a container no peer is loopback.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether browsers reach it by https, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether a request was sent to this site: its `Host` is ours, character by character but for case.
    pub fn is_asked_by(&self, request: &HttpRequest) -> bool {
        host_of(request).is_some_and(|host| host.eq_ignore_ascii_case(self.authority()))
    }

    /// Whether a request was sent to this computer by another of its names, such as `localhost`.
    pub fn is_asked_by_alias(&self, request: &HttpRequest) -> bool {
        let alias = host_of(request).and_then(|host| Url::parse(&format!("http://{host}")).ok());
        self.is_loopback()
            && alias.is_some_and(|alias| is_loopback(&alias) && alias.port() == self.url.port())
    }

    /// Whether a form of this very site sent the request. Cookies ignore ports, so `SameSite` does not protect
    /// one port of a host from another: browsers tell by `Sec-Fetch-Site`, older ones by `Origin`.
    pub fn is_sender_of(&self, request: &HttpRequest) -> bool {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        match (header("sec-fetch-site"), header("origin")) {
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => origin == self.url.origin().ascii_serialization(),
            (None, None) => false,
        }
    }
}

/// Whether the URL's host is `localhost`, 127.0.0.0/8 or `::1`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

fn host_of(request: &HttpRequest) -> Option<&str> {
    // An absolute request target overrides `Host` (RFC 9112 §3.2.2); a server that answers to it alone could be
    // made to serve another name.
    let header = request.headers().get("host").and_then(|value| value.to_str().ok());
    match request.uri().authority() {
        Some(authority) if header.is_none_or(|host| !host.eq_ignore_ascii_case(authority.as_str())) => None,
        _ => header,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn ours() -> Origin {
        Origin::parse("http://127.0.0.1:5001", false).unwrap()
    }

    fn with(name: &str, value: &str) -> HttpRequest {
        TestRequest::default().insert_header((name, value)).to_http_request()
    }

    #[test]
    fn http_is_for_loopback_only() {
        for loopback in ["http://localhost:1", "http://127.9.9.9", "http://[::1]:5001"] {
            assert!(Origin::parse(loopback, false).is_ok(), "{loopback}");
        }
        let outside = "http://idp.example";
        assert_eq!(Origin::parse(outside, false), Err(OriginError::HttpOutsideLoopback(outside.into())));
        assert!(Origin::parse(outside, true).is_ok());
        assert!(Origin::parse("http://127.0.0.1.evil.example", false).is_err());
    }

    #[test]
    fn an_address_has_no_slash_query_fragment_or_credentials() {
        for bad in ["https://a.example/", "https://a.example?x", "https://a.example#x", "https://u@a.example"]
        {
            assert!(Origin::parse(bad, false).is_err(), "{bad}");
        }
        assert!(Origin::parse("127.0.0.1:5001", false).is_err());
        assert_eq!(Origin::parse("https://a.example/op", false).unwrap().path(), "/op");
        assert_eq!(ours().path(), "");
    }

    #[test]
    fn only_our_own_host_is_ours() {
        assert!(ours().is_asked_by(&with("host", "127.0.0.1:5001")));
        for foreign in ["evil.example", "127.0.0.1", "127.0.0.1:5002", "localhost:5001"] {
            assert!(!ours().is_asked_by(&with("host", foreign)), "{foreign}");
        }
        assert!(ours().is_asked_by_alias(&with("host", "localhost:5001")));
        assert!(!ours().is_asked_by_alias(&with("host", "evil.example:5001")));
    }

    #[test]
    fn a_form_counts_as_ours_only_when_the_browser_says_so() {
        assert!(ours().is_sender_of(&with("sec-fetch-site", "same-origin")));
        assert!(!ours().is_sender_of(&with("sec-fetch-site", "same-site")));
        assert!(ours().is_sender_of(&with("origin", "http://127.0.0.1:5001")));
        assert!(!ours().is_sender_of(&with("origin", "http://127.0.0.1:5002")));
        assert!(!ours().is_sender_of(&with("origin", "null")));
        assert!(!ours().is_sender_of(&TestRequest::default().to_http_request()));
    }
}
