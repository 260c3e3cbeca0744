//! How existing rows get the values that a transform gives them.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{casts, names::quote, render::twins::cast};
use mig_plan::{Address, Complaint, Context, Draft, Group, Kind, Name, Phase, Sql, kind::Backfill};

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

/// The group with conditions as a part of the expressions that a change of type uses: it is about every row.
///
/// # Errors
/// If a condition reads a value that is not there when the type changes.
pub(crate) fn with_guarded_casts(group: &Group, context: &Context<'_>) -> Result<Group, Complaint> {
    let mut group = group.clone();
    let Some(condition) = group.fill.as_ref().and_then(|fill| fill.rows.condition()) else { return Ok(group) };
    let columns = base_names(&group, context);
    let casts: Vec<(Name, String)> = group
        .changes
        .iter()
        .filter_map(|c| match c {
            Kind::AlterColumn(k) if k.from.data_type != k.to.data_type => {
                Some((k.from.name.clone(), k.to.data_type.clone()))
            }
            _ => None,
        })
        .collect();
    let at = group.at.clone();
    let Some(fill) = &mut group.fill else { return Ok(group) };
    for (column, data_type) in casts {
        let Some(sql) = fill.set.get_mut(&column) else { continue };
        if !fill.rows.rejects.is_empty() && fill.rows.max_rejects > 0 {
            let says = format!("the type of {column} changes in every row, so no row can be left as it is");
            let help = Some("correct the rows first and leave `max_rejects` out, or set a new column".to_owned());
            return Err(Complaint { at: Address::column(&at.qualified(), &column), says, help });
        }
        if fill.rows.given_columns().next().is_some() {
            let says =
                format!("the type of {column} changes for rows by a condition that reads what the transform sets");
            let help = Some("write the condition over what the table has now".to_owned());
            return Err(Complaint { at: Address::column(&at.qualified(), &column), says, help });
        }
        let base = columns.iter().find(|(_, now)| **now == column).map_or(&column, |(base, _)| base);
        let stays = cast(&quote(base), &data_type);
        *sql = Sql::new(format!("CASE WHEN {condition} THEN ({sql}) ELSE {stays} END"));
    }
    Ok(group)
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
        let (columns, rows) = (columns.clone(), fill.rows.clone());
        let kind = Backfill { table, alias, set, columns, overwrites, rows, batch_rows: fill.batch_rows };
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
                && joined.rows == other.rows
                && joined.batch_rows == other.batch_rows
                && plain(joined)
                && plain(other)
                && apart
        };
        let mut at = nth + 1;
        while at < drafts.len() {
            match &drafts[at].change {
                Kind::Backfill(other) if drafts[at].phase == drafts[nth].phase && joins(&joined, other) => {
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
