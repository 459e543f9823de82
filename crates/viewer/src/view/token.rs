//! Documents taken apart: the tokens in a message, the key set, the claims of userinfo.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use shared::flow::{Exchange, Message};

use super::{
    fields::{Field, Members, plain},
    moment::At,
    parameters::{self, Folded},
};

/// The members of a token's header that have a text `jose.<name>`.
pub const JOSE: [&str; 10] = ["alg", "typ", "kid", "jwk", "jku", "x5c", "x5u", "x5t", "crit", "cty"];
/// The members of a key that have a text `jwk.<name>`.
pub const JWK: [&str; 9] = ["kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"];
/// The claims that have a text `explain.claim.<name>`.
#[rustfmt::skip]
pub const CLAIMS: [&str; 37] = [
    "name", "preferred_username", "given_name", "family_name", "email", "email_verified", "middle_name", "nickname",
    "profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at", "address",
    "phone_number", "phone_number_verified", "sub", "iss", "aud", "azp", "auth_time", "amr", "acr", "exp", "iat",
    "nonce", "at_hash", "sid", "jti", "active", "client_id", "scope", "username", "token_type",
];
/// The claims that are seconds since 1970-01-01T00:00:00Z (RFC 7519 §2, `NumericDate`).
const TIMES: [&str; 5] = ["exp", "iat", "auth_time", "nbf", "updated_at"];

/// A table of members with what each means.
#[derive(Debug, Serialize)]
pub(crate) struct Slab {
    members: Vec<Member>,
}

/// A name, its value, and the key of the text that explains it.
#[derive(Debug, Serialize)]
pub(crate) struct Member {
    name: String,
    value: Folded,
    time: Option<At>,
    text: String,
}

/// A signed token (RFC 7519 §3).
#[derive(Debug, Serialize)]
pub struct Token {
    /// The member or parameter that held it.
    name: String,
    /// Header, payload and signature as they were written.
    parts: [String; 3],
    header: Slab,
    payload: Slab,
    algorithm: String,
    /// The algorithm in the words of its specification.
    algorithm_name: &'static str,
    /// The length of the signature in bytes.
    length: usize,
    /// Whether the app signed it, and not the IdP.
    of_client: bool,
    /// Whether it is made with a secret that both sides know.
    shared_secret: bool,
    kid: String,
}

/// A document that is no token.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    /// `keys` or `claims`.
    kind: &'static str,
    slabs: Vec<Slab>,
}

/// The tokens among `fields`, each once.
pub(crate) fn tokens(fields: &[Field]) -> Vec<Token> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut tokens = Vec::new();
    for field in fields {
        if !seen.contains(field.value.as_str())
            && let Some(token) = Token::read(&field.key, &field.value)
        {
            seen.insert(&field.value);
            tokens.push(token);
        }
    }
    tokens
}

impl Token {
    /// The token `text`, taken apart for a page; `None` for what is no signed token.
    pub fn of(name: &str, text: &str) -> Option<Self> {
        Self::read(name, text)
    }

    /// Whether both sides know what it is signed with.
    pub(crate) const fn is_signed_with_a_secret(&self) -> bool {
        self.shared_secret
    }

    fn read(key: &str, text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(ToOwned::to_owned);
        let parts = [parts.next()?, parts.next()?, parts.next().filter(|_| parts.next().is_none())?];
        let object = |part: &str| {
            let json = String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
            Some(Members::of(&json)).filter(|members| !members.is_empty())
        };
        let (header, payload) = (object(&parts[0])?, object(&parts[1])?);
        let text_of =
            |name: &str| header.iter().find(|(known, _)| known == name).map(|(_, value)| plain(value));
        let algorithm = text_of("alg")?;
        Some(Self {
            name: key.to_owned(),
            algorithm_name: algorithm_name(&algorithm),
            of_client: matches!(key, "request" | "client_assertion"),
            shared_secret: algorithm.starts_with("HS"),
            kid: text_of("kid").unwrap_or_default(),
            length: URL_SAFE_NO_PAD.decode(&parts[2]).map_or(0, |signature| signature.len()),
            header: slab(&header, |name| explained("jose", &JOSE, name)),
            payload: slab(&payload, |name| match name {
                // RFC 9101 §4: beside what is about the JWT itself, the claims of a request object are parameters.
                "iss" | "sub" | "aud" | "exp" | "nbf" | "iat" | "jti" => claim(name),
                _ if key == "request" && parameters::is_known(name) => format!("param.{name}"),
                _ => claim(name),
            }),
            algorithm,
            parts,
        })
    }
}

/// The document that `message` is, if it is one.
pub(crate) fn document(message: &Message) -> Option<Document> {
    if message.status() != Some(200) {
        return None;
    }
    let members = Members::of(&message.body);
    match message.exchange {
        Exchange::Userinfo | Exchange::Introspect | Exchange::Api if !members.is_empty() => {
            Some(Document { kind: "claims", slabs: vec![slab(&members, claim)] })
        }
        Exchange::Keys => {
            let (_, keys) = members.into_iter().find(|(name, _)| name == "keys")?;
            let keys = keys.as_array()?.iter();
            let keys =
                keys.map(|key| slab(&Members::of(&key.to_string()), |name| explained("jwk", &JWK, name)));
            Some(Document { kind: "keys", slabs: keys.collect() })
        }
        _ => None,
    }
}

fn claim(name: &str) -> String {
    explained("explain.claim", &CLAIMS, name)
}

/// The key of the text that explains `name`.
fn explained(texts: &str, known: &[&str], name: &str) -> String {
    format!("{texts}.{}", if known.contains(&name) { name } else { "other" })
}

fn slab(members: &[(String, serde_json::Value)], text: impl Fn(&str) -> String) -> Slab {
    let members = members.iter().map(|(name, value)| {
        let seconds = value.as_i64().filter(|_| TIMES.contains(&name.as_str()));
        Member {
            value: Folded::new(&plain(value)),
            time: seconds.and_then(|seconds| seconds.checked_mul(1000)).map(At::from),
            text: text(name),
            name: name.clone(),
        }
    });
    Slab { members: members.collect() }
}

/// RFC 7518 §3.1, RFC 8037 §3.1.
fn algorithm_name(algorithm: &str) -> &'static str {
    match algorithm {
        "HS256" => "HMAC, SHA-256",
        "HS384" => "HMAC, SHA-384",
        "HS512" => "HMAC, SHA-512",
        "RS256" => "RSASSA-PKCS1-v1_5, SHA-256",
        "RS384" => "RSASSA-PKCS1-v1_5, SHA-384",
        "RS512" => "RSASSA-PKCS1-v1_5, SHA-512",
        "PS256" => "RSASSA-PSS, SHA-256",
        "ES256" => "ECDSA, P-256, SHA-256",
        "ES384" => "ECDSA, P-384, SHA-384",
        "EdDSA" => "Ed25519",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> Option<Token> {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        Token::read("id_token", &format!("{}.{}.{}", part(header), part(payload), part("signed")))
    }

    #[test]
    fn a_token_is_taken_apart_in_its_order() {
        let token =
            token(r#"{"typ":"JWT","alg":"RS256","kid":"k1"}"#, r#"{"sub":"1","exp":1795500250,"x":[1]}"#)
                .unwrap();
        let names: Vec<_> = token.payload.members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["sub", "exp", "x"]);
        assert!(token.payload.members[1].time.is_some());
        assert_eq!(token.payload.members[2].text, "explain.claim.other");
        assert_eq!((token.length, token.kid.as_str(), token.shared_secret), (6, "k1", false));
    }

    #[test]
    fn the_claims_of_a_request_are_explained_as_parameters() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let payload = part(r#"{"iss":"client1","scope":"openid","utm":1}"#);
        let jwt = format!("{}.{payload}.{}", part(r#"{"alg":"ES256"}"#), part("signed"));
        let texts: Vec<_> =
            Token::read("request", &jwt).unwrap().payload.members.into_iter().map(|it| it.text).collect();
        assert_eq!(texts, ["explain.claim.iss", "param.scope", "explain.claim.other"]);
    }

    #[test]
    fn what_only_looks_like_a_token_stays_whole() {
        assert!(token(r#"{"typ":"JWT"}"#, "{}").is_none());
        for text in ["http://127.0.0.1:5001", "a.b.c", "a.b", "a.b.c.d", ""] {
            assert!(Token::read("x", text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_time_out_of_all_reason_is_a_number() {
        let token = token(r#"{"alg":"none"}"#, r#"{"exp":9223372036854775807,"iat":"soon"}"#).unwrap();
        assert!(token.payload.members.iter().all(|member| member.time.is_none()));
    }
}
