//! `[[users]]`: who can sign in, with the claims of OpenID Connect Core §5.1 as members.

use serde_json::{Map, Value};
use shared::{clock::Timestamp, ids::Subject};

use super::{
    document::{Member, Table},
    values::{birthdate, email, filled, language, subject, web_address},
};
use crate::domain::{
    claims::{STANDARD, StandardClaims},
    password::PasswordHash,
    user::{User, Username},
};

/// The members of a user that are no claims, but for `sub`.
const OWN: [&str; 3] = ["sub", "username", "password_hash"];
/// The members of an address (OpenID Connect Core §5.1.1).
const ADDRESS: [&str; 6] = ["formatted", "street_address", "locality", "region", "postal_code", "country"];
/// 1990-01-01. Nothing that is kept here was written before.
const EARLIEST_UPDATE: u64 = 631_152_000;

/// Reads a user; `now` is the latest moment at which they can have changed.
pub(super) fn user(table: &Table<'_>, now: Timestamp) -> Option<User> {
    let claims = STANDARD.map(|(name, _)| name);
    table.refuse_others(&[&OWN[..], &claims].concat(), &[], |name| {
        (name == "password").then(|| {
            "passwords do not stand in this file; give its password_hash, which `idp hash-password` makes"
                .into()
        })
    });
    let subject = table.must("sub", |it| it.parse(subject));
    let username = table.must("username", |it| it.parse(filled));
    let password = table.must("password_hash", password_hash);
    let claims = claims_of(table, now);
    Some(User::new(Subject::new(subject?), Username::parse(&username?), password?, &claims?))
}

/// RFC 9106. One cost for all: who signs in slower or faster than others would show that they exist.
fn password_hash(member: &Member<'_>) -> Option<PasswordHash> {
    let hash = member.parse(PasswordHash::parse)?;
    if !hash.costs_the_usual() {
        member.mistake("must have the parameters m=19456,t=2,p=1, as `idp hash-password` makes it");
    }
    Some(hash)
}

fn claims_of(table: &Table<'_>, now: Timestamp) -> Option<StandardClaims> {
    let mut claims = Map::new();
    for (name, _) in STANDARD {
        claims.extend(table.may(name, |it| claim(name, it, now)).map(|value| (name.to_owned(), value)));
    }
    serde_json::from_value(Value::Object(claims)).map_err(|error| table.mistake(error)).ok()
}

/// OpenID Connect Core §5.1: what each claim may be.
fn claim(name: &str, member: &Member<'_>, now: Timestamp) -> Option<Value> {
    match name {
        "email_verified" | "phone_number_verified" => member.flag().map(Value::from),
        "updated_at" => updated_at(member, now).map(Value::from),
        "address" => Some(address(&member.table()?)),
        "profile" | "picture" | "website" => member.parse(web_address).map(Value::from),
        "email" => member.parse(email).map(Value::from),
        "birthdate" => member.parse(birthdate).map(Value::from),
        "locale" => member.parse(language).map(Value::from),
        _ => member.parse(filled).map(Value::from),
    }
}

fn updated_at(member: &Member<'_>, now: Timestamp) -> Option<u64> {
    let seconds = member.number()?;
    let now = u64::try_from(now.as_unix()).unwrap_or_default();
    if !(EARLIEST_UPDATE..=now).contains(&seconds) {
        member.mistake("must be seconds since 1970 that lie between 1990 and now");
    }
    Some(seconds)
}

fn address(table: &Table<'_>) -> Value {
    table.refuse_others(&ADDRESS, &[], |_| None);
    let mut members = Map::new();
    for name in ADDRESS {
        members.extend(table.may(name, |it| it.parse(filled)).map(|text| (name.to_owned(), text.into())));
    }
    if members.is_empty() {
        table.mistake(format_args!("must have one of {}", ADDRESS.join(", ")));
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use crate::config::example::{HASH, said, spoiled};

    #[test]
    fn each_mistake_of_a_user_is_named_with_its_line_and_its_reason() {
        for (member, reason) in [
            ("sub = 1", "sub: must be a text in quotes"),
            ("sub = '番号'", "sub: must be 1 to 255 characters of printable ASCII"),
            ("username = ' '", "username: must not be blank"),
            ("password = 'x'", "password: passwords do not stand in this file; give its password_hash"),
            ("password_hash = 'x'", "password_hash: not an Argon2id hash in PHC string format"),
            ("nickname = 'null'", "nickname: must not be \"null\"; leave it out instead"),
            ("nick_name = 'M'", "nick_name: there is no such member; did you mean nickname?"),
            ("website = 'mika.example'", "website: \"mika.example\" is not an absolute http"),
            ("email = 'mika'", "email: \"mika\" is not an e-mail address"),
            ("email_verified = 'yes'", "email_verified: must be true or false"),
            ("birthdate = 1990-04-01", "birthdate: must be a text in quotes"),
            ("birthdate = '1.4.1990'", "birthdate: \"1.4.1990\" is not a date such as 1990-04-01"),
            ("locale = 'en_US'", "locale: \"en_US\" is not a language tag such as ja or en-US"),
            ("updated_at = 631151999", "updated_at: must be seconds since 1970"),
            ("updated_at = 1795496601", "updated_at: must be seconds since 1970"),
            ("address = 'Tokyo'", "address: must be a table"),
            ("address = {}", "address: must have one of formatted, street_address"),
            ("address = { contry = 'JP' }", "address.contry: there is no such member; did you mean country?"),
            ("phone_number = ''", "phone_number: must not be blank"),
        ] {
            let said = said(&spoiled("[[users]]", member));
            assert!(said.starts_with(&format!("idp.toml:7: users[0].{reason}")), "{member}: {said}");
        }
        for needed in ["sub", "username", "password_hash"] {
            let said = said(&spoiled("[[users]]", needed));
            assert_eq!(said, format!("idp.toml:6: users[0]: {needed} is missing"));
        }
    }

    #[test]
    fn i11_every_password_costs_as_much_to_check_as_that_of_nobody() {
        for other in ["m=19456,t=3,p=1", "m=65536,t=2,p=1", "m=19456,t=2,p=2"] {
            let hash = HASH.replace("m=19456,t=2,p=1", other);
            let said = said(&spoiled("[[users]]", &format!("password_hash = '{hash}'")));
            assert!(
                said.contains("users[0].password_hash: must have the parameters m=19456,t=2,p=1"),
                "{said}"
            );
        }
    }
}
