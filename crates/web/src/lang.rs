//! The two languages of the pages, and how a visitor's is found.

use actix_web::{HttpMessage as _, HttpRequest, http::header::ACCEPT_LANGUAGE};

use crate::cookies;

/// The query parameter by which a visitor switches the language.
pub const PARAMETER: &str = "lang";
/// The cookie that keeps the choice. Cookies ignore ports, so a choice made at the RP holds at the IdP too.
pub const COOKIE: &str = "lang";

/// What the application suggests, kept with the request.
struct Suggested(Lang);

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Japanese, the language of the tutorial.
    Ja,
    /// English.
    En,
}

impl Lang {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Ja, Self::En];

    /// Its BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// The language that a tag such as `en-GB` means, if it is one of ours.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The visitor's language: the switch, the kept choice, what the application suggests, what the browser prefers,
    /// Japanese.
    pub fn of(request: &HttpRequest) -> Self {
        Self::switched(request)
            .or_else(|| cookies::value(request, COOKIE).and_then(|tag| Self::from_tag(&tag)))
            .or_else(|| request.extensions().get::<Suggested>().map(|suggested| suggested.0))
            .or_else(|| Self::preferred(request.headers().get(ACCEPT_LANGUAGE)?.to_str().ok()?))
            .unwrap_or(Self::Ja)
    }

    /// Notes what the application that sent the visitor suggests: `ui_locales`, tags in the order of preference
    /// (OpenID Connect Core §3.1.2.1). One that we do not speak is passed over.
    pub fn suggest(request: &HttpRequest, ui_locales: &str) {
        if let Some(lang) = ui_locales.split(' ').find_map(Self::from_tag) {
            request.extensions_mut().insert(Suggested(lang));
        }
    }

    /// The language that this very request switches to.
    pub fn switched(request: &HttpRequest) -> Option<Self> {
        // Neither the name nor a tag of ours has anything to be decoded.
        let mut pairs = request.query_string().split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == PARAMETER).and_then(|(_, tag)| Self::from_tag(tag))
    }

    /// RFC 9110 §12.5.4: the first of our languages by descending weight.
    fn preferred(accept_language: &str) -> Option<Self> {
        let mut ranges: Vec<(f32, Self)> = accept_language
            .split(',')
            .filter_map(|range| {
                let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
                Some((weight.trim().parse().ok()?, Self::from_tag(tag.trim())?))
            })
            .filter(|(weight, _)| *weight > 0.0)
            .collect();
        ranges.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        ranges.first().map(|(_, lang)| *lang)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn visitor(uri: &str, cookie: &str, accept: &str) -> Lang {
        let request = TestRequest::with_uri(uri)
            .insert_header(("cookie", cookie))
            .insert_header(("accept-language", accept));
        Lang::of(&request.to_http_request())
    }

    #[test]
    fn the_switch_counts_more_than_the_kept_choice_and_that_more_than_the_browser() {
        assert_eq!(visitor("/?lang=en", "lang=ja", "ja"), Lang::En);
        assert_eq!(visitor("/", "lang=en", "ja"), Lang::En);
        assert_eq!(visitor("/", "", "fr, en-GB;q=0.8, ja;q=0.3"), Lang::En);
        assert_eq!(visitor("/", "", "fr"), Lang::Ja);
        assert_eq!(visitor("/?lang=xx", "lang=", "en;q=0, *"), Lang::Ja);
    }

    #[test]
    fn what_the_application_suggests_counts_more_than_the_browser_and_less_than_the_visitor() {
        for (cookie, ui_locales, shown) in
            [("", "se en-GB ja", Lang::En), ("", "se", Lang::Ja), ("lang=ja", "en", Lang::Ja)]
        {
            let request = TestRequest::default().insert_header(("cookie", cookie)).to_http_request();
            Lang::suggest(&request, ui_locales);
            assert_eq!(Lang::of(&request), shown, "{cookie} {ui_locales}");
        }
    }
}
