//! This application registers itself at the provider, with what is chosen on a page, and is that client from then on (RFC
//! 7591, OpenID Connect Dynamic Client Registration §3); it looks at its registration, and deletes it (RFC 7592). The page
//! shows what was sent and what came back. In the demo only: whoever opens the page decides who this application is.

mod member;

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::{Data, ServiceConfig, get, post, resource},
};
use clap::ValueEnum as _;
use openidconnect::{
    HttpRequest as ProviderRequest, HttpResponse as ProviderResponse,
    http::{self, header},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use shared::{error::ErrorCode, ids::ClientId, params::Params, scope::Scope, secret::Secret};
use url::Url;
use web::{
    assets,
    form::{Form, FormError},
    front_door::Site,
    pages::Kind,
    problem::Problem,
};

use crate::{
    algorithm::Algorithm,
    client::{AuthMethod, Client},
    identity::OwnRegistration,
    own_form,
    provider::{FetchError, MAX_ANSWER},
    state::AppState,
};

pub use member::MEMBERS;
use member::Member;

/// The name that is suggested.
const NAME: &str = "Registered App 自分で登録したアプリ";

/// What was said last, to the provider and by it.
#[derive(Clone, Debug, Default, Serialize)]
struct Told {
    deed: &'static str,
    request: String,
    /// None: there was no answer.
    status: Option<u16>,
    answer: String,
    error: Option<&'static str>,
    /// What came back could not be used: the registration is not what this application can be.
    unusable: bool,
    members: Vec<Member>,
    /// What was chosen, so that whoever is refused changes one thing and tries again.
    #[serde(skip)]
    wanted: Option<Wanted>,
}

/// The last thing that was done.
#[derive(Debug, Default)]
pub struct Last(Mutex<Option<Arc<Told>>>);

impl Last {
    fn get(&self) -> Option<Arc<Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, told: Told) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(told));
    }
}

#[derive(Serialize)]
struct Page<'a> {
    token: &'a str,
    /// Whether the provider has a place to register at; none if it does not answer.
    possible: Option<bool>,
    client_id: String,
    auth_method: String,
    alg: &'static str,
    /// Whether it is a registration of its own, and whether that can be looked at and deleted.
    registered: bool,
    managed: bool,
    /// What the form suggests, and what can be chosen.
    name: &'a str,
    method: String,
    methods: Vec<String>,
    new_alg: &'static str,
    algs: [&'static str; 5],
    told: Option<&'a Told>,
}

/// The addresses.
pub fn routes(app: &mut ServiceConfig) {
    app.service(resource("/registration").route(get().to(page)).route(post().to(act)));
}

/// `GET /registration`
async fn page(
    request: HttpRequest,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let (client, registration) = (state.client(), state.identities.registration());
    let provider = state.provider.metadata().await.ok();
    let told = state.registration.get();
    let wanted = told.as_ref().and_then(|told| told.wanted.as_ref());
    let page = Page {
        token: state.form_token.expose(),
        possible: provider.map(|it| it.registration_endpoint.is_some()),
        client_id: client.id.as_str().to_owned(),
        auth_method: name_of(client.auth_method),
        alg: client.id_token_signed_response_alg.as_str(),
        managed: registration.as_ref().is_some_and(|it| it.access.is_some()),
        registered: registration.is_some(),
        name: wanted.map_or(NAME, |it| &it.name),
        method: name_of(wanted.map_or_else(AuthMethod::default, |it| it.method)),
        new_alg: wanted.map_or_else(Algorithm::default, |it| it.alg).as_str(),
        methods: AuthMethod::value_variants().iter().copied().map(name_of).collect(),
        algs: Algorithm::ALL.map(Algorithm::as_str),
        told: told.as_deref(),
    };
    site.pages.respond(&request, StatusCode::OK, Kind::Form, "rp/registration.html", None, &page)
}

/// The name on the wire.
fn name_of(method: AuthMethod) -> String {
    method.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
}

/// `POST /registration`: `do` is register, read or forget.
async fn act(
    request: HttpRequest,
    form: Result<Form, FormError>,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let params = own_form::read(&site, &request, form)?;
    own_form::require_token(&params, &state.form_token)?;
    let told = match params.get("do") {
        Some("register") => {
            let wanted = Wanted::read(&params)?;
            Told { wanted: Some(wanted.clone()), ..register(&state, &wanted).await }
        }
        Some("read") => read(&state).await,
        Some("forget") => forget(&state).await,
        _ => return Err(Problem::malformed("do is none of register, read and forget")),
    };
    state.registration.set(told);
    let location = format!("{}registration#done", state.settings.home());
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, location)).finish())
}

/// What is chosen on the page.
#[derive(Clone, Debug)]
struct Wanted {
    name: String,
    method: AuthMethod,
    alg: Algorithm,
}

impl Wanted {
    fn read(params: &Params) -> Result<Self, Problem> {
        let chosen = |name: &str| params.get(name).unwrap_or_default();
        let method = AuthMethod::from_str(chosen("method"), false).map_err(Problem::malformed)?;
        let alg = Algorithm::from_str(chosen("alg"), false).map_err(Problem::malformed)?;
        Ok(Self { name: chosen("name").to_owned(), method, alg })
    }

    /// RFC 7591 §2: what this application says of itself.
    fn document(&self, app: &AppState) -> Value {
        let settings = &app.settings;
        let base = settings.base_url.as_str();
        let icon = assets::href(settings.base_url.path(), "favicon.svg");
        let mut scope: Vec<&str> = settings.scope.iter().collect();
        if !scope.contains(&Scope::OFFLINE_ACCESS) {
            scope.push(Scope::OFFLINE_ACCESS);
        }
        let mut document = json!({
            "application_type": "web",
            "redirect_uris": [settings.redirect_uri()],
            "post_logout_redirect_uris": [settings.post_logout_redirect_uri()],
            "client_name": self.name,
            "client_uri": format!("{base}/"),
            "logo_uri": format!("{}{icon}", settings.base_url.root()),
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": scope.join(" "),
            "token_endpoint_auth_method": name_of(self.method),
            "id_token_signed_response_alg": self.alg.as_str(),
            // A learner sees the consent page every time.
            "remember_consent": false,
        });
        if self.method == AuthMethod::PrivateKeyJwt {
            document["jwks_uri"] = format!("{base}/jwks").into();
        }
        document
    }
}

/// Registers this application, and is that client from now on.
async fn register(app: &AppState, wanted: &Wanted) -> Told {
    let provider = app.provider.metadata().await.ok();
    let Some(endpoint) = provider.and_then(|it| it.registration_endpoint.clone()) else {
        return Told { deed: "register", ..Told::default() };
    };
    let body = serde_json::to_string_pretty(&wanted.document(app)).unwrap_or_default();
    let request = http::Request::post(endpoint.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .body(body.into_bytes());
    let (mut told, answer) = send(app, "register", request).await;
    // RFC 7591 §3.2.1: what counts is what is answered, and not what was asked for.
    let registration = answer.filter(|_| told.status == Some(201)).and_then(|answer| own(&answer));
    told.unusable = told.status == Some(201) && registration.is_none();
    if let Some(registration) = registration {
        if let Some(recorder) = &app.recorder {
            recorder.also_known_as(registration.client.id.as_str().to_owned());
        }
        app.identities.take(registration);
    }
    told
}

/// RFC 7592 §2.1.
async fn read(app: &AppState) -> Told {
    send(app, "read", managed(app, http::Method::GET)).await.0
}

/// RFC 7592 §2.3. Whatever the provider says, this application is the client of the settings again.
async fn forget(app: &AppState) -> Told {
    let (told, _) = send(app, "forget", managed(app, http::Method::DELETE)).await;
    app.identities.forget_registration();
    told
}

/// A request for the registration, with what it must show.
fn managed(app: &AppState, method: http::Method) -> Result<ProviderRequest, http::Error> {
    let registration = app.identities.registration();
    let access = registration.as_ref().and_then(|it| it.access.as_ref());
    let (address, token) = access.map_or(("", ""), |(address, token)| (address.as_str(), token.expose()));
    http::Request::builder()
        .method(method)
        .uri(address)
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Vec::new())
}

/// Sends a request, and tells what was sent and what came back.
async fn send(
    app: &AppState,
    deed: &'static str,
    request: Result<ProviderRequest, http::Error>,
) -> (Told, Option<Map<String, Value>>) {
    let Ok(request) = request else { return (Told { deed, ..Told::default() }, None) };
    let mut told = Told { deed, request: written(&request), ..Told::default() };
    let answer: Result<ProviderResponse, FetchError> =
        app.provider.http().answered(request, MAX_ANSWER).await;
    let Ok(answer) = answer.inspect_err(|error| tracing::warn!(%error, deed, "no answer")) else {
        return (told, None);
    };
    told.status = Some(answer.status().as_u16());
    let document: Option<Map<String, Value>> = serde_json::from_slice(answer.body()).ok();
    told.answer = document.as_ref().and_then(|it| serde_json::to_string_pretty(it).ok()).unwrap_or_default();
    let error = document.as_ref().and_then(|it| it.get("error")?.as_str()).and_then(ErrorCode::parse);
    told.error = error.map(ErrorCode::as_str);
    if answer.status().is_success() {
        told.members = document.iter().flatten().map(Member::of).collect();
    }
    (told, document)
}

/// As it goes over the wire.
fn written(request: &ProviderRequest) -> String {
    let mut lines = vec![format!("{} {}", request.method(), request.uri())];
    let headers = request.headers().iter();
    lines.extend(headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default())));
    let body = String::from_utf8_lossy(request.body());
    format!("{}\n\n{body}", lines.join("\n")).trim_end().to_owned()
}

/// The client that the provider made of us; none if this application cannot be that.
fn own(answer: &Map<String, Value>) -> Option<OwnRegistration> {
    let said = |name: &str| answer.get(name).and_then(Value::as_str);
    let method = said("token_endpoint_auth_method").unwrap_or("client_secret_basic");
    let alg = said("id_token_signed_response_alg").unwrap_or("RS256");
    let client = Client {
        id: ClientId::new(said("client_id").filter(|id| !id.is_empty())?),
        secret: said("client_secret").map(Secret::new),
        auth_method: AuthMethod::from_str(method, false).ok()?,
        id_token_signed_response_alg: Algorithm::from_str(alg, false).ok()?,
    };
    // RFC 7518 §3.2: a secret that signs has 32 bytes at least.
    let signs = client.auth_method == AuthMethod::ClientSecretJwt
        || client.id_token_signed_response_alg == Algorithm::Hs256;
    let length = client.secret.as_ref().map_or(0, |secret| secret.expose().len());
    if (client.auth_method.needs_secret() && length == 0) || (signs && length < 32) {
        return None;
    }
    let address = said("registration_client_uri").and_then(|it| Url::parse(it).ok());
    let access = address.zip(said("registration_access_token").map(Secret::new));
    Some(OwnRegistration { client: Arc::new(client), access })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(more: &Value) -> Option<OwnRegistration> {
        let mut answer = json!({ "client_id": "app", "client_secret": "s".repeat(32) });
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        own(answer.as_object().unwrap())
    }

    #[test]
    fn what_counts_is_what_is_answered() {
        let client = answered(&json!({})).unwrap().client;
        assert_eq!(
            (client.auth_method, client.id_token_signed_response_alg),
            (AuthMethod::ClientSecretBasic, Algorithm::Rs256)
        );
        let other = json!({ "token_endpoint_auth_method": "none", "id_token_signed_response_alg": "EdDSA" });
        let client = answered(&other).unwrap().client;
        assert_eq!(
            (client.auth_method, client.id_token_signed_response_alg),
            (AuthMethod::None, Algorithm::EdDsa)
        );
    }

    #[test]
    fn what_this_application_cannot_be_it_does_not_become() {
        for bad in [
            json!({ "client_id": null }),
            json!({ "client_id": "" }),
            json!({ "client_secret": null }),
            json!({ "token_endpoint_auth_method": "tls_client_auth" }),
            json!({ "id_token_signed_response_alg": "none" }),
            json!({ "id_token_signed_response_alg": "HS256", "client_secret": "short" }),
        ] {
            assert!(answered(&bad).is_none(), "{bad}");
        }
    }
}
