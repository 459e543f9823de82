//! What a [`Learner`] sees on the page, and what the browser knows beside it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use thirtyfour::{By, WebElement};
use url::Url;

use crate::{learner::Learner, wait::soon};

impl Learner {
    /// The page says this, now or in a moment.
    pub async fn sees(&self, words: &str) {
        let what = format!("{words:?}");
        self.waits_for(&what, async || self.text().await.contains(words).then_some(())).await;
    }

    /// Looks until there is something to see; if there never is, says what there was instead.
    pub(crate) async fn waits_for<T>(&self, what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
        let Some(seen) = soon(look).await else {
            panic!(
                "waited in vain for {what} at {}, which says:\n{}",
                self.address().await,
                self.text().await
            );
        };
        seen
    }

    /// The page that is there does not say this.
    pub async fn sees_no(&self, words: &str) {
        let text = self.text().await;
        assert!(!text.contains(words), "{words:?} is on the page:\n{text}");
    }

    /// The login is complete.
    pub async fn is_welcomed(&self) {
        self.is_welcomed_as("Demo User").await;
    }

    /// The login is complete, and this is who it was.
    pub async fn is_welcomed_as(&self, name: &str) {
        self.sees(&format!("Welcome, {name}!")).await;
    }

    /// The home page of somebody who is not signed in.
    pub async fn is_signed_out(&self) {
        self.sees("You are not signed in.").await;
    }

    /// The address is, or soon will be, this one.
    pub async fn is_at(&self, address: &str) {
        let driver = &self.chrome.driver;
        self.waits_for(&format!("the address {address}"), async || {
            let here = driver.current_url().await.ok()?;
            (here.as_str() == address).then_some(())
        })
        .await;
    }

    /// Where they are.
    pub async fn address(&self) -> Url {
        self.chrome.driver.current_url().await.unwrap()
    }

    /// What `selector` names, as soon as it is there.
    pub async fn finds(&self, selector: &str) -> WebElement {
        let driver = &self.chrome.driver;
        self.waits_for(selector, async || driver.find(By::Css(selector)).await.ok()).await
    }

    /// How often there is such a thing on the page.
    pub async fn counts(&self, selector: &str) -> usize {
        self.chrome.driver.find_all(By::Css(selector)).await.unwrap().len()
    }

    /// What stands in `selector`.
    pub async fn reads(&self, selector: &str) -> String {
        self.finds(selector).await.text().await.unwrap()
    }

    /// What stands at an `XPath`.
    pub async fn reads_path(&self, path: &str) -> String {
        let driver = &self.chrome.driver;
        let found = self.waits_for(path, async || driver.find(By::XPath(path)).await.ok()).await;
        found.text().await.unwrap()
    }

    /// The ribbon's ten steps up to the present one: what is done, and what it says of where we are.
    pub async fn ribbon(&self) -> Vec<String> {
        let steps = self.chrome.driver.find_all(By::Css(".ribbon li")).await.unwrap();
        assert_eq!(steps.len(), 10);
        let mut passed = Vec::new();
        for step in steps {
            match step.class_name().await.unwrap().unwrap_or_default().as_str() {
                "todo" => break,
                "done" => passed.push("done".to_owned()),
                _ => passed.push(step.text().await.unwrap().replace('\n', " ")),
            }
        }
        passed
    }

    /// The value of a field.
    pub async fn reads_field(&self, selector: &str) -> String {
        self.finds(selector).await.value().await.unwrap().unwrap_or_default()
    }

    /// Everything that can be read on the page. Nothing while the next page is on its way.
    pub async fn text(&self) -> String {
        let Ok(body) = self.chrome.driver.find(By::Css("body")).await else {
            return String::new();
        };
        body.text().await.unwrap_or_default()
    }

    /// What a script in the page finds out.
    pub async fn evaluates(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.chrome.driver.execute(script, arguments).await.unwrap().json().clone()
    }

    /// What sticks out on the right, as it stands in the page: where to look.
    pub async fn sticks_out(&self) -> String {
        let script = "const width = document.documentElement.clientWidth;
            const clipped = (it) => it && (getComputedStyle(it).overflowX !== 'visible' || clipped(it.parentElement));
            const out = [...document.body.querySelectorAll('*')].filter((it) =>
              it.getBoundingClientRect().right > width + 0.5 && !clipped(it.parentElement));
            return out.length ? out[out.length - 1].outerHTML.slice(0, 200) : '';";
        self.evaluates(script, Vec::new()).await.as_str().unwrap_or_default().to_owned()
    }

    /// How far the page reaches beyond the window's right edge, in pixels.
    pub async fn overflow(&self) -> i64 {
        let script = "const root = document.documentElement; return root.scrollWidth - root.clientWidth;";
        self.evaluates(script, Vec::new()).await.as_i64().unwrap()
    }

    /// Every page that the browser has asked for since this was last called, redirects included.
    pub async fn visited(&self) -> Vec<Url> {
        let requests = self.requests().await.into_iter();
        let documents = requests.filter(|request| request["type"] == "Document");
        documents.filter_map(|request| Url::parse(request["request"]["url"].as_str()?).ok()).collect()
    }

    /// Everything that the browser has asked for since then, pages and what belongs to them.
    pub async fn addresses_asked_for(&self) -> Vec<String> {
        let requests = self.requests().await.into_iter();
        requests.map(|request| request["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    async fn requests(&self) -> Vec<Value> {
        let log = self.chrome.driver.get_log("performance").await.unwrap();
        log.iter()
            .filter_map(|entry| serde_json::from_str::<Value>(&entry.message).ok())
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|mut event| event["message"]["params"].take())
            .collect()
    }

    /// The last request for this path.
    pub async fn last_request(&self, path: &str) -> Url {
        let visited = self.visited().await;
        let last = visited.into_iter().rev().find(|address| address.path() == path);
        last.unwrap_or_else(|| panic!("no request for {path}"))
    }

    /// The `state` of the login that has just begun.
    pub async fn state_of_login(&self) -> String {
        let asked = self.last_request("/oauth/authorize").await;
        let state = asked.query_pairs().find(|(name, _)| name == "state");
        state.unwrap().1.into_owned()
    }

    /// What the browser complained of since this was last called: refused scripts and styles, script errors, deprecated
    /// ways. That a page of an error has a status of an error is none.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.chrome.driver.browser_log().await.unwrap();
        log.into_iter()
            .filter(|entry| !entry.message.contains("the server responded with a status of"))
            .map(|entry| format!("{} {}", entry.level, entry.message))
            .collect()
    }

    /// Every cookie of the browser, as the browser's developer tools describe them.
    pub async fn cookies(&self) -> Vec<Value> {
        let answer = self.asks_devtools("Storage.getCookies", json!({})).await;
        answer["cookies"].as_array().unwrap().clone()
    }

    /// The whole page as a PNG, however long it is.
    pub async fn photographs_page(&self) -> Vec<u8> {
        self.photographs(true).await
    }

    /// What the window shows, as a PNG.
    pub async fn photographs_window(&self) -> Vec<u8> {
        self.photographs(false).await
    }

    async fn photographs(&self, beyond_window: bool) -> Vec<u8> {
        let how = json!({ "captureBeyondViewport": beyond_window });
        let picture = self.asks_devtools("Page.captureScreenshot", how).await;
        STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()
    }
}
