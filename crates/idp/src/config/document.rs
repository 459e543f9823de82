//! A document, in TOML or in JSON, as a tree whose values know where they stand, and the mistakes that are found in it.
//! Reading goes on after a mistake, so that all of them are named at once.

use std::{cell::RefCell, collections::BTreeMap, fmt};

use serde_json as json;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::values::language;
use crate::domain::localized::Localized;

/// What is wrong with a file, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    file: String,
    found: Vec<Mistake>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    line: usize,
    /// The member that is wrong, such as `redirect_uris[0]`; empty where it is the whole.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, reason, .. } = self;
        if path.is_empty() { f.write_str(reason) } else { write!(f, "{path}: {reason}") }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |mistake: &Mistake| format!("{}:{}: {mistake}", self.file, mistake.line);
        f.write_str(&self.found.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

/// Reads `text`, TOML that stands in `file`, with `reader`. What it reads counts only when it noted no mistake.
pub(super) fn read<T>(
    file: &str,
    text: &str,
    reader: impl FnOnce(&Table<'_>) -> Option<T>,
) -> Result<T, Mistakes> {
    let notes = Notes { text, found: RefCell::default() };
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        notes.add(at, String::new(), error.message().replace('\n', ", "));
    }
    let members = of_toml(root.get_ref());
    // Whatever stands behind a broken line would seem to be missing.
    let read = if errors.is_empty() {
        reader(&Table { notes: &notes, path: String::new(), at: 0, members: &members })
    } else {
        None
    };
    let mut found = notes.found.into_inner();
    found.sort_by_key(|mistake| mistake.line);
    read.filter(|_| found.is_empty()).ok_or_else(|| Mistakes { file: file.to_owned(), found })
}

/// The same for an object in JSON, which has no lines. The error is its first mistake.
pub(super) fn read_json<T>(
    object: json::Map<String, json::Value>,
    reader: impl FnOnce(&Table<'_>) -> T,
) -> Result<T, Mistake> {
    let notes = Notes { text: "", found: RefCell::default() };
    let members = of_json(object);
    let read = reader(&Table { notes: &notes, path: String::new(), at: 0, members: &members });
    notes.found.into_inner().into_iter().next().map_or(Ok(read), Err)
}

/// A value, wherever it came from.
enum Node {
    Text(String),
    Flag(bool),
    /// A whole number, zero or more.
    Number(u64),
    List(Vec<(usize, Self)>),
    Table(Members),
    /// Nothing that any member can be: a date, a number with a fraction.
    Other,
}

/// The members of a table: where each of them stands, where its value does, and the value.
type Members = BTreeMap<String, (usize, usize, Node)>;

fn of_toml(table: &DeTable<'_>) -> Members {
    let places = table.iter().map(|(key, value)| (key, key.span().start, value.span().start, value));
    places.map(|(key, at, its, value)| (key.get_ref().to_string(), (at, its, of_toml_value(value)))).collect()
}

fn of_toml_value(value: &Spanned<DeValue<'_>>) -> Node {
    match value.get_ref() {
        DeValue::String(text) => Node::Text(text.to_string()),
        DeValue::Boolean(flag) => Node::Flag(*flag),
        DeValue::Integer(number) => {
            u64::from_str_radix(number.as_str(), number.radix()).map_or(Node::Other, Node::Number)
        }
        DeValue::Array(values) => {
            Node::List(values.iter().map(|value| (value.span().start, of_toml_value(value))).collect())
        }
        DeValue::Table(members) => Node::Table(of_toml(members)),
        DeValue::Float(_) | DeValue::Datetime(_) => Node::Other,
    }
}

fn of_json(object: json::Map<String, json::Value>) -> Members {
    object.into_iter().map(|(name, value)| (name, (0, 0, of_json_value(value)))).collect()
}

fn of_json_value(value: json::Value) -> Node {
    match value {
        json::Value::String(text) => Node::Text(text),
        json::Value::Bool(flag) => Node::Flag(flag),
        json::Value::Number(number) => number.as_u64().map_or(Node::Other, Node::Number),
        json::Value::Array(values) => {
            Node::List(values.into_iter().map(|value| (0, of_json_value(value))).collect())
        }
        json::Value::Object(members) => Node::Table(of_json(members)),
        json::Value::Null => Node::Other,
    }
}

/// Where mistakes are noted.
struct Notes<'a> {
    text: &'a str,
    found: RefCell<Vec<Mistake>>,
}

impl Notes<'_> {
    fn add(&self, at: usize, path: String, reason: String) {
        self.found.borrow_mut().push(Mistake { line: self.line(at), path, reason });
    }

    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }
}

/// A value of the document.
pub(super) struct Member<'a> {
    notes: &'a Notes<'a>,
    path: String,
    at: usize,
    value: &'a Node,
}

impl<'a> Member<'a> {
    /// Notes that this value is wrong.
    pub(super) fn mistake(&self, reason: impl fmt::Display) {
        self.notes.add(self.at, self.path.clone(), reason.to_string());
    }

    /// The line on which it stands.
    pub(super) fn line(&self) -> usize {
        self.notes.line(self.at)
    }

    /// The text that this is, if it is one.
    pub(super) fn as_text(&self) -> Option<&'a str> {
        if let Node::Text(text) = self.value { Some(text) } else { None }
    }

    /// The text that this must be.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.or_mistake(self.as_text(), "must be a text in quotes")
    }

    /// The text that this must be, as `parse` reads it.
    pub(super) fn parse<T, E: fmt::Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        parse(self.text()?).map_err(|reason| self.mistake(reason)).ok()
    }

    /// The truth value that this must be.
    pub(super) fn flag(&self) -> Option<bool> {
        self.or_mistake(self.as_flag(), "must be true or false")
    }

    /// The yes or no that this is, if it is one.
    pub(super) fn as_flag(&self) -> Option<bool> {
        if let Node::Flag(flag) = self.value { Some(*flag) } else { None }
    }

    /// The number that this must be.
    pub(super) fn number(&self) -> Option<u64> {
        let number = if let Node::Number(number) = self.value { Some(*number) } else { None };
        self.or_mistake(number, "must be a whole number, zero or more")
    }

    /// The members of the list that this must be.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let Node::List(values) = self.value else {
            return self.or_mistake(None, "must be a list in square brackets");
        };
        let members = values.iter().enumerate().map(|(index, (at, value))| Self {
            notes: self.notes,
            path: format!("{}[{index}]", self.path),
            at: *at,
            value,
        });
        Some(members.collect())
    }

    /// The table that this must be.
    pub(super) fn table(&self) -> Option<Table<'a>> {
        let members = if let Node::Table(members) = self.value { Some(members) } else { None };
        let members = self.or_mistake(members, "must be a table")?;
        Some(Table { notes: self.notes, path: format!("{}.", self.path), at: self.at, members })
    }

    fn or_mistake<T>(&self, value: Option<T>, reason: &str) -> Option<T> {
        if value.is_none() {
            self.mistake(reason);
        }
        value
    }
}

/// A table of the document, or the whole of it.
pub(super) struct Table<'a> {
    notes: &'a Notes<'a>,
    path: String,
    at: usize,
    members: &'a Members,
}

impl<'a> Table<'a> {
    /// Notes that something is wrong with the table as a whole.
    pub(super) fn mistake(&self, reason: impl fmt::Display) {
        self.notes.add(self.at, self.path.trim_end_matches('.').to_owned(), reason.to_string());
    }

    /// A member, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<Member<'a>> {
        let (_, at, value) = self.members.get(name)?;
        Some(Member { notes: self.notes, path: format!("{}{name}", self.path), at: *at, value })
    }

    /// A member that may be there, as `how` reads it.
    pub(super) fn may<T>(&self, name: &str, how: impl FnOnce(&Member<'a>) -> Option<T>) -> Option<T> {
        self.get(name).and_then(|member| how(&member))
    }

    /// A member that must be there, as `how` reads it.
    pub(super) fn must<T>(&self, name: &str, how: impl FnOnce(&Member<'a>) -> Option<T>) -> Option<T> {
        let member = self.get(name);
        if member.is_none() {
            self.mistake(format_args!("{name} is missing"));
        }
        member.and_then(|member| how(&member))
    }

    /// What is said under `name` and, in other languages, under `name#tag` (RFC 7591 §2.2), as `how` reads it.
    pub(super) fn localized(&self, name: &str, how: impl Fn(&Member<'a>) -> Option<String>) -> Localized {
        let prefix = format!("{name}#");
        let tags = self.members.keys().filter_map(|member| member.strip_prefix(&prefix));
        let in_language = |tag: &str| {
            let member = self.get(&format!("{prefix}{tag}"))?;
            Some((
                member.or_mistake(language(tag).ok(), "ends with no language tag, such as #ja")?,
                how(&member)?,
            ))
        };
        Localized { usual: self.may(name, &how), by_language: tags.filter_map(in_language).collect() }
    }

    /// The tables that are written `[[name]]`; there must be one.
    pub(super) fn tables(&self, name: &str) -> Vec<Self> {
        let Some(member) = self.get(name) else {
            self.mistake(format_args!("there is no [[{name}]]"));
            return Vec::new();
        };
        if !matches!(member.value, Node::List(_)) {
            member.mistake(format_args!("must be written [[{name}]]"));
            return Vec::new();
        }
        member.list().unwrap_or_default().iter().filter_map(Member::table).collect()
    }

    /// Notes every member that is none of `known`: with what `hint` says of it, or with the name that was probably
    /// meant. Those in `localized` may be said in several languages, as `client_name#ja`.
    pub(super) fn refuse_others(
        &self,
        known: &[&str],
        localized: &[&str],
        hint: impl Fn(&str) -> Option<String>,
    ) {
        let in_a_language = |name: &str| name.split_once('#').is_some_and(|(it, _)| localized.contains(&it));
        let is_known = |name: &str| known.contains(&name) || in_a_language(name);
        for (name, (at, ..)) in self.members.iter().filter(|(name, _)| !is_known(name)) {
            let reason = hint(name).unwrap_or_else(|| match nearest(name, known) {
                Some(meant) => format!("there is no such member; did you mean {meant}?"),
                None => format!("there is no such member; there are {}", known.join(", ")),
            });
            self.notes.add(*at, format!("{}{name}", self.path), reason);
        }
    }
}

/// The known name that is most like `name`, if one is.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(name, candidate);
    let best = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.8).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes<T>(text: &str, reader: impl FnOnce(&Table<'_>) -> Option<T>) -> String {
        read("idp.toml", text, reader).err().map_or_else(String::new, |mistakes| mistakes.to_string())
    }

    #[test]
    fn every_mistake_is_named_with_its_line_in_the_order_of_the_lines() {
        let said = mistakes("[[a]]\nb = 1\nc = [\n  true,\n  'x',\n]\n\n[[a]]\nd = 1979-05-27\n", |root| {
            let tables = root.tables("a");
            tables[1].must("b", Member::text);
            tables[1].may("d", Member::text);
            let flags: Vec<_> = tables[0].may("c", Member::list)?.iter().map(Member::flag).collect();
            assert_eq!(flags, [Some(true), None]);
            tables[0].may("b", Member::text).map(|_| ())
        });
        let expected = [
            "idp.toml:2: a[0].b: must be a text in quotes",
            "idp.toml:5: a[0].c[1]: must be true or false",
            "idp.toml:8: a[1]: b is missing",
            "idp.toml:9: a[1].d: must be a text in quotes",
        ];
        assert_eq!(said, expected.join("\n"));
    }

    #[test]
    fn a_broken_line_is_named_and_hides_what_would_only_seem_missing() {
        let said = mistakes("a = 1\nb = 'x\n", |root| root.must("c", Member::text).map(|_| ()));
        assert!(said.starts_with("idp.toml:2: ") && said.lines().count() == 1, "{said}");
    }

    #[test]
    fn a_misspelt_member_is_told_the_name_that_was_meant() {
        let known = ["redirect_uris", "client_name"];
        let read = |root: &Table<'_>| {
            root.refuse_others(&known, &[], |name| (name == "password").then(|| "never".into()));
            Some(())
        };
        assert_eq!(
            mistakes("redirect_uri = []\n\nzzz = 1\npassword = ''\nclient_name = ''", read),
            "idp.toml:1: redirect_uri: there is no such member; did you mean redirect_uris?\n\
             idp.toml:3: zzz: there is no such member; there are redirect_uris, client_name\n\
             idp.toml:4: password: never"
        );
    }
}
