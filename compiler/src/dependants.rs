//! What stands on something that changes: dropped before the change and created again after it, where the engine asks for that.

mod computed;
mod held;
mod keys;

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Dialect, Group, Kind, Object, ObjectKind, Schema,
    kind::{Create, Drop},
};

use crate::order::is_type;

/// Adds to `groups` the drops and creations of what is built on disturbed addresses. An object that is replaced anyway is dropped and
/// created instead. Gives the addresses of what is dropped and created.
pub(crate) fn recreate(
    groups: &mut Vec<Group>,
    live: &Schema,
    goal: &Schema,
    depends: &BTreeMap<Address, BTreeSet<Address>>,
    dialect: &dyn Dialect,
) -> BTreeSet<Address> {
    computed::on_hold(groups, live, goal, dialect);
    let mut gone = held::gone(groups, dialect);
    gone.extend(held::shaken(groups, live, depends, dialect));
    let mut holding = held::values(groups, (live, goal), depends, &gone, dialect);
    let remade: BTreeSet<Address> =
        groups.iter().flat_map(|g| &g.changes).filter(|c| dialect.remakes(c)).map(Kind::address).collect();
    let columns = keys::Columns::of(groups, &remade, &gone, depends, dialect);
    holding.extend(keys::constraints_again(groups, live, goal, &columns));
    let mut disturbed: BTreeSet<Address> =
        groups.iter().flat_map(|g| &g.changes).flat_map(|change| dialect.disturbs(change)).collect();
    disturbed.extend(types_over(groups, depends, dialect));
    let typed: Vec<Address> = depends
        .iter()
        .filter(|(at, needs)| {
            let of_type = |need: &&Address| is_type(need) && disturbed.contains(*need);
            at.kind() == ObjectKind::Column && needs.iter().any(|need| of_type(&need))
        })
        .map(|(at, _)| at.clone())
        .collect();
    held::defaults(groups, &typed);
    // What changes a type changes every column of it.
    disturbed.extend(typed);
    // What is replaced while values and checks let go of it goes and comes as two steps.
    let replaced = groups.iter().filter(|g| g.changes.iter().any(|c| matches!(c, Kind::Replace(_)))).map(|g| &g.at);
    let mut again: BTreeSet<Address> = replaced.filter(|at| holding.contains(*at)).cloned().collect();
    loop {
        let next: BTreeSet<Address> = depends
            .iter()
            .filter(|(at, needs)| {
                let goes_along = |need: &Address| {
                    is_rebuildable(at)
                        || (at.kind() == ObjectKind::Index
                            && matches!(
                                need.kind(),
                                ObjectKind::MaterializedView | ObjectKind::Function | ObjectKind::Other
                            ))
                        || (matches!(at.kind(), ObjectKind::Index | ObjectKind::Statistics) && remade.contains(need))
                        || (at.kind() == ObjectKind::Statistics && need.kind() == ObjectKind::Column)
                };
                !again.contains(*at) && needs.iter().any(|need| disturbed.contains(need) && goes_along(need))
            })
            .map(|(at, _)| at.clone())
            .filter(|at| live.objects.contains_key(at))
            .collect();
        if next.is_empty() {
            break;
        }
        for at in next {
            disturbed.insert(at.clone());
            again.insert(at);
        }
    }
    let mut apart_now = BTreeSet::new();
    for at in &again {
        let Some(was) = live.objects.get(at) else { continue };
        let existing = groups.iter().position(|g| g.at == *at);
        let is_dropped =
            existing.is_some_and(|i| groups[i].changes.iter().any(|c| matches!(c, Kind::Drop(drop) if drop.at == *at)));
        let Some(wanted) = goal.objects.get(at).filter(|_| !is_dropped) else { continue };
        apart_now.insert(at.clone());
        if let Some(i) = existing {
            groups.remove(i);
        }
        groups.extend(apart(at, was, wanted));
    }
    groups.sort_by(|a, b| a.at.cmp(&b.at));
    apart_now
}

/// The types that are made of types that are made anew, and so are made anew themselves.
fn types_over(
    groups: &[Group],
    depends: &BTreeMap<Address, BTreeSet<Address>>,
    dialect: &dyn Dialect,
) -> BTreeSet<Address> {
    let anew = groups.iter().flat_map(|g| &g.changes).filter(|c| matches!(c, Kind::Replace(_) | Kind::AdoptType(_)));
    let mut next: Vec<Address> = anew.flat_map(|change| dialect.disturbs(change)).filter(is_type).collect();
    let mut found = BTreeSet::new();
    while let Some(of) = next.pop() {
        let over = depends.iter().filter(|(at, needs)| is_type(at) && needs.contains(&of));
        next.extend(over.map(|(at, _)| at.clone()).filter(|at| found.insert(at.clone())));
    }
    found
}

/// The group of a table's changes.
fn group_of<'a>(groups: &'a mut Vec<Group>, at: &Address) -> &'a mut Group {
    let place = groups.iter().position(|g| g.at == *at).unwrap_or_else(|| {
        groups.push(Group { at: at.clone(), changes: Vec::new(), fill: None });
        groups.len() - 1
    });
    &mut groups[place]
}

/// Going and coming as two groups: what happens in between belongs to others.
fn apart(at: &Address, was: &Object, wanted: &Object) -> [Group; 2] {
    let drop = Drop::new(at.clone(), was.clone()).into();
    let create = Create::new(at.clone(), wanted.clone()).into();
    [drop, create].map(|change| Group { at: at.clone(), changes: vec![change], fill: None })
}

/// Splits replacements into going and coming: those of indexes, where the engine does not build the new one beside the old one or
/// what the old one stands on changes under it, and those between two sets of things of which one goes and the other comes.
pub(crate) fn split_replacements(groups: &mut Vec<Group>, live: &Schema, goal: &Schema, dialect: &dyn Dialect) {
    let disturbed: BTreeSet<Address> =
        groups.iter().flat_map(|g| &g.changes).flat_map(|change| dialect.disturbs(change)).collect();
    let replaced: Vec<_> = groups
        .iter()
        .filter(|g| is_rebuildable(&g.at) || g.at.kind() == ObjectKind::Index)
        .filter(|g| g.changes.iter().any(|c| matches!(c, Kind::Replace(_))))
        .map(|g| g.at.clone())
        .collect();
    for at in replaced {
        let (Some(was), Some(wanted)) = (live.objects.get(&at), goal.objects.get(&at)) else { continue };
        let goes = dialect.references(&at, was, live).iter().any(|need| !goal.contains(need));
        let comes = dialect.references(&at, wanted, goal).iter().any(|need| !live.contains(need));
        let apart_here = match at.kind() {
            ObjectKind::Index => {
                let shaken = dialect.references(&at, was, live).iter().any(|need| disturbed.contains(need));
                shaken || !dialect.replaces_beside(&at, was, wanted, live)
            }
            _ => goes && comes,
        };
        if apart_here {
            groups.retain(|g| g.at != at);
            groups.extend(apart(&at, was, wanted));
        }
    }
    groups.sort_by(|a, b| a.at.cmp(&b.at));
}

/// Whether an object of that kind can be dropped and created again without losing rows.
fn is_rebuildable(at: &Address) -> bool {
    !matches!(
        at.kind(),
        ObjectKind::Table
            | ObjectKind::Column
            | ObjectKind::Constraint
            | ObjectKind::Index
            | ObjectKind::Statistics
            | ObjectKind::Sequence
            | ObjectKind::Namespace
            | ObjectKind::Extension
            | ObjectKind::VirtualTable
            | ObjectKind::Opaque
            | ObjectKind::Enum
            | ObjectKind::Domain
            | ObjectKind::Type
    )
}
