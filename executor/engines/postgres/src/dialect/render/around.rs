//! What stands on a type that is made anew, where nothing but the schema tells: taken away before it, and made again after it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{Address, Body, Complaint, Object, ObjectKind, Schema, Sql};

use super::{anew, object};
use crate::dialect::references;

/// Statements with all that stands on a type, or on a column of it, out of their way.
pub(crate) fn without_dependants(at: &Address, schema: &Schema, middle: Vec<String>) -> Result<Vec<String>, Complaint> {
    let over = anew::types_over(at, schema).into_iter().map(|(of, _)| of);
    let mut shaken: BTreeSet<Address> = [at.clone()].into_iter().chain(over).collect();
    let types: Vec<_> = shaken.iter().map(Address::qualified).collect();
    let columns = types.iter().flat_map(|of| anew::columns_of(of, schema));
    shaken.extend(columns.map(|(table, column)| Address::column(&table, &column.name)));
    let mut needs: BTreeMap<&Address, BTreeSet<Address>> = schema
        .objects
        .iter()
        .filter(|(on, object)| is_remade(on, object, schema))
        .map(|(on, object)| (on, references::of(on, &head(object), schema, None)))
        .collect();
    loop {
        let next = |(on, of): &(&&Address, &BTreeSet<Address>)| !shaken.contains(**on) && !of.is_disjoint(&shaken);
        let next: Vec<Address> = needs.iter().filter(next).map(|(on, _)| Address::clone(on)).collect();
        if next.is_empty() {
            break;
        }
        shaken.extend(next);
    }
    needs.retain(|on, _| shaken.contains(*on));
    let mut found: Vec<(&Address, &Arc<Object>)> = Vec::new();
    while !needs.is_empty() {
        let free = |of: &BTreeSet<Address>| !of.iter().any(|need| needs.contains_key(need));
        let next: Vec<&Address> = needs.iter().filter(|(_, of)| free(of)).map(|(on, _)| *on).collect();
        // Those that need each other only say so in texts that are not looked into when they are made.
        let next = if next.is_empty() { needs.keys().copied().collect() } else { next };
        for on in next {
            needs.remove(on);
            found.extend(schema.objects.get_key_value(on));
        }
    }
    let mut sql = Vec::new();
    for (on, object) in found.iter().rev().filter(|(on, _)| on.kind() != ObjectKind::Index) {
        sql.push(object::plain_drop(on, object)?);
    }
    sql.extend(middle);
    for (on, object) in &found {
        sql.extend(object::create_sql(on, object, schema)?);
    }
    Ok(sql)
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
