//! How an authorization response travels through the browser (OAuth 2.0 Multiple Response Types §2.1), and the form in
//! which it does so when it is posted (OAuth 2.0 Form Post Response Mode §2).

use std::fmt;

use crate::params::Params;

/// How an authorization response travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect URI, by a redirect: what `code` gets without being asked for another one.
    #[default]
    Query,
    /// In the body of a request that a form sends to the redirect URI: nothing of it stands in an address.
    FormPost,
}

impl ResponseMode {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Query, Self::FormPost];

    /// Its name in `response_mode`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }

    /// The one with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// A form that brings an authorization response to the redirect URI.
#[derive(Clone, PartialEq, Eq)]
pub struct FormPost {
    /// The redirect URI, as it is registered.
    pub action: String,
    /// The parameters of the response.
    pub params: Params,
}

impl fmt::Debug for FormPost {
    /// What it holds is a code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FormPost({})", self.action)
    }
}

const FORM: &str = r#"<form method="post" action=""#;
const INPUT: &str = r#"<input type="hidden" name=""#;
const VALUE: &str = r#"" value=""#;

impl FormPost {
    /// Reads the form off a page on which a provider wrote it; `None` if the page brings no response to another site.
    pub fn read(page: &str) -> Option<Self> {
        let (_, form) = page.split_once(FORM)?;
        let (form, _) = form.split_once("</form>")?;
        let (action, inputs) = form.split_once('"')?;
        let field = |input: &str| {
            let (name, rest) = input.split_once(VALUE)?;
            Some((unescaped(name), unescaped(rest.split_once('"')?.0)))
        };
        let params: Params = inputs.split(INPUT).skip(1).filter_map(field).collect();
        let is_response = params.get("code").or(params.get("error")).is_some();
        (is_response && action.contains("://")).then(|| Self { action: unescaped(action), params })
    }

    /// The bare form, as [`FormPost::read`] reads it.
    pub fn write(&self) -> String {
        let inputs = self
            .params
            .iter()
            .map(|(name, value)| format!(r#"{INPUT}{}{VALUE}{}">"#, escaped(name), escaped(value)));
        format!(r#"{FORM}{}">{}</form>"#, escaped(&self.action), inputs.collect::<String>())
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Undoes what HTML does to the value of an attribute, as far as templates do it.
fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    plain.replace("&#x27;", "'").replace("&#39;", "'").replace("&#x2F;", "/").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_form_that_brings_a_response_to_another_site_is_one() {
        let page = |action: &str, name: &str| {
            format!(r#"<p>…</p><form method="post" action="{action}">{INPUT}{name}{VALUE}x"></form>"#)
        };
        assert!(FormPost::read(&page("https://rp.example/cb", "code")).is_some());
        assert!(FormPost::read(&page("https://rp.example/cb", "error")).is_some());
        assert_eq!(FormPost::read(&page("https://rp.example/cb", "csrf")), None);
        assert_eq!(FormPost::read(&page("/consent/in_1", "code")), None);
        assert_eq!(FormPost::read("<form method=\"post\" action=\"https://rp.example/cb"), None);
    }

    #[test]
    fn a_code_does_not_show_itself() {
        let params = Params::from_iter([("code".to_owned(), "secret".to_owned())]);
        assert!(
            !format!("{:?}", FormPost { action: "https://rp.example/".into(), params }).contains("secret")
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(state in "[^\0]{0,40}", query in "[^\0]{0,20}") {
            let params = Params::from_iter([("code".to_owned(), "c".to_owned()), ("state".to_owned(), state)]);
            let form = FormPost { action: format!("https://rp.example/?{query}"), params };
            prop_assert_eq!(FormPost::read(&form.write()), Some(form));
        }

        #[test]
        fn no_page_makes_the_reader_panic(page in ".{0,200}") {
            let _ = FormPost::read(&format!("{FORM}{page}"));
        }
    }
}
