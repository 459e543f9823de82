//! An ID token (step 10) of which some bits were turned over on the way: the input says which, and what was added. The RP
//! accepts the token that was signed, and no other.
#![no_main]

use std::sync::LazyLock;

use fuzz::token::{CLAIMS, HEADER, Key, accepted};
use libfuzzer_sys::fuzz_target;
use rp::{provider::KeySet, validate::UnverifiedJwt};

static SIGNED: LazyLock<(String, KeySet)> = LazyLock::new(|| {
    let key = Key::generate();
    (key.sign(HEADER.as_bytes(), CLAIMS.as_bytes()), key.set())
});

fuzz_target!(|turned: &[u8]| {
    let (honest, keys) = &*SIGNED;
    let mut token = honest.clone().into_bytes();
    token.resize(token.len().max(turned.len()), 0);
    token.iter_mut().zip(turned).for_each(|(byte, bits)| *byte ^= bits);
    let token = String::from_utf8_lossy(&token);
    assert_eq!(accepted(&token, keys).is_some(), token == honest.as_str());

    // The input itself, as if it were a token.
    let text = String::from_utf8_lossy(turned);
    if let Ok(jwt) = UnverifiedJwt::parse(&text) {
        assert_eq!(format!("{}.{}", jwt.signed(), jwt.signature()), text);
    }
    assert!(accepted(&text, keys).is_none());
});
