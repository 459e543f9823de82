//! A check: a rule, what it expects, what was there, and the verdict.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Event, Rule, Shown, Sink};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The actual value is as expected.
    Passed,
    /// It is not; what was asked for is refused.
    Failed,
    /// The rule has nothing to judge in this message.
    NotApplicable,
}

impl Verdict {
    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// One check that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The rule.
    pub rule: Rule,
    /// What the rule asks for.
    pub expected: Shown<'static>,
    /// What was there.
    pub actual: Shown<'static>,
    /// How it came out.
    pub verdict: Verdict,
}

/// The check that refused a message.
#[derive(Clone, Debug, Error)]
#[error("{}: expected {}, got {}", .0.rule.id(), .0.expected, .0.actual)]
pub struct Failed(pub Check);

/// The checks of one message, made one after the other.
#[derive(Clone)]
pub struct Checks {
    sink: Arc<dyn Sink>,
    kept: Option<Vec<Check>>,
}

impl Checks {
    /// Checks that only the sink hears of.
    pub fn new(sink: Arc<dyn Sink>) -> Self {
        Self { sink, kept: None }
    }

    /// Checks that are also kept, to be shown with their result.
    pub fn kept(sink: Arc<dyn Sink>) -> Self {
        Self { sink, kept: Some(Vec::new()) }
    }

    /// Judges: `passed`, or refused with both values.
    pub fn judge<'a>(
        &mut self,
        rule: Rule,
        expected: impl Into<Shown<'a>>,
        actual: impl Into<Shown<'a>>,
        passed: bool,
    ) -> Result<(), Failed> {
        if passed {
            self.note(rule, expected.into(), actual.into(), Verdict::Passed);
            Ok(())
        } else {
            Err(self.refuse(rule, expected, actual))
        }
    }

    /// Notes that what was found is what was expected.
    pub fn pass<'a>(&mut self, rule: Rule, found: impl Into<Shown<'a>>) {
        let found = found.into();
        self.note(rule, found.clone(), found, Verdict::Passed);
    }

    /// Refuses, where the value that was looked for is not even there to be judged.
    pub fn refuse<'a>(
        &mut self,
        rule: Rule,
        expected: impl Into<Shown<'a>>,
        actual: impl Into<Shown<'a>>,
    ) -> Failed {
        let check = made(rule, expected.into(), actual.into(), Verdict::Failed);
        self.keep(&check);
        Failed(check)
    }

    /// Judges two texts that must be the same.
    pub fn equal(&mut self, rule: Rule, expected: &str, actual: &str) -> Result<(), Failed> {
        self.judge(rule, expected, actual, expected == actual)
    }

    /// Notes that a rule has nothing to judge here.
    pub fn not_applicable<'a>(
        &mut self,
        rule: Rule,
        expected: impl Into<Shown<'a>>,
        actual: impl Into<Shown<'a>>,
    ) {
        self.note(rule, expected.into(), actual.into(), Verdict::NotApplicable);
    }

    /// The checks so far, if they are kept.
    pub fn into_made(self) -> Vec<Check> {
        self.kept.unwrap_or_default()
    }

    fn note(&mut self, rule: Rule, expected: Shown<'_>, actual: Shown<'_>, verdict: Verdict) {
        if self.kept.is_some() || self.sink.is_watching() {
            self.keep(&made(rule, expected, actual, verdict));
        }
    }

    fn keep(&mut self, check: &Check) {
        if self.sink.is_watching() {
            self.sink.record(Event::Check(check.clone()));
        }
        if let Some(kept) = &mut self.kept {
            kept.push(check.clone());
        }
    }
}

fn made(rule: Rule, expected: Shown<'_>, actual: Shown<'_>, verdict: Verdict) -> Check {
    Check { rule, expected: expected.into_owned(), actual: actual.into_owned(), verdict }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::{
        super::{NoRecording, Words},
        *,
    };

    #[derive(Default)]
    struct Notebook(Mutex<Vec<Check>>);

    impl Sink for Notebook {
        fn is_watching(&self) -> bool {
            true
        }

        fn record(&self, event: Event) {
            if let Event::Check(check) = event {
                self.0.lock().unwrap().push(check);
            }
        }
    }

    #[test]
    fn a_failed_check_says_what_was_expected_and_what_was_there() {
        let Failed(check) = Checks::new(Arc::new(NoRecording)).equal(Rule::Nonce, "a", "b").unwrap_err();
        assert_eq!((check.expected.value(), check.actual.value()), ("a", "b"));
        assert_eq!(check.verdict, Verdict::Failed);
    }

    #[test]
    fn whoever_watches_sees_passed_checks_too() {
        let notebook = Arc::new(Notebook::default());
        let mut checks = Checks::kept(notebook.clone());
        checks.equal(Rule::Nonce, "a", "a").unwrap();
        checks.not_applicable(Rule::AuthorizedParty, "client1", Words::Absent);
        let verdicts = [Verdict::Passed, Verdict::NotApplicable];
        assert_eq!(notebook.0.lock().unwrap().iter().map(|c| c.verdict).collect::<Vec<_>>(), verdicts);
        assert_eq!(checks.into_made().iter().map(|c| c.verdict).collect::<Vec<_>>(), verdicts);
    }
}
