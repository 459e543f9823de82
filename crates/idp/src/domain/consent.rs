//! Step 5: what users allowed clients, and what they declined (OpenID Connect Core §3.1.2.4).

use std::collections::BTreeSet;

use shared::scope::Scope;

use super::claims;

/// What a client asks for or gets: scope values, and claims beyond those that they open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// The scope values.
    pub scope: Scope,
    /// Claims that were asked for one by one.
    pub claims: BTreeSet<String>,
}

impl Permissions {
    /// Whether a standard claim may be handed out.
    pub fn opens(&self, claim: &str) -> bool {
        self.claims.contains(claim) || claims::scope_of(claim).is_some_and(|value| self.scope.contains(value))
    }

    /// Whether it is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.scope.is_empty() && self.claims.is_empty()
    }

    /// Those that are in `other`, too.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.filtered(|value| other.scope.contains(value), |claim| other.claims.contains(claim))
    }

    /// Those that both questions are answered with yes for.
    #[must_use]
    pub fn filtered(&self, value: impl Fn(&str) -> bool, claim: impl Fn(&str) -> bool) -> Self {
        let claims = self.claims.iter().filter(|name| claim(name)).cloned().collect();
        Self { scope: self.scope.filtered(value), claims }
    }

    fn without(&self, other: &Self) -> Self {
        self.filtered(|value| !other.scope.contains(value), |claim| !other.claims.contains(claim))
    }

    fn and(&self, other: &Self) -> Self {
        let claims = self.claims.union(&other.claims).cloned().collect();
        Self { scope: self.scope.union(&other.scope), claims }
    }
}

/// A user's word about one client, as it is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// What they allowed.
    pub allowed: Permissions,
    /// What they were asked for and left unticked.
    pub declined: Permissions,
}

impl Consent {
    /// What of `asked` was allowed, if everything in it has been decided: whoever asks for more asks again.
    pub fn answers(&self, asked: &Permissions) -> Option<Permissions> {
        let open = asked.without(&self.allowed).without(&self.declined);
        let allowed = asked.intersection(&self.allowed);
        // A scope is never empty (RFC 6749 §3.3): whoever declined everything is asked again.
        (open.is_empty() && !allowed.scope.is_empty()).then_some(allowed)
    }

    /// A new decision: `allowed` of `asked`. What was decided about other things stays.
    #[must_use]
    pub fn decided(&self, asked: &Permissions, allowed: &Permissions) -> Self {
        Self {
            allowed: self.allowed.without(asked).and(allowed),
            declined: self.declined.without(asked).and(&asked.without(allowed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scope: &str, claims: &[&str]) -> Permissions {
        let claims = claims.iter().map(|claim| (*claim).to_owned()).collect();
        Permissions { scope: Scope::parse(scope).unwrap(), claims }
    }

    fn consent() -> Consent {
        Consent::default().decided(&of("openid profile email", &["website"]), &of("openid profile", &[]))
    }

    #[test]
    fn what_was_decided_is_not_asked_again() {
        assert_eq!(consent().answers(&of("openid profile email", &[])), Some(of("openid profile", &[])));
        assert_eq!(consent().answers(&of("openid", &["website"])), Some(of("openid", &[])));
    }

    #[test]
    fn whoever_asks_for_more_asks_again() {
        assert_eq!(consent().answers(&of("openid phone", &[])), None);
        assert_eq!(consent().answers(&of("openid", &["picture"])), None);
    }

    #[test]
    fn whoever_declined_everything_is_asked_again() {
        assert_eq!(consent().answers(&of("email", &[])), None);
    }

    #[test]
    fn a_new_decision_replaces_the_old_one_about_the_same_thing_only() {
        let now = consent().decided(&of("openid email", &[]), &of("openid email", &[]));
        assert_eq!(now.allowed, of("profile openid email", &[]));
        assert_eq!(now.declined, of("", &["website"]));
    }

    #[test]
    fn a_claim_is_opened_by_its_scope_or_by_itself() {
        let permissions = of("openid email", &["nickname"]);
        assert!(permissions.opens("email_verified") && permissions.opens("nickname"));
        assert!(!permissions.opens("name") && !permissions.opens("sub"));
    }
}
