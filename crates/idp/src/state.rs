//! What every handler can reach.

use std::sync::Arc;

use actix_web::web::{Bytes, Data};
use shared::{
    clock::{Clock, ShiftedClock, Timestamp},
    flow::{Checks, Shown, Sink, Words},
    metadata::ProviderMetadata,
    random::Random,
    secret::Secret,
};
use viewer::{live::Closing, recorder::Recorder};
use web::front_door::Site;

use crate::{
    client_keys::PublishedKeys,
    config::{Settings, dynamic::Offer},
    domain::{audience::Resources, redirect_uri::RedirectUri},
    features::steps::Announced,
    http::csrf::CsrfKey,
    keys::Keys,
    passwords::Passwords,
    store::Stores,
    throttle::Throttle,
};

/// The provider's state: made once at start, shared by all workers.
pub struct AppState {
    /// How it is set up.
    pub settings: Settings,
    /// What it says about itself.
    pub metadata: ProviderMetadata,
    /// The same as it is published, written down once.
    pub metadata_document: Bytes,
    /// Where its access tokens can be used.
    pub resources: Resources,
    /// What clients that register themselves may have.
    pub offer: Offer,
    /// Its pages and its address.
    pub site: Data<Site>,
    /// What it remembers.
    pub stores: Stores,
    /// What it signs with.
    pub keys: Arc<Keys>,
    /// What clients sign with.
    pub client_keys: PublishedKeys,
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
    pub sink: Arc<dyn Sink>,
    /// What is recorded of flows, if anything is.
    pub recorder: Option<Arc<Recorder>>,
    /// Opens the viewer.
    pub viewer_token: Secret,
    /// Logins that are gone through step by step, where that is possible.
    pub steps: Option<Announced>,
    /// The clock that can be put forward, where that is possible.
    pub time: Option<Arc<ShiftedClock>>,
    /// Ends what would go on for ever when the server is to stop.
    pub closing: Closing,
}

impl AppState {
    /// What a check shows of the addresses that a client is registered for. Only on the learner's own computer are they
    /// everybody's business.
    pub fn shown_addresses(&self, registered: &[RedirectUri]) -> Shown<'static> {
        if !self.settings.origin.is_loopback() {
            return Words::RegisteredAddress.into();
        }
        registered.iter().map(RedirectUri::as_str).collect::<Vec<_>>().join(" / ").into()
    }

    /// The time on this computer, for what does not travel in time: keys, and how often a password may be wrong.
    pub fn present(&self) -> Timestamp {
        self.time.as_ref().map_or_else(|| self.clock.now(), |time| time.present())
    }

    /// The checks of one request.
    pub fn checks(&self) -> Checks {
        Checks::new(Arc::clone(&self.sink))
    }
}
