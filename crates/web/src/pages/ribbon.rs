//! The ten dots on top of a page: how far the flow has come.

use serde::Serialize;
use shared::flow::Step;

use super::Progress;

#[derive(Serialize)]
pub(super) struct Ribbon {
    state: &'static str,
    current: Dot,
    steps: Vec<Dot>,
}

#[derive(Clone, Copy, Serialize)]
struct Dot {
    n: u8,
    id: &'static str,
    state: &'static str,
}

pub(super) fn of(progress: Progress) -> Ribbon {
    let (current, state) = match progress {
        Progress::Now(step) => (step, "now"),
        Progress::Failed(step) => (step, "fail"),
        Progress::Done => (Step::Validation, "done"),
    };
    let dot = |step: Step| Dot {
        n: step.number(),
        id: step.id(),
        state: match step.cmp(&current) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => state,
            std::cmp::Ordering::Greater => "todo",
        },
    };
    Ribbon { state, current: dot(current), steps: Step::ALL.into_iter().map(dot).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ribbon_ticks_what_is_done_and_crosses_what_failed() {
        let states = |progress| of(progress).steps.iter().map(|dot| dot.state).collect::<Vec<_>>();
        assert_eq!(states(Progress::Failed(Step::Callback))[5..8], ["done", "fail", "todo"]);
        assert_eq!(states(Progress::Done), ["done"; 10]);
    }
}
