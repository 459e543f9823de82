//! `scope`: what a client asks for and what it gets (RFC 6749 §3.3).

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};
use thiserror::Error;

/// The longest `scope` parameter that is read, in bytes.
pub const MAX_BYTES: usize = 1024;

/// Why a scope was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ScopeError {
    /// A character outside `%x21 / %x23-5B / %x5D-7E`.
    #[error("scope holds a character that RFC 6749 §3.3 does not allow")]
    Character,
    /// More than [`MAX_BYTES`].
    #[error("scope is longer than 1024 bytes")]
    TooLong,
}

/// A set of scope values in the order in which they were first named. Copies share one text, with a space between two
/// values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Arc<str>);

impl Scope {
    /// The value that makes a request an OpenID Connect request (OpenID Connect Core §3.1.2.1).
    pub const OPENID: &'static str = "openid";
    /// The value that asks for a refresh token, to act while the user is away (OpenID Connect Core §11).
    pub const OFFLINE_ACCESS: &'static str = "offline_access";

    /// Reads a space-separated list. Repeated values count once; the order carries no meaning but is kept, so
    /// that people see what they sent.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.len() > MAX_BYTES {
            return Err(ScopeError::TooLong);
        }
        if !text.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            return Err(ScopeError::Character);
        }
        Ok(Self::of(text.split(' ').filter(|value| !value.is_empty())))
    }

    /// Whether `value` is in the set.
    pub fn contains(&self, value: &str) -> bool {
        self.iter().any(|known| known == value)
    }

    /// The values that `other` holds too, in this order.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.filtered(|value| other.contains(value))
    }

    /// Whether `other` holds every value of this one.
    pub fn is_within(&self, other: &Self) -> bool {
        self.iter().all(|value| other.contains(value))
    }

    /// The values of both, these first.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::of(self.iter().chain(other.iter()))
    }

    /// The values that `keep` lets through, in this order.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self::of(self.iter().filter(|value| keep(value)))
    }

    /// The values in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|value| !value.is_empty())
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These values, each once.
    fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut once: Vec<&str> = Vec::new();
        for value in values {
            if !once.contains(&value) {
                once.push(value);
            }
        }
        Self(once.join(" ").into())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_named_twice_counts_once() {
        assert_eq!(Scope::parse("openid  email openid").unwrap().to_string(), "openid email");
    }

    #[test]
    fn values_are_compared_with_case() {
        assert!(!Scope::parse("OpenID").unwrap().contains(Scope::OPENID));
    }

    #[test]
    fn quotes_backslashes_and_line_ends_are_refused() {
        for bad in ["a\"b", "a\\b", "a\nb", "メール"] {
            assert_eq!(Scope::parse(bad), Err(ScopeError::Character), "{bad:?}");
        }
        assert_eq!(Scope::parse(&"a".repeat(MAX_BYTES + 1)), Err(ScopeError::TooLong));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back_the_same(text in "[!#-\\[\\]-~ ]{0,80}") {
            let scope = Scope::parse(&text).unwrap();
            prop_assert_eq!(Scope::parse(&scope.to_string()).unwrap(), scope);
        }

        #[test]
        fn an_intersection_never_holds_more_than_either(a in "[a-d ]{0,12}", b in "[a-d ]{0,12}") {
            let (a, b) = (Scope::parse(&a).unwrap(), Scope::parse(&b).unwrap());
            for value in a.intersection(&b).iter() {
                prop_assert!(a.contains(value) && b.contains(value));
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = Scope::parse(&text);
        }
    }
}
