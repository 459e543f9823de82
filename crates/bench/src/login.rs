//! One login, message by message, as a browser and its RP send them.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _},
};

use url::form_urlencoded::Serializer;

use crate::wire::{Answer, Connection};

/// A provider, and a connection to it.
#[derive(Debug)]
pub struct Site {
    issuer: String,
    host: String,
    connection: Connection,
}

impl Site {
    /// The provider called `issuer`: `http`, a host, a port.
    pub fn at(issuer: &str) -> io::Result<Self> {
        let host = issuer.trim_start_matches("http://").to_owned();
        let address: Option<SocketAddr> = host.to_socket_addrs()?.next();
        let address = address.ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { issuer: issuer.to_owned(), host, connection: Connection::to(address) })
    }

    /// Its issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `GET target`; each of `headers` ends with CR and LF.
    pub fn get(&mut self, target: &[u8], headers: &[&[u8]]) -> io::Result<Answer> {
        self.send(b"GET", target, headers, b"")
    }

    /// `POST target` with a form.
    pub fn post(&mut self, target: &[u8], headers: &[&[u8]], form: &[u8]) -> io::Result<Answer> {
        let length = format!("Content-Length: {}\r\n", form.len());
        let media_type = b"Content-Type: application/x-www-form-urlencoded\r\n";
        self.send(b"POST", target, &[headers, &[media_type, length.as_bytes()]].concat(), form)
    }

    /// Any request, with a body that its headers describe.
    pub fn send(
        &mut self,
        method: &[u8],
        target: &[u8],
        headers: &[&[u8]],
        body: &[u8],
    ) -> io::Result<Answer> {
        let host = format!(" HTTP/1.1\r\nHost: {}\r\n", self.host);
        self.connection.send(
            &[&[method, b" ", target, host.as_bytes()], headers, &[&b"\r\n"[..], body]].concat().concat(),
        )
    }
}

/// A client that is registered there.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Its name.
    pub id: &'static str,
    /// Name and secret as `Authorization` has them.
    pub credentials: &'static str,
    /// Where answers go.
    pub redirect_uri: &'static str,
    /// What it asks for.
    pub scope: &'static str,
}

/// The demo's first client: its users see every page at every login.
pub const CLIENT1: Client = Client {
    id: "client1",
    credentials: "Basic Y2xpZW50MTpjbGllbnQxLXNlY3JldA==",
    redirect_uri: "http://127.0.0.1:5002/auth",
    scope: "openid profile email",
};
/// The demo's second client: its users consent once.
pub const CLIENT2: Client =
    Client { id: "client2", credentials: "Basic Y2xpZW50MjpjbGllbnQyLXNlY3JldA==", ..CLIENT1 };

/// A verifier and its challenge, those of RFC 7636 Appendix B. The provider does not mind.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

impl Client {
    /// Step 2: the target of the authorization request.
    pub fn authorization_request(&self) -> String {
        let pairs = [
            ("client_id", self.id),
            ("redirect_uri", self.redirect_uri),
            ("response_type", "code"),
            ("scope", self.scope),
            ("state", "af0ifjsldkjaf0ifjsldkjaf0ifjsldkjaf0ifjsldk"),
            ("nonce", "n-0S6_WzA2Mjn-0S6_WzA2Mjn-0S6_WzA2Mjn-0S6_W"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        format!("/oauth/authorize?{}", form(&pairs))
    }

    /// Step 8: the form of the token request.
    pub fn token_request(&self, code: &str) -> String {
        form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri),
            ("code_verifier", VERIFIER),
        ])
    }

    /// Steps 8 and 9.
    pub fn redeems(&self, site: &mut Site, code: &str) -> io::Result<Answer> {
        let credentials = format!("Authorization: {}\r\n", self.credentials);
        site.post(b"/oauth/token", &[credentials.as_bytes()], self.token_request(code).as_bytes())
    }
}

/// Where an answer leads a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Led {
    /// To the next page of the provider.
    On,
    /// Back to the client, with this code.
    Back(String),
}

/// A browser with its cookies, and the page that it is on.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    cookies: Vec<(String, String)>,
    page: String,
    hidden: Vec<(String, String)>,
}

impl Browser {
    /// Step 2: sends the authorization request.
    pub fn asks(&mut self, site: &mut Site, client: &Client) -> io::Result<Led> {
        let answer = site.get(client.authorization_request().as_bytes(), &[self.cookie().as_bytes()])?;
        self.led(site, &answer)
    }

    /// Steps 3 and 5: loads the page that it was led to.
    pub fn loads(&mut self, site: &mut Site) -> io::Result<()> {
        let answer = site.get(self.page.as_bytes(), &[self.cookie().as_bytes()])?;
        expect(&answer, 200)?;
        self.hidden = hidden_fields(&answer.text());
        Ok(())
    }

    /// Steps 4 and 6: submits its form.
    pub fn submits(&mut self, site: &mut Site, fields: &[(&str, &str)]) -> io::Result<Led> {
        let hidden = self.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let form = form(&hidden.chain(fields.iter().copied()).collect::<Vec<_>>());
        let headers = [self.cookie(), "Sec-Fetch-Site: same-origin\r\n".to_owned()];
        let answer = site.post(
            self.page.as_bytes(),
            &[headers[0].as_bytes(), headers[1].as_bytes()],
            form.as_bytes(),
        )?;
        self.led(site, &answer)
    }

    /// All of it up to the code, whichever pages there are.
    pub fn signs_in(&mut self, site: &mut Site, client: &Client, user: (&str, &str)) -> io::Result<String> {
        let mut led = self.asks(site, client)?;
        while led == Led::On {
            self.loads(site)?;
            led = if self.page.contains("/login/") {
                self.submits(site, &[("username", user.0), ("password", user.1)])?
            } else {
                self.submits(site, CONSENT)?
            };
        }
        match led {
            Led::Back(code) => Ok(code),
            Led::On => Err(io::Error::other("no code")),
        }
    }

    fn cookie(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { String::new() } else { format!("Cookie: {}\r\n", pairs.join("; ")) }
    }

    fn led(&mut self, site: &Site, answer: &Answer) -> io::Result<Led> {
        expect(answer, 303)?;
        for cookie in answer.headers("set-cookie") {
            let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        let location = answer.header("location").unwrap_or_default();
        if let Some(page) = location.strip_prefix(site.issuer()) {
            page.clone_into(&mut self.page);
            return Ok(Led::On);
        }
        let query = location.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let code = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code");
        code.map(|(_, code)| Led::Back(code.into_owned())).ok_or_else(|| unexpected(answer))
    }
}

/// The decision that allows everything that is asked for.
pub const CONSENT: &[(&str, &str)] =
    &[("decision", "allow"), ("scope", "profile"), ("scope", "email"), ("scope", "offline_access")];

/// Names and values as a form sends them.
pub fn form(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn hidden_fields(page: &str) -> Vec<(String, String)> {
    let inputs = page.split(r#"<input type="hidden" name=""#).skip(1);
    let fields = inputs.filter_map(|input| {
        let (name, rest) = input.split_once(r#"" value=""#)?;
        Some((name.to_owned(), rest.split('"').next()?.to_owned()))
    });
    fields.collect()
}

/// Complains about an answer with another status.
pub fn expect(answer: &Answer, status: u16) -> io::Result<()> {
    if answer.status == status { Ok(()) } else { Err(unexpected(answer)) }
}

fn unexpected(answer: &Answer) -> io::Error {
    io::Error::other(format!("an answer that no login has:\n{}{}", answer.head, answer.text()))
}
