//! An index with the shares that partitions have in it. The server takes an equal index that a partition has for its share, unless that
//! comes after it: so what shall stand beside makes way, and comes again.

use std::sync::Arc;

use mig_plan::{
    Address, Complaint, Constraint, Name, Object, Qualified, Schema, Table,
    kind::{AddConstraint, DropConstraint},
    schema::{Body, Index, IndexPart, IndexedBy},
};

use super::{constraint, index};
use crate::dialect::{
    inherit,
    names::{qualified, quote},
};

/// The statements that make an index with the shares in it and all that is said of it.
///
/// # Errors
/// If an index that has to make way cannot.
pub(crate) fn made(at: &Address, object: &Object, of: &Index, around: &Schema) -> Result<Vec<String>, Complaint> {
    let (mut sql, mut again) = (Vec::new(), Vec::new());
    for (own, index, object) in equals(of, around) {
        sql.extend(index::dropped(own, index, around)?);
        again.push(index::create_sql(own, index, ""));
        again.extend(index::after_create(own, object, index, around));
    }
    sql.push(index::create_sql(at, of, ""));
    sql.extend(index::after_create(at, object, of, around));
    sql.extend(again);
    Ok(sql)
}

/// The statements that make those of some objects that are indexes: what is a partition's own after what passes to it.
pub(crate) fn in_order<'a>(
    objects: impl Iterator<Item = (&'a Address, &'a Arc<Object>)>,
    around: &Schema,
) -> Vec<String> {
    let mut indexes: Vec<_> = objects
        .filter_map(|(at, object)| match &object.body {
            Body::Index(of) => Some((inherit::ancestors(around, &of.table).len(), at, object, of)),
            _ => None,
        })
        .collect();
    indexes.sort_by_key(|(depth, at, _, _)| (*depth, *at));
    let made = |(_, at, object, of): (usize, &Address, &Arc<Object>, &Index)| {
        [index::create_sql(at, of, "")].into_iter().chain(index::after_create(at, object, of, around))
    };
    indexes.into_iter().flat_map(made).collect()
}

/// The indexes of partitions that the server would take for their shares in one.
fn equals<'a>(of: &Index, around: &'a Schema) -> Vec<(&'a Address, &'a Index, &'a Object)> {
    if of.options.contains_key(inherit::ONLY) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for under in inherit::descendants(around, &of.table) {
        let own = around
            .indexes_of(&under)
            .filter(|(_, own)| inherit::attached_to(own).is_none() && inherit::is_share(of, own, &under));
        found.extend(own.map(|(at, own)| (at, own, &*around.objects[at])));
    }
    found
}

/// An index that is made anew with a key of a partition.
pub(crate) struct Over {
    pub(crate) name: Name,
    /// Its table, as SQL.
    pub(crate) table: String,
}

impl Over {
    fn of(at: &Address, index: &Index) -> Self {
        Self { name: at.name().clone(), table: qualified(&index.table) }
    }
}

/// The index over a partition's key of which that key's own is a share, as far as a schema tells.
pub(crate) fn over<'a>(table: &Qualified, key: &Constraint, around: &'a Schema) -> Option<(&'a Address, &'a Index)> {
    key.key()?;
    inherit::passed_indexes(around, table).into_iter().find(|(_, of)| is_alike(of, key))
}

/// The statements that add a key of a partition, where there is an index over it that the key shall have its share in: the server
/// takes a key for one only when that index comes after it.
///
/// # Errors
/// If a foreign key stands on what has to be made anew.
pub(crate) fn key_added(change: &AddConstraint, before: &Schema) -> Result<Option<(Over, Vec<String>)>, Complaint> {
    let Some((at, of)) = over(&change.table, &change.constraint, before) else { return Ok(None) };
    Ok(Some((Over::of(at, of), around_index(at, of, before, constraint::add_sql(change))?)))
}

/// The statements that drop a key of a partition, where its index may be a share of one over it: the server lets such a key go only
/// with that one, which is made anew.
///
/// # Errors
/// If a foreign key stands on what has to be made anew.
pub(crate) fn key_dropped(change: &DropConstraint, before: &Schema) -> Result<Option<(Over, Vec<String>)>, Complaint> {
    let Some((at, of)) = over(&change.table, &change.constraint, before) else { return Ok(None) };
    let mut rest = before.clone();
    if let Some(table) = rest.table_mut(&change.table) {
        table.constraints.remove(&change.name);
    }
    let drop = format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", qualified(&change.table), quote(&change.name));
    Ok(Some((Over::of(at, of), around_index(at, of, &rest, vec![drop])?)))
}

/// What is done to a key while the index over it is away.
fn around_index(at: &Address, of: &Index, rest: &Schema, statements: Vec<String>) -> Result<Vec<String>, Complaint> {
    let mut sql = vec![format!("DROP INDEX {} CASCADE", qualified(&at.qualified()))];
    sql.extend(statements);
    sql.extend(keys_again(at, of, rest)?);
    if let Some(object) = rest.objects.get(at) {
        sql.extend(made(at, object, of, rest)?);
    }
    Ok(sql)
}

/// The statements that drop an index whose shares may be keys of partitions: those are made anew.
///
/// # Errors
/// If a foreign key stands on one of them.
pub(crate) fn dropped(at: &Address, of: &Index, before: &Schema) -> Result<Vec<String>, Complaint> {
    let drop = format!("DROP INDEX {}", qualified(&at.qualified()));
    let again = keys_again(at, of, before)?;
    if again.is_empty() {
        return Ok(vec![drop]);
    }
    Ok([format!("{drop} CASCADE")].into_iter().chain(again).collect())
}

/// The statements that make keys of partitions again that went with an index over them.
fn keys_again(at: &Address, of: &Index, before: &Schema) -> Result<Vec<String>, Complaint> {
    let mut sql = Vec::new();
    for key in shared_keys(of, before) {
        let columns = key.constraint.columns();
        let leads_here = |(_, table): &(Qualified, &Table)| {
            let mut keys = table.constraints.values().filter_map(Constraint::foreign_key);
            keys.any(|fk| fk.references == key.table && fk.referenced.len() == columns.len())
        };
        if let Some((from, _)) = before.tables().find(leads_here) {
            let says = format!(
                "{} cannot go: key {} of {} is a part of it, and a foreign key of {from} leads there",
                at.dotted(),
                key.name,
                key.table
            );
            let help = Some("drop the foreign key in a plan before this one, and add it again after it".to_owned());
            return Err(Complaint { at: at.clone(), says, help });
        }
        // One that the server had not taken for a share is still there.
        let (table, name) = (qualified(&key.table), quote(&key.name));
        sql.push(format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"));
        sql.extend(constraint::add_sql(&key));
    }
    Ok(sql)
}

/// The keys of partitions whose indexes the server has taken for shares of an index over them.
fn shared_keys(index: &Index, schema: &Schema) -> Vec<AddConstraint> {
    let mut found = Vec::new();
    for under in inherit::descendants(schema, &index.table) {
        let Some(table) = schema.table(&under).filter(|table| inherit::is_partition(table)) else { continue };
        for (name, constraint) in table.constraints.iter().filter(|(_, constraint)| is_alike(index, constraint)) {
            found.push(AddConstraint { table: under.clone(), name: name.clone(), constraint: constraint.clone() });
        }
    }
    found
}

/// Whether the index of a key is like another.
fn is_alike(index: &Index, constraint: &Constraint) -> bool {
    let column = |part: &IndexPart| match &part.what {
        IndexedBy::Column(name) if !part.descending && part.nulls_first.is_none() => Some(name.clone()),
        _ => None,
    };
    let columns: Option<Vec<_>> = index.parts.iter().map(column).collect();
    let (Some(columns), true, None) = (columns, index.unique, &index.predicate) else { return false };
    constraint.key().is_some_and(|key| key.columns == columns && key.include == index.include)
}
