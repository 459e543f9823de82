//! A JWT that a client signed: an assertion by which it authenticates (RFC 7523), or a request object (RFC 9101). It is
//! taken apart and judged in one place; what its claims must say is the business of whoever reads it.

use std::{collections::HashSet, fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;
use shared::clock::Timestamp;

use crate::{
    domain::{client::Client, client_keys::ClientKeys},
    keys,
    state::AppState,
};

/// How far clocks may differ.
pub const SKEW: Duration = Duration::from_secs(60);

/// A JWT that has been taken apart, and of which nothing is certain yet.
pub struct ClientJwt<'a> {
    header: Header,
    payload: Vec<u8>,
    signed: &'a str,
    signature: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

/// Whatever its value is, `null` included.
fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'a> ClientJwt<'a> {
    /// Takes a signed JWT apart (RFC 7515 §3.1).
    pub fn read(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        Some(Self { header, payload: URL_SAFE_NO_PAD.decode(payload).ok()?, signed, signature })
    }

    /// What its header says that it is signed with.
    pub fn alg(&self) -> &str {
        &self.header.alg
    }

    /// Its payload.
    pub fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.payload).ok()
    }

    /// The one of `possible` that it is signed with. RFC 8725 §3.1: the registration says which algorithms there are,
    /// never the token alone. §3.11: a token of another kind than `kinds` is none. RFC 7515 §4.1.11: nothing is critical
    /// that we do not know.
    pub fn algorithm(&self, possible: &[Algorithm], kinds: &[&str]) -> Option<Algorithm> {
        let typ = self.header.typ.as_deref().map(without_application);
        let is_one = typ.is_none_or(|typ| kinds.iter().any(|it| typ.eq_ignore_ascii_case(it)));
        let alg = possible.iter().copied().find(|alg| name(*alg) == self.header.alg);
        alg.filter(|_| is_one && !self.header.crit)
    }

    /// Whether `client` signed it with `alg`. The key is the one that is registered; keys that a token brings along are not
    /// looked at, and nothing is fetched that it names (RFC 8725 §3.10).
    pub async fn is_signed(&self, state: &AppState, client: &Client, alg: Algorithm) -> bool {
        let (kid, signed, signature) = (self.header.kid.as_deref(), self.signed, self.signature);
        // RFC 8725 §3.1: a public key is never a secret, nor the other way round.
        if alg == Algorithm::HS256 {
            return client.secret.as_ref().is_some_and(|it| keys::is_hs256(it, signed, signature));
        }
        match &client.keys {
            Some(ClientKeys::Registered(keys)) => keys.verify(alg, kid, signed, signature),
            Some(ClientKeys::Published(address)) => {
                let keys = state.client_keys.at(client, address, kid, state.present()).await;
                keys.is_some_and(|keys| keys.verify(alg, kid, signed, signature))
            }
            None => false,
        }
    }
}

/// RFC 7515 §4.1.9: a media type, whose `application/` is left out as a rule.
fn without_application(typ: &str) -> &str {
    match typ.split_once('/') {
        Some((application, rest)) if application.eq_ignore_ascii_case("application") => rest,
        _ => typ,
    }
}

/// How `alg` is called on the wire (RFC 7518 §3.1).
pub fn name(alg: Algorithm) -> String {
    format!("{alg:?}")
}

/// `aud`: one, or several (RFC 7519 §4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Audiences {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Audiences {
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

/// From when until when a JWT is good (RFC 7519 §4.1.4 to §4.1.6). Numbers are numbers: an `exp` in quotes is none.
#[derive(Deserialize)]
pub struct Times {
    /// When it ends.
    #[serde(default, deserialize_with = "numeric_date")]
    pub exp: Option<Timestamp>,
    #[serde(default, deserialize_with = "numeric_date")]
    nbf: Option<Timestamp>,
    #[serde(default, deserialize_with = "numeric_date")]
    iat: Option<Timestamp>,
}

/// RFC 7519 §2: seconds may have a fraction. It counts for nothing here, where clocks differ by more.
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let seconds = Option::<f64>::deserialize(deserializer)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "that is what is wanted; what is out of range ends there"
    )]
    let whole = |seconds: f64| seconds.floor() as i64;
    Ok(seconds.map(whole).map(Timestamp::from_unix))
}

impl Times {
    /// Whether it has not ended, as far as it says when it does.
    pub fn is_not_over(&self, now: Timestamp) -> bool {
        self.exp.is_none_or(|exp| now < exp + SKEW)
    }

    /// Whether nothing in it lies ahead that has to be over.
    pub fn has_begun(&self, now: Timestamp) -> bool {
        [self.nbf, self.iat].into_iter().flatten().all(|time| time <= now + SKEW)
    }
}

/// The members of a JSON object. RFC 7519 §4: their names are unique; whoever takes the last of two reads something else
/// than whoever takes the first.
pub struct Members(pub Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;

        impl<'de> Visitor<'de> for Unique {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object with unique names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let (mut members, mut names) = (Vec::new(), HashSet::new());
                // Nobody has signed it yet: what many names cost is as much as they are, and no more.
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    #[test]
    fn i17_what_is_no_signed_jwt_is_not_read() {
        let good = format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part("{}"));
        assert_eq!(ClientJwt::read(&good).map(|jwt| jwt.alg().to_owned()).as_deref(), Some("RS256"));
        for bad in ["", "a", "a.b", "a.b.c", "..", &good[1..], &format!("{}.{}.", part("{}"), part("{}"))] {
            assert!(ClientJwt::read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn i17_nothing_is_critical_and_the_kind_is_a_media_type() {
        let is_taken = |more: &str| {
            let header = part(&format!(r#"{{"alg":"ES256"{more}}}"#));
            let token = format!("{header}.{}.c2ln", part("{}"));
            let jwt = ClientJwt::read(&token);
            jwt.is_some_and(|jwt| jwt.algorithm(&[Algorithm::ES256], &["JWT", "a+jwt"]).is_some())
        };
        for typ in ["JWT", "jwt", "application/jwt", "Application/A+JWT"] {
            assert!(is_taken(&format!(r#","typ":"{typ}""#)), "{typ}");
        }
        for typ in ["", "at+jwt", "application/at+jwt", "text/jwt", "application/application/jwt", "/jwt"] {
            assert!(!is_taken(&format!(r#","typ":"{typ}""#)), "{typ}");
        }
        for crit in ["null", "[]", r#"["exp"]"#, "1", "false"] {
            assert!(!is_taken(&format!(r#","crit":{crit}"#)), "{crit}");
        }
        assert!(is_taken(""));
    }

    #[test]
    fn a_time_is_a_number_of_seconds_and_may_have_a_fraction() {
        let exp = |json: &str| serde_json::from_str::<Times>(json).ok().map(|times| times.exp);
        let at = |seconds| Some(Some(Timestamp::from_unix(seconds)));
        for (json, seconds) in [("1795500000", 1_795_500_000), ("1795500000.5", 1_795_500_000), ("-0.5", -1)]
        {
            assert_eq!(exp(&format!(r#"{{"exp":{json}}}"#)), at(seconds), "{json}");
        }
        for (json, seconds) in [("1e300", i64::MAX), ("-1e300", i64::MIN), ("18446744073709551615", i64::MAX)]
        {
            assert_eq!(exp(&format!(r#"{{"exp":{json}}}"#)), at(seconds), "{json}");
        }
        assert_eq!((exp("{}"), exp(r#"{"exp":null}"#)), (Some(None), Some(None)));
        for json in [r#""1795500000""#, "true", "[1]", "{}", "1e999"] {
            assert_eq!(exp(&format!(r#"{{"exp":{json}}}"#)), None, "{json}");
        }
    }

    #[test]
    fn i17_a_name_that_stands_twice_makes_the_payload_unreadable() {
        let members = |json: &str| serde_json::from_str::<Members>(json).ok().map(|it| it.0.len());
        assert_eq!(members(r#"{"a":1,"b":2}"#), Some(2));
        assert_eq!(members(r#"{"a":1,"\u0061":1}"#), None);
        assert_eq!(members("[]"), None);
        // However many there are, and however far from each other the two stand.
        let many: Vec<_> = (0..10_000).map(|name| format!(r#""{name}":1"#)).collect();
        assert_eq!(members(&format!("{{{}}}", many.join(","))), Some(10_000));
        assert_eq!(members(&format!("{{{},\"0\":1}}", many.join(","))), None);
    }
}
