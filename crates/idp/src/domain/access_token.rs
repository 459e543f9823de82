//! An access token: what it opens, for whom, how far, how long.

use std::net::IpAddr;

use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    scope::Scope,
};

use super::{audience::Audience, claims, grant::GrantId};

/// On whose behalf an access token is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnBehalfOf {
    /// A user's, whose data it opens.
    User {
        /// The user.
        subject: Subject,
        /// The grant that it was bought with; when that is revoked, the token is dead.
        grant: GrantId,
    },
    /// The client's own (RFC 6749 §4.4).
    Client,
}

/// What an access token opens.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// Who may use it.
    pub client_id: ClientId,
    /// On whose behalf.
    pub on_behalf_of: OnBehalfOf,
    /// The address that its grant was asked for from, as far as that is known.
    pub address: Option<IpAddr>,
    /// How far it reaches.
    pub scope: Scope,
    /// Claims that it opens beyond those of the scope.
    pub claims: Vec<String>,
    /// Where it may be used.
    pub audience: Audience,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

impl AccessToken {
    /// How much it keeps beside its own size, in bytes.
    pub fn weight(&self) -> usize {
        let subject = match &self.on_behalf_of {
            OnBehalfOf::User { subject, .. } => subject.as_str(),
            OnBehalfOf::Client => "",
        };
        let texts = [self.client_id.as_str(), subject].into_iter().chain(self.scope.iter());
        texts.chain(self.claims.iter().map(String::as_str)).map(str::len).sum()
    }

    /// `sub` of whoever it is used for. A client that acts for itself is its own subject (RFC 9068 §2.2).
    pub fn subject(&self) -> Subject {
        match &self.on_behalf_of {
            OnBehalfOf::User { subject, .. } => subject.clone(),
            OnBehalfOf::Client => Subject::new(self.client_id.as_str()),
        }
    }

    /// Whether it opens a standard claim.
    pub fn opens(&self, claim: &str) -> bool {
        let by_scope = claims::scope_of(claim).is_some_and(|value| self.scope.contains(value));
        by_scope || self.claims.iter().any(|named| named == claim)
    }
}
