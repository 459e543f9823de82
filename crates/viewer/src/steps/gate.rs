//! The gate behind a server's door: an answer that leads the browser on is held there, and in its place the browser gets
//! the page where it can be let go.

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    cookie::Cookie,
    dev::ServiceResponse,
    http::{
        StatusCode,
        header::{HeaderName, LOCATION, SET_COOKIE},
    },
    middleware::Next,
    web::Data,
};
use shared::{flow::Pause, response_mode::FormPost, secret::Secret};
use web::{cookies, expiring::Full, front_door::Site, visitor};

use super::{Hands, Steps, draft::Draft, store::Stage};
use crate::tap::{self, PutOff};

/// The middleware. It changes nothing where nobody goes step by step.
pub async fn gate<D: Hands>(
    request: actix_web::dev::ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let answered = next.call(request).await?.map_into_boxed_body();
    let Some(draft) = leading_on(answered.response()) else { return Ok(answered) };
    let (Some(desk), Some(site)) =
        (answered.request().app_data::<Data<D>>(), answered.request().app_data::<Data<Site>>())
    else {
        return Ok(answered);
    };
    let (desk, site) = (desk.clone(), site.clone());
    let Some(pause) = held_at(&**desk, &answered, &draft) else { return Ok(answered) };
    let (request, response) = answered.into_parts();
    let response = hold(&**desk, &site, &request, response, pause, draft);
    Ok(ServiceResponse::new(request, response))
}

/// What an answer carries that leads the browser on: by a redirect, or with a form that it posts.
fn leading_on(response: &HttpResponse<BoxBody>) -> Option<Draft> {
    if let Some(form) = response.extensions().get::<FormPost>() {
        return Some(Draft::posted(form));
    }
    let location = response.headers().get(LOCATION).filter(|_| response.status() == StatusCode::SEE_OTHER)?;
    Some(Draft::redirect(location.to_str().ok()?))
}

/// Whether an answer is to be held, and where. Who comes with the address of a login that another browser goes through
/// passes: what they are told is theirs, and nobody else's to hold.
fn held_at(desk: &impl Hands, answered: &ServiceResponse, draft: &Draft) -> Option<Pause> {
    let (exchange, flow) = (tap::current_exchange()?, tap::current_flow()?);
    let (request, steps) = (answered.request(), desk.steps()?);
    if steps.knows(&flow) && !steps.belongs_to(&flow, presented(desk, request, &flow).as_deref()) {
        return None;
    }
    desk.pause_at(request, exchange, draft)
}

/// The cookie of a login. Each has its own, which is made here and never taken over from somebody else.
fn cookie_name(desk: &impl Hands, flow: &str) -> String {
    format!("{}_{}", desk.step_cookie(), flow.get(..8).unwrap_or(flow))
}

/// What a browser shows for the login that `flow` is.
pub fn presented(desk: &impl Hands, request: &HttpRequest, flow: &str) -> Option<String> {
    cookies::value(request, &cookie_name(desk, flow))
}

/// Keeps the answer, and leads to the page where it can be let go. An answer for which there is no room goes its way.
fn hold(
    desk: &impl Hands,
    site: &Site,
    request: &HttpRequest,
    response: HttpResponse,
    pause: Pause,
    draft: Draft,
) -> HttpResponse {
    let (Some(steps), Some(flow)) = (desk.steps(), tap::current_flow()) else { return response };
    let mut answer = HttpResponse::SeeOther();
    if !steps.knows(&flow) {
        let Ok(cookie) = begin(desk, steps, site, request, &flow, Stage::Away) else { return response };
        answer.cookie(cookie);
    }
    let Some(put_off) = tap::put_off() else { return response };
    // A page is made anew when it is let go, with its headers.
    let is_page = draft.method == "POST";
    let stays = |name: &HeaderName| if is_page { name == SET_COOKIE } else { name != LOCATION };
    let headers = response.headers().iter().filter(|(name, _)| stays(name));
    let headers = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
    steps.hold_answer(put_off, pause, draft, headers);
    let page = format!("{}/step/{flow}", site.origin.path());
    answer.insert_header((LOCATION, page)).finish()
}

/// Begins to hold what happens in `flow`, for the browser that sent `request`; it is known by the cookie from now on.
fn begin<D: Hands>(
    desk: &D,
    steps: &Steps<D::Ended>,
    site: &Site,
    request: &HttpRequest,
    flow: &str,
    stage: Stage<D::Ended>,
) -> Result<Cookie<'static>, Full> {
    let [cookie, csrf] = [(); 2].map(|()| Secret::mint("", desk.random()));
    let lifetime = desk.login_lifetime();
    steps.begin(flow, cookie.hash(), csrf, visitor::address(request), lifetime, stage)?;
    let (name, path) = (cookie_name(desk, flow), format!("{}/", site.origin.path()));
    let (value, secure) = (cookie.expose().to_owned(), site.origin.is_https());
    Ok(cookies::cookie(&name, value, &path, secure, Some(lifetime)).into_owned())
}

/// Has the server's own code do something in the flow of `deed`, which is held on the way for the browser that sent `request`;
/// what the code brings is to be told with [`Steps::end`]. Leads to the page of what is held. `None` where there is no room.
pub async fn hold_deed<D: Hands>(
    desk: &D,
    site: &Site,
    request: &HttpRequest,
    deed: &PutOff,
    work: impl Future<Output = ()> + 'static,
) -> Option<HttpResponse> {
    let (steps, flow) = (desk.steps()?, deed.flow());
    let mut answer = HttpResponse::SeeOther();
    answer.insert_header((LOCATION, format!("{}/step/{flow}", site.origin.path())));
    answer.cookie(begin(desk, steps, site, request, flow, Stage::Working).ok()?);
    steps.work(deed, deed.spawn(work).await?);
    steps.settled(flow).await;
    Some(answer.finish())
}
