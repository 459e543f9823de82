//! Both servers in this process.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{dev::ServerHandle, rt};
use clap::Parser as _;
use idp::config::Settings;
use shared::{
    clock::{Clock as _, ManualClock, SystemClock},
    flow::{Event, NoRecording, Rule, Sink},
    random::SystemRandom,
};

use crate::eavesdropper::Eavesdropper;

/// The client of the tutorial: its users are asked for their consent every time.
const TUTORIAL: &str = "client1";

/// An IdP and an RP that know each other, as in the built-in demo.
pub struct Pair {
    /// The IdP's address.
    pub issuer: String,
    /// The RP's address.
    pub home: String,
    /// Where whoever runs the IdP comes in to see its flows.
    pub idp_flows: String,
    clock: Arc<ManualClock>,
    idp_checks: Arc<Notebook>,
    idp_settings: Settings,
    idp: ServerHandle,
    rp: ServerHandle,
}

/// Every rule that a server checked.
#[derive(Default)]
struct Notebook(Mutex<Vec<Rule>>);

impl Sink for Notebook {
    fn is_watching(&self) -> bool {
        true
    }

    fn record(&self, event: Event) {
        if let Event::Check(check) = event {
            self.0.lock().unwrap().push(check.rule);
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // The futures do their work when they are called; there is nobody left to wait for it.
        drop((self.idp.stop(false), self.rp.stop(false)));
    }
}

/// Where both servers listen, and where the world believes that they are.
struct Doors {
    idp: TcpListener,
    rp: TcpListener,
    issuer: String,
    home: String,
}

impl Doors {
    /// The servers listen at their own addresses, the IdP under a name of this computer.
    fn at(idp: TcpListener, rp: TcpListener, idp_host: &str) -> Self {
        let issuer = format!("http://{idp_host}:{}", port(&idp));
        let home = format!("http://127.0.0.1:{}", port(&rp));
        Self { idp, rp, issuer, home }
    }
}

impl Pair {
    /// Both servers at 127.0.0.1.
    pub fn start() -> Self {
        Self::start_with("127.0.0.1", |_| ())
    }

    /// Both at the addresses that the tutorial uses, which must be free.
    pub fn start_as_in_the_tutorial() -> Self {
        Self::start_on(Doors::at(listen(5001), listen(5002), "127.0.0.1"), TUTORIAL, |_| ())
    }

    /// The IdP under another name of this computer, or with other settings.
    pub fn start_with(idp_host: &str, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_on(Doors::at(listen(0), listen(0), idp_host), TUTORIAL, change)
    }

    /// The RP is the client whose users are asked for their consent once.
    pub fn start_with_remembered_consent() -> Self {
        Self::start_on(Doors::at(listen(0), listen(0), "127.0.0.1"), "client2", |_| ())
    }

    /// Somebody stands in front of the IdP and somebody in front of the RP, where everybody believes the servers to be.
    pub async fn start_overheard() -> (Self, [Eavesdropper; 2]) {
        let (idp, rp) = (listen(0), listen(0));
        let ears = [Eavesdropper::before(port(&idp)).await, Eavesdropper::before(port(&rp)).await];
        let [issuer, home] = ears.each_ref().map(Eavesdropper::address);
        (Self::start_on(Doors { idp, rp, issuer, home }, TUTORIAL, |_| ()), ears)
    }

    fn start_on(doors: Doors, client_id: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let Doors { idp, rp, issuer, home } = doors;
        let redirect_uri = format!("{home}/auth");
        let flags = ["idp", "--issuer", &issuer, "--client-redirect-uri", &redirect_uri];
        let mut idp_settings = Settings::try_from(idp::config::Arguments::parse_from(flags)).unwrap();
        change(&mut idp_settings);

        // From here on time stands still. It starts at the present, because the browser has a clock too.
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let idp_checks = Arc::new(Notebook::default());
        let (idp, idp_flows) = serve_idp(idp, idp_settings.clone(), clock.clone(), idp_checks.clone());
        let secret = format!("{client_id}-secret");
        let flags = ["rp", "--issuer", &issuer, "--base-url", &home];
        let client = ["--client-id", client_id, "--client-secret", &secret];
        let rp = serve_rp(rp, &[&flags[..], &client].concat(), clock.clone());
        Self { issuer, home, idp_flows, clock, idp_checks, idp_settings, idp, rp }
    }

    /// The clock of both servers moves on.
    pub fn passes(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The address of an authorization request, as a client of the demo would send it. No login of the RP's belongs to it.
    pub fn question(&self, client_id: &str, scope: &str, more: &str) -> String {
        let (issuer, scope) = (&self.issuer, scope.replace(' ', "+"));
        format!(
            "{issuer}/oauth/authorize?response_type=code&client_id={client_id}&redirect_uri={}/auth&scope={scope}&state=s\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&{more}",
            self.home,
        )
    }

    /// How many requests the token endpoint has answered so far: each is one client that was authenticated and wants
    /// something.
    pub fn token_calls(&self) -> usize {
        let rules = self.idp_checks.0.lock().unwrap();
        rules.iter().filter(|rule| **rule == Rule::GrantTypeKnown).count()
    }

    /// The IdP's process ends. The RP soon notices: it asks again after a few seconds.
    pub async fn stops_idp(&self) {
        self.idp.stop(false).await;
        self.passes(10);
    }

    /// Both end, and their ports are free again.
    pub async fn stops(self) {
        self.idp.stop(false).await;
        self.rp.stop(false).await;
    }

    /// Another IdP starts at the same address. It remembers nothing and has another key.
    pub fn restarts_idp(&mut self) {
        let port = self.idp_settings.origin.authority().rsplit(':').next().unwrap().parse().unwrap();
        let listener = listen(port);
        let (settings, checks) = (self.idp_settings.clone(), self.idp_checks.clone());
        (self.idp, self.idp_flows) = serve_idp(listener, settings, self.clock.clone(), checks);
        self.passes(10);
    }
}

fn listen(port: u16) -> TcpListener {
    TcpListener::bind(("127.0.0.1", port)).unwrap_or_else(|error| panic!("port {port}: {error}"))
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

fn serve_idp(
    listener: TcpListener,
    settings: Settings,
    clock: Arc<ManualClock>,
    sink: Arc<Notebook>,
) -> (ServerHandle, String) {
    let surroundings = web::server::Surroundings { clock, random: Arc::new(SystemRandom), sink };
    let application = idp::startup::Application::build_on(listener, settings, surroundings).unwrap();
    let (handle, flows) = (application.handle(), idp::features::flows::address(&application.state()));
    rt::spawn(application.run());
    (handle, flows.unwrap())
}

fn serve_rp(listener: TcpListener, flags: &[&str], clock: Arc<ManualClock>) -> ServerHandle {
    let settings = rp::config::Settings::try_from(rp::config::Arguments::parse_from(flags)).unwrap();
    let surroundings =
        web::server::Surroundings { clock, random: Arc::new(SystemRandom), sink: Arc::new(NoRecording) };
    let application = rp::startup::Application::build_on(listener, settings, surroundings).unwrap();
    let handle = application.handle();
    rt::spawn(application.run());
    handle
}
