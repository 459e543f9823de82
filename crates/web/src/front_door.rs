//! What happens to every request and every answer, whatever their address.

use std::sync::Arc;

use actix_web::{
    Error, HttpMessage as _, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode, Uri,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use serde::Serialize;
use shared::{clock::Clock, flow::Shown};
use tracing_actix_web::RequestId;

use crate::{
    cookies,
    lang::{self, Lang},
    moment::Moment,
    origin::Origin,
    pages::{self, House, Kind, Pages, Progress},
    problem::{Foretold, Problem},
    telemetry,
};

/// The longest address that is read, in bytes.
pub const MAX_ADDRESS: usize = 8 * 1024;

/// What to do with a request that came to this computer by another of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alias {
    /// Refuse it: programs must use the issuer as it is written.
    Refuse,
    /// Send the browser to the site's own address, so that its cookies fit.
    Redirect,
}

/// One of the two sites.
#[derive(Debug)]
pub struct Site {
    /// Its own address.
    pub origin: Origin,
    /// Its pages.
    pub pages: Pages,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// What it does with `localhost`.
    pub alias: Alias,
}

/// The middleware: takes HEAD for GET, bounds the address, refuses other hosts, turns problems into pages, adds the
/// common headers.
pub async fn front_door(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(site) = request.app_data::<web::Data<Site>>().cloned() else {
        return Err(Problem::internal("the application has no site").into());
    };
    // RFC 9110 §9.3.2: HEAD is GET whose answer has no body. The framework leaves that out, by what came over the wire.
    if *request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    cookies::drop_unreadable(request.headers_mut());
    let answered = match admit(&site, request.request()) {
        Admission::Granted => next.call(request).await.map(ServiceResponse::map_into_boxed_body)?,
        Admission::Elsewhere(location) => request
            .into_response(HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()),
        Admission::Refused(problem) => request.error_response(problem),
    };
    let (request, response) = answered.into_parts();
    let mut response = explain(&site, &request, response);
    add_common_headers(response.headers_mut());
    if let Some(lang) = Lang::switched(&request) {
        let year = std::time::Duration::from_secs(31_536_000);
        let choice =
            cookies::cookie(lang::COOKIE, lang.tag().to_owned(), "/", site.origin.is_https(), Some(year));
        response.add_cookie(&choice)?;
    }
    Ok(ServiceResponse::new(request, response))
}

enum Admission {
    Granted,
    Elsewhere(String),
    Refused(Problem),
}

fn admit(site: &Site, request: &HttpRequest) -> Admission {
    if length(request.uri()) > MAX_ADDRESS {
        return Admission::Refused(Problem::address_too_long());
    }
    // The stylesheet of the page that refuses may be fetched under the refused name too.
    let is_asset = || request.path().starts_with(&format!("{}/assets/", site.origin.path()));
    if site.origin.is_asked_by(request) || is_asset() {
        return Admission::Granted;
    }
    if site.alias == Alias::Redirect
        && request.method() == Method::GET
        && site.origin.is_asked_by_alias(request)
    {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let below = target.strip_prefix(site.origin.path()).unwrap_or(target);
        return Admission::Elsewhere(format!("{}{below}", site.origin.as_str()));
    }
    Admission::Refused(Problem::misdirected())
}

/// How long an address is as it was sent: mostly path and query, sometimes with scheme and host before them.
fn length(address: &Uri) -> usize {
    let scheme = address.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let authority = address.authority().map_or(0, |authority| authority.as_str().len());
    scheme + authority + address.path_and_query().map_or(0, |target| target.as_str().len())
}

#[derive(Serialize)]
struct ErrorPage {
    problem: ProblemView,
    check: Option<CheckView>,
    oauth_error: Option<&'static str>,
    foretold: Option<Foretold>,
    reference: String,
    at: Moment,
}

#[derive(Serialize)]
struct ProblemView {
    id: &'static str,
    status: u16,
    code: Option<&'static str>,
    mender: &'static str,
    next: Option<String>,
}

#[derive(Serialize)]
struct CheckView {
    rule: &'static str,
    section: &'static str,
    step: Option<u8>,
    expected: Shown<'static>,
    actual: Shown<'static>,
}

/// Writes the page of a problem that a handler or the framework answered with.
fn explain(site: &Site, request: &HttpRequest, mut response: HttpResponse) -> HttpResponse {
    let told = response.extensions_mut().remove::<Problem>();
    let problem = match (told, response.status()) {
        (Some(problem), _) => problem,
        (None, StatusCode::METHOD_NOT_ALLOWED) if !response.headers().contains_key(header::CONTENT_TYPE) => {
            Problem::method_not_allowed()
        }
        _ => return response,
    };
    let mut page = page_of(site, request, problem);
    // What the handler already said, such as `Set-Cookie` and `Allow`, stays.
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            page.headers_mut().append(name.clone(), value.clone());
        }
    }
    page
}

/// Where the button of a problem leads that does not know it. Whoever was turned away because too many came tries the
/// same page again; a login at the provider that failed has its way on at the application, which is not known then.
fn way_on(site: &Site, request: &HttpRequest, problem: &str) -> Option<String> {
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD);
    if problem == Problem::overloaded().id && is_page {
        // The path is not even written down: one that begins with `//` would lead to another site.
        return Some(format!("?{}", request.query_string()));
    }
    let own = site.pages.house() == House::Rp || Problem::COMMON.contains(&problem);
    own.then(|| site.pages.home())
}

/// The page of a problem, with the number under which the log tells of it.
fn page_of(site: &Site, request: &HttpRequest, problem: Problem) -> HttpResponse {
    let reference = request.extensions().get::<RequestId>().map(telemetry::reference_of).unwrap_or_default();
    // What a stranger sent is written escaped (`?`): no line end or colour of theirs gets into the log.
    let detail = problem.detail.as_deref().unwrap_or_default();
    if problem.status.is_server_error() {
        tracing::error!(problem = problem.id, ?detail, reference, "problem");
    } else {
        tracing::warn!(problem = problem.id, ?detail, reference, "problem");
    }
    let page = ErrorPage {
        problem: ProblemView {
            id: problem.id,
            status: problem.status.as_u16(),
            code: problem.code.map(shared::error::ErrorCode::as_str),
            mender: problem.mender.id(),
            next: problem.next.or_else(|| way_on(site, request, problem.id)),
        },
        check: problem.check.map(|check| CheckView {
            rule: check.rule.id(),
            section: check.rule.section(),
            // Beside the flow a check belongs to no step, whatever it is otherwise for.
            step: problem.step.and(check.rule.step()).map(shared::flow::Step::number),
            expected: check.expected,
            actual: check.actual,
        }),
        oauth_error: problem.oauth_error.map(shared::error::ErrorCode::as_str),
        foretold: problem.foretold,
        reference,
        at: site.clock.now().into(),
    };
    let progress = problem.step.map(Progress::Failed);
    let rendered = site.pages.respond(request, problem.status, Kind::Plain, "error.html", progress, &page);
    let mut page = rendered.unwrap_or_else(|broken| {
        tracing::error!(problem = %broken, "the error page itself is broken");
        pages::html_response(problem.status, Kind::Plain, "Something went wrong. See the log.".into())
    });
    if let Some(seconds) = problem.retry_after {
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    page
}

/// What no answer goes without. An answer that said something else about itself keeps it.
fn add_common_headers(headers: &mut HeaderMap) {
    let common = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in common {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
