//! A browser that a user signs in with.

use std::{collections::BTreeMap, net::IpAddr};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{RequestBuilder, header};
use serde_json::json;

use super::{Answer, AuthorizationRequest, CLIENT2, Code, Idp, SCOPE, http_from};

/// A browser: keeps cookies, follows no redirect by itself, says where its forms come from.
pub struct Browser {
    issuer: String,
    /// The address that it comes from.
    pub from: IpAddr,
    pub cookies: BTreeMap<String, String>,
    /// Where it is.
    pub page: String,
    /// What it shows.
    pub shown: Answer,
}

impl Browser {
    pub fn new(idp: &Idp) -> Self {
        Self::at(&idp.issuer)
    }

    /// A browser in front of any provider.
    pub fn at(issuer: &str) -> Self {
        let issuer = issuer.to_owned();
        let from = IpAddr::from([127, 0, 0, 1]);
        Self { issuer, from, cookies: BTreeMap::new(), page: String::new(), shown: Answer::default() }
    }

    /// Follows a link, and redirects as long as they stay at the provider.
    pub async fn goes(&mut self, address: &str) -> &Answer {
        let mut address = address.to_owned();
        loop {
            let request = http_from(self.from).get(&address).header("sec-fetch-site", "none");
            self.answered(&address, request).await;
            match self.shown.location.clone() {
                Some(next) if next.starts_with(&self.issuer) => address = next,
                _ => return &self.shown,
            }
        }
    }

    pub async fn opens(&mut self, asked: &AuthorizationRequest) -> &Answer {
        let address = format!("{}/oauth/authorize?{}", self.issuer, asked.query());
        self.goes(&address).await
    }

    /// Submits the form that it shows.
    pub async fn submits(&mut self, fields: &[(&str, &str)]) -> &Answer {
        let hidden = self.shown.hidden_fields();
        let hidden: Vec<_> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.submits_raw(&[&hidden, fields].concat()).await
    }

    /// Submits exactly these fields.
    pub async fn submits_raw(&mut self, fields: &[(&str, &str)]) -> &Answer {
        let page = self.page.clone();
        let request = http_from(self.from).post(&page).header("sec-fetch-site", "same-origin").form(fields);
        self.answered(&page, request).await;
        match self.shown.location.clone() {
            Some(next) if next.starts_with(&self.issuer) => self.goes(&next).await,
            _ => &self.shown,
        }
    }

    pub async fn signs_in(&mut self, username: &str, password: &str) -> &Answer {
        self.submits(&[("username", username), ("password", password)]).await
    }

    pub async fn decides(&mut self, decision: &str) -> &Answer {
        let ticked: Vec<(&str, &str)> = SCOPE.split(' ').map(|value| ("scope", value)).collect();
        self.submits(&[&[("decision", decision)], ticked.as_slice()].concat()).await
    }

    async fn answered(&mut self, address: &str, request: RequestBuilder) {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies.join("; ")) };
        self.shown = Answer::of(request).await;
        address.clone_into(&mut self.page);
        for cookie in &self.shown.set_cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// A browser in which `people` have signed in at client2, one after the other, and allowed it everything.
pub async fn signed_in(idp: &Idp, people: &[(&str, &str)]) -> Browser {
    let mut browser = Browser::new(idp);
    for (username, password) in people {
        browser.opens(&AuthorizationRequest::of_client2().with("prompt", "login")).await;
        // A consent that is remembered is not asked for again.
        if browser.signs_in(username, password).await.location.is_none() {
            browser.decides("allow").await.location();
        }
    }
    browser
}

/// What client-hs256 can write by itself: an ID token for it about this user.
pub fn hint_by_secret(idp: &Idp, subject: &str) -> String {
    let key = EncodingKey::from_secret(b"client-hs256-secret-of-32-bytes-or-more");
    let claims = json!({ "iss": idp.issuer, "sub": subject, "aud": "client-hs256" });
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
}

/// An ID token for client2 about somebody who is signed in with this browser and has consented.
pub async fn id_token_of(idp: &Idp, browser: &mut Browser, username: &str) -> String {
    let asked = AuthorizationRequest::of_client2().with("login_hint", username);
    let location = browser.opens(&asked).await.location();
    let code = Code::of(&asked, &location);
    let tokens = idp.token_as(Some(CLIENT2), &code.fields()).await.json();
    tokens["id_token"].as_str().unwrap().to_owned()
}
