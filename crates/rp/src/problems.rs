//! Every way in which a login or a logout can fail at the RP, each with the page that says so. Refusals of the
//! browser's request are 400; when the other server's answer is at fault it is 502.

use std::fmt::Display;

use actix_web::http::StatusCode;
use shared::{
    error::ErrorCode,
    flow::{Failed, Step},
};
use web::problem::{Mender, Problem};

use crate::provider::ProviderError;

/// The names of them all, for the catalogue.
pub const ALL: [&str; 17] = [
    "state_missing",
    "state_unknown",
    "state_other_browser",
    "state_reused",
    "response_mode_mismatch",
    "issuer_mismatch",
    "idp_unreachable",
    "discovery_invalid",
    "push_unsupported",
    "push_refused",
    "push_answer_invalid",
    "token_refused",
    "token_answer_invalid",
    "id_token_missing",
    "id_token_refused",
    "userinfo_subject",
    "logout_unknown",
];

/// What a failed check leads to. The log says why, with a stranger's values in quotes, line ends escaped.
fn refused(id: &'static str, status: StatusCode, mender: Mender, failed: Failed) -> Problem {
    let Failed(check) = &failed;
    let detail = format!("{}: expected {:?}, got {:?}", check.rule.id(), check.expected, check.actual);
    Problem::new(id, status, mender).check(failed).detail(detail)
}

/// The callback carries no `state`: nobody can say whose login it is.
pub fn state_missing() -> Problem {
    Problem::new("state_missing", StatusCode::BAD_REQUEST, Mender::You).at(Step::Callback)
}

/// No login under way has this `state`: it took too long, or it was never ours.
pub fn state_unknown(failed: Failed) -> Problem {
    refused("state_unknown", StatusCode::BAD_REQUEST, Mender::You, failed)
}

/// The login was started in another browser.
pub fn state_other_browser(failed: Failed) -> Problem {
    refused("state_other_browser", StatusCode::BAD_REQUEST, Mender::You, failed)
}

/// The login has already been completed: Back, or a reload.
pub fn state_reused(failed: Failed) -> Problem {
    refused("state_reused", StatusCode::BAD_REQUEST, Mender::You, failed)
}

/// The answer comes in another way than was asked for.
pub fn response_mode_mismatch(failed: Failed) -> Problem {
    refused("response_mode_mismatch", StatusCode::BAD_REQUEST, Mender::Idp, failed)
}

/// The answer comes from another issuer than was asked.
pub fn issuer_mismatch(failed: Failed) -> Problem {
    refused("issuer_mismatch", StatusCode::BAD_REQUEST, Mender::Idp, failed)
}

/// The provider does not answer, or not in time.
pub fn idp_unreachable(detail: impl Display) -> Problem {
    Problem::new("idp_unreachable", StatusCode::BAD_GATEWAY, Mender::Idp).detail(detail)
}

/// Whether the provider did not answer, or not in time.
pub fn is_idp_unreachable(problem: &Problem) -> bool {
    problem.id == "idp_unreachable"
}

/// The provider does not say about itself what it must.
pub fn discovery_invalid(detail: impl Display) -> Problem {
    Problem::new("discovery_invalid", StatusCode::BAD_GATEWAY, Mender::Idp).detail(detail)
}

/// The provider could not be asked about itself in `step`.
pub fn provider(error: ProviderError, step: Step) -> Problem {
    match error {
        ProviderError::Unreachable(detail) => idp_unreachable(detail).at(step),
        ProviderError::Invalid(detail) => discovery_invalid(detail).at(step),
        ProviderError::Refused(failed) => {
            refused("discovery_invalid", StatusCode::BAD_GATEWAY, Mender::Idp, failed)
        }
    }
}

/// The request is to be left at the provider in advance, and the provider takes none.
pub fn push_unsupported() -> Problem {
    Problem::new("push_unsupported", StatusCode::BAD_GATEWAY, Mender::App).at(Step::AuthorizationRequest)
}

/// The provider does not take the request.
pub fn push_refused(code: Option<ErrorCode>, detail: impl Display) -> Problem {
    Problem::new("push_refused", StatusCode::BAD_GATEWAY, Mender::App)
        .at(Step::AuthorizationRequest)
        .because_of(code)
        .detail(detail)
}

/// What it answers cannot be read.
pub fn push_answer_invalid(detail: impl Display) -> Problem {
    Problem::new("push_answer_invalid", StatusCode::BAD_GATEWAY, Mender::Idp)
        .at(Step::AuthorizationRequest)
        .detail(detail)
}

/// The token endpoint says no.
pub fn token_refused(code: Option<ErrorCode>, detail: impl Display) -> Problem {
    Problem::new("token_refused", StatusCode::BAD_GATEWAY, Mender::App)
        .at(Step::TokenResponse)
        .because_of(code)
        .detail(detail)
}

/// The token endpoint's answer cannot be read.
pub fn token_answer_invalid(detail: impl Display) -> Problem {
    Problem::new("token_answer_invalid", StatusCode::BAD_GATEWAY, Mender::Idp)
        .at(Step::TokenResponse)
        .detail(detail)
}

/// The token endpoint's answer is about a kind of token that we cannot use.
pub fn token_type(failed: Failed) -> Problem {
    refused("token_answer_invalid", StatusCode::BAD_GATEWAY, Mender::Idp, failed)
}

/// There is an access token, but nothing that says who signed in.
pub fn id_token_missing(failed: Failed) -> Problem {
    refused("id_token_missing", StatusCode::BAD_GATEWAY, Mender::Idp, failed)
}

/// The ID token fails a check.
pub fn id_token_refused(failed: Failed) -> Problem {
    refused("id_token_refused", StatusCode::BAD_GATEWAY, Mender::Idp, failed)
}

/// The claims are about somebody else than the ID token.
pub fn userinfo_subject(failed: Failed) -> Problem {
    refused("userinfo_subject", StatusCode::BAD_GATEWAY, Mender::Idp, failed)
}

/// The browser comes back from a logout that it did not begin, or that is over.
pub fn logout_unknown(failed: Failed) -> Problem {
    refused("logout_unknown", StatusCode::BAD_REQUEST, Mender::You, failed)
}

#[cfg(test)]
mod tests {
    use shared::flow::{Checks, NoRecording, Rule};

    use super::*;

    fn failed() -> Failed {
        Checks::new(std::sync::Arc::new(NoRecording)).equal(Rule::Nonce, "a", "b").unwrap_err()
    }

    #[test]
    fn every_problem_is_listed() {
        let made = [
            state_missing(),
            state_unknown(failed()),
            state_other_browser(failed()),
            state_reused(failed()),
            response_mode_mismatch(failed()),
            issuer_mismatch(failed()),
            idp_unreachable(""),
            discovery_invalid(""),
            push_unsupported(),
            push_refused(None, ""),
            push_answer_invalid(""),
            token_refused(None, ""),
            token_answer_invalid(""),
            id_token_missing(failed()),
            id_token_refused(failed()),
            userinfo_subject(failed()),
            logout_unknown(failed()),
        ];
        assert_eq!(made.map(|problem| problem.id), ALL);
    }
}
