//! Settings: flags and environment variables, read once at start. Defaults are the tutorial's. Every mistake is one
//! sentence that names the setting. Clients and users of one's own stand in a [file](mod@file).

mod clients;
mod document;
pub mod dynamic;
pub mod file;
mod users;
mod values;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use shared::{
    clock::{Clock as _, SystemClock},
    scope::Scope,
    secret::Secret,
};
use web::{
    origin::Origin,
    settings::{self, LogFormat, Recording},
};

use self::file::Registrations;
use crate::{
    demo,
    domain::{
        audience::Resources,
        client::{self, Client, RedirectUri},
        refresh_family::RefreshLifetime,
        session::SessionLifetime,
        user::User,
    },
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

    /// Accept an http issuer and http redirect URIs that are not on this computer; for a lab network only
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

/// How clients may register themselves.
#[derive(Clone, Debug)]
pub struct Registration {
    /// What they must show (RFC 7591 §3: the initial access token), unless everybody may.
    pub token: Option<Secret>,
    /// How long one is kept while nobody uses it.
    pub idle: Duration,
}

/// Settings that have been checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub bind: SocketAddr,
    /// The issuer.
    pub origin: Origin,
    /// Where the keys are kept, if they are.
    pub keys: Option<PathBuf>,
    /// How ID tokens are signed, unless a client is registered for something else.
    pub signing_alg: KeyAlg,
    /// The name of the session cookie.
    pub session_cookie: String,
    /// The name of the browser cookie.
    pub browser_cookie: String,
    /// How long a code is good.
    pub code_lifetime: Duration,
    /// How long a browser may take to come for a pushed request.
    pub par_lifetime: Duration,
    /// How long tokens live.
    pub token_lifetime: Duration,
    /// How long a refresh token lives unused.
    pub refresh_idle: Duration,
    /// For how long after a login its tokens can be renewed.
    pub refresh_most: Duration,
    /// How long a session lives unused.
    pub session_idle: Duration,
    /// How long a session lives.
    pub session_most: Duration,
    /// How long a login may take.
    pub interaction_lifetime: Duration,
    /// How long a consent is remembered.
    pub consent_lifetime: Duration,
    /// How many entries each store holds at most.
    pub capacity: usize,
    /// How clients may register themselves, if they may.
    pub registration: Option<Registration>,
    /// Whether http is accepted outside this computer.
    pub allow_http: bool,
    /// Whether flows are recorded.
    pub record: bool,
    /// The log filter.
    pub log: String,
    /// The log format.
    pub log_format: LogFormat,
    /// Who may ask.
    pub clients: Vec<Client>,
    /// Who can sign in.
    pub users: Vec<User>,
    /// Names and passwords that the login page shows: those of the built-in demo, and nobody's outside of it.
    pub shown_users: &'static [(&'static str, &'static str)],
}

impl Settings {
    /// Where the application of the demo shows flows, both halves of them, to everybody. Of other applications nothing
    /// is known.
    pub fn demo_viewer(&self) -> Option<String> {
        let is_demo = self.record && !self.shown_users.is_empty();
        self.clients
            .first()
            .filter(|_| is_demo)
            .map(|client| format!("{}/flows", client.home().trim_end_matches('/')))
    }

    /// Where the application of the demo moves both clocks.
    pub fn demo_time_machine(&self) -> Option<String> {
        Some(format!("{}/time", self.demo_viewer()?.trim_end_matches("/flows")))
    }

    /// Where access tokens can be used: here, at the API that comes with this server, and where clients answer for it.
    pub fn resources(&self) -> Resources {
        let own = [self.origin.as_str().to_owned(), api_of(&self.origin)];
        let registered = self.clients.iter().flat_map(|client| client.resource.clone());
        Resources {
            usual: own.iter().cloned().collect(),
            known: own.iter().cloned().chain(registered).collect(),
        }
    }

    /// How long families of refresh tokens live.
    pub const fn refresh_lifetime(&self) -> RefreshLifetime {
        RefreshLifetime { idle: self.refresh_idle, most: self.refresh_most }
    }

    /// How long what a code for `scope` buys lives, at most: until the last access token ends that the last refresh
    /// token bought.
    pub fn buys_for(&self, client: &Client, scope: &Scope) -> Duration {
        let renewed = if client.gets_refresh_token(scope) { self.refresh_most } else { Duration::ZERO };
        renewed + self.token_lifetime
    }

    /// How long sessions live.
    pub const fn session_lifetime(&self) -> SessionLifetime {
        SessionLifetime { idle: self.session_idle, most: self.session_most }
    }
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
            let exposed =
                client.addresses().find(|(_, address)| !arguments.allow_http && client::is_exposed(address));
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

/// What is wrong with an address at which others can read, or change, what travels: codes and people go there, and whoever
/// can change keys on their way can sign in the client's name (RFC 8725 §3.10).
const EXPOSED: &str = "uses http, which is safe only on a loopback address (RFC 9700 §2.6): use https";

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

/// The API that comes with the server, as a resource (RFC 8707 §2).
pub fn api_of(origin: &Origin) -> String {
    format!("{}/api", origin.as_str())
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
