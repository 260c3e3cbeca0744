//! How existing rows get the values that a transform gives them.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Column, ColumnValue, Context, Draft, Group, Kind, Name, Phase, Qualified, Sql,
    kind::{Backfill, Selection},
};

use crate::dialect::{names::quote, text};

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
    let columns = base_names(&table, context);
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
    let (left, existing): (BTreeMap<_, _>, BTreeMap<_, _>) =
        fill.set.clone().into_iter().partition(|(column, _)| is_new(column));
    let mut drafts: Vec<_> = layers(left).into_iter().map(|layer| draft(layer, false)).collect();
    if !existing.is_empty() {
        drafts.push(draft(existing, true));
    }
    drafts
}

/// New columns in the order in which they are made from each other.
fn layers(mut left: BTreeMap<Name, Sql>) -> Vec<BTreeMap<Name, Sql>> {
    let mut layers = Vec::new();
    while !left.is_empty() {
        let waiting: BTreeSet<Name> = left.keys().cloned().collect();
        let ready = |column: &Name, sql: &Sql| !waiting.iter().any(|w| w != column && text::mentions(sql).contains(w));
        let mut layer: BTreeMap<Name, Sql> =
            left.iter().filter(|(c, e)| ready(c, e)).map(|(c, e)| (c.clone(), e.clone())).collect();
        if layer.is_empty() {
            layer.clone_from(&left);
        }
        left.retain(|column, _| !layer.contains_key(column));
        layers.push(layer);
    }
    layers
}

/// The values of rows that clients of the old schema have written since the backfill went by, for columns that no row may lack, and for
/// those that these are made from. A row that has a value keeps it: clients of the new schema write it themselves.
pub(super) fn since(group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let Some(fill) = group.fill.as_ref().filter(|fill| fill.rows.rejects.is_empty()) else { return vec![] };
    let table = group.at.qualified();
    let new = group.changes.iter().filter_map(|c| if let Kind::AddColumn(k) = c { Some(&k.column) } else { None });
    let new: BTreeMap<Name, &Column> = new.map(|column| (column.name.clone(), column)).collect();
    let columns = base_names(&table, context);
    // Where a default or a base name stands in its place, an empty column cannot be told.
    let told = |name: &Name| {
        let given = fill.rows.given_columns().any(|given| given == name);
        new.get(name).is_some_and(|c| c.value == ColumnValue::Plain) && !given && !columns.contains_key(name)
    };
    let set = fill.set.iter().filter(|(name, _)| told(name)).map(|(name, sql)| (name.clone(), sql.clone()));
    let layers = layers(set.collect());
    let mut wanted: BTreeSet<Name> = new.values().filter(|c| c.not_null).map(|c| c.name.clone()).collect();
    for layer in layers.iter().rev() {
        let read = layer.iter().filter(|(name, _)| wanted.contains(*name)).flat_map(|(_, sql)| text::mentions(sql));
        let read: Vec<Name> = read.collect();
        wanted.extend(read);
    }
    let late = |(column, by): (Name, Sql)| {
        let empty = format!("{}.{} IS NULL", quote(&table.name), quote(&column));
        let only = fill.rows.only.as_ref().map_or_else(|| empty.clone(), |only| format!("({only}) AND {empty}"));
        let why = format!("gives rows that old clients have written since their {column}");
        let kind = Backfill {
            table: table.clone(),
            alias: table.name.clone(),
            set: [(column, by)].into(),
            columns: columns.clone(),
            overwrites: false,
            rows: Selection { only: Some(Sql::new(only)), late: true, ..Selection::default() },
            batch_rows: fill.batch_rows,
        };
        Draft::new(kind, Phase::Contract, why)
    };
    layers.into_iter().flatten().filter(|(column, _)| wanted.contains(column)).map(late).collect()
}

/// The columns of a table that bear another name than in the base: base name to present name.
fn base_names(table: &Qualified, context: &Context<'_>) -> BTreeMap<Name, Name> {
    let own = context.columns.iter().filter(|(at, _)| at.relation().as_ref() == Some(table));
    own.map(|(at, base)| (base.clone(), at.name().clone())).collect()
}
