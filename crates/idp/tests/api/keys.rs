//! The keys: what signs, what is published, and how one takes over from another while logins go on.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use idp::{
    config::Settings,
    keys::{Folder, KeyAlg, verify_hs256},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use shared::{
    clock::Clock as _,
    id_token::{Hash, at_hash_by},
    secret::Secret,
};

use crate::helpers::{Answer, AuthorizationRequest, Code, Idp, http};

/// A folder that is gone after the test.
pub struct Temporary(pub PathBuf);

impl Temporary {
    pub fn named(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("idp-keys-{}-{name}", std::process::id()));
        // An earlier run may have been interrupted.
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the operator's command does, at the server's time.
const WAIT: u64 = 120;
/// How long a token lives, and how long its key is kept after it signed the last one.
const LIFETIME: u64 = 3600;
const RETENTION: u64 = LIFETIME + 120;

impl Idp {
    fn with_keys_in(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self::start_with(move |settings| settings.keys = Some(folder))
    }

    fn rotates(&self, folder: &Temporary, alg: KeyAlg) -> String {
        let made = Folder::at(&folder.0).rotate(Some(alg), Duration::from_secs(WAIT), self.clock.now());
        let (_, key) = made.unwrap().remove(0);
        key.kid().to_owned()
    }

    async fn jwks(&self) -> Value {
        Answer::of(http().get(self.at("/oauth/jwks"))).await.json()
    }

    /// The `kid`s of the published keys of one kind.
    async fn published(&self, alg: KeyAlg) -> Vec<String> {
        let keys = self.jwks().await["keys"].as_array().unwrap().clone();
        let of_kind = keys.iter().filter(|key| key["alg"] == alg.as_str());
        of_kind.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    async fn id_token(&self) -> String {
        id_token(&self.redeems(&self.code().await).await)
    }

    /// The claims of an ID token, which the JWKS of this moment must verify; and what signed it.
    async fn verified(&self, id_token: &str) -> (Value, Algorithm, String) {
        let jwks: JwkSet = serde_json::from_value(self.jwks().await).unwrap();
        let header = jsonwebtoken::decode_header(id_token).unwrap();
        let kid = header.kid.unwrap();
        let jwk = jwks.find(&kid).unwrap_or_else(|| panic!("{kid} is not published"));
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&["client1"]);
        validation.validate_exp = false;
        let key = DecodingKey::from_jwk(jwk).unwrap();
        let claims = jsonwebtoken::decode::<Value>(id_token, &key, &validation).unwrap().claims;
        (claims, header.alg, kid)
    }

    /// What signs at this moment.
    async fn signing_kid(&self) -> String {
        self.verified(&self.id_token().await).await.2
    }
}

fn id_token(answer: &Answer) -> String {
    answer.json()["id_token"].as_str().unwrap_or_else(|| panic!("no ID token: {answer:?}")).to_owned()
}

fn registered_for(alg: Algorithm) -> impl FnOnce(&mut Settings) {
    move |settings| settings.clients[0].id_token_signed_response_alg = Some(alg)
}

#[actix_web::test]
async fn id_tokens_of_each_algorithm_verify_with_the_jwks() {
    for alg in KeyAlg::ALL {
        let by_setting = Idp::start_with(move |settings| settings.signing_alg = alg);
        let by_registration = Idp::start_with(registered_for(alg.into()));
        for idp in [by_setting, by_registration] {
            let tokens = idp.redeems(&idp.code().await).await.json();
            let (claims, signed_with, _) = idp.verified(tokens["id_token"].as_str().unwrap()).await;
            assert_eq!(signed_with, alg.into());
            let hash = if alg == KeyAlg::EdDsa { Hash::Sha512 } else { Hash::Sha256 };
            assert_eq!(claims["at_hash"], at_hash_by(tokens["access_token"].as_str().unwrap(), hash));
        }
    }
}

async fn hs256_code(idp: &Idp) -> Code {
    idp.code_for(&AuthorizationRequest::new().with("client_id", "client-hs256")).await
}

#[actix_web::test]
async fn a_client_that_chose_hs256_verifies_with_its_secret() {
    const SECRET: &str = "client-hs256-secret-of-32-bytes-or-more";

    let idp = Idp::start();
    let code = hs256_code(&idp).await;
    let answer = idp.token_as(Some(("client-hs256", SECRET)), &code.fields()).await;
    let token = id_token(&answer);
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!((header.alg, header.kid), (Algorithm::HS256, None));
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&["client-hs256"]);
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    assert!(jsonwebtoken::decode::<Value>(&token, &key, &validation).is_ok());
    assert!(verify_hs256(&Secret::new(SECRET), &token).is_some());
    assert!(verify_hs256(&Secret::new("client1-secret"), &token).is_none());
    assert!(!idp.jwks().await.to_string().contains("oct"), "the secret is in the JWKS");
    // The other clients go on with the keys.
    assert_eq!(idp.verified(&idp.id_token().await).await.1, Algorithm::RS256);
}

#[actix_web::test]
async fn a_secret_of_less_than_32_bytes_signs_no_id_token() {
    let idp = Idp::start_with(|settings| {
        for client in &mut settings.clients {
            if client.id.as_str() == "client-hs256" {
                client.secret = Some(Secret::new("x".repeat(31)));
            }
        }
    });
    let code = hs256_code(&idp).await;
    let answer = idp.token_as(Some(("client-hs256", &"x".repeat(31))), &code.fields()).await;
    assert_eq!((answer.status, answer.error().as_str()), (500, "server_error"));
}

#[actix_web::test]
async fn hs256_is_listed_only_when_a_client_is_registered_for_it() {
    let idp = Idp::start_with(|settings| {
        settings.clients.retain(|client| client.id_token_signed_response_alg.is_none());
        settings.registration = None;
    });
    let document = Answer::of(http().get(idp.at("/.well-known/openid-configuration"))).await.json();
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "ES256", "EdDSA"]));
}

#[actix_web::test]
async fn i24_no_private_member_of_any_kind_of_key_is_published() {
    let idp = Idp::start();
    let answer = Answer::of(http().get(idp.at("/oauth/jwks"))).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    let jwks = answer.json();
    let mut kids = Vec::new();
    for (key, (kty, alg)) in
        jwks["keys"].as_array().unwrap().iter().zip([("RSA", "RS256"), ("EC", "ES256"), ("OKP", "EdDSA")])
    {
        assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!(kty), &json!(alg), &json!("sig")));
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private} of {kty} is published");
        }
        kids.push(key["kid"].as_str().unwrap());
    }
    kids.dedup();
    assert_eq!(kids.len(), 3, "{jwks}");
}

#[actix_web::test]
async fn i24_a_running_server_publishes_a_new_key_then_signs_with_it_then_drops_the_old_one() {
    let folder = Temporary::named("rotation");
    let idp = Idp::with_keys_in(&folder.0);
    let old = idp.signing_kid().await;
    assert_eq!(idp.published(KeyAlg::Rs256).await, [old.as_str()]);

    let new = idp.rotates(&folder, KeyAlg::Rs256);
    idp.passes(2);
    assert_eq!(idp.published(KeyAlg::Rs256).await, [old.as_str(), &new]);
    assert_eq!(idp.signing_kid().await, old);

    idp.passes(WAIT - 3);
    let last_of_old = idp.id_token().await;
    assert_eq!(idp.verified(&last_of_old).await.2, old);

    idp.passes(1);
    assert_eq!(idp.signing_kid().await, new);
    assert_eq!(idp.published(KeyAlg::Rs256).await, [old.as_str(), &new]);

    // As long as the last token of the old key lives, and a while beyond.
    idp.passes(RETENTION - 1);
    idp.verified(&last_of_old).await;

    idp.passes(2);
    assert_eq!(idp.published(KeyAlg::Rs256).await, [new.as_str()]);
    assert_eq!(idp.signing_kid().await, new);
    // Whoever takes the folder over finds no trace of it. The other kinds have stayed as they were.
    assert!(!folder.0.join("rs256.pem").exists());
    assert_eq!(idp.jwks().await["keys"].as_array().unwrap().len(), 3);
}

#[actix_web::test]
async fn i24_a_login_that_spans_a_rotation_succeeds() {
    let folder = Temporary::named("login");
    let idp = Idp::with_keys_in(&folder.0);
    idp.signing_kid().await;
    let code = idp.code().await;
    let new = idp.rotates(&folder, KeyAlg::Rs256);
    idp.passes(WAIT);
    // Nobody asked for a key since the rotation; still the token is signed as it should be.
    let (_, _, kid) = idp.verified(&id_token(&idp.redeems(&code).await)).await;
    assert_eq!(kid, new);
}

#[actix_web::test]
async fn i24_each_algorithm_rotates_for_itself() {
    let folder = Temporary::named("for-itself");
    let idp = Idp::with_keys_in(&folder.0);
    let (rs256, eddsa) = (idp.signing_kid().await, idp.published(KeyAlg::EdDsa).await);
    idp.rotates(&folder, KeyAlg::Es256);
    idp.passes(WAIT);
    assert_eq!(idp.published(KeyAlg::Es256).await.len(), 2);
    assert_eq!((idp.signing_kid().await, idp.published(KeyAlg::EdDsa).await), (rs256, eddsa));
}

#[actix_web::test]
async fn i24_whatever_is_wrong_in_the_folder_the_last_good_keys_stay() {
    let folder = Temporary::named("wrong");
    let idp = Idp::with_keys_in(&folder.0);
    let (signing, published) = (idp.signing_kid().await, idp.jwks().await);
    let mistakes: [(&str, &str); 3] = [
        ("tls.pem", ""),
        ("rs256-9999999999.pem", "-----BEGIN PRIVATE KEY-----\nMIIE"),
        ("es256-9999999999.pem", ""),
    ];
    for (file, text) in mistakes {
        fs::write(folder.0.join(file), text).unwrap();
        idp.passes(2);
        assert_eq!(
            (idp.signing_kid().await, idp.jwks().await),
            (signing.clone(), published.clone()),
            "{file}"
        );
        fs::remove_file(folder.0.join(file)).unwrap();
    }
    fs::copy(folder.0.join("rs256.pem"), folder.0.join("rs256-9999999999.pem")).unwrap();
    idp.passes(2);
    assert_eq!((idp.signing_kid().await, idp.jwks().await), (signing.clone(), published.clone()));
    fs::remove_file(folder.0.join("rs256-9999999999.pem")).unwrap();

    let elsewhere = Temporary::named("elsewhere");
    fs::rename(&folder.0, &elsewhere.0).unwrap();
    idp.passes(2);
    assert_eq!((idp.signing_kid().await, idp.jwks().await), (signing, published));
    fs::rename(&elsewhere.0, &folder.0).unwrap();

    // Mended, it goes on.
    let new = idp.rotates(&folder, KeyAlg::Rs256);
    idp.passes(WAIT);
    assert_eq!(idp.signing_kid().await, new);
}

#[actix_web::test]
async fn i24_kept_keys_are_the_same_after_a_restart() {
    let folder = Temporary::named("restart");
    let first = Idp::with_keys_in(&folder.0).jwks().await;
    assert_eq!(Idp::with_keys_in(&folder.0).jwks().await, first);
    // A key whose time is over is not taken up again.
    let idp = Idp::with_keys_in(&folder.0);
    let new = idp.rotates(&folder, KeyAlg::EdDsa);
    let restarted = Idp::with_keys_in(&folder.0);
    assert_eq!(restarted.published(KeyAlg::EdDsa).await.len(), 2);
    restarted.passes(WAIT + RETENTION);
    assert_eq!(restarted.published(KeyAlg::EdDsa).await, [new]);
}

#[actix_web::test]
async fn a_login_computes_one_signature() {
    let idp = Idp::start();
    for logins in 1..=2 {
        idp.id_token().await;
        assert_eq!(idp.state.keys.signatures(), logins);
    }
}

#[actix_web::test]
async fn i17_only_a_token_that_one_of_our_keys_signed_is_ours() {
    let folder = Temporary::named("ours");
    let (idp, other) = (Idp::with_keys_in(&folder.0), Idp::start());
    let is_ours = async |token: &str| idp.state.keys.verify(token, idp.clock.now()).await.is_ok();
    let token = idp.id_token().await;
    let claims = idp.state.keys.verify(&token, idp.clock.now()).await.unwrap();
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(idp.issuer), &json!("client1")));
    assert!(!is_ours(&other.id_token().await).await, "another provider's");

    // Made by somebody who knows our public key.
    let jwks = idp.jwks().await;
    let (rsa, claims) = (&jwks["keys"][0], json!({ "iss": idp.issuer, "sub": "1", "aud": "client1" }));
    let public = [rsa.to_string(), rsa["n"].as_str().unwrap().to_owned()];
    for secret in public.iter().map(|text| EncodingKey::from_secret(text.as_bytes())) {
        let header =
            Header { kid: rsa["kid"].as_str().map(ToOwned::to_owned), ..Header::new(Algorithm::HS256) };
        assert!(!is_ours(&jsonwebtoken::encode(&header, &claims, &secret).unwrap()).await, "HS256");
    }
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    for forged in [
        String::new(),
        format!("{header}.{payload}."),
        format!("{header}.{header}.{signature}"),
        format!("{header}.{payload}.{signature}{signature}"),
        "a".repeat(256 * 1024),
        format!("{header}.{}.{signature}", "A".repeat(256 * 1024)),
    ] {
        assert!(!is_ours(&forged).await);
    }

    // OpenID Connect RP-Initiated Logout §2: one that has expired is as good, as long as its key is known.
    idp.rotates(&folder, KeyAlg::Rs256);
    idp.passes(LIFETIME + 1);
    assert!(is_ours(&token).await);
    idp.passes(WAIT + RETENTION);
    assert!(!is_ours(&token).await);
}
