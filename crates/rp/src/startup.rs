//! Putting the application together: the same for the program and for its tests.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    cookie::Key,
    dev::{Server, ServerHandle},
    middleware::{Condition, from_fn},
    web::{Data, ServiceConfig, get, post, resource, scope, to},
};
use shared::{
    clock::{Clock, ShiftedClock},
    flow::{Exchange, Party},
    secret::Secret,
};
use tracing_actix_web::TracingLogger;
use viewer::{
    desk::{self, Desk as _},
    live::Closing,
    recorder::{Limits, Recorder},
    steps::{Steps, gate},
    tap::{Shown, Tap, Watch, tap},
};
use web::{
    assets,
    front_door::{Alias, Site, front_door},
    last_segment::below,
    pages::{House, Pages},
    problem::Problem,
    server::{self, StartError, Surroundings},
    settings::exposure_warning,
    telemetry::RequestSpan,
};

use crate::{
    attempt::MemoryAttempts,
    callback,
    config::Settings,
    health, home,
    identity::Identities,
    key::{self, SigningKey},
    login, logout,
    logouts::Logouts,
    posted::{self, Posted},
    provider::Provider,
    registration::{self, Last},
    renewal::Used,
    sessions::Sessions,
    spa,
    state::AppState,
    time, token_desk,
};

/// How many logins, and how many logouts, can be under way at a time.
const MAX_ATTEMPTS: usize = 10_000;

/// A server that is ready to run.
pub struct Application {
    address: SocketAddr,
    server: Server,
    state: Data<AppState>,
}

impl Application {
    /// Listens where the settings say.
    pub fn build(settings: Settings, surroundings: Surroundings) -> Result<Self, StartError> {
        let listener = server::listen(settings.bind, "RP_BIND")?;
        Self::build_on(listener, settings, surroundings)
    }

    /// The same on a socket that listens already: a test then knows the port before it writes the settings.
    pub fn build_on(
        listener: TcpListener,
        settings: Settings,
        surroundings: Surroundings,
    ) -> Result<Self, StartError> {
        let address = listener.local_addr()?;
        if let Some(warning) = exposure_warning(address) {
            tracing::warn!("{warning}");
        }
        let state = Data::new(state(settings, surroundings)?);
        let settings = &state.settings;
        let viewer = settings.record.then(|| format!("{}/flows", settings.base_url.path()));
        let time = Some(format!("{}time", settings.home()));
        let site = Data::new(Site {
            origin: settings.base_url.clone(),
            pages: Pages::load(House::Rp, settings.base_url.clone())?
                .with_viewer(viewer.as_deref())
                .with_time(state.time.clone(), time),
            clock: state.clock.clone(),
            alias: Alias::Redirect,
        });
        let mut signing_key = [0; 64];
        state.random.fill(&mut signing_key);
        let signing_key = Key::from(&signing_key);
        let shared = state.clone();
        let server = HttpServer::new(move || {
            let state = &shared;
            let base = state.settings.base_url.path().to_owned();
            App::new()
                .configure(|app| record(app, state))
                .app_data(site.clone())
                .app_data(state.clone())
                .service(scope(&base).configure(routes).configure(|app| {
                    if state.recorder.is_some() {
                        desk::routes::<AppState>(app);
                        token_desk::routes(app);
                        viewer::steps::routes::<AppState>(app);
                    }
                    if state.time.is_some() {
                        time::routes(app);
                    }
                    if state.settings.spa_client_id.is_some() {
                        spa::routes(app);
                    }
                    if state.settings.is_demo() {
                        registration::routes(app);
                    }
                }))
                .default_service(to(not_found))
                .wrap(Condition::new(state.steps.is_some(), from_fn(gate::<AppState>)))
                .wrap(state.sessions.middleware(&state.settings, signing_key.clone()))
                .wrap(from_fn(front_door))
                .wrap(from_fn(tap))
                .wrap(TracingLogger::<RequestSpan>::new())
        })
        .keep_alive(server::KEEP_ALIVE)
        .client_request_timeout(server::PATIENCE)
        .shutdown_timeout(server::DRAIN_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
        Ok(Self { address, server, state })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it from outside.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// What it works on.
    pub fn state(&self) -> Data<AppState> {
        self.state.clone()
    }

    /// Serves until the process is told to stop, then lets requests under way finish.
    pub async fn run(self) -> io::Result<()> {
        tracing::info!(address = %self.address, home = self.state.settings.base_url.as_str(), "the client application is ready");
        let state = self.state;
        let closing = state.closing.clone();
        let sweep = move || {
            let state = state.clone();
            async move {
                state.attempts.sweep(state.clock.now()).await;
                state.posted.sweep(state.clock.now());
                state.sessions.sweep();
                state.logouts.sweep(state.clock.now());
                if let Some(steps) = &state.steps {
                    steps.sweep();
                }
            }
        };
        server::serve(self.server, sweep, move || closing.close()).await
    }
}

fn state(settings: Settings, surroundings: Surroundings) -> Result<AppState, StartError> {
    let Surroundings { clock, random, mut sink } = surroundings;
    // What is recorded keeps the order in which it happened, and how old is what is known of the provider does not depend on
    // a clock that was put forward.
    let present = clock.clone();
    let time =
        (settings.record && settings.is_local()).then(|| Arc::new(ShiftedClock::around(clock.clone())));
    let clock = time.as_ref().map_or(clock, |time| time.clone() as Arc<dyn Clock>);
    let client = Some(settings.client.id.as_str().to_owned());
    let recorder = settings.record.then(|| {
        Arc::new(Recorder::new(Party::Rp, client, Limits::default(), present.clone(), random.clone()))
    });
    if recorder.is_some() {
        sink = Arc::new(Watch { also: sink });
    }
    let key = settings.key.clone().or_else(|| SigningKey::generate(settings.signing_alg).map(Arc::new));
    let key = key.ok_or_else(|| StartError::Own("the key of this application cannot be made".into()))?;
    Ok(AppState {
        key,
        identities: Identities::new(settings.client.clone()),
        registration: Last::default(),
        provider: Provider::new(&settings, present.clone(), sink.clone()).map_err(StartError::own)?,
        attempts: Arc::new(MemoryAttempts::with_capacity(MAX_ATTEMPTS)),
        posted: Posted::with_capacity(MAX_ATTEMPTS),
        sessions: Sessions::new(clock.clone(), random.clone()),
        logouts: Logouts::with_capacity(MAX_ATTEMPTS),
        renewals: Used::default(),
        steps: recorder.is_some().then(|| Steps::new(clock.clone())),
        time,
        form_token: Secret::mint("", &*random),
        settings,
        clock,
        random,
        sink,
        recorder,
        closing: Closing::default(),
    })
}

/// What is recorded, if anything is.
fn record(app: &mut ServiceConfig, state: &Data<AppState>) {
    if let Some(recorder) = &state.recorder {
        let base = state.settings.base_url.path().to_owned();
        app.app_data(Data::new(state.closing.clone()));
        let (at, desk) = (format!("{base}/flows"), state.clone());
        let shown = Some(Shown { at, to: Box::new(move |request| desk.sees(request)) });
        app.app_data(Data::new(Tap { recorder: recorder.clone(), base, plan, shown }));
    }
}

fn plan(method: &str, path: &str) -> Option<Exchange> {
    match (method, path) {
        ("GET", "/login") => Some(Exchange::Login),
        ("POST", "/auth") => Some(Exchange::CallbackPost),
        ("GET", path) if path == "/auth" || path.starts_with("/auth/") => Some(Exchange::Callback),
        ("POST", "/logout") => Some(Exchange::Logout),
        ("GET", "/logout/done") => Some(Exchange::LogoutDone),
        _ => None,
    }
}

/// The addresses, in the order of the flow.
fn routes(routes: &mut ServiceConfig) {
    routes
        .service(resource("/").route(get().to(home::home)))
        .service(resource("/login").route(get().to(login::login)))
        .service(resource("/auth").route(get().to(callback::callback)).route(post().to(posted::receive)))
        .service(below("/auth").get(posted::callback))
        .service(resource("/profile").route(get().to(token_desk::profile)))
        .service(resource("/logout").route(get().to(logout::ask)).route(post().to(logout::end)))
        .service(resource("/logout/done").route(get().to(logout::done)))
        .service(resource("/glossary").route(get().to(desk::glossary)))
        .service(resource("/jwks").route(get().to(key::jwks)))
        .service(resource("/health").route(get().to(health::health)))
        .service(below("/assets").get(assets::serve));
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}
