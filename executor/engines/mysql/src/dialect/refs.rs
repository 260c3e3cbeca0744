//! What a definition needs to exist.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, ColumnValue, Name, Object, ObjectKind, Qualified, Schema,
    schema::{Index, IndexedBy},
};

use super::text;

/// Whether the first parts of an index are these columns, whole.
pub(crate) fn leads(index: &Index, columns: &[Name]) -> bool {
    index.method.is_none()
        && index.parts.len() >= columns.len()
        && index.parts.iter().zip(columns).all(|(part, column)| {
            part.opclass.is_none() && matches!(&part.what, IndexedBy::Column(name) if name == column)
        })
}

/// What an object's definition needs among the objects and columns of a schema.
pub(crate) fn references(at: &Address, object: &Object, schema: &Schema) -> BTreeSet<Address> {
    let mut out = BTreeSet::new();
    match &object.body {
        Body::Table(table) => {
            for column in &table.columns {
                if let ColumnValue::Default(sql) | ColumnValue::Generated { expression: sql, .. } = &column.value {
                    named(sql.as_str(), schema, &[ObjectKind::Sequence], &mut out);
                    if matches!(column.value, ColumnValue::Generated { .. }) {
                        let mentioned = text::mentions(sql);
                        let own = at.qualified();
                        let columns = schema.table(&own).into_iter().flat_map(|t| &t.columns);
                        let used = columns.filter(|c| mentioned.contains(&c.name) && c.name != column.name);
                        out.extend(used.map(|c| Address::column(&own, &c.name)));
                    }
                }
            }
        }
        Body::Index(index) => {
            out.insert(Address::table(&index.table));
            for part in &index.parts {
                match &part.what {
                    IndexedBy::Column(name) => {
                        out.insert(Address::column(&index.table, name));
                    }
                    IndexedBy::Expression(sql) => {
                        let mentioned = text::mentions(sql);
                        out.extend(mentioned.iter().map(|name| Address::column(&index.table, name)));
                    }
                }
            }
            out.retain(|need| schema.contains(need));
        }
        Body::View(view) => {
            let kinds = [ObjectKind::Table, ObjectKind::View, ObjectKind::Sequence, ObjectKind::Function];
            named(view.query.as_str(), schema, &kinds, &mut out);
        }
        Body::Source(source) => {
            out.extend(source.needs.iter().cloned());
            if let Some(table) = at.relation() {
                let relation = [ObjectKind::Table, ObjectKind::View].map(|kind| Address::new(kind, &table));
                out.extend(relation.into_iter().filter(|need| schema.contains(need)));
                // A trigger's body is looked at when the trigger is made.
                let kinds = [ObjectKind::Table, ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Sequence];
                for text in &source.create {
                    named(text.as_str(), schema, &kinds, &mut out);
                }
            }
        }
        _ => {}
    }
    out.remove(at);
    if at.kind() == ObjectKind::Table {
        out.retain(|need| need.holder() != *at || need.kind() == ObjectKind::Column);
    }
    out
}

/// The objects of some kinds that a text names, with those of their columns that it names.
fn named(sql: &str, schema: &Schema, kinds: &[ObjectKind], out: &mut BTreeSet<Address>) {
    let words = text::identifiers(sql);
    for (at, object) in &schema.objects {
        if !kinds.contains(&at.kind()) || !words.contains(at.name().as_str()) {
            continue;
        }
        out.insert(at.clone());
        if let Body::Table(table) = &object.body {
            let columns = table.columns.iter().filter(|c| words.contains(c.name.as_str()));
            out.extend(columns.map(|c| Address::column(&at.qualified(), &c.name)));
        }
    }
}

/// The names in the text of a view or in the body of a trigger. What a trigger is on is not in its body: that the server keeps right.
pub(crate) fn words(object: &Object) -> BTreeSet<String> {
    match &object.body {
        Body::View(view) => text::identifiers(view.query.as_str()),
        Body::Source(source) => source.create.iter().flat_map(|sql| text::identifiers_of_body(sql.as_str())).collect(),
        _ => BTreeSet::new(),
    }
}

/// Whether a view or trigger names a table or column that has another name after the renames.
pub(crate) fn outdated(
    at: &Address,
    object: &Object,
    base: &Schema,
    tables: &BTreeMap<Qualified, Qualified>,
    columns: &BTreeMap<Address, Name>,
) -> bool {
    if !matches!(at.kind(), ObjectKind::View | ObjectKind::Trigger) {
        return false;
    }
    let words = words(object);
    let says = |name: &Name| words.contains(name.as_str());
    let on = at.relation();
    let names_table = tables.iter().any(|(now, was)| now != was && says(&was.name));
    let names_column = columns.iter().filter_map(|(now, was)| Some((now.relation()?, was))).any(|(now, was)| {
        let table = tables.get(&now).unwrap_or(&now);
        let concerned = says(&table.name) || on.as_ref() == Some(table);
        concerned && says(was) && base.table(table).is_some_and(|t| t.column(was).is_some())
    });
    names_table || names_column
}
