//! Before step 2: how the authorization request travels. In plain parameters, as in the tutorial; signed, so that nobody can
//! change it (RFC 9101); left at the provider in advance, so that the browser carries nothing of it (RFC 9126); or both.

use std::time::Duration;

use openidconnect::HttpResponse;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::{
    error::ErrorCode,
    flow::{Exchange, Step},
    random,
};
use url::Url;
use web::problem::Problem;

use crate::{
    attempt::Kept,
    client::{self, Client},
    problems,
    provider::{FetchError, MAX_ANSWER, Metadata},
    state::AppState,
};

/// How long a signed request is good: as long as the browser may take to bring it, with a pause to look at it.
const LIFETIME: Duration = Duration::from_secs(600);
/// The kind of JWT that it is (RFC 9101 §10.8).
const KIND: &str = "oauth-authz-req+jwt";

/// The way of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// It is left at the provider in advance.
    pub pushed: bool,
    /// It is signed.
    pub signed: bool,
}

impl Way {
    /// The ways that there are.
    pub const ALL: [Self; 4] = [
        Self { pushed: false, signed: false },
        Self { pushed: false, signed: true },
        Self { pushed: true, signed: false },
        Self { pushed: true, signed: true },
    ];

    /// Its name in addresses and in the catalogue.
    pub const fn id(self) -> &'static str {
        match (self.pushed, self.signed) {
            (false, false) => "plain",
            (false, true) => "signed",
            (true, false) => "pushed",
            (true, true) => "signed_pushed",
        }
    }

    /// The one called `id`.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.id() == id)
    }

    /// The address for the browser in step 2, where `plain` has everything in it.
    pub async fn address(self, app: &AppState, kept: &Kept, plain: Url) -> Result<Url, Problem> {
        let mut address = plain;
        if self.signed {
            address = signed(app, kept, &address)?;
        }
        if self.pushed {
            address = pushed(app, &kept.client, &kept.provider, &address).await?;
        }
        Ok(address)
    }
}

/// RFC 9101 §4: the parameters as claims of a JWT. OpenID Connect Core §6.1: what makes it a request of OpenID Connect at
/// all stands outside as well.
fn signed(app: &AppState, kept: &Kept, plain: &Url) -> Result<Url, Problem> {
    let (us, endpoint) = (&kept.client, kept.provider.authorization_endpoint.url());
    let (id, now) = (us.id.as_str().to_owned(), app.clock.now());
    // RFC 6749 §3.1: a query of the endpoint's own stays, before everything else.
    let params = || plain.query_pairs().skip(endpoint.query_pairs().count());
    let mut claims: Map<String, Value> =
        params().map(|(name, value)| (name.clone().into_owned(), claim(&name, &value))).collect();
    claims.extend([
        ("iss".to_owned(), json!(id)),
        ("aud".to_owned(), json!(app.settings.issuer.as_str())),
        ("iat".to_owned(), json!(now.as_unix())),
        ("exp".to_owned(), json!((now + LIFETIME).as_unix())),
        ("jti".to_owned(), json!(random::token(app.random.as_ref()))),
    ]);
    let object = us.sign(app, KIND, &claims);
    let object = object.ok_or_else(|| Problem::internal("the request cannot be signed"))?;
    let outside =
        |(name, _): &(_, _)| matches!(AsRef::<str>::as_ref(name), "client_id" | "response_type" | "scope");
    let mut address = endpoint.clone();
    address.query_pairs_mut().extend_pairs(params().filter(outside)).append_pair("request", &object);
    Ok(address)
}

/// RFC 9101 §4: a number is a number there; OpenID Connect Core §5.5: what is JSON is JSON.
fn claim(name: &str, value: &str) -> Value {
    let json = matches!(name, "max_age" | "claims").then(|| serde_json::from_str(value).ok()).flatten();
    json.unwrap_or_else(|| value.into())
}

/// What the provider answers (RFC 9126 §2.2).
#[derive(Deserialize)]
struct Answer {
    request_uri: String,
}

/// What it answers when it refuses (RFC 9126 §2.3).
#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// RFC 9126 §2.1: the parameters go to the provider, with the proof of who sends them; §4: the browser brings the address
/// where they lie, and who left them there.
async fn pushed(app: &AppState, us: &Client, provider: &Metadata, address: &Url) -> Result<Url, Problem> {
    let endpoint = provider.pushed_authorization_request_endpoint.as_ref();
    let endpoint = endpoint.ok_or_else(problems::push_unsupported)?;
    let params: Vec<_> = address.query_pairs().collect();
    let form =
        client::form(app, us, endpoint.as_str(), params.iter().map(|(name, value)| (&**name, &**value)));
    let sent = app.provider.http().send(Exchange::Push, form.map_err(Problem::internal)?, MAX_ANSWER).await;
    let answer = sent.map_err(|error| match error {
        FetchError::Transport(_) | FetchError::Dropped => {
            problems::idp_unreachable(error).at(Step::AuthorizationRequest)
        }
        other => problems::push_answer_invalid(other),
    })?;
    let request_uri = read(&answer)?;
    let mut address = provider.authorization_endpoint.url().clone();
    address
        .query_pairs_mut()
        .append_pair("client_id", us.id.as_str())
        .append_pair("request_uri", &request_uri);
    Ok(address)
}

/// The provider's words go into the log, never onto the page; the page says what its code means.
fn read(answer: &HttpResponse) -> Result<String, Problem> {
    if answer.status().is_success() {
        let answer: Answer = serde_json::from_slice(answer.body()).map_err(problems::push_answer_invalid)?;
        return Ok(answer.request_uri);
    }
    match serde_json::from_slice::<Refused>(answer.body()) {
        Ok(Refused { error, error_description }) => {
            let said = format!("{error:?}, {error_description:?}");
            Err(problems::push_refused(ErrorCode::parse(&error), said))
        }
        Err(_) => Err(problems::push_answer_invalid(format!("status {}", answer.status()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_signed_request_numbers_are_numbers_and_json_is_json() {
        assert_eq!(claim("max_age", "300"), json!(300));
        assert_eq!(claim("claims", r#"{"id_token":{"acr":null}}"#), json!({ "id_token": { "acr": null } }));
        assert_eq!(claim("claims", "{"), json!("{"));
        assert_eq!(claim("state", "300"), json!("300"));
    }
}
