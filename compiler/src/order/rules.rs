//! Which step waits for which, and why.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Dialect, Draft, Kind, Name, ObjectKind, Phase, Qualified, Schema, Sql,
    kind::{Backfill, CopyRows, Keep, KeepRows, Leave, Populate, Rebuild, Regroup, Rows, Selection, Shadow, Swap},
    schema::IndexedBy,
    table::Rule,
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

/// What a node does to addresses.
#[derive(Debug, Default)]
struct Footmarks {
    /// There after it and not before.
    makes: BTreeSet<Address>,
    /// There before it and not after.
    removes: BTreeSet<Address>,
    /// Changed by it, and there before and after.
    changes: BTreeSet<Address>,
    /// Must be there when it runs.
    reads: BTreeSet<Address>,
    /// What the things it removes or changes were built on.
    lets_go: BTreeSet<Address>,
    /// What the things it makes or changes are built on.
    stands_on: BTreeSet<Address>,
    /// Columns that get their values in it.
    fills: BTreeSet<Address>,
    /// Columns that get the values of rows that came late, which only those wait for that look for such rows too.
    late_fills: BTreeSet<Address>,
    /// New names that it gives.
    renames_to: BTreeSet<Address>,
    /// What the engine refuses to change while something stands on it.
    disturbs: BTreeSet<Address>,
    /// Constraints among what it makes and removes that have no index and so no name among the relations.
    bare: BTreeSet<Address>,
    /// Tables whose columns, constraints or indexes it changes.
    works_on: BTreeSet<Qualified>,
    /// Tables that no other step works on before it.
    opens: BTreeSet<Qualified>,
    /// Tables that no other step works on after it.
    closes: BTreeSet<Qualified>,
    /// Columns whose values it puts on another form of their type.
    recasts: BTreeSet<Address>,
    /// Columns that have other values after it, of another type.
    retypes: BTreeSet<Address>,
}

impl Footmarks {
    /// Those of `some` that come or go on their own, not with a table that is changed as a whole.
    fn outright<'a>(&'a self, some: &'a BTreeSet<Address>) -> impl Iterator<Item = &'a Address> {
        some.iter().filter(|at| !self.changes.contains(&at.holder()))
    }
}

/// Schemas and knowledge that the rules look at.
pub(crate) struct Ground<'a> {
    pub(crate) live: &'a Schema,
    pub(crate) goal: &'a Schema,
    pub(crate) depends: &'a BTreeMap<Address, BTreeSet<Address>>,
    pub(crate) dialect: &'a dyn Dialect,
}

impl Ground<'_> {
    /// All tables over a table, in the base and in the goal.
    fn above(&self, table: &Qualified) -> BTreeSet<Qualified> {
        let mut found = BTreeSet::new();
        for schema in [self.live, self.goal] {
            let mut next = vec![table.clone()];
            while let Some(parents) = next.pop().and_then(|at| schema.table(&at)).map(|t| self.dialect.parents(t)) {
                next.extend(parents.into_iter().filter(|parent| found.insert(parent.clone())));
            }
        }
        found
    }

    /// A column of a table, and the same column of each table over it.
    fn column(&self, table: &Qualified, name: &Name) -> Vec<Address> {
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
    let typed = columns_by_type(ground);
    let marks: Vec<Footmarks> = nodes.iter().map(|n| footmarks(n, ground, &typed)).collect();
    let by = |pick: &dyn Fn(&Footmarks) -> &BTreeSet<Address>| -> BTreeMap<Address, Vec<usize>> {
        let mut map: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
        for (i, mark) in marks.iter().enumerate() {
            for at in pick(mark) {
                map.entry(at.clone()).or_default().push(i);
            }
        }
        map
    };
    let makers = by(&|m| &m.makes);
    let removers = by(&|m| &m.removes);
    let changers = by(&|m| &m.changes);
    let disturbers = by(&|m| &m.disturbs);
    let recasters = by(&|m| &m.recasts);
    let retypers = by(&|m| &m.retypes);
    let fillers = by(&|m| &m.fills);
    let late_fillers = by(&|m| &m.late_fills);
    let renamers = by(&|m| &m.renames_to);
    let mut edges = BTreeSet::new();
    // Within one recipe its own order stands.
    let mut edge = |before: usize, after: usize, why: &'static str| {
        let shared = |recipe: &(usize, usize)| nodes[after].recipes.iter().any(|r| r.0 == recipe.0);
        if before != after && !nodes[before].recipes.iter().any(shared) {
            edges.insert((before, after, why));
        }
    };
    let none = Vec::new();
    for (i, mark) in marks.iter().enumerate() {
        for at in mark.stands_on.iter().chain(&mark.reads) {
            for &maker in makers.get(at).unwrap_or(&none) {
                edge(maker, i, "a thing is made before what stands on it");
            }
            for &renamer in renamers.get(at).unwrap_or(&none) {
                edge(renamer, i, "a renamed thing is used under its new name");
            }
        }
        for at in mark.stands_on.iter().filter(|_| mark.renames_to.is_empty()) {
            for &changer in changers.get(at).unwrap_or(&none) {
                // A change that itself needs what is made here (a sequence that becomes a new column's own) comes after.
                let needs_this = marks[changer].stands_on.iter().any(|at| mark.makes.contains(at));
                // A rename makes nothing that a form could matter to.
                let makes = mark.renames_to.is_empty()
                    && mark.outright(&mark.makes).any(|m| !marks[changer].removes.contains(m));
                if !needs_this && (makes || !mark.fills.is_empty()) {
                    edge(changer, i, "a thing takes its final form before what stands on it is made");
                }
            }
        }
        for at in mark.stands_on.iter().filter(|_| mark.outright(&mark.makes).next().is_some()) {
            for &recaster in recasters.get(at).unwrap_or(&none) {
                edge(recaster, i, "a thing takes its final form before what stands on it is made");
            }
        }
        for at in &mark.fills {
            for &recaster in recasters.get(at).unwrap_or(&none) {
                edge(i, recaster, "values move before their type changes");
            }
        }
        for at in &mark.lets_go {
            for &remover in removers.get(at).unwrap_or(&none) {
                edge(i, remover, "a thing goes only when nothing stands on it");
            }
            if mark.outright(&mark.removes).next().is_some() {
                // A change that lets go of what is removed here (a sequence that leaves its column) comes first.
                let frees = |changer: &&usize| !marks[**changer].lets_go.iter().any(|at| mark.removes.contains(at));
                for &changer in disturbers.get(at).unwrap_or(&none).iter().filter(frees) {
                    edge(i, changer, "what stands on a thing goes before the thing changes");
                }
            }
        }
        for at in &mark.reads {
            for &remover in removers.get(at).unwrap_or(&none) {
                edge(i, remover, "values are read before their source goes");
            }
            for &retyper in retypers.get(at).unwrap_or(&none) {
                edge(i, retyper, "values are read before they become others");
            }
            let late = late_fillers.get(at).filter(|_| !mark.late_fills.is_empty()).unwrap_or(&none);
            for &filler in fillers.get(at).unwrap_or(&none).iter().chain(late) {
                edge(filler, i, "a value is set before it is read");
            }
        }
        for at in mark.changes.iter().chain(&mark.makes).chain(&mark.removes) {
            for &renamer in renamers.get(&at.holder()).unwrap_or(&none).iter().chain(renamers.get(at).unwrap_or(&none))
            {
                if !mark.renames_to.contains(at) || renamer != i {
                    edge(renamer, i, "a renamed thing is changed under its new name");
                }
            }
        }
    }
    regroupings(&marks, &mut edge);
    families(&marks, ground, &mut edge);
    slots(&marks, ground, &mut edge);
    recipes(nodes, &mut |before, after, why| {
        edges.insert((before, after, why));
    });
    edges.into_iter().collect()
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

/// What a table has of its own goes before the like comes to it from a parent, and the other way round.
fn families(marks: &[Footmarks], ground: &Ground<'_>, edge: &mut dyn FnMut(usize, usize, &'static str)) {
    let own = |some: &BTreeSet<Address>, mark: &Footmarks| {
        mark.works_on.len() == 1
            && some.iter().any(|at| matches!(at.kind(), ObjectKind::Constraint | ObjectKind::Index))
            && !some.iter().any(|at| at.kind() == ObjectKind::Table)
    };
    let mut by_table: BTreeMap<&Qualified, Vec<usize>> = BTreeMap::new();
    for (i, mark) in marks.iter().enumerate().filter(|(_, mark)| mark.renames_to.is_empty()) {
        for table in mark.works_on.iter().filter(|_| own(&mark.makes, mark) || own(&mark.removes, mark)) {
            by_table.entry(table).or_default().push(i);
        }
    }
    let none = Vec::new();
    for (table, nodes) in &by_table {
        for parent in ground.above(table) {
            for (&low, &high) in
                nodes.iter().flat_map(|low| by_table.get(&parent).unwrap_or(&none).iter().map(move |high| (low, high)))
            {
                let (low_mark, high_mark) = (&marks[low], &marks[high]);
                if own(&low_mark.removes, low_mark) && own(&high_mark.makes, high_mark) {
                    edge(low, high, "what a table has of its own goes before it comes from a parent");
                } else if own(&low_mark.makes, low_mark) && own(&high_mark.removes, high_mark) {
                    edge(high, low, "what comes from a parent goes before a table has it of its own");
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
        }
    }
    for (i, mark) in marks.iter().enumerate() {
        for at in &mark.makes {
            for &remover in freed.get(&slot(at, mark, ground)).map(Vec::as_slice).unwrap_or_default() {
                if !marks[i].removes.contains(at) {
                    edge(remover, i, "a name is free before it is taken");
                }
            }
        }
    }
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

/// The columns of each type that the database has: what changes the type changes them.
fn columns_by_type(ground: &Ground<'_>) -> BTreeMap<Address, Vec<Address>> {
    let mut columns: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
    for (at, needs) in ground.depends.iter().filter(|(at, _)| at.kind() == ObjectKind::Column) {
        let types =
            needs.iter().filter(|need| matches!(need.kind(), ObjectKind::Enum | ObjectKind::Domain | ObjectKind::Type));
        for of in types {
            columns.entry(of.clone()).or_default().push(at.clone());
        }
    }
    columns
}

fn footmarks(node: &Node, ground: &Ground<'_>, typed: &BTreeMap<Address, Vec<Address>>) -> Footmarks {
    let mut all = Footmarks::default();
    for draft in &node.drafts {
        mark(&draft.change, ground, &mut all);
        for at in ground.dialect.disturbs(&draft.change) {
            if matches!(draft.change, Kind::Replace(_)) {
                let columns = typed.get(&at).into_iter().flatten();
                all.recasts.extend(columns.clone().cloned());
                all.disturbs.extend(columns.cloned());
            }
            all.disturbs.insert(at);
        }
        all.works_on.extend(works_on(&draft.change, ground));
    }
    // What one transaction makes and removes again is nobody else's business.
    let passing: BTreeSet<_> = all.makes.intersection(&all.removes).cloned().collect();
    let replaced: Vec<_> = passing.iter().filter(|at| ground.live.contains(at)).cloned().collect();
    all.makes.retain(|at| !passing.contains(at));
    all.removes.retain(|at| !passing.contains(at));
    all.changes.extend(replaced);
    all
}

fn mark(change: &Kind, ground: &Ground<'_>, marks: &mut Footmarks) {
    match change {
        Kind::Create(create) => {
            marks.makes.insert(create.at.clone());
            members(&create.at, &create.object.body, &mut marks.makes);
            bare_members(&create.at, &create.object.body, marks);
            let needs = ground.dialect.references(&create.at, &create.object, ground.goal);
            // A routine that names itself may mean any of its overloads; none of them waits for the others.
            let overload = |need: &Address| need.kind() == create.at.kind() && need.path() == create.at.path();
            marks.stands_on.extend(needs.into_iter().filter(|need| !overload(need)));
            for (at, object) in &create.with {
                marks.makes.insert(at.clone());
                let needs = ground.dialect.references(at, object, ground.goal);
                marks.stands_on.extend(needs.into_iter().filter(|need| need.holder() != create.at));
            }
            container(&create.at, marks);
        }
        Kind::Drop(drop) => {
            marks.removes.insert(drop.at.clone());
            members(&drop.at, &drop.object.body, &mut marks.removes);
            bare_members(&drop.at, &drop.object.body, marks);
            marks.removes.extend(drop.with.keys().cloned());
            let mut own = Footmarks::default();
            lets_go(&drop.at, Some(&drop.object), ground, &mut own);
            // As when they are made: overloads do not wait for each other, save where the database says so.
            let sure = ground.depends.get(&drop.at);
            let overload = |need: &Address| need.kind() == drop.at.kind() && need.path() == drop.at.path();
            let waits = |need: &Address| !overload(need) || sure.is_some_and(|needs| needs.contains(need));
            marks.lets_go.extend(own.lets_go.into_iter().filter(waits));
        }
        Kind::Replace(replace) => {
            marks.changes.insert(replace.at.clone());
            marks.stands_on.extend(ground.dialect.references(&replace.at, &replace.to, ground.goal));
            lets_go(&replace.at, Some(&replace.from), ground, marks);
        }
        Kind::Rename(rename) => {
            marks.removes.insert(rename.from.clone());
            marks.makes.insert(rename.to.clone());
            marks.renames_to.insert(rename.to.clone());
            marks.renames_to.extend(rename.carries.keys().cloned());
        }
        Kind::RenameMember(rename) => {
            marks.renames_to.extend(rename.carries.keys().cloned());
            if let Some(relation) = rename.from.relation() {
                let to = Address::member(rename.from.kind(), &relation, rename.to.clone());
                marks.removes.insert(rename.from.clone());
                marks.makes.insert(to.clone());
                marks.renames_to.insert(to);
                marks.stands_on.insert(Address::table(&relation));
            }
        }
        Kind::RenameValue(rename) => {
            marks.renames_to.insert(rename.at.clone());
            marks.renames_to.extend(rename.carries.keys().cloned());
        }
        Kind::AlterTable(alter) => {
            marks.changes.insert(Address::table(&alter.table));
            marks.stands_on.extend(of_table(&alter.table, ground.goal, ground));
            let needed = of_table(&alter.table, ground.live, ground);
            marks.lets_go.extend(
                needed.into_iter().filter(|at| matches!(at.kind(), ObjectKind::Index | ObjectKind::Constraint)),
            );
        }
        Kind::AddColumn(add) => {
            let at = Address::column(&add.table, &add.column.name);
            marks.stands_on.extend(column_needs(&add.table, &add.column.name, ground));
            marks.stands_on.insert(Address::table(&add.table));
            marks.stands_on.extend(ground.column(&add.table, &add.column.name).into_iter().skip(1));
            marks.makes.insert(at);
        }
        Kind::AlterColumn(alter) => {
            let at = Address::column(&alter.table, &alter.from.name);
            marks.stands_on.extend(column_needs(&alter.table, &alter.from.name, ground));
            lets_go(&at, None, ground, marks);
            marks.stands_on.extend(ground.column(&alter.table, &alter.from.name).into_iter().skip(1));
            if alter.from.data_type != alter.to.data_type {
                marks.retypes.insert(at.clone());
            }
            marks.changes.insert(at);
            if let Some(using) = &alter.using {
                expression_reads(&alter.table, using, ground, marks);
            }
        }
        Kind::DropColumn(drop) => {
            let at = Address::column(&drop.table, &drop.column.name);
            lets_go(&at, None, ground, marks);
            marks.lets_go.extend(ground.column(&drop.table, &drop.column.name).into_iter().skip(1));
            marks.removes.insert(at);
        }
        Kind::AddConstraint(add) => {
            let at = Address::constraint(&add.table, &add.name);
            marks.bare.extend(is_bare(&add.constraint.rule).then(|| at.clone()));
            marks.makes.insert(at);
            constraint_needs(&add.table, &add.constraint.rule, ground, marks);
        }
        Kind::ValidateConstraint(validate) => {
            marks.stands_on.insert(Address::constraint(&validate.table, &validate.name));
        }
        Kind::DropConstraint(drop) => {
            let at = Address::constraint(&drop.table, &drop.name);
            lets_go(&at, None, ground, marks);
            let mut was = Footmarks::default();
            constraint_needs(&drop.table, &drop.constraint.rule, ground, &mut was);
            marks.lets_go.extend(was.stands_on);
            marks.bare.extend(is_bare(&drop.constraint.rule).then(|| at.clone()));
            marks.removes.insert(at);
        }
        Kind::BuildKey(build) => {
            marks.makes.insert(build.at.clone());
            marks.stands_on.extend(ground.dialect.references(&build.at, &build.object, ground.goal));
        }
        Kind::AdoptKey(adopt) => {
            marks.makes.insert(Address::constraint(&adopt.table, &adopt.name));
            constraint_needs(&adopt.table, &adopt.constraint.rule, ground, marks);
        }
        Kind::Discard(_) | Kind::Unkeep(_) | Kind::Rejoin(_) | Kind::Unsettle(_) => {}
        Kind::Keep(Keep { kept }) | Kind::KeepRows(KeepRows { kept }) => {
            let names = kept.columns.iter().map(|c| &c.name).chain(&kept.key);
            marks.reads.extend(names.map(|name| Address::column(&kept.table, name)));
            marks.stands_on.insert(Address::table(&kept.table));
        }
        Kind::Leave(Leave { kept }) => {
            for column in &kept.columns {
                let at = Address::column(&kept.table, &column.name);
                lets_go(&at, None, ground, marks);
                marks.removes.insert(at);
            }
        }
        Kind::CopyRows(CopyRows { shadow }) => {
            marks.reads.extend(shadow.columns.iter().map(|name| Address::column(&shadow.table, name)));
            marks.stands_on.insert(Address::table(&shadow.table));
        }
        Kind::Swap(Swap { shadow, .. }) => mark_swap(shadow, ground, marks),
        Kind::Finish(_) => {}
        Kind::Sync(sync) => {
            marks.makes.extend(sync.twins.pairs.iter().map(|p| Address::column(&sync.twins.table, &p.hidden.name)));
            marks.stands_on.insert(Address::table(&sync.twins.table));
            for pair in &sync.twins.pairs {
                marks.stands_on.extend(column_needs(&sync.twins.table, &pair.column, ground));
                pair.by.iter().for_each(|by| expression_reads(&sync.twins.table, by, ground, marks));
            }
        }
        Kind::Exchange(exchange) => {
            for pair in &exchange.twins.pairs {
                let at = Address::column(&exchange.twins.table, &pair.column);
                lets_go(&at, None, ground, marks);
                marks.changes.insert(at);
            }
        }
        Kind::Serve(serve) => {
            let hidden = serve.twins.pairs.iter().map(|pair| &pair.hidden.name);
            marks.removes.extend(hidden.map(|name| Address::column(&serve.twins.table, name)));
        }
        Kind::Settle(settle) => {
            for pair in &settle.twins.pairs {
                let at = Address::column(&settle.twins.table, &pair.column);
                lets_go(&at, None, ground, marks);
                marks.retypes.insert(at.clone());
                marks.changes.insert(at);
                marks.removes.insert(Address::column(&settle.twins.table, &pair.hidden.name));
            }
        }
        Kind::Unsync(unsync) => {
            let hidden = unsync.twins.pairs.iter();
            marks.removes.extend(hidden.map(|p| Address::column(&unsync.twins.table, &p.hidden.name)));
        }
        Kind::Comment(comment) => {
            marks.stands_on.insert(comment.at.clone());
        }
        Kind::Privileges(privileges) => {
            marks.stands_on.insert(privileges.at.clone());
            for name in privileges.from.union(&privileges.to).filter_map(|g| g.column.as_ref()) {
                let column = Address::column(&privileges.at.qualified(), name);
                let stays = ground.goal.contains(&column);
                if stays { &mut marks.stands_on } else { &mut marks.reads }.insert(column);
            }
        }
        Kind::Rebuild(rebuild) => mark_rebuild(rebuild, ground, marks),
        Kind::Regroup(regroup) => mark_regroup(regroup, ground, marks),
        Kind::Backfill(backfill) => mark_backfill(backfill, ground, marks),
        Kind::Populate(populate) => mark_populate(populate, ground, marks),
        Kind::Rows(rows) => mark_rows(rows, ground, marks),
        Kind::Mark(k) => drop(marks.stands_on.insert(Address::table(&k.table))),
    }
}

fn mark_rebuild(rebuild: &Rebuild, ground: &Ground<'_>, marks: &mut Footmarks) {
    let table = Address::table(&rebuild.table);
    marks.reads.extend(rebuild.from.columns.iter().map(|c| Address::column(&rebuild.table, &c.name)));
    for column in &rebuild.to.columns {
        let at = Address::column(&rebuild.table, &column.name);
        match rebuild.from.column(&column.name) {
            None => marks.makes.insert(at),
            Some(was) if was != column => {
                if was.data_type != column.data_type {
                    marks.retypes.insert(at.clone());
                }
                marks.changes.insert(at)
            }
            Some(_) => false,
        };
    }
    for column in rebuild.from.columns.iter().filter(|c| rebuild.to.column(&c.name).is_none()) {
        marks.removes.insert(Address::column(&rebuild.table, &column.name));
    }
    for copy in rebuild.copy.iter().filter_map(|c| c.declared.as_ref()) {
        expression_reads(&rebuild.table, copy, ground, marks);
    }
    selection_reads(&rebuild.table, &rebuild.rows, ground, marks);
    marks.lets_go.extend(ground.depends.get(&table).into_iter().flatten().cloned());
    for constraint in rebuild.to.constraints.values() {
        if let Rule::ForeignKey(fk) = &constraint.rule {
            marks.stands_on.insert(Address::table(&fk.references));
        }
    }
    for constraint in rebuild.from.constraints.values() {
        if let Rule::ForeignKey(fk) = &constraint.rule {
            marks.lets_go.insert(Address::table(&fk.references));
        }
    }
    marks.stands_on.remove(&table);
    marks.lets_go.remove(&table);
    marks.changes.insert(table);
}

/// What a table of another form takes the place of changes where the forms differ.
fn mark_swap(shadow: &Shadow, ground: &Ground<'_>, marks: &mut Footmarks) {
    let own = Address::table(&shadow.table);
    let column = |schema: &Schema, name: &Name| schema.table(&shadow.table)?.column(name).cloned();
    let differs = shadow.columns.iter().filter(|name| column(ground.live, name) != column(ground.goal, name));
    for at in differs.map(|name| Address::column(&shadow.table, name)) {
        lets_go(&at, None, ground, marks);
        marks.changes.insert(at);
    }
    marks.changes.insert(own);
}

fn mark_regroup(regroup: &Regroup, ground: &Ground<'_>, marks: &mut Footmarks) {
    let own = Address::table(&regroup.table);
    let parents = |set: &BTreeMap<Address, Arc<mig_plan::Object>>| match set.get(&own).map(|o| &o.body) {
        Some(Body::Table(table)) => ground.dialect.parents(table),
        _ => Vec::new(),
    };
    let (old, new) = (parents(&regroup.from), parents(&regroup.to));
    for (at, object) in &regroup.from {
        marks.lets_go.extend(ground.dialect.references(at, object, ground.live));
    }
    for (at, object) in &regroup.to {
        marks.stands_on.extend(ground.dialect.references(at, object, ground.goal));
    }
    marks.changes.insert(own.clone());
    if old != new && new.is_empty() {
        marks.opens.extend([regroup.table.clone()].into_iter().chain(ground.above(&regroup.table)));
        return;
    }
    marks.stands_on.extend(regroup.from.keys().filter(|at| **at != own).cloned());
    if old != new {
        marks.closes.extend([regroup.table.clone()].into_iter().chain(ground.above(&regroup.table)));
        return;
    }
    let tables = |set: &BTreeMap<Address, Arc<mig_plan::Object>>| -> BTreeSet<Qualified> {
        set.keys().filter(|at| at.kind() == ObjectKind::Table).map(Address::qualified).collect()
    };
    marks.closes.extend(tables(&regroup.from));
    for (at, object) in regroup.to.iter().filter(|(at, _)| !regroup.from.contains_key(*at)) {
        marks.makes.insert(at.clone());
        members(at, &object.body, &mut marks.makes);
    }
    for (at, object) in regroup.from.iter().filter(|(at, _)| !regroup.to.contains_key(*at)) {
        marks.removes.insert(at.clone());
        members(at, &object.body, &mut marks.removes);
    }
    let passing = |at: &Address| tables(&regroup.to).contains(&at.holder().qualified());
    marks.stands_on.retain(|at| !regroup.to.contains_key(at) && !passing(at) || *at == own);
    marks.stands_on.remove(&own);
    marks.lets_go.retain(|at| !regroup.from.contains_key(&at.holder()));
}

/// The tables whose columns, constraints or indexes a change is about.
fn works_on(change: &Kind, ground: &Ground<'_>) -> BTreeSet<Qualified> {
    let index = |at: &Address| {
        [ground.live, ground.goal].iter().find_map(|schema| match schema.objects.get(at).map(|o| &o.body) {
            Some(Body::Index(index)) => Some(index.table.clone()),
            _ => None,
        })
    };
    let of_body = |at: &Address, body: &Body| match body {
        Body::Index(index) => Some(index.table.clone()),
        Body::Table(_) => Some(at.qualified()),
        _ => None,
    };
    match change {
        Kind::Create(k) => of_body(&k.at, &k.object.body).filter(|_| k.at.kind() == ObjectKind::Index),
        Kind::Drop(k) => of_body(&k.at, &k.object.body).filter(|_| k.at.kind() == ObjectKind::Index),
        Kind::Rename(k) if k.to.kind() == ObjectKind::Index => index(&k.to).or_else(|| index(&k.from)),
        Kind::AddColumn(k) => Some(k.table.clone()),
        Kind::AlterColumn(k) => Some(k.table.clone()),
        Kind::DropColumn(k) => Some(k.table.clone()),
        Kind::AddConstraint(k) => Some(k.table.clone()),
        Kind::ValidateConstraint(k) => Some(k.table.clone()),
        Kind::DropConstraint(k) => Some(k.table.clone()),
        Kind::AlterTable(k) => Some(k.table.clone()),
        Kind::Backfill(k) => Some(k.table.clone()),
        Kind::Populate(k) => Some(k.table.clone()),
        Kind::Rows(k) => Some(k.table.clone()),
        Kind::Regroup(k) => Some(k.table.clone()),
        Kind::BuildKey(k) => of_body(&k.at, &k.object.body),
        Kind::AdoptKey(k) => Some(k.table.clone()),
        Kind::Swap(k) => Some(k.shadow.table.clone()),
        Kind::Sync(k) => Some(k.twins.table.clone()),
        Kind::Exchange(k) => Some(k.twins.table.clone()),
        Kind::Unsync(k) => Some(k.twins.table.clone()),
        Kind::Settle(k) => Some(k.twins.table.clone()),
        Kind::Serve(k) => Some(k.twins.table.clone()),
        Kind::RenameMember(k) if matches!(k.from.kind(), ObjectKind::Column | ObjectKind::Constraint) => {
            k.from.relation()
        }
        _ => None,
    }
    .into_iter()
    .collect()
}

fn mark_backfill(backfill: &Backfill, ground: &Ground<'_>, marks: &mut Footmarks) {
    for (column, expression) in &backfill.set {
        let at = Address::column(&backfill.table, column);
        marks.stands_on.insert(at.clone());
        expression_reads(&backfill.table, expression, ground, marks);
        marks.fills.insert(at);
    }
    selection_reads(&backfill.table, &backfill.rows, ground, marks);
    marks.reads.extend(backfill.columns.values().map(|now| Address::column(&backfill.table, now)));
    let own: Vec<_> = marks.fills.iter().cloned().collect();
    for at in own {
        marks.reads.remove(&at);
    }
}

/// Rows come when what they refer to is there.
fn mark_rows(rows: &Rows, ground: &Ground<'_>, marks: &mut Footmarks) {
    for column in rows.columns() {
        let at = Address::column(&rows.table, column);
        marks.stands_on.insert(at.clone());
        marks.fills.insert(at);
    }
    referred(&rows.table, ground, marks);
}

/// What the foreign keys of a table refer to, save itself.
fn referred(table: &Qualified, ground: &Ground<'_>, marks: &mut Footmarks) {
    let constraints = ground.goal.table(table).into_iter().flat_map(|t| t.constraints.values());
    for fk in constraints.filter_map(|c| c.foreign_key()).filter(|fk| fk.references != *table) {
        // A key that names no columns means the primary key.
        let primary = || ground.goal.table(&fk.references)?.primary_key().map(|(_, key)| &key.columns);
        let referenced = if fk.referenced.is_empty() { primary() } else { Some(&fk.referenced) };
        let columns = referenced.into_iter().flatten();
        marks.reads.extend(columns.map(|column| Address::column(&fk.references, column)));
    }
}

/// A table is filled when all that its rows are made from and refer to has its values.
fn mark_populate(populate: &Populate, ground: &Ground<'_>, marks: &mut Footmarks) {
    for column in populate.set.keys() {
        let at = Address::column(&populate.table, column);
        marks.stands_on.insert(at.clone());
        if populate.last {
            marks.late_fills.insert(at)
        } else {
            marks.fills.insert(at)
        };
    }
    marks.reads.insert(Address::table(&populate.from));
    for sql in populate.set.values().chain(&populate.join).chain(&populate.group_by) {
        expression_reads(&populate.from, sql, ground, marks);
    }
    selection_reads(&populate.from, &populate.rows, ground, marks);
    marks.reads.extend(populate.columns.values().map(|now| Address::column(&populate.from, now)));
    referred(&populate.table, ground, marks);
    marks.reads.retain(|at| at.relation().as_ref() != Some(&populate.table));
}

/// What the conditions read by which a transform chooses rows.
fn selection_reads(table: &Qualified, rows: &Selection, ground: &Ground<'_>, marks: &mut Footmarks) {
    let given = rows.given.iter().flat_map(BTreeMap::values);
    for sql in rows.only.iter().chain(rows.rejects.iter().map(|rule| &rule.when)).chain(given) {
        expression_reads(table, sql, ground, marks);
    }
}

/// The columns and tables that an expression over a table's rows may read: of its own table any that it names, of others all
/// tables that it names with every column that it names.
fn expression_reads(table: &Qualified, expression: &Sql, ground: &Ground<'_>, marks: &mut Footmarks) {
    let names = ground.dialect.mentions(expression);
    for schema in [ground.live, ground.goal] {
        for (other, content) in schema.tables() {
            if other != *table && !names.contains(&other.name) {
                continue;
            }
            marks.reads.insert(Address::table(&other));
            let named = content.columns.iter().filter(|c| names.contains(&c.name));
            marks.reads.extend(named.map(|c| Address::column(&other, &c.name)));
        }
    }
}

/// Whether a constraint works without an index.
fn is_bare(rule: &Rule) -> bool {
    matches!(rule, Rule::ForeignKey(_) | Rule::Check { .. })
}

/// Columns and constraints live and go with their table.
fn members(at: &Address, body: &Body, into: &mut BTreeSet<Address>) {
    if let Body::Table(table) = body {
        let own = at.qualified();
        into.extend(table.columns.iter().map(|c| Address::column(&own, &c.name)));
        into.extend(table.constraints.keys().map(|name| Address::constraint(&own, name)));
    }
}

fn bare_members(at: &Address, body: &Body, marks: &mut Footmarks) {
    if let Body::Table(table) = body {
        let bare = table.constraints.iter().filter(|(_, c)| is_bare(&c.rule));
        marks.bare.extend(bare.map(|(name, _)| Address::constraint(&at.qualified(), name)));
    }
}

/// The schema that an object is in.
fn container(at: &Address, marks: &mut Footmarks) {
    if let Some(schema) = at.qualified().schema {
        marks.stands_on.insert(Address::global(ObjectKind::Namespace, schema));
    }
}

/// What the live object, column or constraint at an address is built on; `object` is a whole object as it then is.
fn lets_go(at: &Address, object: Option<&mig_plan::Object>, ground: &Ground<'_>, marks: &mut Footmarks) {
    let own = at.holder();
    // A table as it then is says itself what it is built on.
    if object.is_none() || at.kind() != ObjectKind::Table {
        marks.lets_go.extend(ground.depends.get(at).into_iter().flatten().cloned());
    }
    if own == *at
        && let Some(object) = object
    {
        marks.lets_go.extend(ground.dialect.references(at, object, ground.live));
        if at.kind() == ObjectKind::Table {
            for (who, needs) in ground.depends {
                // A constraint that went in a step before holds nothing any more.
                let still = match &object.body {
                    Body::Table(table) if who.kind() == ObjectKind::Constraint => {
                        table.constraints.contains_key(who.name())
                    }
                    _ => true,
                };
                if who.is_member() && who.holder() == *at && still {
                    marks.lets_go.extend(needs.iter().cloned());
                }
            }
        }
    }
    if let Some(schema) = at.qualified().schema.filter(|_| own == *at) {
        marks.lets_go.insert(Address::global(ObjectKind::Namespace, schema));
    }
    marks.lets_go.retain(|need| need.holder() != own || need.kind() == ObjectKind::Constraint);
}

fn of_table(table: &Qualified, schema: &Schema, ground: &Ground<'_>) -> BTreeSet<Address> {
    let at = Address::table(table);
    match schema.objects.get(&at) {
        Some(object) => {
            let mut needs = ground.dialect.references(&at, object, schema);
            needs.retain(|need| need.holder() != at);
            needs
        }
        None => BTreeSet::new(),
    }
}

/// What one column of a goal table needs: what the table needs if it had only that column.
fn column_needs(table: &Qualified, column: &Name, ground: &Ground<'_>) -> BTreeSet<Address> {
    let at = Address::table(table);
    let Some(mut object) = ground.goal.objects.get(&at).map(|o| mig_plan::Object::clone(o)) else {
        return BTreeSet::new();
    };
    if let Body::Table(content) = &mut object.body {
        content.columns.retain(|c| c.name == *column);
        content.constraints.clear();
        content.options.clear();
    }
    let mut needs = ground.dialect.references(&at, &object, ground.goal);
    needs.remove(&at);
    needs.remove(&Address::column(table, column));
    needs
}

fn constraint_needs(table: &Qualified, rule: &Rule, ground: &Ground<'_>, marks: &mut Footmarks) {
    marks.stands_on.insert(Address::table(table));
    match rule {
        Rule::PrimaryKey(key) | Rule::Unique(key) => {
            marks.stands_on.extend(key.columns.iter().chain(&key.include).flat_map(|c| ground.column(table, c)));
        }
        Rule::ForeignKey(fk) => {
            marks.stands_on.extend(fk.columns.iter().flat_map(|c| ground.column(table, c)));
            marks.stands_on.insert(Address::table(&fk.references));
            marks.stands_on.extend(fk.referenced.iter().flat_map(|c| ground.column(&fk.references, c)));
            for schema in [ground.goal, ground.live] {
                let carries = |index: &mig_plan::schema::Index| {
                    let parts = index.parts.iter().map(|p| &p.what);
                    index.parts.len() >= fk.columns.len()
                        && parts
                            .zip(&fk.columns)
                            .all(|(part, c)| *part == mig_plan::schema::IndexedBy::Column(c.clone()))
                };
                let own = schema.indexes_of(table).filter(|(_, index)| carries(index));
                marks.stands_on.extend(own.map(|(at, _)| at.clone()));
                let Some(target) = schema.table(&fk.references) else { continue };
                for (name, constraint) in &target.constraints {
                    if constraint.key().is_some_and(|key| key.columns == fk.referenced) {
                        marks.stands_on.insert(Address::constraint(&fk.references, name));
                    }
                }
                for (at, index) in schema.indexes_of(&fk.references) {
                    let column = |c: &Name| index.parts.iter().any(|p| p.what == IndexedBy::Column(c.clone()));
                    if index.unique && index.parts.len() == fk.referenced.len() && fk.referenced.iter().all(column) {
                        marks.stands_on.insert(at.clone());
                    }
                }
            }
        }
        Rule::Check { expression } | Rule::Exclude { definition: expression } => {
            let names = ground.dialect.mentions(expression);
            if let Some(content) = ground.goal.table(table).or_else(|| ground.live.table(table)) {
                let named = content.columns.iter().filter(|c| names.contains(&c.name));
                marks.stands_on.extend(named.map(|c| Address::column(table, &c.name)));
            }
            for at in ground.goal.objects.keys() {
                let code = matches!(
                    at.kind(),
                    ObjectKind::Function | ObjectKind::Enum | ObjectKind::Domain | ObjectKind::Type
                );
                if code && names.contains(at.name()) {
                    marks.stands_on.insert(at.clone());
                }
            }
        }
    }
}
