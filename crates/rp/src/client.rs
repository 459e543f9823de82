//! Who this application is at the provider, and how it proves it at the back channel (RFC 6749 §2.3, OpenID Connect Core
//! §9): with a secret in the header or in the form, with an assertion that it signed, or not at all.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::ValueEnum;
use jsonwebtoken::{EncodingKey, Header};
use openidconnect::{
    HttpRequest,
    http::{self, Request, header},
};
use serde::Serialize;
use shared::{clock::Timestamp, ids::ClientId, params, random::Random, secret::Secret};

use crate::{algorithm::Algorithm, state::AppState};

/// How long an assertion is good: as long as a request may take to arrive.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);
/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a client proves who it is (`token_endpoint_auth_method` of RFC 7591 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AuthMethod {
    /// Name and secret in the `Authorization` header
    #[default]
    #[value(name = "client_secret_basic")]
    ClientSecretBasic,
    /// Name and secret in the form
    #[value(name = "client_secret_post")]
    ClientSecretPost,
    /// An assertion that the secret signs, which itself does not travel
    #[value(name = "client_secret_jwt")]
    ClientSecretJwt,
    /// An assertion that a key of one's own signs, whose public half is at `/jwks`
    #[value(name = "private_key_jwt")]
    PrivateKeyJwt,
    /// Nothing but the name: a public client
    #[value(name = "none")]
    None,
}

impl AuthMethod {
    /// Whether both sides know a secret.
    pub const fn needs_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }
}

/// A client as the provider knows it.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name there.
    pub id: ClientId,
    /// What it shares with the provider, if it does.
    pub secret: Option<Secret>,
    /// How it proves who it is.
    pub auth_method: AuthMethod,
    /// How ID tokens are signed for it.
    pub id_token_signed_response_alg: Algorithm,
}

/// RFC 7523 §3, OpenID Connect Core §9.
#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: i64,
    exp: i64,
}

/// What a request says about the client, in the header and in the form.
#[derive(Debug, Default)]
pub struct Proof {
    header: Option<String>,
    /// Names and values, not yet encoded.
    pub params: Vec<(&'static str, String)>,
}

impl Client {
    /// A client that only says who it is (RFC 6749 §2.1).
    pub const fn public(id: ClientId) -> Self {
        Self {
            id,
            secret: None,
            auth_method: AuthMethod::None,
            id_token_signed_response_alg: Algorithm::Rs256,
        }
    }

    /// What goes with a request at `now`.
    pub fn proof(&self, app: &AppState, now: Timestamp) -> Proof {
        let id = ("client_id", self.id.as_str().to_owned());
        let secret = self.secret.as_ref().map(Secret::expose).unwrap_or_default();
        let params = match self.auth_method {
            // RFC 6749 §2.3.1: each half is form-encoded first.
            AuthMethod::ClientSecretBasic => {
                let joined = format!("{}:{}", params::encode(&id.1), params::encode(secret));
                let header = Some(format!("Basic {}", STANDARD.encode(joined)));
                return Proof { header, params: Vec::new() };
            }
            AuthMethod::ClientSecretPost => vec![id, ("client_secret", secret.to_owned())],
            AuthMethod::ClientSecretJwt | AuthMethod::PrivateKeyJwt => {
                [vec![id], self.assertion(app, now)].concat()
            }
            AuthMethod::None => vec![id],
        };
        Proof { header: None, params }
    }

    /// `client_assertion` with its type, where the client signs one (RFC 7521 §4.2).
    pub fn assertion(&self, app: &AppState, now: Timestamp) -> Vec<(&'static str, String)> {
        if !matches!(self.auth_method, AuthMethod::PrivateKeyJwt | AuthMethod::ClientSecretJwt) {
            return Vec::new();
        }
        let claims = self.claims(app.settings.issuer.as_str(), now, app.random.as_ref());
        let token = self.sign(app, "JWT", &claims).unwrap_or_default();
        vec![("client_assertion_type", ASSERTION_TYPE.to_owned()), ("client_assertion", token)]
    }

    /// A JWT of the kind `typ`: signed with the secret by whoever proves with it who they are, and else with the key.
    pub fn sign(&self, app: &AppState, typ: &str, claims: &impl Serialize) -> Option<String> {
        match (self.auth_method, &self.secret) {
            (AuthMethod::ClientSecretJwt, Some(secret)) => {
                let header = Header { typ: Some(typ.to_owned()), ..Header::default() };
                let key = EncodingKey::from_secret(secret.expose().as_bytes());
                jsonwebtoken::encode(&header, claims, &key).ok()
            }
            _ => app.key.sign(typ, claims),
        }
    }

    /// It is meant for the provider as a whole, whatever the address: were it made for an address that a server names,
    /// another server could name one of the provider's and use what it was sent there (RFC 9700 §4.4).
    fn claims<'a>(&'a self, issuer: &'a str, now: Timestamp, random: &dyn Random) -> Assertion<'a> {
        Assertion {
            iss: self.id.as_str(),
            sub: self.id.as_str(),
            aud: issuer,
            jti: Secret::mint("", random).expose().to_owned(),
            iat: now.as_unix(),
            exp: (now + ASSERTION_LIFETIME).as_unix(),
        }
    }
}

/// A form for the provider, with the proof of who sends it.
pub fn form<'a>(
    app: &AppState,
    us: &Client,
    endpoint: &str,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<HttpRequest, http::Error> {
    let proof = us.proof(app, app.clock.now());
    let pair = |(name, value): (&str, &str)| format!("{name}={}", params::encode(value));
    // What the proof says is said once.
    let is_said = |name: &str| proof.params.iter().any(|(said, _)| *said == name);
    let mut body: Vec<String> = pairs.filter(|(name, _)| !is_said(name)).map(pair).collect();
    body.extend(proof.params.iter().map(|(name, value)| pair((name, value))));
    let mut request = Request::post(endpoint)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json");
    if let Some(credentials) = proof.header {
        request = request.header(header::AUTHORIZATION, credentials);
    }
    request.body(body.join("&").into_bytes())
}
