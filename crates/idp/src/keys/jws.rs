//! A JWT in compact form (RFC 7515 §3.1): header, payload, and the signature over both; and HS256, whose key is the
//! client's secret (OpenID Connect Core §10.1).

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use serde_json::{Map, Value};
use shared::secret::Secret;

use super::SigningError;

/// RFC 7518 §3.2: a key of HS256 is as long as its hash, or longer.
pub const HS256_BYTES: usize = 32;

/// JSON in base64url.
pub(super) fn part(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_vec(value).map(|json| URL_SAFE_NO_PAD.encode(json))
}

/// The token with these claims behind `header`.
pub(super) fn sign(
    header: &str,
    claims: &impl Serialize,
    signature: impl FnOnce(&[u8]) -> Result<Vec<u8>, SigningError>,
) -> Result<Secret, SigningError> {
    let mut token = format!("{header}.{}", part(claims).map_err(|_| SigningError::Failed)?);
    let signature = signature(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(Secret::new(token))
}

/// The claims of a token with exactly this header, if its signature is good. Who compares the header as a whole fixes
/// `alg`, `typ` and `kid` (RFC 8725 §3.1, §3.11), knows that there is no `crit`, and never reads a `jwk`, `jku` or
/// `x5u` (§3.10).
pub(super) fn verify(
    header: &str,
    token: &str,
    is_good: impl FnOnce(&[u8], &[u8]) -> bool,
) -> Option<Map<String, Value>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let payload = signed.strip_prefix(header)?.strip_prefix('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !is_good(signed.as_bytes(), &signature) {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// Signs with a client's secret.
pub(super) fn sign_hs256(secret: &Secret, claims: &impl Serialize) -> Result<Secret, SigningError> {
    let key = hs256_key(secret).ok_or(SigningError::ShortSecret)?;
    let header = part(&Header::new(Algorithm::HS256)).map_err(|_| SigningError::Failed)?;
    sign(&header, claims, |message| Ok(hmac::sign(&key, message).as_ref().to_vec()))
}

/// The claims of a token that was signed with the secret of a client. Only for a client that is registered for HS256:
/// nobody else's secret is a key.
pub fn verify_hs256(secret: &Secret, token: &str) -> Option<Map<String, Value>> {
    let key = hs256_key(secret)?;
    let header = part(&Header::new(Algorithm::HS256)).ok()?;
    verify(&header, token, |message, signature| hmac::verify(&key, message, signature).is_ok())
}

/// Whether a client's secret made this signature over an assertion of its (RFC 7518 §3.2).
pub fn is_hs256(secret: &Secret, signed: &str, signature: &str) -> bool {
    let signature = URL_SAFE_NO_PAD.decode(signature).ok();
    let verified = hs256_key(secret).zip(signature);
    verified.is_some_and(|(key, signature)| hmac::verify(&key, signed.as_bytes(), &signature).is_ok())
}

fn hs256_key(secret: &Secret) -> Option<hmac::Key> {
    let bytes = secret.expose().as_bytes();
    (bytes.len() >= HS256_BYTES).then(|| hmac::Key::new(hmac::HMAC_SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::json;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn what_a_secret_signs_only_that_secret_verifies() {
        let (secret, other) = (Secret::new(SECRET), Secret::new(SECRET.to_uppercase()));
        let token = sign_hs256(&secret, &json!({ "sub": "1" })).unwrap();
        assert_eq!(verify_hs256(&secret, token.expose()).unwrap()["sub"], "1");
        assert!(verify_hs256(&other, token.expose()).is_none());
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        let key = DecodingKey::from_secret(SECRET.as_bytes());
        assert!(jsonwebtoken::decode::<Value>(token.expose(), &key, &validation).is_ok());
    }

    #[test]
    fn a_secret_of_less_than_32_bytes_signs_nothing() {
        let short = Secret::new(&SECRET[1..]);
        assert_eq!(sign_hs256(&short, &json!({})).unwrap_err(), SigningError::ShortSecret);
        let signed = jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &json!({}),
            &jsonwebtoken::EncodingKey::from_secret(short.expose().as_bytes()),
        );
        assert!(verify_hs256(&short, &signed.unwrap()).is_none());
    }
}
