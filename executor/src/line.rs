//! A plan as a line of states with a leg between each two: the way forth, or the way back from some state.

use std::{collections::BTreeSet, ops::Range};

use mig_plan::{
    Action, Address, Object, Phase, Plan, Probe, Remembered, StepId,
    plan::BadPlan,
    states::States,
    step::{Partial, Rejects, Statement, Until},
};

/// The direction of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From base to goal.
    Forth,
    /// Back to base.
    Back,
}

/// How to ask what is left to do.
#[derive(Clone, Copy, Debug)]
pub struct Remaining<'a> {
    /// The query.
    pub sql: &'a Statement,
    /// What is asked in its place, for as long as it cannot be.
    pub until: Option<&'a Until>,
}

/// One leg: a step, or its undo.
#[derive(Clone, Debug)]
pub struct Leg<'a> {
    /// The step.
    pub id: &'a StepId,
    /// Its phase.
    pub phase: Phase,
    /// What it is for, in a sentence.
    pub why: &'a str,
    /// Neighbours with the same mark are one transaction.
    pub atomic: Option<&'a str>,
    /// Neighbours with the same mark may run at the same time.
    pub group: Option<&'a str>,
    /// What is run.
    pub action: &'a Action,
    /// The query that counts what is left to do, if it is done by that.
    pub remaining: Option<Remaining<'a>>,
    /// What it is about: a table, whichever of its columns.
    pub about: Address,
    /// The objects that it changes.
    pub touched: BTreeSet<Address>,
    /// What the database remembers once it is done.
    pub mark: Option<Remembered>,
}

impl<'a> Leg<'a> {
    /// The rows that it leaves as they are.
    #[must_use]
    pub fn rejects(&self) -> Option<&'a Rejects> {
        match self.action {
            Action::Batches(batches) => batches.rejects.as_ref(),
            Action::Transaction(part) => part.rejects.as_ref(),
            _ => None,
        }
    }

    /// The half-done state that it can leave behind.
    #[must_use]
    pub fn partial(&self) -> Option<&Partial> {
        match self.action {
            Action::Statement(single) => single.partial.as_ref(),
            _ => None,
        }
    }
}

/// The line.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Its direction.
    pub way: Way,
    /// One state more than legs: before the first, then after each.
    pub states: States,
    /// What leads from state to state.
    pub legs: Vec<Leg<'a>>,
    /// The addresses that the states speak of.
    pub reserved: BTreeSet<Address>,
}

impl<'a> Line<'a> {
    /// The way from base to goal.
    ///
    /// # Errors
    /// [`BadPlan`] if the steps do not follow from each other.
    pub fn forth(plan: &'a Plan) -> Result<Self, BadPlan> {
        let states = plan.states()?;
        let legs = plan.steps.iter().enumerate().map(|(nth, step)| Leg {
            id: &step.id,
            phase: step.phase,
            why: &step.why,
            atomic: step.atomic.as_deref(),
            group: step.group.as_deref(),
            action: &step.action,
            remaining: match &step.probe {
                Probe::Remaining { sql, until } => Some(Remaining { sql, until: until.as_ref() }),
                Probe::Shape {} => None,
            },
            about: step.change.address().holder(),
            touched: states.touched(nth),
            mark: step.change.mark(),
        });
        let legs = legs.collect();
        Ok(Self { way: Way::Forth, legs, states, reserved: plan.reserved() })
    }

    /// The way back to the base from where the first `done` steps are done.
    ///
    /// # Errors
    /// [`BadPlan`] if the undos do not follow from each other.
    pub fn back(plan: &'a Plan, done: usize) -> Result<Self, BadPlan> {
        let mut states = States::new(plan.states()?.schema(done));
        let mut legs = Vec::new();
        for (nth, step) in plan.steps[..done].iter().rev().enumerate() {
            match &step.undo.change {
                Some(change) => states
                    .push(change)
                    .map_err(|e| BadPlan::Broken { step: step.id.clone(), why: format!("its undo: {e}") })?,
                None => states.stay(),
            }
            legs.push(Leg {
                id: &step.id,
                phase: step.phase,
                why: &step.undo.says,
                atomic: step.atomic.as_deref(),
                group: None,
                action: &step.undo.action,
                remaining: None,
                about: step.change.address().holder(),
                touched: states.touched(nth),
                mark: step.change.unmark(),
            });
        }
        let reserved = legs.iter().flat_map(|leg| leg.touched.iter().cloned()).chain(plan.reserved()).collect();
        Ok(Self { way: Way::Back, states, legs, reserved })
    }

    /// How many legs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.legs.len()
    }

    /// Whether there is nowhere to go.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.legs.is_empty()
    }

    /// The legs from `at` on that are one unit of work: one leg, or a transaction of several.
    #[must_use]
    pub fn unit(&self, at: usize, end: usize) -> Range<usize> {
        let together = |leg: &Leg<'_>| matches!(leg.action, Action::Transaction(_) | Action::Nothing {});
        let first = &self.legs[at];
        let mut to = at + 1;
        if first.atomic.is_some() && together(first) {
            while to < end && self.legs[to].atomic == first.atomic && together(&self.legs[to]) {
                to += 1;
            }
        }
        at..to
    }

    /// The legs from `at` on that may run at the same time; one where the plan does not say so of more.
    #[must_use]
    pub fn group(&self, at: usize, end: usize) -> Range<usize> {
        let first = self.legs[at].group;
        let alike = |leg: &&Leg<'_>| leg.group == first && matches!(leg.action, Action::Batches(_));
        let many = self.legs[at..end].iter().take_while(alike).count();
        at..at + if first.is_some() { many.max(1) } else { 1 }
    }

    /// The expected objects at some addresses in a state.
    #[must_use]
    pub fn expected(&self, state: usize, at: &Address) -> Option<&Object> {
        self.states.object(state, at).map(AsRef::as_ref)
    }

    /// Whether a leg leaves the shapes as they are, so that they cannot tell whether it was done.
    #[must_use]
    pub fn shapeless(&self, leg: usize) -> bool {
        self.legs[leg].touched.iter().all(|at| self.expected(leg, at) == self.expected(leg + 1, at))
    }
}
