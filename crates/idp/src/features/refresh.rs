//! New tokens for a refresh token, without the user (RFC 6749 §6, OpenID Connect Core §12).
//!
//! Each refresh token works once and brings the next one (rotation, RFC 9700 §4.14.2). One that comes a second time is
//! refused, and everything that began with the same code is dead: one of the two who have it is a thief. The client is
//! authenticated already; the token is judged and replaced in one step.

use shared::{
    error::ErrorCode,
    flow::{Checks, Failed, Rule, Step, Turn, Value, Words},
    params::Params,
    scope::Scope,
    secret::SecretHash,
    token::TokenResponse,
};

use crate::{
    domain::{
        client::Client,
        grant::Approval,
        refresh_family::{Asked, RefreshToken, Rotate, Wider},
    },
    http::oauth_error::{OAuthError, refused},
    issuance,
    state::AppState,
    tokens,
};

/// Exchanges `refresh_token` for `client`.
pub async fn refresh(
    state: &AppState,
    client: &Client,
    params: &Params,
    checks: &mut Checks,
) -> Result<TokenResponse, OAuthError> {
    let presented = params
        .get("refresh_token")
        .ok_or_else(|| OAuthError::bad_request(ErrorCode::InvalidRequest, "refresh_token is missing."))?;
    let asked = Asked { scope: scope(params)?, resources: issuance::resources(params) };
    let token = RefreshToken::read(presented);
    if let Some(token) = token {
        has_room(state, client, token).await?;
    }
    let next = tokens::mint_next(presented, state.random.as_ref());
    let rotated = match token {
        Some(token) => rotate(state, client, token, &asked, next.hash()).await?,
        None => Rotate::Unknown,
    };
    let approval = judged(rotated, &asked, checks)?;
    let moments = [Turn::Compared, Turn::Destroyed, Turn::Created, Turn::Stored, Turn::Sent];
    state.sink.lives(Step::TokenResponse, &moments.map(|turn| (Value::RefreshToken, turn)));
    still_stands(state, &approval, checks).await?;
    // OpenID Connect Core §12.2: an ID token that comes with it needs no nonce.
    issuance::tokens(state, client, &approval, None, Some(next)).await
}

/// How far the access token is to reach, if that is said.
fn scope(params: &Params) -> Result<Option<Scope>, OAuthError> {
    let scope = params.get("scope").map(Scope::parse).transpose();
    let scope = scope.ok().filter(|scope| scope.as_ref().is_none_or(|scope| !scope.is_empty()));
    scope.ok_or_else(|| OAuthError::bad_request(ErrorCode::InvalidScope, "scope is malformed."))
}

/// A token is not replaced when there is no room for what it buys: the client would be left with neither.
async fn has_room(state: &AppState, client: &Client, token: RefreshToken) -> Result<(), OAuthError> {
    let now = state.clock.now();
    let family = state.stores.refresh_families.find(token.family, now).await?;
    let address = family.and_then(|family| family.approval.address);
    let room = state.stores.access_tokens.has_room(&client.id, address, now).await?;
    room.then_some(()).ok_or_else(OAuthError::unavailable)
}

/// Presents the token. When it comes a second time its grant is revoked, and with it every access token of the family,
/// even those that somebody who was faster has not been given yet.
async fn rotate(
    state: &AppState,
    client: &Client,
    token: RefreshToken,
    asked: &Asked,
    next: SecretHash,
) -> Result<Rotate, OAuthError> {
    let now = state.clock.now();
    let rotated = state.stores.refresh_families.rotate(token, &client.id, asked, next, now).await?;
    if let Rotate::AlreadyUsed(grant) = rotated {
        state.stores.grants.revoke(grant, now).await?;
        tracing::warn!(client = client.id.as_str(), "a refresh token came a second time; its family is dead");
    }
    Ok(rotated)
}

/// The store found out in one step; here it is told rule by rule.
fn judged(rotated: Rotate, asked: &Asked, checks: &mut Checks) -> Result<Approval, OAuthError> {
    if let Rotate::Unknown = rotated {
        let failed =
            checks.refuse(Rule::RefreshTokenKnown, Words::OwnRefreshToken, Words::UnknownRefreshToken);
        return Err(refuse(failed));
    }
    checks.pass(Rule::RefreshTokenKnown, Words::OwnRefreshToken);
    if let Rotate::OtherClient = rotated {
        let failed = checks.refuse(Rule::RefreshTokenOfThisClient, Words::ThisClient, Words::OtherClient);
        return Err(refuse(failed));
    }
    checks.pass(Rule::RefreshTokenOfThisClient, Words::ThisClient);
    if let Rotate::Dead = rotated {
        return Err(refuse(checks.refuse(Rule::PermissionStands, Words::Permitted, Words::TakenBack)));
    }
    if let Rotate::AlreadyUsed(_) = rotated {
        return Err(refuse(checks.refuse(Rule::RefreshTokenUnused, Words::Unused, Words::Used)));
    }
    checks.pass(Rule::RefreshTokenUnused, Words::Unused);
    if let Rotate::Wider(allowed) = &rotated {
        checks.pass(Rule::RefreshTokenFresh, Words::InTime);
        return Err(too_much(allowed, asked, checks));
    }
    let Rotate::Rotated(approval) = rotated else {
        return Err(refuse(checks.refuse(Rule::RefreshTokenFresh, Words::InTime, Words::Late)));
    };
    checks.pass(Rule::RefreshTokenFresh, Words::InTime);
    checks.pass(Rule::ScopeNotWider, approval.scope.to_string());
    checks.pass(Rule::ResourceNotWider, approval.audience.to_string());
    Ok(*approval)
}

/// RFC 6749 §6, RFC 8707 §2.2: nothing is added that was not allowed.
fn too_much(allowed: &Wider, asked: &Asked, checks: &mut Checks) -> OAuthError {
    let scope = asked.scope.as_ref().map(ToString::to_string).unwrap_or_default();
    match allowed {
        Wider::Scope(allowed) => {
            let failed = checks.refuse(Rule::ScopeNotWider, allowed.to_string(), scope);
            refused(ErrorCode::InvalidScope, "scope names more than the user allowed.")(failed)
        }
        Wider::Audience(allowed) => issuance::other_resource(allowed, &asked.resources, checks),
    }
}

/// OpenID Connect Core §11: as long as the user, and what they allowed, is there. It may have been taken back since, or
/// the code that all this began with came a second time.
async fn still_stands(state: &AppState, approval: &Approval, checks: &mut Checks) -> Result<(), OAuthError> {
    let now = state.clock.now();
    let live = state.stores.grants.is_live(approval.grant, now).await?;
    let shown = if live { Words::Permitted } else { Words::TakenBack };
    checks.judge(Rule::PermissionStands, Words::Permitted, shown, live).map_err(refuse)?;
    let known = state.stores.users.find(&approval.authentication.subject).await?.is_some();
    let shown = if known { Words::KnownUser } else { Words::UnknownUser };
    checks.judge(Rule::UserKnown, Words::KnownUser, shown, known).map_err(refuse)
}

fn refuse(failed: Failed) -> OAuthError {
    let description = "The refresh token is unknown, late, used, revoked or another client's.";
    refused(ErrorCode::InvalidGrant, description)(failed)
}
