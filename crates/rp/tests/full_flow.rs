//! The real Relying Party against the real provider, over real ports: the ten steps from the click to the greeting.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{collections::BTreeMap, net::TcpListener, sync::Arc, time::Duration};

use actix_web::web::Data;
use clap::Parser as _;
use idp::{
    keys::{Folder, Stage},
    state::AppState,
};
use reqwest::{RequestBuilder, header};
use shared::{
    clock::{Clock as _, ManualClock, Timestamp},
    flow::NoRecording,
    random::SystemRandom,
};
use url::Url;

/// Both servers, and the clock that they share.
struct Pair {
    rp: String,
    idp: String,
    clock: Arc<ManualClock>,
    provider: Data<AppState>,
}

impl Pair {
    fn start() -> Self {
        Self::start_with(&[], &[])
    }

    /// The same with more flags for the provider, and for the RP.
    fn start_with(idp_flags: &[&str], rp_flags: &[&str]) -> Self {
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
        actix_web::rt::spawn(application.run());
        Self { rp, idp, clock, provider }
    }
}

/// A browser that follows redirects. Its cookies ignore ports, as cookies do: both servers see all of them.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<(String, String), String>,
    page: Option<Url>,
    text: String,
}

impl Browser {
    async fn opens(&mut self, address: &str) {
        let request = http().get(address).header("sec-fetch-site", "none");
        self.follows(Url::parse(address).unwrap(), request).await;
    }

    /// Submits the form of the page with these fields beside those that are hidden in it.
    async fn submits(&mut self, target: Option<&str>, fields: &[(&str, &str)]) {
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
        loop {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .filter(|((_, path), _)| address.path().starts_with(path))
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
                self.page = Some(address);
                return;
            };
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

    fn is_at(&self, start: &str) -> bool {
        self.page.as_ref().unwrap().as_str().starts_with(start)
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap()
}

const PASSWORD: [(&str, &str); 2] = [("username", "demo"), ("password", "DemoTest2024!")];
const AGREE: [(&str, &str); 6] = [
    ("decision", "allow"),
    ("scope", "openid"),
    ("scope", "profile"),
    ("scope", "email"),
    ("scope", "api.access"),
    ("scope", "rp.login"),
];

impl Pair {
    async fn signs_in(&self, browser: &mut Browser) {
        browser.opens(&format!("{}/login", self.rp)).await;
        assert!(browser.is_at(&self.idp), "{:?}", browser.page);
        browser.submits(None, &PASSWORD).await;
        assert!(browser.is_at(&format!("{}/consent/", self.idp)), "{:?}", browser.page);
        browser.submits(None, &AGREE).await;
        assert!(browser.is_at(&format!("{}/", self.rp)), "{:?}", browser.page);
    }
}

#[actix_web::test]
async fn from_the_click_to_the_greeting_and_out_again() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    for text in ["Welcome, Demo User!", "1@example.com", "pwd", &pair.idp] {
        assert!(browser.text.contains(text), "{text}: {}", browser.text);
    }
    browser.submits(Some("/logout"), &[]).await;
    assert!(browser.is_at(&format!("{}/", pair.rp)), "{:?}", browser.page);
    assert!(browser.text.contains("Both sessions have ended"), "{}", browser.text);
    assert!(browser.text.contains(r#"action="/login""#), "{}", browser.text);
}

#[actix_web::test]
async fn who_says_no_comes_back_to_a_red_box() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    browser.opens(&format!("{}/login", pair.rp)).await;
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &[("decision", "deny")]).await;
    assert!(browser.is_at(&format!("{}/", pair.rp)), "{:?}", browser.page);
    assert!(browser.text.contains(r#"role="alert""#) && browser.text.contains("access_denied"));
}

#[actix_web::test]
async fn the_session_ends_with_the_id_token() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    pair.clock.advance(Duration::from_secs(3599));
    browser.opens(&format!("{}/", pair.rp)).await;
    assert!(browser.text.contains("Welcome, Demo User!"));
    pair.clock.advance(Duration::from_secs(1));
    browser.opens(&format!("{}/", pair.rp)).await;
    assert!(browser.text.contains(r#"action="/login""#), "{}", browser.text);
}

#[actix_web::test]
async fn logging_in_again_asks_for_the_password_again() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    pair.signs_in(&mut browser).await;
    assert!(browser.text.contains("Welcome, Demo User!"));
}

#[actix_web::test]
async fn r8_i24_a_login_survives_a_rotation_of_the_keys() {
    let folder = std::env::temp_dir().join(format!("rp-full-flow-{}", std::process::id()));
    let pair = Pair::start_with(&["--keys", folder.to_str().unwrap()], &[]);
    // The RP fetches the keys, and does not look again before it must.
    pair.signs_in(&mut Browser::default()).await;
    let mut under_way = Browser::default();
    under_way.opens(&format!("{}/login", pair.rp)).await;
    under_way.submits(None, &PASSWORD).await;

    let wait = Duration::from_secs(120);
    let made = Folder::at(&folder).rotate(None, wait, pair.clock.now()).unwrap();
    // While the new key waits, who comes signs in.
    pair.signs_in(&mut Browser::default()).await;
    pair.clock.advance(wait);
    let signing = pair.provider.keys.list(pair.clock.now()).await;
    let signing: Vec<_> = signing.iter().filter(|(_, it)| it.stage == Stage::Signing).collect();
    assert!(signing.iter().map(|(kid, _)| kid).eq(made.iter().map(|(_, key)| key.kid())), "{signing:?}");

    // The login that is under way ends with a token of a key that the RP has never seen.
    under_way.submits(None, &AGREE).await;
    assert!(under_way.text.contains("Welcome, Demo User!"), "{}", under_way.text);
    pair.signs_in(&mut Browser::default()).await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[actix_web::test]
async fn r6_the_pair_agrees_on_every_algorithm_that_both_have() {
    let hs256 = ["--client-id", "client-hs256", "--client-secret", "client-hs256-secret-of-32-bytes-or-more"];
    for (alg, client) in [("RS256", &[][..]), ("ES256", &[]), ("EdDSA", &[]), ("HS256", &hs256)] {
        let at_idp = if client.is_empty() { &["--signing-alg", alg][..] } else { &[] };
        let pair = Pair::start_with(at_idp, &[&["--id-token-signed-response-alg", alg], client].concat());
        let mut browser = Browser::default();
        pair.signs_in(&mut browser).await;
        assert!(browser.text.contains("Welcome, Demo User!"), "{alg}: {}", browser.text);
        // The hint of the logout is a token of the same kind.
        browser.submits(Some("/logout"), &[]).await;
        assert!(browser.text.contains("Both sessions have ended"), "{alg}: {}", browser.text);
    }
}

#[actix_web::test]
async fn who_is_signed_in_at_the_provider_needs_no_password_and_after_the_logout_does() {
    let pair = Pair::start();
    let login = |prompt: &str| format!("{}/login?prompt={prompt}", pair.rp);
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    browser.opens(&login("sso")).await;
    assert!(browser.is_at(&format!("{}/consent/", pair.idp)), "{:?}", browser.page);
    browser.submits(None, &AGREE).await;
    assert!(browser.text.contains("Welcome, Demo User!"), "{}", browser.text);
    browser.opens(&login("select_account")).await;
    assert!(browser.text.contains("Who is signing in?"), "{}", browser.text);
    // This client is asked for consent every time.
    browser.opens(&login("none")).await;
    assert!(browser.is_at(&format!("{}/", pair.rp)), "{:?}", browser.page);
    assert!(browser.text.contains("consent_required") && browser.text.contains("Welcome, Demo User!"));

    browser.submits(Some("/logout"), &[]).await;
    browser.opens(&login("none")).await;
    assert!(browser.text.contains("login_required"), "{}", browser.text);
    browser.opens(&login("sso")).await;
    assert!(browser.is_at(&format!("{}/login/", pair.idp)), "{:?}", browser.page);
}

#[actix_web::test]
async fn r14_after_the_session_has_ended_here_the_provider_takes_the_expired_token_as_a_hint() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    pair.clock.advance(Duration::from_secs(3600));
    browser.opens(&format!("{}/logout", pair.rp)).await;
    browser.submits(None, &[]).await;
    assert!(browser.is_at(&format!("{}/", pair.rp)), "{:?}", browser.page);
    assert!(browser.text.contains("Both sessions have ended"), "{}", browser.text);
    browser.opens(&format!("{}/login?prompt=sso", pair.rp)).await;
    assert!(browser.is_at(&format!("{}/login/", pair.idp)), "{:?}", browser.page);
}

#[actix_web::test]
async fn where_the_consent_is_remembered_a_second_login_shows_no_page_at_all() {
    let pair = Pair::start_with(&[], &["--client-id", "client2", "--client-secret", "client2-secret"]);
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    for prompt in ["sso", "none"] {
        browser.opens(&format!("{}/", pair.rp)).await;
        browser.submits(Some("/logout"), &[("only", "app")]).await;
        assert!(browser.text.contains("You have signed out of this app."), "{}", browser.text);
        browser.opens(&format!("{}/login?prompt={prompt}", pair.rp)).await;
        assert!(browser.is_at(&format!("{}/", pair.rp)), "{prompt}: {:?}", browser.page);
        assert!(browser.text.contains("Welcome, Demo User!"), "{prompt}: {}", browser.text);
    }
}
