//! `client_secret_jwt` and `private_key_jwt`: instead of a secret a client sends an assertion, a short-lived JWT that it
//! signed (RFC 7523 §2.2 and §3, OpenID Connect Core §9). What is caught on its way is of no use: it is for this
//! provider, for minutes, and once.

use std::{sync::Arc, time::Duration};

use jsonwebtoken::Algorithm;
use serde::Deserialize;
use shared::{
    clock::Timestamp,
    flow::{Checks, Failed, Rule, Shown, Words},
    ids::ClientId,
    secret::SecretHash,
};

use super::{
    client_jwt::{Audiences, ClientJwt, SKEW, Times, name},
    oauth_error::OAuthError,
};
use crate::{
    domain::{auth_method::AuthMethod, client::Client},
    state::AppState,
};

/// RFC 7523 §2.2: what `client_assertion_type` says.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion may live: as long, and as clocks may differ, its `jti` is remembered.
const LONGEST: Duration = Duration::from_secs(3600);

/// The kinds of JWT that an assertion is (RFC 8725 §3.11).
const KINDS: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// An assertion that has been taken apart, and of which nothing is certain yet.
pub struct Assertion<'a> {
    /// Who it says that it is from.
    pub client_id: ClientId,
    jwt: ClientJwt<'a>,
    claims: Claims,
}

/// RFC 7523 §3.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: String,
    aud: Audiences,
    #[serde(flatten)]
    times: Times,
    jti: Option<String>,
}

impl<'a> Assertion<'a> {
    /// Takes a JWT apart. Whose it is stands in its `sub` (RFC 7523 §3 (2B)), and is believed only when the key of that
    /// client fits.
    pub fn read(token: &'a str) -> Option<Self> {
        let jwt = ClientJwt::read(token)?;
        let claims: Claims = jwt.claims()?;
        Some(Self { client_id: ClientId::new(claims.sub.as_str()), jwt, claims })
    }

    /// The method that a client uses who signs like this.
    pub fn method(&self) -> AuthMethod {
        let is_secret = |alg: &Algorithm| name(*alg) == self.jwt.alg();
        if AuthMethod::ClientSecretJwt.signing_algs().iter().any(is_secret) {
            AuthMethod::ClientSecretJwt
        } else {
            AuthMethod::PrivateKeyJwt
        }
    }
}

/// Judges an assertion of `client`, which is shown to `endpoint`.
pub async fn verify(
    state: &AppState,
    client: &Arc<Client>,
    assertion: &Assertion<'_>,
    endpoint: &str,
    checks: &mut Checks,
) -> Result<(), OAuthError> {
    let alg = algorithm(client, assertion, checks)
        .map_err(refused("The client assertion is signed in a way that the client is not registered for."))?;
    signature(state, client, assertion, alg, checks).await?;
    names(assertion, checks)
        .map_err(refused("iss and sub of the client assertion must both be the client_id."))?;
    audience(state, assertion, endpoint, checks)
        .map_err(refused("aud of the client assertion must be the issuer or the token endpoint."))?;
    let ends = expiry(assertion, state.clock.now(), checks).map_err(refused(
        "exp of the client assertion must lie ahead, by an hour at most; nbf and iat must not.",
    ))?;
    unused(state, assertion, ends, checks).await
}

/// A failed check, told to whoever connects an application, before they have proved who they are. Its values stay out
/// of it; that the client exists does not, and is no secret.
fn refused(description: &'static str) -> impl FnOnce(Failed) -> OAuthError {
    move |Failed(check)| {
        tracing::info!(rule = check.rule.id(), "refused");
        OAuthError { description: description.into(), ..OAuthError::invalid_client() }
    }
}

/// RFC 8725 §3.1: as the client is registered for.
fn algorithm(client: &Client, assertion: &Assertion<'_>, checks: &mut Checks) -> Result<Algorithm, Failed> {
    let possible = assertion.method().signing_algs();
    let possible = possible.iter().filter(|alg| client.auth_signing_alg.is_none_or(|pinned| pinned == **alg));
    let possible: Vec<_> = possible.copied().collect();
    let expected = possible.iter().copied().map(name).collect::<Vec<_>>().join(" / ");
    let alg = assertion.jwt.algorithm(&possible, &KINDS);
    checks.judge(Rule::AssertionAlgorithm, expected, assertion.jwt.alg(), alg.is_some())?;
    // It is there: the check has passed.
    Ok(alg.unwrap_or_default())
}

/// RFC 7523 §3 (9).
async fn signature(
    state: &AppState,
    client: &Client,
    assertion: &Assertion<'_>,
    alg: Algorithm,
    checks: &mut Checks,
) -> Result<(), OAuthError> {
    let is_good = assertion.jwt.is_signed(state, client, alg).await;
    let shown = if is_good { Words::SignedByClient } else { Words::NotSignedByClient };
    checks
        .judge(Rule::AssertionSignature, Words::SignedByClient, shown, is_good)
        .map_err(refused("The client assertion is not signed with a key of the client."))
}

/// RFC 7523 §3 (1) and (2), OpenID Connect Core §9.
fn names(assertion: &Assertion<'_>, checks: &mut Checks) -> Result<(), Failed> {
    let (iss, sub) = (assertion.claims.iss.as_deref(), assertion.claims.sub.as_str());
    checks.judge(Rule::AssertionIssuer, sub, iss, iss == Some(sub))
}

/// RFC 7523 §3 (3): it is meant for this provider. That is said with the issuer, or with the address of the token
/// endpoint (OpenID Connect Core §9), or of the endpoint that it is shown to (RFC 9126 §2).
fn audience(
    state: &AppState,
    assertion: &Assertion<'_>,
    endpoint: &str,
    checks: &mut Checks,
) -> Result<(), Failed> {
    let ours = [state.metadata.issuer.as_str(), &state.metadata.token_endpoint, endpoint];
    let aud = assertion.claims.aud.as_slice();
    let is_meant = aud.iter().any(|it| ours.contains(&it.as_str()));
    checks.judge(Rule::AssertionAudience, ours[..2].join(" / "), aud.join(" / "), is_meant)
}

/// RFC 7523 §3 (4), (5) and (6). The client's clock may be ahead, or behind. Returns when it ends.
fn expiry(assertion: &Assertion<'_>, now: Timestamp, checks: &mut Checks) -> Result<Timestamp, Failed> {
    let times = &assertion.claims.times;
    let is_near = times.exp.is_some_and(|expires| expires <= now + LONGEST + SKEW);
    let is_now = is_near && times.is_not_over(now) && times.has_begun(now);
    let actual = times.exp.map(|expires| expires.to_string());
    let wanted = Shown::WordsWith(Words::After, now.to_string().into());
    checks.judge(Rule::AssertionExpiry, wanted, actual.as_deref(), is_now)?;
    Ok(times.exp.unwrap_or(now) + SKEW)
}

/// RFC 7523 §3 (7), OpenID Connect Core §9: `jti` must be there, and is used once. It is noted only behind a good
/// signature, so that nobody uses it up for somebody else.
async fn unused(
    state: &AppState,
    assertion: &Assertion<'_>,
    ends: Timestamp,
    checks: &mut Checks,
) -> Result<(), OAuthError> {
    let (id, now) = (&assertion.client_id, state.clock.now());
    let is_new = match &assertion.claims.jti {
        Some(jti) => {
            let jti = SecretHash::of(&format!("{} {jti}", id.as_str()));
            state.stores.assertions.use_up(jti, id, ends, now).await?.then_some(())
        }
        None => None,
    };
    let shown = match (&assertion.claims.jti, is_new) {
        (None, _) => Words::Absent,
        (Some(_), None) => Words::Used,
        (Some(_), Some(())) => Words::Unused,
    };
    checks
        .judge(Rule::AssertionUnused, Words::Unused, shown, is_new.is_some())
        .map_err(refused("jti of the client assertion is missing, or was used before."))
}
