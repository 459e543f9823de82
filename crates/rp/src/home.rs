//! The home page: a login button, or the signed-in user with the claims and the checks behind them.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use serde_json::{Map, Value};
use shared::clock::Timestamp;
use viewer::desk;
use web::{
    front_door::Site,
    moment::Moment,
    pages::{Kind, Progress},
    problem::Problem,
};

use crate::{
    flows, login,
    session::{self, MadeCheck, Notice, SignedIn, Visitor},
    state::AppState,
    token_desk,
    way::Way,
};

/// How many of the latest flows are shown.
const RECENT: usize = 3;

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question that the page asks")]
struct SignedOutPage<'a> {
    notice: Option<Notice>,
    ended: bool,
    provider: ProviderView<'a>,
    scope: String,
    prompt: &'static str,
    /// Whether one can go step by step.
    steps: bool,
    /// Whether this application can register itself.
    registers: bool,
    /// How the answer is to come where nothing else is wished for.
    response_mode: &'static str,
    /// How the request can travel, and how it does.
    ways: [&'static str; 4],
    way: &'static str,
    /// What else can be wished for at a login.
    wishes: [&'static str; 4],
    /// Whether there is a client without a server, too.
    spa: bool,
    /// The latest flows, if flows are recorded.
    flows: Option<Value>,
}

#[derive(Serialize)]
struct ProviderView<'a> {
    issuer: &'a str,
    reachable: bool,
}

#[derive(Serialize)]
struct SignedInPage<'a> {
    notice: Option<Notice>,
    name: Option<&'a str>,
    iss: &'a str,
    sub: &'a str,
    auth_time: Option<Moment>,
    now: Moment,
    authenticated_ago_secs: u64,
    amr: Vec<&'a str>,
    session: TimeLeft,
    claims: Vec<ClaimView<'a>>,
    claims_json: String,
    checks: &'a [MadeCheck],
    userinfo: &'a str,
    csrf: &'a str,
    /// Whether this application can register itself.
    registers: bool,
}

#[derive(Serialize)]
struct TimeLeft {
    expires: Moment,
    left_secs: u64,
    total_secs: u64,
    minutes: u64,
    seconds: u64,
}

#[derive(Serialize)]
struct ClaimView<'a> {
    name: &'a str,
    value: String,
    time: Option<Moment>,
    source: &'static str,
    verdict: &'a str,
    label: bool,
}

/// Claims that the catalogue has a name for, under `claim.<name>`, in the order in which people ask for them: who, at
/// whom, when and how, and what only protocols read.
pub const LABELLED: [&str; 33] = [
    "name",
    "preferred_username",
    "given_name",
    "family_name",
    "email",
    "email_verified",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "address",
    "phone_number",
    "phone_number_verified",
    "sub",
    "iss",
    "aud",
    "azp",
    "auth_time",
    "amr",
    "acr",
    "exp",
    "iat",
    "nbf",
    "nonce",
    "at_hash",
    "sid",
    "jti",
];

/// Claims that were checked in step 10, each with its rule.
const CHECKED: [(&str, &str); 9] = [
    ("iss", "issuer_claim"),
    ("sub", "subject_claim"),
    ("aud", "audience"),
    ("azp", "authorized_party"),
    ("exp", "expiry"),
    ("iat", "issued_at"),
    ("nbf", "not_before"),
    ("nonce", "nonce"),
    ("at_hash", "access_token_hash"),
];

/// `GET /`
pub async fn home(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let now = state.clock.now();
    let notice = session::take_notice(&session)
        .map(|notice| notice.leading(|flow| flows::address(&state, &request, flow)));
    match token_desk::visitor(&state, &session, now).await? {
        Visitor::SignedIn(signed_in) => {
            let registers = state.settings.is_demo();
            let page = SignedInPage { registers, ..signed_in_page(&signed_in, notice, now)? };
            flows::link(&state, &request, signed_in.flow.as_deref());
            let progress = Some(Progress::Done);
            let template = "rp/home_signed_in.html";
            site.pages.respond(&request, StatusCode::OK, Kind::Form, template, progress, &page)
        }
        Visitor::Ended(_) => {
            let notice = notice.unwrap_or_else(Notice::session_ended);
            signed_out(&request, Some(notice), true, &state, &site).await
        }
        Visitor::Nobody => signed_out(&request, notice, false, &state, &site).await,
    }
}

async fn signed_out(
    request: &HttpRequest,
    notice: Option<Notice>,
    ended: bool,
    state: &AppState,
    site: &Site,
) -> Result<HttpResponse, Problem> {
    let page = SignedOutPage {
        notice,
        ended,
        provider: ProviderView {
            issuer: state.settings.issuer.as_str(),
            reachable: state.provider.is_reachable().await,
        },
        scope: state.settings.scope.to_string(),
        prompt: "login",
        steps: state.steps.is_some(),
        registers: state.settings.is_demo(),
        response_mode: state.settings.response_mode.as_str(),
        ways: Way::ALL.map(Way::id),
        way: state.settings.way.id(),
        wishes: login::HANDED_ON,
        spa: state.settings.spa_client_id.is_some(),
        flows: desk::recent(state, request, state.settings.base_url.path(), RECENT),
    };
    let template = "rp/home_signed_out.html";
    site.pages.respond(request, StatusCode::OK, Kind::Form, template, None, &page)
}

fn signed_in_page(
    signed_in: &SignedIn,
    notice: Option<Notice>,
    now: Timestamp,
) -> Result<SignedInPage<'_>, Problem> {
    let claims = merged(signed_in);
    let name = claims.iter().find(|claim| claim.0 == "name");
    let own = &signed_in.id_token_claims;
    let auth_time = own.get("auth_time").and_then(Value::as_i64).map(Timestamp::from_unix);
    let amr = own.get("amr").and_then(Value::as_array);
    let left = signed_in.ends.since(now).as_secs();
    let json: Map<String, Value> =
        claims.iter().map(|(name, value, _)| ((*name).to_owned(), (*value).clone())).collect();
    Ok(SignedInPage {
        notice,
        name: name.and_then(|claim| claim.1.as_str()),
        iss: &signed_in.user.iss,
        sub: &signed_in.user.sub,
        authenticated_ago_secs: auth_time.map_or(0, |at| now.since(at).as_secs()),
        auth_time: auth_time.map(Into::into),
        now: now.into(),
        amr: amr.into_iter().flatten().filter_map(Value::as_str).collect(),
        session: TimeLeft {
            expires: signed_in.ends.into(),
            left_secs: left,
            total_secs: signed_in.ends.since(signed_in.began).as_secs(),
            minutes: left / 60,
            seconds: left % 60,
        },
        claims: claims.iter().map(|claim| claim_view(claim, &signed_in.checks)).collect(),
        claims_json: serde_json::to_string_pretty(&json).map_err(Problem::internal)?,
        checks: &signed_in.checks,
        userinfo: &signed_in.userinfo,
        csrf: signed_in.csrf.expose(),
        registers: false,
    })
}

type Claim<'a> = (&'a str, &'a Value, &'static str);

/// The claims of both sources, each once. Where the two differ the signed one counts.
fn merged(signed_in: &SignedIn) -> Vec<Claim<'_>> {
    let (own, told) = (&signed_in.id_token_claims, &signed_in.userinfo_claims);
    let first = own.iter().map(|(name, value)| {
        let source = if told.get(name) == Some(value) { "both" } else { "id_token" };
        (name.as_str(), value, source)
    });
    let second = told
        .iter()
        .filter(|(name, _)| !own.contains_key(*name))
        .map(|(name, value)| (name.as_str(), value, "userinfo"));
    let mut claims: Vec<Claim<'_>> = first.chain(second).collect();
    claims
        .sort_by_key(|(name, ..)| LABELLED.iter().position(|known| known == name).unwrap_or(LABELLED.len()));
    claims
}

fn claim_view<'a>(&(name, value, source): &Claim<'a>, checks: &'a [MadeCheck]) -> ClaimView<'a> {
    let is_time = matches!(name, "exp" | "iat" | "nbf" | "auth_time" | "updated_at");
    let rule = CHECKED.iter().find(|(claim, _)| *claim == name);
    let check = rule.and_then(|(_, rule)| checks.iter().find(|check| check.rule == *rule));
    ClaimView {
        name,
        value: readable(value),
        time: value.as_i64().filter(|_| is_time).map(|at| Timestamp::from_unix(at).into()),
        source,
        verdict: check.map_or("not_applicable", |check| check.verdict.as_str()),
        label: LABELLED.contains(&name),
    }
}

/// Texts without quotation marks, several of them behind each other, anything else as JSON.
fn readable(value: &Value) -> String {
    let texts = value.as_array().map(|several| several.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    match (value, texts) {
        (Value::String(text), _) => text.clone(),
        (_, Some(Some(texts))) => texts.join(" "),
        _ => value.to_string(),
    }
}
