//! A provider that the tests start, each its own, and talk to as clients do.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{dev::ServerHandle, web::Data};
use clap::Parser as _;
use idp::{
    config::{Arguments, Settings},
    domain::redirect_uri::RedirectUri,
    startup::Application,
    state::AppState,
    store::{Stores, memory},
};
use reqwest::header;
use shared::{
    clock::{ManualClock, Timestamp},
    flow::NoRecording,
    ids::ClientId,
    random::SystemRandom,
    scope::Scope,
    secret::Secret,
};

use super::{Answer, AuthorizationRequest, Browser, Code, OTHER_CLIENT, basic, http};

/// A provider that serves until it is dropped.
pub struct Idp {
    pub issuer: String,
    pub address: std::net::SocketAddr,
    pub clock: Arc<ManualClock>,
    pub state: Data<AppState>,
    handle: ServerHandle,
}

impl Drop for Idp {
    fn drop(&mut self) {
        // The future does its work when it is called; there is nobody left to wait for it.
        drop(self.handle.stop(false));
    }
}

impl Idp {
    /// The built-in demo and a second client.
    pub fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// The same with other settings.
    pub fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_with_both(change, |_| ())
    }

    /// The same with stores of which some do what they should not.
    pub fn start_with_stores(change: impl FnOnce(&mut Stores)) -> Self {
        Self::start_with_both(|_| (), change)
    }

    fn start_with_both(change: impl FnOnce(&mut Settings), spoil: impl FnOnce(&mut Stores)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = format!("http://{address}");
        let mut settings = Settings::try_from(Arguments::parse_from(["idp", "--issuer", &issuer])).unwrap();
        let mut other = settings.clients[0].clone();
        other.id = ClientId::new(OTHER_CLIENT.0);
        other.secret = Some(Secret::new(OTHER_CLIENT.1));
        other.redirect_uris = ["https://rp.example/cb?foo=bar", "https://rp.example/%7Ecb"]
            .map(|uri| RedirectUri::parse(uri).unwrap())
            .to_vec();
        other.scope = Scope::parse("openid profile").unwrap();
        settings.clients.push(other);
        change(&mut settings);
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(1_795_496_600)));
        let surroundings = web::server::Surroundings {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            sink: Arc::new(NoRecording),
        };
        let issuer = settings.origin.as_str().to_owned();
        let (clients, users) = (settings.clients.clone(), settings.users.clone());
        let mut stores = memory::stores(clients, users, settings.capacity, settings.registration.is_some());
        spoil(&mut stores);
        let application = Application::build_with(listener, settings, surroundings, stores).unwrap();
        let (handle, state) = (application.handle(), application.state());
        actix_web::rt::spawn(application.run());
        Self { issuer, address, clock, state, handle }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    pub fn passes(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A code for `client1` after a whole login, and the verifier that belongs to it.
    pub async fn code(&self) -> Code {
        self.code_for(&AuthorizationRequest::new()).await
    }

    pub async fn code_for(&self, asked: &AuthorizationRequest) -> Code {
        let mut browser = Browser::new(self);
        browser.opens(asked).await;
        browser.signs_in("demo", "DemoTest2024!").await;
        let location = browser.decides("allow").await.location();
        Code::of(asked, &location)
    }

    /// `POST /oauth/token` as `client1`.
    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.token_as(Some(("client1", "client1-secret")), fields).await
    }

    pub async fn token_as(&self, client: Option<(&str, &str)>, fields: &[(&str, &str)]) -> Answer {
        let mut request = http().post(self.at("/oauth/token")).form(fields);
        if let Some((id, secret)) = client {
            request = request.header(header::AUTHORIZATION, basic(id, secret));
        }
        Answer::of(request).await
    }

    /// A good token request for `code`.
    pub async fn redeems(&self, code: &Code) -> Answer {
        self.token(&code.fields()).await
    }

    pub async fn userinfo(&self, access_token: &str) -> Answer {
        Answer::of(http().get(self.at("/oauth/userinfo")).bearer_auth(access_token)).await
    }
}
