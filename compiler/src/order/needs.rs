//! What a thing is built on, as the rules of order see it.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Name, Object, ObjectKind, Qualified, Schema, Sql, Table,
    schema::{Index, IndexedBy},
    table::{ForeignKey, Rule},
};

use super::{marks::Footmarks, rules::Ground};

/// The columns and tables that an expression over a table's rows may read: of its own table any that it names, of others all
/// tables that it names with every column that it names.
pub(super) fn expression_reads(table: &Qualified, expression: &Sql, ground: &Ground<'_>, marks: &mut Footmarks) {
    let names = ground.dialect.mentions(expression);
    for schema in [ground.live, ground.goal] {
        for (other, content) in schema.tables() {
            if other != *table && !names.contains(&other.name) {
                continue;
            }
            marks.reads.insert(Address::table(&other));
            let named = content.columns.iter().filter(|c| names.contains(&c.name));
            marks.reads.extend(named.map(|c| Address::column(&other, &c.name)));
        }
    }
    // The old name of a renamed column, as long as it is served.
    for (now, base) in ground.columns.iter().filter(|(_, base)| names.contains(*base)) {
        let of = now.relation().filter(|of| of != table && names.contains(&of.name));
        marks.reads_served.extend(of.map(|of| Address::column(&of, base)));
    }
}

/// Whether a constraint works without an index.
pub(super) fn is_bare(rule: &Rule) -> bool {
    matches!(rule, Rule::ForeignKey(_) | Rule::Check { .. })
}

/// Columns and constraints live and go with their table.
pub(super) fn members(at: &Address, body: &Body, into: &mut BTreeSet<Address>) {
    if let Body::Table(table) = body {
        let own = at.qualified();
        into.extend(table.columns.iter().map(|c| Address::column(&own, &c.name)));
        into.extend(table.constraints.keys().map(|name| Address::constraint(&own, name)));
    }
}

pub(super) fn bare_members(at: &Address, body: &Body, marks: &mut Footmarks) {
    if let Body::Table(table) = body {
        let bare = table.constraints.iter().filter(|(_, c)| is_bare(&c.rule));
        marks.bare.extend(bare.map(|(name, _)| Address::constraint(&at.qualified(), name)));
    }
}

/// The schema that an object is in.
pub(super) fn container(at: &Address, marks: &mut Footmarks) {
    if let Some(schema) = at.qualified().schema {
        marks.stands_on.insert(Address::global(ObjectKind::Namespace, schema));
    }
}

/// What the live object, column or constraint at an address is built on; `object` is a whole object as it then is.
pub(super) fn lets_go(at: &Address, object: Option<&Object>, ground: &Ground<'_>, marks: &mut Footmarks) {
    let own = at.holder();
    // A table as it then is says itself what it is built on.
    if object.is_none() || at.kind() != ObjectKind::Table {
        marks.lets_go.extend(ground.depends.get(at).into_iter().flatten().cloned());
    }
    if own == *at
        && let Some(object) = object
    {
        marks.lets_go.extend(ground.dialect.references(at, object, ground.live));
        if at.kind() == ObjectKind::Table {
            // A constraint that went in a step before holds nothing any more; a column holds on while the table stands.
            let mut parts = BTreeSet::new();
            members(at, &object.body, &mut parts);
            let columns = ground.live.table(&at.qualified()).into_iter().flat_map(|table| &table.columns);
            parts.extend(columns.map(|column| Address::column(&at.qualified(), &column.name)));
            marks.lets_go.extend(parts.iter().filter_map(|part| ground.depends.get(part)).flatten().cloned());
        }
    }
    if let Some(schema) = at.qualified().schema.filter(|_| own == *at) {
        marks.lets_go.insert(Address::global(ObjectKind::Namespace, schema));
    }
    marks.lets_go.retain(|need| need.holder() != own || need.kind() == ObjectKind::Constraint);
}

/// What a column needs in the goal: what a table needs that has only that column.
pub(super) fn column_needs(table: &Qualified, column: &Column, ground: &Ground<'_>) -> BTreeSet<Address> {
    let mut needs = part_needs(table, Table { columns: vec![column.clone()], ..Table::default() }, ground, ground.goal);
    if let (ColumnValue::Generated { expression, .. }, Some(content)) = (&column.value, ground.goal.table(table)) {
        let names = ground.dialect.mentions(expression);
        let read = content.columns.iter().filter(|c| names.contains(&c.name));
        needs.extend(read.map(|c| Address::column(table, &c.name)));
    }
    needs.remove(&Address::column(table, &column.name));
    needs
}

/// What a column of a goal table needs.
pub(super) fn named_column_needs(table: &Qualified, column: &Name, ground: &Ground<'_>) -> BTreeSet<Address> {
    let found = ground.goal.column(&Address::column(table, column));
    found.map(|column| column_needs(table, column, ground)).unwrap_or_default()
}

/// What a table needs that has only some parts.
fn part_needs(table: &Qualified, parts: Table, ground: &Ground<'_>, schema: &Schema) -> BTreeSet<Address> {
    let at = Address::table(table);
    let mut needs = ground.dialect.references(&at, &Object::new(Body::Table(parts)), schema);
    needs.remove(&at);
    needs
}

/// What a live column is built on as it then is: without what its value needed, once it has let go of that.
pub(super) fn column_lets_go(table: &Qualified, now: &Column, ground: &Ground<'_>, marks: &mut Footmarks) {
    let at = Address::column(table, &now.name);
    lets_go(&at, None, ground, marks);
    if let Some(live) = ground.live.column(&at).filter(|live| now.value.is_plain() && !live.value.is_plain()) {
        let over = code_of(table, live, ground, ground.live);
        marks.lets_go.retain(|need| !over.contains(need));
    }
}

/// The code that the value of a column needs.
pub(super) fn code_of(table: &Qualified, column: &Column, ground: &Ground<'_>, schema: &Schema) -> BTreeSet<Address> {
    let needs = |column: &Column| {
        let parts = Table { columns: vec![column.clone()], ..Table::default() };
        part_needs(table, parts, ground, schema)
    };
    if column.value.is_plain() {
        return BTreeSet::new();
    }
    let bare = needs(&Column { value: ColumnValue::Plain, ..column.clone() });
    let code = |need: &Address| matches!(need.kind(), ObjectKind::Function | ObjectKind::Aggregate | ObjectKind::Other);
    needs(column).into_iter().filter(|need| code(need) && !bare.contains(need)).collect()
}

pub(super) fn constraint_needs(table: &Qualified, rule: &Rule, ground: &Ground<'_>, marks: &mut Footmarks) {
    marks.stands_on.insert(Address::table(table));
    match rule {
        Rule::PrimaryKey(key) | Rule::Unique(key) => {
            marks.stands_on.extend(key.columns.iter().chain(&key.include).flat_map(|c| ground.column(table, c)));
        }
        Rule::ForeignKey(fk) => foreign_key_needs(table, fk, ground, marks),
        Rule::Check { expression } | Rule::Exclude { definition: expression } => {
            let names = ground.dialect.mentions(expression);
            if let Some(content) = ground.goal.table(table).or_else(|| ground.live.table(table)) {
                let named = content.columns.iter().filter(|c| names.contains(&c.name));
                marks.stands_on.extend(named.map(|c| Address::column(table, &c.name)));
            }
            let code = |at: &Address| {
                use ObjectKind::{Aggregate, Domain, Enum, Function, Other, Type};
                matches!(at.kind(), Function | Aggregate | Other | Enum | Domain | Type)
            };
            let constraints = BTreeMap::from([(table.name.clone(), Constraint::new(rule.clone()))]);
            let needs = part_needs(table, Table { constraints, ..Table::default() }, ground, ground.goal);
            marks.stands_on.extend(needs.into_iter().filter(code));
        }
    }
}

/// A foreign key needs its columns, and what tells the rows apart that it refers to.
fn foreign_key_needs(table: &Qualified, fk: &ForeignKey, ground: &Ground<'_>, marks: &mut Footmarks) {
    marks.stands_on.extend(fk.columns.iter().flat_map(|c| ground.column(table, c)));
    marks.stands_on.insert(Address::table(&fk.references));
    marks.stands_on.extend(fk.referenced.iter().flat_map(|c| ground.column(&fk.references, c)));
    for schema in [ground.goal, ground.live] {
        let carries = |index: &Index| {
            let parts = index.parts.iter().map(|p| &p.what);
            index.parts.len() >= fk.columns.len()
                && parts.zip(&fk.columns).all(|(part, c)| *part == IndexedBy::Column(c.clone()))
        };
        let own = schema.indexes_of(table).filter(|(_, index)| carries(index));
        marks.stands_on.extend(own.map(|(at, _)| at.clone()));
        let Some(target) = schema.table(&fk.references) else { continue };
        let wanted: BTreeSet<_> = fk.referenced.iter().collect();
        let is_key = |c: &Constraint| c.key().is_some_and(|key| key.columns.iter().collect::<BTreeSet<_>>() == wanted);
        let keys = target.constraints.iter().filter(|(_, c)| is_key(c));
        let mut led_to: BTreeSet<_> = keys.map(|(name, _)| Address::constraint(&fk.references, name)).collect();
        for (at, index) in schema.indexes_of(&fk.references) {
            let column = |c: &Name| index.parts.iter().any(|p| p.what == IndexedBy::Column(c.clone()));
            if index.unique && index.parts.len() == fk.referenced.len() && fk.referenced.iter().all(column) {
                led_to.insert(at.clone());
            }
        }
        marks.outlives.extend(led_to.iter().cloned());
        marks.stands_on.extend(led_to);
    }
}
