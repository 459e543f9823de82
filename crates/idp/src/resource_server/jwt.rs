//! An access token that is a JWT (RFC 9068): the API reads it by itself, with the issuer's public keys, and asks
//! nobody.
//!
//! That is quick, and it has a price: what was revoked an hour ago at the issuer is good here until it ends.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::{
    clock::Timestamp,
    flow::{Checks, Failed, Rule, Shown, Words},
    ids::{ClientId, Subject},
    scope::Scope,
};

use super::access::Access;

/// How far the clocks of the API and of the issuer may be apart.
const SKEW: Duration = Duration::from_secs(60);
/// RFC 9068 §2.1: what an access token is, so that no ID token passes as one.
const TYP: &str = "at+jwt";

/// What the API is told once, when it is set up: whom it trusts, and who it is.
#[derive(Clone, Copy, Debug)]
pub struct Trusted<'a> {
    /// The issuer of its tokens.
    pub issuer: &'a str,
    /// How the issuer signs them. A token does not choose (RFC 8725 §3.1).
    pub algorithm: Algorithm,
    /// The API itself.
    pub resource: &'a str,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audiences,
    exp: i64,
    iat: i64,
    sub: String,
    client_id: String,
    #[serde(default)]
    scope: String,
}

/// RFC 7519 §4.1.3: one or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

/// The rules of RFC 9068 §4, one by one. `keys` is the issuer's key set as it is published.
pub fn read(
    token: &str,
    trusted: Trusted<'_>,
    keys: &[u8],
    now: Timestamp,
    checks: &mut Checks,
) -> Result<Access, Failed> {
    let header = header(token);
    is_access_token(header.as_ref(), checks)?;
    algorithm_is_pinned(header.as_ref(), trusted.algorithm, checks)?;
    let claims = signed(token, header.as_ref(), trusted.algorithm, keys, checks)?;
    checks.equal(Rule::AccessTokenIssuer, trusted.issuer, &claims.iss)?;
    let aud = match claims.aud {
        Audiences::One(one) => vec![one],
        Audiences::Several(several) => several,
    };
    let is_meant = aud.iter().any(|it| it == trusted.resource);
    checks.judge(Rule::AccessTokenAudience, trusted.resource, aud.join(" / "), is_meant)?;
    let wanted = Shown::WordsWith(Words::After, now.to_string().into());
    let expires = Timestamp::from_unix(claims.exp);
    checks.judge(Rule::AccessTokenExpiry, wanted, Shown::from(expires.to_string()), now < expires)?;
    // RFC 7519 §4.1.6: what says that it is from a time that has not come is from a clock that is wrong.
    let wanted = Shown::WordsWith(Words::NotAfter, now.to_string().into());
    let issued = Timestamp::from_unix(claims.iat);
    checks.judge(Rule::AccessTokenIssuedAt, wanted, Shown::from(issued.to_string()), issued <= now + SKEW)?;
    Ok(Access {
        client_id: ClientId::new(claims.client_id),
        sub: Subject::new(claims.sub),
        scope: Scope::parse(&claims.scope).unwrap_or_default(),
    })
}

fn header(token: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?).ok()
}

fn text<'a>(header: Option<&'a Map<String, Value>>, name: &str) -> Option<&'a str> {
    header?.get(name)?.as_str()
}

/// RFC 9068 §4: `at+jwt`, with `application/` before it or without. RFC 7515 §4.1.11: nothing is critical that we do
/// not know.
fn is_access_token(header: Option<&Map<String, Value>>, checks: &mut Checks) -> Result<(), Failed> {
    let typ = text(header, "typ");
    let bare = typ.map(str::to_ascii_lowercase);
    let bare = bare.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
    let is_critical = header.is_some_and(|header| header.contains_key("crit"));
    checks.judge(Rule::AccessTokenTyp, TYP, typ, bare == Some(TYP) && !is_critical)
}

fn algorithm_is_pinned(
    header: Option<&Map<String, Value>>,
    algorithm: Algorithm,
    checks: &mut Checks,
) -> Result<(), Failed> {
    let (pinned, alg) = (format!("{algorithm:?}"), text(header, "alg"));
    checks.judge(Rule::AccessTokenAlgorithm, pinned.as_str(), alg, alg == Some(&pinned))
}

/// RFC 9068 §4: signed with a key that the issuer publishes. Keys that the token brings along are not looked at (RFC
/// 8725 §3.10).
fn signed(
    token: &str,
    header: Option<&Map<String, Value>>,
    algorithm: Algorithm,
    keys: &[u8],
    checks: &mut Checks,
) -> Result<Claims, Failed> {
    let keys: Option<JwkSet> = serde_json::from_slice(keys).ok();
    let key = keys.as_ref().and_then(|keys| keys.find(text(header, "kid")?));
    let claims = key.and_then(|key| DecodingKey::from_jwk(key).ok()).and_then(|key| {
        // Times and names are judged one by one, by rules of their own.
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        jsonwebtoken::decode::<Claims>(token, &key, &validation).ok()
    });
    let shown = match (&claims, key) {
        (Some(_), _) => Words::SignedByIssuer,
        (None, Some(_)) => Words::SignedByOther,
        (None, None) => Words::NoSuchKey,
    };
    match claims {
        Some(claims) => {
            checks.pass(Rule::AccessTokenSignature, shown);
            Ok(claims.claims)
        }
        None => Err(checks.refuse(Rule::AccessTokenSignature, Words::SignedByIssuer, shown)),
    }
}
