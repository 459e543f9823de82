//! Step 7: the browser is back. From here the code becomes tokens (steps 8 and 9, [`exchange`]), the ID
//! token is validated (step 10, [`validate`]), and a session starts (RFC 6749 §4.1.2, RFC 9207 §2.4).

use std::sync::Arc;

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web::Data};
use serde_json::Map;
use shared::{
    error::ErrorCode,
    flow::{Checks, Failed, Pause, Rule, Step, Turn, Value, Words},
    params::Params,
    response_mode::ResponseMode,
    secret::{Secret, SecretHash},
};
use viewer::tap;
use web::problem::Problem;

use crate::{
    attempt::{Attempt, Claim, Kept, Tokens, WrongStage},
    attempt_cookie,
    config::Settings,
    exchange, problems,
    provider::Metadata,
    session::{self, Notice, SignedIn, UserKey},
    state::AppState,
    step,
    userinfo::{self, Userinfo},
    validate::{self, Expected, IdToken},
    wire::Wire,
};

/// What came with the browser's return.
#[derive(Clone)]
pub struct Arrival {
    /// The parameters, as they were written in the query or in the form.
    pub params: String,
    /// In which of the two.
    pub mode: ResponseMode,
    /// The cookies that bind logins to this browser.
    cookies: Vec<(String, String)>,
}

impl Arrival {
    fn in_query(request: &HttpRequest, settings: &Settings) -> Self {
        let cookies = attempt_cookie::all_presented(request, settings);
        Self { params: request.query_string().to_owned(), mode: ResponseMode::Query, cookies }
    }

    /// With what was posted before, and the cookies that `request` has brought after it.
    pub fn posted(request: &HttpRequest, settings: &Settings, params: String) -> Self {
        Self { params, mode: ResponseMode::FormPost, ..Self::in_query(request, settings) }
    }
}

/// A login that has come to its end.
#[derive(Debug)]
pub struct Completed {
    login: Login,
    outcome: Result<Outcome, Problem>,
}

/// `GET /auth`. Success and an error of the provider leave this address by a redirect, so that Back and reload do not
/// come here again. A refusal is answered in place, and again at every reload.
pub async fn callback(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    arrived(&request, &session, &state, Arrival::in_query(&request, &state.settings)).await
}

/// The browser is back, however it has brought the answer.
pub async fn arrived(
    request: &HttpRequest,
    session: &Session,
    state: &Data<AppState>,
    arrival: Arrival,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = step::receive(request, state, &arrival).await {
        return Ok(answer);
    }
    let mut checks = Checks::kept(state.sink.clone());
    let claimed = claim(state, &arrival, &mut checks).await?;
    let completed = claimed.complete(&Wire::straight(state), checks).await;
    finish(session, state, completed).await
}

/// What has come of a login becomes the answer to the browser, and its session.
pub async fn finish(
    session: &Session,
    app: &AppState,
    Completed { mut login, outcome }: Completed,
) -> Result<HttpResponse, Problem> {
    let location = match outcome {
        Ok(Outcome::SignedIn(signed_in)) if signed_in.is_over(app.clock.now()) => {
            // The ID token was accepted within the tolerance for clocks. A session that has ended would look to the
            // user like a login that did nothing.
            session::end(session, &Notice::over_at_once())?;
            login.advance(app, Attempt::validate).await?;
            app.settings.home()
        }
        Ok(Outcome::SignedIn(signed_in)) => {
            session::start(session, &signed_in)?;
            app.sink.lives(
                Step::Validation,
                &[
                    (Value::Session, Turn::Created),
                    (Value::Session, Turn::Stored),
                    (Value::AccessToken, Turn::Stored),
                    (Value::IdToken, Turn::Stored),
                ],
            );
            if signed_in.refresh_token.is_some() {
                app.sink.lives(Step::Validation, &[(Value::RefreshToken, Turn::Stored)]);
            }
            login.advance(app, Attempt::validate).await?;
            login.kept.next.clone()
        }
        Ok(Outcome::Declined(code)) => {
            if app.sessions.have_room() {
                session::leave_notice(session, &Notice::oauth_error(code))?;
            }
            login.advance(app, Attempt::decline).await?;
            app.settings.home()
        }
        Err(problem) => {
            login.advance(app, |attempt| attempt.refuse(problem.clone())).await?;
            return Err(problem);
        }
    };
    Ok(HttpResponse::SeeOther()
        .cookie(attempt_cookie::forget(&app.settings, login.params.get("state").unwrap_or_default()))
        .insert_header((LOCATION, location))
        .finish())
}

/// A login attempt that this request, and no other, completes.
#[derive(Debug)]
pub struct Login {
    params: Params,
    mode: ResponseMode,
    key: SecretHash,
    kept: Arc<Kept>,
    attempt: Attempt,
}

/// A login attempt with the application that completes it.
pub struct Claimed<'a> {
    app: &'a AppState,
    login: Login,
}

/// How it ends when nothing is refused.
#[derive(Debug)]
enum Outcome {
    SignedIn(Box<SignedIn>),
    Declined(Option<ErrorCode>),
}

/// Step 7, first half: whose return is this? RFC 6749 §10.12: `state` must be of a login that this browser started, and
/// it counts once.
pub async fn claim<'a>(
    app: &'a AppState,
    arrival: &Arrival,
    checks: &mut Checks,
) -> Result<Claimed<'a>, Problem> {
    let params = Params::parse(arrival.params.as_bytes(), &[])
        .map_err(|error| Problem::malformed(error).at(Step::Callback))?;
    let state = params.get("state").ok_or_else(problems::state_missing)?;
    let key = SecretHash::of(state);
    let cookie = attempt_cookie::of(&arrival.cookies, &app.settings, state);
    let claim = app.attempts.claim(key, cookie, app.clock.now()).await;
    if let Claim::Unknown = claim {
        let failed = checks.refuse(Rule::StateKnown, Words::LoginUnderWay, Words::NoSuchLogin);
        return Err(problems::state_unknown(failed));
    }
    checks.pass(Rule::StateKnown, Words::LoginUnderWay);
    match claim {
        Claim::Claimed(kept) => {
            // The attempt is claimed: this `state` never counts again.
            app.sink
                .lives(Step::Callback, &[(Value::State, Turn::Compared), (Value::State, Turn::Destroyed)]);
            checks.pass(Rule::StateSameBrowser, Words::SameBrowser);
            checks.pass(Rule::StateUnused, Words::Unused);
            let attempt = Attempt::CalledBack(kept.clone());
            Ok(Claimed { app, login: Login { params, mode: arrival.mode, key, kept, attempt } })
        }
        Claim::OtherBrowser => {
            let failed = checks.refuse(Rule::StateSameBrowser, Words::SameBrowser, Words::OtherBrowser);
            Err(problems::state_other_browser(failed))
        }
        Claim::Refused(problem) => Err(*problem),
        Claim::Used | Claim::Unknown => {
            let failed = checks.refuse(Rule::StateUnused, Words::Unused, Words::Used);
            Err(problems::state_reused(failed))
        }
    }
}

impl Login {
    /// Notes how far the login has come.
    async fn advance(
        &mut self,
        app: &AppState,
        step: impl FnOnce(Attempt) -> Result<Attempt, WrongStage>,
    ) -> Result<(), Problem> {
        self.attempt = step(self.attempt.clone()).map_err(Problem::internal)?;
        app.attempts.put(self.key, self.attempt.clone(), app.clock.now()).await;
        Ok(())
    }
}

impl Claimed<'_> {
    /// Step 7, second half, to step 10.
    pub async fn complete(mut self, wire: &Wire<'_>, checks: Checks) -> Completed {
        let outcome = self.outcome(wire, checks).await;
        Completed { login: self.login, outcome }
    }

    async fn outcome(&mut self, wire: &Wire<'_>, mut checks: Checks) -> Result<Outcome, Problem> {
        let (app, kept) = (self.app, self.login.kept.clone());
        check_mode(&self.login, &mut checks).map_err(problems::response_mode_mismatch)?;
        check_issuer(&self.login.params, &kept.provider, &mut checks).map_err(problems::issuer_mismatch)?;
        if let Some(error) = self.login.params.get("error") {
            let description = self.login.params.get("error_description").unwrap_or_default();
            tracing::info!(?error, ?description, "the provider answered with an error");
            return Ok(Outcome::Declined(ErrorCode::parse(error)));
        }
        let code = self.login.params.get("code").ok_or_else(|| {
            Problem::malformed("the callback has neither code nor error").at(Step::Callback)
        })?;
        app.sink.lives(Step::Callback, &[(Value::Code, Turn::Received)]);
        app.sink.lives(
            Step::TokenRequest,
            &[
                (Value::Code, Turn::Sent),
                (Value::Code, Turn::Destroyed),
                (Value::CodeVerifier, Turn::Sent),
                (Value::CodeVerifier, Turn::Destroyed),
            ],
        );
        let tokens = exchange::exchange(wire, app, &kept, code, app.clock.now(), &mut checks).await?;
        exchange::note_arrival(app, &tokens);
        let tokens = Tokens { id_token: wire.id_token(Pause::Validation, &tokens.id_token).await, ..tokens };
        self.login.advance(app, |attempt| attempt.receive(tokens.clone())).await?;
        let id_token = self.validate(&tokens, &mut checks).await?;
        app.sink.lives(
            Step::Validation,
            &[
                (Value::Nonce, Turn::Compared),
                (Value::Nonce, Turn::Destroyed),
                (Value::IdToken, Turn::Compared),
            ],
        );
        let (provider, subject) = (&kept.provider, &id_token.subject);
        let userinfo = userinfo::ask(wire, provider, &tokens.access_token, subject, &mut checks).await?;
        if !app.sessions.have_room() {
            // The code is spent: the same address would bring nothing.
            return Err(Problem::overloaded().next(app.settings.home()));
        }
        let signed_in =
            SignedIn { stepwise: wire.holds(), ..self.sign_in(tokens, id_token, userinfo, checks) };
        Ok(Outcome::SignedIn(Box::new(signed_in)))
    }

    /// Step 10.
    async fn validate(&self, tokens: &Tokens, checks: &mut Checks) -> Result<IdToken, Problem> {
        let (app, kept) = (self.app, &self.login.kept);
        let jwt = validate::read(tokens.id_token.expose(), checks).map_err(problems::id_token_refused)?;
        let keys = app
            .provider
            .keys_for(&kept.client, &jwt, &kept.provider)
            .await
            .map_err(|error| problems::provider(error, Step::Validation))?;
        let expected = Expected {
            issuer: &kept.provider.issuer,
            client_id: kept.client.id.as_str(),
            nonce: kept.nonce.expose(),
            access_token: tokens.access_token.expose(),
            max_age: kept.max_age,
            renewed: None,
            now: app.clock.now(),
        };
        validate::validate(jwt, &keys, &expected, checks).map_err(problems::id_token_refused)
    }

    fn sign_in(&self, tokens: Tokens, id_token: IdToken, userinfo: Userinfo, checks: Checks) -> SignedIn {
        let (app, now) = (self.app, self.app.clock.now());
        let outcome = userinfo.id().to_owned();
        SignedIn {
            user: UserKey { iss: self.login.kept.provider.issuer.to_string(), sub: id_token.subject },
            client: self.login.kept.client.id.as_str().to_owned(),
            began: now,
            ends: id_token.expires.min(now + app.settings.session_lifetime),
            id_token_claims: id_token.claims,
            userinfo_claims: match userinfo {
                Userinfo::Received(claims) => claims,
                Userinfo::Failed | Userinfo::None => Map::new(),
            },
            userinfo: outcome,
            checks: checks.into_made().into_iter().map(Into::into).collect(),
            csrf: Secret::mint("", &*app.random),
            flow: tap::current_flow(),
            stepwise: false,
            access_token: tokens.access_token,
            id_token: tokens.id_token,
            refresh_token: tokens.refresh_token,
            access_expires: tokens.expires,
            // RFC 6749 §5.1: an answer without a scope means the one that was asked for.
            scope: tokens.scope.unwrap_or_else(|| self.login.kept.scope.to_string()),
            renewed: None,
            before: None,
        }
    }
}

/// OAuth 2.0 Multiple Response Types §2.1: the answer comes in the way that was asked for. A code in an address though a form
/// was asked for has been where others can see it; and a form that nobody asked for is something that any site can send.
fn check_mode(Login { kept, params, mode, .. }: &Login, checks: &mut Checks) -> Result<(), Failed> {
    let (asked, came) = (kept.response_mode.as_str(), mode.as_str());
    // A provider that does not know the mode can say so in the default one only.
    if asked != came && *mode == ResponseMode::default() && params.get("error").is_some() {
        checks.not_applicable(Rule::ResponseModeAsAsked, asked, came);
        return Ok(());
    }
    checks.equal(Rule::ResponseModeAsAsked, asked, came)
}

/// RFC 9207 §2.4: the answer comes from the issuer that was asked. Without this check an honest provider's code could
/// be taken to a dishonest one's token endpoint ("mix-up"). Who announces `iss` and leaves it out is not believed.
fn check_issuer(params: &Params, provider: &Metadata, checks: &mut Checks) -> Result<(), Failed> {
    let asked = provider.issuer.as_str();
    match params.get("iss") {
        Some(iss) => checks.equal(Rule::ResponseIssuer, asked, iss),
        None if provider.announces_iss => Err(checks.refuse(Rule::ResponseIssuer, asked, Words::Absent)),
        None => {
            checks.not_applicable(Rule::ResponseIssuer, asked, Words::AbsentNotAnnounced);
            Ok(())
        }
    }
}
