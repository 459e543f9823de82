//! New tokens for a refresh token, without the user (RFC 6749 §6, OpenID Connect Core §12).
//!
//! A refresh token works once. Two tabs that use the same one look to the provider like a thief and his victim, and it ends
//! everything; so each is used by one request only, and whoever comes second finds the new tokens.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use oauth2::{RefreshToken, RequestTokenError, TokenResponse as _};
use shared::{
    clock::Timestamp,
    flow::{Checks, Exchange, Pause, Step, Turn, Value},
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
    wire::Wire,
};

/// How long it is remembered that a refresh token has been used: longer than any request takes that has seen it.
const REMEMBERED: Duration = Duration::from_secs(600);

/// The refresh tokens that have been used, or are being used.
#[derive(Debug, Default)]
pub struct Used(Mutex<HashMap<SecretHash, Timestamp>>);

impl Used {
    /// Claims a token that nobody has used until `until`: nobody else will in that time.
    fn claim(&self, token: SecretHash, until: Timestamp, now: Timestamp) -> Option<Claim<'_>> {
        let mut used = self.lock();
        used.retain(|_, until| now < *until);
        used.insert(token, until).is_none().then(|| Claim { used: self, token, is_spent: false })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretHash, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token that one request uses. It can be used again, unless it was spent.
struct Claim<'a> {
    used: &'a Used,
    token: SecretHash,
    is_spent: bool,
}

impl Claim<'_> {
    fn spend(&mut self) {
        self.is_spent = true;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.is_spent {
            self.used.lock().remove(&self.token);
        }
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
pub async fn renew(app: &AppState, wire: &Wire<'_>, signed_in: &SignedIn) -> Result<Renewal, Problem> {
    let Some(token) = &signed_in.refresh_token else { return Ok(Renewal::Impossible) };
    let now = app.clock.now();
    // Somebody who goes step by step may hold it for as long as a login may take.
    let until = now + REMEMBERED.max(app.settings.attempt_lifetime);
    let Some(claim) = app.renewals.claim(token.hash(), until, now) else { return Ok(Renewal::Elsewhere) };
    let metadata = app.provider.metadata().await;
    let provider =
        metadata.map_err(|error| problems::provider(error, Step::TokenRequest).beside_the_flow())?;
    let mut checks = Checks::new(app.sink.clone());
    app.sink.lives(
        Step::TokenRequest,
        &[(Value::RefreshToken, Turn::Sent), (Value::RefreshToken, Turn::Destroyed)],
    );
    let us = app.client_called(&signed_in.client);
    let tokens = ask(app, &us, wire, &provider, (token, claim), &signed_in.id_token, &mut checks).await?;
    exchange::note_arrival(app, &tokens);
    if tokens.id_token.expose() == signed_in.id_token.expose() {
        return Ok(Renewal::Renewed(Box::new(with(signed_in, tokens, None, app))));
    }
    let tokens = Tokens { id_token: wire.id_token(Pause::RefreshedToken, &tokens.id_token).await, ..tokens };
    let judged = judge(app, &us, &provider, signed_in, &tokens, &mut checks).await?;
    Ok(Renewal::Renewed(Box::new(with(signed_in, tokens, Some(judged), app))))
}

/// The request of RFC 6749 §6. Where no ID token comes along, the old one stays. Who gets no answer, or is refused, may send
/// the token again, and will be told so again.
async fn ask(
    app: &AppState,
    us: &Client,
    wire: &Wire<'_>,
    provider: &Metadata,
    (token, mut claim): (&Secret, Claim<'_>),
    id_token: &Secret,
    checks: &mut Checks,
) -> Result<Tokens, Problem> {
    let send = |request| wire.send(Exchange::Refresh, request, MAX_ANSWER);
    let refresh_token = RefreshToken::new(token.expose().to_owned());
    let client = exchange::client(us, provider);
    let proof = us.assertion(app, app.clock.now()).into_iter();
    let answer = proof
        .fold(client.exchange_refresh_token(&refresh_token), |request, (name, value)| {
            request.add_extra_param(name, value)
        })
        .request_async(&send)
        .await;
    let is_in_vain = matches!(
        &answer,
        Err(RequestTokenError::Request(FetchError::Transport(_) | FetchError::Dropped)
            | RequestTokenError::ServerResponse(_))
    );
    // RFC 6749 §6: where no new refresh token comes along, the old one stays.
    let stays = answer.as_ref().is_ok_and(|answer| answer.refresh_token().is_none());
    if !is_in_vain && !stays {
        claim.spend();
    }
    let answer = answer.map_err(|error| exchange::explain(error).beside_the_flow())?;
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
    renewed.refresh_token = tokens.refresh_token.or(renewed.refresh_token);
    renewed.renewed = Some(now);
    renewed.before = Some(Box::new(before));
    renewed
}
