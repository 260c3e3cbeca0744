//! How existing rows get the values that a transform gives them.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Context, Draft, Group, Kind, Name, Phase, Sql, kind::Backfill};

/// The columns that the transform gives values.
pub(super) fn filled(group: &Group) -> BTreeSet<&Name> {
    group.fill.iter().flat_map(|fill| fill.set.keys()).collect()
}

/// The backfills of a group: new columns in the order in which they are made from each other, then those that held values.
pub(super) fn backfills(group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let Some(fill) = &group.fill else { return vec![] };
    let table = group.at.qualified();
    if context.renamed.table(&table).is_none() {
        return vec![];
    }
    let is_new =
        |column: &Name| group.changes.iter().any(|c| matches!(c, Kind::AddColumn(k) if k.column.name == *column));
    let columns: BTreeMap<Name, Name> = context
        .columns
        .iter()
        .filter(|(at, _)| at.relation().as_ref() == Some(&table))
        .map(|(at, base)| (base.clone(), at.name().clone()))
        .collect();
    let draft = |set: BTreeMap<Name, Sql>, overwrites: bool| {
        let why = match set.keys().next() {
            Some(column) if set.len() == 1 => format!("gives existing rows their {column}"),
            _ => "gives existing rows their values".to_owned(),
        };
        let (table, alias) = (table.clone(), table.name.clone());
        let (columns, rows) = (columns.clone(), fill.rows.clone());
        let kind = Backfill { table, alias, set, columns, overwrites, rows, batch_rows: fill.batch_rows };
        Draft::new(kind, Phase::Backfill, why)
    };
    let (mut left, existing): (BTreeMap<_, _>, BTreeMap<_, _>) =
        fill.set.clone().into_iter().partition(|(column, _)| is_new(column));
    let mut drafts = Vec::new();
    while !left.is_empty() {
        let waiting: BTreeSet<Name> = left.keys().cloned().collect();
        let ready = |column: &Name, sql: &Sql| {
            !waiting.iter().any(|w| w != column && super::super::text::mentions(sql).contains(w))
        };
        let mut layer: BTreeMap<Name, Sql> =
            left.iter().filter(|(c, e)| ready(c, e)).map(|(c, e)| (c.clone(), e.clone())).collect();
        if layer.is_empty() {
            layer.clone_from(&left);
        }
        left.retain(|column, _| !layer.contains_key(column));
        drafts.push(draft(layer, false));
    }
    if !existing.is_empty() {
        drafts.push(draft(existing, true));
    }
    drafts
}
