//! Steps 1 and 2: the user clicks Login, the RP sends the browser to the authorization endpoint
//! (OpenID Connect Core §3.1.2.1, RFC 7636 §4.3).

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web::Data};
use openidconnect::{
    AuthorizationRequest, ClientId, CsrfToken, JsonWebKeySet, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope,
    core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient},
};
use shared::{
    flow::{Step, Turn, Value},
    params::Params,
    pkce::CodeVerifier,
    random,
    response_mode::ResponseMode,
    scope::Scope as LocalScope,
    secret::Secret,
};
use url::{ParseError, Url};
use web::{problem::Problem, visitor};

use crate::{
    attempt::{Attempt, Kept},
    attempt_cookie,
    config::Settings,
    flows, next, problems,
    state::AppState,
    way::Way,
};

/// `GET /login`, with an optional `next` and what else is wished for.
pub async fn login(request: HttpRequest, state: Data<AppState>) -> Result<HttpResponse, Problem> {
    let params = Params::parse(request.query_string().as_bytes(), &["prompt"]).map_err(Problem::malformed)?;
    let (settings, wishes) = (&state.settings, Wishes::read(&params)?);
    let provider = state
        .provider
        .metadata()
        .await
        .map_err(|error| problems::provider(error, Step::AuthorizationRequest))?;
    let login_state = random::token(&*state.random);
    let cookie = Secret::mint("", &*state.random);
    let kept = Arc::new(Kept {
        provider,
        client: state.client(),
        scope: wishes.scope.clone().unwrap_or_else(|| settings.scope.clone()),
        nonce: Secret::mint("", &*state.random),
        verifier: CodeVerifier::generate(&*state.random),
        browser: cookie.hash(),
        response_mode: wishes.response_mode.unwrap_or(settings.response_mode),
        next: next::local(params.get("next"), &settings.base_url),
        max_age: wishes.max_age,
    });
    let plain = authorization_url(settings, &kept, &login_state, &wishes).map_err(Problem::internal)?;
    let location = wishes.way.unwrap_or(settings.way).address(&state, &kept, plain).await?;
    let attempt = Attempt::Prepared(kept).send().map_err(Problem::internal)?;
    let (address, now) = (visitor::address(&request), state.clock.now());
    state
        .attempts
        .begin(Secret::new(&login_state).hash(), attempt, address, now + settings.attempt_lifetime, now)
        .await
        .map_err(|_| Problem::overloaded())?;
    state.sink.lives(
        Step::AuthorizationRequest,
        &[
            (Value::State, Turn::Created),
            (Value::State, Turn::Stored),
            (Value::State, Turn::Sent),
            (Value::Nonce, Turn::Created),
            (Value::Nonce, Turn::Stored),
            (Value::Nonce, Turn::Sent),
            (Value::CodeVerifier, Turn::Created),
            (Value::CodeVerifier, Turn::Stored),
            (Value::CodeChallenge, Turn::Created),
            (Value::CodeChallenge, Turn::Sent),
        ],
    );
    let mut answer = HttpResponse::SeeOther();
    for cookie in attempt_cookie::issue(&request, settings, &login_state, &cookie) {
        answer.cookie(cookie);
    }
    if let Some(cookie) = flows::own(&state, &request) {
        answer.cookie(cookie);
    }
    Ok(answer.insert_header((LOCATION, location.as_str())).finish())
}

/// What somebody wishes for beyond the usual request.
struct Wishes {
    prompt: Option<CoreAuthPrompt>,
    /// What to ask for in place of the usual scope.
    scope: Option<LocalScope>,
    max_age: Option<u64>,
    /// How the answer is to come, in place of the usual way.
    response_mode: Option<ResponseMode>,
    /// How the request travels, if not as in the settings.
    way: Option<Way>,
    /// Parameters that go along as they are.
    others: Vec<(&'static str, String)>,
}

/// Parameters of the authorization request that are handed on as they were typed (OpenID Connect Core §3.1.2.1, §5.5).
pub const HANDED_ON: [&str; 4] = ["acr_values", "ui_locales", "login_hint", "claims"];

impl Wishes {
    fn read(params: &Params) -> Result<Self, Problem> {
        let scope = params.get("scope").map(LocalScope::parse).transpose();
        let max_age = params.get("max_age").map(str::parse).transpose();
        // The home page has a list of prompts, and buttons behind it that say another one.
        let prompt = prompt(params.all("prompt").last())?;
        // OpenID Connect Core §3.1.2.1: `max_age=0` asks for a login here and now, which `prompt=none` rules out. The two
        // together can have no answer but an error.
        let silent = matches!(prompt, Some(CoreAuthPrompt::None));
        let max_age = max_age.map_err(Problem::malformed)?.filter(|age| !(silent && *age == 0));
        let others = HANDED_ON.into_iter().filter_map(|name| Some((name, params.get(name)?.to_owned())));
        Ok(Self {
            prompt,
            scope: scope.map_err(Problem::malformed)?,
            max_age,
            response_mode: response_mode(params.get("response_mode"))?,
            way: way(params.get("way"))?,
            others: others.collect(),
        })
    }
}

fn way(chosen: Option<&str>) -> Result<Option<Way>, Problem> {
    let unknown = || Problem::malformed("way is none of plain, signed, pushed and signed_pushed");
    chosen.map(|id| Way::find(id).ok_or_else(unknown)).transpose()
}

/// Which pages the provider is to show (OpenID Connect Core §3.1.2.1). Without a choice it is the tutorial's `login`,
/// so that the login page shows every time. `sso` is a word of our own: the request then says nothing, and the
/// provider asks only for what it does not know yet.
fn prompt(chosen: Option<&str>) -> Result<Option<CoreAuthPrompt>, Problem> {
    match chosen {
        None | Some("login") => Ok(Some(CoreAuthPrompt::Login)),
        Some("sso") => Ok(None),
        Some("select_account") => Ok(Some(CoreAuthPrompt::SelectAccount)),
        Some("consent") => Ok(Some(CoreAuthPrompt::Consent)),
        Some("none") => Ok(Some(CoreAuthPrompt::None)),
        Some(_) => Err(Problem::malformed("prompt is none of login, sso, select_account, consent and none")),
    }
}

/// How the answer is to come (OAuth 2.0 Multiple Response Types §2.1).
fn response_mode(chosen: Option<&str>) -> Result<Option<ResponseMode>, Problem> {
    let mode =
        chosen.map(|name| ResponseMode::parse(name).ok_or("response_mode is neither query nor form_post"));
    mode.transpose().map_err(Problem::malformed)
}

/// The authorization request. Three values protect what comes back: `state` (it is this browser's, step 7), the PKCE
/// challenge (the code is ours, step 8), `nonce` (the ID token is for this very login, step 10).
fn authorization_url(
    settings: &Settings,
    kept: &Kept,
    state: &str,
    wishes: &Wishes,
) -> Result<Url, ParseError> {
    let client_id = ClientId::new(kept.client.id.as_str().to_owned());
    let client = CoreClient::new(client_id, kept.provider.issuer.clone(), JsonWebKeySet::default())
        .set_auth_uri(kept.provider.authorization_endpoint.clone())
        .set_redirect_uri(RedirectUrl::new(settings.redirect_uri())?);
    let state = CsrfToken::new(state.to_owned());
    let nonce = Nonce::new(kept.nonce.expose().to_owned());
    let verifier = PkceCodeVerifier::new(kept.verifier.expose().to_owned());
    // `openid` is added by the library.
    let scopes = kept.scope.iter();
    let scopes =
        scopes.filter(|value| *value != LocalScope::OPENID).map(|value| Scope::new(value.to_owned()));
    let request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
        .add_scopes(scopes)
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    let request = wishes.prompt.clone().into_iter().fold(request, AuthorizationRequest::add_prompt);
    let max_age = wishes.max_age.map(|seconds| ("max_age", seconds.to_string()));
    // The default needs no parameter.
    let mode = Some(kept.response_mode).filter(|mode| *mode != ResponseMode::default());
    let mode = mode.map(|mode| ("response_mode", mode.as_str().to_owned()));
    let others = wishes.others.iter().cloned().chain(max_age).chain(mode);
    let request = others.fold(request, |request, (name, value)| request.add_extra_param(name, value));
    let (location, _, _) = request.url();
    Ok(location)
}
