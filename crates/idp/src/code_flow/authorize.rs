//! Step 2: the authorization request (OpenID Connect Core §3.1.2.1 and §3.1.2.2, RFC 6749 §4.1.1).
//!
//! It is checked once. Until client and redirect URI are certain every error is a page; from then on every error goes
//! to the RP. What passes is kept on the server as an interaction, and the browser goes on with its handle.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Step, Turn as Moment, Value, Words},
    ids::ClientId,
    params::Params,
    pkce::CodeChallenge,
    response_mode::ResponseMode,
    scope::Scope,
    secret::Secret,
};
use web::{
    form::{Form, FormError},
    lang::Lang,
    problem::Problem,
    visitor,
};

use super::{
    asked::{self, Way},
    par,
    redirect::{self, Refusal},
    turn::{self, Turn},
    visit,
};
use crate::{
    domain::{
        audience::{Audience, Resources},
        authorization_request::{AuthorizationRequest, Hint},
        claims::scope_of,
        claims_request::{self, ClaimsRequest, ClaimsRequestError},
        client::{Client, GrantType},
        interaction::{Interaction, Progress, Stage},
        prompt::Prompt,
        return_address::ReturnAddress,
        session::ACR_PASSWORD,
    },
    http::{browser, by_get::by_get, id_token_hint},
    problems,
    state::AppState,
    store::StoreError,
    tokens,
};

/// What a client is told when there is no room for an answer.
const NO_ROOM: Refusal = Refusal {
    error: ErrorCode::TemporarilyUnavailable,
    description: "There is no room at the moment. Try again later.",
};

/// `GET /oauth/authorize`
pub async fn get(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let params = Params::parse_with_repeats(request.query_string().as_bytes()).map_err(Problem::malformed)?;
    Lang::suggest(&request, params.get("ui_locales").unwrap_or_default());
    let mut checks = state.checks();
    let client = known_client(&state, &params, &mut checks).await?;
    let (return_address, asked) = match par::presented(&params) {
        Some(request_uri) => {
            // RFC 6749 §3.1: also beside a request that was pushed no parameter stands twice.
            if let Some(name) = params.repeated(&asked::REPEATABLE) {
                return Err(problems::parameter_repeated(name));
            }
            par::taken(&state, &client, request_uri, &mut checks).await?
        }
        None => asked::asked(&state, &client, &params, Way::Browser, &mut checks)
            .await
            .map_err(|unanswerable| unanswerable.problem(&client))?,
    };
    match asked {
        Ok(asked) => {
            // The parameters need not stand in the address.
            Lang::suggest(&request, asked.ui_locales.as_deref().unwrap_or_default());
            proceed(&state, &request, &client, asked, &mut checks).await
        }
        Err(refusal) => redirect::send_back(&state, &request, &client, &return_address, &refusal.into()),
    }
}

/// `POST /oauth/authorize`: the same request in a form (OpenID Connect Core §3.1.2.1).
pub async fn post(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    by_get(&state.metadata.authorization_endpoint, &request, form)
}

/// The client that asks. RFC 6749 §4.1.2.1: when it is unknown, the user is told, and nobody is redirected.
async fn known_client(
    state: &AppState,
    params: &Params,
    checks: &mut Checks,
) -> Result<Arc<Client>, Problem> {
    // RFC 6749 §3.1: a parameter without a value says nothing, but it must not stand there a second time either.
    for name in ["client_id", "redirect_uri", "request_uri"] {
        if params.count(name) > 1 {
            return Err(problems::parameter_repeated(name));
        }
    }
    let id = params.get("client_id").unwrap_or_default();
    let client =
        state.stores.clients.find(&ClientId::new(id), state.present()).await.map_err(problems::from_store)?;
    checks
        .judge(Rule::ClientKnown, Words::RegisteredClient, params.get("client_id"), client.is_some())
        .map_err(|failed| problems::unknown_client().check(failed))?;
    client.ok_or_else(problems::unknown_client)
}

/// What is asked for, in the order in which the RP's developer would look for a mistake.
pub(super) fn validated(
    resources: &Resources,
    client: &Client,
    params: &Params,
    return_address: ReturnAddress,
    hint: Option<id_token_hint::Hint>,
    checks: &mut Checks,
) -> Result<AuthorizationRequest, Refusal> {
    code(client, params, checks)?;
    response_mode(params, checks)?;
    let scope = scope(client, params, checks)?;
    let audience = audience(resources, params, checks)?;
    let challenge = challenge(client, params, checks)?;
    let text = |name| params.get(name).map(ToOwned::to_owned);
    let mut claims = claims(client, params, checks)?;
    let named = hint.as_ref().map(|hint| vec![hint.subject.clone()]);
    let hint = self::hint(params, hint, checks);
    let prompt = prompt(params, checks)?;
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        return_address,
        scope: offline_only_with_a_page(scope, prompt),
        audience,
        nonce: text("nonce"),
        challenge,
        prompt,
        max_age: max_age(client, params, checks)?,
        // From here on nobody asks what `claims` alone says about them: a grant need not keep it.
        subjects: claims_request::both(named, claims.subjects.take()),
        hint,
        login_hint: text("login_hint").filter(|hint| !hint.is_empty()),
        claims,
        ui_locales: text("ui_locales"),
    })
}

/// RFC 6749 §3.1.1: which grant is meant.
fn code(client: &Client, params: &Params, checks: &mut Checks) -> Result<(), Refusal> {
    let response_type = params
        .get("response_type")
        .ok_or(Refusal { error: ErrorCode::InvalidRequest, description: "response_type is missing." })?;
    checks.equal(Rule::ResponseTypeCode, "code", response_type).map_err(Refusal::because(
        ErrorCode::UnsupportedResponseType,
        "The only response_type here is code.",
    ))?;
    // RFC 6749 §4.1.2.1: not every client that is registered may ask for a login.
    let types = client.grant_types.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" / ");
    let code = GrantType::AuthorizationCode;
    checks.judge(Rule::GrantTypeAllowed, types, code.as_str(), client.may_use(code)).map_err(
        Refusal::because(
            ErrorCode::UnauthorizedClient,
            "The client is not registered for authorization_code.",
        ),
    )
}

/// OAuth 2.0 Multiple Response Types §2.1: `query` is what `code` gets without being asked. Another mode than the two that
/// are listed in the discovery document is refused rather than replaced; the refusal travels in the default one.
fn response_mode(params: &Params, checks: &mut Checks) -> Result<(), Refusal> {
    let known = ResponseMode::ALL.map(ResponseMode::as_str);
    let asked = params.get("response_mode").unwrap_or(ResponseMode::default().as_str());
    checks
        .judge(Rule::ResponseModeKnown, known.join(" / "), asked, known.contains(&asked))
        .map_err(Refusal::because(ErrorCode::InvalidRequest, "response_mode is neither query nor form_post."))
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

/// OpenID Connect Core §11: to act while the user is away takes their word for it, each time anew. Where no page may be
/// shown, `offline_access` is ignored.
fn offline_only_with_a_page(scope: Scope, prompt: Prompt) -> Scope {
    if prompt.none { scope.filtered(|value| value != Scope::OFFLINE_ACCESS) } else { scope }
}

/// RFC 8707 §2.1: where the access token is to be used. An address that nobody answers for could be anybody's.
fn audience(resources: &Resources, params: &Params, checks: &mut Checks) -> Result<Audience, Refusal> {
    let asked: Vec<String> = params.all("resource").map(ToOwned::to_owned).collect();
    let audience = resources.asked(&asked);
    if !asked.is_empty() {
        let known = Words::RegisteredResource;
        checks
            .judge(Rule::ResourceKnown, known, asked.join(" / "), audience.is_some())
            .map_err(Refusal::because(ErrorCode::InvalidTarget, "A resource is unknown to this server."))?;
    }
    Ok(audience.unwrap_or_else(|| resources.usual.clone()))
}

/// RFC 9700 §2.1.1: PKCE, unless the client's registration says otherwise, and only with S256.
fn challenge(
    client: &Client,
    params: &Params,
    checks: &mut Checks,
) -> Result<Option<CodeChallenge>, Refusal> {
    let presented = params.get("code_challenge");
    // A method without a challenge is a request that lost its challenge on the way.
    if !client.requires_pkce() && presented.or(params.get("code_challenge_method")).is_none() {
        checks.not_applicable(Rule::ChallengePresent, Words::Challenge, presented);
        return Ok(None);
    }
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
    challenge.map(Some).map_err(|_| Refusal {
        error: ErrorCode::InvalidRequest,
        description: "code_challenge is malformed.",
    })
}

/// OpenID Connect Core §3.1.2.1: known values, and `none` alone.
fn prompt(params: &Params, checks: &mut Checks) -> Result<Prompt, Refusal> {
    let presented = params.get("prompt");
    let prompt = Prompt::parse(presented.unwrap_or_default());
    checks.judge(Rule::PromptPossible, Words::PromptValues, presented, prompt.is_ok()).map_err(
        Refusal::because(
            ErrorCode::InvalidRequest,
            "prompt is none, or any of login, consent, select_account.",
        ),
    )?;
    Ok(prompt.unwrap_or_default())
}

/// OpenID Connect Core §3.1.2.1: a number of seconds; the registration may have one (`default_max_age`).
fn max_age(client: &Client, params: &Params, checks: &mut Checks) -> Result<Option<u64>, Refusal> {
    let Some(presented) = params.get("max_age") else {
        return Ok(client.default_max_age);
    };
    let seconds = presented.parse().ok().filter(|_| presented.bytes().all(|byte| byte.is_ascii_digit()));
    checks
        .judge(Rule::MaxAgeReadable, Words::Seconds, presented, seconds.is_some())
        .map_err(Refusal::because(ErrorCode::InvalidRequest, "max_age is not a number of seconds."))?;
    Ok(seconds)
}

/// OpenID Connect Core §3.1.2.2: a hint must be an ID token that this provider issued; it may have expired. One that
/// cannot be verified costs nobody their login: it says only that no login that was made earlier will do. One that the
/// client can have written itself (HS256) is worth as much as its `claims`: it says whom the client wants, and proves
/// nothing about them.
fn hint(params: &Params, read: Option<id_token_hint::Hint>, checks: &mut Checks) -> Hint {
    if params.get("id_token_hint").is_none() {
        return Hint::Absent;
    }
    let Some(read) = read else {
        checks.refuse(Rule::HintOurs, Words::OwnIdToken, Words::OtherIdToken);
        return Hint::Unverified;
    };
    checks.pass(Rule::HintOurs, Words::OwnIdToken);
    read.proved().cloned().map_or(Hint::Absent, Hint::User)
}

/// OpenID Connect Core §5.5 (`claims`) and §3.1.2.1 (`acr_values`, a wish that a login here can only ever meet with
/// what it is). Claims whose scope value the client is not registered for are dropped, as that value would be.
fn claims(client: &Client, params: &Params, checks: &mut Checks) -> Result<ClaimsRequest, Refusal> {
    let wished = params.get("acr_values").is_some_and(|values| !values.is_empty());
    let Some(presented) = params.get("claims") else {
        return Ok(ClaimsRequest { acr: wished, ..ClaimsRequest::default() });
    };
    let read = ClaimsRequest::parse(presented, ACR_PASSWORD);
    let readable = read != Err(ClaimsRequestError::Malformed);
    let shown = if readable { Words::ClaimsRequest } else { Words::AbsentOrMalformed };
    checks.judge(Rule::ClaimsReadable, Words::ClaimsRequest, shown, readable).map_err(Refusal::because(
        ErrorCode::InvalidRequest,
        "claims is not a JSON object of claims requests.",
    ))?;
    // OpenID Connect Core §5.5.1.1: an essential acr out of reach is a failed login.
    let shown = if read.is_ok() { Words::AcrReachable } else { Words::AcrUnreachable };
    checks.judge(Rule::AcrPossible, Words::AcrReachable, shown, read.is_ok()).map_err(Refusal::because(
        ErrorCode::UnmetAuthenticationRequirements,
        "No essential acr value can be reached here.",
    ))?;
    let mut read = read.unwrap_or_default();
    for claims in [&mut read.userinfo, &mut read.id_token] {
        claims.retain(|claim| scope_of(claim).is_some_and(|value| client.scope.contains(value)));
    }
    Ok(ClaimsRequest { acr: read.acr || wished, ..read })
}

/// The request is good. Either it can be answered at once, or the browser goes on to the page that comes next.
async fn proceed(
    state: &AppState,
    request: &HttpRequest,
    client: &Client,
    asked: AuthorizationRequest,
    checks: &mut Checks,
) -> Result<HttpResponse, Problem> {
    let session = browser::session(state, request, state.clock.now()).await.map_err(problems::from_store)?;
    let turn = turn::first(state, client, &asked, &session).await.map_err(problems::from_store)?;
    let (address, now) = (visitor::address(request), state.clock.now());
    let room = state.stores.have_room(&client.id, address, now).await.map_err(problems::from_store)?;
    if asked.prompt.none {
        let response = match turn::without_a_page(turn, checks) {
            // RFC 6749 §4.1.2.1: nobody is there to read a page.
            Ok(_) if !room => NO_ROOM.into(),
            Ok((authentication, allowed)) => {
                let issued = redirect::issue(state, client, &asked, address, authentication, &allowed).await;
                issued.unwrap_or_else(|StoreError::Full| NO_ROOM.into())
            }
            Err(refusal) => refusal.into(),
        };
        return redirect::send_back(state, request, client, &asked.return_address, &response);
    }
    if !room {
        return Err(problems::from_store(StoreError::Full));
    }
    match turn {
        Turn::Answer(authentication, allowed) => {
            redirect::approve(state, request, client, &asked, address, authentication, &allowed).await
        }
        Turn::Page(stage) => begin_interaction(state, request, asked, stage).await,
    }
}

/// Keeps what was asked for, bound to this browser, and leads to the first page.
async fn begin_interaction(
    state: &AppState,
    request: &HttpRequest,
    asked: AuthorizationRequest,
    stage: Stage,
) -> Result<HttpResponse, Problem> {
    let (address, now) = (visitor::address(request), state.clock.now());
    let to_sign_in = matches!(stage, Stage::AwaitingLogin { .. });
    if to_sign_in && !state.stores.sessions.has_room(address, now).await.map_err(problems::from_store)? {
        return Err(problems::from_store(StoreError::Full));
    }
    let known = browser::browser(state, request);
    let browser = known.clone().unwrap_or_else(|| tokens::mint_cookie(state.random.as_ref()));
    let handle: Secret = tokens::mint_handle(state.random.as_ref());
    let location = visit::page_of(state, &stage, handle.expose());
    let interaction = Interaction {
        browser: browser.hash(),
        address,
        progress: Progress::Open { request: Arc::new(asked), stage },
        expires: now + state.settings.interaction_lifetime,
    };
    state.stores.interactions.begin(handle.hash(), interaction, now).await.map_err(problems::from_store)?;
    state.sink.lives(
        Step::AuthorizationRequest,
        &[Value::State, Value::Nonce, Value::CodeChallenge].map(|value| (value, Moment::Stored)),
    );
    let mut response = HttpResponse::SeeOther();
    if known.is_none() {
        response.cookie(browser::browser_cookie(state, &browser));
    }
    Ok(response.insert_header((header::LOCATION, location)).finish())
}
