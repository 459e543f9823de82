//! Who sees which flow, and the other half of one: what the provider recorded of it. It is asked for with the RP's own credentials, by what
//! travelled in the flow's messages, and the provider tells a client of nobody's flows but its own.

use std::sync::Arc;

use actix_web::{HttpRequest, cookie::Cookie};
use async_trait::async_trait;
use openidconnect::{HttpResponse, http};
use serde::Deserialize;
use shared::{
    flow::{Event, Party, Recorded},
    params::Params,
    secret::{Secret, SecretHash},
};
use viewer::{
    desk::{Desk, Sees},
    recorder::{Addresses, Flow, Recorder},
    redact, saved, tap,
    view::OtherHalf,
};
use web::{cookies, pages::FlowLink};

use crate::{
    client::{self, Client},
    provider::{FetchError, MAX_ANSWER},
    state::AppState,
};

/// The cookie of a browser that began flows, where not everybody may see all of them.
const COOKIE: &str = "rp_viewer";
/// The largest half that is read, in bytes: what the provider keeps of one flow at most, written as JSON.
const MAX_HALF: usize = 8 * 1024 * 1024;

#[derive(Deserialize)]
struct Half {
    events: Vec<Recorded>,
}

/// What the provider recorded of `flow`, or why that is not known.
pub async fn other_half(app: &AppState, flow: &Flow) -> (OtherHalf, Vec<Recorded>) {
    let Ok(provider) = app.provider.metadata().await else {
        return (OtherHalf::Unreachable, Vec::new());
    };
    let Some(endpoint) = &provider.flow_recording_endpoint else {
        return (OtherHalf::Foreign, Vec::new());
    };
    match ask(app, endpoint.as_str(), flow).await {
        Ok(None) => (OtherHalf::Refused, Vec::new()),
        Ok(Some(mut events)) => {
            // The provider tells its own half, in bounds, and nothing else is believed.
            events.truncate(saved::MOST_EVENTS);
            events.retain(|it| it.by == Party::Idp && saved::is_possible(it));
            if !app.settings.is_demo() {
                events.iter_mut().for_each(conceal);
            }
            (OtherHalf::Seen, events)
        }
        Err(error) => {
            tracing::warn!(%error, "the provider's half of a flow is not known");
            (OtherHalf::Unreachable, Vec::new())
        }
    }
}

/// Where not everybody knows the client's secret already, it is shown to nobody.
fn conceal(it: &mut Recorded) {
    if let Event::Message(message) = &mut it.event {
        redact::client_secret(message);
    }
}

/// `None`: it does not know who asks.
async fn ask(app: &AppState, endpoint: &str, flow: &Flow) -> Result<Option<Vec<Recorded>>, FetchError> {
    let correlators = flow.correlators.iter().map(|it| ("correlator", it.encode()));
    let us = match &app.settings.spa_client_id {
        Some(id) if flow.client.as_deref() == Some(id.as_str()) => Arc::new(Client::public(id.clone())),
        _ => client_of(app, flow),
    };
    let answer = post(app, &us, endpoint, correlators, MAX_HALF).await?;
    if answer.status() == http::StatusCode::UNAUTHORIZED {
        return Ok(None);
    }
    // A half that cannot be read is as good as none.
    let half = serde_json::from_slice(answer.body()).unwrap_or(Half { events: Vec::new() });
    Ok(Some(half.events))
}

/// Who this application was when it began a flow: the provider tells a client of its own flows only.
pub fn client_of(app: &AppState, flow: &Flow) -> Arc<Client> {
    let locations = flow.events.iter().filter_map(|it| match &it.event {
        Event::Message(message) => message.header("location"),
        _ => None,
    });
    client_in(app, locations)
}

/// Who this application says that it is where it sends the browser.
pub fn client_in<'a>(app: &AppState, locations: impl IntoIterator<Item = &'a str>) -> Arc<Client> {
    let mut queries = locations.into_iter().filter_map(|location| location.split_once('?'));
    let id = queries.find_map(|(_, query)| {
        let params = Params::parse_with_repeats(query.as_bytes()).ok()?;
        params.get("client_id").map(ToOwned::to_owned)
    });
    id.map_or_else(|| app.client(), |id| app.client_called(&id))
}

/// What the provider says about a login that is gone through step by step there, and about its clock.
#[derive(Debug, Default, Deserialize)]
pub struct AtProvider {
    /// Whoever goes through it wanted to stop no more.
    #[serde(default)]
    pub runs_on: bool,
    /// For how many seconds the code is good, of how many.
    pub code: Option<(u64, u64)>,
    /// The same of the request that waits there.
    pub request: Option<(u64, u64)>,
    /// By how many seconds its clock is ahead, if it can be moved.
    pub ahead: Option<u64>,
}

/// Whether the provider has an ear for going step by step.
pub async fn goes_step_by_step(app: &AppState) -> bool {
    app.provider.metadata().await.is_ok_and(|provider| provider.flow_steps_endpoint.is_some())
}

/// Says something to the provider about going step by step; `None` if it has no ear for it, or refuses.
pub async fn at_provider(
    app: &AppState,
    us: &Client,
    said: impl Iterator<Item = (&'static str, String)>,
) -> Option<AtProvider> {
    let provider = app.provider.metadata().await.ok()?;
    let endpoint = provider.flow_steps_endpoint.as_ref()?;
    match post(app, us, endpoint.as_str(), said, MAX_ANSWER).await {
        Ok(answer) if answer.status().as_u16() == 200 => serde_json::from_slice(answer.body()).ok(),
        Ok(answer) => {
            tracing::warn!(status = answer.status().as_u16(), "the provider does not go step by step");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "the provider does not go step by step");
            None
        }
    }
}

/// Posts a form to the provider with the RP's own credentials. It is recorded nowhere.
async fn post(
    app: &AppState,
    us: &Client,
    endpoint: &str,
    pairs: impl Iterator<Item = (&'static str, String)>,
    limit: usize,
) -> Result<HttpResponse, FetchError> {
    let pairs: Vec<_> = pairs.collect();
    let request = client::form(app, us, endpoint, pairs.iter().map(|(name, value)| (*name, value.as_str())))?;
    app.provider.http().answered(request, limit).await
}

#[async_trait(?Send)]
impl Desk for AppState {
    fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_deref()
    }

    fn sees(&self, request: &HttpRequest) -> Sees {
        if self.settings.is_demo() {
            return Sees::Everything;
        }
        // Who has begun none yet sees an empty list.
        let browser = cookies::value(request, COOKIE).filter(|value| !value.is_empty());
        Sees::Own(browser.map(|value| SecretHash::of(&value)))
    }

    fn new_visitor(&self) -> Option<(SecretHash, Cookie<'static>)> {
        let browser = Secret::mint("", &*self.random);
        let secure = self.settings.base_url.is_https();
        let cookie = cookies::cookie(COOKIE, browser.expose().to_owned(), "/", secure, None).into_owned();
        Some((browser.hash(), cookie))
    }

    async fn other_half(&self, flow: &Flow) -> (OtherHalf, Vec<Recorded>) {
        other_half(self, flow).await
    }

    fn addresses(&self) -> Addresses {
        let (rp, idp) = (self.settings.base_url.as_str(), self.settings.issuer.as_str());
        Addresses { rp: rp.to_owned(), idp: idp.to_owned() }
    }

    fn patience(&self) -> i64 {
        i64::try_from(self.settings.attempt_lifetime.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Has the page that answers `request` lead to the flow `id`, if it can be seen.
pub fn link(app: &AppState, request: &HttpRequest, id: Option<&str>) {
    if let Some(address) = id.and_then(|id| address(app, request, id)) {
        FlowLink::of(request).note(address);
    }
}

/// Where the flow `id` is seen, if this visitor may see it.
pub fn address(app: &AppState, request: &HttpRequest, id: &str) -> Option<String> {
    let flow = app.recorder.as_ref()?.flow(id)?;
    app.sees(request).includes(&flow).then(|| format!("{}flows/{}", app.settings.home(), flow.id))
}

/// Notes whose browser began the flow of this request; the cookie for one that is not known yet. In the built-in demo
/// everybody sees everything, and needs none.
pub fn own(app: &AppState, request: &HttpRequest) -> Option<Cookie<'static>> {
    give(app, request, &tap::current_flow()?)
}

/// The same of the flow `flow`.
pub fn give(app: &AppState, request: &HttpRequest, flow: &str) -> Option<Cookie<'static>> {
    let recorder = app.recorder.as_ref().filter(|_| !app.settings.is_demo())?;
    if let Sees::Own(Some(browser)) = app.sees(request) {
        recorder.give_to(flow, browser);
        return None;
    }
    let (browser, cookie) = app.new_visitor()?;
    recorder.give_to(flow, browser);
    Some(cookie)
}
