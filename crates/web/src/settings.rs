//! What the settings of both servers have in common: how single values are read. Every mistake is one sentence.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use clap::ValueEnum;
use shared::secret::Secret;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object a line, for programs.
    Json,
}

/// Whether flows are recorded for the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Recording {
    /// As long as the server is for this computer only
    Auto,
    /// Always
    On,
    /// Never
    Off,
}

impl Recording {
    /// Whether a server records whose addresses are all on this computer, or are not.
    pub const fn is_on(self, loopback: bool) -> bool {
        match self {
            Self::Auto => loopback,
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// Reads a lifetime: whole seconds, one second to one year.
pub fn lifetime(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) if (1..=31_536_000).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err("a lifetime is a whole number of seconds from 1 to 31536000".into()),
    }
}

/// Reads the name of a cookie (RFC 6265 §4.1.1).
pub fn cookie_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("a cookie's name has letters, digits and !#$%&'*+-.^_`|~ only".into())
    }
}

/// A secret that is given by itself or as the path of a file that holds it, never both.
pub fn secret(
    name: &str,
    value: Option<String>,
    file: Option<&Path>,
    default: &str,
) -> Result<Secret, String> {
    match (value, file) {
        (Some(_), Some(_)) => Err(format!("{name} and {name}_FILE are both set: keep one of them")),
        (Some(value), None) => Ok(Secret::new(value)),
        (None, Some(file)) => fs::read_to_string(file)
            .map(|text| Secret::new(text.trim_end_matches(['\r', '\n'])))
            .map_err(|error| format!("{name}_FILE names {}, which cannot be read: {error}", file.display())),
        (None, None) => Ok(Secret::new(default)),
    }
}

/// What to warn of when a server listens beyond this computer. In a container that is how it should be.
pub fn exposure_warning(bind: SocketAddr) -> Option<String> {
    let in_container = Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists();
    (!bind.ip().is_loopback() && !in_container)
        .then(|| format!("listening on {bind}: other computers can reach this server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_whole_number_of_seconds() {
        assert_eq!(lifetime("600"), Ok(Duration::from_secs(600)));
        for bad in ["0", "-1", "1.5", "10m", "", "31536001"] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cookie_is_named_by_a_token() {
        assert!(cookie_name("idp_session").is_ok());
        for bad in ["", "a b", "a;b", "a=b", "クッキー"] {
            assert!(cookie_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_given_once() {
        let both = secret("RP_CLIENT_SECRET", Some("x".into()), Some(Path::new("y")), "z");
        assert!(both.unwrap_err().contains("both set"));
        let absent = secret("RP_CLIENT_SECRET", None, Some(Path::new("/no/such/file")), "z");
        assert!(absent.unwrap_err().contains("/no/such/file"));
        assert_eq!(secret("RP_CLIENT_SECRET", None, None, "z").unwrap().expose(), "z");
    }
}
