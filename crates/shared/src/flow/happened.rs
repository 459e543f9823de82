//! Step by step: what comes of a message that was held, to be foretold and to be told.

use serde::{Deserialize, Serialize};

use super::Exchange;

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)*) => {
        /// What came of a message, or what somebody thinks will come of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Happened {
            $($(#[$doc])* $name,)*
        }

        impl Happened {
            /// All of them.
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

outcomes! {
    /// The IdP accepts the request: it shows a page of its own, or answers at once.
    IdpGoesOn = "idp_goes_on",
    /// The IdP shows an error and leads nobody back.
    IdpShowsError = "idp_shows_error",
    /// The browser comes back to the RP with an error.
    ErrorComesBack = "error_comes_back",
    /// The RP asks for tokens.
    RpAsksForTokens = "rp_asks_for_tokens",
    /// The RP refuses.
    RpRefuses = "rp_refuses",
    /// The RP tells the user which error the IdP sent.
    RpTellsTheError = "rp_tells_the_error",
    /// Tokens come.
    TokensCome = "tokens_come",
    /// `invalid_grant` comes.
    InvalidGrant = "invalid_grant",
    /// Another error comes, or nothing.
    NoTokensOtherwise = "no_tokens_otherwise",
    /// The RP takes the tokens, and goes on to the ID token.
    TokensTaken = "tokens_taken",
    /// The RP has no answer.
    NoAnswer = "no_answer",
    /// The ID token passes every check.
    TokenAccepted = "token_accepted",
    /// The ID token cannot be judged, since the keys are not to be had.
    TokenUnjudged = "token_unjudged",
    /// Claims come.
    ClaimsCome = "claims_come",
    /// `invalid_token` comes.
    InvalidToken = "invalid_token",
    /// Another error comes, or nothing.
    NoClaimsOtherwise = "no_claims_otherwise",
    /// The user is signed in, with these claims.
    SignedInWithClaims = "signed_in_with_claims",
    /// The user is signed in, without these claims.
    SignedInWithoutClaims = "signed_in_without_claims",
    /// The IdP says that it has taken the token back.
    TakenBack = "taken_back",
    /// The IdP says that it has not.
    NotTakenBack = "not_taken_back",
    /// The IdP tells about the token, which is good.
    TokenActive = "token_active",
    /// The IdP says that it is good for nothing.
    TokenInactive = "token_inactive",
    /// An error comes, or nothing.
    NothingTold = "nothing_told",
    /// The API does what it was asked for.
    ApiAnswers = "api_answers",
    /// Another error comes, or nothing.
    NoApiOtherwise = "no_api_otherwise",
}

impl Happened {
    /// Whether somebody refused, or nothing came.
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::IdpShowsError
                | Self::ErrorComesBack
                | Self::RpRefuses
                | Self::InvalidGrant
                | Self::NoTokensOtherwise
                | Self::InvalidToken
                | Self::NoClaimsOtherwise
                | Self::NotTakenBack
                | Self::NothingTold
                | Self::NoApiOtherwise
        )
    }

    /// Whether nothing was judged to the end, though nobody refused either.
    pub const fn is_left_open(self) -> bool {
        matches!(self, Self::NoAnswer | Self::TokenUnjudged | Self::SignedInWithoutClaims)
    }

    /// What came of a request of the back channel, as its answer says.
    pub fn of_answer(exchange: Exchange, status: u16, body: &str) -> Option<Self> {
        let member = |name: &str| serde_json::from_str::<serde_json::Value>(body).ok()?.get(name).cloned();
        Some(match (exchange, status) {
            (Exchange::Token | Exchange::Refresh, 200) => Self::TokensCome,
            (Exchange::Token | Exchange::Refresh, _) => match member("error") {
                Some(error) if error == "invalid_grant" => Self::InvalidGrant,
                _ => Self::NoTokensOtherwise,
            },
            (Exchange::Userinfo, 200) => Self::ClaimsCome,
            (Exchange::Userinfo | Exchange::Api, 401) => Self::InvalidToken,
            (Exchange::Userinfo, _) => Self::NoClaimsOtherwise,
            (Exchange::Api, 200) => Self::ApiAnswers,
            (Exchange::Api, _) => Self::NoApiOtherwise,
            (Exchange::Revoke, 200) => Self::TakenBack,
            (Exchange::Revoke, _) => Self::NotTakenBack,
            (Exchange::Introspect, 200) => match member("active") {
                Some(serde_json::Value::Bool(true)) => Self::TokenActive,
                _ => Self::TokenInactive,
            },
            (Exchange::Introspect, _) => Self::NothingTold,
            _ => return None,
        })
    }
}
