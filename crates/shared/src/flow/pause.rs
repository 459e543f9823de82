//! Step by step: where a flow can be held, what can be done with what is held there, and what was done.

use serde::{Deserialize, Serialize};

use super::{Entry, Exchange, Party, Step};

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
    /// All of them, in the order of the flow.
    pub const ALL: [Self; 9] = [
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

    /// The table of what can be done where. A browser follows a redirect once, so that what it carries cannot be repeated;
    /// where an authorization response goes was validated in step 2, and stays.
    pub const fn verbs(self) -> Verbs {
        let (edits, drops, repeats): (&[Part], _, _) = match self {
            Self::AuthorizationRequest => (&[Part::Address, Part::Parameters], Some(Loss::Request), false),
            Self::LoginPage => (&[], Some(Loss::Answer), false),
            Self::AuthorizationResponse => (&[Part::Parameters], Some(Loss::Answer), false),
            Self::Callback => (&[Part::Parameters], Some(Loss::Request), true),
            Self::TokenRequest => (&[Part::Parameters, Part::Headers], Some(Loss::Request), true),
            Self::Validation => (&[Part::Token], None, false),
            Self::UserinfoRequest => (&[Part::Headers], Some(Loss::Request), true),
            Self::TokenResponse | Self::UserinfoResponse => {
                (&[Part::Status, Part::Body], Some(Loss::Answer), false)
            }
        };
        Verbs { edits, drops, repeats }
    }

    /// What can come of letting it go, to be foretold.
    pub const fn outcomes(self) -> Option<[Happened; 3]> {
        Some(match self {
            Self::AuthorizationRequest => {
                [Happened::IdpGoesOn, Happened::IdpShowsError, Happened::ErrorComesBack]
            }
            Self::LoginPage => return None,
            Self::AuthorizationResponse | Self::Callback => {
                [Happened::RpAsksForTokens, Happened::RpRefuses, Happened::RpTellsTheError]
            }
            Self::TokenRequest => [Happened::TokensCome, Happened::InvalidGrant, Happened::NoTokensOtherwise],
            Self::TokenResponse => [Happened::TokensTaken, Happened::RpRefuses, Happened::NoAnswer],
            Self::Validation => [Happened::TokenAccepted, Happened::RpRefuses, Happened::TokenUnjudged],
            Self::UserinfoRequest => {
                [Happened::ClaimsCome, Happened::InvalidToken, Happened::NoClaimsOtherwise]
            }
            Self::UserinfoResponse => {
                [Happened::SignedInWithClaims, Happened::RpRefuses, Happened::SignedInWithoutClaims]
            }
        })
    }

    /// Of which exchange of the back channel it is the answer.
    pub const fn answers(self) -> Option<Exchange> {
        match self {
            Self::TokenResponse => Some(Exchange::Token),
            Self::UserinfoResponse => Some(Exchange::Userinfo),
            _ => None,
        }
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
        }
    }
}

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
        )
    }
}

/// What was done with a held message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It was let go.
    Sent,
    /// It was dropped.
    Dropped,
    /// It was sent twice.
    Repeated,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Dropped, Self::Repeated];

    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Repeated => "repeated",
        }
    }
}

/// Something that was edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The parameter, header, claim or part.
    pub name: String,
    /// What it was; `None` if it was not there.
    pub before: Option<String>,
    /// What it became; `None` if it was taken away.
    pub after: Option<String>,
}

/// A held message was let go, in another way than untouched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Where.
    pub pause: Pause,
    /// How.
    pub verb: Verb,
    /// What was edited first.
    pub changes: Vec<Change>,
    /// What somebody foretold.
    pub guess: Option<Happened>,
}

impl Release {
    /// What its changes take, in bytes: their texts, and what is around them.
    pub fn length(&self) -> usize {
        const AROUND: usize = 96;
        let texts = |change: &Change| {
            let values = [&change.before, &change.after].into_iter().flatten();
            AROUND + change.name.len() + values.map(String::len).sum::<usize>()
        };
        self.changes.iter().map(texts).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_foretold_is_three_different_things() {
        for pause in Pause::ALL {
            let Some([a, b, c]) = pause.outcomes() else { continue };
            assert!(a != b && b != c && a != c, "{pause:?}");
        }
        assert_eq!(Pause::LoginPage.outcomes(), None);
    }

    #[test]
    fn only_requests_are_repeated_and_only_answers_have_a_status() {
        for pause in Pause::ALL {
            let Verbs { edits, drops, repeats } = pause.verbs();
            assert!(!repeats || drops == Some(Loss::Request), "{pause:?}");
            assert!(!edits.contains(&Part::Status) || drops == Some(Loss::Answer), "{pause:?}");
        }
    }
}
