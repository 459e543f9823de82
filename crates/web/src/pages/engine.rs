//! The template engine of one language. It knows the texts, and what is always the same in a template it knows once.

use std::sync::Arc;

use rust_embed::Embed;
use tera::{Context, Kwargs, State, Tera, Value};

use super::PagesError;
use crate::catalogue::Catalogue;

#[derive(Embed)]
#[folder = "../../templates"]
struct Templates;

/// The components, which every template may use.
const COMPONENTS: &str = "parts/components.html";

/// Reads the templates that are `wanted`.
pub(super) fn load(catalogue: Catalogue, wanted: impl Fn(&str) -> bool) -> Result<Tera, PagesError> {
    let catalogue = Arc::new(catalogue);
    let mut tera = Tera::new();
    tera.register_function(
        "t",
        text(&catalogue, |texts, key, value| texts.html(key, value).map(|html| Value::safe_string(&html))),
    );
    tera.register_function(
        "text",
        text(&catalogue, |texts, key, value| texts.plain(key, value).map(|text| Value::normal_string(&text))),
    );
    let source = |name: &str| Some(String::from_utf8_lossy(&Templates::get(name)?.data).into_owned());
    // First as they are: they write the icons that stand in all templates, theirs included.
    tera.add_raw_templates(source(COMPONENTS).map(|components| (COMPONENTS, components)))?;
    let templates = Templates::iter().filter(|name| wanted(name)).filter_map(|name| {
        let filled = with_fixed_parts(&source(&name)?, &catalogue, &tera);
        Some((name.into_owned(), filled))
    });
    let templates: Vec<_> = templates.collect();
    tera.add_raw_templates(templates)?;
    Ok(tera)
}

/// Puts what is always the same into a template as if it had been written there: texts without placeholders, and icons.
/// They need not be looked for whenever a page is rendered.
fn with_fixed_parts(template: &str, catalogue: &Catalogue, tera: &Tera) -> String {
    let filled = replaced(template, r#"{{ t(key=""#, r#"") }}"#, |key| catalogue.fixed_html(key));
    let filled = replaced(&filled, r#"{{ text(key=""#, r#"") }}"#, |key| catalogue.fixed_plain(key));
    replaced(&filled, r#"{{ <icon name=""#, r#""/> }}"#, |name| {
        let mut context = Context::new();
        context.insert("name", name);
        // Whatever it cannot write now, it complains about when the page is rendered.
        tera.render_component("icon", &context, None, true).ok()
    })
}

/// Replaces every `begin…end` by what is fixed for the name in between; one for which nothing is stays.
fn replaced(template: &str, begin: &str, end: &str, fixed: impl Fn(&str) -> Option<String>) -> String {
    let mut parts = template.split(begin);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let named = part.split_once(end).filter(|(name, _)| !name.contains('"'));
        match named.and_then(|(name, rest)| Some((fixed(name)?, rest))) {
            Some((written, rest)) => filled.extend([&written, rest]),
            None => filled.extend([begin, part]),
        }
    }
    filled
}

/// How a text is written whose placeholders have these values.
type Write = fn(&Catalogue, &str, &dyn Fn(&str) -> Option<String>) -> Option<Value>;

/// The function that finds the other texts for templates.
fn text(
    catalogue: &Arc<Catalogue>,
    write: Write,
) -> impl Fn(Kwargs, &State) -> tera::TeraResult<Value> + Send + Sync + 'static {
    let catalogue = Arc::clone(catalogue);
    move |kwargs, _| {
        let key: &str = kwargs.must_get("key")?;
        let value = |name: &str| kwargs.get::<&Value>(name).ok().flatten().map(ToString::to_string);
        write(&catalogue, key, &value)
            .ok_or_else(|| tera::Error::message(format!("the catalogue has no text {key:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn what_is_always_the_same_stands_in_the_template() {
        let catalogue = Arc::new(Catalogue::load(Lang::En).unwrap());
        let tera = load(Catalogue::load(Lang::En).unwrap(), |_| true).unwrap();
        let filled = |template| with_fixed_parts(template, &catalogue, &tera);
        assert_eq!(filled(r#"<p>{{ t(key="login.submit") }}</p>"#), "<p>Sign in and allow</p>");
        assert_eq!(filled(r#"{{ text(key="login.title") }}"#), "Sign in");
        assert!(filled(r#"{{ <icon name="eye"/> }}"#).contains(r##"href="#i-eye""##));
        for other in [
            r#"{{ t(key="login.asks", client=page.client_name, return_to=page.return_to) }}"#,
            r#"{{ t(key="login.asks") }}"#,
            r#"{{ t(key="scope." ~ scope.value ~ ".name") }}"#,
            r#"{{ text(key="there is no such text") }}"#,
            r"{{ <icon name={house}/> }}",
        ] {
            assert_eq!(filled(other), other);
        }
    }
}
