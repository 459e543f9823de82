//! What a server answered, read as a browser or a client reads it.

use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde_json::Value;
use shared::params::Params;
use url::Url;

use super::{Idp, REDIRECT_URI};

/// What a server answered.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub location: Option<String>,
    pub set_cookies: Vec<String>,
    pub body: String,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    async fn read(response: Response) -> Self {
        let text = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let set_cookies = response.headers().get_all(header::SET_COOKIE);
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            location: text(header::LOCATION),
            set_cookies: set_cookies.iter().map(|value| value.to_str().unwrap().to_owned()).collect(),
            body: response.text().await.unwrap(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The `error` code of a JSON answer.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// Where the browser is sent.
    pub fn location(&self) -> Location {
        Location(
            Url::parse(self.location.as_deref().unwrap_or_else(|| panic!("no Location: {self:?}"))).unwrap(),
        )
    }

    /// The CSRF token of the form.
    pub fn csrf(&self) -> String {
        let token = self.hidden_fields().into_iter().find(|(name, _)| name == "csrf");
        token.unwrap_or_else(|| panic!("no form: {self:?}")).1
    }

    /// What the form sends without anybody seeing it.
    pub fn hidden_fields(&self) -> Vec<(String, String)> {
        let fields = self.body.split(r#"<input type="hidden" name=""#).skip(1);
        let named = fields.map(|rest| rest.split('"').collect::<Vec<_>>());
        named.map(|parts| (parts[0].to_owned(), parts[2].to_owned())).collect()
    }

    /// I-rows call it a "page": an HTML error page with status 4xx and no `Location`.
    #[track_caller]
    pub fn is_error_page(&self, code: &str) {
        assert_eq!(self.status, StatusCode::BAD_REQUEST.as_u16(), "{self:?}");
        assert!(self.location.is_none(), "{self:?}");
        assert!(self.header("content-type").starts_with("text/html"), "{self:?}");
        assert!(self.body.contains(code), "{code} is not in {}", self.body);
    }
}

/// Where a redirect leads.
#[derive(Debug)]
pub struct Location(pub Url);

impl Location {
    pub fn param(&self, name: &str) -> Option<String> {
        self.params().get(name).map(ToOwned::to_owned)
    }

    pub fn params(&self) -> Params {
        Params::parse(self.0.query().unwrap_or_default().as_bytes(), &[]).unwrap()
    }

    /// RFC 6749 §4.1.2.1 and RFC 9207: an error for the RP, with its `state` and our `iss`.
    #[track_caller]
    pub fn is_refusal(&self, idp: &Idp, code: &str) {
        assert!(self.0.as_str().starts_with(REDIRECT_URI), "{self:?}");
        assert_eq!(self.param("error").as_deref(), Some(code), "{self:?}");
        assert_eq!(self.param("state").as_deref(), Some("af0ifjsldkj"), "{self:?}");
        assert_eq!(self.param("iss").as_deref(), Some(idp.issuer.as_str()), "{self:?}");
        assert_eq!(self.param("code"), None);
    }
}
