//! Step by step: where a flow can be held, and what can be done with what is held there.

use serde::{Deserialize, Serialize};

use super::{Entry, Exchange, Happened, Party, Step};

/// A place where a message is held until somebody lets it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// The RP is about to send the browser to the authorization endpoint.
    AuthorizationRequest,
    /// The IdP is about to send the browser to its first page.
    LoginPage,
    /// The IdP is about to send the browser back.
    AuthorizationResponse,
    /// The browser is back at the RP.
    Callback,
    /// The RP is about to ask for tokens.
    TokenRequest,
    /// The token endpoint has answered.
    TokenResponse,
    /// The RP is about to validate the ID token.
    Validation,
    /// The RP is about to ask for the claims about the user.
    UserinfoRequest,
    /// The claims are there.
    UserinfoResponse,
    /// After the login: the RP is about to ask for new tokens.
    RefreshRequest,
    /// The token endpoint has answered.
    RefreshResponse,
    /// The RP is about to validate the new ID token.
    RefreshedToken,
    /// The RP is about to give a token back.
    RevocationRequest,
    /// The revocation endpoint has answered.
    RevocationResponse,
    /// The RP is about to ask what a token is good for.
    IntrospectionRequest,
    /// The introspection endpoint has answered.
    IntrospectionResponse,
    /// The RP is about to call the protected API.
    ApiRequest,
    /// The API has answered.
    ApiResponse,
}

/// What of a held message can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Where it goes, but for the query.
    Address,
    /// The parameters in its query or its form.
    Parameters,
    /// Its headers, credentials among them.
    Headers,
    /// The status of an answer.
    Status,
    /// The body of an answer.
    Body,
    /// The ID token.
    Token,
}

/// What is lost when a held message is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A request: it is never sent, or never arrives.
    Request,
    /// An answer: the request was sent, and has done what it does.
    Answer,
}

/// What can be done with a held message, beside letting it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbs {
    /// What can be edited.
    pub edits: &'static [Part],
    /// What is lost when it is dropped; `None` where there is nothing to drop.
    pub drops: Option<Loss>,
    /// Whether it can be sent twice, one after the other. Who asked gets the first answer.
    pub repeats: bool,
}

impl Pause {
    /// Those of a login, in the order of the flow.
    pub const LOGIN: [Self; 9] = [
        Self::AuthorizationRequest,
        Self::LoginPage,
        Self::AuthorizationResponse,
        Self::Callback,
        Self::TokenRequest,
        Self::TokenResponse,
        Self::Validation,
        Self::UserinfoRequest,
        Self::UserinfoResponse,
    ];

    /// Those of what is done with tokens after the login: the first two or three, or one of the pairs behind them.
    pub const AFTERWARDS: [Self; 9] = [
        Self::RefreshRequest,
        Self::RefreshResponse,
        Self::RefreshedToken,
        Self::RevocationRequest,
        Self::RevocationResponse,
        Self::IntrospectionRequest,
        Self::IntrospectionResponse,
        Self::ApiRequest,
        Self::ApiResponse,
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::LOGIN.into_iter().chain(Self::AFTERWARDS)
    }

    /// Whether it is of what is done with tokens after the login.
    pub fn is_afterwards(self) -> bool {
        Self::AFTERWARDS.contains(&self)
    }

    /// The table of what can be done where. A browser follows a redirect once, so that what it carries cannot be repeated;
    /// where an authorization response goes was validated in step 2, and stays.
    pub const fn verbs(self) -> Verbs {
        let (edits, drops, repeats): (&[Part], _, _) = match self {
            Self::AuthorizationRequest => (&[Part::Address, Part::Parameters], Some(Loss::Request), false),
            Self::LoginPage => (&[], Some(Loss::Answer), false),
            Self::AuthorizationResponse => (&[Part::Parameters], Some(Loss::Answer), false),
            Self::Callback => (&[Part::Parameters], Some(Loss::Request), true),
            Self::TokenRequest
            | Self::RefreshRequest
            | Self::RevocationRequest
            | Self::IntrospectionRequest => (&[Part::Parameters, Part::Headers], Some(Loss::Request), true),
            Self::Validation | Self::RefreshedToken => (&[Part::Token], None, false),
            Self::UserinfoRequest | Self::ApiRequest => (&[Part::Headers], Some(Loss::Request), true),
            Self::TokenResponse
            | Self::UserinfoResponse
            | Self::RefreshResponse
            | Self::RevocationResponse
            | Self::IntrospectionResponse
            | Self::ApiResponse => (&[Part::Status, Part::Body], Some(Loss::Answer), false),
        };
        Verbs { edits, drops, repeats }
    }

    /// What can come of letting it go, to be foretold. Of an answer that is only shown nothing comes.
    pub const fn outcomes(self) -> Option<[Happened; 3]> {
        Some(match self {
            Self::AuthorizationRequest => {
                [Happened::IdpGoesOn, Happened::IdpShowsError, Happened::ErrorComesBack]
            }
            Self::LoginPage | Self::RevocationResponse | Self::IntrospectionResponse | Self::ApiResponse => {
                return None;
            }
            Self::AuthorizationResponse | Self::Callback => {
                [Happened::RpAsksForTokens, Happened::RpRefuses, Happened::RpTellsTheError]
            }
            Self::TokenRequest | Self::RefreshRequest => {
                [Happened::TokensCome, Happened::InvalidGrant, Happened::NoTokensOtherwise]
            }
            Self::TokenResponse | Self::RefreshResponse => {
                [Happened::TokensTaken, Happened::RpRefuses, Happened::NoAnswer]
            }
            Self::Validation | Self::RefreshedToken => {
                [Happened::TokenAccepted, Happened::RpRefuses, Happened::TokenUnjudged]
            }
            Self::UserinfoRequest => {
                [Happened::ClaimsCome, Happened::InvalidToken, Happened::NoClaimsOtherwise]
            }
            Self::UserinfoResponse => {
                [Happened::SignedInWithClaims, Happened::RpRefuses, Happened::SignedInWithoutClaims]
            }
            Self::RevocationRequest => [Happened::TakenBack, Happened::NotTakenBack, Happened::NoAnswer],
            Self::IntrospectionRequest => {
                [Happened::TokenActive, Happened::TokenInactive, Happened::NothingTold]
            }
            Self::ApiRequest => [Happened::ApiAnswers, Happened::InvalidToken, Happened::NoApiOtherwise],
        })
    }

    /// Where the request and the answer of an exchange of the back channel are held, if they are.
    pub const fn of(exchange: Exchange) -> Option<(Self, Self)> {
        Some(match exchange {
            Exchange::Token => (Self::TokenRequest, Self::TokenResponse),
            Exchange::Userinfo => (Self::UserinfoRequest, Self::UserinfoResponse),
            Exchange::Refresh => (Self::RefreshRequest, Self::RefreshResponse),
            Exchange::Revoke => (Self::RevocationRequest, Self::RevocationResponse),
            Exchange::Introspect => (Self::IntrospectionRequest, Self::IntrospectionResponse),
            Exchange::Api => (Self::ApiRequest, Self::ApiResponse),
            _ => return None,
        })
    }

    /// Of which exchange of the back channel it is the request.
    pub const fn asks(self) -> Option<Exchange> {
        Some(match self {
            Self::TokenRequest => Exchange::Token,
            Self::UserinfoRequest => Exchange::Userinfo,
            Self::RefreshRequest => Exchange::Refresh,
            Self::RevocationRequest => Exchange::Revoke,
            Self::IntrospectionRequest => Exchange::Introspect,
            Self::ApiRequest => Exchange::Api,
            _ => return None,
        })
    }

    /// Of which exchange of the back channel it is the answer.
    pub const fn answers(self) -> Option<Exchange> {
        Some(match self {
            Self::TokenResponse => Exchange::Token,
            Self::UserinfoResponse => Exchange::Userinfo,
            Self::RefreshResponse => Exchange::Refresh,
            Self::RevocationResponse => Exchange::Revoke,
            Self::IntrospectionResponse => Exchange::Introspect,
            Self::ApiResponse => Exchange::Api,
            _ => return None,
        })
    }

    /// What it is that came when no answer came.
    pub const fn when_nothing_comes(self) -> Option<Happened> {
        Some(match self {
            Self::TokenRequest | Self::RefreshRequest => Happened::NoTokensOtherwise,
            Self::UserinfoRequest => Happened::NoClaimsOtherwise,
            Self::RevocationRequest | Self::TokenResponse | Self::RefreshResponse => Happened::NoAnswer,
            Self::IntrospectionRequest => Happened::NothingTold,
            Self::ApiRequest => Happened::NoApiOtherwise,
            Self::RefreshedToken => Happened::TokenUnjudged,
            _ => return None,
        })
    }

    /// Who holds it.
    pub const fn by(self) -> Party {
        match self {
            Self::LoginPage | Self::AuthorizationResponse => Party::Idp,
            _ => Party::Rp,
        }
    }

    /// Where it stands in the story of its flow.
    pub const fn entry(self) -> Entry {
        match self {
            Self::AuthorizationRequest => Entry::Step(Step::AuthorizationRequest),
            Self::LoginPage => Entry::Step(Step::LoginPage),
            Self::AuthorizationResponse => Entry::Step(Step::Redirect),
            Self::Callback => Entry::Step(Step::Callback),
            Self::TokenRequest => Entry::Step(Step::TokenRequest),
            Self::TokenResponse => Entry::Step(Step::TokenResponse),
            Self::Validation => Entry::Step(Step::Validation),
            Self::UserinfoRequest | Self::UserinfoResponse => Entry::Userinfo,
            Self::RefreshRequest | Self::RefreshResponse | Self::RefreshedToken => Entry::Refresh,
            Self::RevocationRequest | Self::RevocationResponse => Entry::Revocation,
            Self::IntrospectionRequest | Self::IntrospectionResponse => Entry::Introspection,
            Self::ApiRequest | Self::ApiResponse => Entry::Api,
        }
    }

    /// The step that is under way.
    pub const fn step(self) -> Step {
        match self.entry() {
            Entry::Step(step) => step,
            _ => Step::Validation,
        }
    }

    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::AuthorizationRequest => "authorization_request",
            Self::LoginPage => "login_page",
            Self::AuthorizationResponse => "authorization_response",
            Self::Callback => "callback",
            Self::TokenRequest => "token_request",
            Self::TokenResponse => "token_response",
            Self::Validation => "validation",
            Self::UserinfoRequest => "userinfo_request",
            Self::UserinfoResponse => "userinfo_response",
            Self::RefreshRequest => "refresh_request",
            Self::RefreshResponse => "refresh_response",
            Self::RefreshedToken => "refreshed_token",
            Self::RevocationRequest => "revocation_request",
            Self::RevocationResponse => "revocation_response",
            Self::IntrospectionRequest => "introspection_request",
            Self::IntrospectionResponse => "introspection_response",
            Self::ApiRequest => "api_request",
            Self::ApiResponse => "api_response",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_foretold_is_three_different_things() {
        for pause in Pause::all() {
            let Some([a, b, c]) = pause.outcomes() else { continue };
            assert!(a != b && b != c && a != c, "{pause:?}");
        }
        assert_eq!(Pause::LoginPage.outcomes(), None);
    }

    #[test]
    fn only_requests_are_repeated_and_only_answers_have_a_status() {
        for pause in Pause::all() {
            let Verbs { edits, drops, repeats } = pause.verbs();
            assert!(!repeats || drops == Some(Loss::Request), "{pause:?}");
            assert!(!edits.contains(&Part::Status) || drops == Some(Loss::Answer), "{pause:?}");
        }
    }
}
