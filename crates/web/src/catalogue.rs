//! Every text of every page, in both languages, compiled in: of the two servers' own pages in `locales/ja.json` and
//! `locales/en.json`, of what they say about a flow in `flow.*.json`, of the flow viewer in `viewer.*.json`.

use std::{collections::BTreeMap, fmt::Write as _};

use rust_embed::Embed;
use thiserror::Error;

use crate::lang::Lang;

#[derive(Embed)]
#[folder = "../../locales"]
struct Locales;

/// Why the texts could not be read.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// A file of a language is not there.
    #[error("locales/{0} is missing")]
    Missing(String),
    /// It is not a flat JSON object of texts.
    #[error("locales/{0}: {1}")]
    Malformed(String, serde_json::Error),
    /// A key stands in two files.
    #[error("locales/{0}: {1} stands in another file too")]
    Twice(String, String),
}

/// The texts of one language by their keys.
#[derive(Clone, Debug)]
pub struct Catalogue(BTreeMap<String, Text>);

/// A text as it stands in the file, and as HTML where that is not the same: both with their `{placeholders}`. They are
/// kept as long as the server runs, so they take no more than they need.
#[derive(Clone, Debug)]
struct Text {
    source: Box<str>,
    html: Option<Box<str>>,
}

impl From<String> for Text {
    fn from(source: String) -> Self {
        let html = Some(to_html(&source)).filter(|html| *html != source);
        Self { source: source.into(), html: html.map(Into::into) }
    }
}

impl Catalogue {
    /// Reads the texts of `lang`, all of them.
    pub fn load(lang: Lang) -> Result<Self, CatalogueError> {
        Self::read(lang, &["", "viewer.", "flow."])
    }

    /// The same without the explanations of what is recorded, which only the viewer's pages show.
    pub fn without_explanations(lang: Lang) -> Result<Self, CatalogueError> {
        Self::read(lang, &["", "viewer."])
    }

    fn read(lang: Lang, parts: &[&str]) -> Result<Self, CatalogueError> {
        let mut catalogue = BTreeMap::new();
        for part in parts {
            let name = format!("{part}{}.json", lang.tag());
            let file = Locales::get(&name).ok_or_else(|| CatalogueError::Missing(name.clone()))?;
            let texts: BTreeMap<String, String> = serde_json::from_slice(&file.data)
                .map_err(|error| CatalogueError::Malformed(name.clone(), error))?;
            if let Some(key) = texts.keys().find(|key| catalogue.contains_key(*key)) {
                return Err(CatalogueError::Twice(name, key.clone()));
            }
            catalogue.extend(texts.into_iter().map(|(key, source)| (key, Text::from(source))));
        }
        Ok(Self(catalogue))
    }

    /// The text under `key`, as it stands in the file.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|text| &*text.source)
    }

    /// Every key.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The text under `key` as HTML: escaped, `` `x` `` as code, `**x**` as strong, `[word](id)` as a term of the
    /// glossary, `{name}` filled in with its value.
    pub fn html(&self, key: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        self.0.get(key).map(|text| fill(text.html.as_ref().unwrap_or(&text.source), value, escape))
    }

    /// The text under `key` without any markup, for attributes and titles. The caller escapes it.
    pub fn plain(&self, key: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let text = without_terms(self.get(key)?).replace('`', "").replace("**", "");
        Some(fill(&text, value, str::to_owned))
    }

    /// The text under `key` as [`Self::html`] writes it, if it has no `{placeholders}`.
    pub fn fixed_html(&self, key: &str) -> Option<String> {
        self.html(key, |_| None).filter(|html| !html.contains('{'))
    }

    /// The same for [`Self::plain`], escaped.
    pub fn fixed_plain(&self, key: &str) -> Option<String> {
        self.plain(key, |_| None).filter(|text| !text.contains('{')).map(|text| escape(&text))
    }
}

const CLOSING: &[char] = &[')', ',', '.', ':', '、', '。'];

/// `text` as HTML. Its placeholders stay: what is filled in later is a value and never markup.
fn to_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some((before, word, id, after)) = term(rest) {
        // A line may break on either side of a button, but not between it and its brackets, comma or full stop.
        let (before, open) = before.strip_suffix('(').map_or((before, ""), |before| (before, "("));
        let (close, after) = after.split_at(after.len() - after.trim_start_matches(CLOSING).len());
        let (before, word) = (marked_up(before), marked_up(word));
        // `templates/parts/terms.html` holds the sentence that the button opens.
        let _ = write!(
            html,
            r#"{before}<span class="unbroken">{open}<button class="term" type="button" popovertarget="term-{id}">{word}</button>{close}</span>"#
        );
        rest = after;
    }
    html.push_str(&marked_up(rest));
    html
}

/// The first `[word](id)` in `text`: what stands before it, the word, the id, what stands behind it.
fn term(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, rest) = text.split_once('[')?;
    let (word, rest) = rest.split_once("](")?;
    let (id, after) = rest.split_once(')')?;
    Some((before, word, id, after))
}

fn without_terms(text: &str) -> String {
    match term(text) {
        Some((before, word, _, after)) => format!("{before}{word}{}", without_terms(after)),
        None => text.to_owned(),
    }
}

fn marked_up(text: &str) -> String {
    let mut html = String::with_capacity(text.len() * 2);
    for (at, code) in text.split('`').enumerate() {
        if at % 2 == 1 {
            let _ = write!(html, "<code>{}</code>", escape(code));
            continue;
        }
        for (at, strong) in code.split("**").enumerate() {
            let part = escape(strong);
            let _ = if at % 2 == 1 { write!(html, "<b>{part}</b>") } else { write!(html, "{part}") };
        }
    }
    html
}

/// Fills `{name}` with its value, which passes through `escape`. A name without a value stays as it is.
fn fill(text: &str, value: impl Fn(&str) -> Option<String>, escape: fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((before, name, after)) = placeholder(rest) {
        filled.push_str(before);
        match value(name) {
            Some(value) => filled.push_str(&escape(&value)),
            None => filled.extend(["{", name, "}"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The first `{name}` in `text`: what stands before it, the name, what stands behind it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

fn escape(text: &str) -> String {
    let mut escaped = Vec::with_capacity(text.len());
    // Writing to memory cannot fail, and what is escaped stays UTF-8.
    let _ = tera::escape_html(text, &mut escaped);
    String::from_utf8(escaped).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_value_never_becomes_markup() {
        let html = to_html("**{who}** asks for `{who}` & more");
        let html = fill(&html, |name| (name == "who").then(|| "<svg onload=x>`**".to_owned()), escape);
        assert!(!html.contains("<svg"), "{html}");
        assert!(html.starts_with("<b>&lt;svg"), "{html}");
        assert!(html.contains("&amp; more"), "{html}");
    }

    #[test]
    fn a_term_is_a_button_that_opens_its_sentence() {
        let text = "the one-time value ([`nonce`](nonce)) of the [ID token](id_token)";
        assert_eq!(
            to_html(text),
            "the one-time value <span class=\"unbroken\">(<button class=\"term\" type=\"button\" \
             popovertarget=\"term-nonce\"><code>nonce</code></button>)</span> of the <span class=\"unbroken\">\
             <button class=\"term\" type=\"button\" popovertarget=\"term-id_token\">ID token</button></span>"
        );
        assert_eq!(without_terms(text), "the one-time value (`nonce`) of the ID token");
    }

    #[test]
    fn both_languages_have_the_same_keys_and_the_same_placeholders() {
        let [ja, en] = Lang::ALL.map(|lang| Catalogue::load(lang).unwrap());
        assert_eq!(ja.keys().collect::<Vec<_>>(), en.keys().collect::<Vec<_>>());
        for key in ja.keys() {
            let placeholders = |catalogue: &Catalogue| {
                let mut found = BTreeSet::new();
                let mut rest = catalogue.get(key).unwrap().to_owned();
                while let Some((_, name, after)) = placeholder(&rest) {
                    found.insert(name.to_owned());
                    rest = after.to_owned();
                }
                found
            };
            assert_eq!(placeholders(&ja), placeholders(&en), "{key}");
            assert!(
                !ja.get(key).unwrap().trim().is_empty() && !en.get(key).unwrap().trim().is_empty(),
                "{key}"
            );
        }
    }
}
