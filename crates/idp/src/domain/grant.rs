//! A grant: what a user allowed a client, from the code of step 6 to the end of the tokens that it bought.

use std::{mem, net::IpAddr, time::Duration};

use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    pkce::CodeChallenge,
    scope::Scope,
};
use uuid::Uuid;

use super::{audience::Audience, claims_request::ClaimsRequest, session::Authentication};

/// The name of a grant inside the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GrantId(pub Uuid);

/// What a user allowed a client: all that the tokens of a grant are made of, however often they are renewed.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The grant; when that is revoked, everything that it bought is dead.
    pub grant: GrantId,
    /// Who is allowed it.
    pub client_id: ClientId,
    /// By whom, and how they had signed in.
    pub authentication: Authentication,
    /// The address that it was asked for from, as far as that is known.
    pub address: Option<IpAddr>,
    /// What for.
    pub scope: Scope,
    /// Claims that were asked for one by one, as far as they are allowed, and whether `acr` was.
    pub claims: ClaimsRequest,
    /// Where.
    pub audience: Audience,
}

impl Approval {
    /// How much it keeps beside its own size, in bytes.
    pub fn weight(&self) -> usize {
        self.scope.iter().map(str::len).sum::<usize>() + self.claims.weight()
    }
}

/// A grant whose code is on its way.
#[derive(Clone, Debug)]
pub struct Grant {
    /// What was allowed.
    pub approval: Approval,
    /// The client's own value for the ID token.
    pub nonce: Option<String>,
    /// What the token request must name again.
    pub redirect_uri: String,
    /// What the verifier must meet, if there was a challenge.
    pub challenge: Option<CodeChallenge>,
    /// From this second on its code is late.
    pub code_expires: Timestamp,
    /// How long what it buys lives, at most. As long is its used code remembered.
    pub buys_for: Duration,
}

impl Grant {
    /// How much it takes, in bytes, with what the client wrote.
    fn weight(&self) -> usize {
        let texts = [&self.redirect_uri, self.nonce.as_deref().unwrap_or_default()];
        size_of::<Self>() + texts.map(str::len).iter().sum::<usize>() + self.approval.weight()
    }
}

/// How far a grant has come.
#[derive(Debug)]
enum Stage {
    /// The code is on its way.
    CodeIssued(Box<Grant>),
    /// The code was presented by its own client, who took the grant with it. Nobody can present it again.
    CodeClaimed,
    /// The code or a refresh token was presented again, or the client gave it back: nothing that it bought, or will
    /// buy, counts. It stands here and not on the tokens, so that it also kills tokens that are not minted yet.
    Revoked,
}

/// What is kept of a grant: all of it until its code is claimed, then for whom it counts and whether it does.
#[derive(Debug)]
pub struct KeptGrant {
    /// Its name.
    pub id: GrantId,
    /// To whom it was given.
    pub client_id: ClientId,
    /// By whom.
    pub subject: Subject,
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
        let approval = &grant.approval;
        let subject = approval.authentication.subject.clone();
        let (client_id, address) = (approval.client_id.clone(), approval.address);
        Self { id: approval.grant, client_id, subject, address, stage: Stage::CodeIssued(Box::new(grant)) }
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

    /// Nothing that it bought, or will buy, counts from now on.
    pub fn revoke(&mut self) {
        self.stage = Stage::Revoked;
    }

    /// Whether what it bought still counts.
    pub const fn is_live(&self) -> bool {
        !matches!(self.stage, Stage::Revoked)
    }
}
