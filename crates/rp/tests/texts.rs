//! The texts of both houses: everything that a page can say is there in both languages, and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path};

use shared::{
    error::ErrorCode,
    flow::{Rule, Step, Words},
};
use web::{catalogue::Catalogue, lang::Lang, problem::Problem};

/// The key of a text as a template asks for it: `problem.*.title` where a part is filled in when the page is drawn.
fn keys_asked_for() -> Vec<String> {
    let mut keys = Vec::new();
    visit(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates"),
        &mut |template| {
            for call in template.split("key=").skip(1) {
                let expression = call.split([',', ')']).next().unwrap();
                let parts = expression.split('~').map(str::trim);
                keys.push(
                    parts
                        .map(|part| {
                            part.strip_prefix('"')
                                .and_then(|part| part.strip_suffix('"'))
                                .unwrap_or("*")
                                .to_owned()
                        })
                        .collect(),
                );
            }
        },
    );
    keys
}

fn visit(folder: &Path, look: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, look);
        } else {
            look(&fs::read_to_string(path).unwrap());
        }
    }
}

fn matches(asked_for: &str, key: &str) -> bool {
    let mut parts = asked_for.split('*');
    let Some(mut rest) = key.strip_prefix(parts.next().unwrap()) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.len() > part.len() && rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[test]
fn every_text_that_a_page_asks_for_is_there() {
    let catalogue = Catalogue::load(Lang::Ja).unwrap();
    for asked_for in keys_asked_for() {
        assert!(
            catalogue.keys().any(|key| matches(&asked_for, key)),
            "no text {asked_for}"
        );
    }
}

#[test]
fn every_text_is_used() {
    let asked_for = keys_asked_for();
    let catalogue = Catalogue::load(Lang::Ja).unwrap();
    for key in catalogue.keys() {
        assert!(
            asked_for.iter().any(|asked_for| matches(asked_for, key)),
            "{key} is never used"
        );
    }
}

#[test]
fn every_problem_check_code_step_and_scope_has_its_texts() {
    let catalogue = Catalogue::load(Lang::Ja).unwrap();
    let has = |key: String| assert!(catalogue.get(&key).is_some(), "no text {key}");
    for problem in Problem::COMMON
        .iter()
        .chain(&idp::problems::ALL)
        .chain(&rp::problems::ALL)
    {
        for part in ["title", "what", "you", "app", "idp", "next"] {
            has(format!("problem.{problem}.{part}"));
        }
    }
    for rule in Rule::ALL {
        has(format!("check.{}.name", rule.id()));
    }
    for words in Words::ALL {
        has(format!("shown.{}", words.id()));
    }
    for code in ErrorCode::ALL.map(ErrorCode::as_str).iter().chain(&["unknown"]) {
        has(format!("oauth_error.{code}"));
    }
    for step in Step::ALL {
        has(format!("step.{}.name", web::pages::step_id(step)));
    }
    let client = idp::demo::client(
        "",
        idp::domain::client::RedirectUri::parse("http://127.0.0.1/").unwrap(),
    );
    for value in client.scope.iter() {
        has(format!("scope.{value}.name"));
        has(format!("scope.{value}.what"));
    }
}

#[test]
fn every_term_that_a_text_names_is_explained() {
    let explained =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates/parts/terms.html"));
    let explained = explained.unwrap();
    for lang in Lang::ALL {
        let catalogue = Catalogue::load(lang).unwrap();
        for key in catalogue.keys() {
            for term in catalogue.get(key).unwrap().split("](").skip(1) {
                let id = term.split(')').next().unwrap();
                assert!(explained.contains(&format!("\"{id}\"")), "{key} names {id}");
                assert!(
                    catalogue.get(&format!("term.{id}.what")).is_some(),
                    "{id} is not explained"
                );
            }
        }
    }
}
