//! The provider in the fuzzer's own process, on a port of its own, with the built-in demo.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use actix_web::web::Data;
use bench::{
    login::{Browser, CLIENT2, Led, Site},
    wire::Answer,
};
use clap::Parser as _;
use idp::{
    config::{Arguments, Settings},
    demo,
    startup::Application,
    state::AppState,
};
use shared::{
    clock::{Clock as _, ManualClock, Timestamp},
    flow::NoRecording,
    random::SystemRandom,
};
use web::server::Surroundings;

/// The provider.
pub struct Server {
    /// Its issuer.
    pub issuer: String,
    /// What it works on.
    pub state: Data<AppState>,
    clock: Arc<ManualClock>,
    site: Mutex<Site>,
    learner: Mutex<Browser>,
}

impl Server {
    /// Starts it; it ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let lifetime = ["--session-idle", "31536000", "--session-lifetime", "31536000"];
        let arguments = ["idp", "--issuer", &issuer].into_iter().chain(lifetime);
        let settings = Settings::try_from(Arguments::parse_from(arguments)).unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(1_795_496_600)));
        let surroundings = Surroundings {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            sink: Arc::new(NoRecording),
        };
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let application = Application::build_on(listener, settings, surroundings).unwrap();
                tell.send(application.state()).unwrap();
                application.run().await.unwrap();
            });
        });
        let state = told.recv().unwrap();
        let site = Mutex::new(Site::at(&issuer).unwrap());
        Self { issuer, state, clock, site, learner: Mutex::default() }
    }

    /// `GET target` with further header lines, each of which ends with CR and LF.
    pub fn get(&self, target: &[u8], headers: &[&[u8]]) -> Answer {
        self.nothing_breaks(self.site().get(target, headers).unwrap())
    }

    /// `POST target` with a form.
    pub fn post(&self, target: &str, headers: &[&[u8]], form: &[u8]) -> Answer {
        self.nothing_breaks(self.site().post(target.as_bytes(), headers, form).unwrap())
    }

    /// Any request with a JSON body.
    pub fn send(&self, method: &str, target: &str, headers: &[&[u8]], json: &[u8]) -> Answer {
        let length = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", json.len());
        let headers = [headers, &[length.as_bytes()]].concat();
        self.nothing_breaks(self.site().send(method.as_bytes(), target.as_bytes(), &headers, json).unwrap())
    }

    /// Its time.
    pub fn now(&self) -> i64 {
        self.clock.now().as_unix()
    }

    /// Whatever is sent, no answer is a 5xx. Time passes, so that what it left behind ends some day.
    fn nothing_breaks(&self, answer: Answer) -> Answer {
        assert!(answer.status < 500, "{}", answer.head);
        self.clock.advance(Duration::from_secs(1));
        answer
    }

    /// A new code for `client2`. Who gets it signed in and consented the first time, and is not asked again.
    pub fn code(&self) -> String {
        let mut learner = self.learner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked = learner.asks(&mut self.site(), &CLIENT2).unwrap();
        if asked == Led::On {
            let code = learner.signs_in(&mut self.site(), &CLIENT2, demo::PEOPLE[0]).unwrap();
            asked = Led::Back(code);
        }
        let Led::Back(code) = asked else { panic!("no code") };
        code
    }

    fn site(&self) -> MutexGuard<'_, Site> {
        self.site.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
