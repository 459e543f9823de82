//! Somebody in front of a browser: what they do, and what they see.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use thirtyfour::{By, Key, WebElement};
use url::Url;

use crate::{
    chrome::{Chrome, Profile},
    pair::Pair,
    wait::{eventually, soon},
};

/// The button that begins a login.
pub const LOGIN: &str = "form[action='/login'] button";
/// The button of the login page.
pub const SIGN_IN: &str = "main form button[type=submit]";
/// The first button of the consent page.
pub const ALLOW: &str = "button[value=allow]";
/// The second one.
pub const CANCEL: &str = "button[value=deny]";
/// The button that ends the session.
pub const LOGOUT: &str = "form[action='/logout'] button";

/// A learner with a browser of their own.
pub struct Learner {
    chrome: Chrome,
    home: String,
}

/// What they do.
impl Learner {
    /// An English reader with an ordinary browser.
    pub async fn of(pair: &Pair) -> Self {
        Self::with(pair, Profile::default()).await
    }

    /// One with a browser set up in their own way.
    pub async fn with(pair: &Pair, profile: Profile) -> Self {
        Self {
            chrome: Chrome::open(profile).await,
            home: pair.home.clone(),
        }
    }

    /// Types an address.
    pub async fn opens(&self, address: &str) {
        self.chrome.driver.goto(address).await.unwrap();
    }

    /// Opens the RP.
    pub async fn opens_home(&self) {
        self.opens(&self.home).await;
    }

    /// Step 1.
    pub async fn clicks_login(&self) {
        self.clicks(LOGIN).await;
        self.finds("#password").await;
    }

    /// Step 4: the demo user's name and password stand in the form.
    pub async fn signs_in(&self) {
        self.clicks(SIGN_IN).await;
        self.finds(ALLOW).await;
    }

    /// Step 4, with something else typed.
    pub async fn signs_in_as(&self, username: &str, password: &str) {
        self.types("#username", username).await;
        self.types("#password", password).await;
        self.clicks(SIGN_IN).await;
    }

    /// Step 5.
    pub async fn allows(&self) {
        self.clicks(ALLOW).await;
    }

    /// Step 5, the other way.
    pub async fn cancels(&self) {
        self.clicks(CANCEL).await;
    }

    /// All of it, from home to home.
    pub async fn logs_in(&self) {
        self.opens_home().await;
        self.clicks_login().await;
        self.signs_in().await;
        self.allows().await;
        self.is_welcomed().await;
    }

    /// Ends the session with the button.
    pub async fn logs_out(&self) {
        self.clicks(LOGOUT).await;
    }

    /// Clicks what `selector` names, as soon as it is there.
    pub async fn clicks(&self, selector: &str) {
        let driver = &self.chrome.driver;
        eventually(format!("a click on {selector}"), async || {
            driver.find(By::Css(selector)).await.ok()?.click().await.ok()
        })
        .await;
    }

    /// Follows the link, presses the button, or opens the section that says so.
    pub async fn follows(&self, words: &str) {
        let driver = &self.chrome.driver;
        let path = format!(
            "//main//*[self::a or self::button or self::summary][contains(normalize-space(.), '{words}')]"
        );
        eventually(format!("a click on {words:?}"), async || {
            driver.find(By::XPath(&path)).await.ok()?.click().await.ok()
        })
        .await;
    }

    /// Types into a field, in place of what was there.
    pub async fn types(&self, selector: &str, text: &str) {
        let field = self.finds(selector).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Switches the language at the top of the page.
    pub async fn switches_to(&self, language: &str) {
        self.clicks(&format!(".langs a[hreflang={language}]")).await;
        self.finds(&format!("html[lang={language}]")).await;
    }

    /// Goes back one page.
    pub async fn goes_back(&self) {
        self.chrome.driver.back().await.unwrap();
    }

    /// Goes on to the page that they came back from.
    pub async fn goes_forward(&self) {
        self.chrome.driver.forward().await.unwrap();
    }

    /// Loads the page again.
    pub async fn reloads(&self) {
        self.chrome.driver.refresh().await.unwrap();
    }

    /// Opens an empty tab and turns to it.
    pub async fn opens_a_tab(&self) {
        let tab = self.chrome.driver.new_tab().await.unwrap();
        self.chrome.driver.switch_to_window(tab).await.unwrap();
    }

    /// Turns to a tab, counted from 0.
    pub async fn turns_to_tab(&self, number: usize) {
        let tabs = self.chrome.driver.windows().await.unwrap();
        self.chrome
            .driver
            .switch_to_window(tabs[number].clone())
            .await
            .unwrap();
    }

    /// Looks into the page's frame with this number.
    pub async fn looks_into_frame(&self, number: u16) {
        self.chrome.driver.enter_default_frame().await.unwrap();
        self.chrome.driver.enter_frame(number).await.unwrap();
    }

    /// Presses a key.
    pub async fn presses(&self, key: Key) {
        self.chrome
            .driver
            .action_chain()
            .send_keys(key)
            .perform()
            .await
            .unwrap();
    }

    /// Presses Tab until `selector` has the focus; every stop on the way must be seen to have it.
    pub async fn tabs_to(&self, selector: &str) {
        const MANY: usize = 40;
        let look = "const here = document.activeElement, style = getComputedStyle(here);
            return [here.matches(arguments[0]), here.matches(':focus-visible') && style.outlineStyle !== 'none'
                && parseFloat(style.outlineWidth) >= 2, here.outerHTML.slice(0, 120)];";
        for _ in 0..MANY {
            self.presses(Key::Tab).await;
            let here = self.evaluates(look, vec![json!(selector)]).await;
            assert_eq!(here[1], true, "nobody sees that this has the focus: {}", here[2]);
            if here[0] == true {
                return;
            }
        }
        panic!("{MANY} times Tab do not lead to {selector}");
    }

    /// Makes the window this wide.
    pub async fn widens_to(&self, width: u32) {
        self.asks_devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false }),
        )
        .await;
    }

    /// Clears the browser of cookies.
    pub async fn forgets_cookies(&self) {
        self.asks_devtools("Storage.clearCookies", json!({})).await;
    }

    /// The system's colours become dark, or light.
    pub async fn prefers(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.asks_devtools("Emulation.setEmulatedMedia", json!({ "features": features }))
            .await;
    }
}

/// What they see.
impl Learner {
    /// The page says this, now or in a moment.
    pub async fn sees(&self, words: &str) {
        if soon(async || self.text().await.contains(words).then_some(()))
            .await
            .is_none()
        {
            panic!(
                "{words:?} is not on the page {}, which says:\n{}",
                self.address().await,
                self.text().await
            );
        }
    }

    /// The page that is there does not say this.
    pub async fn sees_no(&self, words: &str) {
        let text = self.text().await;
        assert!(!text.contains(words), "{words:?} is on the page:\n{text}");
    }

    /// The login is complete.
    pub async fn is_welcomed(&self) {
        self.sees("Welcome, Demo User!").await;
    }

    /// The home page of somebody who is not signed in.
    pub async fn is_signed_out(&self) {
        self.sees("You are not signed in.").await;
    }

    /// The address is, or soon will be, this one.
    pub async fn is_at(&self, address: &str) {
        let driver = &self.chrome.driver;
        eventually(format!("the address {address}"), async || {
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
        eventually(selector, async || driver.find(By::Css(selector)).await.ok()).await
    }

    /// How often there is such a thing on the page.
    pub async fn counts(&self, selector: &str) -> usize {
        self.chrome
            .driver
            .find_all(By::Css(selector))
            .await
            .unwrap()
            .len()
    }

    /// What stands in `selector`.
    pub async fn reads(&self, selector: &str) -> String {
        self.finds(selector).await.text().await.unwrap()
    }

    /// What stands at an `XPath`.
    pub async fn reads_path(&self, path: &str) -> String {
        let driver = &self.chrome.driver;
        let found = eventually(path, async || driver.find(By::XPath(path)).await.ok()).await;
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
        self.finds(selector)
            .await
            .value()
            .await
            .unwrap()
            .unwrap_or_default()
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
        self.chrome
            .driver
            .execute(script, arguments)
            .await
            .unwrap()
            .json()
            .clone()
    }

    /// How far the page reaches beyond the window's right edge, in pixels.
    pub async fn overflow(&self) -> i64 {
        let script = "const root = document.documentElement; return root.scrollWidth - root.clientWidth;";
        self.evaluates(script, Vec::new()).await.as_i64().unwrap()
    }

    /// Every page that the browser has asked for since this was last called, redirects included.
    pub async fn visited(&self) -> Vec<Url> {
        let log = self.chrome.driver.get_log("performance").await.unwrap();
        log.iter()
            .filter_map(|entry| serde_json::from_str::<Value>(&entry.message).ok())
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|mut event| event["message"]["params"].take())
            .filter(|request| request["type"] == "Document")
            .filter_map(|request| Url::parse(request["request"]["url"].as_str()?).ok())
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

    /// Every cookie of the browser, as the DevTools protocol describes them.
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

    async fn asks_devtools(&self, method: &str, parameters: Value) -> Value {
        self.chrome
            .driver
            .cdp()
            .send_raw(method, parameters)
            .await
            .unwrap()
    }
}
