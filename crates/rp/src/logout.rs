//! Logging out: a GET asks, a POST from that very page does it. A link or a picture on another site cannot sign anybody
//! out. The session here ends at once; for the provider's the browser is sent there, and comes back to `/logout/done`
//! (OpenID Connect RP-Initiated Logout §2, §3). Whose session here has ended by itself can still end the provider's, which
//! lives longer: otherwise whoever uses the browser next could sign in as them.

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    http::{StatusCode, header::LOCATION},
    web::Data,
};
use openidconnect::EndSessionUrl;
use serde::Serialize;
use shared::{
    flow::{Checks, Failed, Rule, Shown, Step, Turn, Value, Words},
    params::Params,
    random,
    secret::{Secret, SecretHash},
};
use url::Url;
use web::{
    cookies,
    form::{Form, FormError},
    front_door::Site,
    lang::Lang,
    pages::Kind,
    problem::Problem,
    visitor,
};

use crate::{
    config::Settings,
    flows,
    logouts::Return,
    own_form, problems,
    session::{self, Notice, SignedIn, Visitor},
    state::AppState,
};

#[derive(Serialize)]
struct Page<'a> {
    ended: bool,
    csrf: &'a str,
}

/// `GET /logout`
pub async fn ask(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let now = state.clock.now();
    let (Visitor::SignedIn(signed_in) | Visitor::Ended(signed_in)) = session::visitor(&session, now)? else {
        return Ok(home(&state));
    };
    let page = Page { ended: signed_in.is_over(now), csrf: signed_in.csrf.expose() };
    site.pages.respond(&request, StatusCode::OK, Kind::Form, "rp/logout.html", None, &page)
}

/// `POST /logout`: ends the session here and, unless the user chose this app only, the provider's.
pub async fn end(
    request: HttpRequest,
    form: Result<Form, FormError>,
    session: Session,
    state: Data<AppState>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let params = own_form::read(&site, &request, form)?;
    let now = state.clock.now();
    let (Visitor::SignedIn(signed_in) | Visitor::Ended(signed_in)) = session::visitor(&session, now)? else {
        return Ok(home(&state));
    };
    own_form::require_token(&params, &signed_in.csrf)?;
    session::end(&session, &Notice::signed_out())?;
    // The cookie of one who has none yet can wait: they have seen flows, or want none.
    flows::own(&state, &request);
    state.sink.lives(Step::Validation, &[(Value::Session, Turn::Destroyed)]);
    if params.get("only") == Some("app") {
        return Ok(home(&state));
    }
    match depart(&request, &state, &signed_in).await {
        Ok((location, cookie)) => {
            Ok(HttpResponse::SeeOther().cookie(cookie).insert_header((LOCATION, location.as_str())).finish())
        }
        Err(reason) => {
            tracing::warn!(reason, "the provider's session could not be ended");
            session::leave_notice(&session, &Notice::provider_goes_on())?;
            Ok(home(&state))
        }
    }
}

/// Prepares the way to the provider and back; an error is the reason why there is none. The provider is asked where it
/// ends sessions only now: a browser that is sent to one which does not answer would never be seen again.
async fn depart(
    request: &HttpRequest,
    app: &AppState,
    signed_in: &SignedIn,
) -> Result<(Url, Cookie<'static>), String> {
    if !app.identities.knows(&signed_in.client) {
        return Err("the registration under which the session began has been deleted".into());
    }
    let provider = app.provider.metadata().await.map_err(|error| error.to_string())?;
    let endpoint = provider.end_session_endpoint.as_ref().ok_or("it has no end_session_endpoint")?;
    let (state, browser) = (random::token(&*app.random), Secret::mint("", &*app.random));
    let (settings, now) = (&app.settings, app.clock.now());
    app.logouts
        .begin(
            SecretHash::of(&state),
            browser.hash(),
            visitor::address(request),
            now + settings.attempt_lifetime,
            now,
        )
        .map_err(|full| full.to_string())?;
    let location = end_session_url(endpoint, settings, signed_in, &state, Lang::of(request));
    Ok((location, cookie(settings, &browser)))
}

/// OpenID Connect RP-Initiated Logout §2: the ID token says whose session it is, even when it has expired (§4 has the
/// provider accept that); `state` brings the browser back to us.
fn end_session_url(
    endpoint: &EndSessionUrl,
    settings: &Settings,
    signed_in: &SignedIn,
    state: &str,
    lang: Lang,
) -> Url {
    let mut location = endpoint.url().clone();
    location
        .query_pairs_mut()
        .append_pair("id_token_hint", signed_in.id_token.expose())
        .append_pair("client_id", &signed_in.client)
        .append_pair("post_logout_redirect_uri", &settings.post_logout_redirect_uri())
        .append_pair("state", state)
        .append_pair("ui_locales", lang.tag());
    location
}

/// `GET /logout/done`: the browser is back from the provider.
pub async fn done(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let params = Params::parse(request.query_string().as_bytes(), &[]).map_err(Problem::malformed)?;
    check_state(&request, &state, params.get("state")).map_err(problems::logout_unknown)?;
    // Who has signed in again meanwhile is not told to be signed out.
    let visitor = session::visitor(&session, state.clock.now())?;
    if matches!(visitor, Visitor::Nobody) && state.sessions.have_room() {
        session::leave_notice(&session, &Notice::signed_out_of_both())?;
    }
    let mut answer = home(&state);
    let forgotten = forget_cookie(&state.settings);
    answer.add_cookie(&forgotten).map_err(Problem::internal)?;
    Ok(answer)
}

/// `state` must be of a logout that this browser began, and it counts once: otherwise anybody could make the page say
/// that the provider's session has ended.
fn check_state(request: &HttpRequest, app: &AppState, state: Option<&str>) -> Result<(), Failed> {
    let mut checks = Checks::new(app.sink.clone());
    let presented = cookies::value(request, &cookie_name(&app.settings));
    let finish = |state| app.logouts.finish(SecretHash::of(state), presented.as_deref(), app.clock.now());
    let found: Shown<'_> = match state.map(finish) {
        Some(Return::Expected) => {
            checks.pass(Rule::LogoutState, Words::LogoutUnderWay);
            return Ok(());
        }
        Some(Return::Unknown) => Words::NoSuchLogout.into(),
        Some(Return::OtherBrowser) => Words::OtherBrowser.into(),
        None => Words::Absent.into(),
    };
    Err(checks.refuse(Rule::LogoutState, Words::LogoutUnderWay, found))
}

fn home(state: &AppState) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, state.settings.home())).finish()
}

/// Binds a logout to this browser. There is one at a time; only the address that the provider leads back to sees it.
fn cookie(settings: &Settings, browser: &Secret) -> Cookie<'static> {
    let (name, path) = (cookie_name(settings), cookie_path(settings));
    let (secure, lifetime) = (settings.base_url.is_https(), Some(settings.attempt_lifetime));
    cookies::cookie(&name, browser.expose().to_owned(), &path, secure, lifetime).into_owned()
}

fn forget_cookie(settings: &Settings) -> Cookie<'static> {
    let (name, path) = (cookie_name(settings), cookie_path(settings));
    cookies::forget(&name, &path, settings.base_url.is_https()).into_owned()
}

fn cookie_name(settings: &Settings) -> String {
    format!("{}logout", settings.attempt_cookie)
}

fn cookie_path(settings: &Settings) -> String {
    format!("{}logout/done", settings.home())
}
