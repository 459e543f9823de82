//! The provider's key set, as the RP reads it before step 10. Whatever stands in it, a token of ours verifies when our key is
//! there and does not when it is not.
#![no_main]

use std::sync::LazyLock;

use fuzz::token::{CLAIMS, HEADER, Key, accepted};
use libfuzzer_sys::fuzz_target;
use rp::{algorithm::Algorithm, provider::KeySet};
use serde_json::{Value, json};

static KEY: LazyLock<(Value, String)> = LazyLock::new(|| {
    let key = Key::generate();
    (key.jwk(), key.sign(HEADER.as_bytes(), CLAIMS.as_bytes()))
});

fuzz_target!(|set: &[u8]| {
    let (ours, token) = &*KEY;
    if let Ok(keys) = KeySet::published(set, Algorithm::Rs256) {
        assert!(accepted(token, &keys).is_none());
    }
    // RFC 7517 §5: who does not understand a key passes over it.
    let Ok(set) = serde_json::from_slice::<Value>(set) else { return };
    let Some(others) = set["keys"].as_array() else { return };
    // §4.5: names should differ. Of two keys with one name the library takes neither, and so do we.
    if others.iter().any(|other| other["kid"] == ours["kid"]) {
        return;
    }
    let all: Vec<&Value> = others.iter().chain([ours]).collect();
    let with_ours = json!({ "keys": all });
    let keys = KeySet::published(with_ours.to_string().as_bytes(), Algorithm::Rs256)
        .expect("a set with foreign keys");
    assert!(accepted(token, &keys).is_some());
});
