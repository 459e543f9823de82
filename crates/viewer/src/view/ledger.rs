//! The life of each value, at each of those who keep it, over the ten steps.

use serde::Serialize;
use shared::flow::{Party, State, Step, Story, Turn, Value};

/// The table.
#[derive(Debug, Serialize)]
pub(crate) struct Ledger {
    /// The step that the flow has come to.
    at: u8,
    values: Vec<Life>,
}

#[derive(Debug, Serialize)]
struct Life {
    value: &'static str,
    sides: Vec<Side>,
}

#[derive(Debug, Serialize)]
struct Side {
    house: &'static str,
    cells: Vec<Cell>,
}

/// What happens to a value in a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Cell {
    step: u8,
    turns: Vec<&'static str>,
    held: bool,
    from: bool,
    upto: bool,
}

/// The lives of the values of a flow; none where nothing was told of any.
pub(crate) fn ledger(story: &Story<'_>) -> Option<Ledger> {
    let at = story.current.step().map_or(0, Step::number);
    let steps = story.stages.iter().filter(|stage| stage.entry.step().is_some());
    let moments: Vec<_> = steps.flat_map(|stage| &stage.lives).collect();
    let values = Value::ALL.into_iter().filter_map(|value| {
        let sides = [Party::Rp, Party::Browser, Party::Idp].into_iter().filter_map(|party| {
            let of_side = moments.iter().filter(|(by, life)| *by == party && life.value == value);
            let turns: Vec<(Turn, u8)> = of_side.map(|(_, life)| (life.turn, life.step.number())).collect();
            (!turns.is_empty()).then(|| Side { house: party.id(), cells: cells(&turns, until(story, at)) })
        });
        let sides: Vec<_> = sides.collect();
        (!sides.is_empty()).then(|| Life { value: value.id(), sides })
    });
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then_some(Ledger { at, values })
}

/// The last step that is known of: what is kept after the last one is kept to the end.
fn until(story: &Story<'_>, at: u8) -> u8 {
    let last = story.steps().filter(|stage| stage.state != State::Todo).last();
    last.and_then(|stage| stage.entry.step()).map_or(at, Step::number)
}

fn cells(turns: &[(Turn, u8)], until: u8) -> Vec<Cell> {
    let first = |wanted: Turn| turns.iter().filter(|(turn, _)| *turn == wanted).map(|(_, step)| *step).min();
    let last = |wanted: Turn| turns.iter().filter(|(turn, _)| *turn == wanted).map(|(_, step)| *step).max();
    let (from, end) = (first(Turn::Stored), last(Turn::Destroyed));
    let to = end.unwrap_or(until);
    let cell = |step: Step| {
        let step = step.number();
        let held = from.is_some_and(|from| (from..=to).contains(&step));
        let shown =
            turns.iter().filter(|(turn, at)| *at == step && *turn != Turn::Stored).map(|(turn, _)| *turn);
        // That a value came is seen by the bar that begins.
        let shown = shown.filter(|turn| *turn != Turn::Received || !held);
        let mut ids: Vec<&'static str> = Vec::new();
        for turn in shown {
            if !ids.contains(&turn.id()) {
                ids.push(turn.id());
            }
        }
        Cell { step, turns: ids, held, from: held && from == Some(step), upto: held && end == Some(step) }
    };
    Step::ALL.into_iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(turns: &[(Turn, u8)], until: u8) -> String {
        let signs = cells(turns, until).into_iter().map(|cell| match (cell.turns.first(), cell.held) {
            (Some(turn), _) => turn.chars().next().unwrap(),
            (None, true) => '-',
            (None, false) => '.',
        });
        signs.collect()
    }

    #[test]
    fn a_value_is_held_from_where_it_was_stored_to_where_it_was_destroyed() {
        let state = [
            (Turn::Created, 2),
            (Turn::Stored, 2),
            (Turn::Sent, 2),
            (Turn::Compared, 7),
            (Turn::Destroyed, 7),
        ];
        assert_eq!(drawn(&state, 10), ".c----c...");
        assert!(cells(&state, 10)[1].from && cells(&state, 10)[6].upto);
    }

    #[test]
    fn what_is_not_destroyed_is_held_as_far_as_the_flow_has_come() {
        assert_eq!(drawn(&[(Turn::Received, 7), (Turn::Stored, 7)], 8), "......--..");
        assert_eq!(drawn(&[(Turn::Created, 2), (Turn::Sent, 2)], 8), ".c........");
    }
}
