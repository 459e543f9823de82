//! Steps 8 and 9: the code, the verifier and the RP's own credentials go to the token endpoint, the tokens come back
//! (RFC 6749 §4.1.3, RFC 7636 §4.5, OpenID Connect Core §3.1.3).

use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeVerifier, RedirectUrl, RequestTokenError, StandardErrorResponse,
    StandardRevocableToken, StandardTokenResponse, TokenResponse as _,
    basic::{
        BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use shared::{
    clock::Timestamp,
    error::ErrorCode,
    flow::{Checks, Exchange, Rule, Step, Turn, Value, Words},
    secret::Secret,
};
use web::problem::Problem;

use crate::{
    attempt::{Kept, Tokens},
    client::{self, AuthMethod},
    problems,
    provider::{FetchError, MAX_ANSWER, Metadata},
    state::AppState,
    wire::Wire,
};

/// `id_token` as text. openidconnect would parse it together with the answer, and a broken token would look like a
/// broken answer; here it stays text until step 10, where every check has a name.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct IdTokenText {
    pub(crate) id_token: Option<Secret>,
}

impl ExtraTokenFields for IdTokenText {}

pub(crate) type TokenAnswer = StandardTokenResponse<IdTokenText, BasicTokenType>;

pub(crate) type TokenClient = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Exchanges the code. One request: a code works once, so nothing is tried again.
pub async fn exchange(
    wire: &Wire<'_>,
    app: &AppState,
    kept: &Kept,
    code: &str,
    now: Timestamp,
    checks: &mut Checks,
) -> Result<Tokens, Problem> {
    // RFC 6749 §4.1.3: the redirect URI of step 2 again, for the server to compare.
    let redirect_uri = RedirectUrl::new(app.settings.redirect_uri()).map_err(Problem::internal)?;
    let send = |request| wire.send(Exchange::Token, request, MAX_ANSWER);
    let us = &kept.client;
    let client = client(us, &kept.provider).set_redirect_uri(redirect_uri);
    let request = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(kept.verifier.expose().to_owned()));
    let proof = us.assertion(app, now).into_iter();
    let request = proof.fold(request, |request, (name, value)| request.add_extra_param(name, value));
    let answer = request.request_async(&send).await.map_err(explain)?;
    read(&answer, now, checks)
}

/// RFC 6749 §2.3.1: a secret travels in the `Authorization` header, each half form-encoded first, or in the form. Who
/// proves it with an assertion adds that to the request.
pub(crate) fn client(us: &client::Client, provider: &Metadata) -> TokenClient {
    let client = Client::new(ClientId::new(us.id.as_str().to_owned()));
    let client = match (us.auth_method, &us.secret) {
        (AuthMethod::ClientSecretBasic, Some(secret)) => client
            .set_client_secret(ClientSecret::new(secret.expose().to_owned()))
            .set_auth_type(AuthType::BasicAuth),
        (AuthMethod::ClientSecretPost, Some(secret)) => client
            .set_client_secret(ClientSecret::new(secret.expose().to_owned()))
            .set_auth_type(AuthType::RequestBody),
        _ => client.set_auth_type(AuthType::RequestBody),
    };
    client.set_token_uri(provider.token_endpoint.clone())
}

fn read(answer: &TokenAnswer, now: Timestamp, checks: &mut Checks) -> Result<Tokens, Problem> {
    check_type(answer, checks)?;
    // OpenID Connect Core §3.1.3.3: without an ID token nobody knows who signed in. Nobody is made up, either.
    let id_token = answer.extra_fields().id_token.clone();
    let shown = if id_token.is_some() { Words::Present } else { Words::Absent };
    checks
        .judge(Rule::IdTokenPresent, Words::Present, shown, id_token.is_some())
        .map_err(problems::id_token_missing)?;
    Ok(tokens(answer, id_token.unwrap_or_else(|| Secret::new("")), now))
}

/// OpenID Connect Core §3.1.3.3: the kind of token that we know how to use, in any case (RFC 6749 §5.1).
pub(crate) fn check_type(answer: &TokenAnswer, checks: &mut Checks) -> Result<(), Problem> {
    let kind = answer.token_type();
    checks
        .judge(Rule::TokenType, "Bearer", kind.as_ref(), *kind == BasicTokenType::Bearer)
        .map_err(problems::token_type)
}

/// What the answer brought. RFC 6749 §5.1: `scope` may be left out where it is as it was asked for.
pub(crate) fn tokens(answer: &TokenAnswer, id_token: Secret, now: Timestamp) -> Tokens {
    let scope =
        answer.scopes().map(|scopes| scopes.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" "));
    Tokens {
        access_token: Secret::new(answer.access_token().secret()),
        id_token,
        refresh_token: answer.refresh_token().map(|token| Secret::new(token.secret())),
        expires: answer.expires_in().map(|left| now + left),
        scope,
    }
}

pub(crate) type ExchangeError = RequestTokenError<FetchError, StandardErrorResponse<BasicErrorResponseType>>;

/// Tells whoever watches what has come: a refresh token only where the provider gave one.
pub(crate) fn note_arrival(app: &AppState, tokens: &Tokens) {
    let refresh_token = tokens.refresh_token.as_ref().map(|_| Value::RefreshToken);
    let received = [Value::AccessToken, Value::IdToken].into_iter().chain(refresh_token);
    let received: Vec<_> = received.map(|value| (value, Turn::Received)).collect();
    app.sink.lives(Step::TokenResponse, &received);
}

/// The provider's words go into the log, never onto the page; the page says what its code means.
pub(crate) fn explain(error: ExchangeError) -> Problem {
    match error {
        RequestTokenError::ServerResponse(refusal) => {
            let code: &str = refusal.error().as_ref();
            let description = refusal.error_description().map(String::as_str);
            let said = format!("{code:?}, {:?}", description.unwrap_or_default());
            problems::token_refused(ErrorCode::parse(code), said)
        }
        RequestTokenError::Request(error @ (FetchError::Transport(_) | FetchError::Dropped)) => {
            problems::idp_unreachable(error).at(shared::flow::Step::TokenRequest)
        }
        RequestTokenError::Request(error) => problems::token_answer_invalid(error),
        RequestTokenError::Parse(error, _) => problems::token_answer_invalid(error),
        RequestTokenError::Other(error) => problems::token_answer_invalid(error),
    }
}
