//! For whom an access token is meant: resource identifiers, the addresses of APIs (RFC 8707 §2). A token that is lost
//! at one of them opens nothing at the others.

use std::{fmt, sync::Arc};

/// Resource identifiers, compared character by character. Copies share one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(Arc<[String]>);

impl FromIterator<String> for Audience {
    fn from_iter<I: IntoIterator<Item = String>>(resources: I) -> Self {
        let mut once: Vec<String> = Vec::new();
        for resource in resources {
            if !once.contains(&resource) {
                once.push(resource);
            }
        }
        Self(once.into())
    }
}

impl Audience {
    /// Whether a token is meant for this resource.
    pub fn holds(&self, resource: &str) -> bool {
        self.0.iter().any(|known| known == resource)
    }

    /// Whether it is meant for one of these.
    pub fn meets(&self, resources: &[String]) -> bool {
        resources.iter().any(|resource| self.holds(resource))
    }

    /// As much of it as is asked for, all of it when nothing is said; `None` when something else is asked for.
    pub fn narrowed(&self, asked: &[String]) -> Option<Self> {
        match asked {
            [] => Some(self.clone()),
            asked => {
                asked.iter().all(|resource| self.holds(resource)).then(|| asked.iter().cloned().collect())
            }
        }
    }

    /// The identifiers.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" / "))
    }
}

/// The resources of a provider.
#[derive(Clone, Debug)]
pub struct Resources {
    /// For whom tokens are meant when nobody says: the provider itself, which is its userinfo endpoint, and its own
    /// API.
    pub usual: Audience,
    /// These, and whatever is registered.
    pub known: Audience,
}

impl Resources {
    /// Those that a request names, the usual ones when it names none; `None` when it names one that nobody knows.
    pub fn asked(&self, asked: &[String]) -> Option<Audience> {
        if asked.is_empty() { Some(self.usual.clone()) } else { self.known.narrowed(asked) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(resources: &[&str]) -> Audience {
        resources.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn no_more_can_be_asked_for_than_there_is() {
        let all = of(&["https://a.example", "https://b.example/x"]);
        let asked = |resources: &[&str]| {
            all.narrowed(&resources.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(asked(&[]), Some(all.clone()));
        assert_eq!(asked(&["https://a.example", "https://a.example"]), Some(of(&["https://a.example"])));
        for other in ["https://c.example", "https://a.example/", "https://b.example/X", ""] {
            assert_eq!(asked(&["https://a.example", other]), None, "{other}");
        }
    }
}
