//! The settings: flags and environment variables, read once and checked at start.

mod checked;
mod credentials;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    Parser, Subcommand,
    builder::{PossibleValuesParser, StringValueParser, TypedValueParser},
};
use shared::{response_mode::ResponseMode, secret::Secret};
use web::settings::{self, LogFormat, Recording};

pub use self::checked::Settings;
use crate::{algorithm::Algorithm, client::AuthMethod};

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

fn response_mode() -> impl TypedValueParser<Value = ResponseMode> {
    let known = PossibleValuesParser::new(ResponseMode::ALL.map(ResponseMode::as_str));
    known.try_map(|name| ResponseMode::parse(&name).ok_or("unknown"))
}

#[cfg(test)]
mod tests;
