//! Each spoiled token, judged by our checks and by the library.

use std::{collections::BTreeSet, sync::Arc};

use rp::{
    algorithm::Algorithm,
    provider::KeySet,
    validate::{self, DIVERGENCES, Divergence, Expected},
};
use serde_json::Value;
use shared::{
    clock::Timestamp,
    flow::{Checks, Failed, NoRecording, Rule},
    secret::Secret,
};

use crate::{
    corpus::{
        Corpus, ISSUER,
        Library::{Accepts, Refuses},
        NOW,
        Ours::{Accept, Refuse},
        Spoiled,
    },
    keys::{CLIENT_SECRET, key_set, keys_for},
    provider::ACCESS_TOKEN,
};

fn keys(algorithm: Algorithm) -> KeySet {
    if algorithm == Algorithm::Hs256 {
        return KeySet::shared(Secret::new(CLIENT_SECRET));
    }
    let keys = keys_for(algorithm);
    published(&key_set(&[&keys.honest, &keys.next]), algorithm)
}

fn published(set: &Value, algorithm: Algorithm) -> KeySet {
    KeySet::published(set.to_string().as_bytes(), algorithm).unwrap()
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        client_id: "client1",
        nonce: "n-1",
        access_token: ACCESS_TOKEN,
        max_age: None,
        renewed: None,
        now: Timestamp::from_unix(NOW),
    }
}

/// What the RP does with a token: both opinions together.
fn judged(token: &str, keys: &KeySet) -> Result<(), Rule> {
    judged_by(token, keys, &expected())
}

fn judged_by(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<(), Rule> {
    let mut checks = Checks::new(Arc::new(NoRecording));
    let failed = |Failed(check)| check.rule;
    let jwt = validate::read(token, &mut checks).map_err(failed)?;
    validate::validate(jwt, keys, expected, &mut checks).map(|_| ()).map_err(failed)
}

#[test]
fn each_spoiled_token_is_judged_as_the_table_says() {
    for algorithm in Algorithm::ALL {
        let keys = keys(algorithm);
        for Spoiled { name, ours, library, token } in Corpus::of(algorithm).tokens() {
            let wanted = match (ours, library) {
                (Refuse(rule), _) => Err(rule),
                (Accept, Refuses) => Err(Rule::LibraryVerifier),
                (Accept, Accepts) => Ok(()),
            };
            assert_eq!(judged(&token, &keys), wanted, "{algorithm:?}: {name}");
            let accepts = validate::library_accepts(&token, &keys, &expected());
            assert_eq!(accepts, library == Accepts, "{algorithm:?}: the library on: {name}");
        }
    }
}

#[test]
fn the_list_of_divergences_is_complete_and_true() {
    for algorithm in Algorithm::ALL {
        let corpus = Corpus::of(algorithm).tokens();
        let found: BTreeSet<_> = corpus
            .iter()
            .filter(|spoiled| (spoiled.ours == Accept) != (spoiled.library == Accepts))
            .map(|spoiled| (spoiled.name, spoiled.library == Accepts))
            .collect();
        let listed: BTreeSet<_> = DIVERGENCES
            .iter()
            .filter(|divergence| divergence.algorithms.contains(&algorithm))
            .map(|divergence| (divergence.token, divergence.library_accepts))
            .collect();
        assert_eq!(found, listed, "{algorithm:?}");
    }
}

#[test]
fn no_two_spoiled_tokens_have_one_name() {
    let corpus = Corpus::of(Algorithm::Rs256).tokens();
    let names: BTreeSet<_> = corpus.iter().map(|spoiled| spoiled.name).collect();
    assert_eq!(names.len(), corpus.len());
}

#[test]
fn r6_every_other_algorithm_is_refused() {
    for agreed in Algorithm::ALL {
        for other in Algorithm::ALL.into_iter().filter(|other| *other != agreed) {
            // The provider has keys for all of them, and the two of RSA are one.
            let token = Corpus::of(other).good_token();
            assert_eq!(judged(&token, &keys(other)), Ok(()));
            assert_eq!(judged(&token, &keys(agreed)), Err(Rule::Algorithm), "{other:?} for {agreed:?}");
            assert!(!validate::library_accepts(&token, &keys(agreed), &expected()));
        }
    }
}

#[test]
fn a_single_key_needs_no_name() {
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::Hs256) {
        let token = Corpus::of(algorithm).token_without_kid();
        // Single among those for this algorithm: what else the provider publishes is somebody else's.
        let mut crowd: Vec<Value> = Algorithm::ALL[..4]
            .iter()
            .filter(|other| **other != algorithm)
            .map(|other| keys_for(*other).honest.jwk())
            .collect();
        let mut own = keys_for(algorithm).honest.jwk();
        own.as_object_mut().unwrap().remove("kid");
        crowd.push(own);
        let keys = published(&serde_json::json!({ "keys": crowd }), algorithm);
        assert_eq!(judged(&token, &keys), Ok(()), "{algorithm:?}");
    }
}

#[test]
fn every_divergence_stands_in_the_documentation_with_its_reason() {
    let documented = include_str!("../../../../docs/security.md");
    for Divergence { token, because, .. } in DIVERGENCES {
        assert!(documented.contains(&format!("| {token} | {because} |")), "{token}: {because}");
    }
}

#[test]
fn a_renewed_token_about_another_user_or_another_login_is_refused() {
    let (token, keys) = (Corpus::of(Algorithm::Rs256).good_token(), keys(Algorithm::Rs256));
    let jwt = validate::read(&token, &mut Checks::new(Arc::new(NoRecording))).unwrap();
    let before = |name: &str, value: Value| {
        let mut claims = jwt.claims.clone();
        claims.insert(name.to_owned(), value);
        judged_by(&token, &keys, &Expected { renewed: Some(&claims), ..expected() })
    };
    assert_eq!(before("iat", 0.into()), Ok(()), "a later token about the same login");
    assert_eq!(before("sub", "somebody else".into()), Err(Rule::RenewedSubject));
    assert_eq!(before("auth_time", (NOW - 7200).into()), Err(Rule::RenewedAuthTime));
}

#[test]
fn a_login_that_is_older_than_was_asked_for_is_refused() {
    let (token, keys) = (Corpus::of(Algorithm::Rs256).good_token(), keys(Algorithm::Rs256));
    let jwt = validate::read(&token, &mut Checks::new(Arc::new(NoRecording))).unwrap();
    let auth_time = jwt.claims.get("auth_time").and_then(Value::as_i64).unwrap();
    // 60 s more are tolerated, for clocks that disagree.
    let after = |seconds: i64| {
        let now = Timestamp::from_unix(auth_time + seconds);
        judged_by(&token, &keys, &Expected { max_age: Some(300), now, ..expected() })
    };
    assert_eq!(after(359), Ok(()));
    assert_eq!(after(360), Err(Rule::AuthenticationAge));
}
