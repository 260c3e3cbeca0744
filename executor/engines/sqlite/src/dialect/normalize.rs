//! Puts a declared schema into SQLite's form, and says what SQLite cannot have.

use std::{collections::BTreeMap, sync::Arc};

use mig_plan::{
    Address, Body, ColumnValue, Complaint, Name, Object, ObjectKind, Qualified, Rule, Schema, Sql, Table,
    schema::{Index, IndexedBy, Validity, View},
    table::{Constraint, ForeignKey, Key},
};

use super::{names, shape, text, types};

/// The schema in SQLite's form.
pub(crate) fn normalize(declared: Schema) -> Result<Schema, Vec<Complaint>> {
    let mut complaints = Vec::new();
    let parents = keys(&declared);
    let mut schema = Schema::default();
    for (at, mut object) in declared.objects {
        if let Err(says) = names::check(at.name()) {
            complaints.push(complaint(&at, says, None));
        }
        let own = Arc::make_mut(&mut object);
        own.comment = None;
        if !own.grants.is_empty() {
            complaints.push(complaint(&at, "SQLite has no privileges to grant", Some("leave `grants` out")));
        }
        match &mut own.body {
            Body::Table(table) => table_form(&at, table, &parents, &mut complaints),
            Body::View(view) if at.kind() == ObjectKind::View => view_form(&at, view, &mut complaints),
            Body::Source(source) => source.create.iter_mut().for_each(unterminated),
            Body::Index(_) | Body::Opaque { .. } => {}
            _ => complaints.push(unknown_kind(&at)),
        }
        if matches!(object.body, Body::Source(_)) && !knows_source(at.kind()) {
            complaints.push(unknown_kind(&at));
        }
        schema.objects.insert(at, object);
    }
    indexes(&mut schema, &mut complaints);
    if complaints.is_empty() { Ok(schema) } else { Err(complaints) }
}

/// The schema as a person would write it: types in lower case.
pub(crate) fn simplify(live: &Schema) -> Schema {
    let mut schema = live.clone();
    for object in schema.objects.values_mut() {
        if let Body::Table(table) = &mut Arc::make_mut(object).body {
            for column in &mut table.columns {
                column.data_type = column.data_type.to_ascii_lowercase();
            }
        }
    }
    schema
}

pub(crate) fn complaint(at: &Address, says: impl Into<String>, help: Option<&str>) -> Complaint {
    Complaint { at: at.clone(), says: says.into(), help: help.map(str::to_owned) }
}

fn knows_source(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Trigger | ObjectKind::VirtualTable | ObjectKind::View | ObjectKind::Opaque)
}

fn unknown_kind(at: &Address) -> Complaint {
    let (what, help) = match at.kind() {
        ObjectKind::Enum => ("enum types", "declare a CHECK such as `status in ('a', 'b')` on the columns"),
        ObjectKind::Domain => ("domains", "declare the CHECK on the columns"),
        ObjectKind::Sequence => ("sequences", "set `autoincrement = \"true\"` on an INTEGER primary key"),
        ObjectKind::Namespace => ("schemas", "leave the schema away"),
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => {
            ("stored functions", "define the function in the program that connects")
        }
        ObjectKind::MaterializedView => ("materialized views", "declare a table, and triggers that keep it"),
        ObjectKind::Extension => ("extensions to install", "load the extension when connecting"),
        ObjectKind::Policy => ("row security", "check access in the program that connects"),
        kind => return complaint(at, format!("SQLite has nothing like a {kind}"), None),
    };
    complaint(at, format!("SQLite has no {what}"), Some(help))
}

fn unterminated(sql: &mut Sql) {
    *sql = Sql::new(sql.as_str().trim().trim_end_matches(';').trim_end());
}

/// The columns of the declared tables.
fn keys(schema: &Schema) -> BTreeMap<Qualified, Vec<Name>> {
    let columns = |table: &Table| table.columns.iter().map(|c| c.name.clone()).collect();
    schema.tables().map(|(at, table)| (at, columns(table))).collect()
}

fn table_form(
    at: &Address,
    table: &mut Table,
    parents: &BTreeMap<Qualified, Vec<Name>>,
    complaints: &mut Vec<Complaint>,
) {
    shape::settle(table);
    let own: Vec<Name> = table.columns.iter().map(|c| c.name.clone()).collect();
    for constraint in table.constraints.values_mut() {
        match &mut constraint.rule {
            Rule::PrimaryKey(key) | Rule::Unique(key) => key.columns.iter_mut().for_each(|name| cased(name, &own)),
            Rule::ForeignKey(fk) => foreign_key_form(fk, &own, parents),
            Rule::Check { .. } | Rule::Exclude { .. } => {}
        }
        constraint.validity = Validity::Valid;
    }
    shape::settle(table);
    columns(at, table, complaints);
    for (name, constraint) in &table.constraints {
        let at = Address::constraint(&at.qualified(), name);
        if let Some(says) = cannot_have(constraint) {
            complaints.push(complaint(&at, says, None));
        }
    }
    for option in table.options.keys().filter(|o| !matches!(o.as_str(), "strict" | "without_rowid")) {
        let help = "SQLite knows `strict` and `without_rowid`";
        complaints.push(complaint(at, format!("SQLite has no table setting `{option}`"), Some(help)));
    }
    if shape::is_without_rowid(table) && table.primary_key().is_none() {
        complaints.push(complaint(at, "a table without rowid needs a primary key", None));
    }
    if shape::is_autoincrement(table) && shape::rowid_alias(table).is_none() {
        let says = "AUTOINCREMENT needs a primary key of one column of type INTEGER, in a table with rowid";
        complaints.push(complaint(at, says, None));
    }
}

fn columns(at: &Address, table: &Table, complaints: &mut Vec<Complaint>) {
    for column in &table.columns {
        let here = Address::column(&at.qualified(), &column.name);
        if let ColumnValue::Identity { .. } = column.value {
            let help =
                "an INTEGER primary key numbers its rows by itself; `autoincrement` on it never gives one out twice";
            complaints.push(complaint(&here, "SQLite has no identity columns", Some(help)));
        }
        if shape::is_strict(table)
            && let Err(unknown) = types::check_strict(&column.data_type)
        {
            let near = unknown.near.map(|near| format!("`{near}` comes closest"));
            let says =
                format!("a strict table knows the types {}, not `{}`", types::STRICT.join(", "), column.data_type);
            complaints.push(complaint(&here, says, near.as_deref()));
        }
    }
}

fn cased(name: &mut Name, columns: &[Name]) {
    if let Some(found) = columns.iter().find(|column| names::same(column, name)) {
        name.clone_from(found);
    }
}

fn foreign_key_form(fk: &mut ForeignKey, own: &[Name], parents: &BTreeMap<Qualified, Vec<Name>>) {
    fk.columns.iter_mut().for_each(|name| cased(name, own));
    fk.references.schema = None;
    let Some((at, columns)) = parents.iter().find(|(at, _)| names::same(&at.name, &fk.references.name)) else {
        return;
    };
    fk.references = at.clone();
    fk.referenced.iter_mut().for_each(|name| cased(name, columns));
}

fn cannot_have(constraint: &Constraint) -> Option<String> {
    let key_extras = |key: &Key| {
        if !key.include.is_empty() {
            Some("SQLite cannot carry further columns along in a key")
        } else if key.nulls_not_distinct {
            Some("in SQLite two NULLs are never duplicates")
        } else {
            None
        }
    };
    let says = match &constraint.rule {
        Rule::Exclude { .. } => Some("SQLite has no EXCLUDE constraints"),
        Rule::PrimaryKey(key) | Rule::Unique(key) => key_extras(key),
        Rule::ForeignKey(fk) if !fk.on_delete_columns.is_empty() => {
            Some("SQLite cannot limit an action on delete to some columns")
        }
        _ => None,
    };
    if let Some(says) = says {
        return Some(says.to_owned());
    }
    if !constraint.deferral.is_none() && constraint.foreign_key().is_none() {
        return Some("in SQLite only foreign keys can be deferred".to_owned());
    }
    let known = |option: &String| {
        matches!(option.as_str(), "autoincrement" | "on_conflict")
            || option.starts_with("order.")
            || option.starts_with("collate.")
    };
    let stranger = constraint.options.keys().find(|option| !known(option))?;
    Some(format!("SQLite has no constraint setting `{stranger}`"))
}

fn view_form(at: &Address, view: &mut View, complaints: &mut Vec<Complaint>) {
    unterminated(&mut view.query);
    if let Some(option) = view.options.keys().next() {
        complaints.push(complaint(at, format!("SQLite has no view setting `{option}`"), None));
    }
}

fn indexes(schema: &mut Schema, complaints: &mut Vec<Complaint>) {
    let tables: BTreeMap<Qualified, Table> = schema.tables().map(|(at, table)| (at, table.clone())).collect();
    for (at, object) in &mut schema.objects {
        let object = Arc::make_mut(object);
        let Body::Index(index) = &mut object.body else { continue };
        if let Some((name, _)) = tables.iter().find(|(name, _)| names::same(&name.name, &index.table.name)) {
            index.table = name.clone();
        }
        index_form(at, object, &tables, complaints);
    }
}

fn index_form(at: &Address, object: &mut Object, tables: &BTreeMap<Qualified, Table>, complaints: &mut Vec<Complaint>) {
    let Body::Index(index) = &mut object.body else { return };
    let table = tables.get(&index.table);
    if index.method.as_ref().is_some_and(|method| method.eq_ignore_ascii_case("btree")) {
        index.method = None;
    }
    index.validity = Validity::Valid;
    for part in &mut index.parts {
        let name = match &part.what {
            IndexedBy::Column(name) => Some(name.clone()),
            IndexedBy::Expression(sql) => only_name(sql),
        };
        let column = name.and_then(|name| table?.columns.iter().find(|c| names::same(&c.name, &name)));
        if let Some(column) = column {
            part.what = IndexedBy::Column(column.name.clone());
        }
        part.collation = part.collation.take().map(|said| said.to_ascii_uppercase());
        if part.nulls_first == Some(!part.descending) {
            part.nulls_first = None;
        }
    }
    if let Some(says) = index_cannot(index) {
        complaints.push(complaint(at, says, None));
    }
}

/// The name, if an expression is nothing but one.
fn only_name(sql: &Sql) -> Option<Name> {
    let mentioned: Vec<_> = text::mentions(sql).into_iter().collect();
    let [one] = &mentioned[..] else { return None };
    let bare = super::lex::tokens(sql.as_str());
    (bare.len() == 1).then(|| one.clone())
}

fn index_cannot(index: &Index) -> Option<String> {
    if let Some(method) = &index.method {
        return Some(format!("SQLite has no index method `{method}`"));
    }
    if !index.include.is_empty() {
        return Some("SQLite cannot carry further columns along in an index".to_owned());
    }
    if index.nulls_not_distinct {
        return Some("in SQLite two NULLs are never duplicates".to_owned());
    }
    if index.parts.iter().any(|part| part.opclass.is_some()) {
        return Some("SQLite has no operator classes".to_owned());
    }
    if index.parts.iter().any(|part| part.nulls_first.is_some()) {
        return Some("SQLite sorts NULL as the smallest value in every index".to_owned());
    }
    index.options.keys().next().map(|option| format!("SQLite has no index setting `{option}`"))
}
