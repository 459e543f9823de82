//! Pages: templates and texts become an answer, in the language of the visitor.

mod edition;
mod engine;
mod html;
mod ribbon;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, http::StatusCode};
use serde::Serialize;
use shared::{clock::ShiftedClock, flow::Step};
use tera::{Context, Value};
use thiserror::Error;

use self::edition::Edition;
use crate::{catalogue::CatalogueError, lang::Lang, origin::Origin, problem::Problem};

pub use self::html::{allow_image, html_response, may_ask};

/// Room for most pages, in bytes.
const USUAL_SIZE: usize = 16 * 1024;

/// Whose page it is. Each house has its colour, its icon and its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum House {
    /// The OpenID Provider.
    Idp,
    /// The Relying Party.
    Rp,
}

impl House {
    /// Whether the template called `name` is one of its own pages or a part of them.
    fn shows(self, name: &str) -> bool {
        let others = if self == Self::Idp { "rp/" } else { "idp/" };
        !name.starts_with(others) && !is_viewers(name)
    }
}

fn is_viewers(template: &str) -> bool {
    template.starts_with("viewer/")
}

/// What a page can do, and so which headers it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing can be sent from it.
    Plain,
    /// It holds a form. Under `no-referrer` browsers send `Origin: null` with it, hence `same-origin`. There is no
    /// `form-action`: it would also apply to the redirects behind the submit, and these end at another site.
    Form,
}

/// How far the flow has come: what the ribbon on top of a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// This step is under way.
    Now(Step),
    /// This step failed.
    Failed(Step),
    /// All ten are done.
    Done,
}

impl Progress {
    fn all() -> impl Iterator<Item = Self> {
        Step::ALL.into_iter().flat_map(|step| [Self::Now(step), Self::Failed(step)]).chain([Self::Done])
    }
}

/// Why the pages could not be made ready.
#[derive(Debug, Error)]
pub enum PagesError {
    /// The texts.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The templates.
    #[error("a template is broken: {0}")]
    Template(#[from] tera::Error),
}

/// Where the viewer shows the flow that a request belongs to. It is kept with the request, and known as soon as somebody
/// knows it.
#[derive(Clone, Debug, Default)]
pub struct FlowLink(Rc<RefCell<Option<String>>>);

impl FlowLink {
    /// The link of `request`.
    pub fn of(request: &HttpRequest) -> Self {
        let known = request.extensions().get::<Self>().cloned();
        known.unwrap_or_else(|| {
            let link = Self::default();
            request.extensions_mut().insert(link.clone());
            link
        })
    }

    /// Notes it.
    pub fn note(&self, link: String) {
        *self.0.borrow_mut() = Some(link);
    }

    /// Leads nowhere.
    pub fn forget(&self) {
        *self.0.borrow_mut() = None;
    }
}

/// The pages of one site.
#[derive(Debug)]
pub struct Pages {
    house: House,
    origin: Origin,
    editions: [Edition; 2],
    /// The clock that can be put forward, if there is one, and where that is done.
    time: Option<(Arc<ShiftedClock>, Option<String>)>,
}

/// What every page says while the clock is ahead.
#[derive(Serialize)]
struct Ahead<'a> {
    minutes: u64,
    link: Option<&'a str>,
}

impl Pages {
    /// Reads templates and texts.
    pub fn load(house: House, origin: Origin) -> Result<Self, PagesError> {
        let [ja, en] = Lang::ALL;
        Ok(Self {
            house,
            editions: [Edition::load(ja, house, &origin)?, Edition::load(en, house, &origin)?],
            origin,
            time: None,
        })
    }

    /// The same, with a link to the list of flows on every page.
    #[must_use]
    pub fn with_viewer(mut self, address: Option<&str>) -> Self {
        for edition in &mut self.editions {
            edition.say("viewer", &address);
        }
        self
    }

    /// The same, which say so while `time` is ahead; `link` leads to where it is put back.
    #[must_use]
    pub fn with_time(self, time: Option<Arc<ShiftedClock>>, link: Option<String>) -> Self {
        Self { time: time.map(|time| (time, link)), ..self }
    }

    /// The page `template` with its data, in the visitor's language.
    pub fn respond(
        &self,
        request: &HttpRequest,
        status: StatusCode,
        kind: Kind,
        template: &str,
        progress: Option<Progress>,
        page: &impl Serialize,
    ) -> Result<HttpResponse, Problem> {
        Ok(html_response(status, kind, self.render(request, template, progress, page)?))
    }

    /// The same as bytes, for what is no page of the site.
    pub fn render(
        &self,
        request: &HttpRequest,
        template: &str,
        progress: Option<Progress>,
        page: &impl Serialize,
    ) -> Result<Vec<u8>, Problem> {
        let [ja, en] = &self.editions;
        let edition = if Lang::of(request) == ja.lang { ja } else { en };
        let mut context = Context::new();
        let links = Lang::ALL.map(|lang| (lang.tag(), in_language(request, lang)));
        context.insert("links", &BTreeMap::from(links));
        let flow = FlowLink::of(request).0.borrow().clone();
        let ribbon = progress.and_then(|progress| edition.ribbon(progress, flow.as_deref()));
        context.insert_value("ribbon", ribbon.unwrap_or(Value::none()));
        context.insert("flow", &flow);
        context.insert("ahead", &self.ahead());
        context.insert("page", page);
        let mut html = Vec::with_capacity(USUAL_SIZE);
        let engine = edition.engine(template).map_err(Problem::internal)?;
        engine.render_to(template, &context, &mut html).map_err(|error| {
            Problem::internal(format!("{template}: {error} {:?}", std::error::Error::source(&error)))
        })?;
        Ok(html)
    }

    fn ahead(&self) -> Option<Ahead<'_>> {
        let (time, link) = self.time.as_ref()?;
        let minutes = time.ahead().as_secs() / 60;
        (minutes > 0).then_some(Ahead { minutes, link: link.as_deref() })
    }

    /// Whose pages they are.
    pub const fn house(&self) -> House {
        self.house
    }

    /// The site's own page.
    pub fn home(&self) -> String {
        home(&self.origin)
    }
}

fn home(origin: &Origin) -> String {
    format!("{}/", origin.path())
}

/// This page's address in `lang`, path and query kept. The path is not even written down: one that begins with `//` or
/// `/\` would lead to another site.
fn in_language(request: &HttpRequest, lang: Lang) -> String {
    let kept = request.query_string().split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && name != crate::lang::PARAMETER
    });
    let switch = format!("{}={}", crate::lang::PARAMETER, lang.tag());
    let query: Vec<&str> = kept.chain([switch.as_str()]).collect();
    format!("?{}", query.join("&"))
}

#[cfg(test)]
mod tests {
    use actix_web::{body::MessageBody as _, test::TestRequest};

    use super::*;

    #[test]
    fn switching_the_language_keeps_the_address() {
        let request = TestRequest::with_uri("/auth?code=a%2Bb&lang=ja&state=x").to_http_request();
        assert_eq!(in_language(&request, Lang::En), "?code=a%2Bb&state=x&lang=en");
        let request = TestRequest::with_uri("/").to_http_request();
        assert_eq!(in_language(&request, Lang::Ja), "?lang=ja");
    }

    #[test]
    fn r11_switching_the_language_never_leaves_the_site() {
        for path in ["//evil.example/x", "/\\evil.example", "/%09/evil.example", "/a?b=//c"] {
            let request = TestRequest::with_uri(path).to_http_request();
            let page = url::Url::parse(&format!("http://127.0.0.1:5002{path}")).unwrap();
            let switched = page.join(&in_language(&request, Lang::En)).unwrap();
            assert_eq!((switched.origin(), switched.path()), (page.origin(), page.path()));
        }
    }

    #[test]
    fn whoever_runs_a_server_is_the_first_to_mend_it() {
        for (house, named) in [(House::Idp, "house idp"), (House::Rp, "house rp")] {
            let pages = Pages::load(house, Origin::parse("http://127.0.0.1:1", false).unwrap()).unwrap();
            let problem = serde_json::json!({ "id": "internal", "status": 500, "mender": "server" });
            let at = crate::moment::Moment::from(shared::clock::Timestamp::from_unix(0));
            let page = serde_json::json!({ "problem": problem, "reference": "0000-0000", "at": at });
            let request = TestRequest::default().to_http_request();
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            let answer = pages.respond(&request, status, Kind::Plain, "error.html", None, &page).unwrap();
            let html = answer.into_body().try_into_bytes().unwrap();
            let html = String::from_utf8(html.to_vec()).unwrap();
            let first = html.split_once(r#"<li class="first">"#).unwrap().1;
            assert!(first.trim_start().starts_with(&format!(r#"<h3 class="{named}"#)), "{html}");
        }
    }
}
