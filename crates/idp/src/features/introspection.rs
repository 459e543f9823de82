//! What a token is good for, told to whoever may know (RFC 7662): to the client that it was issued to, and to a
//! resource server that it is meant for. To everybody else it is inactive, and so is what nobody issued: nobody learns
//! by asking what there is.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use serde::Serialize;
use shared::{
    clock::Timestamp,
    error::ErrorCode,
    flow::{Checks, Rule, Words},
    ids::{ClientId, Issuer, Subject},
    scope::Scope,
};
use web::form::{Form, FormError};

use crate::{
    active,
    domain::refresh_family::RefreshToken,
    http::{back_channel, client_auth, oauth_error::OAuthError},
    state::AppState,
    store::Stored,
};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The client, if it is one.
    pub client: Option<&'a ClientId>,
    /// The resources that it answers for.
    pub resources: &'a [String],
}

/// The answer (RFC 7662 §2.2). Of a token that is not active nothing else is told.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Introspection {
    /// Whether the token counts, here and now and for whoever asks.
    pub active: bool,
    /// What the rest says, if it does.
    #[serde(flatten)]
    pub token: Option<Described>,
}

/// What an active token is.
#[derive(Clone, Debug, Serialize)]
pub struct Described {
    /// Who issued it.
    pub iss: Issuer,
    /// On whose behalf it is used.
    pub sub: Subject,
    /// The name that this user signs in with, if it is a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Who uses it.
    pub client_id: ClientId,
    /// How far it reaches.
    pub scope: Scope,
    /// For whom it is meant; a refresh token is for the token endpoint only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Vec<String>>,
    /// How it is used (RFC 6749 §7.1), if it is an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// When it was issued, if it is an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<Timestamp>,
    /// When it ends.
    pub exp: Timestamp,
}

/// `POST /oauth/introspect`
pub async fn endpoint(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, OAuthError> {
    let mut checks = state.checks();
    let (client, params) = back_channel::asked(&state, &request, form, &[], &mut checks).await?;
    // RFC 7662 §2.1: whoever asks is authenticated. A name that everybody knows is not enough.
    let client = client_auth::confidential(client, &mut checks)?;
    let token = params
        .get("token")
        .ok_or_else(|| OAuthError::bad_request(ErrorCode::InvalidRequest, "token is missing."))?;
    let asker = Asker { client: Some(&client.id), resources: &client.resource };
    let answer = introspect(&state, asker, token, &mut checks).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(answer))
}

/// What `token` is to whoever asks.
pub async fn introspect(
    state: &AppState,
    asker: Asker<'_>,
    token: &str,
    checks: &mut Checks,
) -> Stored<Introspection> {
    let (described, is_for_asker) = match RefreshToken::read(token) {
        Some(presented) => refresh_token(state, asker, presented).await?,
        None => access_token(state, asker, token).await?,
    };
    let shown = described.as_ref().map_or(Words::Inactive, |_| Words::Active);
    let counts = checks.judge(Rule::BearerTokenActive, Words::Active, shown, described.is_some());
    if counts.is_err() {
        return Ok(Introspection::default());
    }
    // RFC 7662 §4: what a token is good for is nobody else's business.
    let shown = if is_for_asker { Words::ForWhoAsks } else { Words::ForOthers };
    let told = checks.judge(Rule::TokenForWhoAsks, Words::ForWhoAsks, shown, is_for_asker).is_ok();
    Ok(Introspection { active: told, token: described.filter(|_| told) })
}

/// An access token is for the client that has it, and for the resources that it is meant for.
async fn access_token(state: &AppState, asker: Asker<'_>, token: &str) -> Stored<(Option<Described>, bool)> {
    let Some((access, user)) = active::access_token(state, token).await? else {
        return Ok((None, false));
    };
    let is_for_asker = asker.client == Some(&access.client_id) || access.audience.meets(asker.resources);
    let described = Described {
        iss: state.metadata.issuer.clone(),
        sub: access.subject(),
        username: user.map(|user| user.username.as_str().to_owned()),
        client_id: access.client_id,
        scope: access.scope,
        aud: Some(access.audience.as_slice().to_vec()),
        token_type: Some("Bearer"),
        iat: Some(access.issued),
        exp: access.expires,
    };
    Ok((Some(described), is_for_asker))
}

/// A refresh token is for its client only.
async fn refresh_token(
    state: &AppState,
    asker: Asker<'_>,
    presented: RefreshToken,
) -> Stored<(Option<Described>, bool)> {
    let Some((approval, user, ends)) = active::refresh_token(state, presented).await? else {
        return Ok((None, false));
    };
    let is_for_asker = asker.client == Some(&approval.client_id);
    let described = Described {
        iss: state.metadata.issuer.clone(),
        sub: approval.authentication.subject,
        username: Some(user.username.as_str().to_owned()),
        client_id: approval.client_id,
        scope: approval.scope,
        aud: None,
        token_type: None,
        iat: None,
        exp: ends,
    };
    Ok((Some(described), is_for_asker))
}
