//! Which backfills may run at the same time.

use std::collections::BTreeSet;

use mig_plan::{Action, Address, Kind, Phase, Step};

/// Marks neighbouring backfills of different tables of which none waits for another.
pub(super) fn group(steps: &mut [Step]) {
    let mut at = 0;
    while at < steps.len() {
        let many = together(&steps[at..]);
        if many > 1 {
            let mark = format!("{}/backfill", steps[at].change.address().holder().dotted());
            steps[at..at + many].iter_mut().for_each(|step| step.group = Some(mark.clone()));
        }
        at += many.max(1);
    }
}

/// How many of the first steps may run at the same time.
fn together(steps: &[Step]) -> usize {
    let (mut tables, mut ids) = (BTreeSet::<Address>::new(), BTreeSet::new());
    let fits = |step: &&Step| {
        is_fill(step)
            && !step.needs.iter().any(|need| ids.contains(&need.step))
            && tables.insert(step.change.address().holder())
            && ids.insert(step.id.clone())
    };
    steps.iter().take_while(fits).count()
}

fn is_fill(step: &Step) -> bool {
    step.phase == Phase::Backfill
        && matches!(step.change, Kind::Backfill(_))
        && matches!(step.action, Action::Batches(_))
}
