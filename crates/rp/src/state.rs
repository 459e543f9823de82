//! What all handlers share.

use std::sync::Arc;

use shared::{
    clock::{Clock, SystemClock},
    flow::{CheckSink, NoRecording},
    random::{Random, SystemRandom},
};

use crate::{attempt::AttemptStore, config::Settings, provider::Provider, session::Sessions};

/// Time, randomness and whoever watches the checks: what comes into the program from outside.
#[derive(Clone)]
pub struct Surroundings {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub random: Arc<dyn Random>,
    /// Where checks are told to.
    pub sink: Arc<dyn CheckSink>,
}

impl Default for Surroundings {
    /// The computer's clock and randomness; nobody watches.
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            sink: Arc::new(NoRecording),
        }
    }
}

/// The state of the application.
pub struct AppState {
    /// The settings.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub random: Arc<dyn Random>,
    /// Where checks are told to.
    pub sink: Arc<dyn CheckSink>,
    /// The provider.
    pub provider: Provider,
    /// Logins under way.
    pub attempts: Arc<dyn AttemptStore>,
    /// Who is signed in.
    pub sessions: Sessions,
}
