//! How columns leave: what they hold is copied in batches and kept current by a trigger, so that the drop itself takes a moment.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Column, Context, Draft, Group, HazardCode, Kind, Name, Object, Phase, Qualified, Sql,
    kind::{AlterColumn, DropColumn, Keep, KeepRows, Kept, Leave, Tied},
    schema::Source,
};

use super::{movers, warned};
use crate::dialect::{
    inherit, keep,
    names::{generated, qualified, quote},
    render::{column::is_kept, leave as sql},
};

/// The drafts of all dropped columns of a group, asked for at each; the first answers for all that leave together.
pub(crate) fn drop(change: &DropColumn, group: &Group, context: &Context<'_>, tied: Option<&Tied>) -> Vec<Draft> {
    let together = together(&change.table, group, context);
    if !together.iter().any(|k| k.column == change.column) {
        let (mut drafts, now) = optional(change, context, tied);
        let why = format!("removes {}", Address::column(&change.table, &now.name));
        drafts.push(Draft::new(DropColumn { table: change.table.clone(), column: now }, Phase::Contract, why));
        return drafts;
    }
    if together.first().is_some_and(|first| first.column != change.column) {
        return Vec::new();
    }
    let mut drafts = Vec::new();
    let mut columns = Vec::new();
    for k in &together {
        let (optional, now) = optional(k, context, tied);
        drafts.extend(optional);
        columns.push(now);
    }
    let Some(mut kept) = kept(&change.table, columns, context) else { return drafts };
    let words = kept.columns.iter().map(|c| c.name.to_string()).collect::<Vec<_>>().join(", ");
    let keep = Keep { kept: kept.clone() };
    let rows = KeepRows { kept: kept.clone() };
    drafts.push(Draft::new(keep, Phase::Backfill, format!("keeps what {words} holds, from now on")));
    drafts.push(Draft::new(rows, Phase::Backfill, format!("keeps what {words} holds in existing rows")));
    kept.tied = tied.cloned();
    drafts.push(Draft::new(Leave { kept, refills: false }, Phase::Contract, format!("removes {words}")));
    drafts
}

/// The columns that leave together, with a copy of what they hold.
pub(super) fn columns(table: &Qualified, group: &Group, context: &Context<'_>) -> BTreeSet<Name> {
    together(table, group, context).into_iter().map(|k| k.column.name.clone()).collect()
}

/// The dropped columns that leave together.
fn together<'a>(table: &Qualified, group: &'a Group, context: &Context<'_>) -> Vec<&'a DropColumn> {
    let drops = group.changes.iter().filter_map(|c| match c {
        Kind::DropColumn(k) if is_kept(&k.column) => Some(k),
        _ => None,
    });
    let drops: Vec<_> = drops.collect();
    let columns = drops.iter().map(|k| k.column.clone()).collect();
    if movers::holds_twins(table, context) && kept(table, columns, context).is_some() { drops } else { Vec::new() }
}

/// What is kept of some columns; nothing if rows cannot be told apart by a key that stays.
fn kept(table: &Qualified, columns: Vec<Column>, context: &Context<'_>) -> Option<Kept> {
    let content = context.renamed.table(table)?;
    let key = keep::key_of(content)?;
    if key.iter().any(|name| columns.iter().any(|c| c.name == *name)) {
        return None;
    }
    // A key whose values change in the same plan tells rows apart only as long as it is the old one.
    let moving = movers::Movers::of(context).hidden(table);
    if key.iter().any(|name| moving.contains_key(name)) {
        return None;
    }
    let names: Vec<_> = columns.iter().map(|c| c.name.clone()).collect();
    let trigger = generated("zzz_mig_keep_", &(table, &names), table.name.as_str());
    let create = sql::trigger(&qualified(table), &quote(&trigger)).map(Sql::new).to_vec();
    let object = Object::new(Body::Source(Source { create, needs: Default::default() }));
    Some(Kept { table: table.clone(), columns, key, trigger, object: object.into(), tied: None })
}

/// A column that must have a value stops asking for it first, so that new clients may leave it out; one that is in step with others has one
/// from these. Gives it as it is then.
fn optional(change: &DropColumn, context: &Context<'_>, tied: Option<&Tied>) -> (Vec<Draft>, Column) {
    let (table, column) = (&change.table, &change.column);
    let whole = inherit::whole(context.renamed, table);
    let keyed = whole.as_ref().and_then(|t| t.primary_key());
    let keyed = keyed.is_some_and(|(_, key)| key.columns.contains(&column.name));
    let has_one = tied.is_some_and(|tied| tied.back.contains_key(&column.name));
    if has_one || !column.not_null || !column.value.is_plain() || keyed || column.data_type.is_empty() {
        return (Vec::new(), column.clone());
    }
    let now = Column { not_null: false, ..column.clone() };
    let loosen = AlterColumn { table: table.clone(), from: column.clone(), to: now.clone(), using: None };
    let draft = Draft::new(loosen, Phase::Switch, "lets new clients leave it out before it goes");
    let says =
        "readers may meet NULL where new clients write rows without it; such rows must get a value before a rollback";
    (vec![warned(draft, HazardCode::NullableAgain, says)], now)
}
