//! `id_token_hint`: an ID token that comes back, to say whom a request is about (OpenID Connect Core §3.1.2.1
//! and §3.1.2.2, RP-Initiated Logout §2).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
};

use crate::{keys, state::AppState, store::Stored};

/// What a hint says, once it is certain who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Whom it is about.
    pub subject: Subject,
    /// When they proved who they are (`auth_time`).
    pub authenticated: Option<Timestamp>,
    /// For whom it was issued.
    pub client_id: ClientId,
    /// Who can have written it.
    pub signer: Signer,
}

/// Whose key signed a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// One that is this provider's alone: the user was at the client.
    Provider,
    /// The secret of the client (HS256), which the client has, too: it can have named whomever it likes.
    Client,
}

impl Hint {
    /// The user, if it is certain that they were at the client.
    pub fn proved(&self) -> Option<&Subject> {
        (self.signer == Signer::Provider).then_some(&self.subject)
    }
}

/// Reads a hint. It may have expired: it says who was meant, and opens nothing. `None` if neither a key of this
/// provider signed it nor the secret of the client that it is for.
pub async fn read(state: &AppState, token: &str) -> Stored<Option<Hint>> {
    let signed = match state.keys.verify(token, state.present()).await {
        Ok(claims) => Some((claims, Signer::Provider)),
        Err(keys::NotOurs) => signed_with_secret(state, token).await?.map(|claims| (claims, Signer::Client)),
    };
    Ok(signed.and_then(|(claims, signer)| {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let hint = Hint {
            subject: Subject::new(text("sub")?),
            authenticated: claims.get("auth_time").and_then(Value::as_i64).map(Timestamp::from_unix),
            client_id: ClientId::new(text("aud")?),
            signer,
        };
        (text("iss")? == state.metadata.issuer.as_str()).then_some(hint)
    }))
}

/// The secret of a client signs its own tokens only, and only if it is registered for HS256. Which client that would be
/// has to be read before anything is verified, and is believed only if its own secret fits.
async fn signed_with_secret(state: &AppState, token: &str) -> Stored<Option<Map<String, Value>>> {
    let Some(client_id) = claimed_audience(token) else {
        return Ok(None);
    };
    let client = state.stores.clients.find(&client_id, state.present()).await?;
    let client = client.filter(|client| client.id_token_signed_response_alg == Some(Algorithm::HS256));
    Ok(client.and_then(|client| keys::verify_hs256(client.secret.as_ref()?, token)))
}

fn claimed_audience(token: &str) -> Option<ClientId> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    claims.get("aud")?.as_str().map(ClientId::new)
}
