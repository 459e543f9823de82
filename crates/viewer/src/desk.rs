//! The desk where flows are shown: the addresses of the viewer, the same at both servers. What differs between them, who
//! may see what and where the other half of a flow is found, a server says as a [`Desk`].

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    http::{
        StatusCode,
        header::{ContentDisposition, ContentType, DispositionParam, DispositionType, LOCATION},
    },
    web::{self as actix, Data, Path, ServiceConfig},
};
use async_trait::async_trait;
use serde_json::Value;
use shared::{
    flow::{Recorded, Story},
    params::Params,
    secret::SecretHash,
};
use web::{front_door::Site, pages::Kind, problem::Problem};

use crate::{
    live, open,
    recorder::{Addresses, Flow, Recorder},
    saved::{self, Saved},
    view::{
        FlowFacts, ListFacts, Listed, OtherHalf, Show, compare_page, concealed, flow_page, glossary_page,
        list_page, saved_page,
    },
};

/// How many flows the list shows.
const LISTED: usize = 200;

/// What a visitor may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    /// Every flow.
    Everything,
    /// Those that this browser began, if it has begun any.
    Own(Option<SecretHash>),
    /// None.
    Nothing,
}

impl Sees {
    /// Whether `flow` is among it.
    pub fn includes(self, flow: &Flow) -> bool {
        match self {
            Self::Everything => true,
            Self::Own(browser) => browser.is_some() && flow.owner == browser,
            Self::Nothing => false,
        }
    }
}

/// What a server knows about its viewer.
#[async_trait(?Send)]
pub trait Desk: 'static {
    /// Its recorder; without one the desk is closed.
    fn recorder(&self) -> Option<&Recorder>;

    /// What the sender of `request` may see.
    fn sees(&self, request: &HttpRequest) -> Sees;

    /// A visitor who has not been here before: whose the flows are that they open, and the cookie that says so. `None` where
    /// flows are nobody's own.
    fn new_visitor(&self) -> Option<(SecretHash, Cookie<'static>)> {
        None
    }

    /// What the other server recorded of `flow`.
    async fn other_half(&self, flow: &Flow) -> (OtherHalf, Vec<Recorded>);

    /// Where the two servers are.
    fn addresses(&self) -> Addresses;

    /// After how many milliseconds of silence a flow has ended.
    fn patience(&self) -> i64;
}

/// The viewer's addresses, below the server's own.
pub fn routes<D: Desk>(app: &mut ServiceConfig) {
    app.service(actix::resource("/flows").route(actix::get().to(list::<D>)))
        .service(actix::resource("/flows/compare").route(actix::get().to(compare::<D>)))
        .service(
            actix::resource("/flows/open")
                .route(actix::get().to(open::ask::<D>))
                .route(actix::post().to(open::open::<D>)),
        )
        .service(actix::resource("/flows/of/{correlator}").route(actix::get().to(of::<D>)))
        .service(actix::resource("/flows/{id}").route(actix::get().to(show::<D>)))
        .service(actix::resource("/flows/{id}/live").route(actix::get().to(live::live::<D>)))
        .service(actix::resource("/flows/{id}/save").route(actix::get().to(save::<D>)));
}

/// A flow with all that is known of it.
pub(crate) struct Whole {
    pub(crate) flow: Arc<Flow>,
    pub(crate) half: OtherHalf,
    pub(crate) events: Vec<Recorded>,
}

impl Whole {
    /// Finds the flow `id`. One that the visitor may not see does not exist for them.
    pub(crate) async fn find(desk: &impl Desk, request: &HttpRequest, id: &str) -> Result<Self, Problem> {
        let flow = desk.recorder().and_then(|recorder| recorder.flow(id));
        let flow = flow.filter(|flow| flow.number.is_some() && desk.sees(request).includes(flow));
        let flow = flow.ok_or_else(Problem::not_found)?;
        Ok(Self::of(desk, flow).await)
    }

    /// The flow `id`, for somebody who has shown in another way that it is theirs.
    pub(crate) async fn of_own(desk: &impl Desk, id: &str) -> Option<Self> {
        Some(Self::of(desk, desk.recorder()?.flow(id)?).await)
    }

    async fn of(desk: &impl Desk, flow: Arc<Flow>) -> Self {
        let (half, theirs) = match flow.opened {
            Some(_) => (OtherHalf::Seen, Vec::new()),
            None => desk.other_half(&flow).await,
        };
        let events = [flow.events.as_slice(), &theirs].concat();
        Self { flow, half, events }
    }

    pub(crate) fn story(&self, desk: &impl Desk) -> Story<'_> {
        Story::tell(&self.events, now(desk), desk.patience())
    }

    fn facts<'a>(
        &'a self,
        desk: &impl Desk,
        site: &'a Site,
        addresses: &'a Addresses,
        live: bool,
    ) -> FlowFacts<'a> {
        FlowFacts {
            id: &self.flow.id,
            number: self.flow.number.unwrap_or_default(),
            rp: &addresses.rp,
            idp: &addresses.idp,
            now: now(desk),
            live,
            other_half: self.half,
            base: site.origin.path(),
        }
    }
}

fn now(desk: &impl Desk) -> i64 {
    desk.recorder().map_or(0, Recorder::now)
}

/// The latest flows as rows of the list, for a page of the server's own; `None` where nothing is recorded.
pub fn recent(desk: &impl Desk, request: &HttpRequest, base: &str, most: usize) -> Option<Value> {
    let (recorder, sees) = (desk.recorder()?, desk.sees(request));
    let flows = recorder.flows(most, |flow| sees.includes(flow));
    let facts = ListFacts { base, now: recorder.now(), show: Show::default(), with: None };
    listed(&flows, desk, |listed| serde_json::to_value(list_page(listed, &facts)).ok())
}

/// Tells the stories of `flows` and hands them on.
fn listed<T>(flows: &[Arc<Flow>], desk: &impl Desk, show: impl FnOnce(&[Listed<'_>]) -> T) -> T {
    let stories: Vec<_> =
        flows.iter().map(|flow| Story::tell(&flow.events, now(desk), desk.patience())).collect();
    let listed = flows.iter().zip(&stories).map(|(flow, story)| Listed {
        id: &flow.id,
        number: flow.number.unwrap_or_default(),
        story,
    });
    show(&listed.collect::<Vec<_>>())
}

/// `GET /flows`, newest first; `show` narrows it down, `with` names a flow to compare another with.
async fn list<D: Desk>(
    request: HttpRequest,
    desk: Data<D>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let params = Params::parse(request.query_string().as_bytes(), &[]).map_err(Problem::malformed)?;
    let recorder = desk.recorder().ok_or_else(Problem::not_found)?;
    let sees = desk.sees(&request);
    if sees == Sees::Nothing {
        return Err(Problem::not_found());
    }
    let flows = recorder.flows(LISTED, |flow| sees.includes(flow));
    let with = params.get("with").and_then(|id| flows.iter().find(|flow| flow.id == id));
    let facts = ListFacts {
        base: site.origin.path(),
        now: recorder.now(),
        show: params.get("show").map(Show::find).unwrap_or_default(),
        with: with.map(|flow| (flow.id.as_str(), flow.number.unwrap_or_default())),
    };
    listed(&flows, &**desk, |listed| {
        let page = list_page(listed, &facts);
        site.pages.respond(&request, StatusCode::OK, Kind::Plain, "viewer/list.html", None, &page)
    })
}

/// `GET /flows/{id}`; `#m8` is its eighth step.
async fn show<D: Desk>(
    request: HttpRequest,
    id: Path<String>,
    desk: Data<D>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let whole = Whole::find(&**desk, &request, &id).await?;
    let addresses = whole.flow.opened.clone().unwrap_or_else(|| desk.addresses());
    let story = whole.story(&**desk);
    let facts = whole.facts(&**desk, &site, &addresses, !story.is_over());
    let page = flow_page(&story, &facts);
    site.pages.respond(&request, StatusCode::OK, Kind::Plain, "viewer/flow.html", None, &page)
}

/// `GET /flows/of/{correlator}`: leads to the flow that has it, for pages of the other server, which does not know its name.
async fn of<D: Desk>(
    request: HttpRequest,
    correlator: Path<String>,
    desk: Data<D>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let correlator = SecretHash::decode(&correlator).ok_or_else(Problem::not_found)?;
    let flow = desk.recorder().and_then(|recorder| recorder.flow_of(&correlator));
    let flow = flow.filter(|flow| flow.number.is_some() && desk.sees(&request).includes(flow));
    let flow = flow.ok_or_else(Problem::not_found)?;
    let location = format!("{}/flows/{}", site.origin.path(), flow.id);
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, location)).finish())
}

/// `GET /flows/compare?a=…&b=…`
async fn compare<D: Desk>(
    request: HttpRequest,
    desk: Data<D>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let params = Params::parse(request.query_string().as_bytes(), &[]).map_err(Problem::malformed)?;
    let named = |name| params.get(name).ok_or_else(Problem::not_found);
    let (a, b) = (
        Whole::find(&**desk, &request, named("a")?).await?,
        Whole::find(&**desk, &request, named("b")?).await?,
    );
    let addresses = desk.addresses();
    let (of_a, of_b) =
        (a.facts(&**desk, &site, &addresses, false), b.facts(&**desk, &site, &addresses, false));
    let (story_a, story_b) = (a.story(&**desk), b.story(&**desk));
    let page = compare_page((&story_a, &of_a), (&story_b, &of_b));
    site.pages.respond(&request, StatusCode::OK, Kind::Plain, "viewer/compare.html", None, &page)
}

/// `GET /flows/{id}/save?as=page|har|mermaid`, with `secrets=1` as it was, otherwise without secrets.
async fn save<D: Desk>(
    request: HttpRequest,
    id: Path<String>,
    desk: Data<D>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let params = Params::parse(request.query_string().as_bytes(), &[]).map_err(Problem::malformed)?;
    let mut whole = Whole::find(&**desk, &request, &id).await?;
    let redacted = params.get("secrets") != Some("1");
    if redacted {
        whole.events = concealed(&whole.events);
    }
    let addresses = whole.flow.opened.clone().unwrap_or_else(|| desk.addresses());
    let number = whole.flow.number.unwrap_or_default();
    let story = whole.story(&**desk);
    let (name, media_type, body) = match params.get("as").unwrap_or("page") {
        "har" => {
            let har = saved::har(&story, &addresses.rp, &addresses.idp);
            (format!("flow-{number}.har"), ContentType::json(), har.to_string())
        }
        "mermaid" => (format!("flow-{number}.mmd"), ContentType::plaintext(), saved::mermaid(&story)),
        "page" => {
            let facts = whole.facts(&**desk, &site, &addresses, false);
            let page = saved_page(&story, &facts, !redacted);
            let page = site.pages.render(&request, "viewer/saved.html", None, &page)?;
            let page = String::from_utf8_lossy(&page);
            let saved = Saved {
                version: 1,
                number,
                rp: addresses.rp.clone(),
                idp: addresses.idp.clone(),
                redacted,
                events: whole.events.clone(),
            };
            let body = page.replacen("</body>", &format!("{}</body>", saved.to_script()), 1);
            (format!("flow-{number}.html"), ContentType::html(), body)
        }
        _ => return Err(Problem::malformed("as is none of page, har and mermaid")),
    };
    let attachment = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(name)],
    };
    Ok(HttpResponse::Ok().insert_header(attachment).insert_header(media_type).body(body))
}

/// `GET /glossary`: every term of every page, whether flows are recorded or not.
#[expect(clippy::unused_async, reason = "a handler")]
pub async fn glossary(request: HttpRequest, site: Data<Site>) -> Result<HttpResponse, Problem> {
    site.pages.respond(&request, StatusCode::OK, Kind::Plain, "viewer/glossary.html", None, &glossary_page())
}
