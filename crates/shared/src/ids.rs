//! Identifiers as types, so that one cannot stand where another is meant. Copies share one text.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the identifier exactly as given.
            pub fn new(value: impl Into<Arc<str>>) -> Self {
                Self(value.into())
            }

            /// The identifier as it goes over the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

identifier! {
    /// `client_id`: the name under which a client is registered (RFC 6749 §2.2).
    ClientId
}
identifier! {
    /// `sub`: the user at one issuer, never reassigned (OpenID Connect Core §2). The key of a user is always
    /// the pair of issuer and subject.
    Subject
}
identifier! {
    /// `iss`: an issuer, compared character by character, never normalised (OpenID Connect Discovery §4.3).
    Issuer
}
