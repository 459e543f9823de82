//! CSRF tokens: proof that a form came from a page that this provider gave to this browser (RFC 6749 §10.12).

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{random::Random, secret::Secret};

/// The key of the tokens. It ends with the process, as do the pages that hold them.
#[derive(Debug)]
pub struct CsrfKey(hmac::Key);

impl CsrfKey {
    /// A new key.
    pub fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    /// The token for one interaction in one browser; the forms beside the flow have a word in the place of its handle.
    pub fn token(&self, browser: &Secret, handle: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, message(browser, handle).as_bytes()))
    }

    /// Whether `presented` is that token, in constant time.
    pub fn accepts(&self, presented: &str, browser: &Secret, handle: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(presented)
            .is_ok_and(|tag| hmac::verify(&self.0, message(browser, handle).as_bytes(), &tag).is_ok())
    }
}

// No handle holds the separator, so two messages are equal only when both halves are.
fn message(browser: &Secret, handle: &str) -> String {
    format!("{}\n{handle}", browser.expose())
}

#[cfg(test)]
mod tests {
    use shared::random::SeededRandom;

    use super::*;

    #[test]
    fn i7_a_token_is_good_for_one_interaction_in_one_browser() {
        let key = CsrfKey::new(&SeededRandom::new(1));
        let (mine, other) = (Secret::new("mine"), Secret::new("other"));
        let token = key.token(&mine, "in_1");
        assert!(key.accepts(&token, &mine, "in_1"));
        assert!(!key.accepts(&token, &mine, "in_2"));
        assert!(!key.accepts(&token, &other, "in_1"));
        assert!(!key.accepts("", &mine, "in_1"));
        assert!(!CsrfKey::new(&SeededRandom::new(2)).accepts(&token, &mine, "in_1"));
    }
}
