//! What is dropped and made again around a change, as one transaction with it, so that clients never meet a moment without it.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Address, Body, Draft, Kind, ObjectKind, Phase};

use crate::order::{self, CycleFound, Edge, Ground, Node, Sorted};

/// The mark of drafts that were put together here.
const MARK: &str = "around";

/// Nodes in their order, those put together that can be, with the edges between them.
pub(crate) struct Ordered {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) sorted: Sorted,
}

/// Orders the nodes. Around each change that `again` stands on, the drops and creations of `again` become one node with it, unless other
/// steps must come in between.
pub(crate) fn order(nodes: Vec<Node>, again: &BTreeSet<Address>, ground: &Ground<'_>) -> Result<Ordered, Stuck> {
    let plain = sort(nodes, ground)?;
    let mut bundles = bundles(&plain.nodes, again, ground);
    while !bundles.is_empty() {
        let places: Vec<usize> = plain.sorted.iter().map(|(node, _)| *node).collect();
        match sort(bundled(&plain.nodes, &bundles, &places), ground) {
            Ok(ordered) => return Ok(ordered),
            Err(Stuck { cycle, .. }) => {
                // Bundles are the first nodes; those in the circle come apart again.
                let torn: BTreeSet<usize> = cycle.path.iter().map(|(node, _)| *node).collect();
                let before = bundles.len();
                let mut at = 0;
                bundles.retain(|_| {
                    at += 1;
                    !torn.contains(&(at - 1))
                });
                if bundles.len() == before {
                    break;
                }
            }
        }
    }
    Ok(plain)
}

/// Steps that need each other, and the nodes that the circle is about.
pub(crate) struct Stuck {
    pub(crate) cycle: CycleFound,
    pub(crate) nodes: Vec<Node>,
}

fn sort(nodes: Vec<Node>, ground: &Ground<'_>) -> Result<Ordered, Stuck> {
    let edges = order::edges(&nodes, ground);
    // Backfills first, so that they are neighbours: neighbours can run at the same time.
    let later = |node: &Node| !ground.dialect.fills_beside() || !node.drafts.iter().all(is_fill);
    let keys: Vec<_> = nodes.iter().map(|n| (n.phase(), (later(n), crate::lower::key(n)))).collect();
    match order::sort(&keys, &edges) {
        Ok(sorted) => Ok(Ordered { nodes, edges, sorted }),
        Err(cycle) => Err(Stuck { cycle, nodes }),
    }
}

fn is_fill(draft: &Draft) -> bool {
    draft.phase == Phase::Backfill && matches!(draft.change, Kind::Backfill(_))
}

/// Sets of nodes that belong together: what disturbs, and the going and coming of what stands on it.
fn bundles(nodes: &[Node], again: &BTreeSet<Address>, ground: &Ground<'_>) -> Vec<BTreeSet<usize>> {
    if again.is_empty() {
        return Vec::new();
    }
    let mut ends: BTreeMap<&Address, Vec<usize>> = BTreeMap::new();
    let mut disturbers: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        for draft in &node.drafts {
            match &draft.change {
                Kind::Drop(k) if again.contains(&k.at) => ends.entry(&k.at).or_default().push(i),
                Kind::Create(k) if again.contains(&k.at) => ends.entry(&k.at).or_default().push(i),
                change => {
                    for at in ground.dialect.disturbs(change) {
                        disturbers.entry(at).or_default().push(i);
                    }
                }
            }
        }
    }
    let mut sets = Sets((0..nodes.len()).collect());
    let mut members = BTreeSet::new();
    for (at, own) in &ends {
        let mut joined: BTreeSet<usize> = own.iter().copied().collect();
        for need in ground.depends.get(*at).into_iter().flatten() {
            joined.extend(ends.get(need).into_iter().flatten());
            // A column of a type that changes changes with it, and so does a type that is made of it.
            let mut below = vec![need];
            while let Some(of) = below.pop() {
                joined.extend(disturbers.get(of).into_iter().flatten());
                let types = ground.depends.get(of).into_iter().flatten();
                below.extend(types.filter(|under| order::is_type(under) && takes_after(of)));
            }
        }
        sets.join(&joined);
        members.extend(joined);
    }
    let mut by_root: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for node in members {
        by_root.entry(sets.root(node)).or_default().insert(node);
    }
    // What comes and goes but takes long stays outside; if it must be in between, all comes apart. Where a change cannot be in a
    // transaction with others, nothing is put together around it.
    let comes_and_goes: BTreeSet<usize> = ends.values().flatten().copied().collect();
    let mut found = Vec::new();
    for mut bundle in by_root.into_values() {
        bundle.retain(|i| fits(&nodes[*i], ground) || !comes_and_goes.contains(i));
        if bundle.len() > 1 && bundle.iter().all(|i| fits(&nodes[*i], ground)) {
            found.push(bundle);
        }
    }
    found
}

/// Whether something changes with the types that it is made of.
fn takes_after(at: &Address) -> bool {
    at.kind() == ObjectKind::Column || order::is_type(at)
}

/// Whether all of a node can be done inside a transaction with others.
fn fits(node: &Node, ground: &Ground<'_>) -> bool {
    node.drafts.iter().all(|draft| match &draft.change {
        Kind::Create(k) => is_cheap(&k.at),
        Kind::Drop(k) => is_cheap(&k.at),
        Kind::AlterColumn(_) | Kind::DropColumn(_) | Kind::AddColumn(_) | Kind::Privileges(_) => true,
        Kind::Exchange(_) | Kind::Settle(_) | Kind::AdoptKey(_) | Kind::AdoptType(_) => true,
        Kind::DropConstraint(_) | Kind::Release(_) | Kind::OnReturn(_) => true,
        Kind::Replace(k) => match &k.from.body {
            Body::Enum { .. } => !ground.dialect.disturbs(&draft.change).is_empty(),
            Body::Source(_) | Body::Domain(_) | Body::View(_) | Body::Sequence(_) => true,
            _ => false,
        },
        _ => false,
    })
}

fn is_cheap(at: &Address) -> bool {
    use ObjectKind::{Aggregate, Function, Policy, Procedure, Rule, Trigger, View};
    // A materialized view is filled when it is made: nobody should wait for that.
    matches!(at.kind(), View | Function | Procedure | Aggregate | Trigger | Policy | Rule)
}

/// The bundles, each as one node, and then the nodes that are in none.
fn bundled(nodes: &[Node], bundles: &[BTreeSet<usize>], places: &[usize]) -> Vec<Node> {
    let one = |bundle: &BTreeSet<usize>| {
        let mut all = Node { drafts: Vec::new(), recipes: Vec::new() };
        for node in places.iter().filter(|i| bundle.contains(i)).map(|i| &nodes[*i]) {
            all.drafts.extend(node.drafts.iter().cloned().map(|draft| draft.together(MARK)));
            all.recipes.extend(&node.recipes);
        }
        // What comes back as it was goes when the change that it makes way for is due, not later.
        let passing: Vec<bool> = all.drafts.iter().map(|draft| comes_back(&all, &draft.change)).collect();
        let causes = all.drafts.iter().zip(&passing).filter(|(_, passing)| !**passing);
        if let Some(due) = causes.map(|(draft, _)| draft.phase).max() {
            for (draft, _) in all.drafts.iter_mut().zip(&passing).filter(|(_, passing)| **passing) {
                draft.phase = draft.phase.min(due);
            }
        }
        all
    };
    let loose = (0..nodes.len()).filter(|i| !bundles.iter().any(|b| b.contains(i))).map(|i| nodes[i].clone());
    bundles.iter().map(one).chain(loose).collect()
}

/// Whether a change is the going or the coming of an object that its node drops and makes again as it was.
pub(crate) fn comes_back(node: &Node, change: &Kind) -> bool {
    let is_twin = |other: &Kind| match (change, other) {
        (Kind::Drop(a), Kind::Create(b)) | (Kind::Create(b), Kind::Drop(a)) => a.at == b.at && a.object == b.object,
        _ => false,
    };
    node.drafts.iter().any(|draft| is_twin(&draft.change))
}

/// Disjoint sets of numbers.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&self, of: usize) -> usize {
        let mut at = of;
        while self.0[at] != at {
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, all: &BTreeSet<usize>) {
        let Some(first) = all.first().map(|n| self.root(*n)) else { return };
        for node in all {
            let root = self.root(*node);
            self.0[root] = first;
        }
    }
}
