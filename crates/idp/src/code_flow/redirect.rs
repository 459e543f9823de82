//! Step 6: the browser goes back to the RP, with a code or an error (RFC 6749 §4.1.2 and §4.1.2.1).

use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, http::header};
use shared::{
    authorize::{AuthorizationResponse, location},
    error::ErrorCode,
    flow::{Checks, Failed, Rule, Step, Turn, Value},
    params::Params,
    response_mode::{FormPost, ResponseMode},
};
use web::{lang::Lang, problem::Problem};

use super::asked::Unanswerable;
use super::form_post;
use crate::{
    domain::{
        authorization_request::AuthorizationRequest,
        claims_request::ClaimsRequest,
        client::Client,
        consent::Permissions,
        grant::{Approval, Grant, GrantId},
        return_address::ReturnAddress,
        session::Authentication,
    },
    http::oauth_error::OAuthError,
    problems,
    state::AppState,
    store::Stored,
    tokens,
};

/// Checks `redirect_uri` against the client's registration. From here on the RP can be told what is wrong.
pub fn return_address(
    state: &AppState,
    client: &Client,
    params: &Params,
    checks: &mut Checks,
) -> Result<ReturnAddress, Unanswerable> {
    let presented = params.get("redirect_uri").ok_or(Unanswerable::Missing)?;
    // RFC 9700 §2.1: exact string matching.
    let address = ReturnAddress::of(client, params);
    let registered = state.shown_addresses(&client.redirect_uris);
    checks
        .judge(Rule::RedirectUriRegistered, registered, presented, address.is_some())
        .map_err(Unanswerable::Unregistered)?;
    address.ok_or(Unanswerable::Missing)
}

/// Sends the browser back in the way that was asked for.
pub fn send_back(
    state: &AppState,
    request: &HttpRequest,
    client: &Client,
    address: &ReturnAddress,
    response: &AuthorizationResponse,
) -> Result<HttpResponse, Problem> {
    let params = response.params(address.state(), &state.metadata.issuer);
    let redirect_uri = address.redirect_uri().as_str();
    match address.mode() {
        // 303, so that no form is ever posted on (RFC 9700 §4.12).
        ResponseMode::Query => Ok(HttpResponse::SeeOther()
            .insert_header((header::LOCATION, location(redirect_uri, &params)))
            .finish()),
        ResponseMode::FormPost => form_post::page(
            state,
            request,
            client.name.for_reader(Lang::of(request)).unwrap_or_default(),
            FormPost { action: redirect_uri.to_owned(), params },
        ),
    }
}

/// What the user allowed becomes a grant, known by its code until step 8, and the browser carries the code to the RP.
pub(super) async fn approve(
    state: &AppState,
    request: &HttpRequest,
    client: &Client,
    asked: &AuthorizationRequest,
    address: Option<IpAddr>,
    authentication: Authentication,
    allowed: &Permissions,
) -> Result<HttpResponse, Problem> {
    let response = issue(state, client, asked, address, authentication, allowed).await;
    let response = response.map_err(problems::from_store)?;
    send_back(state, request, client, &asked.return_address, &response)
}

/// The grant and its code, unless there is no room for them.
pub(super) async fn issue(
    state: &AppState,
    client: &Client,
    asked: &AuthorizationRequest,
    address: Option<IpAddr>,
    authentication: Authentication,
    allowed: &Permissions,
) -> Stored<AuthorizationResponse> {
    let now = state.clock.now();
    let mut id = [0; 16];
    state.random.fill(&mut id);
    let expires = now + state.settings.code_lifetime;
    let opened = |claims: &[String]| claims.iter().filter(|claim| allowed.opens(claim)).cloned().collect();
    let approval = Approval {
        grant: GrantId(uuid::Builder::from_random_bytes(id).into_uuid()),
        client_id: asked.client_id.clone(),
        authentication,
        address,
        scope: allowed.scope.clone(),
        claims: ClaimsRequest {
            userinfo: opened(&asked.claims.userinfo),
            id_token: opened(&asked.claims.id_token),
            ..asked.claims.clone()
        },
        audience: asked.audience.clone(),
    };
    let grant = Grant {
        nonce: asked.nonce.clone(),
        redirect_uri: asked.return_address.redirect_uri().as_str().to_owned(),
        challenge: asked.challenge.clone(),
        code_expires: expires,
        buys_for: state.settings.buys_for(client, &approval.scope),
        approval,
    };
    let code = tokens::mint_code(state.random.as_ref());
    // A late code is remembered for as long again, so that the RP is told that it is late and not that it is unknown.
    let forget = expires + state.settings.code_lifetime;
    state.stores.grants.issue(code.hash(), grant, forget, now).await?;
    state.sink.lives(
        Step::Redirect,
        &[
            (Value::Code, Turn::Created),
            (Value::Code, Turn::Stored),
            (Value::Code, Turn::Sent),
            (Value::State, Turn::Sent),
            (Value::State, Turn::Destroyed),
        ],
    );
    Ok(AuthorizationResponse::Code(code))
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

/// The same in JSON, for a request that was pushed.
impl From<Refusal> for OAuthError {
    fn from(Refusal { error, description }: Refusal) -> Self {
        Self::bad_request(error, description)
    }
}

impl From<Refusal> for AuthorizationResponse {
    fn from(Refusal { error, description }: Refusal) -> Self {
        Self::Error { error, description }
    }
}
