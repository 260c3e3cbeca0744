//! Routines that call each other. Where the engine need not find what a body names as it makes the routine, such a circle has a
//! beginning: what only bodies name comes in any order.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Address, Dialect, Kind, Object, Schema};
use petgraph::{algo::tarjan_scc, graph::DiGraph};

use super::rules::Node;

/// Which routines that a plan makes or changes are in one circle.
#[derive(Default)]
pub(crate) struct Circles {
    of: BTreeMap<Address, usize>,
}

impl Circles {
    /// The circles among the routines of the nodes; those that begin one are told what comes after them.
    pub(crate) fn broken(nodes: &mut [Node], goal: &Schema, dialect: &dyn Dialect) -> Self {
        let mut routines = BTreeMap::new();
        for draft in nodes.iter().flat_map(|node| &node.drafts) {
            if let Some((at, object)) = routine(&draft.change) {
                routines.insert(at.clone(), dialect.references(at, object, goal));
            }
        }
        let mut graph = DiGraph::new();
        let places: BTreeMap<&Address, _> = routines.keys().map(|at| (at, graph.add_node(at))).collect();
        for (at, needs) in &routines {
            for need in needs.iter().filter_map(|need| places.get(need)) {
                graph.add_edge(places[at], *need, ());
            }
        }
        let mut circles = Self::default();
        for (number, circle) in tarjan_scc(&graph).iter().enumerate().filter(|(_, circle)| circle.len() > 1) {
            circles.of.extend(circle.iter().map(|place| (graph[*place].clone(), number)));
        }
        for draft in nodes.iter_mut().flat_map(|node| &mut node.drafts) {
            if let Kind::Create(create) = &mut draft.change {
                create.ahead = circles.named_by_bodies(&create.at, &create.object, goal, dialect);
            }
        }
        circles
    }

    /// What a routine need not wait for: routines of its circle that its body alone names.
    pub(super) fn named_by_bodies(
        &self,
        at: &Address,
        object: &Object,
        goal: &Schema,
        dialect: &dyn Dialect,
    ) -> BTreeSet<Address> {
        let Some(circle) = self.of.get(at) else { return BTreeSet::new() };
        let mut named = dialect.named_by_body(at, object, goal);
        named.retain(|need| self.of.get(need) == Some(circle));
        named
    }
}

/// A routine that a change makes or gives another body.
fn routine(change: &Kind) -> Option<(&Address, &Object)> {
    let (at, object) = match change {
        Kind::Create(k) => (&k.at, &k.object),
        Kind::Replace(k) => (&k.at, &k.to),
        _ => return None,
    };
    at.signature().map(|_| (at, &**object))
}
