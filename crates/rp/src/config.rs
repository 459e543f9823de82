//! The settings: flags and environment variables, read once and checked at start.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::{
    Parser, Subcommand,
    builder::{PossibleValuesParser, StringValueParser, TypedValueParser},
};
use shared::{
    ids::{ClientId, Issuer},
    response_mode::ResponseMode,
    scope::Scope,
    secret::Secret,
};
use url::Url;
use web::{
    origin::{self, Origin},
    settings::{self, LogFormat, Recording},
};

use crate::{
    algorithm::Algorithm,
    client::{AuthMethod, Client},
    key::SigningKey,
    way::Way,
};

/// The secret of the tutorial's client.
const TUTORIAL_SECRET: &str = "client1-secret";
/// The demo's public client.
const PUBLIC_CLIENT: &str = "client-public";
/// The others that everybody knows: of the demo's clients that authenticate in other ways.
const DEMO_SECRETS: [&str; 3] =
    [TUTORIAL_SECRET, "client-post-secret", "client-secret-jwt-secret-of-32-bytes-or-more"];
/// The demo's clients that have none.
const DEMO_WITHOUT_SECRET: [&str; 2] = ["client-private-key", "client-public"];
/// The shortest key for HS256, in bytes: as long as its hash (RFC 7518 §3.2).
const HS256_KEY: usize = 32;

/// What to do instead of serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Ask the server that runs with these settings whether it is well
    Health,
}

/// A Relying Party that shows what it checks
#[derive(Clone, Debug, Parser)]
#[command(name = "rp", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Arguments {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Address and port to listen on
    #[arg(long, env = "RP_BIND", default_value = "127.0.0.1:5002", global = true)]
    bind: SocketAddr,

    /// The address by which browsers reach this server; without it, http and the address it listens on
    #[arg(long, env = "RP_BASE_URL", global = true)]
    base_url: Option<String>,

    /// Issuer to log in with, exactly as it stands in its ID tokens
    #[arg(long, env = "RP_ISSUER", default_value = "http://127.0.0.1:5001")]
    issuer: String,

    /// Name under which this client is registered there
    #[arg(long, env = "RP_CLIENT_ID", default_value = "client1")]
    client_id: String,

    /// Secret that goes with it; without it, the tutorial's
    #[arg(long, env = "RP_CLIENT_SECRET", hide_env_values = true, value_parser = StringValueParser::new().map(Secret::new))]
    client_secret: Option<Secret>,

    /// File that holds the secret
    #[arg(long, env = "RP_CLIENT_SECRET_FILE", value_name = "FILE")]
    client_secret_file: Option<PathBuf>,

    /// How to prove to the provider who this client is
    #[arg(long, env = "RP_TOKEN_ENDPOINT_AUTH_METHOD", default_value = "client_secret_basic", value_enum)]
    token_endpoint_auth_method: AuthMethod,

    /// How to sign what goes to the provider: RS256, PS256, ES256 or EdDSA
    #[arg(long, env = "RP_TOKEN_ENDPOINT_AUTH_SIGNING_ALG", default_value = "ES256", value_enum)]
    token_endpoint_auth_signing_alg: Algorithm,

    /// File with the private key that signs it (PKCS #8, PEM); without it a new one is made at every start
    #[arg(long, env = "RP_CLIENT_KEY", value_name = "FILE")]
    client_key: Option<PathBuf>,

    /// The one algorithm that ID tokens are signed with
    #[arg(long, env = "RP_ID_TOKEN_SIGNED_RESPONSE_ALG", default_value = "RS256", value_enum)]
    id_token_signed_response_alg: Algorithm,

    /// How the provider's answer is to come: in an address, or in a form
    #[arg(long, env = "RP_RESPONSE_MODE", default_value = "query", value_parser = response_mode())]
    response_mode: ResponseMode,

    /// What to ask for
    #[arg(long, env = "RP_SCOPE", default_value = "openid profile email api.access rp.login")]
    scope: String,

    /// Leave authorization requests at the provider in advance (PAR), unless a login says otherwise
    #[arg(long, env = "RP_PAR", value_parser = clap::builder::BoolishValueParser::new())]
    par: bool,

    /// Sign authorization requests (request objects), unless a login says otherwise
    #[arg(long, env = "RP_REQUEST_OBJECT", value_parser = clap::builder::BoolishValueParser::new())]
    request_object: bool,

    /// Protected API to call; without it, the one that comes with our provider, at the issuer's /api
    #[arg(long, env = "RP_API")]
    api: Option<String>,

    /// Name under which the script at /spa is registered, which logs in without this server; in the built-in demo
    /// client-public, otherwise there is no such page
    #[arg(long, env = "RP_SPA_CLIENT_ID")]
    spa_client_id: Option<String>,

    /// Refresh tokens before the session ends, where there is a refresh token: the session then goes on
    #[arg(long, env = "RP_SESSION_REFRESH", value_parser = clap::builder::BoolishValueParser::new())]
    session_refresh: bool,

    /// Cookie that keeps the user's session
    #[arg(long, env = "RP_SESSION_COOKIE", default_value = "rp_session", value_parser = settings::cookie_name)]
    session_cookie: String,

    /// Beginning of the names of the cookies that keep logins under way
    #[arg(long, env = "RP_ATTEMPT_COOKIE", default_value = "rp_attempt_", value_parser = settings::cookie_name)]
    attempt_cookie: String,

    /// Seconds that a login may take
    #[arg(long, env = "RP_ATTEMPT_LIFETIME", default_value = "600", value_parser = settings::lifetime)]
    attempt_lifetime: Duration,

    /// Seconds that any session lives; it ends with its ID token when that is earlier
    #[arg(long, env = "RP_SESSION_LIFETIME", default_value = "86400", value_parser = settings::lifetime)]
    session_lifetime: Duration,

    /// Accept http addresses that are not on this computer; for a lab network only
    #[arg(long, env = "RP_ALLOW_HTTP", value_parser = clap::builder::BoolishValueParser::new(), global = true)]
    allow_http: bool,

    /// Record flows for the viewer: auto does while issuer and base URL are on this computer
    #[arg(long, env = "RP_RECORD", default_value = "auto", value_enum)]
    record: Recording,

    /// What to log: error, warn, info, debug, or a filter such as rp=debug,info
    #[arg(long, env = "RP_LOG", default_value = "info,actix_server=warn,actix_http=off")]
    log: String,

    /// How to log
    #[arg(long, env = "RP_LOG_FORMAT", default_value = "text", value_enum)]
    log_format: LogFormat,
}

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

/// The secret, where the method takes one. A public client has none, and one with a key of its own needs it for HS256 only.
fn secret(given: Option<Secret>, file: Option<&Path>, method: AuthMethod) -> Result<Option<Secret>, String> {
    let is_given = given.is_some() || file.is_some();
    if method == AuthMethod::None && is_given {
        return Err("RP_CLIENT_SECRET is of no use: with the method none there is no secret".into());
    }
    if !method.needs_secret() && !is_given {
        return Ok(None);
    }
    let given = given.map(|secret| secret.expose().to_owned());
    settings::secret("RP_CLIENT_SECRET", given, file, TUTORIAL_SECRET).map(Some)
}

/// RFC 7518 §3.2: a secret that signs with HS256 has as many bytes as its hash.
fn long_enough(client: &Client) -> Result<(), String> {
    let signs = client.auth_method == AuthMethod::ClientSecretJwt
        || client.id_token_signed_response_alg == Algorithm::Hs256;
    let long = client.secret.as_ref().is_some_and(|secret| secret.expose().len() >= HS256_KEY);
    if signs && !long {
        return Err(format!(
            "RP_CLIENT_SECRET is too short to be the key for HS256: it needs {HS256_KEY} bytes (RFC 7518 §3.2)"
        ));
    }
    Ok(())
}

/// The private key in `file`.
fn key(file: &Path, algorithm: Algorithm) -> Result<Arc<SigningKey>, String> {
    let pem = fs::read(file)
        .map_err(|error| format!("RP_CLIENT_KEY names {}, which cannot be read: {error}", file.display()))?;
    let key = SigningKey::from_pem(algorithm, &pem).ok_or_else(|| {
        let (file, algorithm) = (file.display(), algorithm.as_str());
        format!("RP_CLIENT_KEY names {file}, which holds no private key for {algorithm} (PKCS #8, PEM)")
    })?;
    Ok(Arc::new(key))
}

fn response_mode() -> impl TypedValueParser<Value = ResponseMode> {
    let known = PossibleValuesParser::new(ResponseMode::ALL.map(ResponseMode::as_str));
    known.try_map(|name| ResponseMode::parse(&name).ok_or("unknown"))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn given(arguments: &[&str]) -> Result<Settings, String> {
        let line = [&["rp"], arguments].concat();
        let arguments = Arguments::try_parse_from(line).map_err(|error| error.to_string())?;
        Settings::try_from(arguments)
    }

    #[test]
    fn flows_are_recorded_only_while_everything_is_on_this_computer() {
        let records = |flags: &[&str]| given(flags).unwrap().record;
        let elsewhere = ["--base-url", "https://rp.example"];
        assert!(records(&[]));
        assert!(!records(&elsewhere));
        assert!(!records(&["--issuer", "https://op.example"]));
        assert!(records(&[&elsewhere[..], &["--record", "on"]].concat()));
        assert!(!records(&["--record", "off"]));
    }

    #[test]
    fn the_secret_does_not_show_itself() {
        let arguments = Arguments::parse_from(["rp", "--client-secret", "sesame"]);
        assert!(!format!("{arguments:?}").contains("sesame"));
        let settings = Settings::try_from(arguments).unwrap();
        assert_eq!(settings.client.secret.as_ref().unwrap().expose(), "sesame");
        assert!(!format!("{settings:?}").contains("sesame"));
    }

    #[test]
    fn without_any_setting_it_is_the_tutorials_client() {
        let settings = given(&[]).unwrap();
        assert_eq!(settings.redirect_uri(), "http://127.0.0.1:5002/auth");
        assert_eq!(settings.post_logout_redirect_uri(), "http://127.0.0.1:5002/logout/done");
        assert_eq!(settings.issuer.as_str(), "http://127.0.0.1:5001");
        assert_eq!(settings.client.id.as_str(), "client1");
        assert_eq!(settings.scope.to_string(), "openid profile email api.access rp.login");
    }

    #[test]
    fn in_a_container_the_browsers_address_is_not_the_bound_one() {
        let settings = given(&["--bind", "0.0.0.0:5002"]).unwrap();
        assert_eq!(settings.base_url.as_str(), "http://127.0.0.1:5002");
    }

    #[test]
    fn a_foreign_issuer_keeps_its_slash() {
        let settings = given(&["--issuer", "https://tenant.example/"]).unwrap();
        assert_eq!(settings.issuer.as_str(), "https://tenant.example/");
    }

    #[test]
    fn every_mistake_is_one_sentence_that_names_the_setting() {
        let mistakes: [(&[&str], &str); 18] = [
            (&["--issuer", "op.example"], "RP_ISSUER"),
            (&["--issuer", "http://op.example"], "use https"),
            (&["--issuer", "https://op.example?x=1"], "RP_ISSUER"),
            (&["--issuer", "javascript:alert(1)"], "RP_ISSUER"),
            (&["--base-url", "http://127.0.0.1:5002/"], "RP_BASE_URL"),
            (&["--bind", "192.0.2.1:5002"], "RP_BASE_URL"),
            (&["--scope", "profile"], "RP_SCOPE must contain openid"),
            (&["--client-id", ""], "RP_CLIENT_ID"),
            (&["--session-cookie", "rp_attempt_x"], "RP_SESSION_COOKIE"),
            (
                &["--id-token-signed-response-alg", "none"],
                "possible values: RS256, PS256, ES256, EdDSA, HS256",
            ),
            (&["--id-token-signed-response-alg", "HS256"], "RP_CLIENT_SECRET is too short"),
            (&["--token-endpoint-auth-method", "tls_client_auth"], "possible values: client_secret_basic"),
            (&["--token-endpoint-auth-method", "client_secret_jwt"], "RP_CLIENT_SECRET is too short"),
            (
                &["--token-endpoint-auth-method", "none", "--client-secret", "x"],
                "RP_CLIENT_SECRET is of no use",
            ),
            (&["--token-endpoint-auth-signing-alg", "HS256"], "RP_TOKEN_ENDPOINT_AUTH_SIGNING_ALG"),
            (&["--client-key", "/no/such/key.pem"], "RP_CLIENT_KEY names /no/such/key.pem"),
            (&["--client-key", "Cargo.toml"], "holds no private key for ES256"),
            (&["--response-mode", "fragment"], "possible values: query, form_post"),
        ];
        for (arguments, expected) in mistakes {
            let sentence = given(arguments).unwrap_err();
            assert!(sentence.contains(expected), "{arguments:?}: {sentence}");
            // What clap says becomes one sentence where the program reads its arguments.
            assert!(!sentence.contains('\n') || sentence.starts_with("error: "), "{arguments:?}: {sentence}");
        }
    }

    #[test]
    fn r6_the_key_of_hs256_has_as_many_bytes_as_its_hash() {
        let with = |secret: &str| {
            given(&["--id-token-signed-response-alg", "HS256", "--client-secret", secret]).is_ok()
        };
        assert!(with(&"s".repeat(32)) && with(&"秘".repeat(11)));
        assert!(!with(&"s".repeat(31)) && !with(&"秘".repeat(10)));
    }

    #[test]
    fn the_page_of_the_public_client_is_there_in_the_demo_or_when_it_is_named() {
        let script = |flags: &[&str]| given(flags).unwrap().spa_client_id.map(|id| id.as_str().to_owned());
        let own = ["--client-secret", "s3cret"];
        assert_eq!(script(&[]).as_deref(), Some("client-public"));
        assert_eq!(script(&own), None);
        assert_eq!(script(&["--issuer", "https://op.example"]), None);
        assert_eq!(script(&[&own[..], &["--spa-client-id", "mine"]].concat()).as_deref(), Some("mine"));
        assert_eq!(script(&["--spa-client-id", ""]), None);
    }

    #[test]
    fn http_outside_this_computer_must_be_asked_for() {
        assert!(given(&["--issuer", "http://op.example", "--allow-http"]).is_ok());
    }
}
