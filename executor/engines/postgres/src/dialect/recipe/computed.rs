//! Columns that are computed from columns that go or change.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Column, ColumnValue, Draft, Group, Kind, Name, Rule,
    kind::{AlterColumn, DropColumn},
};

use crate::dialect::versions;

/// The mark of drafts that change what a column is computed from.
const MARK: &str = "computed";

fn expression(column: &Column) -> Option<&mig_plan::Sql> {
    match &column.value {
        ColumnValue::Generated { expression, .. } => Some(expression),
        _ => None,
    }
}

/// The group with what stops reading a column before that column goes.
pub(super) fn before_sources(mut group: Group) -> Group {
    let gone: BTreeSet<Name> = group.changes.iter().filter_map(dropped).collect();
    let Some(first) = group.changes.iter().position(|c| dropped(c).is_some()) else { return group };
    let reads = |change: &Kind| match change {
        Kind::AlterColumn(k) => expression(&k.from).is_some_and(|text| gone.iter().any(|name| text.mentions(name))),
        _ => false,
    };
    let (early, late): (Vec<_>, Vec<_>) = group.changes.drain(first..).partition(reads);
    group.changes.extend(early);
    group.changes.extend(late);
    group
}

fn dropped(change: &Kind) -> Option<Name> {
    match change {
        Kind::DropColumn(k) => Some(k.column.name.clone()),
        _ => None,
    }
}

/// Lets a new column that is computed from one of another type wait for that type, and with it what is built on the new column.
pub(super) fn after_sources(drafts: &mut [Draft], group: &Group) {
    for change in &group.changes {
        let Kind::AddColumn(new) = change else { continue };
        let Some(text) = expression(&new.column) else { continue };
        let formed = drafts.iter().filter(|draft| retyped(&draft.change).iter().any(|name| text.mentions(name)));
        let Some(phase) = formed.map(|draft| draft.phase).max() else { continue };
        let over: BTreeSet<&Name> = group.changes.iter().filter_map(|c| built_on(c, &new.column.name)).collect();
        let own = Address::column(&new.table, &new.column.name);
        let waits = |change: &Kind| match change {
            Kind::AddColumn(_) | Kind::Comment(_) => change.address() == own,
            Kind::AddConstraint(k) => over.contains(&k.name),
            Kind::ValidateConstraint(k) => over.contains(&k.name),
            Kind::BuildKey(k) => over.contains(&k.key),
            Kind::AdoptKey(k) => over.contains(&k.name),
            _ => false,
        };
        for draft in drafts.iter_mut().filter(|draft| waits(&draft.change)) {
            draft.phase = draft.phase.max(phase);
        }
    }
}

/// The columns that have another type once a change is made.
fn retyped(change: &Kind) -> Vec<&Name> {
    match change {
        Kind::AlterColumn(k) if k.from.data_type != k.to.data_type => vec![&k.from.name],
        Kind::Exchange(k) => k.twins.pairs.iter().map(|pair| &pair.column).collect(),
        Kind::Settle(k) => k.twins.pairs.iter().map(|pair| &pair.column).collect(),
        _ => vec![],
    }
}

/// The name of a new constraint that is over a column.
fn built_on<'c>(change: &'c Kind, column: &Name) -> Option<&'c Name> {
    let Kind::AddConstraint(k) = change else { return None };
    let over = match &k.constraint.rule {
        Rule::PrimaryKey(key) | Rule::Unique(key) => key.columns.contains(column) || key.include.contains(column),
        Rule::ForeignKey(fk) => fk.columns.contains(column),
        Rule::Check { expression: text } | Rule::Exclude { definition: text } => text.mentions(column),
    };
    over.then_some(&k.name)
}

/// Makes one transaction of what stops computing a column, changes what it is computed from, and computes it again.
pub(super) fn as_one(drafts: &mut Vec<Draft>, group: &Group) {
    let alters = |ends: &dyn Fn(&AlterColumn) -> bool| -> BTreeSet<Name> {
        let found = group.changes.iter().filter_map(|c| match c {
            Kind::AlterColumn(k) if ends(k) => Some(k.from.name.clone()),
            _ => None,
        });
        found.collect()
    };
    let stopped = alters(&|k| expression(&k.from).is_some() && k.to.value.is_plain());
    let again = alters(&|k| k.from.value.is_plain() && expression(&k.to).is_some());
    let held: BTreeSet<_> = stopped.intersection(&again).collect();
    if held.is_empty() {
        return;
    }
    let is_part = |draft: &Draft| match &draft.change {
        Kind::AlterColumn(k) => {
            let retyped = k.from.data_type != k.to.data_type || k.from.collation != k.to.collation;
            retyped || (held.contains(&k.from.name) && k.from.value != k.to.value)
        }
        Kind::DropColumn(k) => held.contains(&k.column.name),
        Kind::AddColumn(k) => held.contains(&k.column.name),
        _ => held.iter().any(|name| draft.atomic.as_deref() == Some(super::column::remake_mark(name).as_str())),
    };
    // A column that is held for something outside of its table waits for that: it comes back in a step of its own.
    let outside = |draft: &Draft| match &draft.change {
        Kind::AlterColumn(k) => held.contains(&k.from.name) && k.from.data_type == k.to.data_type,
        _ => true,
    };
    if drafts.iter().filter(|draft| is_part(draft)).all(outside) {
        return;
    }
    let Some(first) = drafts.iter().position(is_part) else { return };
    let (parts, others): (Vec<_>, Vec<_>) = drafts.drain(first..).partition(is_part);
    drafts.extend(parts.into_iter().map(|draft| draft.together(MARK)));
    drafts.extend(others);
}

/// Drops a column that is computed anew later where it would otherwise not let go of what its expression calls.
pub(super) fn let_go(drafts: &mut Vec<Draft>, version: u32) {
    if version >= versions::UNCOMPUTED_LET_GO {
        return;
    }
    let mut at = 0;
    while at < drafts.len() {
        let stopped = match &drafts[at].change {
            Kind::AlterColumn(k) if expression(&k.from).is_some() && expression(&k.to).is_none() => Some(k.clone()),
            _ => None,
        };
        at += 1;
        let Some(stopped) = stopped else { continue };
        let goes = |draft: &Draft| matches!(&draft.change, Kind::DropColumn(k) if k.column.name == stopped.from.name);
        if let Some(later) = drafts[at..].iter().position(goes) {
            drafts.remove(at + later);
            drafts[at - 1].change = DropColumn { table: stopped.table, column: stopped.from }.into();
        }
    }
}
