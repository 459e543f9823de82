//! A client gives a token back (RFC 7009).
//!
//! A refresh token goes with its whole family: with every access token that came of the same login. An access token
//! goes alone. That a token is not known is no failure: what the client wants is so. That the store does not answer is
//! one, or the client would think that a token is dead which is not.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Step, Turn, Value, Words},
    ids::ClientId,
    secret::SecretHash,
};
use web::form::{Form, FormError};

use crate::{
    domain::{client::Client, refresh_family::RefreshToken},
    http::{
        back_channel, id_token_hint,
        oauth_error::{OAuthError, refused},
    },
    state::AppState,
};

/// `POST /oauth/revoke`
pub async fn revoke(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, OAuthError> {
    let mut checks = state.checks();
    let (client, params) = back_channel::asked(&state, &request, form, &[], &mut checks).await?;
    // RFC 7009 §2.1: `token_type_hint` may help to find a token. Here a token says itself what it is.
    let token = params
        .get("token")
        .ok_or_else(|| OAuthError::bad_request(ErrorCode::InvalidRequest, "token is missing."))?;
    if let Some(presented) = RefreshToken::read(token) {
        family(&state, &client, presented, &mut checks).await?;
    } else {
        access_token(&state, &client, token, &mut checks).await?;
    }
    // RFC 7009 §2.2: 200 also for what nobody knows; a client could do nothing about it.
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// RFC 7009 §2.1: with a refresh token go all access tokens of the same grant. An earlier one of the family will do:
/// the client means the same permission.
async fn family(
    state: &AppState,
    client: &Client,
    presented: RefreshToken,
    checks: &mut Checks,
) -> Result<(), OAuthError> {
    let now = state.clock.now();
    let Some(family) = state.stores.refresh_families.find(presented.family, now).await? else {
        return Ok(());
    };
    of_this_client(client, &family.approval.client_id, checks)?;
    // First the grant: whatever becomes of the rest, nothing that it bought counts any more.
    state.stores.grants.revoke(family.approval.grant, now).await?;
    state.stores.refresh_families.kill(presented.family, now).await?;
    state.sink.lives(Step::TokenResponse, &[Value::RefreshToken, Value::AccessToken].map(destroyed));
    Ok(())
}

async fn access_token(
    state: &AppState,
    client: &Client,
    token: &str,
    checks: &mut Checks,
) -> Result<(), OAuthError> {
    let (hash, now) = (SecretHash::of(token), state.clock.now());
    let Some(access) = state.stores.access_tokens.find(hash, now).await? else {
        return can_be_revoked(state, token).await;
    };
    of_this_client(client, &access.client_id, checks)?;
    state.stores.access_tokens.revoke(hash, now).await?;
    state.sink.lives(Step::TokenResponse, &[destroyed(Value::AccessToken)]);
    Ok(())
}

const fn destroyed(value: Value) -> (Value, Turn) {
    (value, Turn::Destroyed)
}

/// RFC 7009 §2.1: nobody gives back what another client was given.
fn of_this_client(client: &Client, owner: &ClientId, checks: &mut Checks) -> Result<(), OAuthError> {
    let same = client.id == *owner;
    let shown = if same { Words::ThisClient } else { Words::OtherClient };
    checks
        .judge(Rule::TokenOfThisClient, Words::ThisClient, shown, same)
        .map_err(refused(ErrorCode::InvalidGrant, "The token was issued to another client."))
}

/// RFC 7009 §2.2.1: an ID token of ours lives until it ends, and to say 200 would be to say that it is dead.
async fn can_be_revoked(state: &AppState, token: &str) -> Result<(), OAuthError> {
    match id_token_hint::read(state, token).await? {
        Some(_) => {
            Err(OAuthError::bad_request(ErrorCode::UnsupportedTokenType, "An ID token cannot be revoked."))
        }
        None => Ok(()),
    }
}
