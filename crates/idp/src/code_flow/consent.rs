//! Step 5: the consent page, and the user's decision (OpenID Connect Core §3.1.2.4).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use serde_json::{Map, Value};
use shared::{authorize::AuthorizationResponse, error::ErrorCode, flow::Step, params::Params, scope::Scope};
use web::{
    form::{Form, FormError},
    last_segment::LastSegment,
    pages::{Kind, Progress},
    problem::Problem,
};

use super::{
    asking::Asking,
    visit::{self, Visit},
};
use crate::{
    domain::{
        consent::{Consent, Permissions},
        interaction::{Event, Stage},
        session::Authentication,
        user::User,
    },
    http::browser,
    problems,
    state::AppState,
    store::StoreError,
};

/// Scope values that the catalogue explains, under `scope.<value>`; others are shown as they are.
pub const EXPLAINED: [&str; 8] =
    ["openid", "profile", "email", "address", "phone", "api.access", "rp.login", "offline_access"];

#[derive(Serialize)]
struct ConsentPage<'a> {
    asking: Asking<'a>,
    user: Account<'a>,
    csrf: String,
    scopes: Vec<ScopeRow<'a>>,
    claims: Vec<ClaimRow<'a>>,
    remembered: bool,
}

#[derive(Serialize)]
struct Account<'a> {
    subject: &'a str,
    name: &'a str,
    username: &'a str,
}

#[derive(Serialize)]
struct ScopeRow<'a> {
    value: &'a str,
    explained: bool,
    required: bool,
    ticked: bool,
    shown: Vec<SharedValue>,
}

/// A claim that was asked for by name.
#[derive(Serialize)]
struct ClaimRow<'a> {
    name: &'a str,
    ticked: bool,
    shown: Option<String>,
}

/// A value that the client would see.
#[derive(Serialize)]
struct SharedValue {
    claim: String,
    value: String,
    /// Of an address or a telephone number it is a word whether it was verified.
    in_words: bool,
}

/// `GET /consent/{handle}`
pub async fn page(
    state: Data<AppState>,
    request: HttpRequest,
    handle: LastSegment,
) -> Result<HttpResponse, Problem> {
    let visit = Visit::find(&state, &request, &handle, None, &mut state.checks()).await?;
    match whose_turn(&state, &request, &visit).await? {
        Turn::Decide(authentication) => show(&state, &request, &visit, &authentication).await,
        Turn::Elsewhere(stage) => Ok(visit.lead_on(&state, &stage)),
    }
}

/// `POST /consent/{handle}`
pub async fn submit(
    state: Data<AppState>,
    request: HttpRequest,
    handle: LastSegment,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    let mut checks = state.checks();
    let repeatable = ["scope", "claim"];
    let (visit, params) = visit::submitted(&state, &request, &handle, form, &repeatable, &mut checks).await?;
    let authentication = match whose_turn(&state, &request, &visit).await? {
        Turn::Decide(authentication) => authentication,
        Turn::Elsewhere(stage) => return Ok(visit.lead_on(&state, &stage)),
    };
    // The page was shown to somebody else, who was this browser's user before: it is shown anew.
    if params.get("account") != Some(authentication.subject.as_str()) {
        return Ok(visit.lead_on(&state, &visit.stage));
    }
    match params.get("decision") {
        Some("allow") => allow(&state, &visit, authentication, &params).await,
        Some("deny") => deny(&state, &visit, &authentication).await,
        Some("switch") => visit.advance_and_lead_on(&state, Event::AccountNeeded).await,
        _ => Err(Problem::malformed("decision is neither allow, deny nor switch")),
    }
}

async fn allow(
    state: &AppState,
    visit: &Visit,
    authentication: Authentication,
    params: &Params,
) -> Result<HttpResponse, Problem> {
    let asked = visit.asked.permissions();
    let allowed = asked.filtered(
        |value| value == Scope::OPENID || params.all("scope").any(|ticked| ticked == value),
        |claim| params.all("claim").any(|ticked| ticked == claim),
    );
    // Whoever unticks everything says no, too: a scope is never empty (RFC 6749 §3.3).
    if allowed.scope.is_empty() {
        return deny(state, visit, &authentication).await;
    }
    visit.decide(state, &authentication).await?;
    if visit.client.remembers_consent() {
        remember(state, visit, &authentication, &asked, &allowed).await?;
    }
    visit.approve(state, authentication, &allowed).await
}

async fn deny(
    state: &AppState,
    visit: &Visit,
    authentication: &Authentication,
) -> Result<HttpResponse, Problem> {
    visit.decide(state, authentication).await?;
    let response =
        AuthorizationResponse::Error { error: ErrorCode::AccessDenied, description: "The user said no." };
    visit.send_back(state, &response)
}

/// What was allowed and what was left unticked is not asked for again.
async fn remember(
    state: &AppState,
    visit: &Visit,
    authentication: &Authentication,
    asked: &Permissions,
    allowed: &Permissions,
) -> Result<(), Problem> {
    let (subject, client) = (&authentication.subject, &visit.client.id);
    let consent = earlier(state, visit, authentication).await?.decided(asked, allowed);
    let forget = visit.now + state.settings.consent_lifetime;
    let kept = state.stores.consents.remember(subject, client, consent, forget, visit.now).await;
    // The request is answered already: when there is no room, the user is asked again the next time.
    if let Err(StoreError::Full) = kept {
        tracing::warn!("there is no room to remember a consent");
    }
    Ok(())
}

async fn earlier(
    state: &AppState,
    visit: &Visit,
    authentication: &Authentication,
) -> Result<Consent, Problem> {
    let found = state.stores.consents.find(&authentication.subject, &visit.client.id, visit.now).await;
    Ok(found.map_err(problems::from_store)?.unwrap_or_default())
}

/// Whose turn it is.
enum Turn {
    /// The user's who signed in for this interaction, and whose session still lives in this browser.
    Decide(Authentication),
    /// Nobody's on this page: the interaction goes on elsewhere.
    Elsewhere(Stage),
}

async fn whose_turn(state: &AppState, request: &HttpRequest, visit: &Visit) -> Result<Turn, Problem> {
    let Stage::AwaitingConsent { authentication } = &visit.stage else {
        return Ok(Turn::Elsewhere(visit.stage.clone()));
    };
    let session = browser::session(state, request, visit.now).await.map_err(problems::from_store)?;
    if session.account(&authentication.subject).is_some() {
        return Ok(Turn::Decide(authentication.clone()));
    }
    let ended = Event::LoginNeeded(Some(authentication.subject.clone()));
    visit.advance(state, ended).await.map(Turn::Elsewhere)
}

async fn show(
    state: &AppState,
    request: &HttpRequest,
    visit: &Visit,
    authentication: &Authentication,
) -> Result<HttpResponse, Problem> {
    let user = state.stores.users.find(&authentication.subject).await.map_err(problems::from_store)?;
    let user = user.ok_or_else(problems::interaction_unknown)?;
    let earlier = earlier(state, visit, authentication).await?;
    let asked = visit.asked.permissions();
    let page = ConsentPage {
        asking: Asking::of(visit, request),
        user: Account {
            subject: user.subject.as_str(),
            name: user.display_name(),
            username: user.username.as_str(),
        },
        csrf: visit.csrf(state),
        scopes: asked.scope.iter().map(|value| scope_row(value, &user, &earlier)).collect(),
        claims: asked.claims.iter().map(|name| claim_row(name, &user, &earlier)).collect(),
        remembered: visit.client.remembers_consent(),
    };
    let progress = Some(Progress::Now(Step::Consent));
    let pages = &state.site.pages;
    let answer = pages.respond(request, StatusCode::OK, Kind::Form, "idp/consent.html", progress, &page)?;
    Ok(page.asking.with_logo(answer))
}

fn scope_row<'a>(value: &'a str, user: &User, earlier: &Consent) -> ScopeRow<'a> {
    let claims = if value == Scope::OPENID {
        Map::from_iter([("sub".to_owned(), user.subject.as_str().into())])
    } else {
        user.opened_by(value)
    };
    let shown = claims.into_iter().map(|(claim, value)| SharedValue {
        in_words: claim.ends_with("_verified"),
        value: readable(&value),
        claim,
    });
    ScopeRow {
        value,
        explained: EXPLAINED.contains(&value),
        required: value == Scope::OPENID,
        ticked: !earlier.declined.scope.contains(value),
        shown: shown.collect(),
    }
}

fn claim_row<'a>(name: &'a str, user: &User, earlier: &Consent) -> ClaimRow<'a> {
    let shown = user.claims(|claim| claim == name).values().next().map(readable);
    ClaimRow { name, ticked: !earlier.declined.claims.contains(name), shown }
}

/// A text as it is, an address as it would be written or else member by member, anything else as JSON.
fn readable(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(address) => {
            let formatted = address.get("formatted").and_then(Value::as_str).map(ToOwned::to_owned);
            let members: Vec<_> = address.values().filter_map(Value::as_str).collect();
            formatted.unwrap_or_else(|| members.join(", "))
        }
        other => other.to_string(),
    }
}
