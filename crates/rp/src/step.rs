//! Going step by step through a login, and through what is done with its tokens: what is held at the RP, and where its own code
//! waits meanwhile.
//!
//! The code of a login runs in the background from the callback on, that of a deed from its beginning, and stops wherever
//! [`Wire`] has it stop. What it brings in the end waits for the browser, which gets it as the answer to its last click.

use std::time::Duration;

use actix_session::SessionExt as _;
use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web::Data};
use async_trait::async_trait;
use shared::{
    flow::{Checks, Exchange, Pause},
    params::Params,
    random::Random,
    response_mode::ResponseMode,
};
use viewer::{
    correlate,
    desk::Desk as _,
    recorder::Flow,
    steps::{Draft, Forgery, Hands, Released, Steps, Validity, hold_deed as hold_deed_of, presented},
    tap,
};
use web::{
    front_door::Site,
    problem::{Foretold, Problem},
};

use crate::{
    callback::{self, Arrival, Completed},
    deed::{self, Deed, Finished},
    flows, forge,
    session::{self, SignedIn},
    state::AppState,
    token_desk,
    wire::Wire,
};

/// How the names of the cookies begin that say which browser goes step by step.
const COOKIE: &str = "rp_step";

/// What the code has come to.
pub enum Ended {
    /// A login: an end, or a refusal before it was known whose it is.
    Login(Result<Completed, Problem>),
    /// What was done with tokens after it.
    Deed(Result<Finished, Problem>),
}

/// Holds the browser's return of a login that is gone through step by step. `None` for any other.
pub async fn receive(request: &HttpRequest, app: &Data<AppState>, arrival: &Arrival) -> Option<HttpResponse> {
    let (steps, flow) = (app.steps.as_ref()?, tap::current_flow()?);
    let cookie = presented(&***app, request, &flow);
    if steps.receive(&flow, cookie.as_deref()) {
        // Whoever wanted to stop no more at the provider does not stop here either.
        if at_provider(app, &flow).await.is_some_and(|there| there.runs_on) {
            steps.run_on(&flow);
            return None;
        }
        let put_off = tap::put_off()?;
        steps.work(&put_off, tap::spawn(run(app.clone(), flow.clone(), arrival.clone()))?);
        steps.settled(&flow).await;
    } else if !steps.is_held_for(&flow, cookie.as_deref()) {
        return None;
    }
    let page = format!("{}step/{flow}", app.settings.home());
    Some(HttpResponse::SeeOther().insert_header((LOCATION, page)).finish())
}

/// What became of the login that `flow` is at the provider, as far as the provider tells.
async fn at_provider(app: &AppState, flow: &str) -> Option<flows::AtProvider> {
    let flow = app.recorder.as_ref()?.flow(flow)?;
    let us = flows::client_of(app, &flow);
    flows::at_provider(app, &us, flow.correlators.iter().map(|it| ("correlator", it.encode()))).await
}

/// The code of a login, in the background.
async fn run(app: Data<AppState>, flow: String, arrival: Arrival) {
    let Some(steps) = &app.steps else { return };
    let ended = go_through(&app, steps, &flow, arrival).await;
    steps.end(&flow, Ended::Login(ended));
}

async fn go_through(
    app: &AppState,
    steps: &Steps<Ended>,
    flow: &str,
    mut arrival: Arrival,
) -> Result<Completed, Problem> {
    let held = Draft {
        method: if arrival.mode == ResponseMode::FormPost { "POST".into() } else { "GET".into() },
        address: app.settings.redirect_uri(),
        params: arrival.params.clone(),
        ..Draft::default()
    };
    let released = steps.hold(flow, Pause::Callback, held).await;
    let twice = matches!(released, Released::Repeated(_));
    match released {
        Released::Sent(draft) | Released::Repeated(draft) => arrival.params = draft.params,
        // It never arrives here, and so nothing comes of it.
        Released::Dropped => std::future::pending().await,
    }
    let mut checks = Checks::kept(app.sink.clone());
    let claimed = callback::claim(app, &arrival, &mut checks).await?;
    if twice {
        // The second one comes while the first is on its way. What it is told, nobody is there to read.
        let mut checks = Checks::new(app.sink.clone());
        drop(tap::apart(callback::claim(app, &arrival, &mut checks)).await);
    }
    Ok(claimed.complete(&Wire::held(app, flow), checks).await)
}

/// Where something is held of the flow of this session for the browser that sent `request`.
pub fn held_for(app: &AppState, request: &HttpRequest, signed_in: &SignedIn) -> Option<String> {
    let (steps, flow) = (app.steps.as_ref()?, signed_in.flow.as_deref()?);
    let is_held = steps.is_held_for(flow, presented(app, request, flow).as_deref());
    is_held.then(|| format!("{}step/{flow}", app.settings.home()))
}

/// Does something with the tokens of a session step by step: leads to its first message, or to what is held already. `None`
/// where there is no room for it.
pub async fn hold_deed(
    request: &HttpRequest,
    app: &Data<AppState>,
    site: &Site,
    signed_in: &SignedIn,
    deed: Deed,
) -> Option<HttpResponse> {
    if let Some(page) = held_for(app, request, signed_in) {
        return Some(HttpResponse::SeeOther().insert_header((LOCATION, page)).finish());
    }
    let part = deed.in_flow(app, signed_in)?;
    let (app, signed_in, flow) = (app.clone(), signed_in.clone(), part.flow().to_owned());
    let desk = app.clone();
    let work = async move {
        let finished = deed::act(&app, &Wire::held(&app, &flow), &signed_in, deed).await;
        if let Some(steps) = &app.steps {
            steps.end(&flow, Ended::Deed(finished));
        }
    };
    hold_deed_of(&**desk, site, request, &part, work).await
}

#[async_trait(?Send)]
impl Hands for AppState {
    type Ended = Ended;

    fn steps(&self) -> Option<&Steps<Ended>> {
        self.steps.as_ref()
    }

    fn random(&self) -> &dyn Random {
        &*self.random
    }

    fn step_cookie(&self) -> &'static str {
        COOKIE
    }

    fn login_lifetime(&self) -> Duration {
        self.settings.attempt_lifetime
    }

    /// Step 2, if the learner chose to go step by step.
    fn pause_at(&self, request: &HttpRequest, exchange: Exchange, _draft: &Draft) -> Option<Pause> {
        let params = Params::parse(request.query_string().as_bytes(), &[]).ok()?;
        let is_chosen = exchange == Exchange::Login && params.get("pace") == Some("step");
        (is_chosen && self.steps.is_some()).then_some(Pause::AuthorizationRequest)
    }

    async fn validity(&self, flow: &Flow) -> Validity {
        let there = at_provider(self, &flow.id).await.unwrap_or_default();
        let of = self.settings.attempt_lifetime;
        let span = |(left, of): (u64, u64)| (Duration::from_secs(left), Duration::from_secs(of));
        Validity { code: there.code.map(span), request: there.request.map(span), login: Some((of, of)) }
    }

    /// The provider stops, too. It is told which login, by what it will be found by there.
    async fn announce(&self, location: &str) {
        let login = correlate::in_address(location).into_iter().map(|it| ("correlator", it.encode()));
        let us = flows::client_in(self, [location]);
        flows::at_provider(self, &us, login.chain([("hold", "1".to_owned())])).await;
    }

    async fn forge(&self, token: &str, forgery: Forgery) -> String {
        forge::forge(self, token, forgery).await
    }

    fn tell(&self, request: &HttpRequest, pause: Pause, foretold: Foretold) {
        let session = request.get_session();
        // A notice is a comfort: without it the login, or the deed, stands.
        if pause.is_afterwards() {
            let _ = deed::add_foretold(&session, foretold);
        } else if self.sessions.have_room() {
            let _ = session::add_foretold(&session, foretold);
        }
    }

    fn shown_at(&self, request: &HttpRequest, flow: &Flow) -> Option<String> {
        self.sees(request).includes(flow).then(|| format!("{}flows/{}", self.settings.home(), flow.id))
    }

    fn travels(&self) -> bool {
        self.time.is_some()
    }

    async fn finish(&self, request: &HttpRequest, ended: Ended) -> Result<HttpResponse, Problem> {
        let session = request.get_session();
        match ended {
            Ended::Login(ended) => callback::finish(&session, self, ended?).await,
            Ended::Deed(finished) => token_desk::finish(&session, self, finished?),
        }
    }
}
