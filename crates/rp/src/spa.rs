//! A client without a server: `/spa` is a page whose script does the whole code flow by itself, as a public client (RFC 6749
//! §2.1; OAuth 2.0 for Browser-Based Applications §6.3). This server hands the page out, and sees no token. What the
//! script tells of its messages and checks is recorded for the viewer, and used for nothing else.
//!
//! The client itself is [`assets/spa.js`](../../../assets/spa.js).

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, ServiceConfig, get, post, resource},
};
use serde::Serialize;
use serde_json::json;
use shared::{
    error::ErrorCode,
    flow::{Rule, Step, Words},
};
use url::Url;
use viewer::{script, view};
use web::{
    form::{Form, FormError},
    front_door::Site,
    pages::{Kind, may_ask},
    problem::Problem,
    visitor,
};

use crate::{flows, own_form, state::AppState};

/// What the script asks for: what the RP asks for in the tutorial, but for the scope that is only the RP's.
const SCOPE: &str = "openid profile email api.access";

/// What the script checks, in this order.
pub const RULES: [Rule; 21] = [
    Rule::IssuerDiscovered,
    Rule::StateKnown,
    Rule::ResponseIssuer,
    Rule::TokenType,
    Rule::IdTokenPresent,
    Rule::TokenWellFormed,
    Rule::Algorithm,
    Rule::CriticalHeader,
    Rule::Signature,
    Rule::IssuerClaim,
    Rule::SubjectClaim,
    Rule::Audience,
    Rule::AuthorizedParty,
    Rule::Expiry,
    Rule::IssuedAt,
    Rule::NotBefore,
    Rule::Nonce,
    Rule::AccessTokenHash,
    Rule::UserinfoSubject,
    Rule::RenewedSubject,
    Rule::LogoutState,
];

/// The words that its checks show.
const WORDS: [Words; 17] = [
    Words::Absent,
    Words::Present,
    Words::LoginUnderWay,
    Words::NoSuchLogin,
    Words::AbsentNotAnnounced,
    Words::SignedJwt,
    Words::Parts,
    Words::NotJson,
    Words::SubjectText,
    Words::NobodyElse,
    Words::SignedByKey,
    Words::NoSuchKey,
    Words::SignedByOther,
    Words::After,
    Words::NotAfter,
    Words::LogoutUnderWay,
    Words::NoSuchLogout,
];

/// Its messages, by their names in the catalogue.
const EXCHANGES: [&str; 11] = [
    "discovery",
    "authorize",
    "callback",
    "token",
    "keys",
    "userinfo",
    "refresh",
    "api",
    "revoke",
    "end_session",
    "logout_done",
];

#[derive(Serialize)]
struct Page<'a> {
    issuer: &'a str,
    client_id: &'a str,
    redirect_uri: &'a str,
    scope: &'a str,
    api: &'a str,
    /// The time here in milliseconds: the demo's clock can be put forward.
    now: i64,
    /// Whether somebody wants to know what the script sends and receives.
    recorded: bool,
    rules: Vec<RuleView>,
    words: Vec<&'static str>,
    exchanges: [&'static str; 11],
    errors: Vec<&'static str>,
    parameters: Vec<&'static str>,
}

#[derive(Serialize)]
struct RuleView {
    id: &'static str,
    step: Option<Step>,
    section: &'static str,
}

/// The addresses: the page, and where its script tells of its flow.
pub fn routes(app: &mut ServiceConfig) {
    app.service(resource("/spa").route(get().to(page))).service(resource("/spa/told").route(post().to(told)));
}

/// `GET /spa`. The IdP sends the browser back here, with a code in the address (RFC 6749 §4.1.2): that is the script's
/// business alone.
async fn page(
    request: HttpRequest,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let settings = &state.settings;
    let client_id = settings.spa_client_id.as_ref().ok_or_else(Problem::not_found)?;
    let page = Page {
        issuer: settings.issuer.as_str(),
        client_id: client_id.as_str(),
        redirect_uri: &settings.spa_uri(),
        scope: SCOPE,
        api: &settings.api,
        now: state.clock.now_millis(),
        recorded: state.recorder.is_some(),
        rules: RULES.map(|it| RuleView { id: it.id(), step: it.step(), section: it.section() }).into(),
        words: WORDS.iter().map(|words| words.id()).collect(),
        exchanges: EXCHANGES,
        errors: ErrorCode::ALL.map(ErrorCode::as_str).into_iter().chain(["other"]).collect(),
        parameters: view::parameter_keys().chain(["other"]).collect(),
    };
    let mut answer =
        site.pages.respond(&request, StatusCode::OK, Kind::Plain, "viewer/spa.html", None, &page)?;
    // The endpoints that the discovery document names are asked where they are the issuer's, and nowhere else.
    let addresses =
        [settings.issuer.as_str(), &settings.api].into_iter().filter_map(|it| Url::parse(it).ok());
    let origins: BTreeSet<_> = addresses.map(|it| it.origin().ascii_serialization()).collect();
    may_ask(&mut answer, &origins.into_iter().collect::<Vec<_>>().join(" "));
    Ok(answer)
}

/// `POST /spa/told`: what the script tells of the flow with this `state`. The answer says where the flow is shown.
async fn told(
    request: HttpRequest,
    form: Result<Form, FormError>,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    // Scripts of other sites can send a form here, too.
    let params = own_form::read(&site, &request, form)?;
    let client = state.settings.spa_client_id.as_ref().ok_or_else(Problem::not_found)?;
    let recorder = state.recorder.as_ref().ok_or_else(Problem::not_found)?;
    let told = serde_json::from_str(params.get("told").unwrap_or_default()).map_err(Problem::malformed)?;
    let name = params.get("state").unwrap_or_default();
    let flow = script::take(recorder, client.as_str(), name, visitor::address(&request), told)
        .ok_or_else(|| Problem::malformed("no script can have met with this"))?;
    let mut answer = HttpResponse::Ok();
    if let Some(cookie) = flows::give(&state, &request, &flow) {
        answer.cookie(cookie);
    }
    Ok(answer.json(json!({ "flow": format!("{}flows/{flow}", state.settings.home()) })))
}
