//! What a step does to addresses: what it makes, removes, changes, reads.

mod data;
mod object;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Kind, ObjectKind, Phase, Qualified,
    kind::{CopyRows, Finish, Keep, KeepRows},
};

use super::{
    needs::constraint_needs,
    rules::{Ground, Node},
};

/// What a node does to addresses.
#[derive(Debug, Default)]
pub(super) struct Footmarks {
    /// There after it and not before.
    pub(super) makes: BTreeSet<Address>,
    /// There before it and not after.
    pub(super) removes: BTreeSet<Address>,
    /// Changed by it, and there before and after.
    pub(super) changes: BTreeSet<Address>,
    /// Must be there when it runs.
    pub(super) reads: BTreeSet<Address>,
    /// What the things it removes or changes were built on.
    pub(super) lets_go: BTreeSet<Address>,
    /// What the things it makes or changes are built on.
    pub(super) stands_on: BTreeSet<Address>,
    /// What it names as it is by then: under new names, if it gets any.
    pub(super) names: BTreeSet<Address>,
    /// What must be gone before it runs, lest what it makes is built on that.
    pub(super) outlives: BTreeSet<Address>,
    /// Columns that get their values in it.
    pub(super) fills: BTreeSet<Address>,
    /// Columns that get the values of rows that came late, which only those wait for that look for such rows too.
    pub(super) late_fills: BTreeSet<Address>,
    /// New names that it gives.
    pub(super) renames_to: BTreeSet<Address>,
    /// What the engine refuses to change while something stands on it.
    pub(super) disturbs: BTreeSet<Address>,
    /// Constraints among what it makes and removes that have no index and so no name among the relations.
    pub(super) bare: BTreeSet<Address>,
    /// Tables whose columns, constraints or indexes it changes.
    pub(super) works_on: BTreeSet<Qualified>,
    /// Tables that no other step works on before it.
    pub(super) opens: BTreeSet<Qualified>,
    /// Tables that no other step works on after it.
    pub(super) closes: BTreeSet<Qualified>,
    /// Tables of which rows leave in it.
    pub(super) empties: BTreeSet<Address>,
    /// Tables of which rows must have left, and what must be gone, before rows leave in it.
    pub(super) unreferred: BTreeSet<Address>,
    /// Columns whose values it puts on another form of their type.
    pub(super) recasts: BTreeSet<Address>,
    /// Columns that have other values after it, of another type.
    pub(super) retypes: BTreeSet<Address>,
    /// Old names of columns that it may read as long as they are served.
    pub(super) reads_served: BTreeSet<Address>,
    /// Old names of columns that are served no more after it.
    pub(super) ends: BTreeSet<Address>,
    /// Code that a column lets go of while it stays.
    pub(super) frees: BTreeSet<Address>,
    /// Code that a column takes hold of while it stays.
    pub(super) takes: BTreeSet<Address>,
    /// Columns that have gone over to another type when it runs.
    pub(super) awaits: BTreeSet<Address>,
    /// Keys that leave and come again over other columns.
    pub(super) swaps: BTreeSet<Address>,
    /// What views that it drops and makes again come to stand on.
    pub(super) comes_to: BTreeSet<Address>,
    /// Types whose values it keeps as the text of their form, and goes on keeping in steps after it.
    pub(super) writes_out: BTreeSet<Address>,
    /// Whether it exchanges a view, or what a table or the database has beside its own parts, on the spot.
    pub(super) exchanges: bool,
    /// The phase that it wants.
    pub(super) phase: Option<Phase>,
}

impl Footmarks {
    /// Those of `some` that come or go on their own, not with a table that is changed as a whole.
    pub(super) fn outright<'a>(&'a self, some: &'a BTreeSet<Address>) -> impl Iterator<Item = &'a Address> {
        some.iter().filter(|at| !self.changes.contains(&at.holder()))
    }
}

/// Whether something is a type.
pub(crate) fn is_type(at: &Address) -> bool {
    matches!(at.kind(), ObjectKind::Enum | ObjectKind::Domain | ObjectKind::Type)
}

/// The columns of each type that the database has, and the types that are made of it: what changes the type changes them.
pub(super) fn made_of_types(ground: &Ground<'_>) -> BTreeMap<Address, BTreeSet<Address>> {
    let mut made: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for (at, needs) in ground.depends.iter().filter(|(at, _)| at.kind() == ObjectKind::Column || is_type(at)) {
        for of in needs.iter().filter(|need| is_type(need)) {
            made.entry(of.clone()).or_default().insert(at.clone());
        }
    }
    let whole = |of: &Address| {
        let (mut all, mut next) = (BTreeSet::new(), vec![of]);
        while let Some(of) = next.pop() {
            next.extend(made.get(of).into_iter().flatten().filter(|at| all.insert((*at).clone())));
        }
        all
    };
    made.keys().map(|of| (of.clone(), whole(of))).collect()
}

pub(super) fn footmarks(node: &Node, ground: &Ground<'_>, typed: &BTreeMap<Address, BTreeSet<Address>>) -> Footmarks {
    let mut all = Footmarks { phase: Some(node.phase()), ..Footmarks::default() };
    for draft in &node.drafts {
        mark(&draft.change, ground, typed, &mut all);
        for at in ground.dialect.disturbs(&draft.change) {
            if matches!(draft.change, Kind::Replace(_)) {
                let columns = typed.get(&at).into_iter().flatten();
                all.recasts.extend(columns.clone().cloned());
                all.disturbs.extend(columns.cloned());
            }
            all.disturbs.insert(at);
        }
        all.works_on.extend(table::works_on(&draft.change, ground));
    }
    // What one transaction makes and removes again is nobody else's business.
    let passing: BTreeSet<_> = all.makes.intersection(&all.removes).cloned().collect();
    let replaced: Vec<_> = passing.iter().filter(|at| ground.live.contains(at)).cloned().collect();
    all.makes.retain(|at| !passing.contains(at));
    all.removes.retain(|at| !passing.contains(at));
    all.swaps.extend(replaced.iter().filter(|at| at.kind() == ObjectKind::Constraint).cloned());
    all.comes_to = node.drafts.iter().flat_map(|draft| new_to(&draft.change, &replaced, ground)).collect();
    all.changes.extend(replaced);
    all
}

/// What a view that goes and comes in one node is built on then, and was not before.
fn new_to(change: &Kind, replaced: &[Address], ground: &Ground<'_>) -> BTreeSet<Address> {
    let Kind::Create(k) = change else { return BTreeSet::new() };
    let is_view = matches!(k.at.kind(), ObjectKind::View | ObjectKind::MaterializedView) && replaced.contains(&k.at);
    let Some(was) = ground.live.objects.get(&k.at).filter(|_| is_view) else { return BTreeSet::new() };
    let was = ground.dialect.references(&k.at, was, ground.live);
    let is = ground.dialect.references(&k.at, &k.object, ground.goal);
    is.difference(&was).cloned().collect()
}

/// Adds what one change does.
fn mark(change: &Kind, ground: &Ground<'_>, typed: &BTreeMap<Address, BTreeSet<Address>>, marks: &mut Footmarks) {
    match change {
        Kind::Create(k) => object::create(k, ground, marks),
        Kind::Drop(k) => object::drop(k, ground, marks),
        Kind::Replace(k) => object::replace(k, ground, marks),
        Kind::Rename(k) => object::rename(k, marks),
        Kind::RenameMember(k) => object::rename_member(k, marks),
        Kind::RenameValue(k) => object::rename_value(k, marks),
        Kind::AdoptType(k) => object::adopt_type(k, ground, typed, marks),
        Kind::Privileges(k) => object::privileges(k, ground, marks),
        Kind::AlterTable(k) => table::alter_table(k, ground, marks),
        Kind::AddColumn(k) => table::add_column(k, ground, marks),
        Kind::AlterColumn(k) => table::alter_column(k, ground, marks),
        Kind::DropColumn(k) => table::drop_column(k, ground, marks),
        Kind::AddConstraint(k) => table::add_constraint(k, ground, marks),
        Kind::DropConstraint(k) => table::drop_constraint(k, ground, marks),
        Kind::Release(k) => table::drop_constraint(&k.drop, ground, marks),
        Kind::Rebuild(k) => table::rebuild(k, ground, marks),
        Kind::Swap(k) => table::swap(&k.shadow, ground, marks),
        Kind::Regroup(k) => table::regroup(k, ground, marks),
        Kind::Leave(k) => data::leave(k, ground, marks),
        Kind::Sync(k) => data::sync(k, ground, marks),
        Kind::Exchange(k) => data::exchange(k, ground, marks),
        Kind::Settle(k) => data::settle(k, ground, marks),
        Kind::Backfill(k) => data::backfill(k, ground, marks),
        Kind::Populate(k) => data::populate(k, ground, marks),
        Kind::Revise(k) => data::revise(k, ground, marks),
        Kind::Rows(k) => data::rows(k, ground, marks),
        Kind::Withdraw(k) => data::withdraw(k, marks),
        Kind::ValidateConstraint(validate) => {
            marks.stands_on.insert(Address::constraint(&validate.table, &validate.name));
        }
        Kind::BuildKey(build) => {
            marks.makes.insert(build.at.clone());
            marks.stands_on.extend(ground.dialect.references(&build.at, &build.object, ground.goal));
        }
        Kind::AdoptKey(adopt) => {
            marks.makes.insert(Address::constraint(&adopt.table, &adopt.name));
            constraint_needs(&adopt.table, &adopt.constraint.rule, ground, marks);
        }
        Kind::Keep(Keep { kept }) | Kind::KeepRows(KeepRows { kept }) => {
            let names = kept.columns.iter().map(|c| &c.name).chain(&kept.key);
            marks.reads.extend(names.map(|name| Address::column(&kept.table, name)));
            let columns: BTreeSet<_> = kept.columns.iter().map(|c| Address::column(&kept.table, &c.name)).collect();
            let types = typed.iter().filter(|(of, made)| of.kind() == ObjectKind::Type && !made.is_disjoint(&columns));
            marks.writes_out.extend(types.map(|(of, _)| of.clone()));
            marks.stands_on.insert(Address::table(&kept.table));
        }
        Kind::CopyRows(CopyRows { shadow }) => {
            marks.reads.extend(shadow.columns.iter().map(|name| Address::column(&shadow.table, name)));
            marks.stands_on.insert(Address::table(&shadow.table));
        }
        Kind::Serve(serve) => {
            let hidden = serve.twins.pairs.iter().map(|pair| &pair.hidden.name);
            marks.removes.extend(hidden.map(|name| Address::column(&serve.twins.table, name)));
        }
        Kind::Unsync(unsync) => {
            let hidden = unsync.twins.pairs.iter();
            marks.ends.extend(hidden.clone().map(|p| Address::column(&unsync.twins.table, &p.hidden.name)));
            marks.removes.extend(hidden.map(|p| Address::column(&unsync.twins.table, &p.hidden.name)));
        }
        Kind::Comment(comment) => {
            marks.stands_on.insert(comment.at.clone());
        }
        Kind::Mark(k) => drop(marks.stands_on.insert(Address::table(&k.table))),
        Kind::Tie(k) => data::tie(&k.tied, ground, marks),
        Kind::OnReturn(_)
        | Kind::Filling(_)
        | Kind::Discard(_)
        | Kind::Unkeep(_)
        | Kind::Untie(_)
        | Kind::Rejoin(_)
        | Kind::Unsettle(_) => {}
        // What still leads to the old table must have left it: from then on it is no longer kept equal.
        Kind::Finish(Finish { shadow }) => drop(marks.removes.insert(Address::table(&shadow.aside))),
    }
}
