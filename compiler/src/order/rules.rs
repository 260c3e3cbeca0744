//! Which step waits for which, and why.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Address, Dialect, Draft, Kind, Name, ObjectKind, Phase, Qualified, Schema};

use super::{
    circles::Circles,
    marks::{Footmarks, footmarks, made_of_types},
    uses::Uses,
};

/// Drafts that run one after the other as one transaction, or a single draft.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The drafts, in order.
    pub(crate) drafts: Vec<Draft>,
    /// Which recipes they come from, and their places in them: drafts of one recipe keep their order.
    pub(crate) recipes: Vec<(usize, usize)>,
}

impl Node {
    /// The phase that it wants.
    pub(crate) fn phase(&self) -> Phase {
        self.drafts.iter().map(|d| d.phase).max().unwrap_or(Phase::Expand)
    }
}

/// Schemas and knowledge that the rules look at.
pub(crate) struct Ground<'a> {
    pub(crate) live: &'a Schema,
    pub(crate) goal: &'a Schema,
    pub(crate) depends: &'a BTreeMap<Address, BTreeSet<Address>>,
    /// Renamed columns: goal address to base name.
    pub(crate) columns: &'a BTreeMap<Address, Name>,
    pub(crate) dialect: &'a dyn Dialect,
    pub(crate) circles: Circles,
}

impl Ground<'_> {
    /// All tables over a table, in the base and in the goal.
    pub(super) fn above(&self, table: &Qualified) -> BTreeSet<Qualified> {
        let mut found = BTreeSet::new();
        for schema in [self.live, self.goal] {
            let mut next = vec![table.clone()];
            while let Some(parents) = next.pop().and_then(|at| schema.table(&at)).map(|t| self.dialect.parents(t)) {
                next.extend(parents.into_iter().filter(|parent| found.insert(parent.clone())));
            }
        }
        found
    }

    /// Whether a table holds a share of its parent's rows, in the base or in the goal: keys and indexes pass to no other.
    fn is_share(&self, table: &Qualified) -> bool {
        let Some(setting) = self.dialect.share_setting() else { return false };
        [self.live, self.goal].iter().any(|s| s.table(table).is_some_and(|t| t.options.contains_key(setting)))
    }

    /// Whether a table is under another in the base and in the goal.
    fn stays_under(&self, table: &Qualified, parent: &Qualified) -> bool {
        [self.live, self.goal].iter().all(|schema| {
            let (mut next, mut seen) = (vec![table.clone()], BTreeSet::new());
            while let Some(parents) = next.pop().and_then(|at| schema.table(&at)).map(|t| self.dialect.parents(t)) {
                if parents.contains(parent) {
                    return true;
                }
                next.extend(parents.into_iter().filter(|parent| seen.insert(parent.clone())));
            }
            false
        })
    }

    /// A column of a table, and the same column of each table over it.
    pub(super) fn column(&self, table: &Qualified, name: &Name) -> Vec<Address> {
        let above = self.above(table).into_iter();
        let above = above.map(|parent| Address::column(&parent, name));
        let known = above.filter(|at| self.live.contains(at) || self.goal.contains(at));
        [Address::column(table, name)].into_iter().chain(known).collect()
    }
}

/// An edge of the graph: `(before, after, reason)`.
pub(crate) type Edge = (usize, usize, &'static str);

/// The edges of the graph.
pub(crate) fn edges(nodes: &[Node], ground: &Ground<'_>) -> Vec<Edge> {
    let typed = made_of_types(ground);
    let marks: Vec<Footmarks> = nodes.iter().map(|n| footmarks(n, ground, &typed)).collect();
    let mut edges = BTreeSet::new();
    // Within one recipe its own order stands.
    let mut edge = |before: usize, after: usize, why: &'static str| {
        let shared = |recipe: &(usize, usize)| nodes[after].recipes.iter().any(|r| r.0 == recipe.0);
        if before != after && !nodes[before].recipes.iter().any(shared) {
            edges.insert((before, after, why));
        }
    };
    let uses = Uses::new(&marks, ground);
    uses.edges(&mut edge);
    regroupings(&marks, &mut edge);
    families(&marks, ground, &mut edge);
    slots(&marks, ground, &mut edge);
    overloads(&marks, ground, &mut edge);
    lasting(nodes, ground, &mut edge);
    last_forms(nodes, ground, &mut edge);
    layers(&marks, ground, &mut edge);
    let mut edge = |before, after, why| {
        edges.insert((before, after, why));
    };
    uses.edges_of_bundles(&mut edge);
    recipes(nodes, &mut edge);
    edges.into_iter().collect()
}

/// The keys among what comes or goes on its own, not with a table.
pub(super) fn keys<'a>(some: &'a BTreeSet<Address>, mark: &'a Footmarks) -> impl Iterator<Item = &'a Address> {
    let key = |at: &&Address| at.kind() == ObjectKind::Constraint && !mark.bare.contains(*at);
    some.iter().filter(key).filter(|at| !some.contains(&at.holder()))
}

/// A table leaves its parents as they were, and joins them as they will be.
fn regroupings(marks: &[Footmarks], edge: &mut dyn FnMut(usize, usize, &'static str)) {
    for (i, mark) in marks.iter().enumerate().filter(|(_, m)| !m.opens.is_empty() || !m.closes.is_empty()) {
        for (j, other) in marks.iter().enumerate().filter(|(j, _)| *j != i) {
            if other.works_on.iter().any(|table| mark.opens.contains(table)) {
                edge(i, j, "a table leaves its parents before they change");
            }
            if other.works_on.iter().any(|table| mark.closes.contains(table)) {
                edge(j, i, "a table and its parents have their final form before they come together");
            }
        }
    }
}

/// What a table takes for the time in which it is kept, the tables under it take with it: they leave after that.
fn last_forms(nodes: &[Node], ground: &Ground<'_>, edge: &mut dyn FnMut(usize, usize, &'static str)) {
    let goes = |table: &Qualified| ground.goal.table(table).is_none();
    for (i, node) in nodes.iter().enumerate() {
        let altered = node.drafts.iter().filter_map(|draft| match &draft.change {
            Kind::AlterColumn(k) if goes(&k.table) => Some(&k.table),
            _ => None,
        });
        let altered: BTreeSet<&Qualified> = altered.collect();
        if altered.is_empty() {
            continue;
        }
        let is_under = |draft: &Draft| match &draft.change {
            Kind::Drop(k) if k.at.kind() == ObjectKind::Table => {
                ground.above(&k.at.qualified()).iter().any(|parent| altered.contains(parent))
            }
            _ => false,
        };
        let leaving = nodes.iter().enumerate().filter(|(_, n)| n.drafts.iter().any(is_under));
        for (j, _) in leaving {
            edge(i, j, "a table that is kept takes its last form with the tables under it");
        }
    }
}

/// A view that the plan itself made, to serve a table under its old name, goes before columns that it shows change for good.
fn layers(marks: &[Footmarks], ground: &Ground<'_>, edge: &mut dyn FnMut(usize, usize, &'static str)) {
    let is_layer = |at: &&Address| at.kind() == ObjectKind::View && !ground.live.contains(at);
    for (i, mark) in marks.iter().enumerate().filter(|(_, m)| m.removes.iter().any(|at| is_layer(&at))) {
        for (j, other) in marks.iter().enumerate().filter(|(_, other)| mark.phase <= other.phase) {
            let column = |at: &Address| at.kind() == ObjectKind::Column && mark.lets_go.contains(&at.holder());
            if other.removes.iter().chain(&other.disturbs).any(column) {
                edge(i, j, "a view that serves an old name goes before what it shows changes for good");
            }
        }
    }
}

/// What a table has of its own goes before the like comes to it from a parent, and the other way round.
fn families(marks: &[Footmarks], ground: &Ground<'_>, edge: &mut dyn FnMut(usize, usize, &'static str)) {
    let own = |some: &BTreeSet<Address>, mark: &Footmarks| {
        mark.works_on.len() == 1
            && some.iter().any(|at| matches!(at.kind(), ObjectKind::Constraint | ObjectKind::Index))
            && !some.iter().any(|at| at.kind() == ObjectKind::Table)
    };
    // To a table that has left a parent, or is yet to come to it, nothing passes that only passes.
    let lasts = |some: &BTreeSet<Address>| {
        let part = |at: &&Address| matches!(at.kind(), ObjectKind::Constraint | ObjectKind::Index);
        some.iter().filter(part).any(|at| ground.live.contains(at) || ground.goal.contains(at))
    };
    let has_index = |some: &BTreeSet<Address>| some.iter().any(|at| at.kind() == ObjectKind::Index);
    let mut by_table: BTreeMap<&Qualified, Vec<usize>> = BTreeMap::new();
    for (i, mark) in marks.iter().enumerate().filter(|(_, mark)| mark.renames_to.is_empty()) {
        for table in mark.works_on.iter().filter(|_| own(&mark.makes, mark) || own(&mark.removes, mark)) {
            by_table.entry(table).or_default().push(i);
        }
    }
    let none = Vec::new();
    for (table, nodes) in &by_table {
        for parent in ground.above(table) {
            let stays = ground.stays_under(table, &parent);
            for (&low, &high) in
                nodes.iter().flat_map(|low| by_table.get(&parent).unwrap_or(&none).iter().map(move |high| (low, high)))
            {
                let (low_mark, high_mark) = (&marks[low], &marks[high]);
                let own = |some: &BTreeSet<Address>, mark: &Footmarks| {
                    own(some, mark) && (ground.is_share(table) || some.iter().any(|at| mark.bare.contains(at)))
                };
                if !stays && ![low_mark, high_mark].iter().all(|m| lasts(&m.makes) || lasts(&m.removes)) {
                    continue;
                }
                if own(&low_mark.removes, low_mark) && own(&high_mark.makes, high_mark) {
                    edge(low, high, "what a table has of its own goes before it comes from a parent");
                } else if own(&low_mark.makes, low_mark) && own(&high_mark.removes, high_mark) {
                    edge(high, low, "what comes from a parent goes before a table has it of its own");
                }
                if !ground.is_share(table) {
                    continue;
                }
                if keys(&low_mark.makes, low_mark).next().is_some() && has_index(&high_mark.makes) {
                    edge(low, high, "a key is there before an index of which it becomes a share");
                }
                if keys(&low_mark.removes, low_mark).next().is_some() && has_index(&high_mark.removes) {
                    edge(high, low, "an index goes before the keys that are its shares");
                }
            }
        }
    }
}

/// A name is free before it is taken.
fn slots(marks: &[Footmarks], ground: &Ground<'_>, edge: &mut dyn FnMut(usize, usize, &'static str)) {
    let mut freed: BTreeMap<(Qualified, Slot), Vec<usize>> = BTreeMap::new();
    for (i, mark) in marks.iter().enumerate() {
        for at in &mark.removes {
            freed.entry(slot(at, mark, ground)).or_default().push(i);
            for share in shares(at, mark, ground, ground.live) {
                freed.entry((share, Slot::Relation)).or_default().push(i);
            }
        }
    }
    for (i, mark) in marks.iter().enumerate() {
        for at in &mark.makes {
            let shares = shares(at, mark, ground, ground.goal).into_iter().map(|share| (share, Slot::Relation));
            for taken in shares.chain([slot(at, mark, ground)]) {
                for &remover in freed.get(&taken).map(Vec::as_slice).unwrap_or_default() {
                    // What goes under the new name is the renamed thing itself, some time after its rename.
                    let itself = marks[i].renames_to.contains(at) && marks[remover].removes.contains(at);
                    if !marks[i].removes.contains(at) && !itself {
                        edge(remover, i, "a name is free before it is taken");
                    }
                }
            }
        }
    }
}

/// Of two routines of which a call may mean either, the one that goes does so before the other comes.
fn overloads(marks: &[Footmarks], ground: &Ground<'_>, edge: &mut dyn FnMut(usize, usize, &'static str)) {
    let routine = |at: &&Address| at.signature().is_some();
    let mut going: BTreeMap<Qualified, Vec<(usize, &Address)>> = BTreeMap::new();
    for (i, mark) in marks.iter().enumerate() {
        for at in mark.removes.iter().filter(routine) {
            going.entry(at.qualified()).or_default().push((i, at));
        }
    }
    for (i, mark) in marks.iter().enumerate() {
        for at in mark.makes.iter().filter(routine) {
            let Some(object) = ground.goal.objects.get(at) else { continue };
            for (remover, old) in going.get(&at.qualified()).into_iter().flatten() {
                let was = ground.live.objects.get(*old);
                if was.is_some_and(|was| ground.dialect.ambiguous((old, was), (at, object))) {
                    edge(*remover, i, "a call could mean either while both are there");
                }
            }
        }
    }
}

/// A table that keeps its rows through a crash has no foreign key to one that does not, at any time.
fn lasting(nodes: &[Node], ground: &Ground<'_>, edge: &mut dyn FnMut(usize, usize, &'static str)) {
    let lasts = |settings| ground.dialect.lasts(settings);
    let changes =
        nodes.iter().enumerate().flat_map(|(i, node)| node.drafts.iter().map(move |draft| (i, &draft.change)));
    let turned: BTreeMap<&Qualified, (usize, bool)> = changes
        .filter_map(|(i, change)| match change {
            Kind::AlterTable(k) if lasts(&k.from) != lasts(&k.to) => Some((&k.table, (i, lasts(&k.to)))),
            _ => None,
        })
        .collect();
    for (from, &(low, to_last)) in &turned {
        let constraints = ground.live.table(from).into_iter().flat_map(|table| table.constraints.values());
        for fk in constraints.filter_map(|constraint| constraint.foreign_key()) {
            match turned.get(&fk.references) {
                Some(&(high, true)) if to_last => edge(high, low, "what a foreign key leads to lasts first"),
                Some(&(high, false)) if !to_last => edge(low, high, "what a foreign key leads to lasts longest"),
                _ => {}
            }
        }
    }
}

/// The names that come or go with a thing in tables under its own. A rename leaves them as they are.
fn shares(at: &Address, mark: &Footmarks, ground: &Ground<'_>, schema: &Schema) -> Vec<Qualified> {
    if mark.renames_to.is_empty() { ground.dialect.shares(at, schema) } else { Vec::new() }
}

/// The name spaces in which two things cannot have one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Relation,
    Own(ObjectKind, Option<String>, Name),
}

fn slot(at: &Address, mark: &Footmarks, ground: &Ground<'_>) -> (Qualified, Slot) {
    use ObjectKind::{Constraint, Index, MaterializedView, Sequence, Table, View};
    match at.kind() {
        Table | View | MaterializedView | Index | Sequence => (at.qualified(), Slot::Relation),
        // Without schemas, constraints have no names among the relations.
        Constraint if at.qualified().schema.is_none() || mark.bare.contains(at) => {
            (at.qualified(), Slot::Own(Constraint, None, at.name().clone()))
        }
        // The index behind a key has the constraint's name among the relations of the schema.
        Constraint => (at.qualified().sibling(at.name().clone()), Slot::Relation),
        _ => {
            let at = ground.dialect.slot(at);
            (at.qualified(), Slot::Own(at.kind(), at.signature().map(str::to_owned), at.name().clone()))
        }
    }
}

fn recipes(nodes: &[Node], edge: &mut dyn FnMut(usize, usize, &'static str)) {
    let mut by_recipe: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        for (recipe, place) in &node.recipes {
            by_recipe.entry(*recipe).or_default().push((*place, i));
        }
    }
    for places in by_recipe.values_mut() {
        places.sort_unstable();
        for pair in places.windows(2).filter(|pair| pair[0].1 != pair[1].1) {
            edge(pair[0].1, pair[1].1, "the recipe's own order");
        }
    }
}
