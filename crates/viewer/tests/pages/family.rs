//! The refresh tokens of a login as a chain.

use shared::flow::Party;

use crate::{article, concealed, flow, sample};

/// The chain at the place called `id`.
fn chain<'a>(html: &'a str, id: &str) -> &'a str {
    let (_, rest) = article(html, id).split_once(&format!(r#"id="{id}-family""#)).unwrap();
    rest.split_once("</section>").unwrap().0
}

#[test]
fn the_tokens_of_a_login_are_a_chain_that_dies_when_an_old_one_comes_again() {
    for lang in ["ja", "en"] {
        let html = flow(lang, &sample::family());
        let chain = chain(&html, "refresh");
        assert_eq!(chain.matches(r#"<li class="revoked"#).count(), 3, "{chain}");
        assert_eq!(chain.matches(r#"<li class="revoked again""#).count(), 1);
        assert_eq!(chain.matches("#i-failed").count(), 6, "three refresh tokens, three access tokens");
        assert!(article(&html, "revocation").contains("href=\"#refresh-family\""));
    }
    let html = flow("en", &sample::family());
    let said = chain(&html, "refresh");
    for words in
        ["Token 1 came again", "died with it: 3", "The refresh token has not been used", "RFC 9700 §4.14.2"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!article(&html, "m9").contains("class=\"chain\""), "it is shown once");
}

#[test]
fn a_login_that_was_not_renewed_has_its_chain_where_the_token_arrived() {
    let html = flow("en", &sample::with_refresh_token());
    let chain = chain(&html, "m9");
    assert!(chain.contains("<li class=\"current\"") && chain.contains("made"), "{chain}");
    assert!(!flow("en", &sample::login()).contains("class=\"chain\""));
}

#[test]
fn the_rps_half_says_that_it_does_not_know_which_check_it_was() {
    let half: Vec<_> = sample::family().into_iter().filter(|it| it.by == Party::Rp).collect();
    let html = flow("en", &half);
    let chain = chain(&html, "refresh");
    assert!(chain.contains("Token 1 came again") && chain.contains("stands in the IdP’s half"), "{chain}");
}

#[test]
fn no_token_of_the_chain_is_left_in_what_is_saved() {
    let html = flow("en", &concealed(&sample::family()));
    assert!(chain(&html, "refresh").contains("A token came that was not the current one"));
    for secret in ["rt_Q0u6V5mE2n", "at_6W-Aw5FMcJ2"] {
        assert!(!html.contains(secret), "{secret}");
    }
}
