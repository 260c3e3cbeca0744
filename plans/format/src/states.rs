//! The line of states that changes lead through.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use crate::{
    address::Address,
    kind::{Impossible, Kind},
    schema::{Object, Schema},
};

/// From which state on an object is what.
type Since = (usize, Option<Arc<Object>>);

/// The states of a schema before the first change and after each. What no change touches is kept once, not once for each state: a plan
/// of many steps has many objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct States {
    last: Schema,
    /// Every object that is there in any state.
    objects: BTreeMap<Address, Vec<Since>>,
    /// What each change touches.
    touched: Vec<BTreeSet<Address>>,
}

impl States {
    /// The state before the first change.
    #[must_use]
    pub fn new(base: Schema) -> Self {
        let objects = base.objects.iter().map(|(at, object)| (at.clone(), vec![(0, Some(object.clone()))])).collect();
        Self { last: base, objects, touched: Vec::new() }
    }

    /// Adds the state after a change of the last one.
    ///
    /// # Errors
    /// [`Impossible`] if the last state is none that the change can be made in.
    pub fn push(&mut self, change: &Kind) -> Result<(), Impossible> {
        let touched = change.touches(&self.last);
        self.last.apply(change)?;
        self.touched.push(touched);
        let nth = self.touched.len();
        for at in &self.touched[nth - 1] {
            let now = self.last.objects.get(at);
            let line = self.objects.entry(at.clone()).or_insert_with(|| vec![(0, None)]);
            if line.last().is_none_or(|(_, was)| was.as_ref() != now) {
                line.push((nth, now.cloned()));
            }
        }
        Ok(())
    }

    /// Adds a state that is the last one again.
    pub fn stay(&mut self) {
        self.touched.push(BTreeSet::new());
    }

    /// How many states there are: one more than changes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.touched.len() + 1
    }

    /// The last state.
    #[must_use]
    pub fn last(&self) -> &Schema {
        &self.last
    }

    /// What the change after a state touches; nothing after the last state.
    #[must_use]
    pub fn touched(&self, state: usize) -> BTreeSet<Address> {
        self.touched.get(state).cloned().unwrap_or_default()
    }

    /// The object at an address in a state.
    #[must_use]
    pub fn object(&self, state: usize, at: &Address) -> Option<&Arc<Object>> {
        let line = self.objects.get(at)?;
        let after = line.partition_point(|(since, _)| *since <= state);
        line.get(after.checked_sub(1)?)?.1.as_ref()
    }

    /// What is at an address, state by state, where it stays the same in one piece.
    #[must_use]
    pub fn spans(&self, at: &Address) -> Vec<(Range<usize>, Option<&Object>)> {
        let Some(line) = self.objects.get(at) else { return vec![(0..self.count(), None)] };
        let ends = line.iter().skip(1).map(|(since, _)| *since).chain([self.count()]);
        line.iter().zip(ends).map(|((since, object), end)| (*since..end, object.as_deref())).collect()
    }

    /// A whole state.
    #[must_use]
    pub fn schema(&self, state: usize) -> Schema {
        let there = self.objects.keys().filter_map(|at| Some((at.clone(), self.object(state, at)?.clone())));
        Schema { objects: there.collect() }
    }
}
