//! The exchanges of a flow, a request and its response each, and where they stand among the ten steps.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Message, Step};
use crate::{params::Params, response_mode::FormPost};

macro_rules! exchanges {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)*) => {
        /// A request and its response.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Exchange {
            $($(#[$doc])* $name,)*
        }

        impl Exchange {
            /// All of them, in the order of the flow.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in the catalogue.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }
        }
    };
}

exchanges! {
    /// The RP's `/login`.
    Login = "login",
    /// The discovery document.
    Discovery = "discovery",
    /// The RP leaves the authorization request at the IdP (RFC 9126).
    Push = "push",
    /// The authorization endpoint.
    Authorize = "authorize",
    /// The IdP asks which of the users who are signed in.
    AccountPage = "account_page",
    /// The user says which.
    AccountChoice = "account_choice",
    /// The IdP's login page.
    LoginPage = "login_page",
    /// Name and password.
    Password = "password",
    /// The IdP's consent page.
    ConsentPage = "consent_page",
    /// What the user allows.
    Decision = "decision",
    /// The RP's callback receives a response that is posted, and sends the browser to itself with a handle.
    CallbackPost = "callback_post",
    /// The RP's callback.
    Callback = "callback",
    /// The token endpoint.
    Token = "token",
    /// The key set.
    Keys = "keys",
    /// The userinfo endpoint.
    Userinfo = "userinfo",
    /// The token endpoint again, with a refresh token.
    Refresh = "refresh",
    /// The protected API.
    Api = "api",
    /// The introspection endpoint.
    Introspect = "introspect",
    /// The revocation endpoint.
    Revoke = "revoke",
    /// The user signs out of the RP.
    Logout = "logout",
    /// The IdP's end-session endpoint.
    EndSession = "end_session",
    /// The user confirms it there.
    SignOut = "sign_out",
    /// Back at the RP.
    LogoutDone = "logout_done",
}

impl Exchange {
    /// What a request to the token endpoint is, by the form that it sends: with a refresh token it is no step of a
    /// login; and where a client asks for itself it is part of no flow at all.
    pub fn with_form(self, form: &str) -> Option<Self> {
        let is = |grant_type: &str| {
            Params::parse_with_repeats(form.as_bytes())
                .is_ok_and(|params| params.get("grant_type") == Some(grant_type))
        };
        match self {
            Self::Token if is("refresh_token") => Some(Self::Refresh),
            Self::Token if is("client_credentials") => None,
            other => Some(other),
        }
    }
}

/// A place in the story that a flow is: one of the ten steps, or something beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// One of the ten.
    Step(Step),
    /// The RP reads what the IdP says about itself.
    Discovery,
    /// The RP leaves the authorization request at the IdP.
    Push,
    /// The RP fetches the IdP's keys.
    Keys,
    /// The RP asks for the claims about the user.
    Userinfo,
    /// The RP renews its tokens.
    Refresh,
    /// The RP calls the protected API.
    Api,
    /// Somebody asks what a token is good for.
    Introspection,
    /// The RP gives a token back.
    Revocation,
    /// The user signs out of the RP.
    Logout,
    /// And of the IdP.
    EndSession,
    /// And is back.
    LogoutDone,
}

impl Entry {
    /// Those of a login, in their order.
    pub const LOGIN: [Self; 18] = [
        Self::Step(Step::Click),
        Self::Discovery,
        Self::Push,
        Self::Step(Step::AuthorizationRequest),
        Self::Step(Step::LoginPage),
        Self::Step(Step::Password),
        Self::Step(Step::Consent),
        Self::Step(Step::Redirect),
        Self::Step(Step::Callback),
        Self::Step(Step::TokenRequest),
        Self::Step(Step::TokenResponse),
        Self::Keys,
        Self::Step(Step::Validation),
        Self::Userinfo,
        Self::Refresh,
        Self::Api,
        Self::Introspection,
        Self::Revocation,
    ];

    /// Those of a logout.
    pub const LOGOUT: [Self; 3] = [Self::Logout, Self::EndSession, Self::LogoutDone];

    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Step(step) => step.id(),
            Self::Discovery => "discovery",
            Self::Push => "push",
            Self::Keys => "jwks",
            Self::Userinfo => "userinfo",
            Self::Refresh => "refresh",
            Self::Api => "api",
            Self::Introspection => "introspection",
            Self::Revocation => "revocation",
            Self::Logout => "logout",
            Self::EndSession => "end_session",
            Self::LogoutDone => "logout_done",
        }
    }

    /// The step, if it is one.
    pub const fn step(self) -> Option<Step> {
        match self {
            Self::Step(step) => Some(step),
            _ => None,
        }
    }

    /// Where a message stands. The response of the RP's callback stands where `reached` says: at the last step that
    /// was gone through in it.
    pub fn of(message: &Message, reached: Step) -> Self {
        let answer = message.status();
        match message.exchange {
            Exchange::Discovery => Self::Discovery,
            Exchange::Push => Self::Push,
            Exchange::Keys => Self::Keys,
            Exchange::Userinfo => Self::Userinfo,
            Exchange::Refresh => Self::Refresh,
            Exchange::Api => Self::Api,
            Exchange::Introspect => Self::Introspection,
            Exchange::Revoke => Self::Revocation,
            Exchange::Logout => Self::Logout,
            Exchange::EndSession | Exchange::SignOut => Self::EndSession,
            Exchange::LogoutDone => Self::LogoutDone,
            Exchange::Login if answer.is_none() => Self::Step(Step::Click),
            // It brings nothing along: what it is about was posted before.
            Exchange::Callback if answer.is_none() && message.query().is_empty() => {
                Self::Step(Step::Callback)
            }
            Exchange::Callback | Exchange::CallbackPost if answer.is_none() => Self::Step(Step::Redirect),
            Exchange::CallbackPost => Self::Step(Step::Callback),
            Exchange::Callback => Self::Step(reached.max(Step::Callback)),
            Exchange::Token if answer.is_none() => Self::Step(Step::TokenRequest),
            Exchange::Token => Self::Step(Step::TokenResponse),
            _ if authorization_response(message).is_some() => Self::Step(Step::Redirect),
            Exchange::Login | Exchange::Authorize => Self::Step(Step::AuthorizationRequest),
            Exchange::AccountPage | Exchange::AccountChoice | Exchange::LoginPage => {
                Self::Step(Step::LoginPage)
            }
            Exchange::Password => Self::Step(Step::Password),
            Exchange::ConsentPage | Exchange::Decision => Self::Step(Step::Consent),
        }
    }
}

/// The parameters with which the IdP sends the browser back to the RP, encoded, if it does so with `message`: an
/// authorization response in the query of a redirect (RFC 6749 §4.1.2), or in a form (Form Post Response Mode §2).
pub fn authorization_response(message: &Message) -> Option<Cow<'_, str>> {
    if message.exchange == Exchange::Login || message.is_request() {
        return None;
    }
    let Some(location) = message.header("location") else {
        return FormPost::read(&message.body).map(|form| form.params.encode().into());
    };
    let (_, query) = location.split_once('?')?;
    let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
    names.any(|name| matches!(name, "code" | "error")).then(|| query.into())
}
