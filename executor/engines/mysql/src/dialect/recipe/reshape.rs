//! The changes of a table: additions first, then what tightens and removes, as few copies of the table as can be.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, ColumnValue, Constraint, Context, Draft, Group, Kind, Name, Phase, Qualified, Rule, Schema, Table,
    kind::{AddColumn, AddConstraint, AlterColumn, AlterTable, CopyColumn, DropColumn, DropConstraint, Rebuild},
};

use super::{fill, shadow};
use crate::{dialect::define, flavor::Flavor};

/// The changes of a table by when they are made.
#[derive(Default)]
struct Piles {
    /// Columns that old clients do not notice.
    expand: Vec<Kind>,
    /// Foreign keys that go before anything else.
    untie: Vec<Kind>,
    /// Settings that go before all else.
    bare: Option<Kind>,
    /// What one ALTER does.
    reshape: Vec<Kind>,
    /// Columns that go.
    drop: Vec<Kind>,
    /// Foreign keys that come last.
    tie: Vec<Kind>,
    /// Comments.
    comment: Vec<Kind>,
}

/// The drafts of a table's changes.
pub(super) fn reshape(flavor: &Flavor, changes: &[Kind], group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let at = group.at.qualified();
    let piles = sorted(changes, group, context);
    let mut drafts = Vec::new();
    let mut now = context.renamed.clone();
    let stays = |kind: &Kind| context.goal.contains(&kind.address());
    let (for_a_while, for_good): (Vec<_>, Vec<_>) = piles.untie.into_iter().partition(stays);
    for kind in for_good {
        // Early: its name may be wanted by a table that the plan makes.
        push(&mut drafts, &mut now, kind, Phase::Expand, "unties it from the other table");
    }
    for part in additions(&at, piles.expand, &mut now) {
        let why = format!("adds {}", part.address());
        drafts.push(Draft::new(part, Phase::Expand, why));
    }
    drafts.extend(fill::backfills(group, context));
    let free = for_a_while.is_empty() && piles.bare.is_none() && piles.tie.is_empty() && group.fill.is_none();
    for kind in for_a_while {
        push(&mut drafts, &mut now, kind, Phase::Contract, "unties it while its columns change");
    }
    if let Some(kind) = piles.bare {
        push(&mut drafts, &mut now, kind, Phase::Contract, "leaves the settings that only the old engine has");
    }
    let mut left = piles.reshape;
    if free && let Some(beside) = shadow::divide(flavor, &left, &now, &at, context) {
        let mut form = now.clone();
        let _ = together(&at, beside.moved, &mut form);
        if let Some(steps) = form.table(&at).and_then(|to| shadow::drafts(&at, &mut now, to)) {
            drafts.extend(steps);
            left = beside.rest;
        }
    }
    if let Some(kind) = together(&at, left, &mut now) {
        drafts.push(Draft::new(kind, Phase::Contract, format!("gives {at} its form")));
    }
    for kind in in_turn(piles.drop) {
        let word = if matches!(kind, Kind::AddColumn(_)) { "adds" } else { "removes" };
        let why = format!("{word} {}", kind.address());
        push(&mut drafts, &mut now, kind, Phase::Contract, &why);
    }
    for kind in piles.tie {
        push(&mut drafts, &mut now, kind, Phase::Contract, "ties it to the other table");
    }
    for kind in piles.comment {
        push(&mut drafts, &mut now, kind, Phase::Contract, "says what it is for");
    }
    drafts
}

/// Computed columns go before the columns that they are made from, and come after them.
fn in_turn(pile: Vec<Kind>) -> Vec<Kind> {
    let made_from = |kind: &Kind, name: &Name| {
        let column = match kind {
            Kind::AddColumn(k) => &k.column,
            Kind::DropColumn(k) => &k.column,
            _ => return false,
        };
        matches!(&column.value, ColumnValue::Generated { expression, .. }
            if column.name != *name && super::super::text::mentions(expression).contains(name))
    };
    let (goes, comes): (Vec<_>, Vec<_>) = pile.into_iter().partition(|k| matches!(k, Kind::DropColumn(_)));
    let turn = |mut left: Vec<Kind>, waits: &dyn Fn(&Kind, &Kind) -> bool| {
        let mut out = Vec::new();
        while !left.is_empty() {
            let free = left.iter().position(|k| !left.iter().any(|other| waits(k, other))).unwrap_or(0);
            out.push(left.remove(free));
        }
        out
    };
    let mut out = turn(goes, &|k, other| made_from(other, k.address().name()));
    out.extend(turn(comes, &|k, other| made_from(k, other.address().name())));
    out
}

fn push(drafts: &mut Vec<Draft>, now: &mut Schema, kind: Kind, phase: Phase, why: &str) {
    // What cannot be applied here is found and said when the plan is put together.
    let _ = now.apply(&kind);
    drafts.push(Draft::new(kind, phase, why));
}

fn sorted(changes: &[Kind], group: &Group, context: &Context<'_>) -> Piles {
    let at = group.at.qualified();
    let filled = fill::filled(group);
    let key: BTreeSet<Name> = context
        .goal
        .table(&at)
        .and_then(Table::primary_key)
        .map(|(_, k)| k.columns.iter().cloned().collect())
        .unwrap_or_default();
    let key_changes =
        changes.iter().any(|c| matches!(c, Kind::AddConstraint(k) if matches!(k.constraint.rule, Rule::PrimaryKey(_))));
    let anew: BTreeSet<&Name> = changes
        .iter()
        .filter_map(|c| if let Kind::AlterColumn(k) = c { needs_new_column(k).then_some(&k.from.name) } else { None })
        .collect();
    let uses_new = |column: &mig_plan::Column| {
        let ColumnValue::Generated { expression, .. } = &column.value else { return false };
        super::super::text::mentions(expression).iter().any(|name| anew.contains(name))
    };
    let mut piles = Piles::default();
    for change in changes {
        match change {
            Kind::AddColumn(k) if uses_new(&k.column) => piles.drop.push(change.clone()),
            Kind::AddColumn(k) => {
                let identity = matches!(k.column.value, ColumnValue::Identity { .. });
                if identity || key_changes && key.contains(&k.column.name) && !filled.contains(&k.column.name) {
                    piles.reshape.push(change.clone());
                } else if filled.contains(&k.column.name) {
                    let mut bare = k.column.clone();
                    bare.not_null = false;
                    if bare != k.column {
                        let alter =
                            AlterColumn { table: at.clone(), from: bare.clone(), to: k.column.clone(), using: None };
                        piles.reshape.push(alter.into());
                    }
                    piles.expand.push(AddColumn { table: at.clone(), column: bare }.into());
                } else {
                    piles.expand.push(change.clone());
                }
            }
            Kind::AddConstraint(k) if is_foreign(&k.constraint) => piles.tie.push(change.clone()),
            Kind::DropConstraint(k) if is_foreign(&k.constraint) => piles.untie.push(change.clone()),
            Kind::AddConstraint(k) if of_new_column(k, changes, &filled) => piles.expand.push(change.clone()),
            Kind::RenameMember(k) => renamed(k, &at, context, &mut piles),
            Kind::DropColumn(_) => piles.drop.push(change.clone()),
            Kind::AlterColumn(k) if needs_new_column(k) => {
                piles.drop.push(DropColumn { table: at.clone(), column: k.from.clone() }.into());
                piles.drop.push(AddColumn { table: at.clone(), column: k.to.clone() }.into());
            }
            Kind::AlterTable(k) if k.from.get("engine") != k.to.get("engine") => {
                // The new engine may not know how to take back what only the old one knows.
                let kept = |(key, _): &(&String, &String)| *key == "partition_by" || k.to.contains_key(*key);
                let bare: BTreeMap<_, _> =
                    k.from.iter().filter(kept).map(|(key, value)| (key.clone(), value.clone())).collect();
                if bare != k.from {
                    let (table, from) = (at.clone(), k.from.clone());
                    piles.bare = Some(AlterTable { table, from, to: bare.clone() }.into());
                }
                piles.reshape.push(AlterTable { table: at.clone(), from: bare, to: k.to.clone() }.into());
            }
            Kind::Comment(_) => piles.comment.push(change.clone()),
            other => piles.reshape.push(other.clone()),
        }
    }
    retied(&at, changes, context, &mut piles);
    piles
}

/// The server makes a column with values of its own into a computed one, or one that is computed when read into one with values, only
/// as a new column.
fn needs_new_column(k: &AlterColumn) -> bool {
    let stored = |column: &mig_plan::Column| match column.value {
        ColumnValue::Generated { stored, .. } => Some(stored),
        _ => None,
    };
    matches!((stored(&k.from), stored(&k.to)), (None, Some(_)) | (Some(false), None))
}

fn is_foreign(constraint: &Constraint) -> bool {
    matches!(constraint.rule, Rule::ForeignKey(_))
}

/// Whether a check belongs to a column that comes in the same statement.
fn of_new_column(k: &AddConstraint, changes: &[Kind], filled: &BTreeSet<&Name>) -> bool {
    let comes = |c: &Kind| matches!(c, Kind::AddColumn(add) if add.column.name == k.name);
    define::is_column_check(&k.constraint) && changes.iter().any(comes) && !filled.contains(&k.name)
}

/// The server renames no constraint: it goes and comes.
fn renamed(k: &mig_plan::kind::RenameMember, at: &Qualified, context: &Context<'_>, piles: &mut Piles) {
    let Some(constraint) = context.renamed.constraint(&k.from).cloned() else { return };
    let drop = DropConstraint { table: at.clone(), name: k.from.name().clone(), constraint: constraint.clone() };
    let add = AddConstraint { table: at.clone(), name: k.to.clone(), constraint: constraint.clone() };
    if is_foreign(&constraint) {
        piles.untie.push(drop.into());
        piles.tie.push(add.into());
    } else {
        piles.reshape.extend([drop.into(), add.into()]);
    }
}

/// Foreign keys that stay, but whose columns change on one side or the other: the server lets nobody change them while they are tied.
fn retied(at: &Qualified, changes: &[Kind], context: &Context<'_>, piles: &mut Piles) {
    let (Some(live), Some(goal)) = (context.renamed.table(at), context.goal.table(at)) else { return };
    let touched = |kind: &Kind| matches!(kind, Kind::DropConstraint(k) if is_foreign(&k.constraint));
    for (name, constraint) in &live.constraints {
        let Some(fk) = constraint.foreign_key() else { continue };
        let stays = goal.constraints.get(name) == Some(constraint);
        let dropped = changes.iter().any(|c| touched(c) && c.address() == Address::constraint(at, name));
        if !stays || dropped {
            continue;
        }
        let differs = |table: &Qualified, columns: &[Name]| {
            columns.iter().any(|c| {
                let form = |schema: &Schema| {
                    let column = schema.table(table)?.column(c)?;
                    Some((column.data_type.clone(), column.collation.clone(), column.not_null))
                };
                form(context.renamed) != form(context.goal)
            })
        };
        if differs(at, &fk.columns) || differs(&fk.references, &fk.referenced) {
            let (table, name, constraint) = (at.clone(), name.clone(), constraint.clone());
            piles.untie.push(
                DropConstraint { table: table.clone(), name: name.clone(), constraint: constraint.clone() }.into(),
            );
            piles.tie.push(AddConstraint { table, name, constraint }.into());
        }
    }
}

/// Columns one by one, each together with its own check.
fn additions(at: &Qualified, pile: Vec<Kind>, now: &mut Schema) -> Vec<Kind> {
    let (checks, columns): (Vec<_>, Vec<_>) = pile.into_iter().partition(|k| matches!(k, Kind::AddConstraint(_)));
    let mut out = Vec::new();
    for column in in_turn(columns) {
        let name = column.address().name().clone();
        let own = checks.iter().filter(|c| *c.address().name() == name).cloned();
        let all: Vec<_> = std::iter::once(column).chain(own).collect();
        out.extend(together(at, all, now));
    }
    out
}

/// Several changes of a table as one.
fn together(at: &Qualified, changes: Vec<Kind>, now: &mut Schema) -> Option<Kind> {
    if changes.len() <= 1 {
        let only = changes.into_iter().next()?;
        let _ = now.apply(&only);
        return Some(only);
    }
    let from = now.table(at)?.clone();
    // Constraints go before columns and come after them, whatever the order in which they were found.
    let rank = |k: &Kind| match k {
        Kind::DropConstraint(_) => 0,
        Kind::AddConstraint(_) => 2,
        _ => 1,
    };
    let mut changes = changes;
    changes.sort_by_key(rank);
    for change in &changes {
        let _ = now.apply(change);
    }
    let to = now.table(at)?.clone();
    let copy = to
        .columns
        .iter()
        .filter(|c| from.column(&c.name).is_some())
        .map(|c| CopyColumn { to: c.name.clone(), declared: None })
        .collect();
    Some(Rebuild { table: at.clone(), from, to, copy, columns: Default::default(), rows: Default::default() }.into())
}
