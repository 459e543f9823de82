//! What a [`Learner`] asks for at a login, and does with the tokens of a session.

use thirtyfour::By;

use crate::{
    learner::{ALLOW, LOGIN, LOGOUT, Learner},
    pair::Pair,
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

    /// Does something with a token, and sees that something came of it.
    pub async fn does(&self, deed: &str, words: &str) {
        self.clicks(&format!("button[name=do][value={deed}]")).await;
        let told = format!("#done[data-deed={deed}]");
        self.waits_for(&format!("{deed}: {words}"), async || {
            let told = self.chrome.driver.find(By::Css(&told)).await.ok()?.text().await.ok()?;
            told.contains(words).then_some(())
        })
        .await;
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

/// The pages of the tokens and their states.
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
}

impl Learner {
    async fn logs_out_of_both(&self, pair: &Pair) {
        self.opens(&format!("{}/", pair.home)).await;
        self.logs_out().await;
        self.finds(LOGIN).await;
    }
}
