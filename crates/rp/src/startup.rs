//! Putting the application together: the same for the program and for its tests.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    cookie::Key,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    rt,
    web::{Data, ServiceConfig, get, post, resource, scope, to},
};
use shared::{
    clock::{Clock, SystemClock},
    flow::{CheckSink, NoRecording},
    random::{Random, SystemRandom},
};
use thiserror::Error;
use tracing_actix_web::TracingLogger;
use web::{
    assets,
    front_door::{Alias, Site, front_door},
    pages::{House, Pages, PagesError},
    problem::Problem,
    settings::exposure_warning,
    telemetry::RequestSpan,
};

use crate::{
    attempt::{AttemptStore, MemoryAttempts},
    callback,
    config::Settings,
    health, home, login, logout,
    provider::Provider,
    sessions::Sessions,
    state::AppState,
};

/// How many logins can be under way at a time.
const MAX_ATTEMPTS: usize = 10_000;
/// How long running requests get when the server is told to stop, in seconds.
const DRAIN_SECONDS: u64 = 10;
/// How often memory is given back.
const SWEEP: Duration = Duration::from_secs(60);

/// Why the server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The port is taken, or not ours.
    #[error("cannot listen on {0}: {1}. Is another copy running? RP_BIND chooses another address")]
    Listen(SocketAddr, io::Error),
    /// A template or a text.
    #[error(transparent)]
    Pages(#[from] PagesError),
    /// The HTTP client.
    #[error("the HTTP client cannot be made: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// The server itself.
    #[error(transparent)]
    Server(#[from] io::Error),
}

/// What a server takes from the world around it.
#[derive(Clone)]
pub struct Surroundings {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub random: Arc<dyn Random>,
    /// Where checks are told to.
    pub sink: Arc<dyn CheckSink>,
}

impl Default for Surroundings {
    /// The computer's clock and randomness; nobody watches.
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            sink: Arc::new(NoRecording),
        }
    }
}

/// A server that is ready to run.
pub struct Application {
    address: SocketAddr,
    home: String,
    server: Server,
    sweeper: Sweeper,
}

impl Application {
    /// Listens where the settings say.
    pub fn build(settings: Settings, surroundings: Surroundings) -> Result<Self, StartError> {
        let listener =
            TcpListener::bind(settings.bind).map_err(|error| StartError::Listen(settings.bind, error))?;
        Self::build_on(listener, settings, surroundings)
    }

    /// The same on a socket that listens already: a test then knows the port before it writes the settings.
    pub fn build_on(
        listener: TcpListener,
        settings: Settings,
        surroundings: Surroundings,
    ) -> Result<Self, StartError> {
        let Surroundings { clock, random, sink } = surroundings;
        let address = listener.local_addr()?;
        if let Some(warning) = exposure_warning(address) {
            tracing::warn!("{warning}");
        }
        let home = format!("{}/", settings.base_url.as_str());
        let site = Data::new(Site {
            origin: settings.base_url.clone(),
            pages: Pages::load(House::Rp, settings.base_url.clone())?,
            clock: clock.clone(),
            alias: Alias::Redirect,
        });
        let sessions = Sessions::new(clock.clone(), random.clone());
        let attempts = Arc::new(MemoryAttempts::with_capacity(MAX_ATTEMPTS));
        let sweeper = Sweeper(attempts.clone(), sessions.clone(), clock.clone());
        let mut signing_key = [0; 64];
        random.fill(&mut signing_key);
        let signing_key = Key::from(&signing_key);
        let state = Data::new(AppState {
            provider: Provider::new(settings.issuer.clone(), clock.clone(), sink.clone())?,
            settings,
            clock,
            random,
            sink,
            attempts,
            sessions,
        });
        let server = HttpServer::new(move || {
            let base = state.settings.base_url.path().to_owned();
            App::new()
                .app_data(site.clone())
                .app_data(state.clone())
                .service(scope(&base).configure(routes))
                .default_service(to(not_found))
                .wrap(state.sessions.middleware(&state.settings, signing_key.clone()))
                .wrap(from_fn(front_door))
                .wrap(TracingLogger::<RequestSpan>::new())
        })
        .shutdown_timeout(DRAIN_SECONDS)
        .listen(listener)?
        .run();
        Ok(Self {
            address,
            home,
            server,
            sweeper,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it from outside.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until the process is told to stop, then lets requests under way finish.
    pub async fn run(self) -> io::Result<()> {
        tracing::info!(address = %self.address, home = self.home, "the client application is ready");
        let sweeping = rt::spawn(self.sweeper.run());
        let ended = self.server.await;
        sweeping.abort();
        ended
    }
}

/// The addresses, in the order of the flow.
fn routes(routes: &mut ServiceConfig) {
    routes
        .service(resource("/").route(get().to(home::home)))
        .service(resource("/login").route(get().to(login::login)))
        .service(resource("/auth").route(get().to(callback::callback)))
        .service(
            resource("/logout")
                .route(get().to(logout::ask))
                .route(post().to(logout::end)),
        )
        .service(resource("/health").route(get().to(health::health)))
        .service(resource("/assets/{name}").route(get().to(assets::serve)));
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

/// Gives back the memory of what has ended.
struct Sweeper(Arc<dyn AttemptStore>, Sessions, Arc<dyn Clock>);

impl Sweeper {
    async fn run(self) {
        let Self(attempts, sessions, clock) = self;
        loop {
            tokio::time::sleep(SWEEP).await;
            attempts.sweep(clock.now()).await;
            sessions.sweep();
        }
    }
}
