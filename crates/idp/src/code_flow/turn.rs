//! Between step 2 and step 6: who and what is still to be asked (OpenID Connect Core §3.1.2.3 and §3.1.2.4).
//!
//! A login that was made earlier and a consent that is remembered spare the user their pages. What a client may ask for
//! with `prompt`, `max_age` and hints only ever adds pages, or forbids them all.

use actix_web::HttpResponse;
use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Words},
    ids::Subject,
    scope::Scope,
};
use web::problem::Problem;

use super::{redirect::Refusal, visit::Visit};
use crate::{
    domain::{
        authorization_request::{Account, AuthorizationRequest, Hint, Wanted},
        client::Client,
        consent::Permissions,
        interaction::Stage,
        session::{Authentication, UserSession},
        user::Username,
    },
    problems,
    state::AppState,
    store::Stored,
};

/// What comes next.
pub(super) enum Turn {
    /// The user does something on this page.
    Page(Stage),
    /// Nobody is to be asked: this user has signed in, and allowed this.
    Answer(Authentication, Permissions),
}

/// What comes next for a request that has just arrived.
pub(super) async fn first(
    state: &AppState,
    client: &Client,
    asked: &AuthorizationRequest,
    session: &UserSession,
) -> Stored<Turn> {
    let account = asked.account(session, &wanted(state, asked).await?, state.clock.now());
    let authentication = match account {
        Account::Known(authentication) => authentication,
        Account::Choice => return Ok(Turn::Page(Stage::AwaitingAccount)),
        Account::Nobody(user) => return Ok(Turn::Page(Stage::AwaitingLogin { user })),
    };
    let remembered = remembered(state, client, asked, &authentication.subject).await?;
    Ok(match remembered {
        Some(allowed) => Turn::Answer(authentication, allowed),
        None => Turn::Page(Stage::AwaitingConsent { authentication }),
    })
}

/// OpenID Connect Core §3.1.2.1: the user of the hint or of the `claims` parameter must be the one; `login_hint` is no
/// more than a hint, but one that names somebody else asks for somebody else's login.
async fn wanted(state: &AppState, asked: &AuthorizationRequest) -> Stored<Wanted> {
    match (&asked.hint, asked.subjects.as_deref()) {
        (Hint::Unverified, _) | (_, Some([])) => return Ok(Wanted::Stranger),
        (_, Some([subject])) => return Ok(Wanted::User(subject.clone())),
        _ => {}
    }
    let Some(hint) = &asked.login_hint else {
        return Ok(Wanted::Anybody);
    };
    let user = state.stores.users.find_by_name(&Username::parse(hint)).await?;
    Ok(user.map_or(Wanted::Stranger, |user| Wanted::User(user.subject.clone())))
}

/// What the user allowed this client earlier, if that answers the request and need not be asked again.
async fn remembered(
    state: &AppState,
    client: &Client,
    asked: &AuthorizationRequest,
    subject: &Subject,
) -> Stored<Option<Permissions>> {
    // OpenID Connect Core §11: what a client may do while the user is away is asked each time.
    let offline = asked.scope.contains(Scope::OFFLINE_ACCESS);
    if asked.prompt.consent || offline || !client.remembers_consent() {
        return Ok(None);
    }
    let consent = state.stores.consents.find(subject, &client.id, state.clock.now()).await?;
    Ok(consent.and_then(|consent| consent.answers(&asked.permissions())))
}

/// OpenID Connect Core §3.1.2.6: `prompt=none` shows no page; where one would be needed, the client is told which.
pub(super) fn without_a_page(
    turn: Turn,
    checks: &mut Checks,
) -> Result<(Authentication, Permissions), Refusal> {
    let page = match turn {
        Turn::Answer(authentication, allowed) => {
            checks.pass(Rule::SilentLogin, Words::SuitableLogin);
            checks.pass(Rule::SilentConsent, Words::RememberedConsent);
            return Ok((authentication, allowed));
        }
        Turn::Page(page) => page,
    };
    let (error, description, failed) = match page {
        Stage::AwaitingAccount => (
            ErrorCode::AccountSelectionRequired,
            "Several users are signed in; one must be chosen.",
            checks.refuse(Rule::SilentLogin, Words::SuitableLogin, Words::SeveralLogins),
        ),
        Stage::AwaitingConsent { .. } => (
            ErrorCode::ConsentRequired,
            "The user must consent.",
            checks.refuse(Rule::SilentConsent, Words::RememberedConsent, Words::Absent),
        ),
        Stage::AwaitingLogin { .. } => (
            ErrorCode::LoginRequired,
            "The user must sign in.",
            checks.refuse(Rule::SilentLogin, Words::SuitableLogin, Words::Absent),
        ),
    };
    Err(Refusal::because(error, description)(failed))
}

/// What comes next for somebody who has just signed in, or been chosen: the consent page, or the way back.
pub(super) async fn go_on(
    state: &AppState,
    visit: &Visit,
    authentication: Authentication,
    checks: &mut Checks,
) -> Result<HttpResponse, Problem> {
    let asked = &visit.asked;
    if let Err(refusal) = same_user(asked, &authentication, checks) {
        visit.decide(state, &authentication).await?;
        return visit.send_back(state, &refusal.into());
    }
    let remembered = remembered(state, &visit.client, asked, &authentication.subject).await;
    match remembered.map_err(problems::from_store)? {
        None => Ok(visit.lead_on(state, &Stage::AwaitingConsent { authentication })),
        Some(allowed) => {
            visit.decide(state, &authentication).await?;
            visit.approve(state, authentication, &allowed).await
        }
    }
}

/// OpenID Connect Core §3.1.2.1 (`id_token_hint`) and §5.5.1 (`sub`): an answer about somebody else is no answer.
fn same_user(
    asked: &AuthorizationRequest,
    authentication: &Authentication,
    checks: &mut Checks,
) -> Result<(), Refusal> {
    let Some(subjects) = &asked.subjects else {
        return Ok(());
    };
    let (named, subject) =
        (subjects.iter().map(Subject::as_str).collect::<Vec<_>>(), &authentication.subject);
    checks.judge(Rule::SubjectAsAsked, named.join(" / "), subject.as_str(), asked.admits(subject)).map_err(
        Refusal::because(ErrorCode::LoginRequired, "Another user signed in than the one who was asked for."),
    )
}
