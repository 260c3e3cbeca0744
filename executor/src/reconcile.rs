//! Finds where a database stands on the line of its plan. Shapes decide; the journal only chooses between places that fit.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Address, Object, Plan, Snapshot};

use crate::{
    align::Spelling,
    describe::{Difference, Fact, ObjectDifference, differences},
    line::Line,
};

/// Where a database stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// Before the first leg.
    AtBase,
    /// After so many legs.
    After(usize),
    /// In the declared half-done state of the leg with this index.
    Amid(usize),
    /// After the last leg.
    AtGoal,
    /// Nowhere on the line.
    Drifted(Difference),
}

/// What the journal says was done on a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Legs done, from the first without a gap.
    pub done: usize,
    /// A leg whose statement was begun and of which no end is known.
    pub begun: Option<usize>,
}

/// Finds the place of live objects on a line.
#[must_use]
pub fn place(line: &Line<'_>, live: &BTreeMap<Address, Object>, spelling: Spelling<'_>, told: Told) -> Position {
    let misfits = misfits(line, live, spelling, told);
    let fits: Vec<usize> = (0..misfits.len()).filter(|at| misfits[*at].is_empty()).collect();
    // Where several places fit, the journal's is taken; without one, the earliest: repeating is safe, skipping is not.
    let at_or_after = fits.iter().find(|at| **at >= told.done);
    if let Some(at) = at_or_after.or(fits.first()) {
        return match *at {
            at if at == line.len() => Position::AtGoal,
            0 => Position::AtBase,
            at => Position::After(at),
        };
    }
    let begun_first = told.begun.into_iter().chain(0..line.len());
    for leg in begun_first {
        if amid(line, leg, &line.reserved, live, spelling) {
            return Position::Amid(leg);
        }
    }
    let nearest = (0..misfits.len()).min_by_key(|at| (misfits[*at].len(), told.done.abs_diff(*at))).unwrap_or(0);
    let misfits = misfits[nearest].iter().cloned().collect();
    Position::Drifted(difference(line, nearest, live, &misfits, spelling))
}

/// Whether some objects are in the half-done state that a leg declares. It has no records of spelling yet.
pub(crate) fn amid(
    line: &Line<'_>,
    leg: usize,
    of: &BTreeSet<Address>,
    live: &BTreeMap<Address, Object>,
    spelling: Spelling<'_>,
) -> bool {
    let Some(partial) = line.legs[leg].partial() else { return false };
    of.iter().all(|at| match partial.state.get(at) {
        Some(half) => spelling.adopt(at, None, live.get(at), half.as_deref()).is_some(),
        None => spelling.equal(at, live.get(at), line.expected(leg, at)),
    })
}

/// The addresses that do not fit, for each state of the line.
fn misfits(
    line: &Line<'_>,
    live: &BTreeMap<Address, Object>,
    spelling: Spelling<'_>,
    told: Told,
) -> Vec<BTreeSet<Address>> {
    let mut misfits = vec![BTreeSet::new(); line.states.len()];
    for at in &line.reserved {
        let mut last: Option<(Option<&Object>, bool)> = None;
        for (nth, misfit) in misfits.iter_mut().enumerate() {
            let expected = line.expected(nth, at);
            let mut fits = match last {
                Some((same, fits)) if same == expected => fits,
                _ => spelling.equal(at, live.get(at), expected),
            };
            last = Some((expected, fits));
            // A statement whose reply was lost may have made the object without a record of its spelling.
            if let Some(begun) = told.begun.filter(|leg| leg + 1 == nth)
                && line.legs[begun].touched.contains(at)
            {
                fits = fits || spelling.adopt(at, None, live.get(at), expected).is_some();
            }
            if !fits {
                misfit.insert(at.clone());
            }
        }
    }
    misfits
}

/// How live objects differ from a state at some addresses.
#[must_use]
pub fn difference(
    line: &Line<'_>,
    state: usize,
    live: &BTreeMap<Address, Object>,
    at: &BTreeSet<Address>,
    spelling: Spelling<'_>,
) -> Difference {
    let objects = at.iter().filter_map(|at| {
        let expected = line.expected(state, at);
        let aligned = live.get(at).map(|live| expected.map_or(live.clone(), |e| spelling.align(at, live, e)));
        let facts = differences(aligned.as_ref(), expected);
        (!facts.is_empty()).then(|| ObjectDifference { at: at.clone(), facts })
    });
    Difference { objects: objects.collect() }
}

/// What depends on the footprint and was not there when the plan was made.
#[must_use]
pub fn strangers(plan: &Plan, snapshot: &Snapshot) -> Difference {
    let reserved = plan.reserved();
    let known: BTreeMap<&Address, &BTreeSet<Address>> = plan.footprint.iter().map(|f| (&f.at, &f.dependents)).collect();
    let mut objects: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for (by, needs) in &snapshot.depends {
        let holder = by.holder();
        if reserved.contains(&holder) {
            continue;
        }
        for on in needs.iter().map(Address::holder) {
            if known.get(&on).is_some_and(|dependents| !dependents.contains(by) && !dependents.contains(&holder)) {
                objects.entry(holder.clone()).or_default().insert(on);
            }
        }
    }
    let facts = |on: BTreeSet<Address>| on.into_iter().map(|on| Fact::Dependent { on }).collect();
    Difference { objects: objects.into_iter().map(|(at, on)| ObjectDifference { at, facts: facts(on) }).collect() }
}
