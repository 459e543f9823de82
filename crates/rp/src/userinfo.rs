//! The userinfo endpoint: the claims about the user, asked for once, after step 10 (OpenID Connect Core §5.3).

use serde_json::{Map, Value};
use shared::{
    flow::{Checks, Exchange, Rule, Words},
    secret::Secret,
};
use web::problem::Problem;

use crate::{
    problems,
    provider::{self, MAX_ANSWER, Metadata},
    wire::Wire,
};

/// What came of asking.
#[derive(Clone, Debug, PartialEq)]
pub enum Userinfo {
    /// The claims, about the user of the ID token.
    Received(Map<String, Value>),
    /// No answer, or one that is of no use. The login stands: the ID token has said who it is.
    Failed,
    /// The provider has no such endpoint.
    None,
}

impl Userinfo {
    /// Its name in templates.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Received(_) => "received",
            Self::Failed => "failed",
            Self::None => "none",
        }
    }
}

/// Asks for the claims. They must be about `subject`: otherwise somebody may have slipped in another user's access
/// token, and the whole login is refused.
pub async fn ask(
    wire: &Wire<'_>,
    metadata: &Metadata,
    access_token: &Secret,
    subject: &str,
    checks: &mut Checks,
) -> Result<Userinfo, Problem> {
    let Some(endpoint) = &metadata.userinfo_endpoint else {
        checks.not_applicable(Rule::UserinfoSubject, subject, Words::NoClaims);
        return Ok(Userinfo::None);
    };
    let answer = match provider::get(endpoint, Some(access_token)) {
        Ok(request) => wire.send(Exchange::Userinfo, request, MAX_ANSWER).await,
        Err(error) => Err(error),
    };
    let claims = match answer {
        Ok(answer) if answer.status().as_u16() == 200 => {
            serde_json::from_slice::<Map<String, Value>>(answer.body()).map_err(|error| error.to_string())
        }
        Ok(answer) => Err(format!("status {}", answer.status())),
        Err(error) => Err(error.to_string()),
    };
    let told = claims.and_then(|claims| match claims.get("sub").and_then(Value::as_str) {
        Some(sub) => Ok((sub.to_owned(), claims)),
        None => Err("the answer has no sub (OpenID Connect Core §5.3.2)".to_owned()),
    });
    match told {
        Ok((sub, claims)) => {
            checks.equal(Rule::UserinfoSubject, subject, &sub).map_err(problems::userinfo_subject)?;
            Ok(Userinfo::Received(claims))
        }
        Err(reason) => {
            tracing::warn!(reason, "no claims from the userinfo endpoint");
            checks.not_applicable(Rule::UserinfoSubject, subject, Words::NoClaims);
            Ok(Userinfo::Failed)
        }
    }
}
