//! Finds where a database stands on the line of its plan. Shapes decide; the journal only chooses between places that fit.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

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
    let fits: Vec<usize> = (0..misfits.count.len()).filter(|at| misfits.count[*at] == 0).collect();
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
    let how_far = |at: &usize| (misfits.count[*at], told.done.abs_diff(*at));
    let nearest = (0..misfits.count.len()).min_by_key(how_far).unwrap_or(0);
    Position::Drifted(difference(line, nearest, live, &misfits.at(nearest), spelling))
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

/// Where a database is not as the line says.
struct Misfits<'a> {
    /// How many addresses do not fit, for each state of the line.
    count: Vec<usize>,
    /// The states in which an address does not fit.
    spans: Vec<(Range<usize>, &'a Address)>,
}

impl Misfits<'_> {
    /// The addresses that do not fit in a state.
    fn at(&self, state: usize) -> BTreeSet<Address> {
        let here = self.spans.iter().filter(|(states, _)| states.contains(&state));
        here.map(|(_, at)| (*at).clone()).collect()
    }
}

/// The addresses that do not fit, for each state of the line.
fn misfits<'a>(
    line: &'a Line<'_>,
    live: &BTreeMap<Address, Object>,
    spelling: Spelling<'_>,
    told: Told,
) -> Misfits<'a> {
    let mut spans: Vec<(Range<usize>, &Address)> = Vec::new();
    for at in &line.reserved {
        // A statement whose reply was lost may have made the object without a record of its spelling.
        let begun = told.begun.filter(|leg| line.legs.get(*leg).is_some_and(|leg| leg.touched.contains(at)));
        for (states, expected) in line.states.spans(at) {
            if spelling.equal(at, live.get(at), expected) {
                continue;
            }
            let made = begun.map(|leg| leg + 1).filter(|made| states.contains(made));
            match made.filter(|_| spelling.adopt(at, None, live.get(at), expected).is_some()) {
                Some(made) => spans.extend([(states.start..made, at), (made + 1..states.end, at)]),
                None => spans.push((states, at)),
            }
        }
    }
    // Where each span begins one more does not fit, and where it ends one less.
    let mut steps = vec![(0usize, 0usize); line.states.count() + 1];
    for (states, _) in spans.iter().filter(|(states, _)| !states.is_empty()) {
        steps[states.start].0 += 1;
        steps[states.end].1 += 1;
    }
    let count = steps.iter().scan(0usize, |open, (begin, end)| {
        *open = *open + begin - end;
        Some(*open)
    });
    Misfits { count: count.take(line.states.count()).collect(), spans }
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
