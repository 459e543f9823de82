//! Where the provider keeps what it must remember: one trait for each aggregate, with methods named by what they are
//! for. Handles, codes and tokens are known to a store by their hashes only; every entry has an end.
//!
//! What works once is claimed in one atomic step. `tests/store_contract` says what every implementation must do.

pub mod memory;

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    secret::SecretHash,
};
use thiserror::Error;

use crate::domain::{
    access_token::AccessToken,
    client::Client,
    consent::Consent,
    grant::{Approval, Grant, GrantId, Redeem},
    interaction::{Event, Interaction, Progress},
    pushed_request::{PushedRequest, Take},
    refresh_family::{Asked, RefreshFamily, RefreshToken, Rotate},
    registration::Registration,
    session::{Authentication, SessionLifetime, UserSession},
    user::{User, Username},
};

/// Why a store did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It holds as much as it may.
    #[error("the store is full")]
    Full,
}

/// The answer of a store.
pub type Stored<T> = Result<T, StoreError>;

/// The registered clients: those of the settings, and those that registered themselves.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// All of them, in the order of their registration.
    async fn all(&self, now: Timestamp) -> Stored<Vec<Arc<Client>>>;

    /// The client called `id`. One that registered itself is used now and so lives on.
    async fn find(&self, id: &ClientId, now: Timestamp) -> Stored<Option<Arc<Client>>>;

    /// Keeps a client that registers itself, under a name that nobody has.
    async fn register(&self, registration: Registration, now: Timestamp) -> Stored<()>;

    /// The registration of `id`, if that client registered itself.
    async fn registration(&self, id: &ClientId, now: Timestamp) -> Stored<Option<Registration>>;

    /// Forgets a client that registered itself, and says to one caller that it did.
    async fn unregister(&self, id: &ClientId, now: Timestamp) -> Stored<bool>;

    /// Forgets whom nobody uses.
    async fn sweep(&self, now: Timestamp);
}

/// The users.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Who signs in under this name, which may also be an e-mail address.
    async fn find_by_name(&self, name: &Username) -> Stored<Option<Arc<User>>>;

    /// Who is meant by `sub`.
    async fn find(&self, subject: &Subject) -> Stored<Option<Arc<User>>>;
}

/// The users' sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Starts a session under a new id.
    async fn start(
        &self,
        id: SecretHash,
        session: UserSession,
        lifetime: SessionLifetime,
        now: Timestamp,
    ) -> Stored<()>;

    /// Whether a login that begins now from `address` will find room, and some to spare.
    async fn has_room(&self, address: Option<IpAddr>, now: Timestamp) -> Stored<bool>;

    /// The live session under `id`, which is used now and so lives on.
    async fn use_now(
        &self,
        id: SecretHash,
        lifetime: SessionLifetime,
        now: Timestamp,
    ) -> Stored<Option<UserSession>>;

    /// Ends a session, and says what it was.
    async fn end(&self, id: SecretHash, now: Timestamp) -> Stored<Option<UserSession>>;

    /// Forgets what has ended.
    async fn sweep(&self, now: Timestamp);

    /// Forgets what began after `since`, in a time that never was.
    async fn forget_since(&self, since: Timestamp);
}

/// The requests that were pushed, and that no browser has come for (RFC 9126).
#[async_trait]
pub trait PushedRequestStore: Send + Sync {
    /// Keeps one until `forget`.
    async fn push(
        &self,
        handle: SecretHash,
        pushed: PushedRequest,
        forget: Timestamp,
        now: Timestamp,
    ) -> Stored<()>;

    /// A browser comes for one in the name of a client. Gives it to one caller, and to nobody else.
    async fn take(&self, handle: SecretHash, client: &ClientId, now: Timestamp) -> Stored<Take>;

    /// Forgets what has ended.
    async fn sweep(&self, now: Timestamp);

    /// Forgets what began after `since`, in a time that never was.
    async fn forget_since(&self, since: Timestamp);
}

/// The interactions under way.
#[async_trait]
pub trait InteractionStore: Send + Sync {
    /// Begins one.
    async fn begin(&self, handle: SecretHash, interaction: Interaction, now: Timestamp) -> Stored<()>;

    /// The one behind `handle`.
    async fn find(&self, handle: SecretHash, now: Timestamp) -> Stored<Option<Interaction>>;

    /// Something happened. Returns how far it is now, changed or not.
    async fn advance(&self, handle: SecretHash, event: Event, now: Timestamp) -> Stored<Option<Progress>>;

    /// The user decided with this login. Says yes to one caller, and no to everybody else.
    async fn decide(&self, handle: SecretHash, by: &Authentication, now: Timestamp) -> Stored<bool>;

    /// Forgets what has ended.
    async fn sweep(&self, now: Timestamp);

    /// Forgets what began after `since`, in a time that never was.
    async fn forget_since(&self, since: Timestamp);
}

/// What users allowed clients.
#[async_trait]
pub trait ConsentStore: Send + Sync {
    /// What is remembered of one user's word about one client.
    async fn find(&self, subject: &Subject, client: &ClientId, now: Timestamp) -> Stored<Option<Consent>>;

    /// Remembers it, until `forget`.
    async fn remember(
        &self,
        subject: &Subject,
        client: &ClientId,
        consent: Consent,
        forget: Timestamp,
        now: Timestamp,
    ) -> Stored<()>;

    /// Forgets it.
    async fn withdraw(&self, subject: &Subject, client: &ClientId, now: Timestamp) -> Stored<()>;

    /// Forgets everybody's about one client.
    async fn withdraw_all(&self, client: &ClientId) -> Stored<()>;

    /// Everything that one user allowed.
    async fn of(&self, subject: &Subject, now: Timestamp) -> Stored<Vec<(ClientId, Consent)>>;

    /// Forgets what has ended.
    async fn sweep(&self, now: Timestamp);

    /// Forgets what began after `since`, in a time that never was.
    async fn forget_since(&self, since: Timestamp);
}

/// The grants and their codes.
#[async_trait]
pub trait GrantStore: Send + Sync {
    /// Keeps a new grant under its code, until `forget`.
    async fn issue(&self, code: SecretHash, grant: Grant, forget: Timestamp, now: Timestamp) -> Stored<()>;

    /// Whether a request that begins now will find room, and some to spare.
    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool>;

    /// Presents a code, in one step. A used code is remembered as long as what it bought lives.
    async fn redeem(&self, code: SecretHash, client_id: &ClientId, now: Timestamp) -> Stored<Redeem>;

    /// Nothing that this grant bought, or will buy, counts from now on.
    async fn revoke(&self, id: GrantId, now: Timestamp) -> Stored<()>;

    /// The same for everything that one user allowed one client.
    async fn revoke_all(&self, subject: &Subject, client: &ClientId, now: Timestamp) -> Stored<()>;

    /// The same for everything that anybody allowed one client.
    async fn revoke_client(&self, client: &ClientId) -> Stored<()>;

    /// Whether what this grant bought still counts.
    async fn is_live(&self, id: GrantId, now: Timestamp) -> Stored<bool>;

    /// Forgets what has ended.
    async fn sweep(&self, now: Timestamp);

    /// Forgets what began after `since`, in a time that never was.
    async fn forget_since(&self, since: Timestamp);
}

/// The families of refresh tokens.
#[async_trait]
pub trait RefreshFamilyStore: Send + Sync {
    /// Keeps a new family under the hash of its handle.
    async fn begin(&self, handle: SecretHash, family: RefreshFamily, now: Timestamp) -> Stored<()>;

    /// Whether a request that begins now will find room, and some to spare.
    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool>;

    /// Presents a token and asks for something, in one step. When it is good, `next` takes its place.
    async fn rotate(
        &self,
        token: RefreshToken,
        client_id: &ClientId,
        asked: &Asked,
        next: SecretHash,
        now: Timestamp,
    ) -> Stored<Rotate>;

    /// The family called `handle`, alive or dead.
    async fn find(&self, handle: SecretHash, now: Timestamp) -> Stored<Option<RefreshFamily>>;

    /// None of the tokens of this family is good from now on.
    async fn kill(&self, handle: SecretHash, now: Timestamp) -> Stored<()>;

    /// The same for all families of one user at one client.
    async fn kill_all(&self, subject: &Subject, client: &ClientId, now: Timestamp) -> Stored<()>;

    /// The same for all families of one client.
    async fn kill_client(&self, client: &ClientId) -> Stored<()>;

    /// What clients do for one user while they are away: what was allowed to each live family. Ask its grant too.
    async fn of(&self, subject: &Subject, now: Timestamp) -> Stored<Vec<Approval>>;

    /// Forgets what has ended.
    async fn sweep(&self, now: Timestamp);

    /// Forgets what began after `since`, in a time that never was.
    async fn forget_since(&self, since: Timestamp);
}

/// The access tokens.
#[async_trait]
pub trait AccessTokenStore: Send + Sync {
    /// Keeps a token until it ends.
    async fn keep(&self, token: SecretHash, access: AccessToken, now: Timestamp) -> Stored<()>;

    /// Whether a request that begins now will find room, and some to spare.
    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool>;

    /// Ends a token before its time.
    async fn revoke(&self, token: SecretHash, now: Timestamp) -> Stored<()>;

    /// The same for all tokens of one client.
    async fn revoke_client(&self, client: &ClientId) -> Stored<()>;

    /// What the token opens, as long as it lives. Ask the grant too.
    async fn find(&self, token: SecretHash, now: Timestamp) -> Stored<Option<AccessToken>>;

    /// Forgets what has ended.
    async fn sweep(&self, now: Timestamp);

    /// Forgets what began after `since`, in a time that never was.
    async fn forget_since(&self, since: Timestamp);
}

/// The assertions that clients have shown (RFC 7523 §3).
#[async_trait]
pub trait AssertionStore: Send + Sync {
    /// Uses up the `jti` of one of `client`, which ends at `ends`. Says yes to one caller, and no to everybody else. It
    /// counts for the client, and for the address that the client registered itself from.
    async fn use_up(
        &self,
        jti: SecretHash,
        client: &ClientId,
        ends: Timestamp,
        now: Timestamp,
    ) -> Stored<bool>;

    /// Forgets what has ended.
    async fn sweep(&self, now: Timestamp);

    /// Forgets what began after `since`, in a time that never was.
    async fn forget_since(&self, since: Timestamp);
}

/// All of them.
#[derive(Clone)]
pub struct Stores {
    /// The registered clients.
    pub clients: Arc<dyn ClientStore>,
    /// The users.
    pub users: Arc<dyn UserStore>,
    /// The users' sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// The requests that were pushed.
    pub pushed_requests: Arc<dyn PushedRequestStore>,
    /// The interactions under way.
    pub interactions: Arc<dyn InteractionStore>,
    /// What users allowed clients.
    pub consents: Arc<dyn ConsentStore>,
    /// The grants and their codes.
    pub grants: Arc<dyn GrantStore>,
    /// The families of refresh tokens.
    pub refresh_families: Arc<dyn RefreshFamilyStore>,
    /// The access tokens.
    pub access_tokens: Arc<dyn AccessTokenStore>,
    /// The assertions that clients have shown.
    pub assertions: Arc<dyn AssertionStore>,
}

impl Stores {
    /// Whether there will be room for what a request that begins now will buy. What is under way finds its room in what is
    /// kept back here.
    pub async fn have_room(
        &self,
        client: &ClientId,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Stored<bool> {
        Ok(self.grants.has_room(client, address, now).await?
            && self.refresh_families.has_room(client, address, now).await?
            && self.access_tokens.has_room(client, address, now).await?)
    }

    /// Forgets a client that registered itself, with everything that it was allowed and given, and says to one caller that
    /// it did. What it was given ends before it does, so that whoever could not end it tries again; and once more
    /// afterwards, for what came of it meanwhile.
    pub async fn unregister(&self, client: &ClientId, now: Timestamp) -> Stored<bool> {
        self.end_all_of(client).await?;
        let was_there = self.clients.unregister(client, now).await?;
        self.end_all_of(client).await?;
        Ok(was_there)
    }

    async fn end_all_of(&self, client: &ClientId) -> Stored<()> {
        self.consents.withdraw_all(client).await?;
        self.grants.revoke_client(client).await?;
        self.refresh_families.kill_client(client).await?;
        self.access_tokens.revoke_client(client).await
    }

    /// Forgets what has ended, everywhere but among the clients, whose time does not travel.
    pub async fn sweep(&self, now: Timestamp) {
        self.sessions.sweep(now).await;
        self.pushed_requests.sweep(now).await;
        self.interactions.sweep(now).await;
        self.consents.sweep(now).await;
        self.grants.sweep(now).await;
        self.refresh_families.sweep(now).await;
        self.access_tokens.sweep(now).await;
        self.assertions.sweep(now).await;
    }

    /// Forgets what began after `since`, everywhere.
    pub async fn forget_since(&self, since: Timestamp) {
        self.sessions.forget_since(since).await;
        self.pushed_requests.forget_since(since).await;
        self.interactions.forget_since(since).await;
        self.consents.forget_since(since).await;
        self.grants.forget_since(since).await;
        self.refresh_families.forget_since(since).await;
        self.access_tokens.forget_since(since).await;
        self.assertions.forget_since(since).await;
    }
}
