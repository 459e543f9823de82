//! Step 5: the consent page, and the user's decision (OpenID Connect Core §3.1.2.4).

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::Serialize;
use serde_json::{Map, Value};
use shared::{authorize::AuthorizationResponse, error::ErrorCode, flow::Step, params::Params, scope::Scope};
use web::{
    form::{Form, FormError},
    pages::{Kind, Progress},
    problem::Problem,
};

use super::{
    redirect,
    visit::{self, Visit},
};
use crate::{
    domain::{
        grant::{self, Grant, GrantId},
        interaction::Stage,
        session::Authentication,
        user::User,
    },
    http::browser,
    problems,
    state::AppState,
    tokens,
};

#[derive(Serialize)]
struct ConsentPage<'a> {
    client_name: &'a str,
    return_to: String,
    user: Account<'a>,
    csrf: &'a str,
    scopes: Vec<ScopeRow<'a>>,
}

#[derive(Serialize)]
struct Account<'a> {
    name: &'a str,
    username: &'a str,
}

#[derive(Serialize)]
struct ScopeRow<'a> {
    value: &'a str,
    required: bool,
    shown: Vec<SharedValue>,
}

/// A value that the client would see.
#[derive(Serialize)]
struct SharedValue {
    claim: String,
    value: String,
}

/// `GET /consent/{handle}`
pub async fn page(
    state: Data<AppState>,
    request: HttpRequest,
    handle: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = Visit::find(&state, &request, &handle, &mut state.checks()).await?;
    match turn(&state, &request, &visit).await? {
        Turn::Decide(authentication) => show(&state, &request, &visit, &authentication).await,
        Turn::Elsewhere(stage) => visit.lead_on(&state, &stage),
    }
}

/// `POST /consent/{handle}`
pub async fn submit(
    state: Data<AppState>,
    request: HttpRequest,
    handle: Path<String>,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    let mut checks = state.checks();
    let (visit, params) = visit::submitted(&state, &request, &handle, form, &["scope"], &mut checks).await?;
    if let Turn::Elsewhere(stage) = turn(&state, &request, &visit).await? {
        return visit.lead_on(&state, &stage);
    }
    let allowed = match params.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return Err(Problem::malformed("decision is neither allow nor deny")),
    };
    // Whoever decides first decides: a second click finds the request answered.
    let decided =
        state.stores.interactions.decide(visit.handle, visit.now).await.map_err(problems::from_store)?;
    let authentication = decided.ok_or_else(|| problems::already_answered(&visit.client.uri))?;
    // Whoever unticks everything says no, too: a scope is never empty (RFC 6749 §3.3).
    let scope = ticked(&visit.interaction.request.scope, &params);
    let response = if allowed && !scope.is_empty() {
        AuthorizationResponse::Code(grant(&state, &visit, authentication, scope).await?)
    } else {
        AuthorizationResponse::Error { error: ErrorCode::AccessDenied, description: "The user said no." }
    };
    let address = &visit.interaction.request.return_address;
    Ok(redirect::send_back(address, &state.metadata.issuer, &response))
}

/// Whose turn it is.
enum Turn {
    /// The user's who signed in for this interaction, and whose session still lives in this browser.
    Decide(Authentication),
    /// Nobody's on this page: the interaction goes on elsewhere.
    Elsewhere(Stage),
}

async fn turn(state: &AppState, request: &HttpRequest, visit: &Visit) -> Result<Turn, Problem> {
    let Stage::AwaitingConsent { authentication } = &visit.interaction.stage else {
        return Ok(Turn::Elsewhere(visit.interaction.stage.clone()));
    };
    let session = browser::session(state, request, visit.now).await.map_err(problems::from_store)?;
    if session.is_some_and(|session| session.authentication.subject == authentication.subject) {
        return Ok(Turn::Decide(authentication.clone()));
    }
    let stage =
        state.stores.interactions.sign_out(visit.handle, visit.now).await.map_err(problems::from_store)?;
    stage.map(Turn::Elsewhere).ok_or_else(problems::interaction_unknown)
}

async fn show(
    state: &AppState,
    request: &HttpRequest,
    visit: &Visit,
    authentication: &Authentication,
) -> Result<HttpResponse, Problem> {
    let user = state.stores.users.find(&authentication.subject).await.map_err(problems::from_store)?;
    let user = user.ok_or_else(problems::interaction_unknown)?;
    let page = ConsentPage {
        client_name: &visit.client.name,
        return_to: visit.return_to(),
        user: Account { name: user.display_name(), username: user.username.as_str() },
        csrf: &visit.csrf,
        scopes: visit.interaction.request.scope.iter().map(|value| row(value, &user)).collect(),
    };
    let progress = Some(Progress::Now(Step::Consent));
    state.site.pages.respond(request, StatusCode::OK, Kind::Form, "idp/consent.html", progress, &page)
}

fn row<'a>(value: &'a str, user: &User) -> ScopeRow<'a> {
    let claims = if value == Scope::OPENID {
        Map::from_iter([("sub".to_owned(), user.subject.as_str().into())])
    } else {
        user.opened_by(value)
    };
    let shown = claims.into_iter().map(|(claim, value)| SharedValue { claim, value: readable(&value) });
    ScopeRow { value, required: value == Scope::OPENID, shown: shown.collect() }
}

/// A text as it is, an address by its first member, anything else as JSON.
fn readable(value: &Value) -> String {
    let inner = value.as_object().and_then(|members| members.values().next()).unwrap_or(value);
    inner.as_str().map_or_else(|| inner.to_string(), ToOwned::to_owned)
}

/// What was asked for, as far as the user left it ticked.
fn ticked(asked: &Scope, params: &Params) -> Scope {
    asked.filtered(|value| value == Scope::OPENID || params.all("scope").any(|ticked| ticked == value))
}

/// What the user allowed becomes a grant, known by its code until step 8.
async fn grant(
    state: &AppState,
    visit: &Visit,
    authentication: Authentication,
    scope: Scope,
) -> Result<shared::secret::Secret, Problem> {
    let asked = &visit.interaction.request;
    let mut id = [0; 16];
    state.random.fill(&mut id);
    let expires = visit.now + state.settings.code_lifetime;
    let grant = Grant {
        id: GrantId(uuid::Builder::from_random_bytes(id).into_uuid()),
        client_id: asked.client_id.clone(),
        authentication,
        scope,
        nonce: asked.nonce.clone(),
        redirect_uri: asked.return_address.redirect_uri().as_str().to_owned(),
        challenge: asked.challenge.clone(),
        stage: grant::Stage::CodeIssued { expires },
        revoked: None,
    };
    let code = tokens::mint_code(state.random.as_ref());
    // A late code is remembered for as long again, so that the RP is told that it is late and not that it is unknown.
    let forget = expires + state.settings.code_lifetime;
    state.stores.grants.issue(code.hash(), grant, forget, visit.now).await.map_err(problems::from_store)?;
    Ok(code)
}
