//! What can be done with the tokens of a session. They are refreshed (RFC 6749 §6), given back (RFC 7009), asked about (RFC
//! 7662), and shown to a protected API (RFC 6750). Whatever is sent travels over a [`Wire`], where it may be held.

use actix_session::Session;
use openidconnect::{HttpRequest as ApiRequest, HttpResponse as ApiResponse, http};
use serde::{Deserialize, Serialize};
use shared::{
    clock::Timestamp,
    error::ErrorCode,
    flow::{Exchange, Step, Turn, Value},
    secret::Secret,
};
use url::Url;
use viewer::tap::PutOff;
use web::problem::{Foretold, Problem};

use crate::{
    client::{self, Client},
    problems,
    provider::{self, FetchError, MAX_ANSWER},
    renewal::{self, Renewal},
    session::{self, SignedIn, Visitor},
    state::AppState,
    wire::Wire,
};

/// How much of an answer is shown, in characters.
const SHOWN: usize = 8 * 1024;

/// Where a session keeps what came of the latest.
const DONE: &str = "done";

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// New tokens for the refresh token.
    Refresh,
    /// The refresh token that has been replaced, once more: what a thief would do.
    Replay,
    /// The access token is given back.
    RevokeAccess,
    /// The refresh token is given back.
    RevokeRefresh,
    /// What is the access token good for?
    IntrospectAccess,
    /// What is the refresh token good for?
    IntrospectRefresh,
    /// The API is asked whose token it is.
    CallMe,
    /// The API is asked for something that needs `api.access`.
    CallNotes,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Refresh,
        Self::Replay,
        Self::RevokeAccess,
        Self::RevokeRefresh,
        Self::IntrospectAccess,
        Self::IntrospectRefresh,
        Self::CallMe,
        Self::CallNotes,
    ];

    /// Its name in forms and in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Replay => "replay",
            Self::RevokeAccess => "revoke_access",
            Self::RevokeRefresh => "revoke_refresh",
            Self::IntrospectAccess => "introspect_access",
            Self::IntrospectRefresh => "introspect_refresh",
            Self::CallMe => "call_me",
            Self::CallNotes => "call_notes",
        }
    }

    /// It as a part of the flow of the login, if that is recorded, and still known.
    pub fn in_flow(self, app: &AppState, signed_in: &SignedIn) -> Option<PutOff> {
        let (recorder, flow) = (app.recorder.as_ref()?, signed_in.flow.as_deref()?);
        recorder.flow(flow).map(|_| PutOff::in_flow(recorder, flow, self.exchange()))
    }

    const fn exchange(self) -> Exchange {
        match self {
            Self::Refresh | Self::Replay => Exchange::Refresh,
            Self::RevokeAccess | Self::RevokeRefresh => Exchange::Revoke,
            Self::IntrospectAccess | Self::IntrospectRefresh => Exchange::Introspect,
            Self::CallMe | Self::CallNotes => Exchange::Api,
        }
    }
}

/// What came of a deed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    deed: Deed,
    /// The status of the answer; none if there was none.
    status: Option<u16>,
    /// Another request was faster, and there was nothing to do.
    #[serde(default)]
    elsewhere: bool,
    /// The error that it named, if it is one that is known.
    error: Option<String>,
    /// The answer, as far as it is shown.
    body: String,
    /// What somebody foretold of the last message who went step by step, and what happened.
    #[serde(default)]
    foretold: Option<(String, String)>,
}

impl Done {
    fn of(deed: Deed) -> Self {
        Self { deed, status: None, elsewhere: false, error: None, body: String::new(), foretold: None }
    }

    /// Adds what somebody foretold, and what happened.
    fn foretold(self, Foretold { guess, happened }: Foretold) -> Self {
        Self { foretold: Some((guess.to_owned(), happened.to_owned())), ..self }
    }
}

/// A deed that is done, for the session in which it was begun.
#[derive(Debug)]
pub struct Finished {
    /// What the session's forms carry.
    csrf: Secret,
    done: Done,
    /// The session with new tokens, if there are any.
    renewed: Option<Box<SignedIn>>,
}

/// Does it. What came of it is to be kept with [`Finished::keep`].
pub async fn act(
    app: &AppState,
    wire: &Wire<'_>,
    signed_in: &SignedIn,
    deed: Deed,
) -> Result<Finished, Problem> {
    let (access, refresh) = (&signed_in.access_token, signed_in.refresh_token.as_ref());
    let provider = app.provider.metadata().await.ok();
    let revocation = provider.as_ref().and_then(|it| it.revocation_endpoint.as_ref());
    let introspection = provider.as_ref().and_then(|it| it.introspection_endpoint.as_ref());
    let us = app.client_called(&signed_in.client);
    let asked = |endpoint, token, hint| ask(app, &us, wire, deed, endpoint, (token, hint));
    let answer = match deed {
        Deed::Refresh => return refresh_tokens(app, wire, signed_in).await,
        Deed::Replay => replay(app, wire, signed_in).await,
        Deed::RevokeAccess => {
            app.sink.lives(Step::Validation, &[(Value::AccessToken, Turn::Sent)]);
            asked(revocation, Some(access), "access_token").await
        }
        Deed::RevokeRefresh => {
            app.sink.lives(Step::Validation, &[(Value::RefreshToken, Turn::Sent)]);
            asked(revocation, refresh, "refresh_token").await
        }
        Deed::IntrospectAccess => asked(introspection, Some(access), "access_token").await,
        Deed::IntrospectRefresh => asked(introspection, refresh, "refresh_token").await,
        Deed::CallMe => call(app, wire, "/me", access).await,
        Deed::CallNotes => call(app, wire, "/notes", access).await,
    };
    Ok(Finished { csrf: signed_in.csrf.clone(), done: told(deed, answer), renewed: None })
}

/// New tokens, or why there are none.
async fn refresh_tokens(app: &AppState, wire: &Wire<'_>, signed_in: &SignedIn) -> Result<Finished, Problem> {
    let nothing = || Done::of(Deed::Refresh);
    let (done, renewed) = match renewal::renew(app, wire, signed_in).await {
        Ok(Renewal::Renewed(renewed)) => (Done { status: Some(200), ..nothing() }, Some(renewed)),
        // Whoever was faster has told.
        Ok(Renewal::Elsewhere | Renewal::Impossible) => (Done { elsewhere: true, ..nothing() }, None),
        Err(problem) => match problem.oauth_error {
            Some(code) => {
                let error = Some(code.as_str().to_owned());
                (Done { status: Some(400), error, ..nothing() }, None)
            }
            None if problems::is_idp_unreachable(&problem) => (nothing(), None),
            None => return Err(problem),
        },
    };
    Ok(Finished { csrf: signed_in.csrf.clone(), done, renewed })
}

impl Finished {
    /// Keeps what came of it: new tokens, unless the session has other ones by now, and what the page is to tell. `false` if
    /// it is another session now, or none.
    pub fn keep(self, session: &Session, now: Timestamp) -> Result<bool, Problem> {
        let Visitor::SignedIn(current) = session::visitor(session, now)? else { return Ok(false) };
        if !current.is_login_of(&self.csrf) {
            return Ok(false);
        }
        let mut done = self.done;
        match self.renewed {
            Some(renewed) if renewed.follows(&current) => session::renew(session, &renewed)?,
            Some(_) => done = Done { elsewhere: true, ..Done::of(done.deed) },
            None => {}
        }
        session.insert(DONE, done).map_err(Problem::internal)?;
        Ok(true)
    }

    /// What the page is to tell.
    pub fn into_done(self) -> Done {
        self.done
    }
}

/// What came of the latest deed of a session.
pub fn latest(session: &Session) -> Result<Option<Done>, Problem> {
    session.get(DONE).map_err(Problem::internal)
}

/// Adds to it what somebody foretold of its last message.
pub fn add_foretold(session: &Session, foretold: Foretold) -> Result<(), Problem> {
    match latest(session)? {
        Some(done) => session.insert(DONE, done.foretold(foretold)).map_err(Problem::internal),
        None => Ok(()),
    }
}

/// A refresh token that has been replaced, sent as a thief would send it (RFC 9700 §4.14).
async fn replay(app: &AppState, wire: &Wire<'_>, signed_in: &SignedIn) -> Result<ApiResponse, FetchError> {
    let old = signed_in.before.as_ref().and_then(|before| before.refresh_token.as_ref());
    let endpoint = app.provider.metadata().await.ok().and_then(|it| Url::parse(&it.token_endpoint).ok());
    let (Some(old), Some(endpoint)) = (old, endpoint) else { return Err(FetchError::Dropped) };
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", old.expose())];
    let us = app.client_called(&signed_in.client);
    let request = client::form(app, &us, endpoint.as_str(), pairs.into_iter())?;
    wire.send(Exchange::Refresh, request, MAX_ANSWER).await
}

/// Asks about a token, or gives it back, with the RP's own credentials (RFC 7009 §2.1, RFC 7662 §2.1).
async fn ask(
    app: &AppState,
    us: &Client,
    wire: &Wire<'_>,
    deed: Deed,
    endpoint: Option<&Url>,
    (token, hint): (Option<&Secret>, &'static str),
) -> Result<ApiResponse, FetchError> {
    let (Some(endpoint), Some(token)) = (endpoint, token) else { return Err(FetchError::Dropped) };
    let pairs = [("token", token.expose()), ("token_type_hint", hint)];
    let request = client::form(app, us, endpoint.as_str(), pairs.into_iter())?;
    wire.send(deed.exchange(), request, MAX_ANSWER).await
}

/// Shows the access token to the API (RFC 6750 §2.1).
async fn call(
    app: &AppState,
    wire: &Wire<'_>,
    path: &str,
    token: &Secret,
) -> Result<ApiResponse, FetchError> {
    let request: ApiRequest = provider::get(&format!("{}{path}", app.settings.api), Some(token))?;
    wire.send(Exchange::Api, request, MAX_ANSWER).await
}

fn told(deed: Deed, answer: Result<ApiResponse, FetchError>) -> Done {
    let Ok(answer) = answer.inspect_err(|error| tracing::warn!(%error, deed = deed.id(), "no answer")) else {
        return Done::of(deed);
    };
    let json: Option<serde_json::Value> = serde_json::from_slice(answer.body()).ok();
    let error = json.as_ref().and_then(|json| json.get("error")?.as_str()).or_else(|| challenge(&answer));
    let pretty = json.as_ref().and_then(|json| serde_json::to_string_pretty(json).ok());
    let body = pretty.unwrap_or_else(|| String::from_utf8_lossy(answer.body()).into_owned());
    Done {
        status: Some(answer.status().as_u16()),
        error: error.and_then(ErrorCode::parse).map(|code| code.as_str().to_owned()),
        body: body.chars().take(SHOWN).collect(),
        ..Done::of(deed)
    }
}

/// The error in `WWW-Authenticate` (RFC 6750 §3.1).
fn challenge(answer: &ApiResponse) -> Option<&str> {
    let challenge = answer.headers().get(http::header::WWW_AUTHENTICATE)?.to_str().ok()?;
    challenge.split_once("error=\"")?.1.split('"').next()
}
