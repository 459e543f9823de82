//! What users have allowed clients, as long as that is remembered.

use async_trait::async_trait;
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
};
use web::expiring::ExpiringMap;

use crate::{
    domain::consent::Consent,
    store::{ConsentStore, Stored},
};

pub(super) struct Consents(pub(super) ExpiringMap<(Subject, ClientId), Consent>);

#[async_trait]
impl ConsentStore for Consents {
    async fn find(&self, subject: &Subject, client: &ClientId, now: Timestamp) -> Stored<Option<Consent>> {
        Ok(self.0.read(&(subject.clone(), client.clone()), now, Clone::clone))
    }

    async fn remember(
        &self,
        subject: &Subject,
        client: &ClientId,
        consent: Consent,
        forget: Timestamp,
        now: Timestamp,
    ) -> Stored<()> {
        Ok(self.0.insert((subject.clone(), client.clone()), consent, forget, now)?)
    }

    async fn withdraw(&self, subject: &Subject, client: &ClientId, now: Timestamp) -> Stored<()> {
        self.0.take(&(subject.clone(), client.clone()), now);
        Ok(())
    }

    async fn withdraw_all(&self, client: &ClientId) -> Stored<()> {
        self.0.retain_keys(|(_, about)| about != client);
        Ok(())
    }

    async fn of(&self, subject: &Subject, now: Timestamp) -> Stored<Vec<(ClientId, Consent)>> {
        let theirs = |(user, _): &(Subject, ClientId)| user == subject;
        let mut found = self.0.select(now, theirs, |(_, client), consent| (client.clone(), consent.clone()));
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}
