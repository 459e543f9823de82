//! A text or an address for people that may differ by language: `client_name`, `client_name#ja` (RFC 7591 §2.2).

use std::collections::BTreeMap;

use web::lang::Lang;

/// What is said, and how it is said in other languages. A registration need not say it at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Localized {
    /// Without a tag: for everybody else.
    pub usual: Option<String>,
    /// Under a language tag each (BCP 47).
    pub by_language: BTreeMap<String, String>,
}

impl Localized {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.usual.is_none() && self.by_language.is_empty()
    }

    /// What a reader of `lang` is shown: what is said in their language, else what is said to everybody, else whatever
    /// there is.
    pub fn for_reader(&self, lang: Lang) -> Option<&str> {
        let theirs = self.by_language.iter().find(|(tag, _)| Lang::from_tag(tag) == Some(lang));
        let said = theirs.map(|(_, said)| said).or(self.usual.as_ref());
        said.or_else(|| self.by_language.values().next()).map(String::as_str)
    }

    /// Every version, with what stands behind the member's name.
    pub fn versions(&self) -> impl Iterator<Item = (String, &str)> {
        let usual = self.usual.iter().map(|said| (String::new(), said.as_str()));
        usual.chain(self.by_language.iter().map(|(tag, said)| (format!("#{tag}"), said.as_str())))
    }

    /// What is said to everybody, or else whatever there is; empty when nothing is said.
    pub fn usual(&self) -> &str {
        self.versions().next().map(|(_, said)| said).unwrap_or_default()
    }
}

impl<T: Into<String>> From<T> for Localized {
    fn from(said: T) -> Self {
        Self { usual: Some(said.into()), by_language: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_shown_what_is_said_in_their_language_or_what_is_said_to_everybody() {
        let japanese = BTreeMap::from([("ja-JP".to_owned(), "写真".to_owned())]);
        let both = Localized { by_language: japanese.clone(), .."Photos".into() };
        assert_eq!(both.for_reader(Lang::Ja), Some("写真"));
        assert_eq!((both.for_reader(Lang::En), both.usual()), (Some("Photos"), "Photos"));
        let one = Localized { usual: None, by_language: japanese };
        assert_eq!((one.for_reader(Lang::En), one.usual()), (Some("写真"), "写真"));
        assert_eq!((Localized::default().for_reader(Lang::En), Localized::default().usual()), (None, ""));
    }
}
