//! The difference between a live schema and a goal, as plain changes grouped by object. It knows no engine's spelling and no recipes.

mod regroup;
mod table;

use std::{collections::BTreeSet, sync::Arc};

use mig_plan::{
    Address, Body, Group, Kind, Object, ObjectKind, Schema,
    kind::{Comment, Create, Drop, Privileges, Rename, Replace},
};

use crate::adopt::Adopter;

/// What the comparison found.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// Changes by object, in address order.
    pub(crate) groups: Vec<Group>,
    /// The goal with every text that means the same in the catalog's words.
    pub(crate) goal: Schema,
    /// Objects with a text about which nothing can be told.
    pub(crate) unknown: BTreeSet<Address>,
}

/// Compares `live` (declared renames done) with `goal`. `owned` tells whether an object that only lives is the specs' to drop.
pub(crate) fn compare(
    live: &Schema,
    goal: &Schema,
    adopter: Adopter<'_>,
    owned: &dyn Fn(&Address) -> bool,
) -> Difference {
    let mut found = Difference { goal: goal.clone(), ..Difference::default() };
    adopter.dialect.respell(&mut found.goal, live);
    let kept: Vec<_> = live.objects.iter().filter(|(at, _)| !goal.objects.contains_key(*at) && !owned(at)).collect();
    for (at, object) in kept {
        found.goal.objects.insert(at.clone(), object.clone());
    }
    let regrouping = regroup::apart(live, &mut found.goal, adopter.dialect);
    let live = &regrouping.live;
    for (at, object) in &mut found.goal.objects {
        let Some(there) = live.objects.get(at) else { continue };
        if object != there && !adopter.adopt(at, Arc::make_mut(object), there).is_empty() {
            found.unknown.insert(at.clone());
        }
        if object == there {
            // One object for both: most of a large schema stays as it is.
            object.clone_from(there);
        }
    }
    let renamed = same_under_other_name(live, &mut found.goal, adopter);
    for (from, to) in &renamed {
        let change = Rename::new(from.clone(), to.clone()).into();
        found.groups.push(Group { at: to.clone(), changes: vec![change], fill: None });
    }
    let gone_by_rename: BTreeSet<_> = renamed.iter().map(|(from, _)| from).collect();
    let made_by_rename: BTreeSet<_> = renamed.iter().map(|(_, to)| to).collect();
    for (at, object) in &live.objects {
        if !found.goal.objects.contains_key(at) && !gone_by_rename.contains(at) {
            let change = Drop::new(at.clone(), object.clone()).into();
            found.groups.push(Group { at: at.clone(), changes: vec![change], fill: None });
        }
    }
    let mut goal_tables = found.goal.clone();
    for (at, object) in &mut goal_tables.objects {
        let changes = match live.objects.get(at) {
            None if made_by_rename.contains(at) => continue,
            None => vec![Create::new(at.clone(), object.clone()).into()],
            Some(there) if there == object => continue,
            Some(there) => changes_of(at, there, Arc::make_mut(object), adopter),
        };
        if !changes.is_empty() {
            found.groups.push(Group { at: at.clone(), changes, fill: None });
        }
    }
    let last = regrouping.finish(&mut goal_tables);
    for (at, change) in regrouping.first.iter().rev() {
        group_of(&mut found.groups, at).changes.insert(0, change.clone());
    }
    for (at, change) in last {
        group_of(&mut found.groups, &at).changes.push(change);
    }
    found.goal = goal_tables;
    found.groups.sort_by(|a, b| a.at.cmp(&b.at));
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

/// The changes of an object that both have. `goal` may take over names from `live` where that changes nothing.
fn changes_of(at: &Address, live: &Arc<Object>, goal: &mut Object, adopter: Adopter<'_>) -> Vec<Kind> {
    if **live == *goal {
        return Vec::new();
    }
    let mut changes = match (&live.body, &mut goal.body) {
        (Body::Table(there), Body::Table(table)) => table::compare(&at.qualified(), there, table, live, adopter),
        (Body::Extension(there), Body::Extension(wanted)) => {
            // What the specs leave open is whatever is there.
            wanted.schema = wanted.schema.take().or_else(|| there.schema.clone());
            wanted.version = wanted.version.take().or_else(|| there.version.clone());
            replaced(at, live, goal)
        }
        _ => replaced(at, live, goal),
    };
    if live.comment != goal.comment {
        changes.push(Comment { at: at.clone(), from: live.comment.clone(), to: goal.comment.clone() }.into());
    }
    if live.grants != goal.grants {
        changes.push(Privileges { at: at.clone(), from: live.grants.clone(), to: goal.grants.clone() }.into());
    }
    changes
}

fn replaced(at: &Address, live: &Arc<Object>, goal: &Object) -> Vec<Kind> {
    if live.body == goal.body {
        return Vec::new();
    }
    let to = Object { comment: live.comment.clone(), grants: live.grants.clone(), body: goal.body.clone() };
    vec![Replace { at: at.clone(), from: live.clone(), to: to.into() }.into()]
}

/// Indexes that only changed their name: an index of the same definition goes and comes. Renaming it loses nothing, so this is
/// no guess about data.
fn same_under_other_name(live: &Schema, goal: &mut Schema, adopter: Adopter<'_>) -> Vec<(Address, Address)> {
    let mut pairs: Vec<(Address, Address)> = Vec::new();
    let new: Vec<_> = goal
        .objects
        .iter()
        .filter(|(at, _)| at.kind() == ObjectKind::Index && !live.objects.contains_key(*at))
        .map(|(at, object)| (at.clone(), object.clone()))
        .collect();
    for (to, object) in new {
        let twin = live.objects.iter().find_map(|(from, there)| {
            let free = from.kind() == ObjectKind::Index
                && !goal.objects.contains_key(from)
                && from.path().len() == to.path().len()
                && from.path()[..from.path().len() - 1] == to.path()[..to.path().len() - 1]
                && !pairs.iter().any(|(taken, _)| taken == from);
            if !free {
                return None;
            }
            let mut as_live = Object::clone(&object);
            adopter.adopt(from, &mut as_live, there);
            (as_live == **there).then(|| (from.clone(), there.clone()))
        });
        if let Some((from, as_live)) = twin {
            goal.objects.insert(to.clone(), as_live);
            pairs.push((from, to));
        }
    }
    pairs
}
