//! The steps of a plan as a graph: an arrow from each step to those that wait for it, without arrows that others imply.

use std::collections::BTreeMap;

use mig_plan::{Plan, Step, StepId};

use super::clean;

/// Arrows between steps, by their numbers in the plan.
pub(super) struct Graph {
    /// From the step that is waited for to the one that waits, in order.
    pub(super) arrows: Vec<(usize, usize)>,
}

impl Graph {
    /// That of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let number: BTreeMap<&StepId, usize> = plan.steps.iter().enumerate().map(|(i, step)| (&step.id, i)).collect();
        let words = plan.steps.len().div_ceil(64);
        // For each step a bit for every step before it, as far as its needs lead.
        let mut before: Vec<Vec<u64>> = Vec::with_capacity(plan.steps.len());
        let mut arrows = Vec::new();
        for (to, step) in plan.steps.iter().enumerate() {
            let mut needs: Vec<usize> = step.needs.iter().filter_map(|need| number.get(&need.step).copied()).collect();
            needs.retain(|from| *from < to);
            needs.sort_unstable();
            needs.dedup();
            let mut reached = vec![0_u64; words];
            for from in needs.into_iter().rev() {
                if reached[from / 64] >> (from % 64) & 1 == 0 {
                    arrows.push((from, to));
                    reached[from / 64] |= 1 << (from % 64);
                    reached.iter_mut().zip(&before[from]).for_each(|(all, more)| *all |= more);
                }
            }
            before.push(reached);
        }
        arrows.sort_unstable();
        Self { arrows }
    }
}

/// What a step does and to what, each short enough for a box of so many characters.
pub(super) fn label(step: &Step, room: usize) -> (String, String) {
    let address = step.change.address();
    let own: Vec<String> = address.path().iter().map(ToString::to_string).collect();
    let shown = if address.is_member() { 2 } else { 1 };
    let tail = own[own.len().saturating_sub(shown)..].join(".");
    (step.kind.replace('-', " "), shortened(&clean::line(&tail), room))
}

/// A text with its middle left out where it is too long.
pub(super) fn shortened(text: &str, room: usize) -> String {
    let length = text.chars().count();
    if length <= room {
        return text.to_owned();
    }
    let head = room.saturating_sub(1).div_ceil(2);
    let tail = room.saturating_sub(1) - head;
    text.chars().take(head).chain(['…']).chain(text.chars().skip(length - tail)).collect()
}

#[cfg(test)]
mod tests {
    use mig_plan::Need;

    use super::{super::sample, *};

    #[test]
    fn an_arrow_that_others_imply_is_left_out() {
        let mut plan = sample::plan();
        let ids: Vec<_> = plan.steps.iter().map(|step| step.id.clone()).collect();
        let need = |step: &StepId| Need { step: step.clone(), because: "order".to_owned() };
        plan.steps[1].needs = vec![need(&ids[0])];
        plan.steps[2].needs = vec![need(&ids[0]), need(&ids[1])];
        assert_eq!(Graph::of(&plan).arrows, [(0, 1), (1, 2)]);
    }

    #[test]
    fn long_texts_lose_their_middle() {
        assert_eq!(shortened("abcdefghij", 5), "ab…ij");
        assert_eq!(shortened("äöü", 3), "äöü");
    }
}
