//! Pages: templates, texts, and the headers that go with HTML.

mod engine;
mod ribbon;

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::{Arc, OnceLock},
};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;
use shared::{clock::ShiftedClock, flow::Step};
use tera::{Context, Tera, Value};
use thiserror::Error;
use url::Url;

use crate::{
    assets,
    catalogue::{Catalogue, CatalogueError},
    lang::Lang,
    origin::Origin,
    problem::Problem,
};

/// What is the same wherever it stands.
const FIXED_PARTS: [(&str, &str); 4] = [
    ("sign", "parts/sign.html"),
    ("theme", "parts/theme.html"),
    ("trail", "parts/trail.html"),
    ("terms", "parts/terms.html"),
];

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

/// What stands in a ribbon where the link belongs.
const FLOW: &str = "%flow%";

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

/// An HTML answer with everything that keeps it from leaking, being framed, or running a stranger's script.
pub fn html_response(status: StatusCode, kind: Kind, html: Vec<u8>) -> HttpResponse {
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
                          connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    let (policy, referrer) = match kind {
        Kind::Plain => (format!("{POLICY}; form-action 'none'"), "no-referrer"),
        Kind::Form => (POLICY.to_owned(), "same-origin"),
    };
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::REFERRER_POLICY, referrer))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::VARY, "Accept-Language, Cookie"))
        .body(html)
}

/// Lets the script of a page ask another site, too: that of a client which has no server to do it.
pub fn may_ask(page: &mut HttpResponse, other: &str) {
    widen(page, "connect-src 'self'", other);
}

/// Lets a page show pictures of the site of `address`, beside our own. An address that could say more to the browser than
/// that is passed over: hosts may hold semicolons (URL §3.5).
pub fn allow_image(page: &mut HttpResponse, address: &str) {
    let Ok(url) = Url::parse(address) else { return };
    let origin = url.origin().ascii_serialization();
    let is_plain = origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:/[]_".contains(&byte));
    if is_plain && !["", "null"].contains(&origin.as_str()) {
        widen(page, "img-src 'self'", &origin);
    }
}

/// Adds a site to a directive of a page's policy.
fn widen(page: &mut HttpResponse, directive: &str, site: &str) {
    let headers = page.headers_mut();
    let policy = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    let wider = policy.map(|policy| policy.replace(directive, &format!("{directive} {site}")));
    if let Some(wider) = wider.and_then(|policy| HeaderValue::try_from(policy).ok()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, wider);
    }
}

/// The pages in one language. What is the same on every page is made once.
#[derive(Debug)]
struct Edition {
    lang: Lang,
    // Its `t` knows the texts of its language, wherever in a template it is called.
    engine: Tera,
    /// For the viewer's pages, with their explanations: made when the first of them is asked for.
    viewer: OnceLock<Tera>,
    /// What every page can say.
    same: Context,
    /// Without links, and with them.
    ribbons: HashMap<Progress, (Value, String)>,
}

impl Edition {
    fn load(lang: Lang, house: House, origin: &Origin) -> Result<Self, PagesError> {
        let mut engine = engine::load(Catalogue::without_explanations(lang)?, |name| house.shows(name))?;
        let assets = [
            ("style", "style.css"),
            ("script", "app.js"),
            ("viewer", "viewer.js"),
            ("form_post", "form_post.js"),
            ("spa", "spa.js"),
            ("spa_view", "spa-view.js"),
            ("icon", "favicon.svg"),
        ];
        let assets = assets.map(|(name, file)| (name, assets::href(origin.path(), file)));
        let same = engine.global_context();
        same.insert("lang", lang.tag());
        same.insert("house", if house == House::Idp { "idp" } else { "rp" });
        same.insert("origin", origin.as_str());
        same.insert("base", origin.path());
        same.insert("loopback", &origin.is_loopback());
        same.insert("assets", &HashMap::from(assets));
        same.insert("home", &home(origin));
        let part = |engine: &Tera, name, context| {
            engine.render(name, &context).map(|html| Value::safe_string(&html))
        };
        for (name, file) in FIXED_PARTS {
            let written = part(&engine, file, Context::new())?;
            engine.global_context().insert_value(name, written);
        }
        let ribbons = Progress::all().map(|progress| {
            let mut context = Context::new();
            context.insert("ribbon", &ribbon::of(progress));
            let plain = part(&engine, "parts/ribbon.html", context.clone())?;
            context.insert("flow", FLOW);
            Ok((progress, (plain, engine.render("parts/ribbon.html", &context)?)))
        });
        let ribbons = ribbons.collect::<Result<_, PagesError>>()?;
        let same = engine.global_context().clone();
        Ok(Self { lang, engine, viewer: OnceLock::new(), same, ribbons })
    }

    /// Says something more on every page.
    fn say(&mut self, name: &'static str, what: &impl Serialize) {
        for context in [&mut self.same, self.engine.global_context()] {
            context.insert(name, what);
        }
    }

    /// The engine for the page `template`.
    fn engine(&self, template: &str) -> Result<&Tera, PagesError> {
        if !is_viewers(template) {
            return Ok(&self.engine);
        }
        if let Some(made) = self.viewer.get() {
            return Ok(made);
        }
        let mut engine = engine::load(Catalogue::load(self.lang)?, |_| true)?;
        *engine.global_context() = self.same.clone();
        // Two visitors may come at the same moment; either's will do.
        Ok(self.viewer.get_or_init(|| engine))
    }

    /// The ribbon, each of its dots a link to where the viewer shows that step, if there is such a place.
    fn ribbon(&self, progress: Progress, flow: Option<&str>) -> Option<Value> {
        let (plain, linked) = self.ribbons.get(&progress)?;
        Some(match flow {
            Some(flow) => Value::safe_string(&linked.replace(FLOW, flow)),
            None => plain.clone(),
        })
    }
}

fn is_viewers(template: &str) -> bool {
    template.starts_with("viewer/")
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

    #[test]
    fn a_page_shows_pictures_of_one_other_site_and_its_address_says_nothing_more() {
        let policy = |address: &str| {
            let mut answer = html_response(StatusCode::OK, Kind::Form, Vec::new());
            allow_image(&mut answer, address);
            answer.headers().get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap().to_owned()
        };
        assert!(
            policy("https://a.example/logo.png").contains("img-src 'self' https://a.example; script-src")
        );
        assert!(policy("http://[::1]:5002/x").contains("img-src 'self' http://[::1]:5002;"));
        for bad in [
            "https://a;script-src.example/",
            "https://a'.example/",
            "data:image/png,x",
            "x",
            "https://*.example/",
        ] {
            assert!(policy(bad).contains("img-src 'self'; script-src 'self';"), "{bad}");
        }
    }

    #[test]
    fn the_ribbon_ticks_what_is_done_and_crosses_what_failed() {
        let states = |progress| ribbon::of(progress).states();
        assert_eq!(states(Progress::Failed(Step::Callback))[5..8], ["done", "fail", "todo"]);
        assert_eq!(states(Progress::Done), ["done"; 10]);
    }
}
