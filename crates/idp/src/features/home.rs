//! The provider's own page: what this server is, what it publishes, who is signed in with this browser and what they
//! allowed, and who may ask for logins.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use serde::Serialize;
use serde_json::Value;
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    scope::Scope,
};
use web::{
    form::{Form, FormError},
    lang::Lang,
    moment::Moment,
    pages::Kind,
    problem::Problem,
};

use super::logout;
use crate::{
    domain::{
        client::{Client, GrantType},
        client_metadata,
        session::Authentication,
    },
    http::browser,
    keys::Standing,
    problems,
    state::AppState,
    store::Stored,
};

/// How many clients that registered themselves are shown.
const MOST_REGISTERED: usize = 20;

#[derive(Serialize)]
struct Page {
    endpoints: Vec<Endpoint>,
    keys: Vec<KeyRow>,
    signing_alg: &'static str,
    accounts: Vec<AccountRow>,
    clients: Vec<ClientRow>,
    /// How many have registered themselves beyond those that are shown.
    more_clients: usize,
    users: Vec<DemoUser>,
    csrf: String,
}

#[derive(Serialize)]
struct Endpoint {
    name: &'static str,
    address: String,
    /// Whether it can be opened with a click.
    document: bool,
}

#[derive(Serialize)]
struct KeyRow {
    kid: String,
    alg: &'static str,
    stage: &'static str,
}

#[derive(Serialize)]
struct AccountRow {
    subject: String,
    name: String,
    username: String,
    since: Moment,
    consents: Vec<ConsentRow>,
}

#[derive(Serialize)]
struct ConsentRow {
    client_id: String,
    client_name: String,
    scope: String,
}

#[derive(Serialize)]
struct ClientRow {
    id: String,
    name: String,
    /// Where it is at home, if anywhere.
    uri: Option<String>,
    auth_method: &'static str,
    signs_in: bool,
    /// When it registered itself, if it did.
    registered: Option<Moment>,
    properties: Vec<Property>,
}

/// A member of its metadata.
#[derive(Serialize)]
struct Property {
    name: String,
    values: Vec<String>,
}

#[derive(Serialize)]
struct DemoUser {
    username: &'static str,
    password: &'static str,
}

/// `GET /`
pub async fn home(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let now = state.clock.now();
    let session = browser::session(&state, &request, now).await.map_err(problems::from_store)?;
    let mut accounts = Vec::new();
    for login in session.accounts() {
        accounts.extend(account_row(&state, login, now).await?);
    }
    let (csrf, cookie) = logout::form_token(&state, &request);
    let (clients, more_clients) = client_rows(&state, Lang::of(&request)).await?;
    let page = Page {
        endpoints: endpoints(&state),
        keys: state.keys.list(state.present()).await.into_iter().map(key_row).collect(),
        signing_alg: state.settings.signing_alg.as_str(),
        accounts,
        clients,
        more_clients,
        users: state
            .settings
            .shown_users
            .iter()
            .map(|(username, password)| DemoUser { username, password })
            .collect(),
        csrf,
    };
    let mut answer =
        state.site.pages.respond(&request, StatusCode::OK, Kind::Form, "idp/home.html", None, &page)?;
    if let Some(cookie) = cookie {
        answer.add_cookie(&cookie).map_err(Problem::internal)?;
    }
    Ok(answer)
}

fn endpoints(state: &AppState) -> Vec<Endpoint> {
    let metadata = &state.metadata;
    let below = |path: &str| format!("{}{path}", metadata.issuer);
    let par = metadata.pushed_authorization_request_endpoint.clone();
    let registration = metadata.registration_endpoint.clone();
    let registration =
        registration.map(|address| Endpoint { name: "registration", address, document: false });
    let own = vec![
        Endpoint { name: "discovery", address: below("/.well-known/openid-configuration"), document: true },
        Endpoint { name: "jwks", address: metadata.jwks_uri.clone(), document: true },
        Endpoint { name: "par", address: par, document: false },
        Endpoint { name: "authorization", address: metadata.authorization_endpoint.clone(), document: false },
        Endpoint { name: "token", address: metadata.token_endpoint.clone(), document: false },
        Endpoint { name: "revocation", address: metadata.revocation_endpoint.clone(), document: false },
        Endpoint { name: "introspection", address: metadata.introspection_endpoint.clone(), document: false },
        Endpoint { name: "userinfo", address: metadata.userinfo_endpoint.clone(), document: false },
        Endpoint { name: "end_session", address: metadata.end_session_endpoint.clone(), document: false },
    ];
    own.into_iter().chain(registration).collect()
}

fn key_row((kid, standing): (String, Standing)) -> KeyRow {
    KeyRow { kid, alg: standing.name.alg.as_str(), stage: standing.stage.as_str() }
}

async fn account_row(
    state: &AppState,
    login: &Authentication,
    now: Timestamp,
) -> Result<Option<AccountRow>, Problem> {
    let Some(user) = state.stores.users.find(&login.subject).await.map_err(problems::from_store)? else {
        return Ok(None);
    };
    let mut consents = Vec::new();
    for (client_id, scope) in allowed(state, &login.subject, now).await.map_err(problems::from_store)? {
        let client =
            state.stores.clients.find(&client_id, state.present()).await.map_err(problems::from_store)?;
        consents.extend(client.map(|client| ConsentRow {
            client_id: client_id.as_str().to_owned(),
            client_name: client.name.usual().to_owned(),
            scope: scope.to_string(),
        }));
    }
    Ok(Some(AccountRow {
        subject: user.subject.as_str().to_owned(),
        name: user.display_name().to_owned(),
        username: user.username.as_str().to_owned(),
        since: login.at.into(),
        consents,
    }))
}

/// What a user allowed each client: what is remembered, and what clients do with it while the user is away.
async fn allowed(state: &AppState, subject: &Subject, now: Timestamp) -> Stored<BTreeMap<ClientId, Scope>> {
    let mut allowed: BTreeMap<ClientId, Scope> = BTreeMap::new();
    for (client, consent) in state.stores.consents.of(subject, now).await? {
        allowed.insert(client, consent.allowed.scope);
    }
    for approval in state.stores.refresh_families.of(subject, now).await? {
        if state.stores.grants.is_live(approval.grant, now).await? {
            let known = allowed.entry(approval.client_id).or_default();
            *known = known.union(&approval.scope);
        }
    }
    Ok(allowed)
}

/// The registered clients, and how many there are beyond them. Only on the learner's own computer: elsewhere it is
/// nobody's business who they are.
async fn client_rows(state: &AppState, lang: Lang) -> Result<(Vec<ClientRow>, usize), Problem> {
    if !state.settings.origin.is_loopback() {
        return Ok((Vec::new(), 0));
    }
    let clients = state.stores.clients.all(state.present()).await.map_err(problems::from_store)?;
    let (registered, own): (Vec<_>, Vec<_>) = clients.iter().partition(|client| client.registered.is_some());
    // The latest first: that is the one which somebody looks for.
    let shown = own.into_iter().chain(registered.iter().rev().take(MOST_REGISTERED).copied());
    let rows = shown.map(|client| client_row(state, client, lang)).collect();
    Ok((rows, registered.len().saturating_sub(MOST_REGISTERED)))
}

fn client_row(state: &AppState, client: &Client, lang: Lang) -> ClientRow {
    let members = client_metadata::of(client, state.settings.signing_alg.as_str()).into_iter();
    ClientRow {
        id: client.id.as_str().to_owned(),
        name: client.name.for_reader(lang).unwrap_or_default().to_owned(),
        uri: client.uri.for_reader(lang).map(ToOwned::to_owned),
        auth_method: client.auth_method.as_str(),
        signs_in: client.may_use(GrantType::AuthorizationCode),
        registered: client.registered.map(Moment::from),
        properties: members.map(|(name, value)| Property { name, values: readable(&value) }).collect(),
    }
}

/// A list value by value, a text without its quotes, anything else as JSON.
fn readable(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(readable).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// `POST /withdraw`: the user takes back what they allowed a client. Everything that it was given for them is dead at
/// once.
pub async fn withdraw(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    let params = logout::own_form(&state, &request, form, &mut state.checks())?;
    let now = state.clock.now();
    let session = browser::session(&state, &request, now).await.map_err(problems::from_store)?;
    let subject = Subject::new(params.get("account").unwrap_or_default());
    // Only somebody who is signed in here decides, and only for themselves.
    if session.account(&subject).is_some() {
        let client = ClientId::new(params.get("client").unwrap_or_default());
        taken_back(&state, &subject, &client).await.map_err(problems::from_store)?;
    }
    Ok(to_home(&state))
}

/// First what is asked of others, so that nothing new comes of it meanwhile: a grant that does not count buys nothing.
async fn taken_back(state: &AppState, subject: &Subject, client: &ClientId) -> Stored<()> {
    let (now, stores) = (state.clock.now(), &state.stores);
    stores.consents.withdraw(subject, client, now).await?;
    stores.grants.revoke_all(subject, client, now).await?;
    stores.refresh_families.kill_all(subject, client, now).await
}

/// Back to this page.
pub(super) fn to_home(state: &AppState) -> HttpResponse {
    let home = format!("{}/", state.settings.origin.as_str());
    HttpResponse::SeeOther().insert_header((header::LOCATION, home)).finish()
}
