//! A user: who can sign in, and what can be said about them (OpenID Connect Core §5.1).

use serde_json::{Map, Value, json};
use shared::{ids::Subject, scope::Scope};
use unicode_normalization::UnicodeNormalization as _;

use super::password::PasswordHash;

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
    /// `name`.
    pub name: String,
    /// `email`.
    pub email: String,
    /// `email_verified`.
    pub email_verified: bool,
}

impl User {
    /// The claims that `scope` opens, `sub` always among them (OpenID Connect Core §5.3.2 and §5.4).
    pub fn claims(&self, scope: &Scope) -> Map<String, Value> {
        let mut claims = Map::new();
        claims.insert("sub".into(), json!(self.subject));
        if scope.contains("profile") {
            claims.insert("name".into(), json!(self.name));
            claims.insert("preferred_username".into(), json!(self.username.as_str()));
        }
        if scope.contains("email") {
            claims.insert("email".into(), json!(self.email));
            claims.insert("email_verified".into(), json!(self.email_verified));
        }
        claims
    }

    /// What a scope value would show of this user, in words; `None` when it shows nothing.
    pub fn shown_by(&self, scope_value: &str) -> Option<String> {
        match scope_value {
            Scope::OPENID => Some(format!("sub {}", self.subject)),
            "profile" => Some(self.name.clone()),
            "email" => Some(self.email.clone()),
            _ => None,
        }
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
