//! The stores in the memory of this process. What they hold is gone when it ends.

mod clients;

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    secret::SecretHash,
};
use web::expiring::{ExpiringMap, Full};

use self::clients::Clients;
use super::{
    AccessTokenStore, AssertionStore, ConsentStore, GrantStore, InteractionStore, PushedRequestStore,
    RefreshFamilyStore, SessionStore, StoreError, Stored, Stores, UserStore,
};
use crate::domain::{
    access_token::AccessToken,
    client::Client,
    consent::Consent,
    grant::{Approval, Grant, GrantId, KeptGrant, Redeem},
    interaction::{Event, Interaction, Progress},
    pushed_request::{PushedRequest, Take},
    refresh_family::{Asked, RefreshFamily, RefreshToken, Rotate},
    session::{Authentication, SessionLifetime, UserSession},
    user::{User, Username},
};

impl From<Full> for StoreError {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

/// For whom an entry counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Client(ClientId),
    Address(IpAddr),
}

impl Owner {
    fn both(client: &ClientId, address: Option<IpAddr>) -> Vec<Self> {
        address.map(Self::Address).into_iter().chain([Self::Client(client.clone())]).collect()
    }

    fn of_address(address: Option<IpAddr>) -> Vec<Self> {
        address.map(Self::Address).into_iter().collect()
    }

    /// One client leaves half of a store to the others. One address has clearly less than a client: it must not take all
    /// that the client has.
    const fn share(&self) -> usize {
        match self {
            Self::Client(_) => 2,
            Self::Address(_) => 8,
        }
    }

    /// Where there is one client only, nothing is kept for others.
    const fn share_of_the_only_client(&self) -> usize {
        match self {
            Self::Client(_) => 1,
            Self::Address(_) => self.share(),
        }
    }
}

/// Empty stores for `capacity` entries each, and the clients and users that are registered. Where clients may register
/// themselves, the only one of the settings is not the only one for long.
pub fn stores(clients: Vec<Client>, users: Vec<User>, capacity: usize, may_register: bool) -> Stores {
    let alone = clients.len() <= 1 && !may_register;
    let share = if alone { Owner::share_of_the_only_client } else { Owner::share };
    Stores {
        clients: Arc::new(Clients::new(clients, capacity)),
        users: Arc::new(Users::from(users)),
        sessions: Arc::new(Sessions(
            ExpiringMap::shared(capacity, |_| 0, |session: &UserSession| Owner::of_address(session.address))
                .in_shares(share),
        )),
        pushed_requests: Arc::new(PushedRequests(
            ExpiringMap::shared(capacity, PushedRequest::weight, |pushed: &PushedRequest| {
                Owner::both(&pushed.client_id, pushed.address)
            })
            .in_shares(share),
        )),
        interactions: Arc::new(Interactions(
            ExpiringMap::shared(capacity, Interaction::weight, |interaction: &Interaction| {
                Owner::both(interaction.client_id(), interaction.address)
            })
            .in_shares(share),
        )),
        consents: Arc::new(Consents(ExpiringMap::with_capacity(capacity))),
        grants: Arc::new(Grants {
            by_code: ExpiringMap::with_capacity(capacity),
            by_id: ExpiringMap::shared(capacity, KeptGrant::weight, |grant| {
                Owner::both(&grant.client_id, grant.address)
            })
            .in_shares(share),
        }),
        refresh_families: Arc::new(RefreshFamilies(
            ExpiringMap::shared(
                capacity,
                |family: &RefreshFamily| family.approval.weight(),
                |family| Owner::both(&family.approval.client_id, family.approval.address),
            )
            .in_shares(share),
        )),
        access_tokens: Arc::new(AccessTokens(
            ExpiringMap::shared(capacity, AccessToken::weight, |access| {
                Owner::both(&access.client_id, access.address)
            })
            .in_shares(share),
        )),
        assertions: Arc::new(Assertions(
            ExpiringMap::shared(capacity, |_| 0, |client: &ClientId| Owner::both(client, None))
                .in_shares(share),
        )),
    }
}

struct Users {
    subjects: HashMap<Subject, Arc<User>>,
    usernames: HashMap<Username, Arc<User>>,
    emails: HashMap<Username, Arc<User>>,
}

impl From<Vec<User>> for Users {
    fn from(users: Vec<User>) -> Self {
        let users: Vec<_> = users.into_iter().map(Arc::new).collect();
        Self {
            subjects: users.iter().map(|user| (user.subject.clone(), Arc::clone(user))).collect(),
            usernames: users.iter().map(|user| (user.username.clone(), Arc::clone(user))).collect(),
            emails: users.iter().filter_map(|user| Some((user.email()?, Arc::clone(user)))).collect(),
        }
    }
}

#[async_trait]
impl UserStore for Users {
    async fn find_by_name(&self, name: &Username) -> Stored<Option<Arc<User>>> {
        Ok(self.usernames.get(name).or_else(|| self.emails.get(name)).cloned())
    }

    async fn find(&self, subject: &Subject) -> Stored<Option<Arc<User>>> {
        Ok(self.subjects.get(subject).cloned())
    }
}

struct Sessions(ExpiringMap<SecretHash, UserSession, Owner>);

#[async_trait]
impl SessionStore for Sessions {
    async fn start(
        &self,
        id: SecretHash,
        session: UserSession,
        lifetime: SessionLifetime,
        now: Timestamp,
    ) -> Stored<()> {
        let expires = session.expires(now, lifetime);
        Ok(self.0.insert(id, session, expires, now)?)
    }

    async fn has_room(&self, address: Option<IpAddr>, now: Timestamp) -> Stored<bool> {
        Ok(self.0.has_room(&Owner::of_address(address), now))
    }

    async fn use_now(
        &self,
        id: SecretHash,
        lifetime: SessionLifetime,
        now: Timestamp,
    ) -> Stored<Option<UserSession>> {
        Ok(self.0.update_with_expiry(&id, now, |session, expires| {
            session.forget_ended(now, lifetime);
            *expires = session.expires(now, lifetime);
            session.clone()
        }))
    }

    async fn end(&self, id: SecretHash, now: Timestamp) -> Stored<Option<UserSession>> {
        Ok(self.0.take(&id, now))
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}

struct PushedRequests(ExpiringMap<SecretHash, PushedRequest, Owner>);

#[async_trait]
impl PushedRequestStore for PushedRequests {
    async fn push(
        &self,
        handle: SecretHash,
        pushed: PushedRequest,
        forget: Timestamp,
        now: Timestamp,
    ) -> Stored<()> {
        Ok(self.0.insert(handle, pushed, forget, now)?)
    }

    async fn take(&self, handle: SecretHash, client: &ClientId, now: Timestamp) -> Stored<Take> {
        Ok(self.0.update(&handle, now, |pushed| pushed.take(client, now)).unwrap_or(Take::Unknown))
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}

struct Interactions(ExpiringMap<SecretHash, Interaction, Owner>);

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

struct Consents(ExpiringMap<(Subject, ClientId), Consent>);

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

struct Grants {
    by_code: ExpiringMap<SecretHash, GrantId>,
    by_id: ExpiringMap<GrantId, KeptGrant, Owner>,
}

#[async_trait]
impl GrantStore for Grants {
    async fn issue(&self, code: SecretHash, grant: Grant, forget: Timestamp, now: Timestamp) -> Stored<()> {
        let id = grant.approval.grant;
        self.by_id.insert(id, grant.into(), forget, now)?;
        Ok(self.by_code.insert(code, id, forget, now)?)
    }

    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool> {
        Ok(self.by_id.has_room(&Owner::both(client, address), now))
    }

    async fn redeem(&self, code: SecretHash, client_id: &ClientId, now: Timestamp) -> Stored<Redeem> {
        let Some(id) = self.by_code.read(&code, now, |id| *id) else {
            return Ok(Redeem::Unknown);
        };
        let redeemed = self.by_id.update_with_expiry(&id, now, |grant, expires| {
            let redeemed = grant.redeem(client_id, now);
            if let Redeem::Redeemed(grant) = &redeemed {
                *expires = (now + grant.buys_for).max(*expires);
            }
            redeemed
        });
        if let Some(Redeem::Redeemed(grant)) = &redeemed {
            let forget = now + grant.buys_for;
            self.by_code.update_with_expiry(&code, now, |_, expires| *expires = forget.max(*expires));
        }
        Ok(redeemed.unwrap_or(Redeem::Unknown))
    }

    async fn revoke(&self, id: GrantId, now: Timestamp) -> Stored<()> {
        self.by_id.update(&id, now, KeptGrant::revoke);
        Ok(())
    }

    async fn revoke_all(&self, subject: &Subject, client: &ClientId, _now: Timestamp) -> Stored<()> {
        // What is not there does not count.
        self.by_id.retain(|grant| grant.subject != *subject || grant.client_id != *client);
        Ok(())
    }

    async fn revoke_client(&self, client: &ClientId) -> Stored<()> {
        self.by_id.retain(|grant| grant.client_id != *client);
        Ok(())
    }

    async fn is_live(&self, id: GrantId, now: Timestamp) -> Stored<bool> {
        Ok(self.by_id.read(&id, now, KeptGrant::is_live).unwrap_or(false))
    }

    async fn sweep(&self, now: Timestamp) {
        self.by_code.sweep(now);
        self.by_id.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.by_code.forget_since(since);
        self.by_id.forget_since(since);
    }
}

struct RefreshFamilies(ExpiringMap<SecretHash, RefreshFamily, Owner>);

#[async_trait]
impl RefreshFamilyStore for RefreshFamilies {
    async fn begin(&self, handle: SecretHash, family: RefreshFamily, now: Timestamp) -> Stored<()> {
        let forget = family.forget();
        Ok(self.0.insert(handle, family, forget, now)?)
    }

    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool> {
        Ok(self.0.has_room(&Owner::both(client, address), now))
    }

    async fn rotate(
        &self,
        token: RefreshToken,
        client_id: &ClientId,
        asked: &Asked,
        next: SecretHash,
        now: Timestamp,
    ) -> Stored<Rotate> {
        let rotated = self
            .0
            .update(&token.family, now, |family| family.rotate(token.token, client_id, asked, next, now));
        Ok(rotated.unwrap_or(Rotate::Unknown))
    }

    async fn find(&self, handle: SecretHash, now: Timestamp) -> Stored<Option<RefreshFamily>> {
        Ok(self.0.read(&handle, now, Clone::clone))
    }

    async fn kill(&self, handle: SecretHash, now: Timestamp) -> Stored<()> {
        self.0.update(&handle, now, RefreshFamily::kill);
        Ok(())
    }

    async fn kill_all(&self, subject: &Subject, client: &ClientId, _now: Timestamp) -> Stored<()> {
        self.0.retain(|family| !family.is_of(subject, client));
        Ok(())
    }

    async fn kill_client(&self, client: &ClientId) -> Stored<()> {
        self.0.retain(|family| family.approval.client_id != *client);
        Ok(())
    }

    async fn of(&self, subject: &Subject, now: Timestamp) -> Stored<Vec<Approval>> {
        let families = self.0.select(now, |_| true, |_, family| family.done_for(subject, now));
        Ok(families.into_iter().flatten().collect())
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}

struct AccessTokens(ExpiringMap<SecretHash, AccessToken, Owner>);

#[async_trait]
impl AccessTokenStore for AccessTokens {
    async fn keep(&self, token: SecretHash, access: AccessToken, now: Timestamp) -> Stored<()> {
        let expires = access.expires;
        Ok(self.0.insert(token, access, expires, now)?)
    }

    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool> {
        Ok(self.0.has_room(&Owner::both(client, address), now))
    }

    async fn revoke(&self, token: SecretHash, now: Timestamp) -> Stored<()> {
        self.0.take(&token, now);
        Ok(())
    }

    async fn revoke_client(&self, client: &ClientId) -> Stored<()> {
        self.0.retain(|access| access.client_id != *client);
        Ok(())
    }

    async fn find(&self, token: SecretHash, now: Timestamp) -> Stored<Option<AccessToken>> {
        Ok(self.0.read(&token, now, Clone::clone))
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}

struct Assertions(ExpiringMap<SecretHash, ClientId, Owner>);

#[async_trait]
impl AssertionStore for Assertions {
    async fn use_up(
        &self,
        jti: SecretHash,
        client: &ClientId,
        ends: Timestamp,
        now: Timestamp,
    ) -> Stored<bool> {
        Ok(self.0.insert_new(jti, client.clone(), ends, now)?)
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now);
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since);
    }
}
