//! An RP, a provider, a clock, and the steps of a login as a test tells them.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::dev::ServerHandle;
use clap::Parser as _;
use rp::{
    config::{Arguments, Settings},
    startup::Application,
};
use serde_json::{Value, json};
use shared::{
    clock::{Clock as _, ManualClock, Timestamp},
    flow::NoRecording,
    id_token::at_hash,
    random::SystemRandom,
};
use url::{Url, form_urlencoded::Serializer};

use crate::{
    browser::{Answer, Browser},
    keys::HONEST,
    provider::{ACCESS_TOKEN, Canned, FakeProvider},
};

/// The RP, and around it what a test holds in its hands.
pub struct World {
    pub origin: String,
    pub provider: FakeProvider,
    pub clock: Arc<ManualClock>,
    address: SocketAddr,
    handle: ServerHandle,
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// A login that has been sent to the provider.
#[derive(Clone)]
pub struct Login {
    pub request: Url,
    pub state: String,
    pub nonce: String,
}

impl World {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The RP with other settings.
    pub fn start_with(arguments: &[&str]) -> Self {
        let provider = FakeProvider::start();
        let issuer = provider.issuer.clone();
        Self::start_at(provider, &issuer, arguments)
    }

    /// The RP with `issuer` in its settings.
    pub fn start_at(provider: FakeProvider, issuer: &str, arguments: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let own_address = ["--base-url", &origin];
        let address = if arguments.contains(&"--base-url") { &[][..] } else { &own_address[..] };
        let line = [&["rp", "--issuer", issuer], address, arguments].concat();
        let settings = Settings::try_from(Arguments::parse_from(line)).unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(1_795_496_600)));
        let surroundings = web::server::Surroundings {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            sink: Arc::new(NoRecording),
        };
        let origin = settings.base_url.as_str().to_owned();
        let application = Application::build_on(listener, settings, surroundings).unwrap();
        let (address, handle) = (application.address(), application.handle());
        actix_web::rt::spawn(application.run());
        let userinfo = json!({ "sub": "1", "name": "Demo User", "email": "1@example.com" });
        provider.answers("/userinfo", Canned::Json(200, userinfo));
        Self { origin, provider, clock, address, handle }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.origin)
    }

    /// The socket, whatever the address that browsers use.
    pub const fn listens_at(&self) -> SocketAddr {
        self.address
    }

    pub fn passes(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn now(&self) -> i64 {
        self.clock.now().as_unix()
    }

    /// Steps 1 and 2.
    pub async fn begins(&self, browser: &mut Browser) -> Login {
        Login::sent_by(&browser.opens("/login").await)
    }

    /// The claims of a good ID token for this login.
    pub fn claims(&self, login: &Login) -> Value {
        json!({
            "iss": self.provider.issuer,
            "sub": "1",
            "aud": "client1",
            "exp": self.now() + 3600,
            "iat": self.now(),
            "auth_time": self.now(),
            "nonce": login.nonce,
            "at_hash": at_hash(ACCESS_TOKEN),
            "amr": ["pwd"],
        })
    }

    /// Steps 6 and 7: the browser comes back with these parameters.
    pub async fn returns(&self, browser: &mut Browser, params: &[(&str, &str)]) -> Answer {
        browser.opens(&callback(params)).await
    }

    /// The browser comes back with a code, and the provider is ready for it.
    pub async fn returns_with_code(&self, browser: &mut Browser, login: &Login) -> Answer {
        self.provider.issues(&HONEST.token(&self.claims(login)));
        self.comes_back(browser, login).await
    }

    /// The browser comes back with a code; whatever the provider says to that has been arranged before.
    pub async fn comes_back(&self, browser: &mut Browser, login: &Login) -> Answer {
        let issuer = self.provider.issuer.clone();
        let params = [("code", "code-1"), ("state", &login.state), ("iss", &issuer)];
        self.returns(browser, &params).await
    }

    /// A whole login in which the ID token says what `change` makes of it.
    pub async fn logs_in_as(&self, browser: &mut Browser, change: impl FnOnce(&mut Value)) -> Answer {
        let login = self.begins(browser).await;
        let mut claims = self.claims(&login);
        change(&mut claims);
        self.provider.issues(&HONEST.token(&claims));
        self.comes_back(browser, &login).await
    }

    /// A whole login that succeeds.
    pub async fn logs_in(&self, browser: &mut Browser) {
        let answer = self.logs_in_as(browser, |_| ()).await;
        assert!(answer.leads_to("/"), "{answer:?}");
    }
}

impl Login {
    pub fn sent_by(answer: &Answer) -> Self {
        assert_eq!(answer.status, 303, "{answer:?}");
        let request = answer.location();
        let param = |name: &str| {
            let found = request.query_pairs().find(|(known, _)| known == name);
            found.unwrap().1.into_owned()
        };
        Self { state: param("state"), nonce: param("nonce"), request }
    }
}

/// The callback's address with these parameters.
pub fn callback(params: &[(&str, &str)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(params).finish();
    format!("/auth?{query}")
}

/// Whether the home page greets somebody.
pub async fn is_signed_in(browser: &mut Browser) -> bool {
    let home = browser.opens("/").await;
    assert_eq!(home.status, 200, "{}", home.text);
    home.text.contains(r#"action="/logout""#)
}
