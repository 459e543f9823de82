//! Flags and environment variables, read once at start, and how they become [`Settings`]. Defaults are the tutorial's.
//! Every mistake is one sentence that names the setting.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use shared::clock::{Clock as _, SystemClock};
use web::{
    origin::Origin,
    settings::{self, LogFormat, Recording},
};

use super::{
    EXPOSED, Registration, Settings, api_of,
    file::{self, Registrations},
};
use crate::{
    demo,
    domain::redirect_uri::{self, RedirectUri},
    keys::{KeyAlg, commands::KeysCommand},
};

/// What to do instead of serving.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Ask the server that runs with these settings whether it is well
    Health,
    /// List or replace the keys that sign tokens
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Ask for a password and print its hash, for a user in the configuration file
    HashPassword,
    /// Say whether a configuration file is fine, or what is wrong with it
    CheckConfig {
        /// The file; without it, the one that --config names
        #[arg(value_name = "FILE")]
        path: Option<PathBuf>,
    },
}

/// An OpenID Provider to learn from and to develop against
#[derive(Clone, Debug, Parser)]
#[command(name = "idp", version)]
pub struct Arguments {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Address and port to listen on
    #[arg(long, env = "IDP_BIND", default_value = "127.0.0.1:5001", global = true)]
    bind: SocketAddr,

    /// Issuer: the address by which browsers and clients reach this server
    #[arg(long, env = "IDP_ISSUER", default_value = "http://127.0.0.1:5001", global = true)]
    issuer: String,

    /// Folder for the keys that sign; without it new keys are made at every start
    #[arg(long, env = "IDP_KEYS", value_name = "FOLDER", global = true)]
    keys: Option<PathBuf>,

    /// How ID tokens are signed, unless a client is registered for something else
    #[arg(long, env = "IDP_SIGNING_ALG", value_enum, ignore_case = true, default_value = "RS256")]
    signing_alg: KeyAlg,

    /// File with clients and users of one's own, instead of the demo's
    #[arg(long, env = "IDP_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print the demo as a configuration file, to start from
    #[arg(long)]
    pub print_config: bool,

    /// Redirect URI of the built-in clients, which is the RP's
    #[arg(
        long,
        env = "IDP_CLIENT_REDIRECT_URI",
        default_value = "http://127.0.0.1:5002/auth",
        conflicts_with = "config"
    )]
    client_redirect_uri: String,

    /// Cookie that keeps the user's session
    #[arg(long, env = "IDP_SESSION_COOKIE", default_value = "idp_session", value_parser = settings::cookie_name)]
    session_cookie: String,

    /// Cookie that tells browsers apart
    #[arg(long, env = "IDP_BROWSER_COOKIE", default_value = "idp_browser", value_parser = settings::cookie_name)]
    browser_cookie: String,

    /// Seconds in which a code must be redeemed, 600 at most; without it 600 in the built-in demo, where a learner may
    /// pause, and 60 with a file of one's own
    #[arg(long, env = "IDP_CODE_LIFETIME", value_parser = settings::lifetime)]
    code_lifetime: Option<Duration>,

    /// Seconds in which a browser must come for a pushed request, 600 at most; without it 600 in the built-in demo and 60
    /// with a file of one's own
    #[arg(long, env = "IDP_PAR_LIFETIME", value_parser = settings::lifetime)]
    par_lifetime: Option<Duration>,

    /// Seconds that an ID token and an access token live
    #[arg(long, env = "IDP_TOKEN_LIFETIME", default_value = "3600", value_parser = settings::lifetime, global = true)]
    token_lifetime: Duration,

    /// Seconds that an unused refresh token lives
    #[arg(long, env = "IDP_REFRESH_IDLE", default_value = "1209600", value_parser = settings::lifetime)]
    refresh_idle: Duration,

    /// Seconds after a login in which its tokens can be renewed
    #[arg(long = "refresh-lifetime", env = "IDP_REFRESH_LIFETIME", default_value = "2592000", value_parser = settings::lifetime)]
    refresh_most: Duration,

    /// Seconds that an unused session lives
    #[arg(long, env = "IDP_SESSION_IDLE", default_value = "28800", value_parser = settings::lifetime)]
    session_idle: Duration,

    /// Seconds that any session lives
    #[arg(long = "session-lifetime", env = "IDP_SESSION_LIFETIME", default_value = "86400", value_parser = settings::lifetime)]
    session_most: Duration,

    /// Seconds for signing in and consenting
    #[arg(long, env = "IDP_INTERACTION_LIFETIME", default_value = "600", value_parser = settings::lifetime)]
    interaction_lifetime: Duration,

    /// Seconds that a consent is remembered, for clients that want it remembered
    #[arg(long, env = "IDP_CONSENT_LIFETIME", default_value = "2592000", value_parser = settings::lifetime)]
    consent_lifetime: Duration,

    /// Logins, grants and tokens that are kept at most, each, half of them for one of several clients, an eighth for one
    /// address; beyond that new ones are refused for a while
    #[arg(long, env = "IDP_CAPACITY", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..))]
    capacity: u32,

    /// Whether clients may register themselves: auto lets everybody while the issuer is on this computer, and elsewhere, or
    /// with a registration token, whoever has that
    #[arg(long, env = "IDP_REGISTRATION", default_value = "auto", value_enum)]
    registration: Registering,

    /// Initial access token that a client shows to register itself
    #[arg(long, env = "IDP_REGISTRATION_TOKEN", hide_env_values = true)]
    registration_token: Option<String>,

    /// File that holds the initial access token
    #[arg(long, env = "IDP_REGISTRATION_TOKEN_FILE", value_name = "FILE")]
    registration_token_file: Option<PathBuf>,

    /// Seconds that a client which registered itself is kept while nobody uses it
    #[arg(long, env = "IDP_REGISTRATION_LIFETIME", default_value = "86400", value_parser = settings::lifetime)]
    registration_lifetime: Duration,

    /// Accept an http issuer, and http addresses of clients, that are not on this computer; for a lab network only
    #[arg(long, env = "IDP_ALLOW_HTTP", value_parser = clap::builder::BoolishValueParser::new(), global = true)]
    allow_http: bool,

    /// Record flows for the viewer: auto does while the issuer is on this computer
    #[arg(long, env = "IDP_RECORD", default_value = "auto", value_enum)]
    record: Recording,

    /// What to log: error, warn, info, debug, or a filter such as idp=debug,info
    #[arg(long, env = "IDP_LOG", default_value = "info,actix_server=warn,actix_http=off")]
    log: String,

    /// How to log
    #[arg(long, env = "IDP_LOG_FORMAT", default_value = "text", value_enum)]
    log_format: LogFormat,
}

/// Whether clients may register themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Registering {
    /// Everybody while the issuer is on this computer; whoever has the registration token if there is one
    Auto,
    /// Nobody
    Off,
}

impl TryFrom<Arguments> for Settings {
    type Error = String;

    fn try_from(arguments: Arguments) -> Result<Self, String> {
        let origin = Origin::parse(&arguments.issuer, arguments.allow_http)
            .map_err(|mistake| format!("IDP_ISSUER: {mistake}"))?;
        // RFC 6749 §4.1.2 recommends ten minutes at most.
        let usual = if arguments.config.is_some() { 60 } else { 600 };
        let code_lifetime = arguments.code_lifetime.unwrap_or(Duration::from_secs(usual));
        if code_lifetime > Duration::from_secs(600) {
            return Err("IDP_CODE_LIFETIME: 600 seconds at most, as RFC 6749 §4.1.2 recommends".into());
        }
        let par_lifetime = arguments.par_lifetime.unwrap_or(Duration::from_secs(usual));
        if par_lifetime > Duration::from_secs(600) {
            return Err("IDP_PAR_LIFETIME: 600 seconds at most, as RFC 9126 §2.2 suggests".into());
        }
        if arguments.session_cookie == arguments.browser_cookie {
            return Err("IDP_SESSION_COOKIE and IDP_BROWSER_COOKIE must differ".into());
        }
        let (registered, shown_users) = match &arguments.config {
            Some(path) => (file::read(path, SystemClock.now())?, &[][..]),
            None => (built_in(&arguments.client_redirect_uri, &origin)?, &demo::PEOPLE[..]),
        };
        for client in &registered.clients {
            let exposed = client
                .addresses()
                .find(|(_, address)| !arguments.allow_http && redirect_uri::is_exposed(address));
            if let Some((member, address)) = exposed {
                return Err(format!("{member} {address:?} {EXPOSED}, or IDP_ALLOW_HTTP in a lab network"));
            }
        }
        let registration = registration(&arguments, &origin)?;
        Ok(Self {
            bind: arguments.bind,
            registration,
            allow_http: arguments.allow_http,
            record: arguments.record.is_on(origin.is_loopback()),
            origin,
            keys: arguments.keys,
            signing_alg: arguments.signing_alg,
            session_cookie: arguments.session_cookie,
            browser_cookie: arguments.browser_cookie,
            code_lifetime,
            par_lifetime,
            token_lifetime: arguments.token_lifetime,
            refresh_idle: arguments.refresh_idle,
            refresh_most: arguments.refresh_most,
            session_idle: arguments.session_idle,
            session_most: arguments.session_most,
            interaction_lifetime: arguments.interaction_lifetime,
            consent_lifetime: arguments.consent_lifetime,
            capacity: usize::try_from(arguments.capacity).unwrap_or(usize::MAX),
            log: arguments.log,
            log_format: arguments.log_format,
            clients: registered.clients,
            users: registered.users,
            shown_users,
        })
    }
}

/// RFC 7591 §3: open to everybody on this computer, and elsewhere to whoever has the initial access token.
fn registration(arguments: &Arguments, origin: &Origin) -> Result<Option<Registration>, String> {
    let (given, file) = (arguments.registration_token.clone(), arguments.registration_token_file.as_deref());
    let token = (given.is_some() || file.is_some())
        .then(|| settings::secret("IDP_REGISTRATION_TOKEN", given, file, ""))
        .transpose()?;
    if token.as_ref().is_some_and(|token| token.expose().len() < 16) {
        return Err("IDP_REGISTRATION_TOKEN: 16 characters at least; who guesses it can register".into());
    }
    let may = arguments.registration == Registering::Auto && (token.is_some() || origin.is_loopback());
    Ok(may.then_some(Registration { token, idle: arguments.registration_lifetime }))
}

/// The demo, with the RP at `redirect_uri` and the API at `origin`.
fn built_in(redirect_uri: &str, origin: &Origin) -> Result<Registrations, String> {
    let redirect_uri =
        RedirectUri::parse(redirect_uri).map_err(|mistake| format!("IDP_CLIENT_REDIRECT_URI: {mistake}"))?;
    let users = demo::users().map_err(|error| error.to_string())?;
    let mut clients = demo::clients(&redirect_uri);
    clients.extend([demo::resource_server(api_of(origin)), demo::service()]);
    Ok(Registrations { clients, users })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(flags: &[&str]) -> Result<Settings, String> {
        let arguments =
            Arguments::try_parse_from(["idp"].iter().chain(flags)).map_err(|error| error.to_string())?;
        Settings::try_from(arguments)
    }

    #[test]
    fn without_any_setting_it_is_the_tutorial() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.origin.as_str(), "http://127.0.0.1:5001");
        assert_eq!(settings.clients[0].id.as_str(), "client1");
        assert!(settings.clients[0].redirect_uri("http://127.0.0.1:5002/auth").is_some());
    }

    #[test]
    fn flows_are_recorded_only_while_the_issuer_is_on_this_computer() {
        let records = |flags: &[&str]| settings(flags).unwrap().record;
        assert!(records(&[]));
        assert!(!records(&["--issuer", "https://op.example"]));
        assert!(records(&["--issuer", "https://op.example", "--record", "on"]));
        assert!(!records(&["--record", "off"]));
    }

    #[test]
    fn each_mistake_is_named() {
        for (flags, named) in [
            (&["--issuer", "http://idp.example"][..], "IDP_ISSUER"),
            (&["--issuer", "http://127.0.0.1:5001/"], "slash"),
            (&["--client-redirect-uri", "javascript:x"], "IDP_CLIENT_REDIRECT_URI"),
            (&["--client-redirect-uri", "http://app.example/cb"], "use https"),
            (&["--code-lifetime", "601"], "IDP_CODE_LIFETIME"),
            (&["--code-lifetime", "0"], "--code-lifetime"),
            (&["--par-lifetime", "601"], "IDP_PAR_LIFETIME"),
            (&["--session-cookie", "a b"], "--session-cookie"),
            (&["--session-cookie", "x", "--browser-cookie", "x"], "IDP_BROWSER_COOKIE"),
            (&["--bind", "5001"], "--bind"),
            (&["--signing-alg", "HS256"], "--signing-alg"),
            (&["--config", "/no/such/idp.toml"], "/no/such/idp.toml"),
            (
                &["--config", "idp.toml", "--client-redirect-uri", "http://127.0.0.1/"],
                "--client-redirect-uri",
            ),
        ] {
            let mistake = settings(flags).unwrap_err();
            assert!(mistake.contains(named), "{flags:?}: {mistake}");
        }
        assert!(settings(&["--issuer", "http://idp.example", "--allow-http"]).is_ok());
    }
}
