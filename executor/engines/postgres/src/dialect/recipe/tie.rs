//! Columns that take the place of others: both are there until `contract`, and what clients write to either goes to the other.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, ColumnValue, Complaint, Context, Draft, Group, HazardCode, Kind, Name, Object, Phase, Qualified,
    Sql,
    kind::{Backfill, Selection, Tie, Tied},
    schema::Source,
};

use super::{fill, leave, movers, warned};
use crate::dialect::{
    casts,
    names::{generated, qualified, quote},
    render::twins,
};

/// The columns of a group that are kept in step, if its transform says how the old ones are made.
///
/// # Errors
/// What stands in the way of it.
pub(super) fn of(group: &Group, context: &Context<'_>) -> Result<Option<Tied>, Complaint> {
    let Some(transform) = group.fill.as_ref().filter(|fill| !fill.back.is_empty()) else { return Ok(None) };
    let table = group.at.qualified();
    let wrong = |column: &Name, says: String, help: &str| {
        let help = Some(help.to_owned());
        Err(Complaint { at: Address::column(&table, column), says, help })
    };
    let leaving = leave::columns(&table, group, context);
    if let Some(column) = transform.back.keys().find(|column| !leaving.contains(*column)) {
        let says = format!(
            "{column} cannot be kept in step: that needs a primary key or required unique key that stays, a table without partitions and heirs, \
             and a column with values of its own that goes in this plan"
        );
        return wrong(column, says, "leave `back` out; the values are then copied once");
    }
    let new = fill::new_columns(group);
    let made = transform.set.iter().filter(|(column, _)| new.contains(*column));
    let made = made.map(|(column, by)| (column.clone(), movers::over_new(by, &new, group, context, new.len())));
    let from_old = |by: &Sql| transform.back.keys().any(|column| by.mentions(column));
    let set: BTreeMap<Name, Sql> = made.filter(|(_, by)| from_old(by)).collect();
    for column in transform.back.keys() {
        if !set.values().any(|by| by.mentions(column)) {
            let says = format!("no new column is made from {column}, so there is nothing to make it from");
            return wrong(column, says, "set a new column from it, or leave `back` out");
        }
        if !set.keys().any(|new| transform.back[column].mentions(new)) {
            let says = format!("what {column} is made from says nothing of a column that takes its place");
            return wrong(column, says, "make it from the new columns, or leave `back` out");
        }
    }
    for (column, by) in &set {
        if transform.rows != Selection::default() {
            let says =
                format!("{column} is kept in step with the old columns in every row, and the transform chooses rows");
            return wrong(column, says, "leave `where`, `reject` and `once` out, or `back`");
        }
        if casts::is_volatile(by.as_str()) || casts::unsteady(by.as_str()).is_some() {
            let says = format!("{column} is kept in step, and its expression gives another value each time");
            return wrong(column, says, "make it from the row, or leave `back` out");
        }
        let declared = context.goal.table(&table).and_then(|t| t.column(column));
        if declared.is_none_or(|c| c.value != ColumnValue::Plain) {
            let says =
                format!("{column} is kept in step, so it can get its default only when the old columns are gone");
            return wrong(column, says, "give it its default in the next plan");
        }
    }
    if let Some((column, says)) = moving(&set, &transform.back, group, context) {
        return wrong(&column, says, "make that change in a plan before this one, or after it");
    }
    Ok(Some(tied(table, set, transform.back.clone())))
}

/// A column that the expressions name and that is not what it was from the beginning to the end.
fn moving(
    set: &BTreeMap<Name, Sql>,
    back: &BTreeMap<Name, Sql>,
    group: &Group,
    context: &Context<'_>,
) -> Option<(Name, String)> {
    let names = |column: &Name| set.values().chain(back.values()).any(|by| by.mentions(column));
    let renamed = fill::base_names(group, context);
    if let Some(column) = renamed.iter().flat_map(|(base, now)| [base, now]).find(|column| names(column)) {
        return Some((
            column.clone(),
            format!("{column} changes its name in the plan that keeps columns in step by it"),
        ));
    }
    let retyped = group.changes.iter().find_map(|change| match change {
        Kind::AlterColumn(k) if k.from.data_type != k.to.data_type && names(&k.from.name) => Some(k.from.name.clone()),
        _ => None,
    });
    if let Some(column) = retyped {
        let says = format!("{column} changes its type in the plan that keeps columns in step by it");
        return Some((column, says));
    }
    let column = back.keys().next().filter(|_| context.tables.contains_key(&group.at.qualified()))?;
    Some((
        column.clone(),
        format!("{} changes its name in the plan that keeps its columns in step", group.at.qualified()),
    ))
}

fn tied(table: Qualified, set: BTreeMap<Name, Sql>, back: BTreeMap<Name, Sql>) -> Tied {
    let names: BTreeSet<&Name> = set.keys().chain(back.keys()).collect();
    let trigger = generated("zzz_mig_tie_", &(&table, names), table.name.as_str());
    let create = twins::trigger(&qualified(&table), &quote(&trigger)).map(Sql::new).to_vec();
    let object = Object::new(Body::Source(Source { create, needs: Default::default() })).into();
    Tied { table, set, back, trigger, object }
}

/// The backfills of a group. All columns in step get their values at once: in between they would not be what the old ones give.
pub(super) fn backfills(tied: &Tied, group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let mut others = group.clone();
    if let Some(transform) = &mut others.fill {
        transform.set.retain(|column, _| !tied.set.contains_key(column));
    }
    let own = Backfill {
        table: tied.table.clone(),
        alias: tied.table.name.clone(),
        set: tied.set.clone(),
        columns: BTreeMap::new(),
        overwrites: false,
        rows: Selection::default(),
        batch_rows: group.fill.as_ref().and_then(|fill| fill.batch_rows),
    };
    let own = Draft::new(own, Phase::Backfill, format!("gives existing rows their {}", tied.words().1));
    [own].into_iter().chain(fill::backfills(&others, context)).collect()
}

/// The draft of the trigger.
pub(super) fn draft(tied: &Tied) -> Draft {
    let (old, new) = tied.words();
    let draft =
        Draft::new(Tie { tied: tied.clone() }, Phase::Expand, format!("keeps {old} and {new} in step, whoever writes"));
    let says = format!(
        "until contract both {old} and {new} are there, and `back` must give {old} a value wherever it is required: otherwise clients that \
         write {new} get errors"
    );
    warned(draft, HazardCode::MovesColumn, &says)
}
