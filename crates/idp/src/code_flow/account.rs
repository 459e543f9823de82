//! Step 3 when there is a choice: the page on which one of those who are signed in with this browser is chosen, or
//! somebody else (OpenID Connect Core §3.1.2.1, `prompt=select_account`, and §3.1.2.3).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use shared::{flow::Step, ids::Subject};
use web::{
    form::{Form, FormError},
    last_segment::LastSegment,
    moment::Moment,
    pages::{Kind, Progress},
    problem::Problem,
};

use super::{
    asking::Asking,
    turn,
    visit::{self, Visit},
};
use crate::{
    domain::{
        interaction::{Event, Stage},
        session::UserSession,
    },
    http::browser,
    problems,
    state::AppState,
};

#[derive(Serialize)]
struct AccountPage<'a> {
    asking: Asking<'a>,
    accounts: Vec<AccountRow>,
    csrf: String,
}

#[derive(Serialize)]
struct AccountRow {
    subject: String,
    name: String,
    username: String,
    since: Moment,
    /// Whether the password is to be typed again.
    again: bool,
}

/// `GET /account/{handle}`
pub async fn page(
    state: Data<AppState>,
    request: HttpRequest,
    handle: LastSegment,
) -> Result<HttpResponse, Problem> {
    let visit = Visit::find(&state, &request, &handle, None, &mut state.checks()).await?;
    if visit.stage != Stage::AwaitingAccount {
        return Ok(visit.lead_on(&state, &visit.stage));
    }
    let session = browser::session(&state, &request, visit.now).await.map_err(problems::from_store)?;
    let accounts = rows(&state, &visit, &session).await?;
    if accounts.is_empty() {
        return visit.advance_and_lead_on(&state, Event::LoginNeeded(None)).await;
    }
    let page = AccountPage { asking: Asking::of(&visit, &request), accounts, csrf: visit.csrf(&state) };
    let progress = Some(Progress::Now(Step::LoginPage));
    let pages = &state.site.pages;
    let answer = pages.respond(&request, StatusCode::OK, Kind::Form, "idp/account.html", progress, &page)?;
    Ok(page.asking.with_logo(answer))
}

async fn rows(state: &AppState, visit: &Visit, session: &UserSession) -> Result<Vec<AccountRow>, Problem> {
    let mut rows = Vec::new();
    for account in session.accounts() {
        let user = state.stores.users.find(&account.subject).await.map_err(problems::from_store)?;
        rows.extend(user.map(|user| AccountRow {
            subject: user.subject.as_str().to_owned(),
            name: user.display_name().to_owned(),
            username: user.username.as_str().to_owned(),
            since: account.at.into(),
            again: !visit.asked.accepts(account, visit.now),
        }));
    }
    Ok(rows)
}

/// `POST /account/{handle}`: `account` is the `sub` of the one who was chosen, or nothing for somebody else.
pub async fn submit(
    state: Data<AppState>,
    request: HttpRequest,
    handle: LastSegment,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    let mut checks = state.checks();
    let (visit, params) = visit::submitted(&state, &request, &handle, form, &[], &mut checks).await?;
    if visit.stage != Stage::AwaitingAccount {
        return Ok(visit.lead_on(&state, &visit.stage));
    }
    let session = browser::session(&state, &request, visit.now).await.map_err(problems::from_store)?;
    // Nothing is kept of a name that is nobody's here.
    let chosen = params.get("account").and_then(|subject| session.account(&Subject::new(subject)));
    let Some(login) = chosen.filter(|login| visit.asked.accepts(login, visit.now)) else {
        let again = Event::LoginNeeded(chosen.map(|login| login.subject.clone()));
        return visit.advance_and_lead_on(&state, again).await;
    };
    match visit.advance(&state, Event::AccountChosen(login.clone())).await? {
        Stage::AwaitingConsent { authentication } if authentication == *login => {
            turn::go_on(&state, &visit, authentication, &mut checks).await
        }
        elsewhere => Ok(visit.lead_on(&state, &elsewhere)),
    }
}
