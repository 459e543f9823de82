//! Both servers, and a browser in front of them.

use std::{collections::BTreeMap, net::TcpListener, sync::Arc};

use actix_web::web::Data;
use clap::Parser as _;
use idp::state::AppState;
use reqwest::{RequestBuilder, header};
use shared::{
    clock::{ManualClock, Timestamp},
    flow::NoRecording,
    random::SystemRandom,
    response_mode::FormPost,
};
use url::Url;

/// Both servers, and the clock that they share.
pub(crate) struct Pair {
    pub(crate) rp: String,
    pub(crate) idp: String,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) provider: Data<AppState>,
    pub(crate) app: Data<rp::state::AppState>,
}

impl Pair {
    pub(crate) fn start() -> Self {
        Self::start_with(&[], &[])
    }

    /// The same with more flags for the provider, and for the RP.
    pub(crate) fn start_with(idp_flags: &[&str], rp_flags: &[&str]) -> Self {
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (rp_socket, idp_socket) = (listen(), listen());
        let address = |socket: &TcpListener| format!("http://{}", socket.local_addr().unwrap());
        let (rp, idp) = (address(&rp_socket), address(&idp_socket));
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(1_795_496_600)));

        let redirect_uri = format!("{rp}/auth");
        let flags = [&["idp", "--issuer", &idp, "--client-redirect-uri", &redirect_uri], idp_flags].concat();
        let settings = idp::config::Settings::try_from(idp::config::Arguments::parse_from(flags)).unwrap();
        let surroundings = web::server::Surroundings {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            sink: Arc::new(NoRecording),
        };
        let application = idp::startup::Application::build_on(idp_socket, settings, surroundings).unwrap();
        let provider = application.state();
        actix_web::rt::spawn(application.run());

        let flags = [&["rp", "--base-url", &rp, "--issuer", &idp], rp_flags].concat();
        let settings = rp::config::Settings::try_from(rp::config::Arguments::parse_from(flags)).unwrap();
        let surroundings = web::server::Surroundings {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            sink: Arc::new(NoRecording),
        };
        let application = rp::startup::Application::build_on(rp_socket, settings, surroundings).unwrap();
        let app = application.state();
        actix_web::rt::spawn(application.run());
        Self { rp, idp, clock, provider, app }
    }
}

/// A browser that follows redirects, and runs the one script that leads on: it submits the form of an answer that is
/// posted. Its cookies ignore ports, as cookies do: both servers see all of them.
#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<(String, String), String>,
    pub(crate) page: Option<Url>,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) async fn opens(&mut self, address: &str) {
        let request = http().get(address).header("sec-fetch-site", "none");
        self.follows(Url::parse(address).unwrap(), request).await;
    }

    /// Submits the form of the page with these fields beside those that are hidden in it.
    pub(crate) async fn submits(&mut self, target: Option<&str>, fields: &[(&str, &str)]) {
        let page = self.page.clone().unwrap();
        let target = target.map_or_else(|| page.clone(), |target| page.join(target).unwrap());
        let text = self.text.clone();
        let hidden = text.split(r#"<input type="hidden" name=""#).skip(1).map(|input| {
            let (name, rest) = input.split_once(r#"" value=""#).unwrap();
            (name, rest.split('"').next().unwrap())
        });
        let fields: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        let request = http().post(target.clone()).header("sec-fetch-site", "same-origin").form(&fields);
        self.follows(target, request).await;
    }

    async fn follows(&mut self, mut address: Url, mut request: RequestBuilder) {
        let mut is_of_another_site = false;
        loop {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .filter(|((_, path), _)| !is_of_another_site && address.path().starts_with(path))
                .map(|((name, _), value)| format!("{name}={value}"))
                .collect();
            let request_now =
                request.header(header::COOKIE, cookies.join("; ")).header(header::ACCEPT_LANGUAGE, "en");
            let response = request_now.send().await.unwrap();
            for cookie in response.headers().get_all(header::SET_COOKIE) {
                self.keeps(cookie.to_str().unwrap());
            }
            let location = response.headers().get(header::LOCATION);
            let Some(location) = location.map(|location| location.to_str().unwrap().to_owned()) else {
                self.text = response.text().await.unwrap();
                let Some(form) = FormPost::read(&self.text) else {
                    self.page = Some(address);
                    return;
                };
                // As between two sites: cookies that are `SameSite=Lax` stay behind.
                is_of_another_site = true;
                address = Url::parse(&form.action).unwrap();
                request = http().post(address.clone()).form(&form.params.iter().collect::<Vec<_>>());
                continue;
            };
            is_of_another_site = false;
            address = address.join(&location).unwrap();
            request = http().get(address.clone());
        }
    }

    fn keeps(&mut self, set_cookie: &str) {
        let (pair, attributes) = set_cookie.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let path = attributes.split("; ").find_map(|a| a.strip_prefix("Path="));
        let key = (name.to_owned(), path.unwrap_or("/").to_owned());
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }

    pub(crate) fn is_at(&self, start: &str) -> bool {
        self.page.as_ref().unwrap().as_str().starts_with(start)
    }
}

pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap()
}

pub(crate) const PASSWORD: [(&str, &str); 2] = [("username", "demo"), ("password", "DemoTest2024!")];
pub(crate) const AGREE: [(&str, &str); 6] = [
    ("decision", "allow"),
    ("scope", "openid"),
    ("scope", "profile"),
    ("scope", "email"),
    ("scope", "api.access"),
    ("scope", "rp.login"),
];

impl Pair {
    pub(crate) async fn signs_in(&self, browser: &mut Browser) {
        browser.opens(&format!("{}/login", self.rp)).await;
        assert!(browser.is_at(&self.idp), "{:?}", browser.page);
        browser.submits(None, &PASSWORD).await;
        assert!(browser.is_at(&format!("{}/consent/", self.idp)), "{:?}", browser.page);
        browser.submits(None, &AGREE).await;
        assert!(browser.is_at(&format!("{}/", self.rp)), "{:?}", browser.page);
    }
}
