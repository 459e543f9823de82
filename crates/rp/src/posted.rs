//! Step 7 when the provider's answer is posted (OAuth 2.0 Form Post Response Mode §2).
//!
//! A form of another site comes without our cookies, which are `SameSite=Lax`, so nobody can say yet whose login it is.
//! What it brings is kept here under a handle, and the browser is sent to the handle with a GET, on which the cookies come
//! along. The answer itself does not stand in that address: this is what the provider was asked for.

use std::net::IpAddr;

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web::Data};
use shared::{
    clock::Timestamp,
    flow::{Checks, Rule, Step, Words},
    secret::{Secret, SecretHash},
};
use web::{
    expiring::{ExpiringMap, Full},
    form::{Form, FormError},
    last_segment::LastSegment,
    problem::Problem,
    visitor,
};

use crate::{
    callback::{self, Arrival},
    problems,
    state::AppState,
};

/// How handles begin: the recorder finds the flow by them.
const HANDLE: &str = "back_";

/// `POST /auth`. Anybody may send a form here. It is read, and kept; all else is judged when the browser comes with its
/// cookies.
pub async fn receive(
    request: HttpRequest,
    form: Result<Form, FormError>,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let form = form.and_then(|form| form.params(&[]));
    let params = form.map_err(|error| Problem::from(error).at(Step::Callback))?;
    if params.get("state").is_none() {
        return Err(problems::state_missing());
    }
    let handle = Secret::mint(HANDLE, &*state.random);
    let (address, now) = (visitor::address(&request), state.clock.now());
    let expires = now + state.settings.attempt_lifetime;
    state
        .posted
        .keep(handle.hash(), params.encode(), address, expires, now)
        .map_err(|_| Problem::overloaded().at(Step::Callback))?;
    let location = format!("{}auth/{}", state.settings.home(), handle.expose());
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, location)).finish())
}

/// `GET /auth/{handle}`: from here on it is a callback like any other.
pub async fn callback(
    request: HttpRequest,
    session: Session,
    handle: LastSegment,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let Some(params) = state.posted.of(SecretHash::of(&handle), state.clock.now()) else {
        let mut checks = Checks::new(state.sink.clone());
        let failed = checks.refuse(Rule::StateKnown, Words::LoginUnderWay, Words::NoSuchLogin);
        return Err(problems::state_unknown(failed));
    };
    callback::arrived(&request, &session, &state, Arrival::posted(&request, &state.settings, params)).await
}

/// What was posted, by the hash of its handle, for as long as a login may take. A handle lets nobody in: the login behind it
/// is claimed once, by the browser that began it. So it stays when it has been used, and a reload is told the same again.
pub struct Posted(ExpiringMap<SecretHash, Kept, IpAddr>);

struct Kept {
    /// As a form writes them.
    params: String,
    address: Option<IpAddr>,
}

impl Posted {
    /// Room for `capacity` answers at a time.
    pub fn with_capacity(capacity: usize) -> Self {
        let weigh = |kept: &Kept| kept.params.len();
        Self(ExpiringMap::shared(capacity, weigh, |kept| kept.address.into_iter().collect()))
    }

    fn keep(
        &self,
        handle: SecretHash,
        params: String,
        address: Option<IpAddr>,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), Full> {
        self.0.insert(handle, Kept { params, address }, expires, now)
    }

    fn of(&self, handle: SecretHash, now: Timestamp) -> Option<String> {
        self.0.read(&handle, now, |kept| kept.params.clone())
    }

    /// Forgets what took too long.
    pub fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    /// Forgets what came after `since`, in a time that never was.
    pub fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}
