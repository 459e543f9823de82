//! A JWT before anybody has looked at its signature (RFC 7519 §7.2). Nothing in it is to be believed yet.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use shared::flow::{Shown, Words};
use thiserror::Error;

/// The longest token that is taken apart, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Why a text is not a JWT of the kind we read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// It is longer than any honest token.
    #[error("longer than 64 KiB")]
    TooLong,
    /// Not `header.payload.signature`: five parts would be an encrypted token.
    #[error("{0} parts")]
    Parts(usize),
    /// A part is not base64url without padding.
    #[error("the {0} is not base64url")]
    Base64(&'static str),
    /// A part is not a JSON object, or names a member twice (RFC 7519 §4).
    #[error("the {0} is not a JSON object with unique names")]
    Json(&'static str),
    /// `typ` says that it is another kind of token, such as an access token (RFC 8725 §3.11).
    #[error("its typ is another one than JWT")]
    Type,
    /// `kid` is not a text (RFC 7515 §4.1.4).
    #[error("its kid is not a text")]
    KeyId,
}

impl From<Malformed> for Shown<'static> {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::TooLong => Self::WordsWith(Words::TooLong, "64 KiB".into()),
            Malformed::Parts(count) => Self::WordsWith(Words::Parts, count.to_string().into()),
            Malformed::Base64(part) => Self::WordsWith(Words::NotBase64, part.into()),
            Malformed::Json(part) => Self::WordsWith(Words::NotJson, part.into()),
            Malformed::Type => Self::Words(Words::OtherType),
            Malformed::KeyId => Self::Words(Words::KeyIdNotText),
        }
    }
}

/// A JWT, taken apart.
#[derive(Clone, Debug)]
pub struct UnverifiedJwt {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    text: String,
    payload_ends: usize,
}

impl UnverifiedJwt {
    /// Takes `text` apart.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > MAX_BYTES {
            return Err(Malformed::TooLong);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(Malformed::Parts(parts.len()));
        };
        decode(signature, "signature")?;
        let jwt = Self {
            header: object(header, "header")?,
            claims: object(claims, "payload")?,
            text: text.to_owned(),
            payload_ends: header.len() + 1 + claims.len(),
        };
        jwt.check_header_types()?;
        Ok(jwt)
    }

    fn check_header_types(&self) -> Result<(), Malformed> {
        // RFC 7515 §4.1.9: `application/` may be left out.
        let is_jwt =
            |typ: &str| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("application/jwt");
        match (self.header.get("typ"), self.header.get("kid")) {
            (Some(typ), _) if !typ.as_str().is_some_and(is_jwt) => Err(Malformed::Type),
            (_, Some(kid)) if !kid.is_string() => Err(Malformed::KeyId),
            _ => Ok(()),
        }
    }

    /// The whole token.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the signature is over (RFC 7515 §5.1).
    pub fn signed(&self) -> &str {
        &self.text[..self.payload_ends]
    }

    /// The signature in base64url.
    pub fn signature(&self) -> &str {
        &self.text[self.payload_ends + 1..]
    }

    /// The name of the key, if the header gives one. Only ever compared with names that we know.
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }
}

fn decode(part: &str, name: &'static str) -> Result<Vec<u8>, Malformed> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed::Base64(name))
}

fn object(part: &str, name: &'static str) -> Result<Map<String, Value>, Malformed> {
    serde_json::from_slice::<UniqueNames>(&decode(part, name)?)
        .map(|unique| unique.0)
        .map_err(|_| Malformed::Json(name))
}

/// A JSON object that names no member twice. `serde_json` alone would keep the last one, other parsers the first:
/// two readers of one token would see two users.
struct UniqueNames(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = UniqueNames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<UniqueNames, A::Error> {
                let mut read = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if read.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                }
                Ok(UniqueNames(read))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
