//! What a [`Learner`] does at the client that is a script in the browser, and what is done to it.

use serde_json::{Value, json};
use thirtyfour::By;

use crate::{
    learner::{ALLOW, Learner, SIGN_IN},
    pair::Pair,
};

/// Makes the script's checks meet with what an honest IdP never sends: `answer` is what it answered at `path`.
const MEDDLE: &str = "const real = window.fetch;
    window.fetch = async (address, how) => {
        const answered = await real(address, how);
        if (!String(address).endsWith(PATH)) return answered;
        const answer = await answered.json();
        const read = (part) => JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/')));
        const write = (part) => btoa(JSON.stringify(part)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        const token = (change) => {
            const [header, claims, signature] = answer.id_token.split('.');
            const it = { header: read(header), claims: read(claims) };
            change(it);
            answer.id_token = [write(it.header), write(it.claims), signature].join('.');
        };
        (() => { CHANGE })();
        return new Response(JSON.stringify(answer), { status: answered.status, headers: answered.headers });
    };";
/// With it every signature is good, so that what stands behind it can be spoiled alone.
pub const SIGNED: &str = "SubtleCrypto.prototype.verify = async () => true;";

impl Learner {
    /// Opens the page of the client without a server.
    pub async fn opens_the_script(&self, pair: &Pair) {
        self.opens(&format!("{}/spa", pair.home)).await;
        self.finds("#client:not([hidden])").await;
    }

    /// Has it log in, and types the password.
    pub async fn lets_the_script_log_in(&self) {
        self.clicks("#login").await;
        self.clicks(SIGN_IN).await;
        self.finds(ALLOW).await;
    }

    /// All of it, until its tokens are there.
    pub async fn is_signed_in_by_the_script(&self, pair: &Pair) {
        self.opens_the_script(pair).await;
        self.lets_the_script_log_in().await;
        self.allows().await;
        self.the_script_says("passed", "").await;
        self.finds("#signed_in:not([hidden])").await;
    }

    /// Presses a button of the page.
    pub async fn has_the_script(&self, deed: &str) {
        self.clicks(&format!("#{deed}")).await;
    }

    /// What came of it: `passed` or `failed`, with these words.
    pub async fn the_script_says(&self, verdict: &str, words: &str) {
        let said = format!("#spa[aria-busy=false] #done:has(.verdict.{verdict})");
        self.waits_for(&format!("{verdict}: {words}"), async || {
            let said = self.chrome.driver.find(By::Css(&said)).await.ok()?.text().await.ok()?;
            said.contains(words).then_some(())
        })
        .await;
    }

    /// Which check of the script refused.
    pub async fn refused_by(&self) -> String {
        self.the_script_says("failed", "").await;
        let rule = "return document.querySelector('.check.failed')?.dataset.name";
        self.evaluates(rule, Vec::new()).await.as_str().unwrap_or_default().to_owned()
    }

    /// The checks that the script made, with their verdicts.
    pub async fn checks_of_the_script(&self) -> Vec<String> {
        let checks = "return [...document.querySelectorAll('#story .check')].map(it => it.dataset.name)";
        serde_json::from_value(self.evaluates(checks, Vec::new()).await).unwrap()
    }

    /// Access token, ID token and refresh token, as the page shows them.
    pub async fn tokens_of_the_script(&self) -> [String; 3] {
        [
            self.reads("#token-access_token").await,
            self.reads("#token-id_token").await,
            self.reads("#token-refresh_token").await,
        ]
    }

    /// Its text, what is folded away too.
    pub async fn everything_on_the_page(&self) -> String {
        let text = self.evaluates("return document.body.textContent", Vec::new()).await;
        text.as_str().unwrap().to_owned()
    }

    /// Everything that outlives the page in this browser, as one text: both storages and the cookies that scripts see.
    pub async fn what_is_left_in_the_browser(&self) -> String {
        let left = "return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])";
        self.evaluates(left, Vec::new()).await.as_str().unwrap().to_owned()
    }

    /// Runs `script` on every page that is opened from now on, before its own scripts. Its name, to end that.
    pub async fn meddles(&self, script: &str) -> Value {
        self.asks_devtools("Page.enable", json!({})).await;
        self.asks_devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await
    }

    /// Ends that.
    pub async fn lets_be(&self, meddling: Value) {
        self.asks_devtools("Page.removeScriptToEvaluateOnNewDocument", meddling).await;
    }

    /// Changes what the IdP answers at `path`: `change` is JavaScript about `answer`, and about its token.
    pub async fn spoils(&self, path: &str, change: &str) -> Value {
        let script = MEDDLE.replace("PATH", &format!("'{path}'")).replace("CHANGE", change);
        self.meddles(&format!("if (location.pathname === '/spa') {{ {script} }}")).await
    }

    /// What a script on the page that is open can read of the answer to a request: its status, or why not.
    pub async fn can_read(&self, address: &str, how: Value) -> Value {
        let ask = format!(
            "fetch({}, {how}).then(it => it.text().then(() => it.status), error => error.name)",
            json!(address)
        );
        self.runs(&ask).await
    }
}

/// The page of the client without a server, and its states.
pub async fn the_script(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    learner.forgets_cookies().await;
    learner.opens_the_script(pair).await;
    look("spa").await;
    learner.is_signed_in_by_the_script(pair).await;
    look("spa-signed-in").await;
    learner.has_the_script("refresh").await;
    learner.the_script_says("passed", "").await;
    let unfold = "document.querySelectorAll('main details').forEach(more => more.open = true)";
    learner.evaluates(unfold, Vec::new()).await;
    look("spa-refreshed").await;
    learner.has_the_script("replay").await;
    learner.the_script_says("failed", "invalid_grant").await;
    look("spa-replayed").await;
    learner.clicks("#flow").await;
    learner.finds(".bench").await;
    look("viewer-flow-spa").await;
    learner.goes_to("m10").await;
    look("viewer-flow-spa-checks").await;
    learner.opens(&format!("{}/spa?code=c&state=forged&iss={}", pair.home, pair.issuer)).await;
    learner.the_script_says("failed", "").await;
    look("spa-refused").await;
    learner.forgets_cookies().await;
}
