//! What is done with the tokens of a login when it is over.

use crate::{article, concealed, flow, row, sample};

#[test]
fn what_becomes_of_the_tokens_is_shown_beside_the_ten_steps() {
    for lang in ["ja", "en"] {
        let html = flow(lang, &sample::afterwards());
        for id in ["refresh", "api", "introspection", "revocation"] {
            assert!(html.contains(&format!("href=\"#{id}\"")), "{id}");
            assert!(article(&html, id).contains("<h2"), "{id}");
        }
        assert_eq!(html.matches("aria-current=\"step\"").count(), 1, "the login stands where it stood");
    }
}

#[test]
fn a_renewal_that_was_refused_says_why_and_spoils_no_login() {
    let html = flow("en", &sample::afterwards());
    let renewal = article(&html, "refresh");
    for said in ["invalid_grant", "The refresh token has not been used", "RFC 9700 §4.14.2"] {
        assert!(renewal.contains(said), "{said}");
    }
    assert!(html.contains("Success"), "what comes later changes no end");
    assert!(row(renewal, "refresh_token").contains("RFC 6749 §1.5"));
}

#[test]
fn answers_of_the_api_and_of_introspection_are_taken_apart() {
    let html = flow("en", &sample::afterwards());
    for (id, explained) in [
        ("api", "The app that the token was issued to."),
        ("introspection", "Whether the token counts now, for whoever asks."),
    ] {
        assert!(article(&html, id).contains(explained), "{id}");
    }
    assert!(article(&html, "revocation").contains("Refresh token</b> destroyed"));
}

#[test]
fn no_token_is_left_in_what_is_saved() {
    let html = flow("en", &concealed(&sample::afterwards()));
    for secret in [sample::REFRESH_TOKEN, sample::ACCESS_TOKEN] {
        assert!(!html.contains(secret));
    }
}
