//! The changes of a table: additions first, then what tightens and removes, as few copies of the table as can be.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Column, ColumnValue, Constraint, Context, Draft, Group, Kind, Name, Phase, Qualified, Rule, Schema, Table,
    kind::{AddColumn, AddConstraint, AlterColumn, AlterTable, CopyColumn, DropColumn, DropConstraint, Rebuild},
    table::ForeignKey,
};

use super::{fill, numbers, relieved, shadow, tied};
use crate::{
    dialect::{define, normalize::collation_of, online, types},
    flavor::Flavor,
};

/// The changes of a table by when they are made.
#[derive(Default)]
pub(super) struct Piles {
    /// Columns that old clients do not notice.
    expand: Vec<Kind>,
    /// Foreign keys that go before anything else.
    untie: Vec<Kind>,
    /// Settings that go before all else.
    bare: Option<Kind>,
    /// Foreign keys that stay, but whose columns change.
    retie: Vec<(Name, Constraint)>,
    /// What one ALTER does.
    pub(super) reshape: Vec<Kind>,
    /// Settings that change when all else has.
    last: Option<Kind>,
    /// Columns that go.
    drop: Vec<Kind>,
    /// Foreign keys that come last.
    tie: Vec<Kind>,
    /// Comments.
    comment: Vec<Kind>,
}

/// What is done with a table before it gets its form.
pub(super) struct First {
    drafts: Vec<Draft>,
    /// The schema after it.
    pub(super) now: Schema,
    /// The changes that are left.
    pub(super) piles: Piles,
    is_filled: bool,
    props: Vec<numbers::Prop>,
}

impl First {
    /// What of the table's own changes stops it from going by another beside it.
    pub(super) fn hindrance(&self) -> Option<String> {
        let piles = &self.piles;
        if self.is_filled {
            // Each batch would lock rows of both tables, and clients that write either would be ended by deadlocks.
            return Some("a transform sets its values".to_owned());
        }
        if !self.props.is_empty() {
            return Some("the key of the column that it numbers changes".to_owned());
        }
        if piles.bare.is_some() || piles.last.is_some() {
            return Some("its settings change in two steps".to_owned());
        }
        piles.untie.iter().chain(&piles.tie).next().map(|kind| format!("{} changes with it", kind.address()))
    }
}

/// Sorts the changes of a table, and makes those that clients do not notice.
pub(super) fn first(flavor: &Flavor, changes: &[Kind], group: &Group, context: &Context<'_>) -> First {
    let at = group.at.qualified();
    let mut piles = sorted(flavor, changes, group, context);
    let mut drafts = Vec::new();
    let mut now = context.renamed.clone();
    let stays = |kind: &Kind| context.goal.contains(&kind.address());
    let (for_a_while, for_good): (Vec<_>, Vec<_>) = piles.untie.into_iter().partition(stays);
    piles.untie = for_a_while;
    for kind in for_good {
        // Early, if it can be told before the renames: its name may be wanted by a table that the plan makes.
        let phase = if is_told_anew(&at, &kind, context) { Phase::Switch } else { Phase::Expand };
        push(&mut drafts, &mut now, kind, phase, "unties it from the other table");
    }
    for part in additions(&at, std::mem::take(&mut piles.expand), &mut now) {
        let why = format!("adds {}", part.address());
        drafts.push(Draft::new(part, Phase::Expand, why));
    }
    let props = numbers::props(&at, context);
    for draft in props.iter().map(numbers::Prop::stand) {
        let _ = now.apply(&draft.change);
        drafts.push(draft);
    }
    First { drafts, now, piles, is_filled: group.fill.is_some(), props }
}

/// The drafts of a table's changes.
pub(super) fn reshape(flavor: &Flavor, changes: &[Kind], group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let at = group.at.qualified();
    let first = first(flavor, changes, group, context);
    let beside = shadow::divide(flavor, &first, &at, context, &mut BTreeSet::from([at.clone()]));
    let First { mut drafts, mut now, mut piles, props, .. } = first;
    drafts.extend(fill::backfills(group, context));
    drafts.extend(fill::since(group, context));
    let mut ties = Vec::new();
    let by_copy = match beside {
        Ok(beside) => {
            if let Some(steps) = shadow::drafts(flavor, &at, &mut now, &beside, context) {
                drafts.extend(steps);
                piles.reshape = beside.rest;
                piles.retie.clear();
            }
            String::new()
        }
        Err(why) => {
            ties = tied::of_others(flavor, &at, &now, context);
            for tie in &ties {
                let hold = tie.hold();
                let _ = now.apply(&hold.change);
                drafts.push(hold);
            }
            if why.is_empty() { why } else { format!("; not by a table beside it, as {why}") }
        }
    };
    // Those that lead to an exchanged table lead to the new one before this table takes a form as a whole.
    for draft in ties.iter().flat_map(|tie| tie.settle(None)) {
        let _ = now.apply(&draft.change);
        drafts.push(draft);
    }
    for (name, constraint) in std::mem::take(&mut piles.retie) {
        let table = at.clone();
        piles
            .tie
            .push(AddConstraint { table: table.clone(), name: name.clone(), constraint: constraint.clone() }.into());
        piles.untie.push(DropConstraint { table, name, constraint }.into());
    }
    for kind in piles.untie {
        let kind = followed(flavor, kind, context);
        push(&mut drafts, &mut now, kind, Phase::Contract, "unties it while its columns change");
    }
    for comes in relieved::of_primary(&at, context) {
        let why = format!("makes {}, which carries the foreign keys of the primary key that goes", comes.at);
        push(&mut drafts, &mut now, comes.clone().into(), Phase::Contract, &why);
    }
    if let Some(kind) = piles.bare {
        push(&mut drafts, &mut now, kind, Phase::Contract, "gives it the settings that come before its form");
    }
    let left = piles.reshape;
    if let Some(kind) = together(&at, left, &mut now) {
        drafts.push(Draft::new(kind, Phase::Contract, format!("gives {at} its form{by_copy}")));
    }
    for gone in relieved::by_primary(&at, context) {
        let why = format!("removes {}, whose foreign keys the primary key carries now", gone.at);
        push(&mut drafts, &mut now, gone.clone().into(), Phase::Contract, &why);
    }
    for draft in props.iter().flat_map(numbers::Prop::leave) {
        let _ = now.apply(&draft.change);
        drafts.push(draft);
    }
    for kind in in_turn(piles.drop) {
        let word = if matches!(kind, Kind::AddColumn(_)) { "adds" } else { "removes" };
        let why = format!("{word} {}", kind.address());
        push(&mut drafts, &mut now, kind, Phase::Contract, &why);
    }
    if let Some(kind) = piles.last {
        push(&mut drafts, &mut now, kind, Phase::Contract, "gives it the settings that come after its form");
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

fn sorted(flavor: &Flavor, changes: &[Kind], group: &Group, context: &Context<'_>) -> Piles {
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
    let default = |schema: &Schema| schema.table(&at).map(|table| collation_of(flavor, table));
    let (default_collation, then_default) = (default(context.renamed), default(context.goal));
    let mut piles = Piles::default();
    for change in changes {
        match change {
            Kind::AddColumn(k) if uses_new(&k.column) => piles.drop.push(change.clone()),
            Kind::AddColumn(k) if k.column.options.contains_key("unversioned") && !keeps_history(&at, context) => {
                piles.reshape.push(change.clone());
            }
            Kind::AddColumn(k) => {
                let identity = matches!(k.column.value, ColumnValue::Identity { .. });
                if identity && !key.contains(&k.column.name) {
                    let (add, alter) = numbers::comes(k);
                    piles.expand.push(add.into());
                    piles.reshape.push(alter.into());
                } else if identity || key_changes && key.contains(&k.column.name) && !filled.contains(&k.column.name) {
                    piles.reshape.push(change.clone());
                } else {
                    let mut bare = k.column.clone();
                    bare.not_null &= !filled.contains(&k.column.name);
                    // What the table has by default is not said of a column of it.
                    if bare.collation == default_collation {
                        bare.collation = None;
                    }
                    if bare != k.column {
                        let alter =
                            AlterColumn { table: at.clone(), from: bare.clone(), to: k.column.clone(), using: None };
                        piles.reshape.push(alter.into());
                    }
                    piles.expand.push(AddColumn { table: at.clone(), column: bare }.into());
                }
            }
            Kind::AddConstraint(k) if is_foreign(&k.constraint) => piles.tie.push(change.clone()),
            Kind::DropConstraint(k) if is_foreign(&k.constraint) => piles.untie.push(change.clone()),
            Kind::AddConstraint(k) if of_new_column(k, changes, &filled) => piles.expand.push(change.clone()),
            Kind::RenameMember(k) => renamed(k, &at, context, &mut piles),
            Kind::DropColumn(k) if online::is_identity(&k.column) => {
                let (alter, drop) = numbers::leaves(k);
                piles.reshape.push(alter.into());
                piles.drop.push(drop.into());
            }
            Kind::DropColumn(k) => leaves(&at, &k.column, then_default.as_ref(), &mut piles),
            Kind::AlterColumn(k) if needs_new_column(k) => {
                leaves(&at, &k.from, then_default.as_ref(), &mut piles);
                piles.drop.push(AddColumn { table: at.clone(), column: k.to.clone() }.into());
            }
            Kind::AlterTable(k) => settings(k, context, &mut piles),
            Kind::Comment(_) => piles.comment.push(change.clone()),
            other => piles.reshape.push(other.clone()),
        }
    }
    retied(&at, changes, context, &mut piles);
    piles
}

/// A column that goes last. What its table has by default by then is not said of it.
fn leaves(at: &Qualified, column: &Column, default_collation: Option<&String>, piles: &mut Piles) {
    let (table, mut bare) = (at.clone(), column.clone());
    if bare.collation.as_ref() == default_collation {
        bare.collation = None;
    }
    if bare != *column {
        let alter = AlterColumn { table: table.clone(), from: column.clone(), to: bare.clone(), using: None };
        piles.reshape.push(alter.into());
    }
    piles.drop.push(DropColumn { table, column: bare }.into());
}

fn keeps_history(at: &Qualified, context: &Context<'_>) -> bool {
    context.renamed.table(at).is_some_and(|t| t.options.contains_key("system_versioned"))
}

/// Settings of a table: some go before all else, and some only when all else is done.
fn settings(k: &AlterTable, context: &Context<'_>, piles: &mut Piles) {
    let engine = |of: &BTreeMap<String, String>| of.get("engine").cloned();
    let (mut first, mut last) = (k.from.clone(), k.to.clone());
    if engine(&k.from) != engine(&k.to) {
        // The new engine may not know how to take back what only the old one knows.
        first.retain(|key, _| key == "partition_by" || k.to.contains_key(key));
        last.retain(|key, _| !define::is_of_engine(key) || k.from.contains_key(key));
    }
    // A column can be left out of a history only while there is one.
    let leaves_out = |schema: &Schema| {
        schema.table(&k.table).is_some_and(|t| t.columns.iter().any(|c| c.options.contains_key("unversioned")))
    };
    match (k.from.get("system_versioned"), k.to.get("system_versioned")) {
        (None, Some(kept)) if leaves_out(context.goal) => {
            first.insert("system_versioned".to_owned(), kept.clone());
        }
        (Some(kept), None) if leaves_out(context.renamed) => {
            last.insert("system_versioned".to_owned(), kept.clone());
        }
        _ => {}
    }
    let step = |from: &BTreeMap<String, String>, to: &BTreeMap<String, String>| {
        let (table, from, to) = (k.table.clone(), from.clone(), to.clone());
        (from != to).then(|| Kind::from(AlterTable { table, from, to }))
    };
    piles.bare = step(&k.from, &first);
    piles.reshape.extend(step(&first, &last));
    piles.last = step(&last, &k.to);
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

/// Whether a constraint that goes says names which the plan gives first.
fn is_told_anew(at: &Qualified, kind: &Kind, context: &Context<'_>) -> bool {
    let Kind::DropConstraint(k) = kind else { return false };
    let was = context.tables.get(at).unwrap_or(at);
    let live = context.snapshot.schema.0.constraint(&Address::constraint(was, &k.name));
    was != at || live != Some(&k.constraint)
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

/// A foreign key that goes for a while, as it is by then: it has followed the table that it leads to.
fn followed(flavor: &Flavor, kind: Kind, context: &Context<'_>) -> Kind {
    let Kind::DropConstraint(mut k) = kind else { return kind };
    let to = k.constraint.foreign_key().and_then(|fk| tied::after(flavor, &fk.references, context));
    if let Some(to) = to {
        k.constraint = tied::leading_to(&k.constraint, &to);
    }
    k.into()
}

/// Whether the columns of a foreign key change on one side or the other: the server lets nobody change them while they are tied.
pub(super) fn differs(at: &Qualified, fk: &ForeignKey, context: &Context<'_>) -> bool {
    let differs = |table: &Qualified, columns: &[Name]| {
        columns.iter().any(|c| {
            let form = |schema: &Schema| {
                let column = schema.table(table)?.column(c)?;
                let of_table = || schema.table(table)?.options.get("collation").cloned();
                let text = types::is_text(&column.data_type);
                let collation = column.collation.clone().or_else(|| if text { of_table() } else { None });
                Some((column.data_type.clone(), collation, column.not_null))
            };
            form(context.renamed) != form(context.goal)
        })
    };
    differs(at, &fk.columns) || differs(&fk.references, &fk.referenced)
}

/// Whether the plan changes a table, so that its own steps take care of its foreign keys.
pub(super) fn is_changed(at: &Qualified, context: &Context<'_>) -> bool {
    let changes = |group: &Group| group.fill.is_some() || !super::of_table(group).is_empty();
    context.groups.iter().any(|group| group.at == Address::table(at) && changes(group))
}

/// Foreign keys that stay, but whose columns change.
fn retied(at: &Qualified, changes: &[Kind], context: &Context<'_>, piles: &mut Piles) {
    let (Some(live), Some(goal)) = (context.renamed.table(at), context.goal.table(at)) else { return };
    let touched = |kind: &Kind| matches!(kind, Kind::DropConstraint(k) if is_foreign(&k.constraint));
    for (name, constraint) in &live.constraints {
        let Some(fk) = constraint.foreign_key() else { continue };
        let stays = goal.constraints.get(name) == Some(constraint);
        let dropped = changes.iter().any(|c| touched(c) && c.address() == Address::constraint(at, name));
        if stays && !dropped && differs(at, fk, context) {
            piles.retie.push((name.clone(), constraint.clone()));
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
pub(super) fn together(at: &Qualified, changes: Vec<Kind>, now: &mut Schema) -> Option<Kind> {
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
