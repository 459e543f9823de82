//! An authorization request that a client left here in advance (RFC 9126), and that a browser comes for once.

use std::{mem, net::IpAddr};

use shared::{clock::Timestamp, ids::ClientId};

use super::{authorization_request::AuthorizationRequest, return_address::ReturnAddress};

/// A pushed request.
#[derive(Debug)]
pub struct PushedRequest {
    /// Who pushed it.
    pub client_id: ClientId,
    /// The address that it came from, where anybody can push in the client's name, or have such a client.
    pub address: Option<IpAddr>,
    /// Until when a browser may come for it.
    pub expires: Timestamp,
    life: Life,
}

#[derive(Debug)]
enum Life {
    /// No browser has come.
    Waiting(Box<AuthorizationRequest>),
    /// One has.
    Taken,
}

/// What became of somebody's coming for a pushed request.
#[derive(Debug)]
pub enum Take {
    /// It is theirs; nobody gets it a second time.
    Taken(Box<AuthorizationRequest>),
    /// There is none.
    Unknown,
    /// It is another client's, and stays as it was.
    OtherClient,
    /// It was taken before.
    Used,
    /// It has waited too long. The client can still be told.
    Late(ReturnAddress),
}

impl PushedRequest {
    /// A request that waits until `expires`.
    pub fn new(request: AuthorizationRequest, address: Option<IpAddr>, expires: Timestamp) -> Self {
        Self {
            client_id: request.client_id.clone(),
            address,
            expires,
            life: Life::Waiting(Box::new(request)),
        }
    }

    /// Somebody comes for it in the name of `client_id`. RFC 9126 §4: once, and not when it is late.
    pub fn take(&mut self, client_id: &ClientId, now: Timestamp) -> Take {
        if self.client_id != *client_id {
            return Take::OtherClient;
        }
        if let Life::Waiting(request) = &self.life
            && self.expires <= now
        {
            return Take::Late(request.return_address.clone());
        }
        match mem::replace(&mut self.life, Life::Taken) {
            Life::Waiting(request) => Take::Taken(request),
            Life::Taken => Take::Used,
        }
    }

    /// How much it takes, in bytes, with what the client wrote.
    pub fn weight(&self) -> usize {
        match &self.life {
            Life::Waiting(request) => request.weight(),
            Life::Taken => 0,
        }
    }
}
