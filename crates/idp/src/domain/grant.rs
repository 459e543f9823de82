//! A grant: what a user allowed a client, from the code of step 6 to the end of the tokens that it bought.

use std::net::IpAddr;

use shared::{clock::Timestamp, ids::ClientId, pkce::CodeChallenge, scope::Scope};
use uuid::Uuid;

use super::{claims_request::ClaimsRequest, session::Authentication};

/// The name of a grant inside the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GrantId(pub Uuid);

/// How far a grant has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The code is on its way; it is good until then.
    CodeIssued {
        /// From this second on the code is late.
        expires: Timestamp,
    },
    /// The code was presented by its own client. Nobody can present it again.
    CodeClaimed {
        /// When.
        at: Timestamp,
    },
}

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
    /// How far it has come.
    pub stage: Stage,
    /// Since when nothing that it bought, or will buy, counts. It stands on the grant and not on the tokens, so that a
    /// replayed code also kills tokens that are not minted yet.
    pub revoked: Option<Timestamp>,
}

/// What became of a code that was presented.
#[derive(Clone, Debug)]
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

impl Grant {
    /// How much of what the client wrote is kept, in bytes.
    pub fn weight(&self) -> usize {
        let texts = [self.client_id.as_str(), &self.redirect_uri, self.nonce.as_deref().unwrap_or_default()];
        texts.into_iter().chain(self.scope.iter()).map(str::len).sum::<usize>() + self.claims.weight()
    }

    /// Presents the code: judges and changes the grant in one step. The store calls it under a lock.
    pub fn redeem(&mut self, client_id: &ClientId, now: Timestamp) -> Redeem {
        if self.client_id != *client_id {
            return Redeem::OtherClient;
        }
        match self.stage {
            Stage::CodeIssued { expires } if now < expires => {
                self.stage = Stage::CodeClaimed { at: now };
                Redeem::Redeemed(Box::new(self.clone()))
            }
            Stage::CodeIssued { .. } => Redeem::Late,
            Stage::CodeClaimed { .. } => {
                self.revoked.get_or_insert(now);
                Redeem::AlreadyUsed
            }
        }
    }
}
