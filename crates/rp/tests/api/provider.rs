//! A provider that answers what it is told to answer, and remembers what it was asked.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::StatusCode,
    web::{self, Bytes, Data},
};
use serde_json::{Value, json};

use crate::keys::{HONEST, TestKey, key_set};

/// An answer.
#[derive(Clone)]
pub enum Canned {
    Json(u16, Value),
    Raw(u16, &'static str, Vec<u8>),
    Redirect(u16, String),
    /// The request is taken and never answered.
    Silence,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// The other end of the connection.
    pub from: SocketAddr,
    pub path: String,
    pub authorization: Option<String>,
    pub query: String,
    pub body: String,
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, Canned>,
    calls: Vec<Call>,
}

/// The provider, on a port of its own until it is dropped.
pub struct FakeProvider {
    pub issuer: String,
    /// Below which everything of it lies.
    path: String,
    script: Arc<Mutex<Script>>,
    handle: ServerHandle,
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl FakeProvider {
    pub fn start() -> Self {
        Self::start_below("")
    }

    /// One whose issuer ends with `path`, such as `/tenant` or `/`.
    pub fn start_below(path: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}{path}", listener.local_addr().unwrap());
        let path = path.trim_end_matches('/').to_owned();
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = Data::from(script.clone());
        let server =
            HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(answer)))
                .workers(1)
                .listen(listener)
                .unwrap()
                .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let provider = Self { issuer, path, script, handle };
        provider.describes_itself(|_| ());
        provider.publishes(&[&HONEST]);
        provider
    }

    /// Answers every request for `path` like this from now on.
    pub fn answers(&self, path: &str, answer: Canned) {
        let mut script = self.script.lock().unwrap();
        script.answers.insert(format!("{}{path}", self.path), answer);
    }

    /// Its public keys.
    pub fn publishes(&self, keys: &[&TestKey]) {
        self.answers("/jwks", Canned::Json(200, key_set(keys)));
    }

    /// Its discovery document, with a change.
    pub fn describes_itself(&self, change: impl FnOnce(&mut Value)) {
        let at = |path: &str| format!("{}{path}", self.issuer.trim_end_matches('/'));
        let mut document = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/jwks"),
            "end_session_endpoint": at("/end-session"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": true,
        });
        change(&mut document);
        self.answers("/.well-known/openid-configuration", Canned::Json(200, document));
    }

    /// Answers the token request with this ID token.
    pub fn issues(&self, id_token: &str) {
        let answer = json!({
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "openid profile",
            "id_token": id_token,
        });
        self.answers("/token", Canned::Json(200, answer));
    }

    /// The requests for `path` so far.
    pub fn calls(&self, path: &str) -> Vec<Call> {
        let path = format!("{}{path}", self.path);
        let script = self.script.lock().unwrap();
        script.calls.iter().filter(|call| call.path == path).cloned().collect()
    }
}

/// The access token that this provider gives everybody.
pub const ACCESS_TOKEN: &str = "access-token-1";

async fn answer(request: HttpRequest, body: Bytes, script: Data<Mutex<Script>>) -> HttpResponse {
    let answer = {
        let mut script = script.lock().unwrap();
        let authorization = request.headers().get("authorization");
        script.calls.push(Call {
            from: request.peer_addr().unwrap(),
            path: request.path().to_owned(),
            authorization: authorization.map(|value| value.to_str().unwrap().to_owned()),
            query: request.query_string().to_owned(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        script.answers.get(request.path()).cloned()
    };
    let status = |code| StatusCode::from_u16(code).unwrap();
    match answer {
        Some(Canned::Json(code, body)) => HttpResponse::build(status(code)).json(body),
        Some(Canned::Raw(code, media_type, body)) => {
            HttpResponse::build(status(code)).content_type(media_type).body(body)
        }
        Some(Canned::Redirect(code, location)) => {
            HttpResponse::build(status(code)).insert_header(("location", location)).finish()
        }
        Some(Canned::Silence) => std::future::pending().await,
        None => HttpResponse::NotFound().finish(),
    }
}
