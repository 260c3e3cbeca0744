//! How existing rows get the values that a transform gives them.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::casts;
use mig_plan::{Address, Context, Draft, Group, Kind, Name, Phase, Sql, kind::Backfill};

/// Whether the group makes its table.
pub(crate) fn is_new_table(group: &Group) -> bool {
    group.changes.iter().any(|c| matches!(c, Kind::Create(_)))
}

/// The columns that the group adds.
pub(crate) fn new_columns(group: &Group) -> BTreeSet<&Name> {
    let added = group.changes.iter().filter_map(|change| match change {
        Kind::AddColumn(k) => Some(&k.column.name),
        _ => None,
    });
    added.collect()
}

/// Whether the transform's expression for a column is used by the change of its type instead of a backfill.
fn is_cast(group: &Group, column: &Name) -> bool {
    group
        .changes
        .iter()
        .any(|c| matches!(c, Kind::AlterColumn(k) if k.from.name == *column && k.from.data_type != k.to.data_type))
}

/// The backfills of a group: first the columns that others are made from.
pub(crate) fn backfills(group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let Some(fill) = &group.fill else { return vec![] };
    if is_new_table(group) || context.renamed.table(&group.at.qualified()).is_none() {
        return vec![];
    }
    let new = new_columns(group);
    let mut left: BTreeMap<&Name, &Sql> = fill.set.iter().filter(|(c, _)| !is_cast(group, c)).collect();
    let (mut drafts, mut existing) = (Vec::new(), BTreeMap::new());
    left.retain(|column, expression| {
        let keep = new.contains(*column);
        if !keep {
            existing.insert((*column).clone(), (*expression).clone());
        }
        keep
    });
    let columns = base_names(group, context);
    let backfill = |set: BTreeMap<Name, Sql>, overwrites: bool| {
        let table = group.at.qualified();
        let alias = table.name.clone();
        let why = match set.keys().next() {
            Some(column) if set.len() == 1 => format!("gives existing rows their {column}"),
            _ => "gives existing rows their values".to_owned(),
        };
        let kind = Backfill { table, alias, set, columns: columns.clone(), overwrites, batch_rows: fill.batch_rows };
        Draft::new(kind, Phase::Backfill, why)
    };
    while !left.is_empty() {
        let waiting: BTreeSet<Name> = left.keys().map(|c| (*c).clone()).collect();
        let ready = |column: &Name, expression: &Sql| !waiting.iter().any(|w| w != column && expression.mentions(w));
        let mut layer: BTreeMap<Name, Sql> =
            left.iter().filter(|(c, e)| ready(c, e)).map(|(c, e)| ((*c).clone(), (*e).clone())).collect();
        if layer.is_empty() {
            // A circle: each reads what the others have at that moment.
            layer = left.iter().map(|(c, e)| ((*c).clone(), (*e).clone())).collect();
        }
        left.retain(|column, _| !layer.contains_key(*column));
        drafts.push(backfill(layer, false));
    }
    // New columns first: their expressions mean the values that the base has.
    if !existing.is_empty() {
        drafts.push(backfill(existing, true));
    }
    drafts
}

/// Makes one pass over a table of what several changes would each make one of: the later is taken up by the earlier, where what it reads is
/// there by then.
pub(crate) fn one_pass(drafts: &mut Vec<Draft>) {
    let mut nth = 0;
    while nth < drafts.len() {
        let Kind::Backfill(first) = drafts[nth].change.clone() else {
            nth += 1;
            continue;
        };
        let mut joined = first.clone();
        let joins = |joined: &Backfill, other: &Backfill| {
            let plain =
                |fill: &Backfill| !fill.overwrites && !fill.set.values().any(|e| casts::is_volatile(e.as_str()));
            let apart = !other.set.values().any(|e| joined.set.keys().any(|column| e.mentions(column)))
                && !joined.set.values().any(|e| other.set.keys().any(|column| e.mentions(column)));
            joined.table == other.table
                && joined.alias == other.alias
                && joined.columns == other.columns
                && joined.batch_rows == other.batch_rows
                && plain(joined)
                && plain(other)
                && apart
        };
        let mut at = nth + 1;
        while at < drafts.len() {
            match &drafts[at].change {
                Kind::Backfill(other) if joins(&joined, other) => {
                    joined.set.extend(other.set.clone());
                    drafts.remove(at);
                }
                _ => at += 1,
            }
        }
        if joined != first {
            drafts[nth].change = joined.into();
            drafts[nth].why = "gives existing rows their values, all in one pass".to_owned();
        }
        nth += 1;
    }
}

/// The columns that bear another name now than in the base.
pub(crate) fn base_names(group: &Group, context: &Context<'_>) -> BTreeMap<Name, Name> {
    let table = group.at.qualified();
    let of_table = |at: &Address| at.relation().as_ref() == Some(&table);
    context.columns.iter().filter(|(at, _)| of_table(at)).map(|(at, base)| (base.clone(), at.name().clone())).collect()
}
