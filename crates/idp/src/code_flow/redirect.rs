//! Step 6: the browser goes back to the RP, with a code or an error (RFC 6749 §4.1.2 and §4.1.2.1).

use actix_web::{HttpResponse, http::header};
use shared::{
    authorize::AuthorizationResponse,
    error::ErrorCode,
    flow::{Checks, Failed, Rule},
    ids::Issuer,
    params::Params,
};
use web::problem::Problem;

use crate::{
    domain::{
        client::{Client, RedirectUri},
        return_address::ReturnAddress,
    },
    problems,
};

/// Checks `redirect_uri` against the client's registration. From here on the RP can be told what is wrong.
pub fn return_address(
    client: &Client,
    params: &Params,
    checks: &mut Checks,
) -> Result<ReturnAddress, Problem> {
    let presented =
        params.get("redirect_uri").ok_or_else(|| problems::redirect_uri_missing().next(&client.uri))?;
    // RFC 9700 §2.1: exact string matching.
    let address = ReturnAddress::of(client, params);
    let registered = client.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>().join(" / ");
    checks
        .judge(Rule::RedirectUriRegistered, registered, presented, address.is_some())
        .map_err(|failed| problems::redirect_uri_unregistered().check(failed).next(&client.uri))?;
    address.ok_or_else(problems::redirect_uri_unregistered)
}

/// Sends the browser back. 303, so that no form is ever posted on (RFC 9700 §4.12).
pub fn send_back(address: &ReturnAddress, issuer: &Issuer, response: &AuthorizationResponse) -> HttpResponse {
    let location = response.location(address.redirect_uri().as_str(), address.state(), issuer);
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}

/// Why a request is refused, told to the RP through the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code that the RP decides by.
    pub error: ErrorCode,
    /// A sentence for the RP's developer, in printable ASCII without `"` and `\`.
    pub description: &'static str,
}

impl Refusal {
    /// What a failed check means to the RP.
    pub fn because(error: ErrorCode, description: &'static str) -> impl FnOnce(Failed) -> Self {
        move |Failed(check)| {
            tracing::info!(rule = check.rule.id(), "refused");
            Self { error, description }
        }
    }
}

impl From<Refusal> for AuthorizationResponse {
    fn from(Refusal { error, description }: Refusal) -> Self {
        Self::Error { error, description }
    }
}
