//! A request object: the parameters of an authorization request as the claims of a JWT that the client signed (RFC 9101,
//! OpenID Connect Core §6.1). Nobody on the way, and no user, can change what it says. Only signed ones are taken.

use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::Value;
use shared::{
    error::ErrorCode,
    flow::{Checks, Failed, Rule, Shown, Words},
    params::Params,
};

use super::{asked::Unanswerable, redirect::Refusal};
use crate::{
    domain::{
        auth_method::{AuthMethod, SIGNING_ALGS},
        client::Client,
    },
    http::client_jwt::{Audiences, ClientJwt, Members, Times, name},
    keys::HS256_BYTES,
    state::AppState,
};

/// The kinds of JWT that it is (RFC 9101 §10.8, RFC 8725 §3.11); what an older client signs names none.
const KINDS: [&str; 2] = ["oauth-authz-req+jwt", "JWT"];
/// What is about the JWT, and no parameter of the request (RFC 7519 §4.1).
const ABOUT_THE_JWT: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// What the JWT says about itself.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audiences>,
    #[serde(flatten)]
    times: Times,
}

/// The parameters in the request object `token` of `client`, beside which `outside` stands.
pub async fn open(
    state: &AppState,
    client: &Client,
    outside: &Params,
    token: &str,
    checks: &mut Checks,
) -> Result<Params, Unanswerable> {
    let jwt = ClientJwt::read(token);
    let (jwt, claims, inside) = readable(jwt, checks)?;
    let alg = algorithm(client, &jwt, checks)
        .map_err(refused("The request object is signed in a way that the client is not registered for."))?;
    let is_signed = jwt.is_signed(state, client, alg).await;
    signature(is_signed, checks)
        .map_err(refused("The request object is not signed with a key of the client."))?;
    issuer(client, &claims, checks).map_err(refused("iss of the request object must be the client_id."))?;
    no_assertion(client, &claims, checks).map_err(refused(
        "sub of the request object must not be the client_id: that is a client assertion.",
    ))?;
    audience(state, &claims, checks).map_err(refused("aud of the request object must be the issuer."))?;
    timely(state, &claims, checks)
        .map_err(refused("The request object is late, or its time has not come."))?;
    flat(&inside, checks).map_err(refused("A request object holds no request and no request_uri."))?;
    same(client, outside, &inside, checks).map_err(refused(
        "client_id and response_type must be the same inside and outside of the request object.",
    ))?;
    Ok(inside)
}

/// How `client` can sign: with its secret if that is long enough (RFC 7518 §3.2), with its keys; pinned by its registration.
pub fn possible_algs(client: &Client) -> Vec<Algorithm> {
    let secret = client.secret.as_ref().filter(|secret| secret.expose().len() >= HS256_BYTES);
    let by_secret = secret.map_or(&[][..], |_| AuthMethod::ClientSecretJwt.signing_algs());
    let by_key = client.keys.as_ref().map_or(&[][..], |_| SIGNING_ALGS);
    let pinned = |alg: &Algorithm| client.request_object_signing_alg.is_none_or(|pinned| pinned == *alg);
    by_secret.iter().chain(by_key).copied().filter(pinned).collect()
}

fn refused(description: &'static str) -> impl FnOnce(Failed) -> Refusal {
    Refusal::because(ErrorCode::InvalidRequestObject, description)
}

/// RFC 9101 §4: a signed JWT whose claims are parameters.
fn readable<'a>(
    jwt: Option<ClientJwt<'a>>,
    checks: &mut Checks,
) -> Result<(ClientJwt<'a>, Claims, Params), Refusal> {
    let read = jwt.and_then(|jwt| {
        let claims = jwt.claims()?;
        let inside = parameters(jwt.claims()?)?;
        Some((jwt, claims, inside))
    });
    let shown = if read.is_some() { Words::RequestObject } else { Words::AbsentOrMalformed };
    let description = "The request object is no signed JWT whose claims are parameters.";
    checks
        .judge(Rule::RequestObjectReadable, Words::RequestObject, shown, read.is_some())
        .map_err(refused(description))?;
    read.ok_or(Refusal { error: ErrorCode::InvalidRequestObject, description })
}

/// RFC 9101 §4: texts are texts, numbers numbers, and what is JSON outside (`claims`) is JSON inside. Several values of
/// a parameter that may stand more than once are a list (RFC 8707 §2).
fn parameters(Members(members): Members) -> Option<Params> {
    let mut pairs = Vec::new();
    for (name, value) in members.into_iter().filter(|(name, _)| !ABOUT_THE_JWT.contains(&name.as_str())) {
        match value {
            Value::Array(values) if super::asked::REPEATABLE.contains(&name.as_str()) => {
                for value in values {
                    pairs.push((name.clone(), value.as_str()?.to_owned()));
                }
            }
            Value::String(text) => pairs.push((name, text)),
            Value::Null => (),
            other => pairs.push((name, other.to_string())),
        }
    }
    let is_clean = |text: &String| !text.contains('\0');
    pairs.iter().all(|(name, value)| is_clean(name) && is_clean(value)).then(|| pairs.into_iter().collect())
}

/// RFC 8725 §3.1, RFC 9101 §6.2: as the client is registered for, and never without a signature.
fn algorithm(client: &Client, jwt: &ClientJwt<'_>, checks: &mut Checks) -> Result<Algorithm, Failed> {
    let possible = possible_algs(client);
    let names = possible.iter().copied().map(name).collect::<Vec<_>>().join(" / ");
    let expected = if names.is_empty() { Shown::from(Words::Absent) } else { names.into() };
    let alg = jwt.algorithm(&possible, &KINDS);
    checks.judge(Rule::RequestObjectAlgorithm, expected, jwt.alg(), alg.is_some())?;
    // It is there: the check has passed.
    Ok(alg.unwrap_or_default())
}

/// RFC 9101 §6.2.
fn signature(is_signed: bool, checks: &mut Checks) -> Result<(), Failed> {
    let shown = if is_signed { Words::SignedByClient } else { Words::NotSignedByClient };
    checks.judge(Rule::RequestObjectSignature, Words::SignedByClient, shown, is_signed)
}

/// OpenID Connect Core §6.1, RFC 8725 §3.8: it says who signed it.
fn issuer(client: &Client, claims: &Claims, checks: &mut Checks) -> Result<(), Failed> {
    let iss = claims.iss.as_deref();
    checks.judge(Rule::RequestObjectIssuer, client.id.as_str(), iss, iss == Some(client.id.as_str()))
}

/// RFC 9101 §10.8, RFC 8725 §3.12: a client assertion is about the client itself (RFC 7523 §3). What was on its way through
/// a browser would prove who the client is, to whoever picks it up there.
fn no_assertion(client: &Client, claims: &Claims, checks: &mut Checks) -> Result<(), Failed> {
    let sub = claims.sub.as_deref();
    let wanted = Shown::WordsWith(Words::OtherThan, client.id.as_str().into());
    checks.judge(Rule::RequestObjectNoAssertion, wanted, sub, sub != Some(client.id.as_str()))
}

/// OpenID Connect Core §6.1, RFC 8725 §3.9: it is meant for this provider, and of no use at another.
fn audience(state: &AppState, claims: &Claims, checks: &mut Checks) -> Result<(), Failed> {
    let ours = state.metadata.issuer.as_str();
    let aud = claims.aud.as_ref().map_or(&[][..], Audiences::as_slice);
    let shown = (!aud.is_empty()).then(|| aud.join(" / "));
    checks.judge(Rule::RequestObjectAudience, ours, shown.as_deref(), aud.iter().any(|it| it == ours))
}

/// RFC 7519 §4.1.4 to §4.1.6, where it says when it is good.
fn timely(state: &AppState, claims: &Claims, checks: &mut Checks) -> Result<(), Failed> {
    let now = state.clock.now();
    let is_timely = claims.times.is_not_over(now) && claims.times.has_begun(now);
    let ends = claims.times.exp.map(|exp| exp.to_string());
    let expected = Shown::WordsWith(Words::After, now.to_string().into());
    checks.judge(Rule::RequestObjectTimely, expected, ends.as_deref(), is_timely)
}

/// OpenID Connect Core §6.1: no request in a request.
fn flat(inside: &Params, checks: &mut Checks) -> Result<(), Failed> {
    let nested = inside.get("request").or(inside.get("request_uri"));
    checks.judge(Rule::RequestObjectFlat, Words::Absent, nested, nested.is_none())
}

/// OpenID Connect Core §6.1, RFC 9101 §5: the two that stand outside as well must be the same. Who pushed a request is
/// known from its authentication (RFC 9126 §3).
fn same(client: &Client, outside: &Params, inside: &Params, checks: &mut Checks) -> Result<(), Failed> {
    let both = |client_id: &str, response_type: Option<&str>| {
        [Some(client_id), response_type].into_iter().flatten().collect::<Vec<_>>().join(" / ")
    };
    let (outer, inner) = (outside.get("response_type"), inside.get("response_type"));
    let client_id = inside.get("client_id").unwrap_or(client.id.as_str());
    let is_same = client_id == client.id.as_str() && (outer.is_none() || outer == inner);
    let expected = both(client.id.as_str(), outer.or(inner));
    checks.judge(Rule::RequestObjectSame, expected, both(client_id, inner), is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Params> {
        parameters(serde_json::from_str(json).ok()?)
    }

    #[test]
    fn claims_become_parameters() {
        let params = read(
            r#"{"iss":"c","scope":"openid","max_age":60,"claims":{"userinfo":{"name":null}},"resource":["a","b"]}"#,
        )
        .unwrap();
        assert_eq!(
            (params.get("iss"), params.get("scope"), params.get("max_age")),
            (None, Some("openid"), Some("60"))
        );
        assert_eq!(params.get("claims"), Some(r#"{"userinfo":{"name":null}}"#));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn i22_what_no_parameter_may_hold_no_claim_may_hold_either() {
        assert!(read(r#"{"state":"a\u0000b"}"#).is_none());
        assert!(read(r#"{"resource":[1]}"#).is_none());
        assert!(read(r#"{"scope":"a","scope":"b"}"#).is_none());
    }
}
