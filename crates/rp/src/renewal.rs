//! New tokens for a refresh token, without the user (RFC 6749 §6, OpenID Connect Core §12).
//!
//! A refresh token works once. Two tabs that use the same one look to the provider like a thief and his victim, and it ends
//! everything; so each is used by one request only, and whoever comes second finds the new tokens.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use oauth2::{RefreshToken, RequestTokenError};
use shared::{
    clock::Timestamp,
    flow::{Checks, Exchange, Step, Turn, Value},
    secret::{Secret, SecretHash},
};
use web::problem::Problem;

use crate::{
    attempt::Tokens,
    client::Client,
    exchange, problems,
    provider::{FetchError, MAX_ANSWER, Metadata},
    session::{Before, SignedIn},
    state::AppState,
    validate::{self, Expected, IdToken},
};

/// How long it is remembered that a refresh token has been used: longer than any request takes that has seen it.
const REMEMBERED: Duration = Duration::from_secs(600);

/// The refresh tokens that have been used, or are being used.
#[derive(Debug, Default)]
pub struct Used(Mutex<HashMap<SecretHash, Timestamp>>);

impl Used {
    /// Whether nobody has used this one. From now on somebody has.
    fn claim(&self, token: SecretHash, now: Timestamp) -> bool {
        let mut used = self.lock();
        used.retain(|_, until| now < *until);
        used.insert(token, now + REMEMBERED).is_none()
    }

    /// It was not used after all.
    fn give_back(&self, token: SecretHash) {
        self.lock().remove(&token);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretHash, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of it.
#[derive(Debug)]
pub enum Renewal {
    /// There are new tokens.
    Renewed(Box<SignedIn>),
    /// Another request has them, or will have them in a moment.
    Elsewhere,
    /// There is no refresh token.
    Impossible,
}

/// Asks for new tokens, and judges them as those before.
pub async fn renew(app: &AppState, signed_in: &SignedIn) -> Result<Renewal, Problem> {
    let Some(token) = &signed_in.refresh_token else { return Ok(Renewal::Impossible) };
    if !app.renewals.claim(token.hash(), app.clock.now()) {
        return Ok(Renewal::Elsewhere);
    }
    let metadata = app.provider.metadata().await;
    let provider = metadata.map_err(|error| problems::provider(error, Step::TokenRequest).beside_the_flow());
    let provider = provider.inspect_err(|_| app.renewals.give_back(token.hash()))?;
    let mut checks = Checks::new(app.sink.clone());
    app.sink.lives(
        Step::TokenRequest,
        &[(Value::RefreshToken, Turn::Sent), (Value::RefreshToken, Turn::Destroyed)],
    );
    let us = app.client_called(&signed_in.client);
    let tokens = ask(app, &us, &provider, token, &signed_in.id_token, &mut checks).await?;
    let received = [(Value::AccessToken, Turn::Received), (Value::IdToken, Turn::Received)];
    app.sink.lives(Step::TokenResponse, &received);
    let judged = if tokens.id_token.expose() == signed_in.id_token.expose() {
        None
    } else {
        Some(judge(app, &us, &provider, signed_in, &tokens, &mut checks).await?)
    };
    Ok(Renewal::Renewed(Box::new(with(signed_in, tokens, judged, app))))
}

/// The request of RFC 6749 §6. Where no ID token comes along, the old one stays.
async fn ask(
    app: &AppState,
    us: &Client,
    provider: &Metadata,
    token: &Secret,
    id_token: &Secret,
    checks: &mut Checks,
) -> Result<Tokens, Problem> {
    let send = |request| app.provider.http().send(Exchange::Refresh, request, MAX_ANSWER);
    let token_sent = RefreshToken::new(token.expose().to_owned());
    let client = exchange::client(us, provider);
    let proof = us.assertion(app, app.clock.now()).into_iter();
    let request = client.exchange_refresh_token(&token_sent);
    let answer = proof
        .fold(request, |request, (name, value)| request.add_extra_param(name, value))
        .request_async(&send)
        .await
        .map_err(|error| {
            // It did not arrive, or was refused: who sends it again is told so again.
            if let RequestTokenError::Request(FetchError::Transport(_))
            | RequestTokenError::ServerResponse(_) = &error
            {
                app.renewals.give_back(token.hash());
            }
            exchange::explain(error).beside_the_flow()
        })?;
    exchange::check_type(&answer, checks).map_err(Problem::beside_the_flow)?;
    let new = answer.extra_fields().id_token.clone();
    Ok(exchange::tokens(&answer, new.unwrap_or_else(|| id_token.clone()), app.clock.now()))
}

/// OpenID Connect Core §12.2: the new ID token is judged as the first, and is about the same user and the same login.
async fn judge(
    app: &AppState,
    us: &Client,
    provider: &Metadata,
    signed_in: &SignedIn,
    tokens: &Tokens,
    checks: &mut Checks,
) -> Result<IdToken, Problem> {
    let refused = |failed| problems::id_token_refused(failed).beside_the_flow();
    let jwt = validate::read(tokens.id_token.expose(), checks).map_err(refused)?;
    let keys = app.provider.keys_for(us, &jwt, provider).await;
    let keys = keys.map_err(|error| problems::provider(error, Step::Validation).beside_the_flow())?;
    let nonce = signed_in.id_token_claims.get("nonce").and_then(serde_json::Value::as_str);
    let expected = Expected {
        issuer: &provider.issuer,
        client_id: us.id.as_str(),
        nonce: nonce.unwrap_or_default(),
        access_token: tokens.access_token.expose(),
        max_age: None,
        renewed: Some(&signed_in.id_token_claims),
        now: app.clock.now(),
    };
    validate::validate(jwt, &keys, &expected, checks).map_err(refused)
}

fn with(signed_in: &SignedIn, tokens: Tokens, judged: Option<IdToken>, app: &AppState) -> SignedIn {
    let now = app.clock.now();
    let before = Before {
        access_token: signed_in.access_token.clone(),
        id_token: signed_in.id_token.clone(),
        refresh_token: signed_in.refresh_token.clone(),
    };
    let mut renewed = signed_in.clone();
    if let Some(id_token) = judged {
        // The session goes on for as long as the new ID token is good, and never beyond its own bound.
        renewed.ends = id_token.expires.min(renewed.began + app.settings.session_lifetime).max(renewed.ends);
        renewed.id_token_claims = id_token.claims;
    }
    renewed.access_token = tokens.access_token;
    renewed.id_token = tokens.id_token;
    renewed.access_expires = tokens.expires;
    renewed.scope = tokens.scope.unwrap_or(renewed.scope);
    // RFC 6749 §6: where no new refresh token comes along, the old one stays.
    if let Some(refresh_token) = tokens.refresh_token {
        renewed.refresh_token = Some(refresh_token);
    } else if let Some(token) = &renewed.refresh_token {
        app.renewals.give_back(token.hash());
    }
    renewed.renewed = Some(now);
    renewed.before = Some(Box::new(before));
    renewed
}
