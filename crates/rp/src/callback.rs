//! Step 7: the browser is back. From here the code becomes tokens (steps 8 and 9, [`exchange`]), the ID
//! token is validated (step 10, [`validate`]), and a session starts (RFC 6749 §4.1.2, RFC 9207 §2.4).

use std::sync::Arc;

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web::Data};
use serde_json::Map;
use shared::{
    error::ErrorCode,
    flow::{Checks, Failed, Rule, Step, Turn, Value, Words},
    params::Params,
    secret::{Secret, SecretHash},
};
use viewer::tap;
use web::problem::Problem;

use crate::{
    attempt::{Attempt, Claim, Kept, Tokens, WrongStage},
    attempt_cookie, exchange, problems,
    provider::Metadata,
    session::{self, Notice, SignedIn, UserKey},
    state::AppState,
    userinfo::{self, Userinfo},
    validate::{self, Expected, IdToken},
};

/// `GET /auth`. Success and an error of the provider leave this address by a redirect, so that Back and reload do not
/// come here again. A refusal is answered in place, and again at every reload.
pub async fn callback(
    request: HttpRequest,
    session: Session,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let params = Params::parse(request.query_string().as_bytes(), &[])
        .map_err(|error| Problem::malformed(error).at(Step::Callback))?;
    let mut checks = Checks::kept(state.sink.clone());
    let mut login = claim(&request, &state, &params, &mut checks).await?;
    let location = match login.complete(&params, checks).await {
        Ok(Outcome::SignedIn(signed_in)) if signed_in.is_over(state.clock.now()) => {
            // The ID token was accepted within the tolerance for clocks. A session that has ended would look to the
            // user like a login that did nothing.
            session::end(&session, &Notice::over_at_once())?;
            login.advance(Attempt::validate).await?;
            state.settings.home()
        }
        Ok(Outcome::SignedIn(signed_in)) => {
            session::start(&session, &signed_in)?;
            state.sink.lives(
                Step::Validation,
                &[
                    (Value::Session, Turn::Created),
                    (Value::Session, Turn::Stored),
                    (Value::AccessToken, Turn::Stored),
                    (Value::IdToken, Turn::Stored),
                ],
            );
            login.advance(Attempt::validate).await?;
            login.kept.next.clone()
        }
        Ok(Outcome::Declined(code)) => {
            if state.sessions.have_room() {
                session::leave_notice(&session, &Notice::oauth_error(code))?;
            }
            login.advance(Attempt::decline).await?;
            state.settings.home()
        }
        Err(problem) => {
            login.advance(|attempt| attempt.refuse(problem.clone())).await?;
            return Err(problem);
        }
    };
    let login_state = params.get("state").unwrap_or_default();
    Ok(HttpResponse::SeeOther()
        .cookie(attempt_cookie::forget(&state.settings, login_state))
        .insert_header((LOCATION, location))
        .finish())
}

/// A login attempt that this request, and no other, completes.
struct Login<'a> {
    app: &'a AppState,
    key: SecretHash,
    kept: Arc<Kept>,
    attempt: Attempt,
}

/// How it ends when nothing is refused.
enum Outcome {
    SignedIn(Box<SignedIn>),
    Declined(Option<ErrorCode>),
}

/// Step 7, first half: whose return is this? RFC 6749 §10.12: `state` must be of a login that this browser started, and
/// it counts once.
async fn claim<'a>(
    request: &HttpRequest,
    app: &'a AppState,
    params: &Params,
    checks: &mut Checks,
) -> Result<Login<'a>, Problem> {
    let state = params.get("state").ok_or_else(problems::state_missing)?;
    let key = SecretHash::of(state);
    let cookie = attempt_cookie::presented(request, &app.settings, state);
    let claim = app.attempts.claim(key, cookie.as_deref(), app.clock.now()).await;
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
            Ok(Login { app, key, kept, attempt })
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

impl Login<'_> {
    /// Step 7, second half, to step 10.
    async fn complete(&mut self, params: &Params, mut checks: Checks) -> Result<Outcome, Problem> {
        check_issuer(params, &self.kept.provider, &mut checks).map_err(problems::issuer_mismatch)?;
        if let Some(error) = params.get("error") {
            let description = params.get("error_description").unwrap_or_default();
            tracing::info!(?error, ?description, "the provider answered with an error");
            return Ok(Outcome::Declined(ErrorCode::parse(error)));
        }
        let code = params.get("code").ok_or_else(|| {
            Problem::malformed("the callback has neither code nor error").at(Step::Callback)
        })?;
        let (http, settings, sink) = (self.app.provider.http(), &self.app.settings, &self.app.sink);
        sink.lives(Step::Callback, &[(Value::Code, Turn::Received)]);
        sink.lives(
            Step::TokenRequest,
            &[
                (Value::Code, Turn::Sent),
                (Value::Code, Turn::Destroyed),
                (Value::CodeVerifier, Turn::Sent),
                (Value::CodeVerifier, Turn::Destroyed),
            ],
        );
        let tokens = exchange::exchange(http, settings, &self.kept, code, &mut checks).await?;
        sink.lives(
            Step::TokenResponse,
            &[(Value::AccessToken, Turn::Received), (Value::IdToken, Turn::Received)],
        );
        self.advance(|attempt| attempt.receive(tokens.clone())).await?;
        let id_token = self.validate(&tokens, &mut checks).await?;
        self.app.sink.lives(
            Step::Validation,
            &[
                (Value::Nonce, Turn::Compared),
                (Value::Nonce, Turn::Destroyed),
                (Value::IdToken, Turn::Compared),
            ],
        );
        let (provider, subject) = (&self.kept.provider, &id_token.subject);
        let userinfo = userinfo::ask(http, provider, &tokens.access_token, subject, &mut checks).await?;
        if !self.app.sessions.have_room() {
            return Err(Problem::overloaded());
        }
        let signed_in = self.sign_in(tokens, id_token, userinfo, checks);
        Ok(Outcome::SignedIn(Box::new(signed_in)))
    }

    /// Step 10.
    async fn validate(&self, tokens: &Tokens, checks: &mut Checks) -> Result<IdToken, Problem> {
        let jwt = validate::read(tokens.id_token.expose(), checks).map_err(problems::id_token_refused)?;
        let keys = self
            .app
            .provider
            .keys_for(&jwt, &self.kept.provider)
            .await
            .map_err(|error| problems::provider(error, Step::Validation))?;
        let expected = Expected {
            issuer: &self.kept.provider.issuer,
            client_id: self.app.settings.client_id.as_str(),
            nonce: self.kept.nonce.expose(),
            access_token: tokens.access_token.expose(),
            now: self.app.clock.now(),
        };
        validate::validate(jwt, &keys, &expected, checks).map_err(problems::id_token_refused)
    }

    fn sign_in(&self, tokens: Tokens, id_token: IdToken, userinfo: Userinfo, checks: Checks) -> SignedIn {
        let now = self.app.clock.now();
        let outcome = userinfo.id().to_owned();
        SignedIn {
            user: UserKey { iss: self.kept.provider.issuer.to_string(), sub: id_token.subject },
            began: now,
            ends: id_token.expires.min(now + self.app.settings.session_lifetime),
            id_token_claims: id_token.claims,
            userinfo_claims: match userinfo {
                Userinfo::Received(claims) => claims,
                Userinfo::Failed | Userinfo::None => Map::new(),
            },
            userinfo: outcome,
            checks: checks.into_made().into_iter().map(Into::into).collect(),
            csrf: Secret::mint("", &*self.app.random),
            flow: tap::current_flow(),
            access_token: tokens.access_token,
            id_token: tokens.id_token,
        }
    }

    /// Notes how far the login has come.
    async fn advance(
        &mut self,
        step: impl FnOnce(Attempt) -> Result<Attempt, WrongStage>,
    ) -> Result<(), Problem> {
        self.attempt = step(self.attempt.clone()).map_err(Problem::internal)?;
        let now = self.app.clock.now();
        self.app.attempts.put(self.key, self.attempt.clone(), now).await;
        Ok(())
    }
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
