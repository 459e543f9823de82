//! Steps 3 to 5: a visit to the account, login or consent page. The interaction behind the handle is found, in the
//! browser that it belongs to (RFC 9700 §4.7), and what the user sends counts only with the token of the page (RFC 6749
//! §10.12).

use std::{net::IpAddr, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, http::header};
use shared::{
    authorize::AuthorizationResponse,
    clock::Timestamp,
    flow::{Checks, Rule, Step, Words},
    params::Params,
    secret::{Secret, SecretHash},
};
use viewer::correlate;
use web::{
    form::{Form, FormError},
    lang::Lang,
    pages::FlowLink,
    problem::Problem,
};

use super::redirect;
use crate::{
    domain::{
        authorization_request::AuthorizationRequest,
        client::Client,
        consent::Permissions,
        interaction::{Event, Interaction, Progress, Stage},
        session::Authentication,
    },
    http::browser,
    problems,
    state::AppState,
};

/// One visit.
pub(super) struct Visit {
    pub(super) asked: Arc<AuthorizationRequest>,
    pub(super) stage: Stage,
    /// The browser, by the hash of its cookie.
    pub(super) browser: SecretHash,
    /// The address that the request came from, as far as that is known.
    pub(super) address: Option<IpAddr>,
    pub(super) client: Arc<Client>,
    pub(super) now: Timestamp,
    handle: SecretHash,
    secret_handle: String,
    cookie: Secret,
    request: HttpRequest,
}

impl Visit {
    /// Finds the interaction. `form` is what the user sent, if this is not only a look at the page.
    pub(super) async fn find(
        state: &AppState,
        request: &HttpRequest,
        handle: &str,
        form: Option<&Params>,
        checks: &mut Checks,
    ) -> Result<Self, Problem> {
        let now = state.clock.now();
        let hash = SecretHash::of(handle);
        let found = state.stores.interactions.find(hash, now).await.map_err(problems::from_store)?;
        let interaction = found.ok_or_else(problems::interaction_unknown)?;
        Lang::suggest(request, interaction.ui_locales().unwrap_or_default());
        let client = state.stores.clients.find(interaction.client_id(), state.present()).await;
        let client = client.map_err(problems::from_store)?.ok_or_else(problems::unknown_client)?;
        let browser = same_browser(state, request, &interaction, checks)
            .map_err(|problem| problem.next(client.home()))?;
        if let (Some(viewer), Some(state)) = (state.settings.demo_viewer(), interaction.client_state()) {
            let flow = correlate::state(interaction.client_id().as_str(), state).encode();
            FlowLink::of(request).note(format!("{viewer}/of/{flow}"));
        }
        if let Some(form) = form {
            require_csrf(state, &browser, handle, form, checks)?;
        }
        let Progress::Open { request: asked, stage } = interaction.progress else {
            return Err(problems::already_answered(client.home()));
        };
        Ok(Self {
            asked,
            stage,
            browser: interaction.browser,
            address: interaction.address,
            client,
            now,
            handle: hash,
            secret_handle: handle.to_owned(),
            cookie: browser,
            request: request.clone(),
        })
    }

    /// The token for the form of its page.
    pub(super) fn csrf(&self, state: &AppState) -> String {
        state.csrf.token(&self.cookie, &self.secret_handle)
    }

    /// Leads to the page of a stage: pressing Back after a step goes on with the present one.
    pub(super) fn lead_on(&self, state: &AppState, stage: &Stage) -> HttpResponse {
        let location = page_of(state, stage, &self.secret_handle);
        HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
    }

    /// Something happened. Returns the stage that it is in now, which may be another one: another tab was faster.
    pub(super) async fn advance(&self, state: &AppState, event: Event) -> Result<Stage, Problem> {
        let progress = state.stores.interactions.advance(self.handle, event, self.now).await;
        match progress.map_err(problems::from_store)?.ok_or_else(problems::interaction_unknown)? {
            Progress::Open { stage, .. } => Ok(stage),
            Progress::Answered { .. } => Err(problems::already_answered(self.client.home())),
        }
    }

    /// The same, and leads to its page.
    pub(super) async fn advance_and_lead_on(
        &self,
        state: &AppState,
        event: Event,
    ) -> Result<HttpResponse, Problem> {
        let stage = self.advance(state, event).await?;
        Ok(self.lead_on(state, &stage))
    }

    /// Answers the request with this login. Whoever comes first answers; a second click finds it answered.
    pub(super) async fn decide(&self, state: &AppState, by: &Authentication) -> Result<(), Problem> {
        let decided = state.stores.interactions.decide(self.handle, by, self.now).await;
        let decided = decided.map_err(problems::from_store)?;
        decided.then_some(()).ok_or_else(|| problems::already_answered(self.client.home()))
    }

    /// Step 6, with what the user allowed.
    pub(super) async fn approve(
        &self,
        state: &AppState,
        authentication: Authentication,
        allowed: &Permissions,
    ) -> Result<HttpResponse, Problem> {
        let Self { request, client, asked, address, .. } = self;
        redirect::approve(state, request, client, asked, *address, authentication, allowed).await
    }

    /// Step 6, with this response.
    pub(super) fn send_back(
        &self,
        state: &AppState,
        response: &AuthorizationResponse,
    ) -> Result<HttpResponse, Problem> {
        redirect::send_back(state, &self.request, &self.client, &self.asked.return_address, response)
    }

    /// `host:port` of the place that the browser will return to.
    pub(super) fn return_to(&self) -> &str {
        self.asked.return_address.redirect_uri().host()
    }
}

/// The address of a stage's page.
pub(super) fn page_of(state: &AppState, stage: &Stage, handle: &str) -> String {
    let page = match stage {
        Stage::AwaitingAccount => "account",
        Stage::AwaitingLogin { .. } => "login",
        Stage::AwaitingConsent { .. } => "consent",
    };
    format!("{}/{page}/{handle}", state.settings.origin.as_str())
}

/// The browser in which the login began. Another one is refused: whoever sends somebody a link to a consent page must
/// not get their code (RFC 9700 §4.7).
fn same_browser(
    state: &AppState,
    request: &HttpRequest,
    interaction: &Interaction,
    checks: &mut Checks,
) -> Result<Secret, Problem> {
    let browser = browser::browser(state, request).filter(|browser| browser.hash() == interaction.browser);
    let shown = if browser.is_some() { Words::SameBrowser } else { Words::OtherBrowser };
    let step = match interaction.progress.stage() {
        Some(Stage::AwaitingAccount | Stage::AwaitingLogin { .. }) => Step::LoginPage,
        Some(Stage::AwaitingConsent { .. }) | None => Step::Consent,
    };
    checks
        .judge(Rule::SameBrowser, Words::SameBrowser, shown, browser.is_some())
        .map_err(|failed| problems::other_browser().check(failed).at(step))?;
    browser.ok_or_else(problems::other_browser)
}

/// Whether a form came from our own page in this browser (RFC 6749 §10.12).
fn require_csrf(
    state: &AppState,
    browser: &Secret,
    handle: &str,
    form: &Params,
    checks: &mut Checks,
) -> Result<(), Problem> {
    let accepted = state.csrf.accepts(form.get("csrf").unwrap_or_default(), browser, handle);
    let shown = if accepted { Words::PageToken } else { Words::OtherToken };
    checks
        .judge(Rule::CsrfToken, Words::PageToken, shown, accepted)
        .map_err(|failed| Problem::csrf().check(failed))
}

/// A form of a page of ours: sent by this site, in the browser of the login, with the token of the page.
pub(super) async fn submitted(
    state: &AppState,
    request: &HttpRequest,
    handle: &str,
    form: Result<Form, FormError>,
    repeatable: &[&str],
    checks: &mut Checks,
) -> Result<(Visit, Params), Problem> {
    if !state.settings.origin.is_sender_of(request) {
        return Err(Problem::foreign_origin());
    }
    let params = form?.params(repeatable)?;
    let visit = Visit::find(state, request, handle, Some(&params), checks).await?;
    Ok((visit, params))
}
