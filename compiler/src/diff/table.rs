//! The difference between a table and what it shall be.

use mig_plan::{
    Address, ColumnValue, Kind, Name, Object, Qualified, Table,
    kind::{
        AddColumn, AddConstraint, AlterColumn, AlterTable, Comment, DropColumn, DropConstraint, RenameMember,
        ValidateConstraint,
    },
    schema::Validity,
};

use crate::adopt::Adopter;

/// Changes in the order: settings, constraint renames, constraint drops, column drops, alters, adds, constraint adds, comments.
pub(super) fn compare(
    at: &Qualified,
    live: &Table,
    goal: &mut Table,
    object: &Object,
    adopter: Adopter<'_>,
) -> Vec<Kind> {
    let mut changes = Vec::new();
    if live.options != goal.options {
        changes.push(AlterTable { table: at.clone(), from: live.options.clone(), to: goal.options.clone() }.into());
    }
    let renamed = renamed_constraints(at, live, goal, object, adopter);
    for (from, to) in &renamed {
        let from = Address::constraint(at, from);
        changes.push(RenameMember { from, to: to.clone(), carries: Default::default() }.into());
    }
    drops(at, live, goal, &renamed, &mut changes);
    columns(at, live, goal, &mut changes);
    added_constraints(at, live, goal, &renamed, &mut changes);
    comments(at, live, goal, &renamed, &mut changes);
    changes
}

fn drops(at: &Qualified, live: &Table, goal: &Table, renamed: &[(Name, Name)], changes: &mut Vec<Kind>) {
    for (name, constraint) in keys_first(live).into_iter().rev() {
        let stays = goal.constraints.get(name).is_some_and(|wanted| is_same(constraint, wanted));
        if !stays && !renamed.iter().any(|(from, _)| from == name) {
            let (table, name, constraint) = (at.clone(), name.clone(), constraint.clone());
            changes.push(DropConstraint { table, name, constraint }.into());
        }
    }
    // What is computed goes before what it is computed from, which is always further to the front if it is computed itself.
    let computed = |column: &&mig_plan::Column| matches!(column.value, ColumnValue::Generated { .. });
    let gone = || live.columns.iter().filter(|column| goal.column(&column.name).is_none());
    for column in gone().rev().filter(computed).chain(gone().filter(|column| !computed(column))) {
        changes.push(DropColumn { table: at.clone(), column: column.clone() }.into());
    }
}

fn columns(at: &Qualified, live: &Table, goal: &Table, changes: &mut Vec<Kind>) {
    for column in &goal.columns {
        match live.column(&column.name) {
            None => changes.push(AddColumn { table: at.clone(), column: column.clone() }.into()),
            Some(there) => {
                let to = mig_plan::Column { comment: there.comment.clone(), ..column.clone() };
                if *there != to {
                    changes.push(AlterColumn { table: at.clone(), from: there.clone(), to, using: None }.into());
                }
                if there.comment != column.comment {
                    let (from, to) = (there.comment.clone(), column.comment.clone());
                    changes.push(Comment { at: Address::column(at, &column.name), from, to }.into());
                }
            }
        }
    }
}

/// Whether two constraints demand the same; validity and comment have their own steps.
fn is_same(live: &mig_plan::Constraint, goal: &mig_plan::Constraint) -> bool {
    let as_live = mig_plan::Constraint { validity: live.validity, comment: live.comment.clone(), ..goal.clone() };
    // A constraint that is known to hold is never made doubtful again; one that is in doubt can be validated.
    *live == as_live && !(live.validity == Validity::Valid && goal.validity == Validity::NotValid)
}

/// The constraints of a table, foreign keys after the keys that they may lead to.
fn keys_first(table: &Table) -> Vec<(&Name, &mig_plan::Constraint)> {
    let mut all: Vec<_> = table.constraints.iter().collect();
    all.sort_by_key(|(_, constraint)| constraint.foreign_key().is_some());
    all
}

fn added_constraints(at: &Qualified, live: &Table, goal: &Table, renamed: &[(Name, Name)], changes: &mut Vec<Kind>) {
    for (name, constraint) in keys_first(goal) {
        let before = renamed.iter().find(|(_, to)| to == name).map_or(name, |(from, _)| from);
        match live.constraints.get(before) {
            Some(there) if is_same(there, constraint) => {
                if there.validity == Validity::NotValid && constraint.validity == Validity::Valid {
                    changes.push(
                        ValidateConstraint { table: at.clone(), name: name.clone(), stood: true, forgets: false }
                            .into(),
                    );
                }
            }
            _ => {
                let (table, name, constraint) = (at.clone(), name.clone(), constraint.clone());
                changes.push(AddConstraint { table, name, constraint }.into());
            }
        }
    }
}

fn comments(at: &Qualified, live: &Table, goal: &Table, renamed: &[(Name, Name)], changes: &mut Vec<Kind>) {
    for (name, constraint) in &goal.constraints {
        let before = renamed.iter().find(|(_, to)| to == name).map_or(name, |(from, _)| from);
        if let Some(there) = live.constraints.get(before)
            && is_same(there, constraint)
            && there.comment != constraint.comment
        {
            let (from, to) = (there.comment.clone(), constraint.comment.clone());
            changes.push(Comment { at: Address::constraint(at, name), from, to }.into());
        }
    }
}

/// Constraints that demand the same under another name. Renaming one loses nothing, so this is no guess about data.
fn renamed_constraints(
    at: &Qualified,
    live: &Table,
    goal: &mut Table,
    object: &Object,
    adopter: Adopter<'_>,
) -> Vec<(Name, Name)> {
    let address = Address::table(at);
    let mut pairs: Vec<(Name, Name)> = Vec::new();
    let wanted = goal.constraints.clone();
    for (to, constraint) in &mut goal.constraints {
        if live.constraints.contains_key(to) {
            continue;
        }
        for (from, there) in &live.constraints {
            if wanted.contains_key(from) || pairs.iter().any(|(taken, _)| taken == from) {
                continue;
            }
            let mut as_live = constraint.clone();
            adopter.adopt_rule(&address, object, &mut as_live.rule, &there.rule, &mut Vec::new());
            if is_same(there, &as_live) {
                *constraint = as_live;
                pairs.push((from.clone(), to.clone()));
                break;
            }
        }
    }
    pairs
}
