//! An access token: what it opens, for whom, how far, how long.

use std::net::IpAddr;

use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    scope::Scope,
};

use super::{audience::Audience, claims, grant::GrantId};

/// What an access token opens.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The grant that it was bought with; when that is revoked, the token is dead.
    pub grant: GrantId,
    /// Who may use it.
    pub client_id: ClientId,
    /// Whose data it opens.
    pub subject: Subject,
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
        let texts = [self.client_id.as_str(), self.subject.as_str()].into_iter().chain(self.scope.iter());
        texts.chain(self.claims.iter().map(String::as_str)).map(str::len).sum()
    }

    /// Whether it opens a standard claim.
    pub fn opens(&self, claim: &str) -> bool {
        let by_scope = claims::scope_of(claim).is_some_and(|value| self.scope.contains(value));
        by_scope || self.claims.iter().any(|named| named == claim)
    }
}
