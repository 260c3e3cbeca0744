//! The graph and its one order.

use std::collections::BTreeSet;

use mig_plan::Phase;
use petgraph::{
    algo::tarjan_scc,
    stable_graph::{NodeIndex, StableDiGraph},
    visit::EdgeRef,
};

/// Steps that need each other, in a circle, each with the reason why it waits for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CycleFound {
    /// Node and reason, along the circle.
    pub(crate) path: Vec<(usize, &'static str)>,
}

/// Nodes in their order, each with its phase.
pub(crate) type Sorted = Vec<(usize, Phase)>;

/// Orders nodes so that every edge points forward. Each node has the phase that it wants and a key that no other has; it gets the
/// latest phase of itself and all that it waits for. Among the nodes that are free to go, the least phase and key goes first, so the
/// order does not depend on the order of the input.
pub(crate) fn sort<K: Ord + Clone>(
    nodes: &[(Phase, K)],
    edges: &[(usize, usize, &'static str)],
) -> Result<Sorted, CycleFound> {
    let mut graph: StableDiGraph<usize, &'static str> = StableDiGraph::new();
    let indices: Vec<NodeIndex> = (0..nodes.len()).map(|i| graph.add_node(i)).collect();
    for (before, after, why) in edges {
        graph.add_edge(indices[*before], indices[*after], why);
    }
    if let Some(circle) = tarjan_scc(&graph).into_iter().find(|component| component.len() > 1) {
        return Err(circle_of(&graph, &circle));
    }
    let mut phases: Vec<Phase> = nodes.iter().map(|(phase, _)| *phase).collect();
    for at in kahn(&graph, &indices, |i| nodes[i].1.clone()) {
        for edge in graph.edges(indices[at]) {
            let after = graph[edge.target()];
            phases[after] = phases[after].max(phases[at]);
        }
    }
    let order = kahn(&graph, &indices, |i| (phases[i], nodes[i].1.clone()));
    Ok(order.into_iter().map(|i| (i, phases[i])).collect())
}

fn kahn<K: Ord>(
    graph: &StableDiGraph<usize, &'static str>,
    indices: &[NodeIndex],
    key: impl Fn(usize) -> K,
) -> Vec<usize> {
    let mut waits: Vec<usize> =
        indices.iter().map(|i| graph.edges_directed(*i, petgraph::Direction::Incoming).count()).collect();
    let mut ready: BTreeSet<(K, usize)> = (0..indices.len()).filter(|i| waits[*i] == 0).map(|i| (key(i), i)).collect();
    let mut order = Vec::with_capacity(indices.len());
    while let Some((_, at)) = ready.pop_first() {
        order.push(at);
        for edge in graph.edges(indices[at]) {
            let after = graph[edge.target()];
            waits[after] -= 1;
            if waits[after] == 0 {
                ready.insert((key(after), after));
            }
        }
    }
    order
}

/// A shortest walk around a strongly connected component, from its least node.
fn circle_of(graph: &StableDiGraph<usize, &'static str>, component: &[NodeIndex]) -> CycleFound {
    let inside: BTreeSet<NodeIndex> = component.iter().copied().collect();
    let start = *inside.first().expect("a component has nodes");
    let mut walks: std::collections::VecDeque<Vec<(NodeIndex, &'static str)>> = [Vec::new()].into();
    let mut seen = BTreeSet::new();
    while let Some(walk) = walks.pop_front() {
        let at = walk.last().map_or(start, |(node, _)| *node);
        for edge in graph.edges(at) {
            let mut longer = walk.clone();
            longer.push((edge.target(), *edge.weight()));
            if edge.target() == start {
                return CycleFound { path: longer.into_iter().map(|(n, why)| (graph[n], why)).collect() };
            }
            if inside.contains(&edge.target()) && seen.insert(edge.target()) {
                walks.push_back(longer);
            }
        }
    }
    CycleFound { path: vec![(graph[start], "it needs itself")] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_moves_to_the_phase_of_what_it_waits_for() {
        let nodes = [(Phase::Expand, "b"), (Phase::Switch, "a"), (Phase::Expand, "c")];
        let order = sort(&nodes, &[(1, 0, "r")]).unwrap();
        assert_eq!(order, [(2, Phase::Expand), (1, Phase::Switch), (0, Phase::Switch)]);
    }

    #[test]
    fn a_circle_is_named() {
        let nodes = [(Phase::Expand, 1), (Phase::Expand, 2)];
        let found = sort(&nodes, &[(0, 1, "x"), (1, 0, "y")]).unwrap_err();
        assert_eq!(found.path.len(), 2);
    }
}
