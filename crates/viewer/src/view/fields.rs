//! What has a name in a message: parameters in its query, its form, its JSON body or in the address that it leads to, and
//! the headers that matter to the protocol.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use shared::{
    flow::{Exchange, Message},
    params::decode,
    response_mode::FormPost,
};

/// Something with a name and a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Field {
    /// As it is written in the message.
    pub(crate) name: String,
    /// Its name in the table of facts and in the catalogue, `param.<key>`.
    pub(crate) key: String,
    /// Its value, decoded.
    pub(crate) value: String,
}

/// The headers that are explained, each with its key.
const HEADERS: [(&str, &str); 7] = [
    ("cookie", "cookie"),
    ("set-cookie", "set_cookie"),
    ("location", "location"),
    ("content-type", "content_type"),
    ("traceparent", "traceparent"),
    ("www-authenticate", "www_authenticate"),
    ("retry-after", "retry_after"),
];

/// What has a name in `message`, in its order.
pub(crate) fn fields(message: &Message) -> Vec<Field> {
    let mut fields = encoded(message.query());
    if is_form(message) {
        fields.extend(encoded(&message.body));
    }
    // What is answered here are documents, which are taken apart as such.
    let is_document = message.status() == Some(200)
        && matches!(
            message.exchange,
            Exchange::Userinfo | Exchange::Keys | Exchange::Introspect | Exchange::Api
        );
    if is_json(message) && !is_document {
        let members = Members::of(&message.body).into_iter();
        fields.extend(members.map(|(name, value)| Field { key: name.clone(), name, value: plain(&value) }));
    }
    if is_page(message)
        && let Some(form) = FormPost::read(&message.body)
    {
        fields.extend(encoded(&form.params.encode()));
    }
    for (name, value) in &message.headers {
        fields.extend(header(name, value));
        if name.eq_ignore_ascii_case("location") {
            fields.extend(encoded(query_of(value)));
        }
    }
    fields
}

/// More fields of a message are not shown.
pub(crate) const MOST: usize = 200;

/// As many fields of `message` as are shown, and how many more there are.
pub(crate) fn first_fields(message: &Message) -> (Vec<Field>, usize) {
    let mut fields = fields(message);
    let more = fields.len().saturating_sub(MOST);
    fields.truncate(MOST);
    (fields, more)
}

/// The query of an address, without its fragment.
pub(crate) fn query_of(address: &str) -> &str {
    let address = address.split('#').next().unwrap_or_default();
    address.split_once('?').map_or("", |(_, query)| query)
}

fn encoded(pairs: &str) -> Vec<Field> {
    let pairs = pairs.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        Field { key: name.clone(), name, value }
    });
    pairs.collect()
}

/// What cannot be decoded is shown as it is.
fn decoded(text: &str) -> String {
    decode(text.as_bytes()).unwrap_or_else(|_| text.to_owned())
}

fn header(name: &str, value: &str) -> Option<Field> {
    if name.eq_ignore_ascii_case("authorization") {
        let (scheme, credentials) = value.split_once(' ')?;
        let (key, value) = match scheme.to_ascii_lowercase().as_str() {
            "basic" => ("authorization_basic", basic(credentials)?),
            "bearer" => ("authorization_bearer", credentials.to_owned()),
            _ => return None,
        };
        return Some(Field { name: name.to_owned(), key: key.to_owned(), value });
    }
    let (_, key) = HEADERS.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    Some(Field { name: name.to_owned(), key: key.to_owned(), value: value.to_owned() })
}

/// The key of a header, or its own name where it is not explained.
pub(crate) fn header_key(name: &str, value: &str) -> String {
    header(name, value).map_or_else(|| name.to_ascii_lowercase(), |field| field.key)
}

/// RFC 6749 §2.3.1: name and secret, joined by a colon, in base64.
pub(crate) fn basic(credentials: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(credentials).ok()?).ok()
}

/// Whether the body is a form.
pub(crate) fn is_form(message: &Message) -> bool {
    essence(message) == "application/x-www-form-urlencoded"
}

/// Whether the body is JSON.
pub(crate) fn is_json(message: &Message) -> bool {
    let essence = essence(message);
    essence == "application/json" || essence.ends_with("+json")
}

/// Whether the body is a page.
pub(crate) fn is_page(message: &Message) -> bool {
    essence(message) == "text/html"
}

fn essence(message: &Message) -> String {
    let media_type = message.header("content-type").unwrap_or_default();
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A value of JSON as text: a string without its quotes.
pub(crate) fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// The members of a JSON object in the order in which they were written.
#[derive(Default)]
pub(crate) struct Members(pub(crate) Vec<(String, serde_json::Value)>);

impl Members {
    /// Those of the object in `json`; none if it is something else.
    pub(crate) fn of(json: &str) -> Vec<(String, serde_json::Value)> {
        serde_json::from_str::<Self>(json).unwrap_or_default().0
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_shown_as_what_they_say() {
        let field = header("authorization", "Basic Y2xpZW50MTpjbGllbnQxLXNlY3JldA==").unwrap();
        assert_eq!(
            (field.key.as_str(), field.value.as_str()),
            ("authorization_basic", "client1:client1-secret")
        );
        assert_eq!(header("authorization", "Bearer at_1").unwrap().value, "at_1");
        assert_eq!(header("authorization", "Basic %%%"), None);
        assert_eq!(header("accept", "*/*"), None);
    }

    #[test]
    fn members_keep_the_order_in_which_they_were_written() {
        let names: Vec<_> =
            Members::of(r#"{"z":1,"a":"x","m":[]}"#).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["z", "a", "m"]);
        assert!(Members::of("[1]").is_empty() && Members::of("{").is_empty());
    }

    #[test]
    fn what_is_not_well_formed_is_shown_as_it_is() {
        let values: Vec<_> =
            encoded("a=%zz&b&=c&d=x%2By").into_iter().map(|it| (it.name, it.value)).collect();
        let expected = [("a", "%zz"), ("b", ""), ("", "c"), ("d", "x+y")];
        assert_eq!(values, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
