//! Indexes and primary keys that take over from each other: while a foreign key stands on one, the server lets it go only when another can
//! carry that foreign key.

use mig_plan::{
    Body, Context, Kind, Name, Qualified, Schema, Table,
    kind::{Create, Drop},
    schema::{Index, IndexedBy},
};

use crate::dialect::refs;

/// Whether a unique index holds whatever the rows are, as it has all columns of a primary key that goes: it can come before that goes.
pub(super) fn relieves_primary(index: &Index, context: &Context<'_>) -> bool {
    let key = |schema: &Schema| -> Option<Vec<Name>> { Some(primary(schema.table(&index.table)?)?.to_vec()) };
    let (Some(was), is) = (key(context.renamed), key(context.goal)) else { return false };
    let whole = |name: &Name| {
        index.parts.iter().any(|part| part.opclass.is_none() && part.what == IndexedBy::Column(name.clone()))
    };
    let there = |part: &IndexedBy| matches!(part, IndexedBy::Column(name) if context.renamed.table(&index.table).is_some_and(|t| t.column(name).is_some()));
    index.unique
        && index.method.is_none()
        && Some(&was) != is.as_ref()
        && was.iter().all(whole)
        && index.parts.iter().all(|part| there(&part.what))
}

/// The indexes of a table that come before its primary key goes.
pub(super) fn of_primary<'a>(at: &'a Qualified, context: &'a Context<'_>) -> impl Iterator<Item = &'a Create> {
    let changes = context.groups.iter().flat_map(|group| &group.changes);
    changes.filter_map(move |change| match change {
        Kind::Create(k) => match &k.object.body {
            Body::Index(index) if index.table == *at && relieves_primary(index, context) => Some(k),
            _ => None,
        },
        _ => None,
    })
}

/// The indexes of a table that can go only when its new primary key is there.
pub(super) fn by_primary<'a>(at: &'a Qualified, context: &'a Context<'_>) -> impl Iterator<Item = &'a Drop> {
    let changes = context.groups.iter().flat_map(|group| &group.changes);
    changes.filter_map(move |change| match change {
        Kind::Drop(k) if is_relieved(k, at, context) => Some(k),
        _ => None,
    })
}

/// Whether an index of a table goes that carries a foreign key which the new primary key will carry, and nothing else does.
pub(super) fn is_relieved(k: &Drop, at: &Qualified, context: &Context<'_>) -> bool {
    let Body::Index(index) = &k.object.body else { return false };
    let (Some(live), Some(goal)) = (context.renamed.table(at), context.goal.table(at)) else { return false };
    if index.table != *at || primary(live) == primary(goal) {
        return false;
    }
    let leads = |key: Option<&[Name]>, columns: &[Name]| key.is_some_and(|key| key.starts_with(columns));
    let others = |columns: &[Name]| {
        let mut own = context.goal.indexes_of(at);
        leads(primary(live), columns)
            || own.any(|(other, index)| context.renamed.contains(other) && refs::leads(index, columns))
    };
    let mut carried = carried(at, context.renamed).into_iter();
    carried.any(|columns| refs::leads(index, &columns) && leads(primary(goal), &columns) && !others(&columns))
}

fn primary(table: &Table) -> Option<&[Name]> {
    table.primary_key().map(|(_, key)| key.columns.as_slice())
}

/// The columns of a table on which foreign keys stand, its own and those that lead to it.
fn carried(at: &Qualified, schema: &Schema) -> Vec<Vec<Name>> {
    let own = schema.table(at).into_iter().flat_map(|table| table.constraints.values());
    let own = own.filter_map(|c| Some(c.foreign_key()?.columns.clone()));
    let incoming = schema.references_to(at).filter_map(|(_, _, c)| Some(c.foreign_key()?.referenced.clone()));
    own.chain(incoming).collect()
}
