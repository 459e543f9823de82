//! An access token: what it opens, for whom, how far, how long.

use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    scope::Scope,
};

use super::grant::GrantId;

/// What an access token opens.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The grant that it was bought with; when that is revoked, the token is dead.
    pub grant: GrantId,
    /// Who may use it.
    pub client_id: ClientId,
    /// Whose data it opens.
    pub subject: Subject,
    /// How far it reaches.
    pub scope: Scope,
    /// When it ends.
    pub expires: Timestamp,
}
