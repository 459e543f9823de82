//! The texts of both houses: everything that a page can say is there in both languages, and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use shared::{
    error::ErrorCode,
    flow::{Entry, Exchange, Happened, Pause, Rule, Step, Turn, Value, Verb, Words},
};
use viewer::{steps::Mistake, view};
use web::{catalogue::Catalogue, lang::Lang, problem::Problem};

fn templates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates")
}

/// The key of a text as a template asks for it: `problem.*.title` where a part is filled in when the page is drawn.
fn keys_asked_for() -> Vec<String> {
    let mut keys = Vec::new();
    visit(&templates(), &mut |template| {
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
    });
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
        assert!(catalogue.keys().any(|key| matches(&asked_for, key)), "no text {asked_for}");
    }
}

#[test]
fn every_text_is_used() {
    let asked_for = [keys_asked_for(), keys_filled_in()].concat();
    let catalogue = Catalogue::load(Lang::Ja).unwrap();
    for key in catalogue.keys() {
        assert!(asked_for.iter().any(|used| used == key), "{key} is never used");
    }
}

#[test]
fn every_text_whose_key_is_filled_in_is_there() {
    let catalogue = Catalogue::load(Lang::Ja).unwrap();
    for key in keys_filled_in() {
        assert!(catalogue.get(&key).is_some(), "no text {key}");
    }
}

/// Every key of which a part is filled in when the page is drawn.
fn keys_filled_in() -> Vec<String> {
    let mut keys = Vec::new();
    let mut add = |before: &str, names: &[&str], behind: &[&str]| {
        for name in names {
            keys.extend(behind.iter().map(|behind| format!("{before}.{name}{behind}")));
        }
    };
    let problems = [&Problem::COMMON[..], &idp::problems::ALL, &rp::problems::ALL].concat();
    let parts = [".title", ".what", ".you", ".app", ".idp", ".next"];
    add("problem", &problems, &parts);
    let words: Vec<_> = Words::ALL.iter().map(|words| words.id()).collect();
    add("shown", &words, &[""]);
    add("check", &Rule::ALL.map(Rule::id), &[".name"]);
    add("viewer.open", &["not_saved", "unreadable"], &[""]);
    add("verdict", &["passed", "failed", "not_applicable"], &[""]);
    add("oauth_error", &ErrorCode::ALL.map(ErrorCode::as_str), &[""]);
    add("oauth_error", &["unknown"], &[""]);
    add("error.mend", &["you", "app", "idp"], &[""]);
    add("step", &Step::ALL.map(Step::id), &[".name"]);
    let idp_endpoints = ["discovery", "jwks", "par", "authorization", "token", "revocation", "introspection"];
    add("idp.endpoint", &["registration"], &[""]);
    add("registration.member", &rp::registration::MEMBERS, &[""]);
    add("registration.member", &["other"], &[""]);
    add("registration.sent", &["register", "read", "forget"], &[""]);
    add("idp.endpoint", &["userinfo", "end_session"], &[""]);
    add("idp.endpoint", &idp_endpoints, &[""]);
    add("idp.key", &["published", "signing", "retained"], &[""]);
    add("channel", &["front", "back", "inside", "script", "within"], &[""]);
    add("house", &["idp", "rp"], &[".name", ".abbr", ".title"]);
    add("scope", &idp::code_flow::consent::EXPLAINED, &[".name", ".what"]);
    add("claim", &rp::home::LABELLED, &[""]);
    add("claims.source", &["id_token", "userinfo", "both"], &[""]);
    add("notice", &["oauth_error", "interaction_needed"], &[""]);
    add("notice", &["signed_out", "signed_out_of_both", "provider_goes_on"], &[""]);
    add("notice", &["session_ended", "over_at_once"], &[""]);
    about_flows(&mut add);
    about_pauses(&mut add);
    let deeds = rp::deed::Deed::ALL.map(rp::deed::Deed::id);
    add("tokens.do", &deeds, &[""]);
    add("tokens", &["id_token", "access_token", "refresh_token"], &["", ".what"]);
    add("wish", &rp::login::HANDED_ON, &[""]);
    add("wish.way", &rp::way::Way::ALL.map(rp::way::Way::id), &[""]);
    about_the_script(&mut add);
    let diagram = fs::read_to_string(templates().join("parts/sequence.html")).unwrap();
    let attributes = |name: &str| -> Vec<&str> {
        let values = diagram.split(name).skip(1);
        values.map(|rest| rest.split('"').next().unwrap()).collect()
    };
    add("hop", &attributes(" lanes=\""), &[""]);
    add("seq", &attributes(" what=\""), &[""]);
    keys.extend(view::arrow_texts().map(ToOwned::to_owned));
    for word in view::TOPICS.iter().flat_map(|(_, words)| words.iter()) {
        keys.push(format!("{word}.what"));
        keys.push(format!("glossary.{}.name", word.split_once('.').unwrap().1));
    }
    keys.extend(terms_named().into_iter().map(|id| format!("term.{id}.what")));
    keys
}

/// Those of the client in the browser.
fn about_the_script(add: &mut impl FnMut(&str, &[&str], &[&str])) {
    let differences = ["secret", "consent", "rotation", "cors", "memory", "bff"];
    add("spa.different", &differences, &["", ".what"]);
    add("spa.sight", &["authorize", "callback", "end_session", "direct"], &[""]);
    let deeds =
        ["login", "comeBack", "callApi", "refresh", "replay", "revoke", "forget", "signOut", "signedOut"];
    add("spa.told", &deeds, &[""]);
    add("spa.told", &["refused", "declined", "unreachable", "to_check", "no_userinfo"], &[""]);
    add("spa.told", &["forgotten", "done", "insecure", "reloaded"], &[""]);
}

/// Those of the flow viewer.
fn about_flows(add: &mut impl FnMut(&str, &[&str], &[&str])) {
    let places: Vec<_> = Entry::LOGIN.into_iter().chain(Entry::LOGOUT).map(Entry::id).collect();
    add("entry", &places, &[".title", ".what"]);
    // The ten steps have numbers.
    let beside = Entry::LOGIN.into_iter().chain(Entry::LOGOUT).filter(|entry| entry.step().is_none());
    add("entry", &beside.map(Entry::id).collect::<Vec<_>>(), &[".short"]);
    let exchanges: Vec<_> = Exchange::ALL.iter().map(|exchange| exchange.id()).collect();
    add("msg", &exchanges, &[".request", ".response"]);
    add("param", &view::parameter_keys().chain(["other"]).collect::<Vec<_>>(), &[""]);
    add("jose", &view::JOSE, &[""]);
    add("jwk", &view::JWK, &[""]);
    add("auth", &view::AUTH_METHODS, &[""]);
    add("explain.claim", &view::CLAIMS, &[""]);
    for kind in ["jose", "jwk", "explain.claim", "explain.error"] {
        add(kind, &["other"], &[""]);
    }
    add("explain.check", &Rule::ALL.map(Rule::id), &[""]);
    add("explain.error", &ErrorCode::ALL.map(ErrorCode::as_str), &[""]);
    add("value", &Value::ALL.map(Value::id), &[""]);
    add("life", &Turn::ALL.map(Turn::id), &[""]);
    add("sight", &view::OBSERVERS, &["", ".what"]);
    add("viewer.party", &["web", "rp", "idp"], &[""]);
    add("viewer.home", &["rp", "idp"], &[""]);
    add("viewer.checks", &["rp", "web", "idp"], &[""]);
    add("viewer.kind", &["login", "logout"], &[""]);
    let outcomes = ["running", "signed_in", "tokens_issued", "signed_out", "declined", "refused", "ended"];
    add("viewer.outcome", &[outcomes.as_slice(), &["cancelled"]].concat(), &[""]);
    add(
        "viewer.state",
        &["done", "now", "todo", "failed", "refused", "skipped", "unseen", "not_reached"],
        &[""],
    );
    add("viewer.state", &["todo", "skipped", "unseen"], &[".what"]);
    let halves = view::OtherHalf::ALL.iter().filter(|half| **half != view::OtherHalf::Seen);
    add("viewer.half", &halves.map(|half| half.id()).collect::<Vec<_>>(), &[""]);
    add("viewer.took", &["ms", "s", "min", "h"], &[""]);
    add("viewer.ago", &["ms", "s", "min", "h"], &[""]);
    add("viewer.save", &["page", "har", "mermaid"], &["", ".what"]);
    add("viewer.record", &["sent", "received", "alone"], &[""]);
    add("viewer.likeness", &["same", "headers", "different"], &[""]);
    add("viewer.document", &["claims", "keys"], &["", ".what"]);
    add("viewer.show", &view::Show::ALL.map(view::Show::id), &[""]);
    let columns = ["number", "kind", "reached", "outcome", "stopped", "began", "took"];
    add("viewer.list.column", &columns, &[""]);
    add("viewer.compare", &["state", "messages"], &[""]);
    add("viewer.topic", &view::TOPICS.map(|(id, _)| id), &[""]);
}

/// Those of going step by step.
fn about_pauses(add: &mut impl FnMut(&str, &[&str], &[&str])) {
    let pauses: Vec<_> = Pause::all().map(Pause::id).collect();
    add("pause", &pauses, &[".title", ".what", ".send", ".try.a", ".try.b"]);
    add("pause", &["params", "headers"], &[""]);
    add("pause.raw", &["params", "headers"], &[""]);
    add("pause.drop", &["request", "answer"], &[""]);
    add("pause.mistake", &Mistake::ALL.map(Mistake::id), &[""]);
    add("pause.clock", &["code", "request", "login", "deed"], &[""]);
    add("pause.told", &Verb::ALL.map(Verb::id), &[""]);
    add("viewer.released", &view::RELEASED, &[""]);
    add("pause.token.sign", &["kept", "none", "public_key", "fresh"], &["", ".what"]);
    add("pause.token.embed", &["jwk", "jku", "kid"], &[""]);
    let browsers = ["authorization_request", "login_page", "authorization_response", "callback"];
    add("pause.away", &["idp", "pages", "rp", "run"], &[".title", ".what"]);
    add("pause.over", &browsers, &[""]);
    add("came", &Happened::ALL.iter().map(|it| it.id()).collect::<Vec<_>>(), &[""]);
}

/// Every term that a text names, `[word](id)`.
fn terms_named() -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for catalogue in Lang::ALL.map(|lang| Catalogue::load(lang).unwrap()) {
        for key in catalogue.keys() {
            let terms = catalogue.get(key).unwrap().split("](").skip(1);
            named.extend(terms.map(|term| term.split(')').next().unwrap().to_owned()));
        }
    }
    named
}

#[test]
fn the_glossary_explains_the_terms_that_texts_name_and_no_others() {
    let glossary = fs::read_to_string(templates().join("parts/terms.html")).unwrap();
    let list = glossary.split_once("id in [").unwrap().1;
    let list = list.split_once(']').unwrap().0;
    let explained: BTreeSet<_> = list.split(", ").map(|id| id.trim_matches('"').to_owned()).collect();
    assert_eq!(explained, terms_named());
}
