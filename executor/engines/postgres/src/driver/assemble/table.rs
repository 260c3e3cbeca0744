//! Tables and their columns.

use std::collections::{BTreeMap, HashMap};

use mig_plan::{Address, Body, Column, ColumnValue, Name, ObjectKind, Qualified, Schema, Sql, Table};

use super::{Assembled, Book, Odd, class, flag, option, qualified, sequence_options, settings};
use crate::{
    dialect::inherit,
    driver::rows::{AboveRow, ColumnRow, Rows, TableRow},
};

/// Tables with their columns; constraints come later.
pub(super) fn tables(rows: &Rows, book: &Book<'_>, out: &mut Assembled) -> Result<(), Odd> {
    let mut columns: HashMap<u32, Vec<&ColumnRow>> = HashMap::new();
    for c in &rows.columns {
        columns.entry(c.relation).or_default().push(c);
    }
    for t in &rows.tables {
        let at = qualified(&t.schema, &t.name)?;
        let mut table = Table { options: table_options(t)?, ..Table::default() };
        for c in columns.get(&t.oid).into_iter().flatten() {
            let column = column(c, book)?;
            out.places.insert((class::CLASS, t.oid, i32::from(c.number)), Address::column(&at, &column.name));
            table.columns.extend(match &c.above {
                Some(above) => own(c, column, above),
                None => Some(column),
            });
        }
        out.add((class::CLASS, t.oid), Address::table(&at), t.comment.as_ref(), Body::Table(table));
    }
    homes(out);
    Ok(())
}

/// What a table says about a column that it has from a parent; `None` if nothing.
fn own(c: &ColumnRow, column: Column, above: &AboveRow) -> Option<Column> {
    let (not_null, expression, storage, compression) = above;
    let mut own = Column { data_type: String::new(), collation: None, not_null: c.not_null && !not_null, ..column };
    own.value = match (expression, &c.expression) {
        _ if !c.generated.is_empty() || !c.identity.is_empty() || expression == &c.expression => ColumnValue::Plain,
        (_, Some(text)) => ColumnValue::Default(Sql::new(text)),
        (_, None) => ColumnValue::Default(Sql::new("NULL")),
    };
    if c.storage_code == *storage {
        own.options.remove("storage");
    }
    if c.compression == *compression {
        own.options.remove("compression");
    }
    let says = own.not_null || !own.value.is_plain() || !own.options.is_empty() || own.comment.is_some();
    says.then_some(own)
}

/// Columns that a table has from a parent stand for the parent's.
fn homes(out: &mut Assembled) {
    let schema = &out.schema;
    for address in out.places.values_mut().filter(|at| at.kind() == ObjectKind::Column) {
        while let Some(home) = above(schema, address) {
            *address = home;
        }
    }
}

fn above(schema: &Schema, column: &Address) -> Option<Address> {
    let table = schema.table(&column.relation()?)?;
    if table.column(column.name()).is_some_and(|own| !own.data_type.is_empty()) {
        return None;
    }
    let parents = inherit::parents(table);
    let has = |parent: &&Qualified| {
        schema.table(parent).is_some_and(|t| t.column(column.name()).is_some() || !inherit::parents(t).is_empty())
    };
    parents.iter().find(has).map(|parent| Address::column(parent, column.name()))
}

fn table_options(t: &TableRow) -> Result<BTreeMap<String, String>, Odd> {
    let mut options = BTreeMap::new();
    flag(&mut options, "unlogged", t.unlogged);
    option(&mut options, "tablespace", t.tablespace.as_deref());
    option(&mut options, "access_method", t.access_method.as_deref());
    option(&mut options, "replica_identity", t.replica_identity.as_deref());
    option(&mut options, "clustered_on", t.clustered_on.as_deref());
    option(&mut options, "partition_by", t.partition_by.as_deref());
    option(&mut options, "of_type", t.of_type.as_deref());
    settings(&mut options, "with.", t.settings.as_ref());
    settings(&mut options, "with.toast.", t.toast_settings.as_ref());
    let security = match (t.row_security, t.forced) {
        (true, true) => Some("forced"),
        (true, false) => Some("enabled"),
        (false, true) => Some("forced-while-disabled"),
        (false, false) => None,
    };
    option(&mut options, "row_security", security);
    let parents = t.parents.iter().flatten().map(|(schema, name)| Ok(qualified(schema, name)?.to_string()));
    let parents = parents.collect::<Result<Vec<_>, Odd>>()?.join(", ");
    if let Some(bound) = &t.bound {
        for (of, own, kind, columns) in t.shares.iter().flatten() {
            let columns = if *kind == Some('p') { "" } else { columns.as_deref().unwrap_or_default() };
            if !inherit::is_given_name(&t.name, columns, *kind, own) {
                options.insert(format!("{}{of}", inherit::NAME_OF), own.clone());
            }
        }
        options.insert("partition_of".to_owned(), parents);
        options.insert("bound".to_owned(), bound.clone());
    } else if !parents.is_empty() {
        options.insert("inherits".to_owned(), parents);
    }
    Ok(options)
}

fn column(c: &ColumnRow, book: &Book<'_>) -> Result<Column, Odd> {
    let mut options = BTreeMap::new();
    let storage = c.storage.map(|s| match s {
        'p' => "plain",
        'e' => "external",
        'm' => "main",
        _ => "extended",
    });
    let compression = c.compression.as_deref().map(|c| if c == "l" { "lz4" } else { "pglz" });
    option(&mut options, "storage", storage);
    option(&mut options, "compression", compression);
    option(&mut options, "statistics", c.statistics.map(|s| s.to_string()));
    settings(&mut options, "option.", c.settings.as_ref());
    Ok(Column {
        name: Name::new(&c.name)?,
        data_type: c.data_type.clone(),
        not_null: c.not_null,
        value: value(c, book),
        collation: c.collation.clone(),
        comment: c.comment.clone(),
        options,
    })
}

fn value(c: &ColumnRow, book: &Book<'_>) -> ColumnValue {
    if !c.identity.is_empty() {
        let sequence = book.identities.get(&(c.relation, c.number)).map(|s| sequence_options(s)).unwrap_or_default();
        return ColumnValue::Identity { always: c.identity == "a", sequence };
    }
    match &c.expression {
        None => ColumnValue::Plain,
        Some(text) if c.generated.is_empty() => ColumnValue::Default(Sql::new(text)),
        Some(text) => ColumnValue::Generated { expression: Sql::new(text), stored: c.generated == "s" },
    }
}
