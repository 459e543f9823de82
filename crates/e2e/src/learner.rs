//! Somebody in front of a browser, and what they do. What they see stands in [`senses`](crate::senses).

use serde_json::{Value, json};
use thirtyfour::By;

use crate::{
    chrome::{Chrome, Profile},
    pair::Pair,
};

/// The button that begins a login.
pub const LOGIN: &str = "form[action='/login'] button.primary";
/// The button for a login that may do without any page.
pub const SINGLE_SIGN_ON: &str = "button[value=sso]";
/// The button that leads to the choice between accounts.
pub const CHOOSE: &str = "button[value=select_account]";
/// The button of the login page.
pub const SIGN_IN: &str = "form:has(#password) button[type=submit]";
/// The first button of the consent page.
pub const ALLOW: &str = "button[value=allow]";
/// The second one.
pub const CANCEL: &str = "button[value=deny]";
/// The button that ends the session.
pub const LOGOUT: &str = "form[action='/logout'] button";

/// A key that moves about in a page.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "they say it on the keyboard")]
pub enum Key {
    Tab,
    Enter,
    Space,
    Escape,
    Down,
    Up,
    Right,
}

impl Key {
    /// Name, code, virtual key code and text, as in the DOM's keyboard events.
    const fn on_the_keyboard(self) -> (&'static str, &'static str, u8, &'static str) {
        match self {
            Self::Tab => ("Tab", "Tab", 9, ""),
            Self::Enter => ("Enter", "Enter", 13, "\r"),
            Self::Space => (" ", "Space", 32, " "),
            Self::Escape => ("Escape", "Escape", 27, ""),
            Self::Down => ("ArrowDown", "ArrowDown", 40, ""),
            Self::Up => ("ArrowUp", "ArrowUp", 38, ""),
            Self::Right => ("ArrowRight", "ArrowRight", 39, ""),
        }
    }
}

/// A learner with a browser of their own.
pub struct Learner {
    pub(crate) chrome: Chrome,
    pub(crate) home: String,
}

/// What they do.
impl Learner {
    /// An English reader with an ordinary browser.
    pub async fn of(pair: &Pair) -> Self {
        Self::with(pair, Profile::default()).await
    }

    /// One with a browser set up in their own way.
    pub async fn with(pair: &Pair, profile: Profile) -> Self {
        Self { chrome: Chrome::open(profile).await, home: pair.home.clone() }
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

    /// Step 4: the other demo user's name and password are one click away.
    pub async fn signs_in_as_alice(&self) {
        self.clicks("button[data-username=alice]").await;
        self.clicks(SIGN_IN).await;
        self.finds(ALLOW).await;
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

    /// All of it, as the other demo user.
    pub async fn logs_in_as_alice(&self) {
        self.opens_home().await;
        self.clicks_login().await;
        self.signs_in_as_alice().await;
        self.allows().await;
        self.is_welcomed_as("Alice Mary Example").await;
    }

    /// Ends the session at the RP and no other.
    pub async fn leaves_the_app(&self) {
        self.opens(&format!("{}/logout", self.home)).await;
        self.clicks("button[name=only]").await;
        self.is_signed_out().await;
    }

    /// Ends the session with the button.
    pub async fn logs_out(&self) {
        self.clicks(LOGOUT).await;
        self.finds(LOGIN).await;
    }

    /// Clicks what `selector` names, as soon as it is there.
    pub async fn clicks(&self, selector: &str) {
        let driver = &self.chrome.driver;
        self.waits_for(&format!("a click on {selector}"), async || {
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
        self.waits_for(&format!("a click on {words:?}"), async || {
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

    /// Opens an empty window beside this one and turns to it.
    pub async fn opens_a_window(&self) {
        let window = self.chrome.driver.new_window().await.unwrap();
        self.chrome.driver.switch_to_window(window).await.unwrap();
    }

    /// Makes the window small, or large again: what is in it is hidden, or seen.
    pub async fn hides_the_window(&self, hidden: bool) {
        let window = self.asks_devtools("Browser.getWindowForTarget", json!({})).await["windowId"].take();
        let state = if hidden { "minimized" } else { "normal" };
        let how = json!({ "windowId": window, "bounds": { "windowState": state } });
        self.asks_devtools("Browser.setWindowBounds", how).await;
        let seen = if hidden { "hidden" } else { "visible" };
        self.waits_for(&format!("the page to be {seen}"), async || {
            let state = self.evaluates("return document.visibilityState", Vec::new()).await;
            (state == seen).then_some(())
        })
        .await;
    }

    /// Turns to a tab, counted from 0.
    pub async fn turns_to_tab(&self, number: usize) {
        let tabs = self.chrome.driver.windows().await.unwrap();
        self.chrome.driver.switch_to_window(tabs[number].clone()).await.unwrap();
    }

    /// Looks into the page's frame with this number.
    pub async fn looks_into_frame(&self, number: u16) {
        self.chrome.driver.enter_default_frame().await.unwrap();
        self.chrome.driver.enter_frame(number).await.unwrap();
    }

    /// Presses a key. Straight to the browser: chromedriver repeats a key when the page changes under it, which Enter
    /// makes it do.
    pub async fn presses(&self, key: Key) {
        let (name, code, number, text) = key.on_the_keyboard();
        for kind in ["keyDown", "keyUp"] {
            let typed = if kind == "keyDown" { text } else { "" };
            let event = json!({
                "type": kind, "key": name, "code": code, "windowsVirtualKeyCode": number, "text": typed,
            });
            self.asks_devtools("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Presses Tab until `selector` has the focus; every stop on the way must be seen to have it.
    pub async fn tabs_to(&self, selector: &str) {
        const MANY: usize = 40;
        for _ in 0..MANY {
            self.presses(Key::Tab).await;
            if self.is_on(selector).await {
                return;
            }
        }
        panic!("{MANY} times Tab do not lead to {selector}");
    }

    /// Whether `selector` has the focus. Whatever has it must be seen to have it.
    pub async fn is_on(&self, selector: &str) -> bool {
        let look = "const here = document.activeElement, style = getComputedStyle(here);
            return [here.matches(arguments[0]), here.matches(':focus-visible') && style.outlineStyle !== 'none'
                && parseFloat(style.outlineWidth) >= 2, here.outerHTML.slice(0, 120)];";
        let here = self.evaluates(look, vec![json!(selector)]).await;
        assert_eq!(here[1], true, "nobody sees that this has the focus: {}", here[2]);
        here[0] == true
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

    /// Has pages run what their policy forbids them, from the next one on.
    pub async fn has_no_policy(&self) {
        self.asks_devtools("Page.setBypassCSP", json!({ "enabled": true })).await;
    }

    /// Has pages that submit a form by themselves wait for a click, from the next one on.
    pub async fn keeps_forms_back(&self) {
        let source = json!({ "source": "HTMLFormElement.prototype.submit = () => {}" });
        self.asks_devtools("Page.addScriptToEvaluateOnNewDocument", source).await;
    }

    /// Sets up the system: `light` or `dark` colours, and nothing on its pages moves.
    pub async fn prefers(&self, scheme: &str) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.asks_devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    pub(crate) async fn asks_devtools(&self, method: &str, parameters: Value) -> Value {
        self.chrome.driver.cdp().send_raw(method, parameters).await.unwrap()
    }
}
