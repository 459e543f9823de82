//! The two small pieces of HTML that are written here and not in a template, because they are written very often.

/// `text` as it may stand in HTML, between tags and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A value, marked if it is a secret.
pub(super) fn value(text: &str, is_secret: bool) -> String {
    if is_secret && !text.is_empty() {
        format!(r#"<span class="secret">{}</span>"#, escape(text))
    } else {
        escape(text)
    }
}
