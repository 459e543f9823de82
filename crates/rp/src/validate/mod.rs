//! Step 10: is the ID token what it claims to be? (OpenID Connect Core §3.1.3.7)
//!
//! The checks are made one by one, each with what it expects and what was there, so that people can see them. Beside
//! them the verifier of the openidconnect library judges the same token: its acceptance is necessary, and so is
//! every check here. Where the two differ stands in [`DIVERGENCES`]; `tests/api/spoiled_tokens.rs` proves the list.

mod divergences;
mod jwt;
mod library;

use std::time::Duration;

use serde_json::{Map, Value};
use shared::{
    clock::Timestamp,
    flow::{Checks, Failed, Rule, Shown, Words},
    id_token::at_hash_by,
};

pub use self::{
    divergences::{DIVERGENCES, Divergence},
    jwt::{Malformed, UnverifiedJwt},
};
use crate::provider::KeySet;

/// How far the clocks of the two servers may be apart.
pub const SKEW: Duration = Duration::from_secs(60);

/// What the ID token of one login must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who issued it.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// What was sent in step 2.
    pub nonce: &'a str,
    /// What came along in step 9.
    pub access_token: &'a str,
    /// How many seconds ago the user may have signed in at most, if that was asked for in step 2.
    pub max_age: Option<u64>,
    /// What the ID token before it said, if it came with a refresh.
    pub renewed: Option<&'a Map<String, Value>>,
    /// The time.
    pub now: Timestamp,
}

/// An ID token that has passed every check. There is no other way to make one.
#[derive(Clone, Debug)]
pub struct IdToken {
    /// Who signed in.
    pub subject: String,
    /// Until when it is good.
    pub expires: Timestamp,
    /// Everything that it says.
    pub claims: Map<String, Value>,
}

/// Takes the token apart.
pub fn read(id_token: &str, checks: &mut Checks) -> Result<UnverifiedJwt, Failed> {
    match UnverifiedJwt::parse(id_token) {
        Ok(jwt) => {
            checks.pass(Rule::TokenWellFormed, Words::SignedJwt);
            Ok(jwt)
        }
        Err(malformed) => Err(checks.refuse(Rule::TokenWellFormed, Words::SignedJwt, malformed)),
    }
}

/// Makes every check; the claims come out only when all have passed. The numbers are the steps of OpenID Connect Core
/// §3.1.3.7.
pub fn validate(
    jwt: UnverifiedJwt,
    keys: &KeySet,
    expected: &Expected<'_>,
    checks: &mut Checks,
) -> Result<IdToken, Failed> {
    // 1. Encrypted ID tokens were never asked for; one would have five parts and has been refused by `read`.
    check_issuer(&jwt, expected, checks)?; // 2
    let subject = check_subject(&jwt, checks)?;
    check_audience(&jwt, expected, checks)?; // 3
    check_authorized_party(&jwt, expected, checks)?; // 4 and 5
    check_algorithm(&jwt, keys, checks)?; // 7
    check_critical_header(&jwt, checks)?;
    check_signature(&jwt, keys, checks)?; // 6 and 8, with the algorithm of 7 and no other
    let expires = check_expiry(&jwt, expected, checks)?; // 9
    check_issued_at(&jwt, expected, checks)?; // 10
    check_not_before(&jwt, expected, checks)?;
    check_nonce(&jwt, expected, checks)?; // 11
    // 12. No particular `acr` was asked for as essential.
    check_authentication_age(&jwt, expected, checks)?; // 13
    check_renewal(&jwt, expected, checks)?; // §12.2
    check_access_token_hash(&jwt, keys, expected, checks)?; // §3.1.3.8
    check_library(&jwt, keys, expected, checks)?;
    Ok(IdToken { subject, expires, claims: jwt.claims })
}

/// Step 2: `iss` is the issuer that was asked, character by character.
fn check_issuer(jwt: &UnverifiedJwt, expected: &Expected<'_>, checks: &mut Checks) -> Result<(), Failed> {
    same(jwt, "iss", Rule::IssuerClaim, expected.issuer, checks)
}

/// OpenID Connect Core §2: `sub` is there, and has 255 ASCII characters at most. It is the user's name at this issuer;
/// nobody may sign in without one.
fn check_subject(jwt: &UnverifiedJwt, checks: &mut Checks) -> Result<String, Failed> {
    let fits = |sub: &&str| (1..=255).contains(&sub.len()) && sub.is_ascii();
    let found = jwt.claims.get("sub");
    let Some(sub) = found.and_then(Value::as_str).filter(fits) else {
        return Err(checks.refuse(Rule::SubjectClaim, Words::SubjectText, shown(found)));
    };
    checks.judge(Rule::SubjectClaim, Words::SubjectText, sub, true)?;
    Ok(sub.to_owned())
}

/// Step 3: `aud` names this client, and nobody else: who else it is meant for could hand it to us as their own.
fn check_audience(jwt: &UnverifiedJwt, expected: &Expected<'_>, checks: &mut Checks) -> Result<(), Failed> {
    let is_us = |value: &Value| value.as_str() == Some(expected.client_id);
    let aud = jwt.claims.get("aud");
    let passed = match aud {
        Some(Value::Array(several)) => !several.is_empty() && several.iter().all(is_us),
        Some(one) => is_us(one),
        None => false,
    };
    let wanted = Shown::WordsWith(Words::NobodyElse, expected.client_id.into());
    checks.judge(Rule::Audience, wanted, shown(aud), passed)
}

/// Steps 4 and 5: `azp`, if it is there, is this client. With one audience it need not be there.
fn check_authorized_party(
    jwt: &UnverifiedJwt,
    expected: &Expected<'_>,
    checks: &mut Checks,
) -> Result<(), Failed> {
    if jwt.claims.contains_key("azp") {
        same(jwt, "azp", Rule::AuthorizedParty, expected.client_id, checks)
    } else {
        checks.not_applicable(Rule::AuthorizedParty, expected.client_id, Words::Absent);
        Ok(())
    }
}

/// Step 7: `alg` is the one that was agreed with this issuer (RFC 8725 §3.1). The token's own header has no say in it:
/// `none`, or HS256 with the public key as its secret, would let anyone write tokens.
fn check_algorithm(jwt: &UnverifiedJwt, keys: &KeySet, checks: &mut Checks) -> Result<(), Failed> {
    let (alg, agreed) = (jwt.header.get("alg"), keys.algorithm().as_str());
    let passed = alg.and_then(Value::as_str) == Some(agreed);
    checks.judge(Rule::Algorithm, agreed, shown(alg), passed)
}

/// RFC 7515 §4.1.11: `crit` lists what a reader must understand. We understand no extension.
fn check_critical_header(jwt: &UnverifiedJwt, checks: &mut Checks) -> Result<(), Failed> {
    let crit = jwt.header.get("crit");
    checks.judge(Rule::CriticalHeader, Words::Absent, shown(crit), crit.is_none())
}

/// Step 6: One of the issuer's own keys signed it. A key that the token brings along (`jwk`, `jku`, `x5c`, `x5u`) is
/// not even looked at (RFC 8725 §3.10). Step 8: with HS256 the key is the client secret.
fn check_signature(jwt: &UnverifiedJwt, keys: &KeySet, checks: &mut Checks) -> Result<(), Failed> {
    let wanted = match jwt.kid() {
        _ if keys.is_secret() => Words::MadeWithSecret.into(),
        None => Words::SignedByIssuer.into(),
        Some(kid) => Shown::WordsWith(Words::SignedByKey, cut(kid).into()),
    };
    let found = match (keys.knows(jwt.kid()), keys.verify(jwt.kid(), jwt.signed(), jwt.signature())) {
        (false, _) => Words::NoSuchKey,
        (true, false) => Words::SignedByOther,
        (true, true) => {
            checks.pass(Rule::Signature, wanted);
            return Ok(());
        }
    };
    Err(checks.refuse(Rule::Signature, wanted, found))
}

/// Step 9: It has not ended.
fn check_expiry(
    jwt: &UnverifiedJwt,
    expected: &Expected<'_>,
    checks: &mut Checks,
) -> Result<Timestamp, Failed> {
    let wanted = Shown::WordsWith(Words::After, expected.now.to_string().into());
    let found = jwt.claims.get("exp");
    let Some(exp) = time(found).filter(|exp| expected.now < *exp + SKEW) else {
        return Err(checks.refuse(Rule::Expiry, wanted, shown(found)));
    };
    checks.judge(Rule::Expiry, wanted, shown(found), true)?;
    Ok(exp)
}

/// Step 10: It was not issued in the future.
fn check_issued_at(jwt: &UnverifiedJwt, expected: &Expected<'_>, checks: &mut Checks) -> Result<(), Failed> {
    let iat = jwt.claims.get("iat");
    let passed = time(iat).is_some_and(|iat| iat <= expected.now + SKEW);
    let wanted = Shown::WordsWith(Words::NotAfter, expected.now.to_string().into());
    checks.judge(Rule::IssuedAt, wanted, shown(iat), passed)
}

/// RFC 7519 §4.1.5: where it says from when it is good (`nbf`), that time has come.
fn check_not_before(jwt: &UnverifiedJwt, expected: &Expected<'_>, checks: &mut Checks) -> Result<(), Failed> {
    let Some(nbf) = jwt.claims.get("nbf") else { return Ok(()) };
    let passed = time(Some(nbf)).is_some_and(|nbf| nbf <= expected.now + SKEW);
    let wanted = Shown::WordsWith(Words::NotAfter, expected.now.to_string().into());
    checks.judge(Rule::NotBefore, wanted, shown(Some(nbf)), passed)
}

/// Step 11: `nonce` is the one of this login: a token from another login, or from another browser, has another one.
/// One that comes with a refresh need not say it (§12.2).
fn check_nonce(jwt: &UnverifiedJwt, expected: &Expected<'_>, checks: &mut Checks) -> Result<(), Failed> {
    if expected.renewed.is_some() && !jwt.claims.contains_key("nonce") {
        checks.not_applicable(Rule::Nonce, expected.nonce, Words::Absent);
        return Ok(());
    }
    same(jwt, "nonce", Rule::Nonce, expected.nonce, checks)
}

/// Step 13: whoever asked for a login that is not too old looks whether it is. Without `auth_time` nobody knows.
fn check_authentication_age(
    jwt: &UnverifiedJwt,
    expected: &Expected<'_>,
    checks: &mut Checks,
) -> Result<(), Failed> {
    let Some(max_age) = expected.max_age else { return Ok(()) };
    let found = jwt.claims.get("auth_time");
    let oldest = expected.now - (Duration::from_secs(max_age) + SKEW);
    let wanted = Shown::WordsWith(Words::After, oldest.to_string().into());
    let passed = time(found).is_some_and(|at| oldest < at);
    checks.judge(Rule::AuthenticationAge, wanted, shown(found), passed)
}

/// §12.2: a token that comes with a refresh is about the same user and the same login. Otherwise somebody else's tokens
/// would slip into a session under way.
fn check_renewal(jwt: &UnverifiedJwt, expected: &Expected<'_>, checks: &mut Checks) -> Result<(), Failed> {
    let Some(before) = expected.renewed else { return Ok(()) };
    let was = before.get("sub").and_then(Value::as_str).unwrap_or_default();
    same(jwt, "sub", Rule::RenewedSubject, was, checks)?;
    let (was, is) = (before.get("auth_time"), jwt.claims.get("auth_time"));
    checks.judge(Rule::RenewedAuthTime, shown(was), shown(is), is.is_none() || was == is)
}

/// §3.1.3.8: `at_hash`, if it is there, is that of the access token that came along. How it is made depends on the
/// token's algorithm (§3.1.3.6).
fn check_access_token_hash(
    jwt: &UnverifiedJwt,
    keys: &KeySet,
    expected: &Expected<'_>,
    checks: &mut Checks,
) -> Result<(), Failed> {
    let wanted = at_hash_by(expected.access_token, keys.algorithm().hash());
    if jwt.claims.contains_key("at_hash") {
        same(jwt, "at_hash", Rule::AccessTokenHash, &wanted, checks)
    } else {
        checks.not_applicable(Rule::AccessTokenHash, wanted, Words::Absent);
        Ok(())
    }
}

/// The second opinion.
fn check_library(
    jwt: &UnverifiedJwt,
    keys: &KeySet,
    expected: &Expected<'_>,
    checks: &mut Checks,
) -> Result<(), Failed> {
    match library::verify(jwt.as_str(), keys, expected) {
        Ok(()) => {
            checks.pass(Rule::LibraryVerifier, Words::Accepted);
            Ok(())
        }
        Err(reason) => Err(checks.refuse(Rule::LibraryVerifier, Words::Accepted, reason)),
    }
}

/// What openidconnect alone says of a token; for the comparison in the tests.
pub fn library_accepts(id_token: &str, keys: &KeySet, expected: &Expected<'_>) -> bool {
    library::verify(id_token, keys, expected).is_ok()
}

/// The claim `name` is the text `wanted`.
fn same(
    jwt: &UnverifiedJwt,
    name: &str,
    rule: Rule,
    wanted: &str,
    checks: &mut Checks,
) -> Result<(), Failed> {
    let found = jwt.claims.get(name);
    let passed = found.and_then(Value::as_str) == Some(wanted);
    checks.judge(rule, wanted, shown(found), passed)
}

/// A `NumericDate` (RFC 7519 §2): a JSON number, rounded down. A text that looks like one is none.
fn time(value: Option<&Value>) -> Option<Timestamp> {
    // 2^53: beyond that a JSON number is no longer exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = value?.as_number()?;
    if let Some(seconds) = number.as_i64() {
        return Some(Timestamp::from_unix(seconds));
    }
    let seconds = number.as_f64()?.floor();
    #[expect(clippy::cast_possible_truncation, reason = "it has been rounded and bounded")]
    (seconds.abs() < EXACT).then(|| Timestamp::from_unix(seconds as i64))
}

/// A value as a check shows it: a text as it is, anything else as JSON, and never too much of it.
fn shown(value: Option<&Value>) -> Shown<'static> {
    match value {
        None => Words::Absent.into(),
        Some(Value::String(text)) => cut(text).into(),
        Some(other) => cut(&other.to_string()).into(),
    }
}

fn cut(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    match text.char_indices().nth(MAX_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
