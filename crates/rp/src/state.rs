//! What all handlers share.

use std::sync::Arc;

use shared::{clock::Clock, flow::Sink, random::Random};
use viewer::{live::Closing, recorder::Recorder};

use crate::{
    attempt::AttemptStore, config::Settings, logouts::Logouts, provider::Provider, sessions::Sessions,
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
    /// What is recorded of flows, if anything is.
    pub recorder: Option<Arc<Recorder>>,
    /// Ends what would go on for ever when the server is to stop.
    pub closing: Closing,
    /// The provider.
    pub provider: Provider,
    /// Logins under way.
    pub attempts: Arc<dyn AttemptStore>,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Logouts under way at the provider.
    pub logouts: Logouts,
}
