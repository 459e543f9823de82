//! The gate behind a server's door: an answer that leads the browser on is held there, and in its place the browser gets
//! the page where it can be let go.

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::ServiceResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue, LOCATION, SET_COOKIE},
    },
    middleware::Next,
    web::Data,
};
use shared::{flow::Pause, secret::Secret};
use web::{cookies, front_door::Site, problem::Problem, visitor};

use super::{Hands, draft::Draft};
use crate::tap;

/// The middleware. It changes nothing where nobody goes step by step.
pub async fn gate<D: Hands>(
    request: actix_web::dev::ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let answered = next.call(request).await?.map_into_boxed_body();
    if answered.status() != StatusCode::SEE_OTHER {
        return Ok(answered);
    }
    let (Some(desk), Some(site)) =
        (answered.request().app_data::<Data<D>>(), answered.request().app_data::<Data<Site>>())
    else {
        return Ok(answered);
    };
    let (desk, site) = (desk.clone(), site.clone());
    let held = held_at(&**desk, &answered);
    let Some((pause, location)) = held else { return Ok(answered) };
    let (request, response) = answered.into_parts();
    let response = hold(&**desk, &site, &request, response, pause, &location)?;
    Ok(ServiceResponse::new(request, response))
}

/// Whether an answer is to be held, and where.
fn held_at(desk: &impl Hands, answered: &ServiceResponse) -> Option<(Pause, String)> {
    let exchange = tap::current_exchange()?;
    let location = answered.response().headers().get(LOCATION)?.to_str().ok()?;
    let pause = desk.pause_at(answered.request(), exchange, location)?;
    Some((pause, location.to_owned()))
}

fn hold(
    desk: &impl Hands,
    site: &Site,
    request: &HttpRequest,
    response: HttpResponse,
    pause: Pause,
    location: &str,
) -> Result<HttpResponse, Problem> {
    let (Some(steps), Some(flow)) = (desk.steps(), tap::current_flow()) else { return Ok(response) };
    let known = cookies::value(request, desk.step_cookie()).filter(|value| !value.is_empty());
    let cookie = known.clone().map_or_else(|| Secret::mint("", desk.random()), Secret::new);
    let mut answer = HttpResponse::SeeOther();
    if !steps.knows(&flow) {
        let (csrf, address) = (Secret::mint("", desk.random()), visitor::address(request));
        steps
            .begin(&flow, cookie.hash(), csrf, address, desk.login_lifetime())
            .map_err(|_| Problem::overloaded())?;
        if known.is_none() {
            answer.cookie(step_cookie(desk, site, &cookie));
        }
    }
    let Some(put_off) = tap::put_off() else { return Ok(response) };
    let headers: Vec<(HeaderName, HeaderValue)> = response
        .headers()
        .iter()
        .filter(|(name, _)| *name != LOCATION)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // Cookies need not wait: the browser may be asked for them on the page where the answer is held.
    for (_, value) in headers.iter().filter(|(name, _)| *name == SET_COOKIE) {
        answer.append_header((SET_COOKIE, value.clone()));
    }
    steps.hold_answer(put_off, pause, Draft::redirect(location), headers);
    let page = format!("{}/step/{flow}", site.origin.path());
    Ok(answer.insert_header((LOCATION, page)).finish())
}

fn step_cookie(desk: &impl Hands, site: &Site, value: &Secret) -> actix_web::cookie::Cookie<'static> {
    let path = format!("{}/", site.origin.path());
    let secure = site.origin.is_https();
    cookies::cookie(desk.step_cookie(), value.expose().to_owned(), &path, secure, None).into_owned()
}
