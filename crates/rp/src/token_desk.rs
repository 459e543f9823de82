//! After the login: what its tokens are, and what can be done with them. They are refreshed (RFC 6749 §6), given back (RFC
//! 7009), asked about (RFC 7662), and shown to a protected API (RFC 6750). Where flows are recorded the browser sees them,
//! because it is the learner's own; they stay on the server all the same.

use std::time::Duration;

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::{Data, ServiceConfig, get, post, resource},
};
use openidconnect::{HttpRequest as ApiRequest, HttpResponse as ApiResponse, http};
use serde::{Deserialize, Serialize};
use shared::{
    clock::Timestamp,
    error::ErrorCode,
    flow::{Exchange, Step, Turn, Value},
    params::Params,
    secret::Secret,
};
use url::Url;
use viewer::{tap::PutOff, view};
use web::{
    form::{Form, FormError},
    front_door::Site,
    moment::Moment,
    pages::Kind,
    problem::Problem,
};

use crate::{
    client::{self, Client},
    flows,
    provider::{self, FetchError, MAX_ANSWER},
    renewal::{self, Renewal},
    session::{self, SignedIn, Visitor},
    state::AppState,
};

/// How much of an answer is shown, in bytes.
const SHOWN: usize = 8 * 1024;

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// New tokens for the refresh token.
    Refresh,
    /// The refresh token that has been replaced, once more: what a thief would do.
    Replay,
    /// The access token is given back.
    RevokeAccess,
    /// The refresh token is given back.
    RevokeRefresh,
    /// What is the access token good for?
    IntrospectAccess,
    /// What is the refresh token good for?
    IntrospectRefresh,
    /// The API is asked whose token it is.
    CallMe,
    /// The API is asked for something that needs `api.access`.
    CallNotes,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Refresh,
        Self::Replay,
        Self::RevokeAccess,
        Self::RevokeRefresh,
        Self::IntrospectAccess,
        Self::IntrospectRefresh,
        Self::CallMe,
        Self::CallNotes,
    ];

    /// Its name in forms and in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Replay => "replay",
            Self::RevokeAccess => "revoke_access",
            Self::RevokeRefresh => "revoke_refresh",
            Self::IntrospectAccess => "introspect_access",
            Self::IntrospectRefresh => "introspect_refresh",
            Self::CallMe => "call_me",
            Self::CallNotes => "call_notes",
        }
    }

    const fn exchange(self) -> Exchange {
        match self {
            Self::Refresh | Self::Replay => Exchange::Refresh,
            Self::RevokeAccess | Self::RevokeRefresh => Exchange::Revoke,
            Self::IntrospectAccess | Self::IntrospectRefresh => Exchange::Introspect,
            Self::CallMe | Self::CallNotes => Exchange::Api,
        }
    }
}

/// What came of the latest deed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Done {
    deed: Deed,
    /// The status of the answer; none if there was none.
    status: Option<u16>,
    /// The error that it named, if it is one that is known.
    error: Option<String>,
    /// The answer, as far as it is shown.
    body: String,
}

#[derive(Serialize)]
struct Page<'a> {
    tokens: Vec<Row<'a>>,
    done: Option<Done>,
    /// What of it is possible: `refresh`, `replay`, `revoke`, `introspect`.
    can: Vec<&'static str>,
    scope: &'a str,
    api: &'a str,
    csrf: &'a str,
}

/// A token of the session.
#[derive(Serialize)]
struct Row<'a> {
    name: &'static str,
    raw: &'a str,
    /// Taken apart, if it is a JWT.
    decoded: Option<view::Token>,
    expires: Option<Moment>,
    /// Whether it is another one than before the last refresh; none if there was no refresh.
    changed: Option<bool>,
}

/// The addresses of the page that shows tokens. It is there where flows are recorded, which shows them anyway.
pub fn routes(app: &mut ServiceConfig) {
    app.service(resource("/tokens").route(get().to(page)).route(post().to(act)));
}

const DONE: &str = "done";

/// `GET /tokens`
async fn page(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let Visitor::SignedIn(signed_in) = session::visitor(&session, state.clock.now())? else {
        return Ok(login_first(&state, "/tokens"));
    };
    flows::link(&state, &request, signed_in.flow.as_deref());
    let provider = state.provider.metadata().await.ok();
    let has = |endpoint: fn(&provider::Metadata) -> bool| provider.as_deref().is_some_and(endpoint);
    let can = [
        ("refresh", signed_in.refresh_token.is_some()),
        ("replay", signed_in.before.as_ref().is_some_and(|before| before.refresh_token.is_some())),
        ("revoke", has(|it| it.revocation_endpoint.is_some())),
        ("introspect", has(|it| it.introspection_endpoint.is_some())),
    ];
    let page = Page {
        tokens: rows(&signed_in),
        done: session.get(DONE).map_err(Problem::internal)?,
        can: can.into_iter().filter(|(_, possible)| *possible).map(|(what, _)| what).collect(),
        scope: &signed_in.scope,
        api: &state.settings.api,
        csrf: signed_in.csrf.expose(),
    };
    site.pages.respond(&request, StatusCode::OK, Kind::Form, "viewer/token_desk.html", None, &page)
}

fn rows(signed_in: &SignedIn) -> Vec<Row<'_>> {
    let before = signed_in.before.as_deref();
    let id_expires = signed_in.id_token_claims.get("exp").and_then(serde_json::Value::as_i64);
    let id_expires = id_expires.map(Timestamp::from_unix);
    let all = [
        ("id_token", Some(&signed_in.id_token), id_expires, before.map(|it| &it.id_token)),
        (
            "access_token",
            Some(&signed_in.access_token),
            signed_in.access_expires,
            before.map(|it| &it.access_token),
        ),
        (
            "refresh_token",
            signed_in.refresh_token.as_ref(),
            None,
            before.and_then(|it| it.refresh_token.as_ref()),
        ),
    ];
    let rows = all.into_iter().filter_map(|(name, token, expires, was)| {
        let raw = token?.expose();
        Some(Row {
            name,
            raw,
            decoded: view::Token::of(name, raw),
            expires: expires.map(Into::into),
            changed: before.map(|_| was.is_none_or(|was| !was.matches(raw))),
        })
    });
    rows.collect()
}

/// `POST /tokens`: does something, and leads back to the page, which tells what came of it.
async fn act(
    request: HttpRequest,
    form: Result<Form, FormError>,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    if !site.origin.is_sender_of(&request) {
        return Err(Problem::foreign_origin());
    }
    let params = form?.params(&[])?;
    let Visitor::SignedIn(signed_in) = session::visitor(&session, state.clock.now())? else {
        return Ok(login_first(&state, "/tokens"));
    };
    if !signed_in.csrf.matches(params.get("csrf").unwrap_or_default()) {
        return Err(Problem::csrf());
    }
    let deed = deed(&params)?;
    let done = in_flow(&state, &signed_in, deed, do_it(&state, &session, &signed_in, deed)).await?;
    session.insert(DONE, done).map_err(Problem::internal)?;
    let page = format!("{}tokens#done", state.settings.home());
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, page)).finish())
}

fn deed(params: &Params) -> Result<Deed, Problem> {
    let asked = params.get("do").unwrap_or_default();
    let known = Deed::ALL.into_iter().find(|deed| deed.id() == asked);
    known.ok_or_else(|| Problem::malformed("nothing of this kind can be done with a token"))
}

/// Whatever is done with the tokens of a login belongs to its flow.
async fn in_flow<T>(app: &AppState, signed_in: &SignedIn, deed: Deed, work: impl Future<Output = T>) -> T {
    match (&app.recorder, &signed_in.flow) {
        (Some(recorder), Some(flow)) if recorder.flow(flow).is_some() => {
            PutOff::in_flow(recorder, flow, deed.exchange()).scope(work).await
        }
        _ => work.await,
    }
}

async fn do_it(app: &AppState, session: &Session, signed_in: &SignedIn, deed: Deed) -> Result<Done, Problem> {
    let (access, refresh) = (&signed_in.access_token, signed_in.refresh_token.as_ref());
    let provider = app.provider.metadata().await.ok();
    let revocation = provider.as_ref().and_then(|it| it.revocation_endpoint.as_ref());
    let introspection = provider.as_ref().and_then(|it| it.introspection_endpoint.as_ref());
    let us = app.client_called(&signed_in.client);
    let answer = match deed {
        Deed::Refresh => return refreshed(app, session, signed_in).await,
        Deed::Replay => replay(app, signed_in).await,
        Deed::RevokeAccess => {
            app.sink.lives(Step::Validation, &[(Value::AccessToken, Turn::Sent)]);
            ask(app, &us, deed, revocation, Some(access), "access_token").await
        }
        Deed::RevokeRefresh => {
            app.sink.lives(Step::Validation, &[(Value::RefreshToken, Turn::Sent)]);
            ask(app, &us, deed, revocation, refresh, "refresh_token").await
        }
        Deed::IntrospectAccess => ask(app, &us, deed, introspection, Some(access), "access_token").await,
        Deed::IntrospectRefresh => ask(app, &us, deed, introspection, refresh, "refresh_token").await,
        Deed::CallMe => call(app, "/me", access).await,
        Deed::CallNotes => call(app, "/notes", access).await,
    };
    Ok(told(deed, answer))
}

/// New tokens; the session has them from now on.
async fn refreshed(app: &AppState, session: &Session, signed_in: &SignedIn) -> Result<Done, Problem> {
    let done = |status, error: Option<ErrorCode>| Done {
        deed: Deed::Refresh,
        status,
        error: error.map(|code| code.as_str().to_owned()),
        body: String::new(),
    };
    match renewal::renew(app, signed_in).await {
        Ok(Renewal::Renewed(renewed)) => {
            session::renew(session, &renewed)?;
            Ok(done(Some(200), None))
        }
        // Whoever was faster has told.
        Ok(Renewal::Elsewhere | Renewal::Impossible) => Ok(done(None, None)),
        Err(problem) if problem.oauth_error.is_some() => Ok(done(Some(400), problem.oauth_error)),
        Err(problem) => Err(problem),
    }
}

/// A refresh token that has been replaced, sent as a thief would send it (RFC 9700 §4.14).
async fn replay(app: &AppState, signed_in: &SignedIn) -> Result<ApiResponse, FetchError> {
    let old = signed_in.before.as_ref().and_then(|before| before.refresh_token.as_ref());
    let endpoint = app.provider.metadata().await.ok().and_then(|it| Url::parse(&it.token_endpoint).ok());
    let (Some(old), Some(endpoint)) = (old, endpoint) else { return Err(FetchError::Dropped) };
    let us = app.client_called(&signed_in.client);
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", old.expose())];
    let request = client::form(app, &us, endpoint.as_str(), pairs.into_iter())?;
    app.provider.http().send(Exchange::Refresh, request, MAX_ANSWER).await
}

/// Asks about a token, or gives it back, with the RP's own credentials (RFC 7009 §2.1, RFC 7662 §2.1).
async fn ask(
    app: &AppState,
    us: &Client,
    deed: Deed,
    endpoint: Option<&Url>,
    token: Option<&Secret>,
    hint: &'static str,
) -> Result<ApiResponse, FetchError> {
    let (Some(endpoint), Some(token)) = (endpoint, token) else { return Err(FetchError::Dropped) };
    let pairs = [("token", token.expose()), ("token_type_hint", hint)];
    let request = client::form(app, us, endpoint.as_str(), pairs.into_iter())?;
    app.provider.http().send(deed.exchange(), request, MAX_ANSWER).await
}

/// Shows the access token to the API (RFC 6750 §2.1).
async fn call(app: &AppState, path: &str, token: &Secret) -> Result<ApiResponse, FetchError> {
    let request: ApiRequest = provider::get(&format!("{}{path}", app.settings.api), Some(token))?;
    app.provider.http().send(Exchange::Api, request, MAX_ANSWER).await
}

fn told(deed: Deed, answer: Result<ApiResponse, FetchError>) -> Done {
    let Ok(answer) = answer.inspect_err(|error| tracing::warn!(%error, deed = deed.id(), "no answer")) else {
        return Done { deed, status: None, error: None, body: String::new() };
    };
    let json: Option<serde_json::Value> = serde_json::from_slice(answer.body()).ok();
    let error = json.as_ref().and_then(|json| json.get("error")?.as_str()).or_else(|| challenge(&answer));
    let pretty = json.as_ref().and_then(|json| serde_json::to_string_pretty(json).ok());
    let body = pretty.unwrap_or_else(|| String::from_utf8_lossy(answer.body()).into_owned());
    Done {
        deed,
        status: Some(answer.status().as_u16()),
        error: error.and_then(ErrorCode::parse).map(|code| code.as_str().to_owned()),
        body: body.chars().take(SHOWN).collect(),
    }
}

/// The error in `WWW-Authenticate` (RFC 6750 §3.1).
fn challenge(answer: &ApiResponse) -> Option<&str> {
    let challenge = answer.headers().get(http::header::WWW_AUTHENTICATE)?.to_str().ok()?;
    challenge.split_once("error=\"")?.1.split('"').next()
}

/// `GET /profile`: what the API knows of the user. Whoever is not signed in signs in first.
pub async fn profile(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let Visitor::SignedIn(signed_in) = session::visitor(&session, state.clock.now())? else {
        return Ok(login_first(&state, "/profile"));
    };
    flows::link(&state, &request, signed_in.flow.as_deref());
    let work = do_it(&state, &session, &signed_in, Deed::CallMe);
    let done = in_flow(&state, &signed_in, Deed::CallMe, work).await?;
    let page = serde_json::json!({ "done": done, "api": state.settings.api });
    site.pages.respond(&request, StatusCode::OK, Kind::Plain, "rp/profile.html", None, &page)
}

fn login_first(app: &AppState, next: &str) -> HttpResponse {
    let location = format!("{}login?next={next}", app.settings.home());
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

/// Whether a session ends soon that could go on. One that is at its own bound could not, and one that has just been
/// refreshed in vain is let be for a while.
fn is_due(signed_in: &SignedIn, lifetime: Duration, now: Timestamp) -> bool {
    const IN_TIME: Duration = Duration::from_secs(60);
    signed_in.refresh_token.is_some()
        && signed_in.ends <= now + IN_TIME
        && signed_in.ends < signed_in.began + lifetime
        && now < signed_in.began + lifetime
        && signed_in.renewed.is_none_or(|at| at + IN_TIME <= now)
}

/// Who is in front of the page at `now`. Where that is wanted, a session that is about to end, or has just ended, goes on
/// with new tokens.
pub async fn visitor(app: &AppState, session: &Session, now: Timestamp) -> Result<Visitor, Problem> {
    let visitor = session::visitor(session, now)?;
    let (Visitor::SignedIn(signed_in) | Visitor::Ended(signed_in)) = &visitor else { return Ok(visitor) };
    if !app.settings.session_refresh || !is_due(signed_in, app.settings.session_lifetime, now) {
        return Ok(visitor);
    }
    match in_flow(app, signed_in, Deed::Refresh, renewal::renew(app, signed_in)).await {
        Ok(Renewal::Renewed(renewed)) => {
            session::renew(session, &renewed)?;
            session::visitor(session, now)
        }
        Ok(Renewal::Elsewhere | Renewal::Impossible) => Ok(visitor),
        Err(error) => {
            tracing::warn!(%error, "the session could not be refreshed, and ends");
            Ok(visitor)
        }
    }
}
