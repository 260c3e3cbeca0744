//! What stands on a type that is made anew, where nothing but the schema tells: taken away before it, and made again after it.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Address, Body, Column, ColumnValue, Complaint, Object, ObjectKind, Schema, Sql, Table};

use super::{anew, computed, object};
use crate::dialect::{
    names::{qualified, quote},
    references,
};

/// Statements with all that stands on a type, or on a column of it, out of their way.
pub(crate) fn without_dependants(at: &Address, schema: &Schema, middle: Vec<String>) -> Result<Vec<String>, Complaint> {
    let over = anew::types_over(at, schema).into_iter().map(|(of, _)| of);
    let mut shaken: BTreeSet<Address> = [at.clone()].into_iter().chain(over).collect();
    let types: Vec<_> = shaken.iter().map(Address::qualified).collect();
    let columns = types.iter().flat_map(|of| anew::columns_of(of, schema));
    shaken.extend(columns.map(|(table, column)| Address::column(&table, &column.name)));
    without(shaken, schema, middle)
}

/// Statements with all that stands on some things out of their way.
pub(crate) fn without(
    mut shaken: BTreeSet<Address>,
    schema: &Schema,
    middle: Vec<String>,
) -> Result<Vec<String>, Complaint> {
    let mut needs: BTreeMap<&Address, BTreeSet<Address>> = schema
        .objects
        .iter()
        .filter(|(on, object)| is_remade(on, object, schema))
        .map(|(on, object)| (on, references::of(on, &head(object), schema, None)))
        .collect();
    let computed = computed_columns(schema);
    needs.extend(computed.iter().map(|(on, (_, of))| (on, of.clone())));
    loop {
        let next = |(on, of): &(&&Address, &BTreeSet<Address>)| !shaken.contains(**on) && !of.is_disjoint(&shaken);
        let next: Vec<Address> = needs.iter().filter(next).map(|(on, _)| Address::clone(on)).collect();
        if next.is_empty() {
            break;
        }
        shaken.extend(next);
    }
    needs.retain(|on, _| shaken.contains(*on));
    let mut found: Vec<&Address> = Vec::new();
    while !needs.is_empty() {
        let free = |of: &BTreeSet<Address>| !of.iter().any(|need| needs.contains_key(need));
        let next: Vec<&Address> = needs.iter().filter(|(_, of)| free(of)).map(|(on, _)| *on).collect();
        // Those that need each other only say so in texts that are not looked into when they are made.
        let next = if next.is_empty() { needs.keys().copied().collect() } else { next };
        for on in next {
            needs.remove(on);
            found.push(on);
        }
    }
    let object = |on: &Address| schema.objects.get(on);
    let mut sql = Vec::new();
    for on in found.iter().rev().filter(|on| on.kind() != ObjectKind::Index) {
        match (computed.get(*on), object(on)) {
            (Some((column, _)), _) => sql.push(stopped(on, column)),
            (None, Some(object)) => sql.push(object::plain_drop(on, object)?),
            (None, None) => {}
        }
    }
    sql.extend(middle);
    for on in found {
        match (computed.get(on), object(on), on.relation()) {
            (Some((column, _)), _, Some(table)) => sql.extend(computed::again(&table, column, schema)?),
            (_, Some(object), _) => sql.extend(object::create_sql(on, object, schema)?),
            _ => {}
        }
    }
    Ok(sql)
}

/// The columns that are computed, each with what it is computed from.
fn computed_columns(schema: &Schema) -> BTreeMap<Address, (&Column, BTreeSet<Address>)> {
    let mut found = BTreeMap::new();
    for (table, content) in schema.tables() {
        for column in content.columns.iter().filter(|column| !column.data_type.is_empty()) {
            let ColumnValue::Generated { expression, .. } = &column.value else { continue };
            let alone = Object::new(Body::Table(Table { columns: vec![column.clone()], ..Table::default() }));
            let mut needs = references::of(&Address::table(&table), &alone, schema, None);
            needs.extend(references::columns_in(expression).iter().map(|name| Address::column(&table, name)));
            found.insert(Address::column(&table, &column.name), (column, needs));
        }
    }
    found
}

/// The statement after which a column is not computed any more, and keeps what it has.
fn stopped(on: &Address, column: &Column) -> String {
    let table = on.relation().map(|table| qualified(&table)).unwrap_or_default();
    format!("ALTER TABLE {table} ALTER COLUMN {} DROP EXPRESSION", quote(&column.name))
}

/// Whether an object is dropped and made again; indexes of materialized views go with those.
fn is_remade(at: &Address, object: &Object, schema: &Schema) -> bool {
    use ObjectKind::{Aggregate, Function, MaterializedView, Other, Policy, Procedure, Rule, Trigger, View};
    match &object.body {
        Body::Index(index) => schema.objects.contains_key(&Address::new(MaterializedView, &index.table)),
        _ => matches!(
            at.kind(),
            View | MaterializedView | Function | Procedure | Aggregate | Trigger | Policy | Rule | Other
        ),
    }
}

/// A routine without a body that the server does not look into.
fn head(object: &Object) -> Object {
    let mut head = object.clone();
    if let Body::Source(source) = &mut head.body {
        for text in &mut source.create {
            if let Some((before, _)) = text.as_str().split_once("\nAS $") {
                *text = Sql::new(before);
            }
        }
    }
    head
}
