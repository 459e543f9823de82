//! What all handlers share.

use std::sync::Arc;

use shared::{
    clock::{Clock, ShiftedClock},
    flow::Sink,
    random::Random,
    secret::Secret,
};
use viewer::{live::Closing, recorder::Recorder, steps::Steps};

use crate::{
    attempt::AttemptStore, client::Client, config::Settings, identity::Identities, key::SigningKey,
    logouts::Logouts, posted::Posted, provider::Provider, registration::Last, renewal::Used,
    sessions::Sessions, step::Ended,
};

/// The state of the application.
pub struct AppState {
    /// The settings.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub random: Arc<dyn Random>,
    /// Where checks are told to.
    pub sink: Arc<dyn Sink>,
    /// What it signs with.
    pub key: Arc<SigningKey>,
    /// What is recorded of flows, if anything is.
    pub recorder: Option<Arc<Recorder>>,
    /// Refresh tokens that have been used.
    pub renewals: Used,
    /// Logins that are gone through step by step, where that is possible.
    pub steps: Option<Steps<Ended>>,
    /// The clock that can be put forward, where that is possible.
    pub time: Option<Arc<ShiftedClock>>,
    /// Proves that a form that needs no session comes from our own page.
    pub form_token: Secret,
    /// Under which names the provider knows this application.
    pub identities: Identities,
    /// What was last said about a registration.
    pub registration: Last,
    /// Ends what would go on for ever when the server is to stop.
    pub closing: Closing,
    /// The provider.
    pub provider: Provider,
    /// Logins under way.
    pub attempts: Arc<dyn AttemptStore>,
    /// Answers of the provider that were posted.
    pub posted: Posted,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Logouts under way at the provider.
    pub logouts: Logouts,
}

impl AppState {
    /// Who this application is at the provider.
    pub fn client(&self) -> Arc<Client> {
        self.identities.current()
    }

    /// Who it was there when it was called `id`.
    pub fn client_called(&self, id: &str) -> Arc<Client> {
        self.identities.called(id)
    }
}
