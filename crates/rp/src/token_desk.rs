//! After the login: what its tokens are, and every [deed] that can be done with them, at once or step by step.
//! Where flows are recorded the browser sees them, because it is the learner's own; they stay on the server all the same.

use std::time::Duration;

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::{Data, ServiceConfig, get, post, resource},
};
use serde::Serialize;
use shared::{clock::Timestamp, params::Params};
use viewer::view;
use web::{
    form::{Form, FormError},
    front_door::Site,
    moment::Moment,
    pages::Kind,
    problem::Problem,
};

use crate::{
    deed::{self, Deed, Done, Finished},
    flows, own_form, provider,
    renewal::{self, Renewal},
    session::{self, SignedIn, Visitor},
    state::AppState,
    step,
    wire::Wire,
};

/// Where a session keeps whether deeds are gone through step by step, once that was chosen.
const STEPWISE: &str = "stepwise";

#[derive(Serialize)]
struct Page<'a> {
    tokens: Vec<Row<'a>>,
    done: Option<Done>,
    /// What of it is possible: `refresh`, `replay`, `revoke`, `introspect`.
    can: Vec<&'static str>,
    scope: &'a str,
    api: &'a str,
    csrf: &'a str,
    /// Whether it is chosen to go step by step; none where that is not possible.
    stepwise: Option<bool>,
    /// Where something is held, if it is.
    held: Option<String>,
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

/// `GET /tokens`
async fn page(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let Visitor::SignedIn(signed_in) = session::visitor(&session, state.clock.now())? else {
        return Ok(login_first(&state, "tokens"));
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
        done: deed::latest(&session)?,
        can: can.into_iter().filter(|(_, possible)| *possible).map(|(what, _)| what).collect(),
        scope: &signed_in.scope,
        api: &state.settings.api,
        csrf: signed_in.csrf.expose(),
        stepwise: can_hold(&state, &signed_in).then(|| is_stepwise(&session, &signed_in)),
        held: step::held_for(&state, &request, &signed_in),
    };
    site.pages.respond(&request, StatusCode::OK, Kind::Form, "viewer/token_desk.html", None, &page)
}

/// Whether what is done here can be gone through step by step.
fn can_hold(app: &AppState, signed_in: &SignedIn) -> bool {
    let flow = signed_in.flow.as_deref().zip(app.recorder.as_ref());
    app.steps.is_some() && flow.is_some_and(|(flow, recorder)| recorder.flow(flow).is_some())
}

/// As it was chosen last; before that, as the login was.
fn is_stepwise(session: &Session, signed_in: &SignedIn) -> bool {
    session.get(STEPWISE).ok().flatten().unwrap_or(signed_in.stepwise)
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

/// `POST /tokens`: does something, at once or step by step, and leads back to the page, which tells what came of it.
async fn act(
    request: HttpRequest,
    form: Result<Form, FormError>,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let params = own_form::read(&site, &request, form)?;
    let Visitor::SignedIn(signed_in) = session::visitor(&session, state.clock.now())? else {
        return Ok(login_first(&state, "tokens"));
    };
    own_form::require_token(&params, &signed_in.csrf)?;
    let deed = deed(&params)?;
    if can_hold(&state, &signed_in) {
        let stepwise = params.get("pace") == Some("step");
        session.insert(STEPWISE, stepwise).map_err(Problem::internal)?;
        if stepwise && let Some(answer) = step::hold_deed(&request, &state, &site, &signed_in, deed).await {
            return Ok(answer);
        }
    }
    let wire = Wire::straight(&state);
    let finished = in_flow(&state, &signed_in, deed, deed::act(&state, &wire, &signed_in, deed)).await?;
    finish(&session, &state, finished)
}

/// A deed is done: its session keeps what came of it, and the page tells.
pub fn finish(session: &Session, app: &AppState, finished: Finished) -> Result<HttpResponse, Problem> {
    if !finished.keep(session, app.clock.now())? {
        return Ok(login_first(app, "tokens"));
    }
    let page = format!("{}tokens#done", app.settings.home());
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, page)).finish())
}

fn deed(params: &Params) -> Result<Deed, Problem> {
    let asked = params.get("do").unwrap_or_default();
    let known = Deed::ALL.into_iter().find(|deed| deed.id() == asked);
    known.ok_or_else(|| Problem::malformed("nothing of this kind can be done with a token"))
}

/// Whatever is done with the tokens of a login belongs to its flow.
async fn in_flow<T>(app: &AppState, signed_in: &SignedIn, deed: Deed, work: impl Future<Output = T>) -> T {
    match deed.in_flow(app, signed_in) {
        Some(part) => part.scope(work).await,
        None => work.await,
    }
}

/// `GET /profile`: what the API knows of the user. Whoever is not signed in signs in first.
pub async fn profile(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let Visitor::SignedIn(signed_in) = session::visitor(&session, state.clock.now())? else {
        return Ok(login_first(&state, "profile"));
    };
    flows::link(&state, &request, signed_in.flow.as_deref());
    let wire = Wire::straight(&state);
    let work = deed::act(&state, &wire, &signed_in, Deed::CallMe);
    let done = in_flow(&state, &signed_in, Deed::CallMe, work).await?.into_done();
    let page = serde_json::json!({ "done": done, "api": state.settings.api });
    site.pages.respond(&request, StatusCode::OK, Kind::Plain, "rp/profile.html", None, &page)
}

/// To the login, and from there to this page.
fn login_first(app: &AppState, page: &str) -> HttpResponse {
    let home = app.settings.home();
    let location = format!("{home}login?next={home}{page}");
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
    let wire = Wire::straight(app);
    match in_flow(app, signed_in, Deed::Refresh, renewal::renew(app, &wire, signed_in)).await {
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
