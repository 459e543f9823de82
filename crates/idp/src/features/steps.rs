//! Going through a login step by step: the provider stops before its first page and before it sends the browser back, in
//! logins that their client has announced; and its clock can be put forward (`POST /flows/steps`).

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use async_trait::async_trait;
use serde_json::json;
use shared::{
    clock::{Clock, Timestamp},
    error::ErrorCode,
    flow::{Exchange, Pause},
    ids::ClientId,
    params::Params,
    random::Random,
    response_mode::FormPost,
    secret::SecretHash,
};
use viewer::{
    desk::Desk as _,
    recorder::{Flow, FlowId},
    steps::{Draft, Hands, Steps, Validity},
    tap,
};
use web::{
    expiring::ExpiringMap,
    form::{Form, FormError},
    lang::Lang,
    problem::Problem,
};

use crate::{
    code_flow::form_post,
    http::{client_auth, oauth_error::OAuthError},
    problems,
    state::AppState,
};

/// How the names of the cookies begin that say which browser goes step by step.
const COOKIE: &str = "idp_step";
/// How many logins can be announced at a time.
const CAPACITY: usize = 1_000;
/// How far ahead the clock can be.
const FARTHEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// The logins that were announced, each by what it is found by, and those that have come here.
pub struct Announced {
    logins: ExpiringMap<SecretHash, Login, ClientId>,
    steps: Steps<()>,
}

/// A login that was announced.
#[derive(Debug)]
struct Login {
    client: ClientId,
    /// The flow, once the browser is here.
    flow: Option<FlowId>,
    /// Until when the request waits.
    request: Option<Timestamp>,
    /// Until when the code is good.
    code: Option<Timestamp>,
}

impl Announced {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let logins = ExpiringMap::shared(CAPACITY, |_| 0, |login: &Login| vec![login.client.clone()]);
        Self { logins, steps: Steps::new(clock) }
    }

    /// Forgets what took too long.
    pub fn sweep(&self, now: Timestamp) {
        self.logins.sweep(now);
        self.steps.sweep();
    }

    /// Forgets what began after `since`.
    pub fn forget_since(&self, since: Timestamp) {
        self.logins.forget_since(since);
        self.steps.forget_since(since);
    }

    /// Looks at the login that `flow` is, if it was announced by the client that it is for.
    fn of<R>(&self, flow: &Flow, now: Timestamp, mut look: impl FnMut(&mut Login) -> R) -> Option<R> {
        let client = flow.client.as_deref()?;
        flow.correlators.iter().find_map(|found_by| {
            let look = |login: &mut Login| (login.client.as_str() == client).then(|| look(login));
            self.logins.update(found_by, now, look)?
        })
    }
}

/// `POST /flows/steps`, with the client's credentials: announces the login of a `correlator` (`hold`), puts the clock
/// forward by `skip` seconds, or back (`return`); and tells in any case how things stand.
pub async fn steps(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, OAuthError> {
    not_by_a_page(&request)?;
    let params = form?.params(&["correlator"])?;
    let client = client_auth::authenticate(&state, &request, &params, &mut state.checks()).await?;
    let announced = state.steps.as_ref().ok_or_else(|| {
        OAuthError::bad_request(ErrorCode::InvalidRequest, "Nothing is held here: no flow is recorded.")
    })?;
    travel(&state, announced, &params).await?;
    let now = state.clock.now();
    let correlators: Vec<_> = params.all("correlator").filter_map(SecretHash::decode).collect();
    if params.get("hold").is_some() {
        let is_free = |it: &&SecretHash| {
            announced.logins.read(it, now, |login| login.client == client.id).unwrap_or(true)
        };
        for correlator in correlators.iter().filter(is_free) {
            let login = Login { client: client.id.clone(), flow: None, request: None, code: None };
            let forget = now + state.settings.interaction_lifetime;
            announced
                .logins
                .insert(*correlator, login, forget, now)
                .map_err(crate::store::StoreError::from)?;
        }
    }
    let span = |until: Option<Timestamp>, of: Duration| {
        until.map(|until| (until.since(now).as_secs(), of.as_secs()))
    };
    let stands = correlators.iter().find_map(|correlator| {
        let look = |login: &Login| {
            (login.client == client.id).then(|| (login.flow.clone(), login.request, login.code))
        };
        announced.logins.read(correlator, now, look)?
    });
    let (flow, request, code) = stands.unwrap_or_default();
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(json!({
        "runs_on": flow.is_some_and(|flow| announced.steps.runs_on(&flow)),
        "request": span(request, state.settings.interaction_lifetime),
        "code": span(code, state.settings.code_lifetime),
        "ahead": state.time.as_ref().map(|time| time.ahead().as_secs()),
    })))
}

/// A public client's name is all that it takes to be heard here, and every page that somebody visits could have the browser
/// send it. Browsers say so (Fetch Metadata §2.3, Fetch §3.2); an application's server sends neither.
fn not_by_a_page(request: &HttpRequest) -> Result<(), OAuthError> {
    if ["origin", "sec-fetch-site"].iter().any(|name| request.headers().contains_key(*name)) {
        return Err(OAuthError::forbidden(
            "This endpoint is for applications' servers, and for no page in a browser.",
        ));
    }
    Ok(())
}

/// Puts the clock forward or back. What began in a time that never was has never been.
async fn travel(state: &AppState, announced: &Announced, params: &Params) -> Result<(), OAuthError> {
    let refuse = |description| OAuthError::bad_request(ErrorCode::InvalidRequest, description);
    let asked = params.get("skip").or(params.get("return"));
    let Some(time) = state.time.as_ref().filter(|_| asked.is_some()) else {
        return match asked {
            Some(_) => Err(refuse("The clock is not to be moved: this is no server for one computer only.")),
            None => Ok(()),
        };
    };
    if let Some(skip) = params.get("skip") {
        let is_near = |by: &Duration| by.checked_add(time.ahead()).is_some_and(|sum| sum <= FARTHEST);
        let by = skip.parse().map(Duration::from_secs).ok().filter(is_near);
        time.skip(by.ok_or_else(|| refuse("skip is no number of seconds, or too far."))?);
        tracing::warn!(seconds = time.ahead().as_secs(), "the clock is ahead");
    } else if let Some(since) = time.return_to_present() {
        state.stores.forget_since(since).await;
        announced.forget_since(since);
        tracing::warn!("the clock is right again");
    }
    Ok(())
}

#[async_trait(?Send)]
impl Hands for AppState {
    /// The provider's own code is never held.
    type Ended = ();

    fn steps(&self) -> Option<&Steps<()>> {
        self.steps.as_ref().map(|announced| &announced.steps)
    }

    fn random(&self) -> &dyn Random {
        &*self.random
    }

    fn step_cookie(&self) -> &'static str {
        COOKIE
    }

    fn login_lifetime(&self) -> Duration {
        self.settings.interaction_lifetime
    }

    /// Before the first page, and before step 6.
    fn pause_at(&self, _request: &HttpRequest, exchange: Exchange, draft: &Draft) -> Option<Pause> {
        let announced = self.steps.as_ref()?;
        let id = tap::current_flow()?;
        let (flow, now) = (self.recorder.as_ref()?.flow(&id)?, self.clock.now());
        let is_own = draft.address.starts_with(&format!("{}/", self.settings.origin.as_str()));
        let pause = match exchange {
            Exchange::Authorize if is_own => Pause::LoginPage,
            Exchange::Authorize | Exchange::AccountChoice | Exchange::Password | Exchange::Decision
                if !is_own =>
            {
                Pause::AuthorizationResponse
            }
            _ => return None,
        };
        announced.of(&flow, now, |login| {
            login.flow = Some(id.clone());
            match pause {
                Pause::LoginPage => login.request = Some(now + self.settings.interaction_lifetime),
                _ => login.code = brings_code(&draft.params).then(|| now + self.settings.code_lifetime),
            }
        })?;
        (!announced.steps.runs_on(&id)).then_some(pause)
    }

    /// Step 6 by `form_post`.
    async fn posting(
        &self,
        request: &HttpRequest,
        flow: &str,
        draft: &Draft,
    ) -> Result<HttpResponse, Problem> {
        let params = Params::parse_with_repeats(draft.params.as_bytes()).map_err(Problem::malformed)?;
        let flow = self.recorder.as_ref().and_then(|recorder| recorder.flow(flow));
        let client = ClientId::new(flow.and_then(|flow| flow.client.clone()).unwrap_or_default());
        let client = self.stores.clients.find(&client, self.present()).await.map_err(problems::from_store)?;
        let name =
            client.as_ref().and_then(|client| client.name.for_reader(Lang::of(request))).unwrap_or_default();
        form_post::page(self, request, name, FormPost { action: draft.address.clone(), params })
    }

    async fn validity(&self, flow: &Flow) -> Validity {
        let now = self.clock.now();
        let look = |login: &mut Login| (login.request, login.code);
        let found = self.steps.as_ref().and_then(|announced| announced.of(flow, now, look));
        let (request, code) = found.unwrap_or_default();
        let span = |until: Option<Timestamp>, of| until.map(|until| (until.since(now), of));
        Validity {
            code: span(code, self.settings.code_lifetime),
            request: span(request, self.settings.interaction_lifetime),
            login: None,
        }
    }

    /// In the viewer of the demo's application, which has both halves; or in the provider's own.
    fn shown_at(&self, request: &HttpRequest, flow: &Flow) -> Option<String> {
        let own = || format!("{}/flows/{}", self.settings.origin.as_str(), flow.id);
        let announced = self.steps.as_ref()?;
        let known =
            |found_by: &&SecretHash| announced.logins.read(found_by, self.clock.now(), |_| ()).is_some();
        let there = self.settings.demo_viewer().zip(flow.correlators.iter().find(known));
        let there = there.map(|(viewer, found_by)| format!("{viewer}/of/{}", found_by.encode()));
        there.or_else(|| self.sees(request).includes(flow).then(own))
    }
}

fn brings_code(params: &str) -> bool {
    Params::parse_with_repeats(params.as_bytes()).is_ok_and(|params| params.get("code").is_some())
}
