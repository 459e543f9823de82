//! Logins under way, from the authorization request to the decision, which counts once.

use async_trait::async_trait;
use shared::{clock::Timestamp, secret::SecretHash};
use web::expiring::ExpiringMap;

use super::Owner;
use crate::{
    domain::{
        interaction::{Event, Interaction, Progress},
        session::Authentication,
    },
    store::{InteractionStore, Stored},
};

pub(super) struct Interactions(pub(super) ExpiringMap<SecretHash, Interaction, Owner>);

#[async_trait]
impl InteractionStore for Interactions {
    async fn begin(&self, handle: SecretHash, interaction: Interaction, now: Timestamp) -> Stored<()> {
        let expires = interaction.expires;
        Ok(self.0.insert(handle, interaction, expires, now)?)
    }

    async fn find(&self, handle: SecretHash, now: Timestamp) -> Stored<Option<Interaction>> {
        Ok(self.0.read(&handle, now, Clone::clone))
    }

    async fn advance(&self, handle: SecretHash, event: Event, now: Timestamp) -> Stored<Option<Progress>> {
        Ok(self.0.update(&handle, now, |interaction| {
            if let Ok(next) = interaction.progress.clone().after(event) {
                interaction.progress = next;
            }
            interaction.progress.clone()
        }))
    }

    async fn decide(&self, handle: SecretHash, by: &Authentication, now: Timestamp) -> Stored<bool> {
        let decided = self.0.update(&handle, now, |interaction| {
            let answered = interaction.progress.clone().decided(by);
            answered.map(|answered| interaction.progress = answered).is_ok()
        });
        Ok(decided.unwrap_or(false))
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}
