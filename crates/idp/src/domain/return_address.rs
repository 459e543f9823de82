//! Where the answer to an authorization request may go.

use shared::params::Params;

use super::client::{Client, RedirectUri};

/// A redirect URI that is registered for the client that asked, and the `state` to echo.
///
/// It is made only from both: whoever has one may redirect the browser there. As long as there is none, every error
/// can only become a page (RFC 6749 §4.1.2.1).
#[derive(Clone, Debug)]
pub struct ReturnAddress {
    redirect_uri: RedirectUri,
    state: Option<String>,
}

impl ReturnAddress {
    /// The return address of a request of `client`, if its `redirect_uri` is registered.
    pub fn of(client: &Client, params: &Params) -> Option<Self> {
        let redirect_uri = client.redirect_uri(params.get("redirect_uri")?)?.clone();
        // A `state` that stands twice is nobody's.
        let state = params.get("state").filter(|_| params.count("state") == 1);
        Some(Self { redirect_uri, state: state.map(ToOwned::to_owned) })
    }

    /// The redirect URI.
    pub const fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// The client's own value, echoed byte for byte.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}
