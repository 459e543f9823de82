//! An ID token (step 10) whose header and claims, one line each, are the input, and which the provider's own key signed. The RP
//! accepts it only when it says what it must; that is found out by another reader.
#![no_main]

use std::{sync::LazyLock, time::Duration};

use fuzz::token::{Key, LOGIN, accepted};
use libfuzzer_sys::fuzz_target;
use rp::{provider::KeySet, validate::SKEW};
use serde_json::Value;
use shared::id_token::at_hash;

static KEY: LazyLock<(Key, KeySet)> = LazyLock::new(|| {
    let key = Key::generate();
    let set = key.set();
    (key, set)
});

fuzz_target!(|lines: &[u8]| {
    let Some(line_end) = lines.iter().position(|byte| *byte == b'\n') else { return };
    let (header, claims) = (&lines[..line_end], &lines[line_end + 1..]);
    let (key, keys) = &*KEY;
    let Some(token) = accepted(&key.sign(header, claims), keys) else { return };

    let [header, claims] = [header, claims].map(|json| serde_json::from_slice::<Value>(json).unwrap());
    assert_eq!(header["alg"], "RS256");
    assert!(header.get("crit").is_none());
    assert_eq!(claims["iss"], LOGIN.issuer);
    assert_eq!(claims["sub"], token.subject.as_str());
    assert!(!token.subject.is_empty());
    let audience = claims["aud"].as_array().map_or(vec![&claims["aud"]], |several| several.iter().collect());
    assert!(!audience.is_empty() && audience.iter().all(|one| **one == LOGIN.client_id));
    assert!(claims.get("azp").is_none_or(|azp| azp == LOGIN.client_id));
    assert_eq!(claims["nonce"], LOGIN.nonce);
    assert!(claims.get("at_hash").is_none_or(|hash| *hash == at_hash(LOGIN.access_token).as_str()));
    let skew = Duration::as_secs_f64(&SKEW);
    let now = f64::from(u32::try_from(LOGIN.now.as_unix()).unwrap());
    assert!(now < claims["exp"].as_f64().unwrap() + skew);
    assert!(claims["iat"].as_f64().unwrap().floor() <= now + skew);
    assert_eq!(Value::Object(token.claims), claims);
});
