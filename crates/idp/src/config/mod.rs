//! Settings, once they have been checked, and what follows from them. They come from [flags and environment
//! variables](Arguments); clients and users of one's own stand in a [file](mod@file).

mod arguments;
mod clients;
mod document;
pub mod dynamic;
#[cfg(test)]
mod example;
pub mod file;
mod users;
mod values;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use shared::{scope::Scope, secret::Secret};
use web::{origin::Origin, settings::LogFormat};

pub use self::arguments::{Arguments, Command};
use crate::{
    domain::{
        audience::Resources, client::Client, refresh_family::RefreshLifetime, session::SessionLifetime,
        user::User,
    },
    keys::KeyAlg,
};

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

/// What is wrong with an address at which others can read, or change, what travels: codes and people go there, and whoever
/// can change keys on their way can sign in the client's name (RFC 8725 §3.10).
const EXPOSED: &str = "uses http, which is safe only on a loopback address (RFC 9700 §2.6): use https";

/// The API that comes with the server, as a resource (RFC 8707 §2).
pub fn api_of(origin: &Origin) -> String {
    format!("{}/api", origin.as_str())
}
