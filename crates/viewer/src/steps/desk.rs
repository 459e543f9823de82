//! The addresses: `/step/{flow}` shows what is held of a flow, and lets it go. It is always the present message that is
//! shown there: after a reload, in a second tab, after Back.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::{self as actix, Data, Path, ServiceConfig},
};
use shared::{
    flow::{Event, Pause, Release, Story, Verb},
    params::Params,
    secret::Secret,
};
use web::{
    form::{Form, FormError},
    front_door::Site,
    pages::{FlowLink, Kind, Progress},
    problem::Problem,
};

use super::{
    Hands,
    draft::Draft,
    form::{self, Edited, Mistake, Order},
    gate::presented,
    page::{self, Typed, Validity},
    store::{Over, Released, Seen, Steps, Then, What},
    told,
};
use crate::{desk::Whole, tap::PutOff};

/// Fields of the form that may stand more than once.
const REPEATABLE: [&str; 1] = ["embed"];

/// The addresses, below the server's own.
pub fn routes<D: Hands>(app: &mut ServiceConfig) {
    app.service(
        actix::resource("/step/{flow}")
            .route(actix::get().to(show::<D>))
            .route(actix::post().to(let_go::<D>)),
    );
}

/// One look at a login.
struct Look<'a, D: Hands> {
    desk: &'a D,
    site: &'a Site,
    request: &'a HttpRequest,
    steps: &'a Steps<D::Ended>,
    flow: String,
}

/// `GET /step/{flow}`
async fn show<D: Hands>(
    request: HttpRequest,
    flow: Path<String>,
    desk: Data<D>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let look = Look::at(&**desk, &site, &request, flow.into_inner())?;
    look.steps.settled(&look.flow).await;
    look.answer(look.seen()?).await
}

/// `POST /step/{flow}`
async fn let_go<D: Hands>(
    request: HttpRequest,
    flow: Path<String>,
    form: Result<Form, FormError>,
    desk: Data<D>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    if !site.origin.is_sender_of(&request) {
        return Err(Problem::foreign_origin());
    }
    let params = form?.params(&REPEATABLE)?;
    let look = Look::at(&**desk, &site, &request, flow.into_inner())?;
    let seen = look.seen()?;
    if !Secret::new(seen.csrf.as_str()).matches(params.get("csrf").unwrap_or_default()) {
        return Err(Problem::csrf());
    }
    // A page that has been left behind, or a second click: the present one is shown.
    let (What::Held(pause, held), true) = (&seen.what, is_present(&seen, &params)) else {
        return Ok(look.lead_on());
    };
    let (pause, order) = (*pause, Order::read(&params, *pause));
    let order = order.ok_or_else(|| Problem::malformed("this cannot be done with what is held here"))?;
    let edited =
        if order == Order::Drop { Ok(held.clone().into()) } else { form::edited(held, pause, &params) };
    let edited = match edited {
        Ok(edited) => edited,
        Err(mistake) => return look.page(&seen, pause, held, Some((mistake, &params))).await,
    };
    let draft = look.made(edited).await;
    let release = Release {
        pause,
        verb: match order {
            Order::Send | Order::Run => Verb::Sent,
            Order::Drop => Verb::Dropped,
            Order::Repeat => Verb::Repeated,
        },
        changes: held.changes(&draft, pause),
        guess: form::guess(&params, pause),
    };
    look.let_go(&seen, release, draft, order == Order::Run).await
}

fn is_present(seen: &Seen, params: &Params) -> bool {
    params.get("turn").and_then(|turn| turn.parse().ok()) == Some(seen.turn)
}

/// Where a login goes on of which nothing is held here.
const fn away(seen: &Seen) -> &'static str {
    match seen.latest {
        _ if seen.runs_on => "run",
        Some((Pause::LoginPage, _)) => "pages",
        Some((Pause::AuthorizationResponse, _)) => "rp",
        _ => "idp",
    }
}

impl From<Draft> for Edited {
    fn from(draft: Draft) -> Self {
        Self { draft, forgery: None }
    }
}

impl<'a, D: Hands> Look<'a, D> {
    fn at(desk: &'a D, site: &'a Site, request: &'a HttpRequest, flow: String) -> Result<Self, Problem> {
        let steps = desk.steps().ok_or_else(Problem::not_found)?;
        Ok(Self { desk, site, request, steps, flow })
    }

    /// What is to be seen in this browser. A login that took too long, was begun in another browser or before the server
    /// was started again is not known.
    fn seen(&self) -> Result<Seen, Problem> {
        let cookie = presented(self.desk, self.request, &self.flow);
        let seen = self.steps.see(&self.flow, cookie.as_deref());
        let seen = seen.ok_or_else(|| Problem::step_unknown().next(self.site.pages.home()))?;
        let flow = self.desk.recorder().and_then(|recorder| recorder.flow(&self.flow));
        if let Some(link) = flow.and_then(|flow| self.desk.shown_at(self.request, &flow)) {
            FlowLink::of(self.request).note(link);
        }
        Ok(seen)
    }

    async fn answer(&self, seen: Seen) -> Result<HttpResponse, Problem> {
        match &seen.what {
            What::Held(pause, draft) => self.page(&seen, *pause, draft, None).await,
            What::Ended => self.finish().await,
            What::Working => Ok(self.lead_on()),
            What::Away => self.word(away(&seen), true),
            What::Over(Over::Led(location)) => Ok(lead(location)),
            What::Over(Over::Refused(problem)) => Err((**problem).clone()),
            What::Over(Over::Dropped(pause)) => self.word(pause.id(), false),
        }
    }

    /// The page of what is held. With `mistake` it shows again what was typed.
    async fn page(
        &self,
        seen: &Seen,
        pause: Pause,
        draft: &Draft,
        mistake: Option<(Mistake, &Params)>,
    ) -> Result<HttpResponse, Problem> {
        let whole = Whole::of_own(self.desk, &self.flow).await;
        let validity = match &whole {
            Some(whole) => self.desk.validity(&whole.flow).await,
            // Its flow has been forgotten; what is held is not.
            None => Validity::default(),
        };
        let typed = mistake.map(|(mistake, params)| Typed { mistake, params });
        let story = whole.as_ref().map(|whole| self.story(whole, seen.deed.as_deref()));
        let (base, travels) = (self.site.origin.path(), self.desk.travels());
        let facts = page::Facts { base, flow: &self.flow, seen, pause, draft, validity, travels };
        let page = page::page(&facts, story.as_ref(), typed);
        let status = if mistake.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        let progress = if pause.is_afterwards() { Progress::Done } else { Progress::Now(pause.step()) };
        self.site.pages.respond(self.request, status, Kind::Form, "viewer/pause.html", Some(progress), &page)
    }

    /// The story of a login, or of what is done after it.
    fn story<'b>(&self, whole: &'b Whole, deed: Option<&str>) -> Story<'b> {
        let story = whole.story(self.desk);
        deed.map_or_else(|| story.clone(), |deed| story.of_deed(deed))
    }

    /// A page that says where the login is.
    fn word(&self, what: &'static str, goes_on: bool) -> Result<HttpResponse, Problem> {
        let page = page::Word { what, goes_on };
        self.site.pages.respond(
            self.request,
            StatusCode::OK,
            Kind::Plain,
            "viewer/pause_over.html",
            None,
            &page,
        )
    }

    /// What the message has become, with a token that was made for it.
    async fn made(&self, Edited { mut draft, forgery }: Edited) -> Draft {
        if let Some(forgery) = forgery {
            draft.token = self.desk.forge(&draft.token, forgery).await;
        }
        draft
    }

    async fn let_go(
        &self,
        seen: &Seen,
        release: Release,
        draft: Draft,
        runs_on: bool,
    ) -> Result<HttpResponse, Problem> {
        let Some((then, put_off)) = self.steps.take(&self.flow, seen.turn, release.guess, runs_on) else {
            return Ok(self.lead_on());
        };
        let (pause, verb) = (release.pause, release.verb);
        let is_untouched = verb == Verb::Sent && release.changes.is_empty() && release.guess.is_none();
        if let Some(put_off) = put_off.as_ref().filter(|_| !is_untouched) {
            put_off.record(Event::Release(release));
        }
        let is_browsers = matches!(then, Then::Answer(_)) || pause == Pause::Callback;
        if verb == Verb::Dropped && is_browsers {
            self.steps.close(&self.flow, Over::Dropped(pause));
            return Ok(self.lead_on());
        }
        match then {
            Then::Answer(headers) => {
                if pause == Pause::AuthorizationRequest && !runs_on {
                    self.desk.announce(&draft.location()).await;
                }
                let mut answer = match draft.method.as_str() {
                    "POST" => self.desk.posting(self.request, &self.flow, &draft).await?,
                    _ => lead(&draft.location()),
                };
                for (name, value) in headers {
                    answer.headers_mut().append(name, value);
                }
                self.answered(put_off);
                Ok(answer)
            }
            Then::Run(let_go) => {
                let released = match verb {
                    Verb::Sent => Released::Sent(draft),
                    Verb::Repeated => Released::Repeated(draft),
                    Verb::Dropped => Released::Dropped,
                };
                // Nobody listens any more where the login is over.
                drop(let_go.send(released));
                self.steps.settled(&self.flow).await;
                let seen = self.seen()?;
                if matches!(seen.what, What::Ended) { self.finish().await } else { Ok(self.lead_on()) }
            }
        }
    }

    /// The server's own code is done: the browser gets what it brought, once. Whatever has to be waited for comes first: a
    /// browser that goes away meanwhile finds everything as it was.
    async fn finish(&self) -> Result<HttpResponse, Problem> {
        let foretold = self.seen()?.latest.filter(|(_, guess)| guess.is_some());
        let whole = match foretold {
            Some(_) => Whole::of_own(self.desk, &self.flow).await,
            None => None,
        };
        let Some((ended, put_off)) = self.steps.take_ended(&self.flow) else { return Ok(self.lead_on()) };
        let finished = match &put_off {
            Some(put_off) => put_off.scope(self.desk.finish(self.request, ended)).await,
            None => self.desk.finish(self.request, ended).await,
        };
        let foretold = foretold.zip(whole).and_then(|((pause, _), mut whole)| {
            // The answer that ends the flow will be recorded when it is given.
            let status = finished.as_ref().map_or_else(|problem| problem.status, HttpResponse::status);
            whole.events.extend(put_off.as_ref().and_then(|put_off| put_off.answer(status.as_u16())));
            let story = self.story(&whole, put_off.as_ref().and_then(PutOff::deed));
            Some((pause, told::foretold(&story, pause)?))
        });
        if let (Ok(_), Some((pause, foretold))) = (&finished, foretold) {
            self.desk.tell(self.request, pause, foretold);
        }
        let foretold = foretold.map(|(_, foretold)| foretold);
        let finished = finished.map_err(|problem| Problem { foretold, ..problem });
        self.steps.close(
            &self.flow,
            match &finished {
                Ok(answer) => Over::Led(self.location(answer)),
                Err(problem) => Over::Refused(Box::new(problem.clone())),
            },
        );
        self.answered(put_off);
        finished
    }

    fn location(&self, answer: &HttpResponse) -> String {
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        location.map_or_else(|| self.site.pages.home(), ToOwned::to_owned)
    }

    /// The answer to this request is the one that was put off.
    fn answered(&self, put_off: Option<PutOff>) {
        if let Some(put_off) = put_off {
            put_off.is_answered_by(self.request);
        }
    }

    /// Leads to what is held now.
    fn lead_on(&self) -> HttpResponse {
        lead(&format!("{}/step/{}", self.site.origin.path(), self.flow))
    }
}

fn lead(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}
