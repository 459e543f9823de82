//! Steps 8 and 9: the code becomes tokens (RFC 6749 §4.1.3 and §4.1.4, RFC 7636 §4.5 and §4.6, OpenID Connect Core
//! §3.1.3).
//!
//! The client is authenticated already. The code is looked up and claimed in one step; then redirect URI and verifier
//! are judged. A claimed code stays claimed, whatever comes of it: whoever guesses a verifier has one try.

use serde_json::{Map, Value};
use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Shown, Step, Turn, Value as Followed, Words},
    params::Params,
    pkce::CodeVerifier,
    scope::Scope,
    secret::SecretHash,
    token::TokenResponse,
};

use crate::{
    domain::{
        access_token::AccessToken,
        claims,
        client::Client,
        grant::{Grant, Redeem},
    },
    http::oauth_error::{OAuthError, refused},
    state::AppState,
    tokens,
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
    mint(state, client, &grant).await
}

/// RFC 6749 §4.1.2: a code is for one client, for a short time, once.
async fn claim(
    state: &AppState,
    client: &Client,
    code: &str,
    checks: &mut Checks,
) -> Result<Grant, OAuthError> {
    let now = state.clock.now();
    let forget = now + state.settings.token_lifetime;
    let redeemed = state.stores.grants.redeem(SecretHash::of(code), &client.id, forget, now).await?;
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

/// The tokens. Without `openid` it is plain OAuth 2.0, and there is no ID token (OpenID Connect Core §3.1.2.1).
async fn mint(state: &AppState, client: &Client, grant: &Grant) -> Result<TokenResponse, OAuthError> {
    let now = state.clock.now();
    let expires = now + state.settings.token_lifetime;
    let access_token = tokens::mint_access_token(state.random.as_ref());
    let access = AccessToken {
        grant: grant.id,
        client_id: grant.client_id.clone(),
        subject: grant.authentication.subject.clone(),
        address: grant.address,
        scope: grant.scope.clone(),
        claims: grant.claims.userinfo.clone(),
        expires,
    };
    state.stores.access_tokens.keep(access_token.hash(), access, now).await?;
    let moments = [
        (Followed::AccessToken, Turn::Created),
        (Followed::AccessToken, Turn::Stored),
        (Followed::AccessToken, Turn::Sent),
    ];
    state.sink.lives(Step::TokenResponse, &moments);
    let id_token = if grant.scope.contains(Scope::OPENID) {
        let issuer = state.metadata.issuer.clone();
        let user = user_claims(state, client, grant).await?;
        // OpenID Connect Dynamic Client Registration §2: as the client is registered.
        let alg = client.id_token_signed_response_alg.unwrap_or(state.settings.signing_alg.into());
        let at_hash = tokens::at_hash(&access_token, alg);
        let claims = tokens::id_token_claims(issuer, grant, user, at_hash, now, expires);
        let signed = state.keys.sign(alg, &client.secret, &claims, state.present()).await;
        let signed = signed.map_err(OAuthError::internal)?;
        let moments = [
            (Followed::IdToken, Turn::Created),
            (Followed::IdToken, Turn::Sent),
            (Followed::Nonce, Turn::Sent),
            (Followed::Nonce, Turn::Destroyed),
        ];
        state.sink.lives(Step::TokenResponse, &moments);
        Some(signed)
    } else {
        None
    };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: state.settings.token_lifetime.as_secs(),
        scope: grant.scope.clone(),
        id_token,
    })
}

/// What the ID token says about the user: what was asked for there by name (OpenID Connect Core §5.5), and what the
/// scopes open if the client wants that here, too. Everybody else finds it at the userinfo endpoint (§5.4).
async fn user_claims(
    state: &AppState,
    client: &Client,
    grant: &Grant,
) -> Result<Map<String, Value>, OAuthError> {
    let named = &grant.claims.id_token;
    if named.is_empty() && !client.claims_in_id_token {
        return Ok(Map::new());
    }
    let by_scope = |claim: &str| claims::scope_of(claim).is_some_and(|value| grant.scope.contains(value));
    let opens =
        |claim: &str| (client.claims_in_id_token && by_scope(claim)) || named.iter().any(|it| it == claim);
    let user = state.stores.users.find(&grant.authentication.subject).await?;
    Ok(user.map(|user| user.claims(opens)).unwrap_or_default())
}
