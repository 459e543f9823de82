//! A user: who can sign in, and what can be said about them (OpenID Connect Core §5.1).

use serde_json::{Map, Value, json};
use shared::ids::Subject;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    claims::{self, StandardClaims},
    password::PasswordHash,
};

/// The name under which a user signs in: without regard to case, to spaces around it, and to how its accents are
/// encoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// Reads a name as somebody typed it.
    pub fn parse(typed: &str) -> Self {
        Self(typed.trim().nfc().collect::<String>().to_lowercase())
    }

    /// The name in its one form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user of this provider.
#[derive(Clone, Debug)]
pub struct User {
    /// `sub`, never reassigned.
    pub subject: Subject,
    /// What they type.
    pub username: Username,
    /// What their password is checked against.
    pub password: PasswordHash,
    claims: Map<String, Value>,
}

impl User {
    /// A user with what can be said about them.
    pub fn new(
        subject: Subject,
        username: Username,
        password: PasswordHash,
        claims: &StandardClaims,
    ) -> Self {
        let mut claims = claims.to_map();
        claims.entry("preferred_username").or_insert_with(|| json!(username.as_str()));
        Self { subject, username, password, claims }
    }

    /// What to call them on a page.
    pub fn display_name(&self) -> &str {
        self.claims.get("name").and_then(Value::as_str).unwrap_or(self.username.as_str())
    }

    /// The e-mail address, which is also a name to sign in with.
    pub fn email(&self) -> Option<Username> {
        self.claims.get("email").and_then(Value::as_str).map(Username::parse)
    }

    /// Those of their claims that `opens` says yes to.
    pub fn claims(&self, opens: impl Fn(&str) -> bool) -> Map<String, Value> {
        let opened = self.claims.iter().filter(|(name, _)| opens(name));
        opened.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The claims that a scope value opens (OpenID Connect Core §5.4).
    pub fn opened_by(&self, scope_value: &str) -> Map<String, Value> {
        self.claims(|claim| claims::scope_of(claim) == Some(scope_value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_name_however_it_is_typed() {
        assert_eq!(Username::parse(" Demo "), Username::parse("demo"));
        assert_eq!(Username::parse("Jose\u{301}"), Username::parse("JOSÉ"));
        assert_ne!(Username::parse("demo"), Username::parse("dem"));
    }
}
