//! ID tokens as an attacker would make them, for learners who want to see which check finds out (RFC 8725 §2).

use actix_web::web;
use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    signature::RsaPublicKeyComponents,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    EncodingKey, crypto,
    jwk::{Jwk, ThumbprintHash},
};
use serde_json::Value;
use shared::secret::Secret;
use viewer::steps::{Forgery, Signature};

use crate::{algorithm::Algorithm, key::SigningKey, state::AppState, validate::UnverifiedJwt};

/// Where a forged token says that its key is to be found. Nothing is ever fetched from there.
const JKU: &str = "https://attacker.example/jwks.json";

/// The token that `forgery` describes, in the place of `token`. Where a key is needed that cannot be had the signature is
/// left empty.
pub async fn forge(app: &AppState, token: &str, mut forgery: Forgery) -> String {
    let agreed = app.client().id_token_signed_response_alg;
    match forgery.signature.clone() {
        Signature::Kept(signature) => format!("{}.{signature}", forgery.signed()),
        Signature::None => {
            forgery.header.insert("alg".into(), "none".into());
            format!("{}.", forgery.signed())
        }
        Signature::PublicKey => {
            forgery.header.insert("alg".into(), "HS256".into());
            let secret = public_key(app, token).await.unwrap_or_default();
            signed(&forgery, &EncodingKey::from_secret(secret.as_bytes()), Algorithm::Hs256)
        }
        Signature::Fresh { jwk, jku, kid } => {
            let random = Secret::mint("", &*app.random);
            // A new RSA key takes a moment.
            let made = web::block(move || fresh_key(agreed, &random)).await;
            let Some((key, public)) = made.ok().flatten() else { return format!("{}.", forgery.signed()) };
            forgery.header.insert("alg".into(), agreed.as_str().into());
            let mut embed = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    forgery.header.insert(name.into(), value);
                }
            };
            embed("jwk", public.as_ref().filter(|_| jwk).and_then(|it| serde_json::to_value(it).ok()));
            embed("jku", jku.then(|| JKU.into()));
            let name = public.as_ref().and_then(|it| it.thumbprint(ThumbprintHash::SHA256).ok());
            embed("kid", name.filter(|_| kid).map(Value::from));
            signed(&forgery, &key, agreed)
        }
    }
}

fn signed(forgery: &Forgery, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = forgery.signed();
    let signature = crypto::sign(message.as_bytes(), key, algorithm.at_jsonwebtoken()).unwrap_or_default();
    format!("{message}.{signature}")
}

/// A key that nobody knows, and its public half if it has one.
fn fresh_key(algorithm: Algorithm, random: &Secret) -> Option<(EncodingKey, Option<Jwk>)> {
    if algorithm == Algorithm::Hs256 {
        return Some((EncodingKey::from_secret(random.expose().as_bytes()), None));
    }
    let key = SigningKey::generate(algorithm)?;
    Some((key.private().clone(), Some(key.public().clone())))
}

/// The public key that made the signature of `token`, as people paste it: PEM for RSA, and a JWK otherwise.
async fn public_key(app: &AppState, token: &str) -> Option<String> {
    let jwt = UnverifiedJwt::parse(token).ok()?;
    let metadata = app.provider.metadata().await.ok()?;
    let jwk = app.provider.keys_for(&app.client(), &jwt, &metadata).await.ok()?.as_jwk(jwt.kid())?;
    rsa_pem(&jwk).or_else(|| serde_json::to_string(&jwk).ok())
}

fn rsa_pem(jwk: &Value) -> Option<String> {
    let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok();
    let key = RsaPublicKeyComponents { n: number("n")?, e: number("e")? };
    let der: PublicKeyX509Der<'_> = key.as_der().ok()?;
    Some(pem("PUBLIC KEY", der.as_ref()))
}

fn pem(label: &str, der: &[u8]) -> String {
    pem::encode(&pem::Pem::new(label, der))
}
