//! Which tokens count at this moment. What ends by itself a store forgets; whether the grant stands that a token was
//! bought with, and the user is there who allowed it, is asked each time (RFC 7662 §2.2, RFC 6750 §3.1).

use std::sync::Arc;

use shared::{clock::Timestamp, ids::Subject, secret::SecretHash};

use crate::{
    domain::{
        access_token::{AccessToken, OnBehalfOf},
        grant::{Approval, GrantId},
        refresh_family::RefreshToken,
        user::User,
    },
    state::AppState,
    store::Stored,
};

/// An access token that counts, and the user on whose behalf it is used; none when the client acts for itself.
pub async fn access_token(state: &AppState, token: &str) -> Stored<Option<(AccessToken, Option<Arc<User>>)>> {
    let Some(access) = state.stores.access_tokens.find(SecretHash::of(token), state.clock.now()).await?
    else {
        return Ok(None);
    };
    match &access.on_behalf_of {
        OnBehalfOf::Client => Ok(Some((access, None))),
        OnBehalfOf::User { subject, grant } => {
            let user = allowed_by(state, *grant, subject).await?;
            Ok(user.map(|user| (access, Some(user))))
        }
    }
}

/// What was allowed, whose it is and until when, for a refresh token that counts.
pub async fn refresh_token(
    state: &AppState,
    token: RefreshToken,
) -> Stored<Option<(Approval, Arc<User>, Timestamp)>> {
    let now = state.clock.now();
    let family = state.stores.refresh_families.find(token.family, now).await?;
    let Some((family, ends)) = family.and_then(|it| it.good_until(token.token, now).map(|ends| (it, ends)))
    else {
        return Ok(None);
    };
    let approval = family.approval;
    let user = allowed_by(state, approval.grant, &approval.authentication.subject).await?;
    Ok(user.map(|user| (approval, user, ends)))
}

/// The user whose grant still stands.
async fn allowed_by(state: &AppState, grant: GrantId, subject: &Subject) -> Stored<Option<Arc<User>>> {
    if state.stores.grants.is_live(grant, state.clock.now()).await? {
        state.stores.users.find(subject).await
    } else {
        Ok(None)
    }
}
