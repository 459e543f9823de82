//! The `claims` parameter: claims that are asked for one by one (OpenID Connect Core §5.5).

use serde::Deserialize;
use serde_json::{Map, Value};
use shared::ids::Subject;
use thiserror::Error;

use super::claims;

/// Why the parameter cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ClaimsRequestError {
    /// It is not a JSON object of the members and values of §5.5, or names more users than [`MOST_SUBJECTS`].
    #[error("claims is not a JSON object as OpenID Connect Core §5.5 has it")]
    Malformed,
    /// An `acr` is essential, and none of its values is one that this provider can reach.
    #[error("no essential acr value can be reached")]
    Acr,
}

/// How many users a request can name: as many as sign in with one browser, and more. Each takes much more room than its
/// place in the parameter.
pub const MOST_SUBJECTS: usize = 16;

/// What the parameter asks for, as far as this provider can answer it. Claims that it does not know are left out, as
/// §5.5 wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// Standard claims for the userinfo endpoint.
    pub userinfo: Vec<String>,
    /// Standard claims for the ID token.
    pub id_token: Vec<String>,
    /// The users of whom one must be the one whom the answer is about, if that is asked for.
    pub subjects: Option<Vec<Subject>>,
    /// Whether the ID token is to say `acr`.
    pub acr: bool,
}

/// What may be said about one claim (§5.5.1); `null` says nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    essential: bool,
    value: Option<Value>,
    values: Vec<Value>,
}

impl ClaimsRequest {
    /// How much it keeps, in bytes.
    pub fn weight(&self) -> usize {
        let claims =
            self.userinfo.iter().chain(&self.id_token).map(|claim| claim.len() + size_of::<String>());
        claims.sum::<usize>() + weight_of(self.subjects.as_deref())
    }

    /// Reads the parameter. `acr` is what a login here reaches.
    pub fn parse(text: &str, acr: &str) -> Result<Self, ClaimsRequestError> {
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Err(ClaimsRequestError::Malformed);
        };
        let userinfo = wishes(members.get("userinfo"))?;
        let id_token = wishes(members.get("id_token"))?;
        let wish = |name: &str| id_token.iter().find(|(claim, _)| claim == name).map(|(_, wish)| wish);
        if let Some(Wish { essential: true, value, values }) = wish("acr") {
            let mut named = value.iter().chain(values);
            // §5.5.1.1: an essential acr that cannot be reached is a failed login.
            if (value.is_some() || !values.is_empty()) && !named.any(|value| value == acr) {
                return Err(ClaimsRequestError::Acr);
            }
        }
        let mut subjects = None;
        for (_, wish) in userinfo.iter().chain(&id_token).filter(|(claim, _)| claim == "sub") {
            subjects = both(subjects, named_subjects(wish)?);
        }
        Ok(Self {
            acr: wish("acr").is_some(),
            subjects,
            userinfo: standard(&userinfo),
            id_token: standard(&id_token),
        })
    }
}

/// How much users take that are named, in bytes. A text that is shared has two counters.
pub fn weight_of(subjects: Option<&[Subject]>) -> usize {
    let each = size_of::<Subject>() + 2 * size_of::<usize>();
    subjects.into_iter().flatten().map(|subject| each + subject.as_str().len()).sum()
}

/// Whom a wish for `sub` names, each of them once; nobody in particular if it gives no value.
fn named_subjects(wish: &Wish) -> Result<Option<Vec<Subject>>, ClaimsRequestError> {
    let mut named: Vec<Subject> = Vec::new();
    for value in wish.value.iter().chain(&wish.values) {
        let subject = value.as_str().ok_or(ClaimsRequestError::Malformed)?;
        if named.iter().any(|known| known.as_str() == subject) {
            continue;
        }
        if named.len() == MOST_SUBJECTS {
            return Err(ClaimsRequestError::Malformed);
        }
        named.push(Subject::new(subject));
    }
    Ok((!named.is_empty()).then_some(named))
}

/// Those whom both wishes allow.
pub fn both(one: Option<Vec<Subject>>, other: Option<Vec<Subject>>) -> Option<Vec<Subject>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.into_iter().filter(|subject| other.contains(subject)).collect()),
        (one, other) => one.or(other),
    }
}

type Wishes = Vec<(String, Wish)>;

fn wishes(member: Option<&Value>) -> Result<Wishes, ClaimsRequestError> {
    let none = Map::new();
    let claims = match member {
        None | Some(Value::Null) => &none,
        Some(Value::Object(claims)) => claims,
        Some(_) => return Err(ClaimsRequestError::Malformed),
    };
    let read = |(name, wish): (&String, &Value)| {
        let wish = Option::<Wish>::deserialize(wish).map_err(|_| ClaimsRequestError::Malformed)?;
        Ok((name.clone(), wish.unwrap_or_default()))
    };
    claims.iter().map(read).collect()
}

fn standard(wishes: &Wishes) -> Vec<String> {
    let known = wishes.iter().filter(|(claim, _)| claims::scope_of(claim).is_some());
    known.map(|(claim, _)| claim.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACR: &str = "password";

    fn parse(text: &str) -> Result<ClaimsRequest, ClaimsRequestError> {
        ClaimsRequest::parse(text, ACR)
    }

    #[test]
    fn claims_are_asked_for_one_by_one() {
        let asked = parse(
            r#"{ "userinfo": { "name": { "essential": true }, "email": null, "http://example.info/x": null },
                 "id_token": { "auth_time": { "essential": true }, "nickname": null } }"#,
        )
        .unwrap();
        assert_eq!(
            (asked.userinfo, asked.id_token),
            (vec!["email".into(), "name".into()], vec!["nickname".into()])
        );
    }

    #[test]
    fn a_user_can_be_asked_for_by_name() {
        for (text, expected) in [
            (r#"{"id_token":{"sub":{"value":"1"}}}"#, Some(vec!["1"])),
            (r#"{"userinfo":{"sub":{"values":["1","2"]}}}"#, Some(vec!["1", "2"])),
            (
                r#"{"userinfo":{"sub":{"value":"1"}},"id_token":{"sub":{"values":["2","1"]}}}"#,
                Some(vec!["1"]),
            ),
            (r#"{"userinfo":{"sub":{"value":"1"}},"id_token":{"sub":{"value":"2"}}}"#, Some(vec![])),
            (r#"{"id_token":{"sub":null}}"#, None),
        ] {
            let expected = expected.map(|named| named.into_iter().map(Subject::new).collect());
            assert_eq!(parse(text).unwrap().subjects, expected, "{text}");
        }
    }

    #[test]
    fn i23_a_request_names_a_few_users_and_each_of_them_once() {
        let named = |names: &[String]| {
            let values = serde_json::json!({ "id_token": { "sub": { "values": names } } });
            parse(&values.to_string()).map(|asked| asked.subjects.unwrap_or_default().len())
        };
        let different = |number: usize| (0..number).map(|it| it.to_string()).collect::<Vec<_>>();
        assert_eq!(named(&vec![String::new(); 10_000]), Ok(1));
        assert_eq!(named(&vec![different(MOST_SUBJECTS); 100].concat()), Ok(MOST_SUBJECTS));
        assert_eq!(named(&different(MOST_SUBJECTS + 1)), Err(ClaimsRequestError::Malformed));
        let places = ClaimsRequest { subjects: Some(vec![Subject::new(""); 10]), ..ClaimsRequest::default() };
        assert!(places.weight() >= 10 * (size_of::<Subject>() + 16), "without any text");
    }

    #[test]
    fn an_essential_acr_must_be_within_reach() {
        for within in [
            "null",
            r#"{"essential":true}"#,
            r#"{"values":["x"]}"#,
            r#"{"essential":true,"values":["x","password"]}"#,
        ] {
            assert!(parse(&format!(r#"{{"id_token":{{"acr":{within}}}}}"#)).unwrap().acr, "{within}");
        }
        let beyond = r#"{"id_token":{"acr":{"essential":true,"value":"x"}}}"#;
        assert_eq!(parse(beyond), Err(ClaimsRequestError::Acr));
    }

    #[test]
    fn what_is_no_claims_request_is_refused() {
        for bad in [
            "",
            "[]",
            "1",
            "{",
            r#"{"userinfo":[]}"#,
            r#"{"userinfo":{"name":"x"}}"#,
            r#"{"id_token":{"sub":{"value":1}}}"#,
        ] {
            assert_eq!(parse(bad), Err(ClaimsRequestError::Malformed), "{bad}");
        }
        assert_eq!(parse(r#"{"other":1}"#), Ok(ClaimsRequest::default()));
    }
}
