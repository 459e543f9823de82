//! Where the answer to an authorization request may go, and how.

use shared::{params::Params, response_mode::ResponseMode};

use super::{client::Client, redirect_uri::RedirectUri};

/// A redirect URI that is registered for the client that asked, the `state` to echo, and how both are to travel.
///
/// It is made only from both: whoever has one may redirect the browser there. As long as there is none, every error
/// can only become a page (RFC 6749 §4.1.2.1).
#[derive(Clone, Debug)]
pub struct ReturnAddress {
    redirect_uri: RedirectUri,
    state: Option<String>,
    mode: ResponseMode,
}

impl ReturnAddress {
    /// The return address of a request of `client`, if its `redirect_uri` is registered.
    pub fn of(client: &Client, params: &Params) -> Option<Self> {
        let redirect_uri = client.redirect_uri(params.get("redirect_uri")?)?.clone();
        // A `state` that stands twice is nobody's.
        let state = params.get("state").filter(|_| params.count("state") == 1);
        // Nor is a `response_mode`; and what is not understood is answered in the default mode.
        let mode = params.get("response_mode").filter(|_| params.count("response_mode") == 1);
        let mode = mode.and_then(ResponseMode::parse).unwrap_or_default();
        Some(Self { redirect_uri, state: state.map(ToOwned::to_owned), mode })
    }

    /// The redirect URI.
    pub const fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// The client's own value, echoed byte for byte.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// How the answer travels, an error as well as a code.
    pub const fn mode(&self) -> ResponseMode {
        self.mode
    }
}
