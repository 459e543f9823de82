//! Somebody who has the tokens of a login: renews them, and has the API ask what they are good for.

use anyhow::{Context as _, Result, ensure};
use idp::demo;

use crate::{
    login::{Browser, CLIENT1, Client, Site, expect, form},
    process::Process,
    wire::Answer,
};

/// The demo's first client, and it asks for a refresh token.
const OFFLINE: Client = Client { scope: "openid profile email offline_access", ..CLIENT1 };
/// Of the demo's protected API.
const API: &[u8] = b"Authorization: Basic YXBpOmFwaS1zZWNyZXQ=\r\n";

/// A connection, and the latest tokens.
#[derive(Debug)]
pub struct Holder {
    site: Site,
    access_token: String,
    refresh_token: String,
}

impl Holder {
    /// With those of a new login at `server`.
    pub fn at(server: &Process) -> Result<Self> {
        let mut site = server.site()?;
        let code = Browser::default().signs_in(&mut site, &OFFLINE, demo::PEOPLE[0])?;
        let answer = OFFLINE.redeems(&mut site, &code)?;
        let mut holder = Self { site, access_token: String::new(), refresh_token: String::new() };
        holder.keep(&answer)?;
        Ok(holder)
    }

    /// Each refresh token buys the next one (RFC 6749 §6), and an ID token, too (OpenID Connect Core §12).
    pub fn renews(&mut self) -> Result<()> {
        let form = form(&[("grant_type", "refresh_token"), ("refresh_token", &self.refresh_token)]);
        let credentials = format!("Authorization: {}\r\n", OFFLINE.credentials);
        let answer = self.site.post(b"/oauth/token", &[credentials.as_bytes()], form.as_bytes())?;
        ensure!(answer.text().contains(r#""id_token":"#), "nothing was signed");
        self.keep(&answer)
    }

    /// RFC 7662 §2.1: the API asks about the access token, which counts.
    pub fn is_asked_about(&mut self) -> Result<()> {
        let form = form(&[("token", &self.access_token)]);
        let answer = self.site.post(b"/oauth/introspect", &[API], form.as_bytes())?;
        expect(&answer, 200)?;
        ensure!(answer.text().contains(r#""active":true"#), "the token does not count");
        Ok(())
    }

    fn keep(&mut self, answer: &Answer) -> Result<()> {
        expect(answer, 200)?;
        let text = answer.text();
        let member = |name: &str| -> Option<String> {
            let (_, value) = text.split_once(&format!(r#""{name}":""#))?;
            value.split('"').next().map(ToOwned::to_owned)
        };
        self.access_token = member("access_token").context("no access token")?;
        self.refresh_token = member("refresh_token").context("no refresh token")?;
        Ok(())
    }
}
