//! The settings when they have been checked: what the program goes by.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use shared::{
    ids::{ClientId, Issuer},
    response_mode::ResponseMode,
    scope::Scope,
};
use url::Url;
use web::{
    origin::{self, Origin},
    settings::LogFormat,
};

use super::{
    Arguments,
    credentials::{TUTORIAL_SECRET, key, long_enough, secret},
};
use crate::{algorithm::Algorithm, client::Client, key::SigningKey, way::Way};

/// The demo's public client.
const PUBLIC_CLIENT: &str = "client-public";
/// The others that everybody knows: of the demo's clients that authenticate in other ways.
const DEMO_SECRETS: [&str; 3] =
    [TUTORIAL_SECRET, "client-post-secret", "client-secret-jwt-secret-of-32-bytes-or-more"];
/// The demo's clients that have none.
const DEMO_WITHOUT_SECRET: [&str; 2] = ["client-private-key", "client-public"];

/// Settings that have been checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub bind: SocketAddr,
    /// This application's own address.
    pub base_url: Origin,
    /// The issuer, character by character as it was given.
    pub issuer: Issuer,
    /// Who this application is there, and how it proves it.
    pub client: Arc<Client>,
    /// How it signs what goes there.
    pub signing_alg: Algorithm,
    /// What it signs with, if that is kept in a file.
    pub key: Option<Arc<SigningKey>>,
    /// How the provider's answer is to come.
    pub response_mode: ResponseMode,
    /// What it asks for.
    pub scope: Scope,
    /// The name of the session's cookie.
    pub session_cookie: String,
    /// How the names of the attempts' cookies begin.
    pub attempt_cookie: String,
    /// How long a login may take.
    pub attempt_lifetime: Duration,
    /// How long a session lives at most.
    pub session_lifetime: Duration,
    /// How authorization requests travel.
    pub way: Way,
    /// The protected API, without a slash at its end.
    pub api: String,
    /// Who the script at `/spa` is at the issuer, where there is one.
    pub spa_client_id: Option<ClientId>,
    /// Whether tokens are refreshed before the session ends.
    pub session_refresh: bool,
    /// Whether flows are recorded.
    pub record: bool,
    /// The log filter.
    pub log: String,
    /// The log format.
    pub log_format: LogFormat,
}

impl Settings {
    /// The path of the home page; also what other paths are put behind.
    pub fn home(&self) -> String {
        format!("{}/", self.base_url.path())
    }

    /// Whether both servers are on this computer.
    pub fn is_local(&self) -> bool {
        are_local(&self.base_url, &self.issuer)
    }

    /// Whether this is a client of the demo on the learner's own computer, whose secret is public.
    pub fn is_demo(&self) -> bool {
        let is_known = match &self.client.secret {
            Some(secret) => DEMO_SECRETS.iter().any(|known| secret.matches(known)),
            None => self.key.is_none() && DEMO_WITHOUT_SECRET.contains(&self.client.id.as_str()),
        };
        self.is_local() && is_known
    }

    /// The address of the page whose script is a client, and where the provider sends it back to.
    pub fn spa_uri(&self) -> String {
        format!("{}/spa", self.base_url.as_str())
    }

    /// `redirect_uri`: where step 6 sends the browser (RFC 6749 §3.1.2).
    pub fn redirect_uri(&self) -> String {
        format!("{}/auth", self.base_url.as_str())
    }

    /// `post_logout_redirect_uri`: where the provider sends the browser after a logout (OpenID Connect RP-Initiated
    /// Logout §2).
    pub fn post_logout_redirect_uri(&self) -> String {
        format!("{}/logout/done", self.base_url.as_str())
    }
}

fn are_local(base_url: &Origin, issuer: &Issuer) -> bool {
    base_url.is_loopback() && Url::parse(issuer.as_str()).is_ok_and(|url| origin::is_loopback(&url))
}

impl TryFrom<Arguments> for Settings {
    type Error = String;

    fn try_from(arguments: Arguments) -> Result<Self, String> {
        let base_url = arguments.base_url.unwrap_or_else(|| address_of(arguments.bind));
        let base_url = Origin::parse(&base_url, arguments.allow_http)
            .map_err(|mistake| format!("RP_BASE_URL: {mistake}"))?;
        let issuer = check_issuer(arguments.issuer, arguments.allow_http)?;
        let scope = Scope::parse(&arguments.scope).map_err(|mistake| format!("RP_SCOPE: {mistake}"))?;
        if !scope.contains(Scope::OPENID) {
            return Err("RP_SCOPE must contain openid: without it the provider sends no ID token".into());
        }
        if arguments.client_id.is_empty() {
            return Err("RP_CLIENT_ID must not be empty".into());
        }
        if arguments.session_cookie.starts_with(&arguments.attempt_cookie) {
            return Err("RP_SESSION_COOKIE must not begin with RP_ATTEMPT_COOKIE".into());
        }
        let method = arguments.token_endpoint_auth_method;
        let client = Client {
            id: ClientId::new(arguments.client_id),
            secret: secret(arguments.client_secret, arguments.client_secret_file.as_deref(), method)?,
            auth_method: method,
            id_token_signed_response_alg: arguments.id_token_signed_response_alg,
        };
        long_enough(&client)?;
        let signing_alg = arguments.token_endpoint_auth_signing_alg;
        if signing_alg == Algorithm::Hs256 {
            return Err(
                "RP_TOKEN_ENDPOINT_AUTH_SIGNING_ALG: HS256 signs with the secret, not with a key; choose \
                        client_secret_jwt as RP_TOKEN_ENDPOINT_AUTH_METHOD for it"
                    .into(),
            );
        }
        let api = arguments.api.unwrap_or_else(|| format!("{}/api", issuer.as_str().trim_end_matches('/')));
        Origin::parse(&api, arguments.allow_http).map_err(|mistake| format!("RP_API: {mistake}"))?;
        let mut settings = Self {
            api,
            way: Way { pushed: arguments.par, signed: arguments.request_object },
            spa_client_id: None,
            session_refresh: arguments.session_refresh,
            bind: arguments.bind,
            record: arguments.record.is_on(are_local(&base_url, &issuer)),
            base_url,
            issuer,
            client: Arc::new(client),
            key: arguments.client_key.as_deref().map(|file| key(file, signing_alg)).transpose()?,
            signing_alg,
            response_mode: arguments.response_mode,
            scope,
            session_cookie: arguments.session_cookie,
            attempt_cookie: arguments.attempt_cookie,
            attempt_lifetime: arguments.attempt_lifetime,
            session_lifetime: arguments.session_lifetime,
            log: arguments.log,
            log_format: arguments.log_format,
        };
        let script = arguments.spa_client_id.or_else(|| settings.is_demo().then(|| PUBLIC_CLIENT.to_owned()));
        settings.spa_client_id = script.filter(|id| !id.is_empty()).map(ClientId::new);
        Ok(settings)
    }
}

/// A browser on this computer cannot open 0.0.0.0.
fn address_of(bind: SocketAddr) -> String {
    if bind.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", bind.port())
    } else {
        format!("http://{bind}")
    }
}

/// A stranger's issuer is kept as it is, with a trailing slash if it has one: it is compared character by character.
fn check_issuer(text: String, allow_http: bool) -> Result<Issuer, String> {
    let url = Url::parse(&text).map_err(|_| format!("RP_ISSUER: {text:?} is not an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("RP_ISSUER: {text:?} is not an http or https URL with a host"));
    }
    let credentials = !url.username().is_empty() || url.password().is_some();
    if credentials || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("RP_ISSUER: {text:?} must not have a query, a fragment or credentials"));
    }
    if url.scheme() == "http" && !origin::is_loopback(&url) && !allow_http {
        return Err(format!(
            "RP_ISSUER: {text:?} uses http, which is safe only on a loopback address such as 127.0.0.1: use https"
        ));
    }
    Ok(Issuer::new(text))
}
