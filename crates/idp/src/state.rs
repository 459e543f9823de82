//! What every handler can reach.

use std::sync::Arc;

use actix_web::web::Data;
use shared::{
    clock::Clock,
    flow::{CheckSink, Checks},
    metadata::ProviderMetadata,
    random::Random,
};
use web::front_door::Site;

use crate::{
    config::Settings, http::csrf::CsrfKey, keys::Keys, passwords::Passwords, store::Stores,
    throttle::Throttle,
};

/// The provider's state: made once at start, shared by all workers.
pub struct AppState {
    /// How it is set up.
    pub settings: Settings,
    /// What it says about itself.
    pub metadata: ProviderMetadata,
    /// Its pages and its address.
    pub site: Data<Site>,
    /// What it remembers.
    pub stores: Stores,
    /// What it signs with.
    pub keys: Arc<Keys>,
    /// How it checks passwords.
    pub passwords: Arc<Passwords>,
    /// How often a password may be wrong.
    pub throttle: Throttle,
    /// What its forms are marked with.
    pub csrf: CsrfKey,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// Its randomness.
    pub random: Arc<dyn Random>,
    /// Who watches its checks.
    pub sink: Arc<dyn CheckSink>,
}

impl AppState {
    /// The checks of one request.
    pub fn checks(&self) -> Checks {
        Checks::new(Arc::clone(&self.sink))
    }
}
