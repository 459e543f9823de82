//! What a [`Learner`] asks for at a login, and does with the tokens of a session.

use shared::flow::Pause;
use thirtyfour::By;

use crate::{
    learner::{ALLOW, LOGIN, LOGOUT, Learner},
    pair::Pair,
    script_client::the_script,
    stepping::{DROP, REPEAT, RUN, STEP_BY_STEP},
};

impl Learner {
    /// Opens what else can be asked for at a login.
    pub async fn opens_the_options(&self) {
        self.opens_home().await;
        self.clicks("form[action='/login'] summary").await;
        self.finds("#w-claims").await;
    }

    /// Opens the page of the tokens; before that, signs in so that they can be refreshed.
    pub async fn may_refresh(&self, pair: &Pair) {
        self.opens(&format!("{}/tokens", pair.home)).await;
        self.signs_in().await;
        self.allows().await;
        self.clicks("a[href*=offline_access]").await;
        self.finds(ALLOW).await;
        self.allows().await;
        self.finds("#token-refresh_token").await;
    }

    /// Begins to do something with a token step by step, from now on as everything on this page.
    pub async fn begins(&self, deed: &str, pause: Pause) {
        if self.counts(&format!("{STEP_BY_STEP}:checked")).await == 0 {
            self.clicks(STEP_BY_STEP).await;
        }
        self.clicks(&format!("button[name=do][value={deed}]")).await;
        self.is_held_at(pause).await;
    }

    /// Sees that something came of what was done with a token.
    pub async fn is_told(&self, deed: &str, words: &str) {
        let told = format!("#done[data-deed={deed}]");
        self.waits_for(&format!("{deed}: {words}"), async || {
            let told = self.chrome.driver.find(By::Css(&told)).await.ok()?.text().await.ok()?;
            told.contains(words).then_some(())
        })
        .await;
    }

    /// Does something with a token, and sees that something came of it.
    pub async fn does(&self, deed: &str, words: &str) {
        self.clicks(&format!("button[name=do][value={deed}]")).await;
        self.is_told(deed, words).await;
    }
}

/// The page that brings an answer in a form, which a script leaves at once.
pub async fn the_way_by_form(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    learner.keeps_forms_back().await;
    learner.opens(&format!("{}/login?response_mode=form_post&prompt=none", pair.home)).await;
    look("idp-form-post").await;
    learner.clicks("main form button").await;
    learner.finds(LOGOUT).await;
}

/// The pages of the tokens and their states, and those of the client that keeps its tokens in the browser.
pub async fn the_tokens(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    learner.opens_the_options().await;
    look("rp-home-options").await;
    learner.opens(&format!("{}/tokens", pair.home)).await;
    learner.signs_in().await;
    learner.allows().await;
    learner.finds("#token-access_token").await;
    look("tokens").await;
    learner.logs_out_of_both(pair).await;
    learner.may_refresh(pair).await;
    look("tokens-refreshable").await;
    learner.does("refresh", "HTTP 200").await;
    learner
        .evaluates("document.querySelectorAll('details').forEach(more => more.open = true)", Vec::new())
        .await;
    look("tokens-refreshed").await;
    learner.does("introspect_access", "active").await;
    look("tokens-introspected").await;
    learner.does("replay", "invalid_grant").await;
    look("tokens-replayed").await;
    learner.does("call_notes", "401").await;
    look("tokens-refused").await;
    learner.opens(&format!("{}/profile", pair.home)).await;
    look("profile").await;
    learner.opens_the_latest_flow().await;
    look("viewer-flow-after").await;
    learner.logs_out_of_both(pair).await;
    the_script(pair, learner, look).await;
    step_by_step(pair, learner, look).await;
    learner.logs_out_of_both(pair).await;
}

/// Everything that is done with tokens, held at each of its pauses.
async fn step_by_step(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    learner.may_refresh(pair).await;
    for (deed, pauses) in [
        (
            "introspect_access",
            [
                (Pause::IntrospectionRequest, "tokens-step-introspection-request"),
                (Pause::IntrospectionResponse, "tokens-step-introspection-response"),
            ],
        ),
        (
            "call_notes",
            [
                (Pause::ApiRequest, "tokens-step-api-request"),
                (Pause::ApiResponse, "tokens-step-api-response"),
            ],
        ),
        (
            "revoke_access",
            [
                (Pause::RevocationRequest, "tokens-step-revocation-request"),
                (Pause::RevocationResponse, "tokens-step-revocation-response"),
            ],
        ),
    ] {
        learner.begins(deed, pauses[0].0).await;
        for (pause, name) in pauses {
            learner.is_held_at(pause).await;
            look(name).await;
            learner.lets_go().await;
        }
        learner.is_told(deed, "HTTP 200").await;
    }
    learner.begins("refresh", Pause::RefreshRequest).await;
    look("tokens-step-refresh-request").await;
    let page = learner.page_of_pause().await;
    learner.opens(&format!("{}/tokens", pair.home)).await;
    look("tokens-step-held").await;
    learner.opens(&page).await;
    learner.is_held_at(Pause::RefreshRequest).await;
    learner.scrolls_and_clicks("label:has(input[value=tokens_come])").await;
    learner.clicks(REPEAT).await;
    learner.is_held_at(Pause::RefreshResponse).await;
    look("tokens-step-refresh-response-twice").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::RefreshedToken).await;
    look("tokens-step-refreshed-token").await;
    learner.scrolls_and_clicks("label:has(input[value=token_accepted])").await;
    learner.lets_go().await;
    learner.is_told("refresh", "HTTP 200").await;
    look("tokens-step-refreshed").await;
    learner.begins("refresh", Pause::RefreshRequest).await;
    learner.clicks(RUN).await;
    learner.is_told("refresh", "invalid_grant").await;
    learner.begins("call_me", Pause::ApiRequest).await;
    learner.clicks(DROP).await;
    learner.finds("#done[data-deed=call_me]").await;
    look("tokens-step-dropped").await;
    learner.opens_the_latest_flow().await;
    learner.goes_to("refresh").await;
    look("viewer-flow-refresh-refused").await;
}

impl Learner {
    async fn logs_out_of_both(&self, pair: &Pair) {
        self.opens(&format!("{}/", pair.home)).await;
        self.logs_out().await;
        self.finds(LOGIN).await;
    }
}
