//! What the token endpoint answers, in step 9 and whenever tokens are renewed: an access token, an ID token for whoever
//! asked for `openid`, a refresh token for whoever gets one (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3 and §12.2).

use serde_json::{Map, Value};
use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Step, Turn, Value as Followed},
    params::Params,
    scope::Scope,
    secret::Secret,
    token::TokenResponse,
};

use crate::{
    domain::{
        access_token::{AccessToken, OnBehalfOf},
        audience::Audience,
        claims,
        client::{AccessTokenFormat, Client},
        grant::Approval,
        refresh_family::RefreshFamily,
    },
    http::oauth_error::{OAuthError, refused},
    state::AppState,
    tokens,
};

/// The resources that a token request names (RFC 8707 §2.2).
pub fn resources(params: &Params) -> Vec<String> {
    params.all("resource").map(ToOwned::to_owned).collect()
}

/// What was allowed, as far as a token request asks for it: its access token may be for some of the resources only.
pub fn narrowed(approval: Approval, asked: &[String], checks: &mut Checks) -> Result<Approval, OAuthError> {
    match approval.audience.narrowed(asked) {
        Some(audience) => {
            checks.pass(Rule::ResourceNotWider, audience.to_string());
            Ok(Approval { audience, ..approval })
        }
        None => Err(other_resource(&approval.audience, asked, checks)),
    }
}

/// RFC 8707 §2.2: a token is for no other resource than the user was asked about.
pub fn other_resource(allowed: &Audience, asked: &[String], checks: &mut Checks) -> OAuthError {
    let failed = checks.refuse(Rule::ResourceNotWider, allowed.to_string(), asked.join(" / "));
    refused(ErrorCode::InvalidTarget, "A resource is none of those that were allowed.")(failed)
}

/// The first refresh token for what was allowed, if the client gets one.
pub async fn begin_family(
    state: &AppState,
    client: &Client,
    approval: &Approval,
) -> Result<Option<Secret>, OAuthError> {
    if !client.gets_refresh_token(&approval.scope) {
        return Ok(None);
    }
    let (handle, token) = tokens::mint_family(state.random.as_ref());
    let (now, lifetime) = (state.clock.now(), state.settings.refresh_lifetime());
    let family = RefreshFamily::begin(approval.clone(), token.hash(), lifetime, now);
    state.stores.refresh_families.begin(handle, family, now).await?;
    let moments = [
        (Followed::RefreshToken, Turn::Created),
        (Followed::RefreshToken, Turn::Stored),
        (Followed::RefreshToken, Turn::Sent),
    ];
    state.sink.lives(Step::TokenResponse, &moments);
    Ok(Some(token))
}

/// The tokens. Without `openid` it is plain OAuth 2.0, and there is no ID token (OpenID Connect Core §3.1.2.1).
pub async fn tokens(
    state: &AppState,
    client: &Client,
    approval: &Approval,
    nonce: Option<String>,
    refresh_token: Option<Secret>,
) -> Result<TokenResponse, OAuthError> {
    let access_token = access_token(state, client, access_of(state, approval)).await?;
    let id_token = if approval.scope.contains(Scope::OPENID) {
        Some(id_token(state, client, approval, nonce, &access_token).await?)
    } else {
        None
    };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: state.settings.token_lifetime.as_secs(),
        scope: approval.scope.clone(),
        id_token,
        refresh_token,
    })
}

/// What an access token for what was allowed opens.
fn access_of(state: &AppState, approval: &Approval) -> AccessToken {
    let now = state.clock.now();
    let subject = approval.authentication.subject.clone();
    AccessToken {
        client_id: approval.client_id.clone(),
        on_behalf_of: OnBehalfOf::User { subject, grant: approval.grant },
        address: approval.address,
        scope: approval.scope.clone(),
        claims: approval.claims.userinfo.clone(),
        audience: approval.audience.clone(),
        issued: now,
        expires: now + state.settings.token_lifetime,
    }
}

/// The access token that opens this, in the client's format. A JWT is kept as well: here it can be revoked.
pub async fn access_token(
    state: &AppState,
    client: &Client,
    access: AccessToken,
) -> Result<Secret, OAuthError> {
    let now = state.clock.now();
    let token = match client.access_token_format {
        AccessTokenFormat::Opaque => tokens::mint_access_token(state.random.as_ref()),
        AccessTokenFormat::Jwt => {
            let claims =
                tokens::access_token_claims(state.metadata.issuer.clone(), &access, state.random.as_ref());
            let signed =
                state.keys.sign_access_token(state.settings.signing_alg, &claims, state.present()).await;
            signed.map_err(OAuthError::internal)?
        }
    };
    state.stores.access_tokens.keep(token.hash(), access, now).await?;
    let moments = [
        (Followed::AccessToken, Turn::Created),
        (Followed::AccessToken, Turn::Stored),
        (Followed::AccessToken, Turn::Sent),
    ];
    state.sink.lives(Step::TokenResponse, &moments);
    Ok(token)
}

async fn id_token(
    state: &AppState,
    client: &Client,
    approval: &Approval,
    nonce: Option<String>,
    access_token: &Secret,
) -> Result<Secret, OAuthError> {
    let now = state.clock.now();
    let expires = now + state.settings.token_lifetime;
    let user = user_claims(state, client, approval).await?;
    // OpenID Connect Dynamic Client Registration §2: as the client is registered.
    let alg = client.id_token_signed_response_alg.unwrap_or(state.settings.signing_alg.into());
    let at_hash = tokens::at_hash(access_token, alg);
    let issuer = state.metadata.issuer.clone();
    let claims = tokens::id_token_claims(issuer, approval, nonce, user, at_hash, now, expires);
    let signed = state
        .keys
        .sign(alg, client.secret.as_ref(), &claims, state.present())
        .await
        .map_err(OAuthError::internal)?;
    let moments = [(Followed::IdToken, Turn::Created), (Followed::IdToken, Turn::Sent)];
    state.sink.lives(Step::TokenResponse, &moments);
    if claims.nonce.is_some() {
        let moments = [(Followed::Nonce, Turn::Sent), (Followed::Nonce, Turn::Destroyed)];
        state.sink.lives(Step::TokenResponse, &moments);
    }
    Ok(signed)
}

/// What the ID token says about the user: what was asked for there by name (OpenID Connect Core §5.5), and what the
/// scopes open if the client wants that here, too. Everybody else finds it at the userinfo endpoint (§5.4).
async fn user_claims(
    state: &AppState,
    client: &Client,
    approval: &Approval,
) -> Result<Map<String, Value>, OAuthError> {
    let named = &approval.claims.id_token;
    if named.is_empty() && !client.claims_in_id_token {
        return Ok(Map::new());
    }
    let by_scope = |claim: &str| claims::scope_of(claim).is_some_and(|value| approval.scope.contains(value));
    let opens =
        |claim: &str| (client.claims_in_id_token && by_scope(claim)) || named.iter().any(|it| it == claim);
    let user = state.stores.users.find(&approval.authentication.subject).await?;
    Ok(user.map(|user| user.claims(opens)).unwrap_or_default())
}
