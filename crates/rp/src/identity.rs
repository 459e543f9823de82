//! Under which names the provider knows this application: the one of the settings, and those under which it registered
//! itself while it runs (RFC 7591). One of them is used for logins that begin; logins under way and sessions stay with
//! theirs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::{ids::ClientId, secret::Secret};
use url::Url;

use crate::client::{AuthMethod, Client};

/// How many earlier names are remembered, for the sessions that began under them.
const REMEMBERED: usize = 16;

/// A registration of one's own.
#[derive(Clone, Debug)]
pub struct OwnRegistration {
    /// Who this application is by it.
    pub client: Arc<Client>,
    /// Where it can be looked at and deleted, and what must be shown there (RFC 7592 §3), if the provider has that.
    pub access: Option<(Url, Secret)>,
}

/// All of them.
#[derive(Debug)]
pub struct Identities {
    configured: Arc<Client>,
    registered: Mutex<Registered>,
}

#[derive(Debug, Default)]
struct Registered {
    current: Option<Arc<OwnRegistration>>,
    known: Vec<Arc<Client>>,
}

impl Identities {
    /// The one of the settings.
    pub fn new(configured: Arc<Client>) -> Self {
        Self { configured, registered: Mutex::default() }
    }

    /// Who begins a login now.
    pub fn current(&self) -> Arc<Client> {
        let current = self.lock().current.as_ref().map(|it| it.client.clone());
        current.unwrap_or_else(|| self.configured.clone())
    }

    /// The registration that is used, if it is not the one of the settings.
    pub fn registration(&self) -> Option<Arc<OwnRegistration>> {
        self.lock().current.clone()
    }

    /// Who was called `id`. Of whom nothing is known any more only the name can be shown.
    pub fn called(&self, id: &str) -> Arc<Client> {
        let registered = self.lock();
        let known = [&self.configured].into_iter().chain(&registered.known).find(|it| it.id.as_str() == id);
        known.cloned().unwrap_or_else(|| {
            Arc::new(Client {
                id: ClientId::new(id),
                secret: None,
                auth_method: AuthMethod::None,
                id_token_signed_response_alg: self.configured.id_token_signed_response_alg,
            })
        })
    }

    /// Uses a registration from now on.
    pub fn take(&self, registration: OwnRegistration) {
        let mut registered = self.lock();
        if registered.known.len() == REMEMBERED {
            registered.known.remove(0);
        }
        registered.known.push(registration.client.clone());
        registered.current = Some(Arc::new(registration));
    }

    /// Whether the provider knows somebody called `id`, as far as is known here.
    pub fn knows(&self, id: &str) -> bool {
        let registered = self.lock();
        [&self.configured].into_iter().chain(&registered.known).any(|it| it.id.as_str() == id)
    }

    /// The registration has been deleted: the one of the settings is used again.
    pub fn forget_registration(&self) {
        let mut registered = self.lock();
        if let Some(forgotten) = registered.current.take() {
            registered.known.retain(|it| it.id != forgotten.client.id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;

    fn client(id: &str) -> Arc<Client> {
        Arc::new(Client {
            id: ClientId::new(id),
            secret: Some(Secret::new(id)),
            auth_method: AuthMethod::ClientSecretPost,
            id_token_signed_response_alg: Algorithm::Es256,
        })
    }

    #[test]
    fn a_login_begins_under_the_latest_name_and_earlier_ones_are_remembered_for_a_while() {
        let identities = Identities::new(client("configured"));
        for number in 0..=REMEMBERED {
            identities.take(OwnRegistration { client: client(&format!("app-{number}")), access: None });
        }
        assert_eq!(identities.current().id.as_str(), "app-16");
        assert!(identities.knows("app-16"));
        identities.forget_registration();
        assert!(!identities.knows("app-16") && identities.knows("app-15"));
        assert_eq!(identities.current().id.as_str(), "configured");
        for id in ["configured", "app-1", "app-15"] {
            assert!(identities.called(id).secret.is_some(), "{id}");
        }
        let forgotten = identities.called("app-0");
        assert_eq!((forgotten.id.as_str(), forgotten.auth_method), ("app-0", AuthMethod::None));
    }
}
