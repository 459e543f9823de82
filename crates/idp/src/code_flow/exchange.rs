//! Steps 8 and 9: the code becomes tokens (RFC 6749 §4.1.3 and §4.1.4, RFC 7636 §4.5 and §4.6, OpenID Connect Core
//! §3.1.3).
//!
//! The client is authenticated already. The code is looked up and claimed in one step; then redirect URI and verifier
//! are judged. A claimed code stays claimed, whatever comes of it: whoever guesses a verifier has one try.

use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Shown, Step, Turn, Value as Followed, Words},
    params::Params,
    pkce::CodeVerifier,
    secret::SecretHash,
    token::TokenResponse,
};

use crate::{
    domain::{
        client::Client,
        grant::{Grant, Redeem},
    },
    http::oauth_error::{OAuthError, refused},
    issuance,
    state::AppState,
};

/// Redeems `code` for `client`.
pub async fn exchange(
    state: &AppState,
    client: &Client,
    params: &Params,
    checks: &mut Checks,
) -> Result<TokenResponse, OAuthError> {
    let code = params
        .get("code")
        .ok_or_else(|| OAuthError::bad_request(ErrorCode::InvalidRequest, "code is missing."))?;
    let grant = claim(state, client, code, checks).await?;
    same_redirect_uri(&grant, params, checks)?;
    meets_challenge(&grant, params, checks)?;
    let moments = [(Followed::CodeChallenge, Turn::Compared), (Followed::CodeChallenge, Turn::Destroyed)];
    state.sink.lives(Step::TokenRequest, &moments);
    // RFC 8707 §2.2: the access token may be for less, the refresh token is for all of it.
    let approval = issuance::narrowed(grant.approval.clone(), &issuance::resources(params), checks)?;
    let refresh_token = issuance::begin_family(state, client, &grant.approval).await?;
    issuance::tokens(state, client, &approval, grant.nonce, refresh_token).await
}

/// RFC 6749 §4.1.2: a code is for one client, for a short time, once.
async fn claim(
    state: &AppState,
    client: &Client,
    code: &str,
    checks: &mut Checks,
) -> Result<Grant, OAuthError> {
    let now = state.clock.now();
    let redeemed = state.stores.grants.redeem(SecretHash::of(code), &client.id, now).await?;
    let refuse = refused(ErrorCode::InvalidGrant, "The code is unknown, late, used or another client's.");
    // The store found out in one step; here it is told rule by rule.
    if let Redeem::Unknown = redeemed {
        return Err(refuse(checks.refuse(Rule::CodeKnown, Words::OwnCode, Words::UnknownCode)));
    }
    checks.pass(Rule::CodeKnown, Words::OwnCode);
    if let Redeem::OtherClient = redeemed {
        return Err(refuse(checks.refuse(Rule::CodeOfThisClient, Words::ThisClient, Words::OtherClient)));
    }
    checks.pass(Rule::CodeOfThisClient, Words::ThisClient);
    if let Redeem::Late = redeemed {
        return Err(refuse(checks.refuse(Rule::CodeFresh, Words::InTime, Words::Late)));
    }
    checks.pass(Rule::CodeFresh, Words::InTime);
    let Redeem::Redeemed(grant) = redeemed else {
        return Err(refuse(checks.refuse(Rule::CodeUnused, Words::Unused, Words::Used)));
    };
    checks.pass(Rule::CodeUnused, Words::Unused);
    let moments = [(Followed::Code, Turn::Compared), (Followed::Code, Turn::Destroyed)];
    state.sink.lives(Step::TokenRequest, &moments);
    Ok(*grant)
}

/// RFC 6749 §4.1.3: the redirect URI of step 2 again, the very same.
fn same_redirect_uri(grant: &Grant, params: &Params, checks: &mut Checks) -> Result<(), OAuthError> {
    let presented = params.get("redirect_uri");
    checks
        .judge(
            Rule::RedirectUriSame,
            grant.redirect_uri.as_str(),
            presented,
            presented == Some(grant.redirect_uri.as_str()),
        )
        .map_err(refused(
            ErrorCode::InvalidGrant,
            "redirect_uri is not the one of the authorization request.",
        ))
}

/// RFC 7636 §4.6: the verifier behind the challenge of step 2. RFC 9700 §2.1.1: where there was no challenge there is
/// no verifier either, or somebody took the challenge away on its way.
fn meets_challenge(grant: &Grant, params: &Params, checks: &mut Checks) -> Result<(), OAuthError> {
    let presented = params.get("code_verifier");
    let Some(challenge) = &grant.challenge else {
        let shown = presented.map_or(Words::Absent, |_| Words::Present);
        return checks
            .judge(Rule::VerifierMeetsChallenge, Words::Absent, shown, presented.is_none())
            .map_err(refused(
                ErrorCode::InvalidGrant,
                "There was no code_challenge for this code_verifier.",
            ));
    };
    let verifier = presented.and_then(|text| CodeVerifier::parse(text).ok());
    let actual = verifier.as_ref().map(|it| it.challenge().to_string());
    let actual = actual.map_or(Words::AbsentOrMalformed.into(), Shown::from);
    let met = verifier.is_some_and(|verifier| challenge.is_met_by(&verifier));
    checks
        .judge(Rule::VerifierMeetsChallenge, challenge.as_str(), actual, met)
        .map_err(refused(ErrorCode::InvalidGrant, "code_verifier does not meet the code_challenge."))
}
