//! What steps on whole objects do to addresses.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, ObjectKind,
    kind::{AdoptType, Create, Drop, Privileges, Rename, RenameMember, RenameValue, Replace},
};

use super::{Footmarks, Ground};
use crate::order::needs::{bare_members, container, lets_go, members};

pub(super) fn create(create: &Create, ground: &Ground<'_>, marks: &mut Footmarks) {
    marks.makes.insert(create.at.clone());
    members(&create.at, &create.object.body, &mut marks.makes);
    bare_members(&create.at, &create.object.body, marks);
    let needs = ground.dialect.references(&create.at, &create.object, ground.goal);
    // A routine that names itself may mean any of its overloads; none of them waits for the others.
    let overload = |need: &Address| need.kind() == create.at.kind() && need.path() == create.at.path();
    marks.stands_on.extend(needs.into_iter().filter(|need| !overload(need) && !create.ahead.contains(need)));
    for (at, object) in &create.with {
        marks.makes.insert(at.clone());
        let needs = ground.dialect.references(at, object, ground.goal);
        marks.stands_on.extend(needs.into_iter().filter(|need| need.holder() != create.at));
    }
    container(&create.at, marks);
}

pub(super) fn drop(drop: &Drop, ground: &Ground<'_>, marks: &mut Footmarks) {
    marks.removes.insert(drop.at.clone());
    members(&drop.at, &drop.object.body, &mut marks.removes);
    bare_members(&drop.at, &drop.object.body, marks);
    marks.removes.extend(drop.with.keys().cloned());
    let mut own = Footmarks::default();
    lets_go(&drop.at, Some(&drop.object), ground, &mut own);
    // As when they are made: overloads do not wait for each other, save where the database says so.
    let sure = ground.depends.get(&drop.at);
    let overload = |need: &Address| need.kind() == drop.at.kind() && need.path() == drop.at.path();
    // What a routine's body names it does not hold on to: two may call each other.
    let named = |need: &Address| is_relation(need) || need.signature().is_some();
    let loose = |need: &Address| overload(need) || (drop.at.signature().is_some() && named(need));
    let waits = |need: &Address| !loose(need) || sure.is_some_and(|needs| needs.contains(need));
    marks.lets_go.extend(own.lets_go.into_iter().filter(waits));
}

fn is_relation(at: &Address) -> bool {
    matches!(at.kind(), ObjectKind::View | ObjectKind::MaterializedView)
}

pub(super) fn replace(replace: &Replace, ground: &Ground<'_>, marks: &mut Footmarks) {
    use ObjectKind::{EventTrigger, MaterializedView, Other, Policy, Rule, Statistics, Trigger, View};
    let kind = replace.at.kind();
    marks.exchanges |=
        matches!(kind, View | MaterializedView | Policy | Rule | Trigger | EventTrigger | Statistics | Other);
    marks.changes.insert(replace.at.clone());
    let later = ground.circles.named_by_bodies(&replace.at, &replace.to, ground.goal, ground.dialect);
    let needs = ground.dialect.references(&replace.at, &replace.to, ground.goal);
    marks.stands_on.extend(needs.into_iter().filter(|need| !later.contains(need)));
    lets_go(&replace.at, Some(&replace.from), ground, marks);
}

pub(super) fn adopt_type(
    adopt: &AdoptType,
    ground: &Ground<'_>,
    typed: &BTreeMap<Address, BTreeSet<Address>>,
    marks: &mut Footmarks,
) {
    marks.changes.insert(adopt.at.clone());
    marks.removes.insert(adopt.waits.clone());
    marks.stands_on.extend(ground.dialect.references(&adopt.at, &adopt.to, ground.goal));
    lets_go(&adopt.at, Some(&adopt.from), ground, marks);
    let made = typed.get(&adopt.at).into_iter().flatten();
    marks.awaits.extend(made.filter(|at| at.kind() == ObjectKind::Column).cloned());
}

pub(super) fn rename(rename: &Rename, marks: &mut Footmarks) {
    marks.removes.insert(rename.from.clone());
    marks.makes.insert(rename.to.clone());
    marks.renames_to.insert(rename.to.clone());
    marks.renames_to.extend(rename.carries.keys().cloned());
}

pub(super) fn rename_member(rename: &RenameMember, marks: &mut Footmarks) {
    marks.renames_to.extend(rename.carries.keys().cloned());
    if let Some(relation) = rename.from.relation() {
        let to = Address::member(rename.from.kind(), &relation, rename.to.clone());
        marks.removes.insert(rename.from.clone());
        marks.makes.insert(to.clone());
        marks.renames_to.insert(to);
        marks.stands_on.insert(Address::table(&relation));
    }
}

pub(super) fn rename_value(rename: &RenameValue, marks: &mut Footmarks) {
    marks.renames_to.insert(rename.at.clone());
    marks.renames_to.extend(rename.carries.keys().cloned());
}

pub(super) fn privileges(privileges: &Privileges, ground: &Ground<'_>, marks: &mut Footmarks) {
    marks.stands_on.insert(privileges.at.clone());
    for name in privileges.from.union(&privileges.to).filter_map(|g| g.column.as_ref()) {
        let column = Address::column(&privileges.at.qualified(), name);
        let stays = ground.goal.contains(&column);
        if stays { &mut marks.stands_on } else { &mut marks.reads }.insert(column);
    }
}
