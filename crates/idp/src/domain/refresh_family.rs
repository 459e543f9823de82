//! A family of refresh tokens: the tokens that follow one another, each bought with the one before (RFC 6749 §6, RFC
//! 9700 §4.14.2). One of them is good, the latest.
//!
//! Whoever presents an earlier one shows that two have it, the client and a thief; which of them asks cannot be known.
//! So the family dies, and with its grant everything that was bought with it.

use std::{cmp, time::Duration};

use shared::{
    clock::Timestamp,
    ids::{ClientId, Subject},
    scope::Scope,
    secret::{Secret, SecretHash},
};

use super::{
    audience::Audience,
    grant::{Approval, GrantId},
};

/// How a refresh token begins, so that it passes as nothing else.
const PREFIX: &str = "rt_";
/// How long each of its two halves is: 256 random bits in base64url.
const HALF: usize = 43;

/// A refresh token that was presented: `rt_`, the handle of its family, a dot, and its own secret. An old token is
/// known by the handle, so that none of them has to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its family, by the hash of the handle.
    pub family: SecretHash,
    /// The token itself, by its hash.
    pub token: SecretHash,
}

impl RefreshToken {
    /// Reads one; `None` for what this provider never issued.
    pub fn read(presented: &str) -> Option<Self> {
        let (handle, secret) = presented.strip_prefix(PREFIX)?.split_once('.')?;
        (handle.len() == HALF && secret.len() == HALF)
            .then(|| Self { family: SecretHash::of(handle), token: SecretHash::of(presented) })
    }

    /// Writes the token of the family called `handle` whose own half is `secret`.
    pub fn write(handle: &str, secret: &str) -> Secret {
        Secret::new(format!("{PREFIX}{handle}.{secret}"))
    }

    /// The handle in a token that was presented: the next token of the family has it, too.
    pub fn handle(presented: &str) -> Option<&str> {
        presented.strip_prefix(PREFIX)?.split_once('.').map(|(handle, _)| handle)
    }
}

/// How long a family lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshLifetime {
    /// Without being used.
    pub idle: Duration,
    /// However often it is used.
    pub most: Duration,
}

#[derive(Clone, Debug)]
enum Stage {
    /// This token is good, until then.
    Live { token: SecretHash, ends: Timestamp },
    /// None is.
    Dead,
}

/// What a refresh asks for. What it does not say is as it was allowed.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// How far the access token is to reach.
    pub scope: Option<Scope>,
    /// Where it is to be used (RFC 8707 §2.2).
    pub resources: Vec<String>,
}

/// What became of a refresh token that was presented.
#[derive(Debug)]
pub enum Rotate {
    /// It was good, and the next one is from now on: this caller alone may go on, with as much as was asked for.
    Rotated(Box<Approval>),
    /// It had been used; the family is dead now, and its grant must die, too.
    AlreadyUsed(GrantId),
    /// The family had died before.
    Dead,
    /// It is late.
    Late,
    /// It asks for more than was allowed; it stays good.
    Wider(Wider),
    /// It belongs to another client, and stays good for that one.
    OtherClient,
    /// There is no such family.
    Unknown,
}

/// What was allowed, where a refresh asks for more than that.
#[derive(Debug)]
pub enum Wider {
    /// No more than this scope.
    Scope(Scope),
    /// Nowhere else than here.
    Audience(Audience),
}

/// A family.
#[derive(Clone, Debug)]
pub struct RefreshFamily {
    /// What was allowed. A refresh may ask for less, and the next one for all of it again (RFC 6749 §6).
    pub approval: Approval,
    begun: Timestamp,
    lifetime: RefreshLifetime,
    stage: Stage,
}

impl RefreshFamily {
    /// The family that begins with `token`.
    pub fn begin(approval: Approval, token: SecretHash, lifetime: RefreshLifetime, now: Timestamp) -> Self {
        let ends = now + cmp::min(lifetime.idle, lifetime.most);
        Self { approval, begun: now, lifetime, stage: Stage::Live { token, ends } }
    }

    /// When it can be forgotten: as long after its end as it may be unused, so that a client that comes late is told
    /// so.
    pub fn forget(&self) -> Timestamp {
        self.begun + self.lifetime.most + self.lifetime.idle
    }

    /// Whether it is one user's at one client.
    pub fn is_of(&self, subject: &Subject, client_id: &ClientId) -> bool {
        self.approval.authentication.subject == *subject && self.approval.client_id == *client_id
    }

    /// What is done with it while this user is away, if anything is.
    pub fn done_for(&self, subject: &Subject, now: Timestamp) -> Option<Approval> {
        (self.approval.authentication.subject == *subject && self.is_live(now)).then(|| self.approval.clone())
    }

    /// Whether its latest token is good.
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.stage, Stage::Live { ends, .. } if now < ends)
    }

    /// Until when, if this is that token.
    pub fn good_until(&self, token: SecretHash, now: Timestamp) -> Option<Timestamp> {
        match self.stage {
            Stage::Live { token: latest, ends } if latest == token && now < ends => Some(ends),
            Stage::Live { .. } | Stage::Dead => None,
        }
    }

    /// Presents `token` and asks for something: judges and changes the family in one step. The store calls it under a
    /// lock. `next` is the token that is good from then on.
    pub fn rotate(
        &mut self,
        token: SecretHash,
        client_id: &ClientId,
        asked: &Asked,
        next: SecretHash,
        now: Timestamp,
    ) -> Rotate {
        let allowed = &self.approval;
        if allowed.client_id != *client_id {
            return Rotate::OtherClient;
        }
        let Stage::Live { token: latest, ends } = self.stage else {
            return Rotate::Dead;
        };
        // An old token is as telling when it is late.
        if latest != token {
            self.stage = Stage::Dead;
            return Rotate::AlreadyUsed(allowed.grant);
        }
        if now >= ends {
            return Rotate::Late;
        }
        // No more than the user allowed. A request that is refused for that costs nothing.
        let scope = asked.scope.as_ref().unwrap_or(&allowed.scope);
        if !scope.is_within(&allowed.scope) {
            return Rotate::Wider(Wider::Scope(allowed.scope.clone()));
        }
        let Some(audience) = allowed.audience.narrowed(&asked.resources) else {
            return Rotate::Wider(Wider::Audience(allowed.audience.clone()));
        };
        let ends = cmp::min(now + self.lifetime.idle, self.begun + self.lifetime.most);
        let narrowed = Approval { scope: scope.clone(), audience, ..allowed.clone() };
        self.stage = Stage::Live { token: next, ends };
        Rotate::Rotated(Box::new(narrowed))
    }

    /// None of its tokens is good from now on.
    pub fn kill(&mut self) {
        self.stage = Stage::Dead;
    }
}

#[cfg(test)]
mod tests {
    use shared::random::SeededRandom;

    use super::*;
    use crate::{
        domain::{claims_request::ClaimsRequest, session::Authentication},
        tokens,
    };

    const LIFETIME: RefreshLifetime =
        RefreshLifetime { idle: Duration::from_secs(10), most: Duration::from_secs(25) };

    fn hash(name: &str) -> SecretHash {
        SecretHash::of(name)
    }

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn family() -> RefreshFamily {
        let approval = Approval {
            grant: GrantId(uuid::Uuid::nil()),
            client_id: ClientId::new("client1"),
            authentication: Authentication { subject: Subject::new("1"), at: at(0), methods: &["pwd"] },
            address: None,
            scope: Scope::parse("openid email offline_access").unwrap(),
            claims: ClaimsRequest::default(),
            audience: ["https://a.example", "https://b.example"].map(ToOwned::to_owned).into_iter().collect(),
        };
        RefreshFamily::begin(approval, hash("1"), LIFETIME, at(0))
    }

    fn rotate(family: &mut RefreshFamily, token: &str, next: &str, now: i64) -> Rotate {
        family.rotate(hash(token), &ClientId::new("client1"), &Asked::default(), hash(next), at(now))
    }

    #[test]
    fn each_token_buys_the_next_and_an_old_one_kills_them_all() {
        let mut family = family();
        assert!(matches!(rotate(&mut family, "1", "2", 1), Rotate::Rotated(_)));
        assert!(matches!(rotate(&mut family, "2", "3", 2), Rotate::Rotated(_)));
        assert!(matches!(rotate(&mut family, "1", "4", 3), Rotate::AlreadyUsed(_)));
        assert!(matches!(rotate(&mut family, "3", "5", 4), Rotate::Dead));
        assert!(!family.is_live(at(4)));
    }

    #[test]
    fn a_family_ends_when_it_is_not_used_and_however_often_it_is() {
        let mut unused = family();
        assert!(unused.is_live(at(9)) && !unused.is_live(at(10)));
        assert!(matches!(rotate(&mut unused, "1", "2", 10), Rotate::Late));
        let mut used = family();
        for (now, token) in [(9, "1"), (18, "2"), (24, "3")] {
            let next = (token.parse::<u8>().unwrap() + 1).to_string();
            assert!(matches!(rotate(&mut used, token, &next, now), Rotate::Rotated(_)), "{now}");
        }
        assert_eq!(used.good_until(hash("4"), at(24)), Some(at(25)));
        assert!(matches!(rotate(&mut used, "4", "5", 25), Rotate::Late));
    }

    #[test]
    fn whoever_asks_for_too_much_or_is_not_the_client_changes_nothing() {
        let mut family = family();
        let (own, other) = (ClientId::new("client1"), ClientId::new("client2"));
        let scope = |text: &str| Asked { scope: Scope::parse(text).ok(), ..Asked::default() };
        let at_resource = |text: &str| Asked { resources: vec![text.to_owned()], ..Asked::default() };
        let mut asks =
            |token, client, asked: &Asked| family.rotate(hash(token), client, asked, hash("2"), at(1));
        assert!(matches!(asks("1", &own, &scope("openid profile")), Rotate::Wider(Wider::Scope(_))));
        assert!(matches!(
            asks("1", &own, &at_resource("https://c.example")),
            Rotate::Wider(Wider::Audience(_))
        ));
        assert!(matches!(asks("1", &other, &Asked::default()), Rotate::OtherClient));
        assert!(matches!(asks("0", &other, &Asked::default()), Rotate::OtherClient));
        let less = Asked { scope: Scope::parse("openid").ok(), ..at_resource("https://a.example") };
        let Rotate::Rotated(narrowed) = asks("1", &own, &less) else { panic!("refused") };
        assert!(!narrowed.scope.contains("email") && !narrowed.audience.holds("https://b.example"));
        let Rotate::Rotated(whole) = rotate(&mut family, "2", "3", 2) else { panic!("refused") };
        assert!(whole.scope.contains("email") && whole.audience.holds("https://b.example"));
    }

    #[test]
    fn what_this_provider_never_issued_is_no_refresh_token() {
        let (handle, token) = tokens::mint_family(&SeededRandom::new(1));
        let read = RefreshToken::read(token.expose()).unwrap();
        assert_eq!((read.family, read.token), (handle, token.hash()));
        let truncated = &token.expose()[..token.expose().len() - 1];
        for bad in ["", "rt_", "rt_.", "rt_x.y", truncated, &token.expose().replace("rt_", "at_")] {
            assert!(RefreshToken::read(bad).is_none(), "{bad}");
        }
        let next = tokens::mint_next(token.expose(), &SeededRandom::new(2));
        assert_eq!(RefreshToken::read(next.expose()).unwrap().family, handle);
        assert_ne!(next.hash(), token.hash());
    }
}
