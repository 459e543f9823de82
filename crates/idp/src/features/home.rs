//! The provider's own page: what this server is, what it publishes, who is signed in with this browser and what they
//! allowed, and who may ask for logins.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use serde::Serialize;
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    scope::Scope,
};
use web::{
    form::{Form, FormError},
    moment::Moment,
    pages::Kind,
    problem::Problem,
};

use super::logout;
use crate::{
    domain::{
        client::{Client, GrantType, RedirectUri},
        session::Authentication,
    },
    http::browser,
    keys::Standing,
    problems,
    state::AppState,
    store::Stored,
};

#[derive(Serialize)]
struct Page {
    endpoints: Vec<Endpoint>,
    keys: Vec<KeyRow>,
    signing_alg: &'static str,
    accounts: Vec<AccountRow>,
    clients: Vec<ClientRow>,
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
    uri: String,
    redirect_uris: Vec<String>,
    auth_method: &'static str,
    signing_alg: String,
    require_pkce: bool,
    remember_consent: bool,
    signs_in: bool,
    resource: Vec<String>,
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
    let page = Page {
        endpoints: endpoints(&state),
        keys: state.keys.list(state.present()).await.into_iter().map(key_row).collect(),
        signing_alg: state.settings.signing_alg.as_str(),
        accounts,
        clients: client_rows(&state).await?,
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
    vec![
        Endpoint { name: "discovery", address: below("/.well-known/openid-configuration"), document: true },
        Endpoint { name: "jwks", address: metadata.jwks_uri.clone(), document: true },
        Endpoint { name: "par", address: par, document: false },
        Endpoint { name: "authorization", address: metadata.authorization_endpoint.clone(), document: false },
        Endpoint { name: "token", address: metadata.token_endpoint.clone(), document: false },
        Endpoint { name: "revocation", address: metadata.revocation_endpoint.clone(), document: false },
        Endpoint { name: "introspection", address: metadata.introspection_endpoint.clone(), document: false },
        Endpoint { name: "userinfo", address: metadata.userinfo_endpoint.clone(), document: false },
        Endpoint { name: "end_session", address: metadata.end_session_endpoint.clone(), document: false },
    ]
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
        let client = state.stores.clients.find(&client_id).await.map_err(problems::from_store)?;
        consents.extend(client.map(|client| ConsentRow {
            client_id: client_id.as_str().to_owned(),
            client_name: client.name.clone(),
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

/// The registered clients. Only on the learner's own computer: elsewhere it is nobody's business who they are.
async fn client_rows(state: &AppState) -> Result<Vec<ClientRow>, Problem> {
    if !state.settings.origin.is_loopback() {
        return Ok(Vec::new());
    }
    let clients = state.stores.clients.all().await.map_err(problems::from_store)?;
    Ok(clients.iter().map(|client| client_row(state, client)).collect())
}

fn client_row(state: &AppState, client: &Client) -> ClientRow {
    ClientRow {
        id: client.id.as_str().to_owned(),
        name: client.name.clone(),
        uri: client.uri.clone(),
        redirect_uris: client.redirect_uris.iter().map(RedirectUri::as_str).map(ToOwned::to_owned).collect(),
        auth_method: client.auth_method.as_str(),
        signing_alg: match client.id_token_signed_response_alg {
            Some(alg) => format!("{alg:?}"),
            None => state.settings.signing_alg.as_str().to_owned(),
        },
        require_pkce: client.requires_pkce(),
        remember_consent: client.remembers_consent(),
        signs_in: client.may_use(GrantType::AuthorizationCode),
        resource: client.resource.clone(),
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
