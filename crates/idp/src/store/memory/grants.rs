//! Grants, and the codes that stand for them. A code is redeemed once (RFC 6749 §4.1.2) and remembered as long as what
//! it bought.

use std::{collections::HashSet, net::IpAddr};

use async_trait::async_trait;
use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    secret::SecretHash,
};
use web::expiring::ExpiringMap;

use super::Owner;
use crate::{
    domain::grant::{Grant, GrantId, KeptGrant, Redeem},
    store::{GrantStore, Stored},
};

/// Every grant has its code, and every code its grant: room is asked for in `by_id` alone, and nobody's share of it would
/// hold if codes stayed behind. One map is let go before the other is touched.
pub(super) struct Grants {
    pub(super) by_code: ExpiringMap<SecretHash, GrantId>,
    pub(super) by_id: ExpiringMap<GrantId, KeptGrant, Owner>,
}

impl Grants {
    /// Takes grants back, and their codes with them.
    fn forget(&self, is_meant: impl Fn(&KeptGrant) -> bool) {
        let mut gone = HashSet::new();
        self.by_id.retain(|grant| {
            let is_gone = is_meant(grant);
            if is_gone {
                gone.insert(grant.id);
            }
            !is_gone
        });
        if !gone.is_empty() {
            self.by_code.retain(|id| !gone.contains(id));
        }
    }
}

#[async_trait]
impl GrantStore for Grants {
    async fn issue(&self, code: SecretHash, grant: Grant, forget: Timestamp, now: Timestamp) -> Stored<()> {
        let id = grant.approval.grant;
        // The code first: a grant is taken back with a code that is there already.
        self.by_code.insert(code, id, forget, now)?;
        let kept = self.by_id.insert(id, grant.into(), forget, now);
        if kept.is_err() {
            self.by_code.take(&code, now);
        }
        Ok(kept?)
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
        self.forget(|grant| grant.subject == *subject && grant.client_id == *client);
        Ok(())
    }

    async fn revoke_client(&self, client: &ClientId) -> Stored<()> {
        self.forget(|grant| grant.client_id == *client);
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
