//! `prompt`: which pages a client wants its user to see, or none (OpenID Connect Core §3.1.2.1).

use thiserror::Error;

/// Why a `prompt` cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PromptError {
    /// A value that is not in [`Prompt::VALUES`].
    #[error("prompt holds an unknown value")]
    Unknown,
    /// `none` beside another value.
    #[error("prompt=none excludes other values")]
    NoneAndMore,
}

/// The values of `prompt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "it is a set of four words")]
pub struct Prompt {
    /// No page at all.
    pub none: bool,
    /// The login page, even for somebody who is signed in.
    pub login: bool,
    /// The consent page, even for somebody who has consented.
    pub consent: bool,
    /// A choice among those who are signed in.
    pub select_account: bool,
}

impl Prompt {
    /// The values that are known.
    pub const VALUES: [&str; 4] = ["none", "login", "consent", "select_account"];

    /// Reads a space-separated list.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        let mut prompt = Self::default();
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                // Initiating User Registration 1.0 §4.2: what is not supported is invalid.
                _ => return Err(PromptError::Unknown),
            }
        }
        let page = prompt.login || prompt.consent || prompt.select_account;
        if prompt.none && page { Err(PromptError::NoneAndMore) } else { Ok(prompt) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_stands_alone() {
        assert_eq!(Prompt::parse("none login"), Err(PromptError::NoneAndMore));
        assert!(Prompt::parse(" none ").unwrap().none);
    }

    #[test]
    fn the_other_values_may_stand_together() {
        let prompt = Prompt::parse("consent login select_account").unwrap();
        assert!(prompt.login && prompt.consent && prompt.select_account && !prompt.none);
        assert_eq!(Prompt::parse(""), Ok(Prompt::default()));
    }

    #[test]
    fn a_value_that_nobody_knows_is_refused() {
        for unknown in ["create", "LOGIN", "login,consent"] {
            assert_eq!(Prompt::parse(unknown), Err(PromptError::Unknown), "{unknown}");
        }
    }
}
