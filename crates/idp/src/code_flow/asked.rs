//! What an authorization request asks for, in whichever way it comes: in plain parameters or in a request object, with the
//! browser or pushed in advance. It is all the same to the checks behind it.

use std::borrow::Cow;

use shared::{
    error::ErrorCode,
    flow::{Checks, Failed, Rule, Words},
    params::Params,
};
use web::problem::Problem;

use super::{
    authorize,
    redirect::{self, Refusal},
    request_object,
};
use crate::{
    domain::{authorization_request::AuthorizationRequest, client::Client, return_address::ReturnAddress},
    http::{id_token_hint, oauth_error::OAuthError},
    problems,
    state::AppState,
    store::StoreError,
};

/// These may stand more than once (RFC 8707 §2, RFC 8693 §2.1).
pub const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// How a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// With the browser.
    Browser,
    /// From the client itself, in advance (RFC 9126).
    Pushed,
}

/// Where the answer goes, and what is asked for or why it is refused.
pub type Asked = (ReturnAddress, Result<AuthorizationRequest, Refusal>);

/// Why a request is refused while it is not certain where its answer may go.
#[derive(Debug)]
pub enum Unanswerable {
    /// It says nothing about that.
    Missing,
    /// It names an address that is not the client's.
    Unregistered(Failed),
    /// What would say so cannot be believed.
    Refused(Refusal),
    /// A store did not answer.
    Store(StoreError),
}

impl Unanswerable {
    /// What the user is told.
    pub fn problem(self, client: &Client) -> Problem {
        match self {
            Self::Missing => problems::redirect_uri_missing().next(client.home()),
            Self::Unregistered(failed) => {
                problems::redirect_uri_unregistered().check(failed).next(client.home())
            }
            Self::Refused(refusal) => {
                problems::request_refused(refusal.error).detail(refusal.description).next(client.home())
            }
            Self::Store(error) => problems::from_store(error),
        }
    }
}

impl From<Refusal> for Unanswerable {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Unanswerable {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// RFC 9126 §2.3: what the client is told that pushed it.
impl From<Unanswerable> for OAuthError {
    fn from(unanswerable: Unanswerable) -> Self {
        let invalid = |description| Self::bad_request(ErrorCode::InvalidRequest, description);
        match unanswerable {
            Unanswerable::Missing => invalid("redirect_uri is missing."),
            Unanswerable::Unregistered(_) => {
                invalid("redirect_uri is not one that the client is registered for.")
            }
            Unanswerable::Refused(refusal) => refusal.into(),
            Unanswerable::Store(error) => error.into(),
        }
    }
}

/// Checks a request of `client`.
pub async fn asked(
    state: &AppState,
    client: &Client,
    params: &Params,
    way: Way,
    checks: &mut Checks,
) -> Result<Asked, Unanswerable> {
    let packed = params.get("request");
    // RFC 9101 §6.3: what stands outside of a request object does not count. But if it is a registered address, that is where
    // the client is told that the object is no good.
    let outside = match packed {
        None => Some(redirect::return_address(state, client, params, checks)?),
        Some(_) => ReturnAddress::of(client, params),
    };
    let params = match (opened(state, client, params, way, checks).await, outside.clone()) {
        (Ok(params), _) => params,
        (Err(Unanswerable::Refused(refusal)), Some(address)) => return Ok((address, Err(refusal))),
        (Err(unanswerable), _) => {
            if params.get("redirect_uri").is_some() {
                redirect::return_address(state, client, params, checks)?;
            }
            return Err(unanswerable);
        }
    };
    let address = match outside.filter(|_| packed.is_none()) {
        Some(address) => address,
        None => redirect::return_address(state, client, &params, checks)?,
    };
    let hint = match params.get("id_token_hint") {
        Some(token) => id_token_hint::read(state, token).await?,
        None => None,
    };
    let checked = authorize::validated(&state.resources, client, &params, address.clone(), hint, checks);
    Ok((address, checked))
}

/// The parameters that count: those of a request object where there is one. RFC 9101 §5 and §6.3: what stands beside it
/// counts for nothing, so that whoever changes an address on its way changes no request.
async fn opened<'a>(
    state: &AppState,
    client: &Client,
    params: &'a Params,
    way: Way,
    checks: &mut Checks,
) -> Result<Cow<'a, Params>, Unanswerable> {
    // RFC 6749 §3.1: no parameter stands twice.
    if params.repeated(&REPEATABLE).is_some() {
        return Err(Refusal {
            error: ErrorCode::InvalidRequest,
            description: "A parameter stands more than once.",
        }
        .into());
    }
    not_by_reference(params, way, checks)?;
    as_registered(client, params, way, checks)?;
    match params.get("request") {
        Some(object) => Ok(Cow::Owned(request_object::open(state, client, params, object, checks).await?)),
        None => Ok(Cow::Borrowed(params)),
    }
}

/// OpenID Connect Core §6.2: what lies somewhere else is never fetched. RFC 9126 §2.1: what is pushed is there as a whole.
fn not_by_reference(params: &Params, way: Way, checks: &mut Checks) -> Result<(), Refusal> {
    let given = params.get("request_uri");
    let error = match way {
        Way::Browser => ErrorCode::RequestUriNotSupported,
        Way::Pushed => ErrorCode::InvalidRequest,
    };
    checks
        .judge(Rule::RequestByValueOnly, Words::Absent, given, given.is_none())
        .map_err(Refusal::because(error, "A request_uri is only taken when it was given out here."))
}

/// What the client is registered for: to push its requests (RFC 9126 §6), to sign them (RFC 9101 §10.5).
fn as_registered(client: &Client, params: &Params, way: Way, checks: &mut Checks) -> Result<(), Refusal> {
    let refused = |description| Refusal::because(ErrorCode::InvalidRequest, description);
    if client.require_pushed_authorization_requests {
        let is_pushed = way == Way::Pushed;
        let shown = if is_pushed { Words::PushedRequest } else { Words::Absent };
        checks
            .judge(Rule::PushedRequestRequired, Words::PushedRequest, shown, is_pushed)
            .map_err(refused("The client is registered to push its requests."))?;
    }
    if client.require_signed_request_object {
        let is_signed = params.get("request").is_some();
        let shown = if is_signed { Words::RequestObject } else { Words::Absent };
        checks
            .judge(Rule::SignedRequestRequired, Words::RequestObject, shown, is_signed)
            .map_err(refused("The client is registered to sign its requests."))?;
    }
    Ok(())
}
