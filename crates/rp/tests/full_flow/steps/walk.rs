//! Somebody who goes through a login step by step, by hand.

use std::sync::LazyLock;

use shared::flow::{Check, Entry, Event, Party, Pause, Recorded, Rule, Verdict};
use web::{catalogue::Catalogue, lang::Lang};

use crate::pair::{AGREE, Browser, PASSWORD, Pair};

impl Browser {
    /// Where the login is held, if it is.
    pub(crate) fn held_at(&self) -> Option<Pause> {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load(Lang::En).unwrap());
        let title = |pause: &Pause| {
            let title = CATALOGUE.get(&format!("pause.{}.title", pause.id())).unwrap().to_owned();
            self.text.contains(&format!(r#"<h1 id="h-held">{title}</h1>"#))
        };
        Pause::all().find(title)
    }

    /// Lets go what is held, with these fields of its form.
    pub(crate) async fn lets_go(&mut self, fields: &[(&str, &str)]) {
        assert!(self.held_at().is_some(), "{}", self.text);
        self.submits(None, fields).await;
    }

    pub(crate) async fn sends(&mut self) {
        self.lets_go(&[("do", "send")]).await;
    }

    /// What stands in the page's field of several lines called `name`.
    pub(crate) fn lines(&self, name: &str) -> String {
        let (_, field) = self.text.split_once(&format!(r#"name="{name}""#)).unwrap();
        let (_, value) = field.split_once(">\n").unwrap();
        let value = value.split("</textarea>").next().unwrap();
        ["&quot;", "&#39;", "&#x27;", "&lt;", "&gt;", "&#x2F;", "&amp;"]
            .into_iter()
            .zip(["\"", "'", "'", "<", ">", "/", "&"])
            .fold(value.to_owned(), |text, (written, meant)| text.replace(written, meant))
    }

    /// Whether the home page greets somebody.
    pub(crate) fn is_greeted(&self) -> bool {
        self.text.contains("Welcome, Demo User!")
    }
}

impl Pair {
    /// A login that is held before step 2.
    pub(crate) async fn begins_step_by_step(&self) -> Browser {
        let mut browser = Browser::default();
        browser.opens(&format!("{}/login?pace=step", self.rp)).await;
        assert_eq!(browser.held_at(), Some(Pause::AuthorizationRequest));
        browser
    }

    /// A login that is held at `pause`, or something that is done with its tokens. On the way there nothing is touched.
    pub(crate) async fn is_held_at(&self, pause: Pause) -> Browser {
        let mut browser = match deed_of(pause) {
            Some(deed) => {
                let mut browser = self.at_the_tokens().await;
                browser.does_step_by_step(deed).await;
                browser
            }
            None => self.begins_step_by_step().await,
        };
        browser.goes_on_to(pause).await;
        browser
    }

    /// Whether the browser is signed in, as the RP's home tells.
    pub(crate) async fn greets(&self, browser: &mut Browser) -> bool {
        browser.opens(&format!("{}/", self.rp)).await;
        browser.is_greeted()
    }
}

impl Browser {
    /// Lets everything go until the login is held at `pause`.
    pub(crate) async fn goes_on_to(&mut self, pause: Pause) {
        while self.held_at() != Some(pause) {
            self.goes_on().await;
        }
    }

    /// Does what there is to do on this page, and nothing unusual.
    pub(crate) async fn goes_on(&mut self) {
        if self.held_at().is_some() {
            self.sends().await;
        } else if self.text.contains(r#"name="password""#) {
            self.submits(None, &PASSWORD).await;
        } else if self.text.contains(r#"value="allow""#) {
            self.submits(None, &AGREE).await;
        } else {
            panic!("nothing to go on with: {:?} {}", self.page, self.text);
        }
    }

    /// Goes on for as long as there is something to go on with.
    pub(crate) async fn goes_on_to_the_end(&mut self) {
        let is_page_of_flow = |browser: &Self| {
            browser.held_at().is_some()
                || browser.text.contains(r#"name="password""#)
                || browser.text.contains(r#"value="allow""#)
        };
        while is_page_of_flow(self) {
            self.goes_on().await;
        }
    }
}

/// What is done with tokens in which `pause` comes up, if it is of none of the login.
fn deed_of(pause: Pause) -> Option<&'static str> {
    Some(match pause.entry() {
        Entry::Refresh => "refresh",
        Entry::Revocation => "revoke_access",
        Entry::Introspection => "introspect_access",
        Entry::Api => "call_me",
        _ => return None,
    })
}

impl Browser {
    /// Does something with a token step by step.
    pub(crate) async fn does_step_by_step(&mut self, deed: &str) {
        self.submits(Some("/tokens"), &[("do", deed), ("pace", "step")]).await;
    }
}

/// The checks that failed, and at whom.
pub(crate) fn failed(events: &[Recorded]) -> Vec<(Party, Rule)> {
    let failed = events.iter().filter_map(|it| match &it.event {
        Event::Check(Check { rule, verdict: Verdict::Failed, .. }) => Some((it.by, *rule)),
        _ => None,
    });
    failed.collect()
}
