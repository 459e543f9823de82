//! A grant: what a user allowed a client, from the code of step 6 to the end of the tokens that it bought.

use std::{mem, net::IpAddr};

use shared::{clock::Timestamp, ids::ClientId, pkce::CodeChallenge, scope::Scope};
use uuid::Uuid;

use super::{claims_request::ClaimsRequest, session::Authentication};

/// The name of a grant inside the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GrantId(pub Uuid);

/// A grant.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its name.
    pub id: GrantId,
    /// To whom it was given.
    pub client_id: ClientId,
    /// By whom, and how they had signed in.
    pub authentication: Authentication,
    /// The address that it was asked for from, as far as that is known.
    pub address: Option<IpAddr>,
    /// What for.
    pub scope: Scope,
    /// Claims that were asked for one by one, as far as they are allowed, and whether `acr` was.
    pub claims: ClaimsRequest,
    /// The client's own value for the ID token.
    pub nonce: Option<String>,
    /// What the token request must name again.
    pub redirect_uri: String,
    /// What the verifier must meet, if there was a challenge.
    pub challenge: Option<CodeChallenge>,
    /// From this second on its code is late.
    pub code_expires: Timestamp,
}

impl Grant {
    /// How much it takes, in bytes, with what the client wrote.
    fn weight(&self) -> usize {
        let texts = [&self.redirect_uri, self.nonce.as_deref().unwrap_or_default()];
        let texts = texts.into_iter().chain(self.scope.iter()).map(str::len).sum::<usize>();
        size_of::<Self>() + texts + self.claims.weight()
    }
}

/// How far a grant has come.
#[derive(Debug)]
enum Stage {
    /// The code is on its way.
    CodeIssued(Box<Grant>),
    /// The code was presented by its own client, who took the grant with it. Nobody can present it again.
    CodeClaimed,
    /// The code was presented again: nothing that it bought, or will buy, counts. It stands here and not on the tokens,
    /// so that a replayed code also kills tokens that are not minted yet.
    Revoked,
}

/// What is kept of a grant: all of it until its code is claimed, then for whom it counts and whether it does.
#[derive(Debug)]
pub struct KeptGrant {
    /// To whom it was given.
    pub client_id: ClientId,
    /// The address that it was asked for from, as far as that is known.
    pub address: Option<IpAddr>,
    stage: Stage,
}

/// What became of a code that was presented.
#[derive(Debug)]
pub enum Redeem {
    /// It was good and is now used: this caller alone may go on.
    Redeemed(Box<Grant>),
    /// It had been used; everything that it bought is dead now (RFC 6749 §4.1.2).
    AlreadyUsed,
    /// It is late.
    Late,
    /// It belongs to another client, and stays good for that one.
    OtherClient,
    /// There is no such code.
    Unknown,
}

impl From<Grant> for KeptGrant {
    fn from(grant: Grant) -> Self {
        let (client_id, address) = (grant.client_id.clone(), grant.address);
        Self { client_id, address, stage: Stage::CodeIssued(Box::new(grant)) }
    }
}

impl KeptGrant {
    /// How much it keeps beside its own size, in bytes.
    pub fn weight(&self) -> usize {
        match &self.stage {
            Stage::CodeIssued(grant) => grant.weight(),
            Stage::CodeClaimed | Stage::Revoked => 0,
        }
    }

    /// Presents the code: judges and changes the grant in one step. The store calls it under a lock.
    pub fn redeem(&mut self, client_id: &ClientId, now: Timestamp) -> Redeem {
        if self.client_id != *client_id {
            return Redeem::OtherClient;
        }
        match mem::replace(&mut self.stage, Stage::CodeClaimed) {
            Stage::CodeIssued(grant) if now < grant.code_expires => Redeem::Redeemed(grant),
            late @ Stage::CodeIssued(_) => {
                self.stage = late;
                Redeem::Late
            }
            Stage::CodeClaimed | Stage::Revoked => {
                self.stage = Stage::Revoked;
                Redeem::AlreadyUsed
            }
        }
    }

    /// Whether what it bought still counts.
    pub const fn is_live(&self) -> bool {
        !matches!(self.stage, Stage::Revoked)
    }
}
