//! A provider on a port of its own, a browser with cookies, and a client: the words that the tests are written in.

use std::{
    collections::BTreeMap,
    net::{IpAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{dev::ServerHandle, web::Data};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use clap::Parser as _;
use idp::{
    config::{Arguments, Settings},
    domain::client::RedirectUri,
    startup::Application,
    state::AppState,
    store::{Stores, memory},
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header, redirect::Policy};
use serde_json::Value;
use shared::{
    clock::{ManualClock, Timestamp},
    flow::NoRecording,
    ids::ClientId,
    params::{self, Params},
    pkce::CodeVerifier,
    random::SystemRandom,
    scope::Scope,
    secret::Secret,
};
use url::Url;

/// The redirect URI of `client1`, as in the tutorial. Nothing listens there.
pub const REDIRECT_URI: &str = "http://127.0.0.1:5002/auth";
/// Everything that `client1` may ask for.
pub const SCOPE: &str = "openid profile email api.access rp.login";
/// The built-in users.
pub const DEMO: (&str, &str) = ("demo", "DemoTest2024!");
/// And the one of whom everything is known.
pub const ALICE: (&str, &str) = ("alice", "AliceTest2024!");
/// The built-in client that remembers consent.
pub const CLIENT2: (&str, &str) = ("client2", "client2-secret");
/// A client with redirect URIs that are easy to get wrong.
pub const OTHER_CLIENT: (&str, &str) = ("other:client", "other+secret/ %");

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

/// `Authorization: Basic`, encoded as RFC 6749 §2.3.1 says.
pub fn basic(id: &str, secret: &str) -> String {
    let joined = format!("{}:{}", params::encode(id), params::encode(secret));
    format!("Basic {}", STANDARD.encode(joined))
}

/// A code and what redeems it.
#[derive(Clone)]
pub struct Code {
    pub value: String,
    pub verifier: String,
    pub redirect_uri: String,
}

impl Code {
    /// The code that came back, with what redeems it.
    #[track_caller]
    pub fn of(asked: &AuthorizationRequest, location: &Location) -> Self {
        Self {
            value: location.param("code").unwrap_or_else(|| panic!("no code in {location:?}")),
            verifier: asked.verifier.expose().to_owned(),
            redirect_uri: asked.get("redirect_uri"),
        }
    }

    pub fn fields(&self) -> Vec<(&str, &str)> {
        vec![
            ("grant_type", "authorization_code"),
            ("code", &self.value),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &self.verifier),
        ]
    }

    /// The fields with one of them changed, or left out when `value` is empty.
    pub fn fields_with<'a>(&'a self, name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut fields = self.fields();
        fields.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
        fields
    }
}

/// An authorization request that a test can spoil.
pub struct AuthorizationRequest {
    pub verifier: CodeVerifier,
    pairs: Vec<(String, String)>,
}

impl AuthorizationRequest {
    pub fn new() -> Self {
        let verifier = CodeVerifier::generate(&SystemRandom);
        let challenge = verifier.challenge();
        let pairs = [
            ("client_id", "client1"),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("state", "af0ifjsldkj"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("prompt", "login"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { verifier, pairs }
    }

    /// The same for the second client.
    pub fn of_other_client() -> Self {
        let redirect_uri = "https://rp.example/cb?foo=bar";
        Self::new().with("client_id", OTHER_CLIENT.0).with("redirect_uri", redirect_uri)
    }

    /// The same for the client whose users are not asked twice; and without `prompt`.
    pub fn of_client2() -> Self {
        Self::new().with("client_id", CLIENT2.0).without("prompt")
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.and(name, value)
    }

    pub fn without(mut self, name: &str) -> Self {
        self.pairs.retain(|(known, _)| known != name);
        self
    }

    /// Adds a parameter, even a second time.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.pairs.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn get(&self, name: &str) -> String {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub fn query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish()
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

/// A browser: keeps cookies, follows no redirect by itself, says where its forms come from.
pub struct Browser {
    issuer: String,
    /// The address that it comes from.
    pub from: IpAddr,
    pub cookies: BTreeMap<String, String>,
    /// Where it is.
    pub page: String,
    /// What it shows.
    pub shown: Answer,
}

impl Browser {
    pub fn new(idp: &Idp) -> Self {
        Self::at(&idp.issuer)
    }

    /// A browser in front of any provider.
    pub fn at(issuer: &str) -> Self {
        let issuer = issuer.to_owned();
        let from = IpAddr::from([127, 0, 0, 1]);
        Self { issuer, from, cookies: BTreeMap::new(), page: String::new(), shown: Answer::default() }
    }

    /// Follows a link, and redirects as long as they stay at the provider.
    pub async fn goes(&mut self, address: &str) -> &Answer {
        let mut address = address.to_owned();
        loop {
            let request = http_from(self.from).get(&address).header("sec-fetch-site", "none");
            self.answered(&address, request).await;
            match self.shown.location.clone() {
                Some(next) if next.starts_with(&self.issuer) => address = next,
                _ => return &self.shown,
            }
        }
    }

    pub async fn opens(&mut self, asked: &AuthorizationRequest) -> &Answer {
        let address = format!("{}/oauth/authorize?{}", self.issuer, asked.query());
        self.goes(&address).await
    }

    /// Submits the form that it shows.
    pub async fn submits(&mut self, fields: &[(&str, &str)]) -> &Answer {
        let hidden = self.shown.hidden_fields();
        let hidden: Vec<_> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.submits_raw(&[&hidden, fields].concat()).await
    }

    /// Submits exactly these fields.
    pub async fn submits_raw(&mut self, fields: &[(&str, &str)]) -> &Answer {
        let page = self.page.clone();
        let request = http_from(self.from).post(&page).header("sec-fetch-site", "same-origin").form(fields);
        self.answered(&page, request).await;
        match self.shown.location.clone() {
            Some(next) if next.starts_with(&self.issuer) => self.goes(&next).await,
            _ => &self.shown,
        }
    }

    pub async fn signs_in(&mut self, username: &str, password: &str) -> &Answer {
        self.submits(&[("username", username), ("password", password)]).await
    }

    pub async fn decides(&mut self, decision: &str) -> &Answer {
        let ticked: Vec<(&str, &str)> = SCOPE.split(' ').map(|value| ("scope", value)).collect();
        self.submits(&[&[("decision", decision)], ticked.as_slice()].concat()).await
    }

    async fn answered(&mut self, address: &str, request: RequestBuilder) {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies.join("; ")) };
        self.shown = Answer::of(request).await;
        address.clone_into(&mut self.page);
        for cookie in &self.shown.set_cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// A browser in which `people` have signed in at client2, one after the other, and allowed it everything.
pub async fn signed_in(idp: &Idp, people: &[(&str, &str)]) -> Browser {
    let mut browser = Browser::new(idp);
    for (username, password) in people {
        browser.opens(&AuthorizationRequest::of_client2().with("prompt", "login")).await;
        // A consent that is remembered is not asked for again.
        if browser.signs_in(username, password).await.location.is_none() {
            browser.decides("allow").await.location();
        }
    }
    browser
}

/// An ID token for client2 about somebody who is signed in with this browser and has consented.
pub async fn id_token_of(idp: &Idp, browser: &mut Browser, username: &str) -> String {
    let asked = AuthorizationRequest::of_client2().with("login_hint", username);
    let location = browser.opens(&asked).await.location();
    let code = Code::of(&asked, &location);
    let tokens = idp.token_as(Some(CLIENT2), &code.fields()).await.json();
    tokens["id_token"].as_str().unwrap().to_owned()
}

/// A part of a JWT.
pub fn base64_url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// What a server answered.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub location: Option<String>,
    pub set_cookies: Vec<String>,
    pub body: String,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    async fn read(response: Response) -> Self {
        let text = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let set_cookies = response.headers().get_all(header::SET_COOKIE);
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            location: text(header::LOCATION),
            set_cookies: set_cookies.iter().map(|value| value.to_str().unwrap().to_owned()).collect(),
            body: response.text().await.unwrap(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The `error` code of a JSON answer.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// Where the browser is sent.
    pub fn location(&self) -> Location {
        Location(
            Url::parse(self.location.as_deref().unwrap_or_else(|| panic!("no Location: {self:?}"))).unwrap(),
        )
    }

    /// The CSRF token of the form.
    pub fn csrf(&self) -> String {
        let token = self.hidden_fields().into_iter().find(|(name, _)| name == "csrf");
        token.unwrap_or_else(|| panic!("no form: {self:?}")).1
    }

    /// What the form sends without anybody seeing it.
    pub fn hidden_fields(&self) -> Vec<(String, String)> {
        let fields = self.body.split(r#"<input type="hidden" name=""#).skip(1);
        let named = fields.map(|rest| rest.split('"').collect::<Vec<_>>());
        named.map(|parts| (parts[0].to_owned(), parts[2].to_owned())).collect()
    }

    /// I-rows call it a "page": an HTML error page with status 4xx and no `Location`.
    #[track_caller]
    pub fn is_error_page(&self, code: &str) {
        assert_eq!(self.status, StatusCode::BAD_REQUEST.as_u16(), "{self:?}");
        assert!(self.location.is_none(), "{self:?}");
        assert!(self.header("content-type").starts_with("text/html"), "{self:?}");
        assert!(self.body.contains(code), "{code} is not in {}", self.body);
    }
}

/// Where a redirect leads.
#[derive(Debug)]
pub struct Location(pub Url);

impl Location {
    pub fn param(&self, name: &str) -> Option<String> {
        self.params().get(name).map(ToOwned::to_owned)
    }

    pub fn params(&self) -> Params {
        Params::parse(self.0.query().unwrap_or_default().as_bytes(), &[]).unwrap()
    }

    /// RFC 6749 §4.1.2.1 and RFC 9207: an error for the RP, with its `state` and our `iss`.
    #[track_caller]
    pub fn is_refusal(&self, idp: &Idp, code: &str) {
        assert!(self.0.as_str().starts_with(REDIRECT_URI), "{self:?}");
        assert_eq!(self.param("error").as_deref(), Some(code), "{self:?}");
        assert_eq!(self.param("state").as_deref(), Some("af0ifjsldkj"), "{self:?}");
        assert_eq!(self.param("iss").as_deref(), Some(idp.issuer.as_str()), "{self:?}");
        assert_eq!(self.param("code"), None);
    }
}

/// A plain HTTP client that follows nothing, and does not read the certificates of the system at every start.
pub fn http() -> Client {
    http_from([127, 0, 0, 1].into())
}

/// The same from one of the addresses of this computer.
pub fn http_from(address: IpAddr) -> Client {
    let client = Client::builder().redirect(Policy::none()).no_proxy().tls_certs_only([]);
    client.local_address(address).build().unwrap()
}
