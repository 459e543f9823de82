//! The pages in one language. What is the same on all of them is made once.

use std::{collections::HashMap, sync::OnceLock};

use serde::Serialize;
use tera::{Context, Tera, Value};

use super::{House, PagesError, Progress, engine, home, is_viewers, ribbon};
use crate::{assets, catalogue::Catalogue, lang::Lang, origin::Origin};

/// What is the same wherever it stands.
const FIXED_PARTS: [(&str, &str); 4] = [
    ("sign", "parts/sign.html"),
    ("theme", "parts/theme.html"),
    ("trail", "parts/trail.html"),
    ("terms", "parts/terms.html"),
];

/// What stands in a ribbon where the link belongs.
const FLOW: &str = "%flow%";

/// The pages in one language. What is the same on every page is made once.
#[derive(Debug)]
pub(super) struct Edition {
    pub(super) lang: Lang,
    // Its `t` knows the texts of its language, wherever in a template it is called.
    engine: Tera,
    /// For the viewer's pages, with their explanations: made when the first of them is asked for.
    viewer: OnceLock<Tera>,
    /// What every page can say.
    same: Context,
    /// Without links, and with them.
    ribbons: HashMap<Progress, (Value, String)>,
}

impl Edition {
    pub(super) fn load(lang: Lang, house: House, origin: &Origin) -> Result<Self, PagesError> {
        let mut engine = engine::load(Catalogue::without_explanations(lang)?, |name| house.shows(name))?;
        let assets = [
            ("style", "style.css"),
            ("script", "app.js"),
            ("viewer", "viewer.js"),
            ("form_post", "form_post.js"),
            ("spa", "spa.js"),
            ("spa_view", "spa-view.js"),
            ("icon", "favicon.svg"),
        ];
        let assets = assets.map(|(name, file)| (name, assets::href(origin.path(), file)));
        let same = engine.global_context();
        same.insert("lang", lang.tag());
        same.insert("house", if house == House::Idp { "idp" } else { "rp" });
        same.insert("origin", origin.as_str());
        same.insert("base", origin.path());
        same.insert("loopback", &origin.is_loopback());
        same.insert("assets", &HashMap::from(assets));
        same.insert("home", &home(origin));
        let part = |engine: &Tera, name, context| {
            engine.render(name, &context).map(|html| Value::safe_string(&html))
        };
        for (name, file) in FIXED_PARTS {
            let written = part(&engine, file, Context::new())?;
            engine.global_context().insert_value(name, written);
        }
        let ribbons = Progress::all().map(|progress| {
            let mut context = Context::new();
            context.insert("ribbon", &ribbon::of(progress));
            let plain = part(&engine, "parts/ribbon.html", context.clone())?;
            context.insert("flow", FLOW);
            Ok((progress, (plain, engine.render("parts/ribbon.html", &context)?)))
        });
        let ribbons = ribbons.collect::<Result<_, PagesError>>()?;
        let same = engine.global_context().clone();
        Ok(Self { lang, engine, viewer: OnceLock::new(), same, ribbons })
    }

    /// Says something more on every page.
    pub(super) fn say(&mut self, name: &'static str, what: &impl Serialize) {
        for context in [&mut self.same, self.engine.global_context()] {
            context.insert(name, what);
        }
    }

    /// The engine for the page `template`.
    pub(super) fn engine(&self, template: &str) -> Result<&Tera, PagesError> {
        if !is_viewers(template) {
            return Ok(&self.engine);
        }
        if let Some(made) = self.viewer.get() {
            return Ok(made);
        }
        let mut engine = engine::load(Catalogue::load(self.lang)?, |_| true)?;
        *engine.global_context() = self.same.clone();
        // Two visitors may come at the same moment; either's will do.
        Ok(self.viewer.get_or_init(|| engine))
    }

    /// The ribbon, each of its dots a link to where the viewer shows that step, if there is such a place.
    pub(super) fn ribbon(&self, progress: Progress, flow: Option<&str>) -> Option<Value> {
        let (plain, linked) = self.ribbons.get(&progress)?;
        Some(match flow {
            Some(flow) => Value::safe_string(&linked.replace(FLOW, flow)),
            None => plain.clone(),
        })
    }
}
