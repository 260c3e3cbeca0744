//! Types made anew under their columns: the server changes neither the values of an enum, nor what a domain rests on, nor the parts of a
//! composite type that a column has.

use std::{collections::BTreeSet, sync::Arc};

use mig_plan::{
    Address, Body, Column, ColumnValue, Complaint, Name, Object, ObjectKind, Qualified, Rendered, Rule, Schema, Sql,
    kind::{AddConstraint, AdoptType, DropConstraint},
    schema::Index,
};

use super::{composite, constraint, meta, object};
use crate::dialect::{
    inherit,
    names::{generated, qualified, quote},
};

/// Gives the expression that makes a value of the new type: of which column, its value, and `[]` if it is an array. Where the type is a
/// part of a column's own, the values go over as text.
pub(crate) type Cast<'a> = dyn Fn(&Column, &str, &str) -> Result<String, Complaint> + 'a;

/// The statements that make a type anew, and put on the new one all that is made of it: domains, columns, and the constraints and
/// indexes that speak of it, which the server would read with the old type.
pub(crate) fn sql(at: &Address, to: &Object, before: &Schema, cast: &Cast<'_>) -> Result<Vec<String>, Complaint> {
    let mut types: Vec<(Address, Arc<Object>)> = types_over(at, before);
    types.insert(0, (at.clone(), to.clone().into()));
    let users: Vec<(Qualified, &Column)> =
        types.iter().flat_map(|(of, _)| columns_of(&of.qualified(), before)).collect();
    let (constraints, indexes) = (spoken_of(&types, &users, before), indexes_of(&types, &users, before));
    let mut sql: Vec<String> = constraints.iter().rev().map(|k| constraint::drop_sql(&dropped(k))).collect();
    sql.extend(indexes.iter().map(|(index, _, _)| format!("DROP INDEX {}", qualified(&index.qualified()))));
    let old = |of: &Address| generated("_mig_old_", of, of.name().as_str());
    let word = |of: &Address| if of.kind() == ObjectKind::Domain { "DOMAIN" } else { "TYPE" };
    for (of, _) in &types {
        sql.push(format!("ALTER {} {} RENAME TO {}", word(of), qualified(&of.qualified()), quote(&old(of))));
    }
    for (of, object) in &types {
        sql.extend(object::create_sql(of, object, before)?);
    }
    let through_text =
        |column: &Column, value: &str, array: &str| Ok(format!("{value}::text{array}::{}", column.data_type));
    let whole: BTreeSet<Address> = outside(at, &types);
    for (of, _) in &types {
        let cast: &Cast<'_> = if whole.contains(of) { cast } else { &through_text };
        for (table, column) in columns_of(&of.qualified(), before) {
            sql.extend(put_on(&table, column, cast)?);
        }
    }
    for (of, _) in types.iter().rev() {
        sql.push(format!("DROP {} {}", word(of), qualified(&of.qualified().sibling(old(of)))));
    }
    for (index, object, of) in indexes {
        sql.extend(super::shares::made(index, object, of, before)?);
    }
    sql.extend(constraints.iter().flat_map(constraint::add_sql));
    Ok(sql)
}

/// The SQL that gives a type the name of another one, which leaves.
pub(crate) fn adopt(change: &AdoptType) -> Rendered {
    let (old, waits) = (object::noun(&change.at), object::noun(&change.waits));
    let sql = vec![format!("DROP {old}"), format!("ALTER {waits} RENAME TO {}", quote(change.at.name()))];
    meta(sql, format!("a short lock on {old}; no table is touched"))
}

/// What takes [`adopt`] back.
pub(crate) fn unadopt(change: &AdoptType, before: &Schema) -> Result<Vec<String>, Complaint> {
    let rename = format!("ALTER {} RENAME TO {}", object::noun(&change.at), quote(change.waits.name()));
    Ok([rename].into_iter().chain(object::create_sql(&change.at, &change.from, before)?).collect())
}

/// Refuses to make a type anew that divides a table's rows: the server puts such a column on no other type.
///
/// # Errors
/// Names the column.
pub(crate) fn divides_none(at: &Address, schema: &Schema) -> Result<(), Complaint> {
    let over = types_over(at, schema).into_iter().map(|(of, _)| of);
    for of in [at.clone()].into_iter().chain(over) {
        let columns = columns_of(&of.qualified(), schema);
        let Some((table, column)) = columns.iter().find(|(table, column)| divides(table, column, schema)) else {
            continue;
        };
        return Err(Complaint {
            at: at.clone(),
            says: format!(
                "PostgreSQL cannot put {table}.{} on another form of {at}: it divides the table's rows",
                column.name
            ),
            help: Some(
                "declare a type under another name for the column: then the table is made anew with its partitions"
                    .to_owned(),
            ),
        });
    }
    Ok(())
}

/// Whether rows of a table, or of one of its partitions, are divided by the values of a column.
fn divides(table: &Qualified, column: &Column, schema: &Schema) -> bool {
    let by = |of: &Qualified| schema.table(of).and_then(|content| content.options.get("partition_by"));
    let tables = inherit::descendants(schema, table).into_iter().chain([table.clone()]);
    tables.into_iter().any(|of| by(&of).is_some_and(|by| Sql::new(by.clone()).mentions(&column.name)))
}

/// The statements that put a column on the new type of the same name.
fn put_on(table: &Qualified, column: &Column, cast: &Cast<'_>) -> Result<Vec<String>, Complaint> {
    let alter = format!("ALTER TABLE {} ALTER COLUMN {}", qualified(table), quote(&column.name));
    let array = if column.data_type.ends_with("[]") { "[]" } else { "" };
    let default = match &column.value {
        ColumnValue::Default(value) => Some(value),
        _ => None,
    };
    let mut sql: Vec<String> = default.iter().map(|_| format!("{alter} DROP DEFAULT")).collect();
    let value = cast(column, &quote(&column.name), array)?;
    sql.push(format!("{alter} TYPE {} USING {value}", column.data_type));
    sql.extend(default.map(|value| format!("{alter} SET DEFAULT {value}")));
    Ok(sql)
}

fn dropped(k: &AddConstraint) -> DropConstraint {
    DropConstraint { table: k.table.clone(), name: k.name.clone(), constraint: k.constraint.clone() }
}

/// The domains and composite types that are made of a type, each after those that it is made of.
pub(crate) fn types_over(at: &Address, schema: &Schema) -> Vec<(Address, Arc<Object>)> {
    let (mut found, mut below) = (Vec::new(), vec![at.clone()]);
    while !below.is_empty() {
        let all = [ObjectKind::Domain, ObjectKind::Type].into_iter().flat_map(|kind| schema.objects.of_kind(kind));
        let next = all.filter(|(_, object)| below.iter().any(|of| is_made_of(object, of)));
        let next: Vec<_> = next.map(|(of, object)| (of.clone(), object.clone())).collect();
        found.retain(|known| !next.contains(known));
        below = next.iter().map(|(of, _)| of.clone()).collect();
        found.extend(next);
    }
    found
}

/// Whether a domain rests on a type, or a composite type has an attribute of it, arrays included.
fn is_made_of(object: &Object, of: &Address) -> bool {
    let name = qualified(&of.qualified());
    let is = |data_type: &str| data_type.strip_suffix("[]").unwrap_or(data_type) == name;
    match &object.body {
        Body::Domain(domain) => is(&domain.base),
        Body::Source(source) => composite::types_in(source).iter().any(|(data_type, _)| is(data_type)),
        _ => false,
    }
}

/// Those of the types over one that have no more than its value: domains over domains.
fn outside(at: &Address, types: &[(Address, Arc<Object>)]) -> BTreeSet<Address> {
    let mut found = BTreeSet::from([at.clone()]);
    for (of, object) in types.iter().filter(|(of, _)| of.kind() == ObjectKind::Domain) {
        if found.iter().any(|below| is_made_of(object, below)) {
            found.insert(of.clone());
        }
    }
    found
}

/// Whether columns hold values of a type as parts of others.
pub(crate) fn is_held_inside(at: &Address, schema: &Schema) -> bool {
    let types = types_over(at, schema);
    let whole = outside(at, &types);
    let inside = types.iter().filter(|(of, _)| !whole.contains(of));
    inside.into_iter().any(|(of, _)| !columns_of(&of.qualified(), schema).is_empty())
}

/// Whether a text is about one of the types or, in its own table, about a column of them.
fn speaks(text: &Sql, table: &Qualified, types: &[(Address, Arc<Object>)], users: &[(Qualified, &Column)]) -> bool {
    types.iter().any(|(of, _)| text.mentions(of.name()))
        || users.iter().any(|(of, column)| of == table && text.mentions(&column.name))
}

/// The constraints that the server would read with the old type: checks, exclusions and foreign keys of the columns.
fn spoken_of(types: &[(Address, Arc<Object>)], users: &[(Qualified, &Column)], schema: &Schema) -> Vec<AddConstraint> {
    let is_user = |table: &Qualified, name: &Name| users.iter().any(|(of, c)| of == table && c.name == *name);
    let mut found = Vec::new();
    for (table, content) in schema.tables() {
        for (name, constraint) in &content.constraints {
            let about = match &constraint.rule {
                Rule::Check { expression } => speaks(expression, &table, types, users),
                Rule::Exclude { definition } => speaks(definition, &table, types, users),
                Rule::ForeignKey(fk) => fk.columns.iter().any(|c| is_user(&table, c)),
                Rule::PrimaryKey(_) | Rule::Unique(_) => false,
            };
            if about {
                let (table, name, constraint) = (table.clone(), name.clone(), constraint.clone());
                found.push(AddConstraint { table, name, constraint });
            }
        }
    }
    found.sort_by_key(|k| constraint::rank(&k.constraint));
    found
}

/// The indexes whose texts the server would read with the old type.
fn indexes_of<'a>(
    types: &[(Address, Arc<Object>)],
    users: &[(Qualified, &Column)],
    schema: &'a Schema,
) -> Vec<(&'a Address, &'a Arc<Object>, &'a Index)> {
    let of = |object: &'a Arc<Object>| if let Body::Index(index) = &object.body { Some(index) } else { None };
    let all = schema.objects.iter().filter_map(|(at, object)| Some((at, object, of(object)?)));
    let about = |object: &Object, index: &Index| object.texts().iter().any(|t| speaks(t, &index.table, types, users));
    all.filter(|(_, object, index)| !index.options.contains_key("parent") && about(object, index)).collect()
}

/// The columns of a type, arrays included.
pub(crate) fn columns_of<'a>(at: &Qualified, schema: &'a Schema) -> Vec<(Qualified, &'a Column)> {
    let name = qualified(at);
    let own = |c: &&Column| c.data_type == name || c.data_type.strip_suffix("[]") == Some(&name);
    let tables = schema.tables().filter(|(_, t)| !t.options.contains_key("partition_of"));
    tables.flat_map(|(table, t)| t.columns.iter().filter(own).map(move |c| (table.clone(), c))).collect()
}
