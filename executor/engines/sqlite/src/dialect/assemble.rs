//! Makes the model out of the rows of `sqlite_schema`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Constraint, Fingerprint, Name, Object, ObjectKind, Rule, Schema, Sql, Table,
    schema::{Index, IndexPart, IndexedBy, Source, Validity, View},
    table::{ForeignKey, Key},
};

use super::{
    ddl::{self, ParsedConstraint, ParsedKey, ParsedPart, ParsedRule, ParsedTable},
    names, refs, shape,
};

/// A row of `sqlite_schema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRow {
    /// `table`, `index`, `view` or `trigger`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The table that it belongs to; itself for a table.
    pub table: String,
    /// Its CREATE statement; none for what SQLite makes by itself.
    pub sql: Option<String>,
    /// Whether it is a table that a virtual table keeps its content in.
    pub shadow: bool,
}

/// What a database holds: its objects, and what each needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assembled {
    /// The objects.
    pub schema: Schema,
    /// What each object needs to exist.
    pub depends: BTreeMap<Address, BTreeSet<Address>>,
}

/// Makes the model out of the rows of `sqlite_schema`, in any order. Mig's own objects and SQLite's are left out.
#[must_use]
pub fn assemble(rows: &[SchemaRow]) -> Assembled {
    let shadows: BTreeSet<String> = rows.iter().filter(|r| r.shadow).map(|r| r.name.to_ascii_lowercase()).collect();
    let counts = |row: &&SchemaRow| {
        let table = row.table.to_ascii_lowercase();
        let own = names::is_own(&row.name) || names::is_own(&table);
        !(own || names::is_internal(&row.name) || shadows.contains(&table))
    };
    let mut rows: Vec<_> = rows.iter().filter(counts).collect();
    rows.sort_by_key(|row| (order(&row.kind), row.name.clone()));
    let parsed = parse_tables(&rows);
    let mut schema = Schema::default();
    for row in rows {
        if let Some((at, body)) = object(row, &parsed, &schema) {
            schema.objects.insert(at, Object::new(body).into());
        }
    }
    let needs = |(at, object): (&Address, &Arc<Object>)| (at.clone(), refs::references(at, object, &schema));
    let depends = schema.objects.iter().map(needs).filter(|(_, needs)| !needs.is_empty()).collect();
    Assembled { schema, depends }
}

/// Tables first, so that the others find them.
fn order(kind: &str) -> u8 {
    match kind {
        "table" => 0,
        "view" => 1,
        _ => 2,
    }
}

/// Parsed tables by name.
type Parsed = BTreeMap<Name, ParsedTable>;

fn parse_tables(rows: &[&SchemaRow]) -> Parsed {
    let tables = rows.iter().filter(|row| row.kind == "table");
    let parsed = tables.filter_map(|row| Some((Name::new(&*row.name).ok()?, ddl::table(row.sql.as_deref()?)?)));
    parsed.collect()
}

fn object(row: &SchemaRow, parsed: &Parsed, schema: &Schema) -> Option<(Address, Body)> {
    let sql = row.sql.as_deref()?;
    let name = Name::new(&*row.name).ok()?;
    let at = names::unqualified(name.clone());
    let opaque = |what: &str| {
        let digest = Fingerprint::of_bytes(sql.as_bytes()).to_string();
        (Address::new(ObjectKind::Opaque, &at), Body::Opaque { what: what.to_owned(), digest })
    };
    let source = || Body::Source(Source { create: vec![statement(sql)], needs: BTreeSet::new() });
    Some(match row.kind.as_str() {
        "table" => match parsed.get(&name) {
            Some(table) => (Address::table(&at), Body::Table(build(&name, table, parsed))),
            None if is_virtual(sql) => (Address::new(ObjectKind::VirtualTable, &at), source()),
            None => opaque("table"),
        },
        "index" => match ddl::index(sql) {
            Some(index) => (Address::index(&at), Body::Index(build_index(index, schema))),
            None => opaque("index"),
        },
        "view" => match ddl::view(sql) {
            Some((columns, query)) => {
                let view = View { query: Sql::new(query), columns, options: BTreeMap::new() };
                (Address::new(ObjectKind::View, &at), Body::View(view))
            }
            None => opaque("view"),
        },
        "trigger" => {
            let on = relation_name(&row.table, schema)?;
            (Address::member(ObjectKind::Trigger, &names::unqualified(on), name), source())
        }
        other => opaque(other),
    })
}

fn is_virtual(sql: &str) -> bool {
    super::lex::Walk::new(sql).words(&["create", "virtual"])
}

fn statement(sql: &str) -> Sql {
    Sql::new(sql.trim().trim_end_matches(';').trim_end())
}

/// The name of a relation as its definition writes it.
fn relation_name(name: &str, schema: &Schema) -> Option<Name> {
    let relation = |at: &&Address| {
        matches!(at.kind(), ObjectKind::Table | ObjectKind::View | ObjectKind::VirtualTable)
            && at.name().as_str().eq_ignore_ascii_case(name)
    };
    schema.objects.keys().find(relation).map(|at| at.name().clone()).or_else(|| Name::new(name).ok())
}

fn build(name: &Name, parsed: &ParsedTable, tables: &Parsed) -> Table {
    let mut table = Table { columns: parsed.columns.clone(), ..Table::default() };
    if parsed.strict {
        table.options.insert("strict".to_owned(), "true".to_owned());
    }
    if parsed.without_rowid {
        table.options.insert("without_rowid".to_owned(), "true".to_owned());
    }
    let mut taken: BTreeSet<Name> = parsed.constraints.iter().filter_map(|c| c.name.clone()).collect();
    for parsed_constraint in &parsed.constraints {
        let constraint = build_constraint(parsed_constraint, parsed, tables);
        let given = parsed_constraint.name.clone().filter(|given| !table.constraints.contains_key(given));
        let name = given.unwrap_or_else(|| names::of_constraint(name, &constraint, &taken));
        taken.insert(name.clone());
        table.constraints.insert(name, constraint);
    }
    shape::settle(&mut table);
    table
}

fn build_constraint(parsed: &ParsedConstraint, own: &ParsedTable, tables: &Parsed) -> Constraint {
    let (rule, options) = match &parsed.rule {
        ParsedRule::PrimaryKey { parts, autoincrement } => {
            let (key, mut options) = key(parts, own);
            if *autoincrement {
                options.insert("autoincrement".to_owned(), "true".to_owned());
            }
            if parsed.column.is_none() {
                shape::unordered_alias(&key, own, &mut options);
            }
            (Rule::PrimaryKey(key), options)
        }
        ParsedRule::Unique { parts } => {
            let (key, options) = key(parts, own);
            (Rule::Unique(key), options)
        }
        ParsedRule::Check(text) => (Rule::Check { expression: Sql::new(text.clone()) }, BTreeMap::new()),
        ParsedRule::ForeignKey(fk) => (Rule::ForeignKey(foreign_key(fk, own, tables)), BTreeMap::new()),
    };
    let mut constraint = Constraint { deferral: parsed.deferral, options, ..Constraint::new(rule) };
    if let Some(action) = parsed.on_conflict.as_ref().filter(|action| *action != "abort") {
        constraint.options.insert("on_conflict".to_owned(), action.clone());
    }
    constraint
}

/// The name of a column as its table writes it.
fn cased(name: &Name, table: &ParsedTable) -> Name {
    let found = table.columns.iter().find(|c| names::same(&c.name, name));
    found.map_or_else(|| name.clone(), |c| c.name.clone())
}

fn key(parts: &[ParsedPart], own: &ParsedTable) -> (Key, BTreeMap<String, String>) {
    let mut columns = Vec::new();
    let mut options = BTreeMap::new();
    for part in parts {
        let Some(name) = part.column.as_ref().map(|name| cased(name, own)) else { continue };
        if part.descending {
            options.insert(format!("order.{}", name.as_str()), "desc".to_owned());
        }
        let column = own.columns.iter().find(|c| c.name == name);
        if let Some(collation) = shape::own_collation(part.collation.as_deref(), column) {
            options.insert(format!("collate.{}", name.as_str()), collation);
        }
        columns.push(name);
    }
    (Key { columns, include: Vec::new(), nulls_not_distinct: false }, options)
}

fn foreign_key(fk: &ParsedKey, own: &ParsedTable, tables: &Parsed) -> ForeignKey {
    let parent = tables.iter().find(|(name, _)| names::same(name, &fk.parent));
    let referenced = match parent {
        Some((_, parent)) => fk.referenced.iter().map(|name| cased(name, parent)).collect(),
        None => fk.referenced.clone(),
    };
    ForeignKey {
        columns: fk.columns.iter().map(|name| cased(name, own)).collect(),
        references: names::unqualified(parent.map_or(&fk.parent, |(name, _)| name).clone()),
        referenced,
        on_update: fk.on_update,
        on_delete: fk.on_delete,
        on_delete_columns: Vec::new(),
        match_full: fk.match_full,
    }
}

fn build_index(parsed: ddl::ParsedIndex, schema: &Schema) -> Index {
    let name = relation_name(parsed.table.as_str(), schema).unwrap_or(parsed.table);
    let at = names::unqualified(name);
    let columns = schema.table(&at).map(|t| t.columns.as_slice()).unwrap_or_default();
    let part = |part: ParsedPart| {
        let column = part.column.as_ref().and_then(|name| columns.iter().find(|c| names::same(&c.name, name)));
        let what = match column {
            Some(column) => IndexedBy::Column(column.name.clone()),
            None => IndexedBy::Expression(Sql::new(part.text)),
        };
        let collation = part.collation.map(|said| said.to_ascii_uppercase());
        IndexPart { what, collation, opclass: None, descending: part.descending, nulls_first: None }
    };
    let parts = parsed.parts.into_iter().map(part).collect();
    Index {
        parts,
        table: at,
        unique: parsed.unique,
        method: None,
        include: Vec::new(),
        predicate: parsed.predicate.map(Sql::new),
        nulls_not_distinct: false,
        options: BTreeMap::new(),
        validity: Validity::Valid,
    }
}
