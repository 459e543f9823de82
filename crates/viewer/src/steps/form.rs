//! What somebody does with a held message, as the form of its page says it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use shared::{
    flow::{Happened, Part, Pause},
    params::{Params, encode},
};

use super::draft::{Draft, decoded, encoded, pretty, taken_apart};
use crate::view::basic;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Let it go.
    Send,
    /// Let it go, and stop no more.
    Run,
    /// Drop it.
    Drop,
    /// Send it twice.
    Repeat,
}

impl Order {
    /// What the form asks for, if that can be done at `pause`.
    pub(crate) fn read(params: &Params, pause: Pause) -> Option<Self> {
        let verbs = pause.verbs();
        match params.get("do")? {
            "send" => Some(Self::Send),
            "run" => Some(Self::Run),
            "drop" => verbs.drops.map(|_| Self::Drop),
            "repeat" => verbs.repeats.then_some(Self::Repeat),
            _ => None,
        }
    }
}

/// What was foretold, if it is one of the three.
pub(crate) fn guess(params: &Params, pause: Pause) -> Option<Happened> {
    let chosen = params.get("guess")?;
    pause.outcomes()?.into_iter().find(|outcome| outcome.id() == chosen)
}

/// Why something that was edited cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The address is none that a browser can be sent to.
    Address,
    /// A header has a name or a value that HTTP does not know.
    Header,
    /// The status is no number from 200 to 599.
    Status,
    /// The token's header is no JSON object.
    TokenHeader,
    /// Its payload is none.
    TokenPayload,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Address, Self::Header, Self::Status, Self::TokenHeader, Self::TokenPayload];

    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Header => "header",
            Self::Status => "status",
            Self::TokenHeader => "token_header",
            Self::TokenPayload => "token_payload",
        }
    }
}

/// An ID token that is to be made anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Forgery {
    /// Its header.
    pub header: Map<String, Value>,
    /// Its claims.
    pub claims: Map<String, Value>,
    /// Who signs it.
    pub signature: Signature,
}

/// How a forged token is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// As it was, whatever stands above it now.
    Kept(String),
    /// Not at all: `alg` is `none` (RFC 7518 §3.6).
    None,
    /// With HS256, whose secret is the provider's public key (RFC 8725 §2.1).
    PublicKey,
    /// With a new key.
    Fresh {
        /// The header brings the key along (RFC 7515 §4.1.3).
        jwk: bool,
        /// The header says where the key is to be found (RFC 7515 §4.1.2).
        jku: bool,
        /// The header names the new key, and not the provider's (RFC 7515 §4.1.4).
        kid: bool,
    },
}

/// What the message has become.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edited {
    pub(crate) draft: Draft,
    /// The token that is to be put into it.
    pub(crate) forgery: Option<Forgery>,
}

/// Reads what was edited of `held`. What the form does not hold stays as it was.
pub(crate) fn edited(held: &Draft, pause: Pause, params: &Params) -> Result<Edited, Mistake> {
    let mut draft = held.clone();
    let mut forgery = None;
    for part in pause.verbs().edits {
        match part {
            Part::Address => draft.address = address(held, params)?,
            Part::Parameters => draft.params = parameters(held, params),
            Part::Headers => draft.headers = headers(held, params)?,
            Part::Status => draft.status = status(held, params)?,
            Part::Body => draft.body = body(held, params),
            Part::Token => (draft.token, forgery) = token(held, params)?,
        }
    }
    Ok(Edited { draft, forgery })
}

/// The value of a field, empty ones too; `None` if the form does not have it.
fn field<'a>(params: &'a Params, wanted: &str) -> Option<&'a str> {
    params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// The rows of a table of pairs: `{prefix}0.name`, `{prefix}0.value` and so on. A row without a name is left out.
fn rows(params: &Params, prefix: &str) -> Vec<(String, String)> {
    let row = |at: usize| {
        let name = field(params, &format!("{prefix}{at}.name"))?;
        let value = field(params, &format!("{prefix}{at}.value")).unwrap_or_default();
        Some((name.trim().to_owned(), value.to_owned()))
    };
    (0..).map_while(row).filter(|(name, _)| !name.is_empty()).collect()
}

fn is_raw(params: &Params, part: &str) -> bool {
    params.get(&format!("{part}.as")) == Some("raw")
}

/// Text as it was typed into a field of several lines: browsers end lines with CR LF.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn address(held: &Draft, params: &Params) -> Result<String, Mistake> {
    let typed = field(params, "address").map_or(held.address.as_str(), str::trim);
    let site = url::Url::parse(typed)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none())
        .filter(|_| !typed.contains(char::is_control))
        .ok_or(Mistake::Address)?;
    // Only ASCII goes over the wire; what is ASCII goes as it was typed.
    Ok(if typed.is_ascii() { typed.to_owned() } else { site.into() })
}

/// The encoded parameters. Raw ones may be pasted with a `?` before them and with line ends between them; what is not ASCII
/// could not be sent like that.
fn parameters(held: &Draft, params: &Params) -> String {
    if is_raw(params, "params") {
        let typed = field(params, "params.raw").unwrap_or(&held.params);
        let typed = typed.chars().filter(|it| !it.is_whitespace() && !it.is_control());
        let ascii =
            |it: char| if it.is_ascii() { it.to_string() } else { encode(&it.to_string()).into_owned() };
        return typed.map(ascii).collect::<String>().trim_start_matches('?').to_owned();
    }
    if field(params, "param0.name").is_none() {
        return held.params.clone();
    }
    let pairs = rows(params, "param");
    if pairs == decoded(&held.params) { held.params.clone() } else { encoded(&pairs, &held.params) }
}

/// The headers. The credentials of `Authorization: Basic` are typed as they are, and encoded here (RFC 6749 §2.3.1).
fn headers(held: &Draft, params: &Params) -> Result<Vec<(String, String)>, Mistake> {
    let headers = if is_raw(params, "headers") {
        let typed = lines(field(params, "headers.raw").unwrap_or_default());
        let line = |line: &str| {
            let (name, value) = line.split_once(':').ok_or(Mistake::Header)?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        };
        typed.lines().filter(|line| !line.trim().is_empty()).map(line).collect::<Result<Vec<_>, _>>()?
    } else if field(params, "header0.name").is_some() {
        let typed = rows(params, "header");
        typed.into_iter().map(|(name, value)| (name.clone(), credentials(held, &name, value))).collect()
    } else {
        return Ok(held.headers.clone());
    };
    let is_possible = |(name, value): &(String, String)| {
        actix_web::http::header::HeaderName::try_from(name.as_str()).is_ok()
            && actix_web::http::header::HeaderValue::from_str(value).is_ok()
    };
    headers.iter().all(is_possible).then_some(headers).ok_or(Mistake::Header)
}

/// `Basic id:secret` as it goes over the wire; anything else as it was typed.
fn credentials(held: &Draft, name: &str, typed: String) -> String {
    let plain = typed.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let Some((scheme, plain)) = plain.filter(|_| name.eq_ignore_ascii_case("authorization")) else {
        return typed;
    };
    let was = held.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    match was {
        Some(was) if shown_header(name, was) == typed => was.clone(),
        _ => format!("{scheme} {}", base64::engine::general_purpose::STANDARD.encode(plain)),
    }
}

/// A header as the form shows it.
pub(crate) fn shown_header(name: &str, value: &str) -> String {
    let plain = value
        .split_once(' ')
        .filter(|(scheme, _)| {
            name.eq_ignore_ascii_case("authorization") && scheme.eq_ignore_ascii_case("basic")
        })
        .and_then(|(scheme, encoded)| Some(format!("{scheme} {}", basic(encoded)?)));
    plain.unwrap_or_else(|| value.to_owned())
}

fn status(held: &Draft, params: &Params) -> Result<u16, Mistake> {
    let Some(typed) = field(params, "status") else { return Ok(held.status) };
    typed.trim().parse().ok().filter(|status| (200..600).contains(status)).ok_or(Mistake::Status)
}

/// The body. The page shows JSON on many lines; one that was not touched stays as it came.
fn body(held: &Draft, params: &Params) -> String {
    let shown = pretty(&held.body).unwrap_or_else(|| held.body.clone());
    match field(params, "body").map(lines) {
        Some(typed) if typed != lines(&shown) => typed,
        _ => held.body.clone(),
    }
}

/// The token, or what is to be made in its place. A raw one may be pasted as people paste: in quotes, on several lines,
/// with the name of its scheme.
fn token(held: &Draft, params: &Params) -> Result<(String, Option<Forgery>), Mistake> {
    let unchanged = Ok((held.token.clone(), None));
    if is_raw(params, "token") {
        let typed = field(params, "token.raw").unwrap_or(&held.token).trim();
        let typed = typed.strip_prefix("Bearer ").unwrap_or(typed);
        let is_noise = |it: &char| it.is_whitespace() || it.is_control() || matches!(it, '"' | '\'' | ',');
        return Ok((typed.chars().filter(|it| !is_noise(it)).collect(), None));
    }
    let (Some(header), Some(payload)) = (field(params, "token.header"), field(params, "token.payload"))
    else {
        return unchanged;
    };
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let header = object(header).ok_or(Mistake::TokenHeader)?;
    let claims = object(payload).ok_or(Mistake::TokenPayload)?;
    let embeds = |what: &str| params.all("embed").any(|embedded| embedded == what);
    let signature = match params.get("sign") {
        Some("none") => Signature::None,
        Some("public_key") => Signature::PublicKey,
        Some("fresh") => Signature::Fresh { jwk: embeds("jwk"), jku: embeds("jku"), kid: embeds("kid") },
        _ => {
            let Some((was_header, was_claims, signature)) = taken_apart(&held.token) else {
                return unchanged;
            };
            if object(&was_header).as_ref() == Some(&header) && object(&was_claims).as_ref() == Some(&claims)
            {
                return unchanged;
            }
            Signature::Kept(signature.to_owned())
        }
    };
    Ok((held.token.clone(), Some(Forgery { header, claims, signature })))
}

impl Forgery {
    /// What a signature is made over (RFC 7515 §5.1).
    pub fn signed(&self) -> String {
        let part = |members: &Map<String, Value>| {
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(members).unwrap_or_default())
        };
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Params::parse_with_repeats(encoded(&pairs.collect::<Vec<_>>(), "").as_bytes()).unwrap()
    }

    fn request() -> Draft {
        Draft {
            method: "POST".into(),
            address: "http://127.0.0.1:5001/oauth/token".into(),
            params: "code=c%2Bd&x=1".into(),
            headers: vec![("authorization".into(), "Basic Y2xpZW50MTpz".into())],
            ..Draft::default()
        }
    }

    #[test]
    fn a_form_that_was_not_touched_changes_not_a_byte() {
        let form = params(&[
            ("param0.name", "code"),
            ("param0.value", "c+d"),
            ("param1.name", "x"),
            ("param1.value", "1"),
            ("param2.name", ""),
            ("header0.name", "authorization"),
            ("header0.value", "Basic client1:s"),
        ]);
        let edited = edited(&request(), Pause::TokenRequest, &form).unwrap();
        assert_eq!(edited, Edited { draft: request(), forgery: None });
    }

    #[test]
    fn rows_are_changed_added_and_left_out() {
        let form = params(&[
            ("param0.name", "code"),
            ("param0.value", "other"),
            ("param1.name", ""),
            ("param2.name", "new"),
            ("param2.value", "ü"),
            ("header0.name", "authorization"),
            ("header0.value", "Basic client2:s"),
        ]);
        let edited = edited(&request(), Pause::TokenRequest, &form).unwrap().draft;
        assert_eq!(edited.params, "code=other&new=%C3%BC");
        assert_eq!(edited.headers[0].1, "Basic Y2xpZW50Mjpz");
    }

    #[test]
    fn what_is_pasted_raw_may_be_sloppy() {
        let form = params(&[("params.as", "raw"), ("params.raw", " ?a=1&\r\n b=%zz ")]);
        assert_eq!(edited(&request(), Pause::Callback, &form).unwrap().draft.params, "a=1&b=%zz");
        let form = params(&[("params.as", "raw"), ("params.raw", "login_hint=日本&b=%zz")]);
        let sent = edited(&request(), Pause::AuthorizationRequest, &form).unwrap().draft.params;
        assert_eq!(sent, "login_hint=%E6%97%A5%E6%9C%AC&b=%zz");
        let form = params(&[("address", "http://例え.jp/a")]);
        let sent = edited(&request(), Pause::AuthorizationRequest, &form).unwrap().draft.address;
        assert_eq!(sent, "http://xn--r8jz45g.jp/a");
        let form = params(&[("token.as", "raw"), ("token.raw", "\"eyJ\r\n .e30.\",")]);
        assert_eq!(edited(&request(), Pause::Validation, &form).unwrap().draft.token, "eyJ.e30.");
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        let of = |pause, pairs: &[(&str, &str)]| edited(&request(), pause, &params(pairs)).unwrap_err();
        assert_eq!(of(Pause::AuthorizationRequest, &[("address", "javascript:alert(1)")]), Mistake::Address);
        let header = [("header0.name", "a b"), ("header0.value", "x")];
        assert_eq!(of(Pause::TokenRequest, &header), Mistake::Header);
        let header = [("header0.name", "a"), ("header0.value", "x\r\nb: y")];
        assert_eq!(of(Pause::TokenRequest, &header), Mistake::Header);
        assert_eq!(of(Pause::TokenResponse, &[("status", "20")]), Mistake::Status);
        let token = [("token.header", "{"), ("token.payload", "{}")];
        assert_eq!(of(Pause::Validation, &token), Mistake::TokenHeader);
    }

    #[test]
    fn only_what_the_table_allows_can_be_done() {
        let order = |pause, order| Order::read(&params(&[("do", order)]), pause);
        assert_eq!(order(Pause::TokenRequest, "repeat"), Some(Order::Repeat));
        assert_eq!(order(Pause::TokenResponse, "repeat"), None);
        assert_eq!(order(Pause::Validation, "drop"), None);
        assert_eq!(order(Pause::Validation, "run"), Some(Order::Run));
        assert_eq!(guess(&params(&[("guess", "invalid_grant")]), Pause::Callback), None);
    }
}
