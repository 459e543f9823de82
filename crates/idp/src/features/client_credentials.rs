//! A token for the client itself, where no user has a part (RFC 6749 §4.4): a program that runs at night, one server that
//! calls another. It says nothing about anybody, so there is no ID token; and the client can ask again whenever it likes, so
//! there is no refresh token (§4.4.3).

use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Words},
    params::Params,
    scope::Scope,
    token::TokenResponse,
};

use crate::{
    domain::{
        access_token::{AccessToken, OnBehalfOf},
        audience::Audience,
        claims,
        client::Client,
    },
    http::oauth_error::{OAuthError, refused},
    issuance,
    state::AppState,
};

/// Issues a token to `client`, which is authenticated already.
pub async fn issue(
    state: &AppState,
    client: &Client,
    params: &Params,
    checks: &mut Checks,
) -> Result<TokenResponse, OAuthError> {
    let now = state.clock.now();
    let scope = scope(client, params, checks)?;
    let audience = audience(state, params, checks)?;
    if !state.stores.access_tokens.has_room(&client.id, None, now).await? {
        return Err(OAuthError::unavailable());
    }
    let access = AccessToken {
        client_id: client.id.clone(),
        on_behalf_of: OnBehalfOf::Client,
        address: None,
        scope: scope.clone(),
        claims: Vec::new(),
        audience,
        issued: now,
        expires: now + state.settings.token_lifetime,
    };
    let access_token = issuance::access_token(state, client, access).await?;
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: state.settings.token_lifetime.as_secs(),
        scope,
        id_token: None,
        refresh_token: None,
    })
}

/// RFC 6749 §3.3: as far as the client is registered; all of that when it does not say. What is about a user is about nobody
/// here.
fn scope(client: &Client, params: &Params, checks: &mut Checks) -> Result<Scope, OAuthError> {
    let possible = client.scope.filtered(|value| !is_about_a_user(value));
    let asked = params.get("scope");
    let granted = match asked {
        Some(asked) => Scope::parse(asked).map(|scope| scope.intersection(&possible)).unwrap_or_default(),
        None => possible.clone(),
    };
    checks.judge(Rule::ScopeAllowed, possible.to_string(), asked, !granted.is_empty()).map_err(refused(
        ErrorCode::InvalidScope,
        "scope names nothing that this client may have for itself.",
    ))?;
    Ok(granted)
}

fn is_about_a_user(value: &str) -> bool {
    [Scope::OPENID, Scope::OFFLINE_ACCESS].contains(&value)
        || claims::STANDARD.iter().any(|(_, scope)| *scope == value)
}

/// RFC 8707 §2.2: where the token is to be used.
fn audience(state: &AppState, params: &Params, checks: &mut Checks) -> Result<Audience, OAuthError> {
    let asked = issuance::resources(params);
    let found = state.resources.asked(&asked);
    if !asked.is_empty() {
        checks
            .judge(Rule::ResourceKnown, Words::RegisteredResource, asked.join(" / "), found.is_some())
            .map_err(refused(ErrorCode::InvalidTarget, "A resource is unknown to this server."))?;
    }
    Ok(found.unwrap_or_else(|| state.resources.usual.clone()))
}
