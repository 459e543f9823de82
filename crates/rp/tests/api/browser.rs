//! A browser: keeps cookies as RFC 6265 says, follows no redirect by itself, says where its forms come from.

use reqwest::{RequestBuilder, header};
use url::Url;
use web::{catalogue::Catalogue, lang::Lang};

/// A browser that visits the RP at `origin`.
#[derive(Clone)]
pub struct Browser {
    origin: String,
    pub cookies: Vec<Kept>,
}

/// A cookie.
#[derive(Clone, Debug)]
pub struct Kept {
    pub name: String,
    pub value: String,
    pub path: String,
}

/// An answer of the RP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub set_cookies: Vec<String>,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Browser {
    pub fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), cookies: Vec::new() }
    }

    /// Opens a page.
    pub async fn opens(&mut self, target: &str) -> Answer {
        let request = http().get(format!("{}{target}", self.origin));
        self.sends(target, request).await
    }

    /// Submits a form of a page of the RP.
    pub async fn submits(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let request = http()
            .post(format!("{}{target}", self.origin))
            .header("sec-fetch-site", "same-origin")
            .form(fields);
        self.sends(target, request).await
    }

    /// Sends any request, with the cookies that belong to it.
    pub async fn sends(&mut self, target: &str, request: RequestBuilder) -> Answer {
        let path = target.split('?').next().unwrap();
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .filter(|kept| path.starts_with(&kept.path))
            .map(|kept| format!("{}={}", kept.name, kept.value))
            .collect();
        let request =
            if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies.join("; ")) };
        let answer = Answer::of(request).await;
        for cookie in &answer.set_cookies {
            self.keeps(cookie);
        }
        answer
    }

    fn keeps(&mut self, set_cookie: &str) {
        let mut parts = set_cookie.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<_> = parts.collect();
        let path = attributes.iter().find_map(|attribute| attribute.strip_prefix("Path=")).unwrap_or("/");
        self.cookies.retain(|kept| kept.name != name || kept.path != path);
        if !attributes.contains(&"Max-Age=0") {
            self.cookies.push(Kept { name: name.to_owned(), value: value.to_owned(), path: path.to_owned() });
        }
    }

    /// The value of the cookie `name`.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let kept = self.cookies.iter().find(|kept| kept.name == name);
        kept.map(|kept| kept.value.as_str())
    }

    /// Its cookies for logins under way.
    pub fn attempt_cookies(&self) -> Vec<&Kept> {
        self.cookies
            .iter()
            .filter(|kept| kept.name.starts_with("rp_attempt_") && kept.name != "rp_attempt_recent")
            .collect()
    }
}

/// A client that neither follows redirects nor uses a proxy.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap()
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.header("accept-language", "en").send().await.unwrap();
        let headers = response.headers().clone();
        let all = |name| {
            headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        Self {
            status: response.status().as_u16(),
            location: all(header::LOCATION).pop(),
            set_cookies: all(header::SET_COOKIE),
            text: response.text().await.unwrap(),
            headers,
        }
    }

    pub fn location(&self) -> Url {
        let location = self.location.as_deref();
        Url::parse(location.unwrap_or_else(|| panic!("no redirect: {self:?}"))).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }

    /// Whether it is a redirect by 303 to `target`.
    pub fn leads_to(&self, target: &str) -> bool {
        self.status == 303 && self.location.as_deref() == Some(target)
    }

    /// Whether it shows the text under `key`.
    pub fn says(&self, key: &str) -> bool {
        let catalogue = Catalogue::load(Lang::En).unwrap();
        let text = catalogue.plain(key, |_| None);
        let text = text.unwrap_or_else(|| panic!("no text {key}"));
        // Up to the first placeholder.
        self.as_text().contains(text.split('{').next().unwrap())
    }

    /// The page without its tags.
    fn as_text(&self) -> String {
        let mut plain = String::new();
        for part in self.text.split('<') {
            plain.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        }
        plain.replace("&#x27;", "'").replace("&#39;", "'").replace("&quot;", "\"").replace("&amp;", "&")
    }

    /// That it is the page of the problem `id`.
    pub fn is_problem(&self, status: u16, id: &str) {
        let title = format!("problem.{id}.title");
        assert!(
            self.status == status && self.says(&title),
            "not {status} {id} but {} {}",
            self.status,
            self.text
        );
        assert!(self.location.is_none(), "{:?}", self.location);
    }

    /// That the problem's page names the check that failed.
    pub fn names_check(&self, rule: &str) {
        assert!(self.says(&format!("check.{rule}.name")), "not {rule}: {}", self.text);
    }
}
