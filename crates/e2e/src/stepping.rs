//! What a [`Learner`] does and sees when they go through a login step by step.

use serde_json::json;
use shared::flow::{Party, Pause};

use crate::{
    learner::{LOGIN, Learner},
    pair::Pair,
};

/// The choice at the RP's home.
pub const STEP_BY_STEP: &str = "input[name=pace][value=step]";
/// The button that lets a message go.
pub const SEND: &str = "#held button[value=send]";
/// The one that lets it go, and stops no more.
pub const RUN: &str = "#held button[value=run]";
/// The one that drops it.
pub const DROP: &str = "#held button[value=drop]";
/// The one that sends it twice.
pub const REPEAT: &str = "#held button[value=repeat]";
/// What came of the message that was let go last.
pub const TOLD: &str = ".told";

impl Learner {
    /// From home to the first pause.
    pub async fn goes_step_by_step(&self) {
        self.opens_home().await;
        self.clicks(STEP_BY_STEP).await;
        self.clicks(LOGIN).await;
        self.is_held_at(Pause::AuthorizationRequest).await;
    }

    /// From home to a pause; nothing is changed on the way.
    pub async fn steps_to(&self, pause: Pause) {
        self.goes_step_by_step().await;
        self.steps_on(Pause::AuthorizationRequest, pause).await;
    }

    /// From one pause to another; nothing is changed on the way.
    pub async fn steps_on(&self, from: Pause, to: Pause) {
        let ahead = Pause::LOGIN.into_iter().skip_while(|pause| *pause != from);
        for (here, next) in ahead.zip(Pause::LOGIN.into_iter().skip_while(|pause| *pause != from).skip(1)) {
            if here == to {
                return;
            }
            self.lets_go().await;
            if here == Pause::LoginPage {
                self.signs_in().await;
                self.allows().await;
            }
            self.is_held_at(next).await;
        }
    }

    /// Lets the message go that is held.
    pub async fn lets_go(&self) {
        self.clicks(SEND).await;
    }

    /// A message is held here, in a login that was never held up on its way, or in what is done with its tokens. Each server
    /// counts what it holds.
    pub async fn is_held_at(&self, pause: Pause) {
        let before = Pause::all().take_while(|it| *it != pause);
        let is_counted = |it: &Pause| {
            if pause.is_afterwards() { it.entry() == pause.entry() } else { it.by() == pause.by() }
        };
        let turn = before.filter(is_counted).count() + 1;
        let house = if pause.by() == Party::Rp { "rp" } else { "idp" };
        self.finds(&format!("body.{house} #held input[name=turn][value='{turn}']")).await;
    }

    /// What stands in the field of a parameter or a header.
    pub async fn reads_value(&self, name: &str) -> String {
        self.reads_field(&value_of(name)).await
    }

    /// Types into the field of a parameter or a header, in place of what was there.
    pub async fn types_value(&self, name: &str, value: &str) {
        self.types(&value_of(name), value).await;
    }

    /// Adds something to what stands in the field of a parameter or a header.
    pub async fn adds_to_value(&self, name: &str, more: &str) {
        self.finds(&value_of(name)).await.send_keys(more).await.unwrap();
    }

    /// Puts something else into the field of several lines in which `before` stands.
    pub async fn replaces_in(&self, field: &str, before: &str, after: &str) {
        let text = self.reads_field(field).await;
        assert!(text.contains(before), "{before:?} is not in {text}");
        self.types(field, &text.replace(before, after)).await;
    }

    /// Scrolls until `selector` is in the middle of the window, and clicks it: the buttons below stay where they are.
    pub async fn scrolls_and_clicks(&self, selector: &str) {
        self.finds(selector).await;
        let script =
            "document.querySelector(arguments[0]).scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.evaluates(script, vec![json!(selector)]).await;
        self.clicks(selector).await;
    }

    /// What was changed by hand at a place of the flow, as the flow viewer tells it: names, and what stands there before and
    /// after.
    pub async fn reads_changes(&self, place: &str) -> Vec<[String; 3]> {
        self.chooses(place).await;
        self.finds(&format!("#{place} .released")).await;
        let script = "return [...document.querySelectorAll(`#${arguments[0]} .released tbody tr`)]
            .map(row => [...row.cells].map(cell => cell.textContent.trim()))";
        serde_json::from_value(self.evaluates(script, vec![json!(place)]).await).unwrap()
    }

    /// The address that leads to what is held of the login that is under way here.
    pub async fn page_of_pause(&self) -> String {
        let address = self.address().await;
        assert!(address.path().contains("/step/"), "{address}");
        address.to_string()
    }

    /// Writes with the keyboard what goes where the focus is.
    pub async fn writes(&self, text: &str) {
        self.asks_devtools("Input.insertText", json!({ "text": text })).await;
    }

    /// Opens the time machine and presses the button that says so.
    pub async fn travels(&self, pair: &Pair, words: &str) {
        self.opens(&format!("{}/time", pair.home)).await;
        self.follows(words).await;
        self.finds(LOGIN).await;
    }
}

/// The field beside a name.
pub fn value_of(name: &str) -> String {
    format!("#held input.name[value='{name}'] + .value input")
}
