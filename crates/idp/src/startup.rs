//! Builds the server. The program and the tests start it in the same way, with other surroundings.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{
    App, HttpServer, ResponseError as _,
    body::BoxBody,
    dev::{Server, ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderValue},
    },
    middleware::{Condition, from_fn},
    web::{self as actix, Data},
};
use shared::{
    clock::{Clock, ShiftedClock},
    flow::{Exchange, Party},
    secret::Secret,
};
use tracing_actix_web::TracingLogger;
use viewer::{
    desk,
    live::Closing,
    recorder::{Limits, Recorder},
    steps::gate,
    tap::{Tap, Watch, tap},
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
    client_keys::PublishedKeys,
    code_flow::{account, authorize, consent, discovery, login, par, userinfo},
    config::{Settings, dynamic::Offer},
    features::{
        flows, home, introspection, logout, registration, revocation,
        steps::{self, Announced},
    },
    http::{cors, csrf::CsrfKey, oauth_error::OAuthError},
    keys::Keys,
    passwords::Passwords,
    resource_server::api,
    state::AppState,
    store::{Stores, memory},
    throttle::Throttle,
    token_endpoint,
};

/// A server that is ready to run.
pub struct Application {
    address: SocketAddr,
    server: Server,
    state: Data<AppState>,
}

impl Application {
    /// Listens where the settings say.
    pub fn build(settings: Settings, surroundings: Surroundings) -> Result<Self, StartError> {
        let listener = server::listen(settings.bind, "IDP_BIND")?;
        Self::build_on(listener, settings, surroundings)
    }

    /// Serves on a listener that is open already.
    pub fn build_on(
        listener: TcpListener,
        settings: Settings,
        surroundings: Surroundings,
    ) -> Result<Self, StartError> {
        let (clients, users) = (settings.clients.clone(), settings.users.clone());
        let stores = memory::stores(clients, users, settings.capacity, settings.registration.is_some());
        Self::build_with(listener, settings, surroundings, stores)
    }

    /// The same with other stores than those in memory.
    pub fn build_with(
        listener: TcpListener,
        settings: Settings,
        surroundings: Surroundings,
        stores: Stores,
    ) -> Result<Self, StartError> {
        let address = listener.local_addr()?;
        if let Some(warning) = exposure_warning(address) {
            tracing::warn!("{warning}");
        }
        let state = Data::new(state(settings, surroundings, stores)?);
        let shared = state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .app_data(shared.site.clone())
                .wrap(Condition::new(shared.steps.is_some(), from_fn(gate::<AppState>)))
                .wrap(from_fn(front_door))
                .wrap(from_fn(tap))
                .wrap(TracingLogger::<RequestSpan>::new())
                .configure(|app| routes(app, &shared))
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
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it from outside.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Where its own flow viewer opens, if flows are recorded.
    pub fn viewer(&self) -> Option<String> {
        flows::address(&self.state)
    }

    /// What it works on.
    pub fn state(&self) -> Data<AppState> {
        self.state.clone()
    }

    /// Serves until the process is told to stop, then lets requests under way finish.
    pub async fn run(self) -> io::Result<()> {
        tracing::info!(address = %self.address, issuer = self.state.settings.origin.as_str(), "the provider is ready");
        let state = self.state;
        let closing = state.closing.clone();
        let sweep = move || {
            let state = state.clone();
            async move {
                let now = state.clock.now();
                state.stores.sweep(now).await;
                state.stores.clients.sweep(state.present()).await;
                if let Some(announced) = &state.steps {
                    announced.sweep(now);
                }
                state.throttle.sweep(state.present());
                state.keys.refresh(state.present()).await;
            }
        };
        server::serve(self.server, sweep, move || closing.close()).await
    }
}

fn state(settings: Settings, surroundings: Surroundings, stores: Stores) -> Result<AppState, StartError> {
    let Surroundings { clock, random, mut sink } = surroundings;
    let recorder = settings.record.then(|| {
        Arc::new(Recorder::new(Party::Idp, None, Limits::default(), Arc::clone(&clock), Arc::clone(&random)))
    });
    if recorder.is_some() {
        sink = Arc::new(Watch { also: sink });
    }
    // Keys and the throttle do not travel in time, and records keep the order in which things happened.
    let present = Arc::clone(&clock);
    let time = (settings.record && settings.origin.is_loopback())
        .then(|| Arc::new(ShiftedClock::around(Arc::clone(&clock))));
    let clock = time.as_ref().map_or(clock, |time| Arc::clone(time) as Arc<dyn Clock>);
    let viewer = settings.demo_viewer();
    let keys = match &settings.keys {
        Some(folder) => Keys::kept_in(folder, settings.token_lifetime, clock.now()),
        None => Keys::generate(),
    };
    let keys = keys.map_err(|error| StartError::Own(format!("IDP_KEYS: {error}")))?;
    let metadata = discovery::metadata(&settings);
    Ok(AppState {
        metadata_document: serde_json::to_vec(&metadata).map_err(StartError::own)?.into(),
        metadata,
        resources: settings.resources(),
        offer: Offer::of(&settings),
        site: Data::new(Site {
            origin: settings.origin.clone(),
            pages: Pages::load(House::Idp, settings.origin.clone())?
                .with_viewer(viewer.as_deref())
                .with_time(time.clone(), settings.demo_time_machine()),
            clock: Arc::clone(&clock),
            alias: Alias::Refuse,
        }),
        stores,
        keys: Arc::new(keys),
        client_keys: PublishedKeys::default(),
        passwords: Arc::new(Passwords::new(random.as_ref()).map_err(StartError::own)?),
        throttle: Throttle::new(present),
        csrf: CsrfKey::new(random.as_ref()),
        viewer_token: Secret::mint("", random.as_ref()),
        steps: recorder.is_some().then(|| Announced::new(Arc::clone(&clock))),
        time,
        closing: Closing::default(),
        settings,
        clock,
        random,
        sink,
        recorder,
    })
}

/// Every address of the provider, in the order of the flow.
fn routes(app: &mut actix::ServiceConfig, state: &Data<AppState>) {
    let base = state.settings.origin.path();
    if let Some(recorder) = &state.recorder {
        app.app_data(Data::new(Tap { recorder: recorder.clone(), base: base.to_owned(), plan, shown: None }));
        app.app_data(Data::new(state.closing.clone()));
        app.service(
            back_channel(&format!("{base}/flows/lookup"), "POST").route(actix::post().to(flows::lookup)),
        )
        .service(back_channel(&format!("{base}/flows/steps"), "POST").route(actix::post().to(steps::steps)))
        .service(below(format!("{base}/flows/enter")).get(flows::enter));
    }
    // What scripts of other sites may read: browsers ask before they let them.
    let public = |path: &str| {
        actix::resource(path).route(actix::route().method(Method::OPTIONS).to(discovery::preflight))
    };
    // RFC 8414 §3.1: the well-known part stands before the issuer's own path.
    app.service(
        public(&format!("/.well-known/oauth-authorization-server{base}"))
            .route(actix::get().to(discovery::metadata_document)),
    );
    app.service(
        actix::scope(base)
            .service(
                public("/.well-known/openid-configuration")
                    .route(actix::get().to(discovery::metadata_document)),
            )
            .service(public("/oauth/jwks").route(actix::get().to(discovery::jwks)))
            // before step 2
            .service(public_clients_too(
                back_channel("/oauth/par", "POST").route(actix::post().to(par::push)),
            ))
            // step 2
            .service(
                actix::resource("/oauth/authorize")
                    .route(actix::get().to(authorize::get))
                    .route(actix::post().to(authorize::post)),
            )
            // step 3, for somebody who is signed in already
            .service(below("/account").get(account::page).post(account::submit))
            // steps 3 and 4
            .service(below("/login").get(login::page).post(login::submit))
            // steps 5 and 6
            .service(below("/consent").get(consent::page).post(consent::submit))
            // steps 8 and 9
            .service(public_clients_too(
                back_channel("/oauth/token", "POST").route(actix::post().to(token_endpoint::token)),
            ))
            // for whoever has tokens, or is shown one
            .service(public_clients_too(
                back_channel("/oauth/revoke", "POST").route(actix::post().to(revocation::revoke)),
            ))
            .service(
                back_channel("/oauth/introspect", "POST").route(actix::post().to(introspection::endpoint)),
            )
            // after step 10
            .service(public_clients_too(
                back_channel("/oauth/userinfo", "GET, POST")
                    .route(actix::get().to(userinfo::get))
                    .route(actix::post().to(userinfo::post)),
            ))
            .service(public_clients_too(back_channel("/api/me", "GET").route(actix::get().to(api::me))))
            .service(public_clients_too(back_channel("/api/notes", "GET").route(actix::get().to(api::notes))))
            // beside the flow
            .configure(|app| {
                if state.settings.registration.is_some() {
                    registration_routes(app);
                }
            })
            .service(
                actix::resource("/oauth/logout")
                    .route(actix::get().to(logout::get))
                    .route(actix::post().to(logout::post)),
            )
            .service(actix::resource("/logout").route(actix::post().to(logout::confirm)))
            .service(actix::resource("/").route(actix::get().to(home::home)))
            .service(actix::resource("/withdraw").route(actix::post().to(home::withdraw)))
            .configure(|app| {
                if state.recorder.is_some() {
                    desk::routes::<AppState>(app);
                    viewer::steps::routes::<AppState>(app);
                }
            })
            .service(actix::resource("/glossary").route(actix::get().to(desk::glossary)))
            .service(actix::resource("/health").route(actix::get().to(health)))
            .service(below("/assets").get(assets::serve)),
    );
    app.default_service(actix::to(async || Problem::not_found().error_response()));
}

/// Where clients register themselves, and where each of them finds its registration.
fn registration_routes(app: &mut actix::ServiceConfig) {
    app.service(back_channel("/oauth/register", "POST").route(actix::post().to(registration::register)))
        .service(
            actix::scope("/oauth/register").service(
                back_channel("/{client_id}", "GET, DELETE")
                    .route(actix::get().to(registration::look))
                    .route(actix::delete().to(registration::delete)),
            ),
        );
}

/// An address of the back channel. RFC 9110 §15.5.6: a refused method is answered with those that are not.
fn back_channel(path: &str, methods: &'static str) -> actix_web::Resource {
    actix::resource(path).default_service(actix::to(move || async move {
        let mut refusal = OAuthError::method_not_allowed().error_response();
        let methods = HeaderValue::from_static(methods);
        refusal.headers_mut().insert(header::ALLOW, methods);
        refusal
    }))
}

/// The same where scripts of public clients go, which browsers let them only when the answer says so.
fn public_clients_too(
    resource: actix_web::Resource,
) -> actix_web::Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    resource.wrap(from_fn(cors::for_public_clients))
}

/// What of it is recorded.
fn plan(method: &str, path: &str) -> Option<Exchange> {
    let page = path.rsplit_once('/').map_or("", |(page, _)| page);
    Some(match (method, path, page) {
        ("GET", "/.well-known/openid-configuration", _) => Exchange::Discovery,
        ("GET", "/oauth/jwks", _) => Exchange::Keys,
        ("POST", "/oauth/par", _) => Exchange::Push,
        ("GET" | "POST", "/oauth/authorize", _) => Exchange::Authorize,
        ("GET", _, "/account") => Exchange::AccountPage,
        ("POST", _, "/account") => Exchange::AccountChoice,
        ("GET", _, "/login") => Exchange::LoginPage,
        ("POST", _, "/login") => Exchange::Password,
        ("GET", _, "/consent") => Exchange::ConsentPage,
        ("POST", _, "/consent") => Exchange::Decision,
        ("POST", "/oauth/token", _) => Exchange::Token,
        ("POST", "/oauth/revoke", _) => Exchange::Revoke,
        ("POST", "/oauth/introspect", _) => Exchange::Introspect,
        ("GET" | "POST", "/oauth/userinfo", _) => Exchange::Userinfo,
        ("GET", "/api/me" | "/api/notes", _) => Exchange::Api,
        ("GET" | "POST", "/oauth/logout", _) => Exchange::EndSession,
        ("POST", "/logout", _) => Exchange::SignOut,
        _ => return None,
    })
}

async fn health() -> actix_web::HttpResponse {
    actix_web::HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}
