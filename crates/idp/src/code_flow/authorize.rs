//! Step 2: the authorization request (OpenID Connect Core §3.1.2.1 and §3.1.2.2, RFC 6749 §4.1.1).
//!
//! It is checked once. Until client and redirect URI are certain every error is a page; from then on every error goes to
//! the RP. What passes is kept on the server as an interaction, and the browser goes on with its handle.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Words},
    ids::ClientId,
    params::Params,
    pkce::CodeChallenge,
    scope::Scope,
    secret::Secret,
};
use web::{
    form::{Form, FormError},
    problem::Problem,
};

use super::redirect::{self, Refusal};
use crate::{
    domain::{
        client::Client,
        interaction::{AuthorizationRequest, Interaction, Stage},
        return_address::ReturnAddress,
    },
    http::browser,
    problems,
    state::AppState,
    tokens,
};

/// These may stand more than once (RFC 8707 §2, RFC 8693 §2.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// `GET /oauth/authorize`
pub async fn get(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let params = Params::parse_with_repeats(request.query_string().as_bytes()).map_err(Problem::malformed)?;
    let mut checks = state.checks();
    let client = known_client(&state, &params, &mut checks).await?;
    let return_address = redirect::return_address(&client, &params, &mut checks)?;
    match validated(&client, &params, return_address.clone(), &mut checks) {
        Ok(asked) => begin_interaction(&state, &request, asked).await,
        Err(refusal) => Ok(redirect::send_back(&return_address, &state.metadata.issuer, &refusal.into())),
    }
}

/// `POST /oauth/authorize`: the same request in a form (OpenID Connect Core §3.1.2.1).
///
/// The form comes from another site, so the browser leaves out the cookie that says which browser it is. Sent back to
/// itself with a GET, it brings the cookie along; there is only one way in.
pub async fn post(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    let params = form?.behind_query(request.query_string())?;
    let location = format!("{}?{}", state.metadata.authorization_endpoint, params.encode());
    if location.len() > web::front_door::MAX_ADDRESS {
        return Err(Problem::too_large());
    }
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish())
}

/// The client that asks. RFC 6749 §4.1.2.1: when it is unknown, the user is told, and nobody is redirected.
async fn known_client(
    state: &AppState,
    params: &Params,
    checks: &mut Checks,
) -> Result<Arc<Client>, Problem> {
    for name in ["client_id", "redirect_uri"] {
        if params.all(name).count() > 1 {
            return Err(problems::parameter_repeated(name));
        }
    }
    let id = params.get("client_id").unwrap_or_default();
    let client = state.stores.clients.find(&ClientId::new(id)).await.map_err(problems::from_store)?;
    checks
        .judge(Rule::ClientKnown, Words::RegisteredClient, params.get("client_id"), client.is_some())
        .map_err(|failed| problems::unknown_client().check(failed))?;
    client.ok_or_else(problems::unknown_client)
}

/// The rest of the request, in the order in which the RP's developer would look for a mistake.
fn validated(
    client: &Client,
    params: &Params,
    return_address: ReturnAddress,
    checks: &mut Checks,
) -> Result<AuthorizationRequest, Refusal> {
    // RFC 6749 §3.1: no parameter stands twice.
    if params.repeated(&REPEATABLE).is_some() {
        return Err(Refusal {
            error: ErrorCode::InvalidRequest,
            description: "A parameter stands more than once.",
        });
    }
    by_value(params, checks)?;
    code_in_query(params, checks)?;
    let scope = scope(client, params, checks)?;
    let challenge = challenge(params, checks)?;
    prompt(params, checks)?;
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        return_address,
        scope,
        nonce: params.get("nonce").map(ToOwned::to_owned),
        challenge,
        ui_locales: params.get("ui_locales").map(ToOwned::to_owned),
    })
}

/// OpenID Connect Core §6: request objects are not read, and not ignored either.
fn by_value(params: &Params, checks: &mut Checks) -> Result<(), Refusal> {
    for (name, error, description) in [
        ("request", ErrorCode::RequestNotSupported, "Request objects are not supported."),
        ("request_uri", ErrorCode::RequestUriNotSupported, "Request objects by reference are not supported."),
    ] {
        let given = params.get(name);
        checks
            .judge(Rule::RequestByValueOnly, Words::Absent, given, given.is_none())
            .map_err(Refusal::because(error, description))?;
    }
    Ok(())
}

/// RFC 6749 §3.1.1: which grant is meant. OAuth 2.0 Multiple Response Types §2.1: `query` is what `code` gets without
/// being asked.
fn code_in_query(params: &Params, checks: &mut Checks) -> Result<(), Refusal> {
    let response_type = params
        .get("response_type")
        .ok_or(Refusal { error: ErrorCode::InvalidRequest, description: "response_type is missing." })?;
    checks.equal(Rule::ResponseTypeCode, "code", response_type).map_err(Refusal::because(
        ErrorCode::UnsupportedResponseType,
        "The only response_type here is code.",
    ))?;
    let response_mode = params.get("response_mode").unwrap_or("query");
    checks
        .equal(Rule::ResponseModeQuery, "query", response_mode)
        .map_err(Refusal::because(ErrorCode::InvalidRequest, "The only response_mode here is query."))
}

/// RFC 6749 §3.3. Values that the client is not registered for are dropped; the token answer states what is left.
fn scope(client: &Client, params: &Params, checks: &mut Checks) -> Result<Scope, Refusal> {
    let asked = params.get("scope").unwrap_or_default();
    let granted = Scope::parse(asked).map(|scope| scope.intersection(&client.scope)).unwrap_or_default();
    checks
        .judge(Rule::ScopeAllowed, client.scope.to_string(), params.get("scope"), !granted.is_empty())
        .map_err(Refusal::because(
            ErrorCode::InvalidScope,
            "scope names nothing that this client may ask for.",
        ))?;
    Ok(granted)
}

/// RFC 9700 §2.1.1: PKCE from every client, and only with S256.
fn challenge(params: &Params, checks: &mut Checks) -> Result<CodeChallenge, Refusal> {
    let presented = params.get("code_challenge");
    let challenge = CodeChallenge::parse(presented.unwrap_or_default());
    checks.judge(Rule::ChallengePresent, Words::Challenge, presented, challenge.is_ok()).map_err(
        Refusal::because(
            ErrorCode::InvalidRequest,
            "code_challenge is missing or malformed; PKCE is required.",
        ),
    )?;
    // RFC 7636 §4.3: an absent method would mean `plain`.
    let method = params.get("code_challenge_method").unwrap_or("plain");
    checks.equal(Rule::ChallengeMethod, "S256", method).map_err(Refusal::because(
        ErrorCode::InvalidRequest,
        "The only code_challenge_method here is S256.",
    ))?;
    challenge.map_err(|_| Refusal {
        error: ErrorCode::InvalidRequest,
        description: "code_challenge is malformed.",
    })
}

/// OpenID Connect Core §3.1.2.1: without a page nobody can sign in and consent, and both are asked at every login.
fn prompt(params: &Params, checks: &mut Checks) -> Result<(), Refusal> {
    let prompt = params.get("prompt");
    let silent = prompt.is_some_and(|prompt| prompt.split(' ').any(|value| value == "none"));
    checks
        .judge(Rule::PromptPossible, Words::PromptWithPage, prompt, !silent)
        .map_err(Refusal::because(ErrorCode::LoginRequired, "The user must sign in."))
}

/// Keeps what was asked for, bound to this browser, and shows the login page.
async fn begin_interaction(
    state: &AppState,
    request: &HttpRequest,
    asked: AuthorizationRequest,
) -> Result<HttpResponse, Problem> {
    let now = state.clock.now();
    let known = browser::browser(state, request);
    let browser = known.clone().unwrap_or_else(|| tokens::mint_cookie(state.random.as_ref()));
    let handle: Secret = tokens::mint_handle(state.random.as_ref());
    let interaction = Interaction {
        browser: browser.hash(),
        request: asked,
        stage: Stage::AwaitingLogin,
        expires: now + state.settings.interaction_lifetime,
    };
    state.stores.interactions.begin(handle.hash(), interaction, now).await.map_err(problems::from_store)?;
    let mut response = HttpResponse::SeeOther();
    if known.is_none() {
        response.cookie(browser::browser_cookie(state, &browser));
    }
    let location = format!("{}/login/{}", state.settings.origin.as_str(), handle.expose());
    Ok(response.insert_header((header::LOCATION, location)).finish())
}
