//! What a [`Learner`] does on the page on which the application registers itself, and a tour past what comes of it.

use crate::{
    learner::{ALLOW, Learner, SIGN_IN},
    pair::Pair,
};

impl Learner {
    /// Registers the application for a way to authenticate, and sees what came back.
    pub async fn registers(&self, pair: &Pair, method: &str) {
        self.opens(&format!("{}/registration", pair.home)).await;
        // The page keeps what was chosen last.
        self.evaluates("document.querySelector('#r-alg').value = 'RS256'", Vec::new()).await;
        self.registers_as_chosen(method).await;
    }

    /// The same with what else is chosen on the page already.
    async fn registers_as_chosen(&self, method: &str) {
        self.evaluates(&format!("document.querySelector('#r-method').value = '{method}'"), Vec::new()).await;
        self.clicks("button[value=register]").await;
        self.finds("#h-came").await;
    }
}

/// The pages about an application that registers itself.
pub async fn registering(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    let page = format!("{}/registration", pair.home);
    learner.forgets_cookies().await;
    learner.opens(&page).await;
    look("rp-registration").await;
    learner.evaluates("document.querySelector('#r-alg').value = 'HS256'", Vec::new()).await;
    learner.registers_as_chosen("none").await;
    look("rp-registration-refused").await;
    learner.registers(pair, "private_key_jwt").await;
    look("rp-registration-registered").await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.finds(SIGN_IN).await;
    look("idp-login-registered").await;
    learner.signs_in().await;
    learner.finds(ALLOW).await;
    look("idp-consent-registered").await;
    learner.allows().await;
    learner.opens(&format!("{}/", pair.issuer)).await;
    let unfold = "document.querySelectorAll('.client').forEach((it, n) => it.open = n === 0 || n === 10)";
    learner.evaluates(unfold, Vec::new()).await;
    look("idp-home-clients").await;
    learner.opens(&page).await;
    learner.clicks("button[value=forget]").await;
    learner.finds("#h-came").await;
    look("rp-registration-forgotten").await;
    learner.opens_home().await;
    learner.logs_out().await;
}
