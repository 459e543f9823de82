//! `application/x-www-form-urlencoded`, read strictly: queries, bodies and the halves of Basic credentials.
//!
//! The URL standard's parser accepts everything; servers that guess are how one message comes to mean two things
//! to two readers. This one refuses what is not well-formed, and what stands twice.

use std::{borrow::Cow, collections::HashSet};

use thiserror::Error;

/// Why a query or a body was not read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParamsError {
    /// A `%` without two hexadecimal digits behind it.
    #[error("a % is not followed by two hexadecimal digits")]
    LonePercent,
    /// The bytes behind the escapes are not UTF-8.
    #[error("a name or value is not UTF-8")]
    NotUtf8,
    /// U+0000, which no parameter of the protocol may hold and many programs mistake for an end.
    #[error("a name or value holds a NUL character")]
    Nul,
    /// RFC 6749 §3.1: a parameter stands at most once.
    #[error("the parameter {0:?} stands more than once")]
    Repeated(String),
}

/// The parameters of one message in the order in which they stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl FromIterator<(String, String)> for Params {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Params {
    /// Reads a query (without its `?`) or a body. `repeatable` names the parameters that may stand more than once.
    pub fn parse(encoded: &[u8], repeatable: &[&str]) -> Result<Self, ParamsError> {
        let params = Self::parse_with_repeats(encoded)?;
        match params.repeated(repeatable) {
            // The name is told back, but not at any length.
            Some(name) => Err(ParamsError::Repeated(name.chars().take(64).collect())),
            None => Ok(params),
        }
    }

    /// Reads what may hold a parameter twice, for whoever must first find out where to send the complaint.
    pub fn parse_with_repeats(encoded: &[u8]) -> Result<Self, ParamsError> {
        let mut params = Self::default();
        params.extend(encoded)?;
        Ok(params)
    }

    /// Reads a second source into the same set: a parameter in the query and again in the body stands twice.
    pub fn extend(&mut self, encoded: &[u8]) -> Result<(), ParamsError> {
        for pair in encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let split = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = split.map_or((pair, &pair[..0]), |at| (&pair[..at], &pair[at + 1..]));
            self.0.push((decode(name)?, decode(value)?));
        }
        Ok(())
    }

    /// The first parameter that stands twice though `repeatable` does not name it.
    pub fn repeated(&self, repeatable: &[&str]) -> Option<&str> {
        let mut seen = HashSet::new();
        self.iter().map(|(name, _)| name).find(|name| !seen.insert(*name) && !repeatable.contains(name))
    }

    /// How often `name` stands, with a value or without.
    pub fn count(&self, name: &str) -> usize {
        self.iter().filter(|(known, _)| *known == name).count()
    }

    /// The value of `name`. RFC 6749 §3.1: a parameter without a value counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a parameter that may repeat.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(known, value)| *known == name && !value.is_empty()).map(|(_, value)| value)
    }

    /// The pairs in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same parameters, encoded again.
    pub fn encode(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.iter()).finish()
    }
}

/// Decodes one name or value: `+` is a space, `%41` is `A`.
pub fn decode(encoded: &[u8]) -> Result<String, ParamsError> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, tail) = rest.split_at_checked(2).ok_or(ParamsError::LonePercent)?;
                rest = tail;
                hex(digits[0])? << 4 | hex(digits[1])?
            }
            other => *other,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| ParamsError::NotUtf8)?;
    if text.contains('\0') { Err(ParamsError::Nul) } else { Ok(text) }
}

/// Encodes one name or value; the inverse of [`decode`].
pub fn encode(text: &str) -> Cow<'_, str> {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().into()
}

fn hex(digit: u8) -> Result<u8, ParamsError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(ParamsError::LonePercent),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Params, ParamsError> {
        Params::parse(text.as_bytes(), &["resource"])
    }

    #[test]
    fn a_parameter_may_stand_only_once() {
        assert_eq!(parse("a=1&b=2&a=1"), Err(ParamsError::Repeated("a".into())));
        assert_eq!(parse("%61=1&a=1"), Err(ParamsError::Repeated("a".into())));
        assert_eq!(parse("a=&a="), Err(ParamsError::Repeated("a".into())));
        let resources = parse("resource=x&resource=y").unwrap();
        assert_eq!(resources.all("resource").collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn a_parameter_in_the_query_and_again_in_the_body_stands_twice() {
        let mut params = parse("code=1").unwrap();
        params.extend(b"code=1").unwrap();
        assert_eq!(params.repeated(&[]), Some("code"));
    }

    #[test]
    fn a_parameter_without_a_value_counts_as_absent() {
        let params = parse("a=&b&c=3").unwrap();
        assert_eq!((params.get("a"), params.get("b"), params.get("c")), (None, None, Some("3")));
        let twice = Params::parse_with_repeats(b"a=1&a=").unwrap();
        assert_eq!((twice.get("a"), twice.count("a")), (Some("1"), 2), "but it stands there");
    }

    #[test]
    fn malformed_input_is_refused_with_its_reason() {
        assert_eq!(parse("a=%"), Err(ParamsError::LonePercent));
        assert_eq!(parse("a=%4"), Err(ParamsError::LonePercent));
        assert_eq!(parse("a=%zz"), Err(ParamsError::LonePercent));
        assert_eq!(parse("a=%C3%28"), Err(ParamsError::NotUtf8));
        assert_eq!(parse("a=%00"), Err(ParamsError::Nul));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(pairs in proptest::collection::btree_map("[^\0]{1,12}", "[^\0]{1,24}", 0..8)) {
            let sent = Params(pairs.into_iter().collect());
            prop_assert_eq!(Params::parse(sent.encode().as_bytes(), &[]).unwrap(), sent);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(params) = Params::parse(&bytes, &[]) {
                let again = Params::parse(params.encode().as_bytes(), &[]).unwrap();
                prop_assert_eq!(params, again);
            }
        }

        #[test]
        fn decode_undoes_encode(text in "[^\0]*") {
            prop_assert_eq!(decode(encode(&text).as_bytes()).unwrap(), text);
        }
    }
}
