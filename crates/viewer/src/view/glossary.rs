//! The page of all words.

use serde::Serialize;

/// The words by topic. A word of the pages has its sentence under `term.<id>.what`, another under `glossary.<id>.what`;
/// the names of all stand under `glossary.<id>.name`.
#[rustfmt::skip]
pub const TOPICS: [(&str, &[&str]); 7] = [
    ("roles", &[
        "glossary.openid_connect", "glossary.relying_party", "glossary.identity_provider", "glossary.authentication",
        "glossary.authorization", "term.consent", "glossary.sso",
    ]),
    ("registration", &["term.client_id", "glossary.client_secret", "term.redirect_uri", "term.issuer", "term.discovery"]),
    ("request", &[
        "glossary.authorization_endpoint", "term.scope", "term.state", "term.nonce", "term.pkce",
        "glossary.code_challenge", "glossary.code_verifier", "term.prompt", "glossary.claims_parameter",
    ]),
    ("exchange", &[
        "term.code", "term.token_endpoint", "term.access_token", "glossary.bearer", "term.refresh_token",
        "glossary.introspection", "glossary.revocation", "glossary.resource_server", "term.userinfo",
    ]),
    ("id_token", &[
        "term.id_token", "glossary.jwt", "glossary.signature", "glossary.jwks", "term.claim", "term.iss", "term.sub",
        "term.aud", "glossary.azp", "term.exp", "term.iat", "term.auth_time", "term.amr", "term.at_hash",
    ]),
    ("browser", &[
        "term.front_channel", "term.back_channel", "glossary.redirect", "glossary.session", "glossary.cookie",
        "term.csrf", "glossary.mix_up",
    ]),
    ("viewer", &["glossary.har", "glossary.traceparent"]),
];

/// The words, for `viewer/glossary.html`.
#[derive(Debug, Serialize)]
pub struct GlossaryPage {
    topics: Vec<Topic>,
}

#[derive(Debug, Serialize)]
struct Topic {
    id: &'static str,
    words: Vec<Word>,
}

#[derive(Debug, Serialize)]
struct Word {
    id: &'static str,
    what: String,
}

/// The page of all words.
pub fn glossary_page() -> GlossaryPage {
    let topics = TOPICS.iter().map(|(id, words)| {
        let words = words.iter().map(|key| Word {
            id: key.split_once('.').map_or(*key, |(_, id)| id),
            what: format!("{key}.what"),
        });
        Topic { id, words: words.collect() }
    });
    GlossaryPage { topics: topics.collect() }
}
