//! The one form of a declared schema: what the server implies is written out, what says nothing is left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Column, ColumnValue, Complaint, Constraint, Name, Object, ObjectKind, Qualified, Rule, Schema, Sql,
    Table,
    schema::{Index, IndexPart, IndexedBy, SequenceOptions, Validity, View},
};

use super::{names, refs, text, types};
use crate::flavor::{Flavor, canonical_charset, charset_of};

/// The option that makes a check belong to its column.
pub(crate) const LEVEL: &str = "level";

/// Where an index of a table lives.
pub(crate) fn index_at(table: &Qualified, name: &Name) -> Qualified {
    Qualified::new(Some(table.name.clone()), name.clone())
}

/// Puts a declared schema into its one form.
pub(crate) fn normalize(flavor: &Flavor, mut schema: Schema) -> Result<Schema, Vec<Complaint>> {
    let mut complaints = Vec::new();
    let mut more: Vec<(Address, Object)> = Vec::new();
    for (at, object) in &mut schema.objects {
        complaints.extend(kept_lower(flavor, at));
        match &mut Arc::make_mut(object).body {
            Body::Table(table) => {
                let name = at.qualified();
                settle_options(flavor, table);
                settle_columns(flavor, table);
                settle_constraints(&name, table, &mut more, &mut complaints);
            }
            Body::Index(index) => settle_index(index, None),
            Body::View(view) => settle_view(view),
            Body::Sequence(sequence) => {
                sequence.data_type = "bigint".to_owned();
                sequence.owned_by = None;
                settle_sequence(&mut sequence.options);
            }
            Body::Source(_) | Body::Opaque { .. } => {}
            Body::Namespace {}
            | Body::DefaultPrivileges {}
            | Body::Extension(_)
            | Body::Enum { .. }
            | Body::Domain(_) => {
                let says = format!("MySQL and MariaDB have no {} of its own", at.kind());
                complaints.push(Complaint { at: at.clone(), says, help: None });
            }
        }
    }
    for (at, object) in more {
        schema.objects.entry(at).or_insert(object.into());
    }
    settle_index_parts(&mut schema);
    implied_indexes(&mut schema);
    if complaints.is_empty() { Ok(schema) } else { Err(complaints) }
}

/// A name that the server would not keep as it is written: the next plan would not know it again.
fn kept_lower(flavor: &Flavor, at: &Address) -> Option<Complaint> {
    let lower = at.name().as_str().to_lowercase();
    let kept = matches!(at.kind(), ObjectKind::Table | ObjectKind::View) && flavor.lower;
    (kept && lower != at.name().as_str()).then(|| Complaint {
        at: at.clone(),
        says: "this server keeps the names of tables and views in lower case (lower_case_table_names = 1)".to_owned(),
        help: Some(format!("write `{lower}`")),
    })
}

/// The collation that a table's columns have unless they say otherwise.
pub(crate) fn collation_of(flavor: &Flavor, table: &Table) -> String {
    table.options.get("collation").cloned().unwrap_or_else(|| flavor.collation.clone())
}

/// The engine as the catalog writes it.
fn engine(name: &str) -> String {
    const ENGINES: &[&str] =
        &["InnoDB", "MyISAM", "MEMORY", "Aria", "CSV", "ARCHIVE", "BLACKHOLE", "RocksDB", "FEDERATED"];
    let known = ENGINES.iter().find(|known| known.eq_ignore_ascii_case(name));
    known.map_or_else(|| name.to_owned(), |known| (*known).to_owned())
}

pub(crate) fn settle_options(flavor: &Flavor, table: &mut Table) {
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in std::mem::take(&mut table.options) {
        let key = key.to_ascii_lowercase();
        match key.as_str() {
            "charset" | "character_set" => {
                let charset = canonical_charset(&value);
                options.entry("collation".to_owned()).or_insert_with(|| flavor.default_collation(&charset));
            }
            "collate" | "collation" => {
                options.insert("collation".to_owned(), flavor.canonical_collation(&value));
            }
            "engine" => {
                options.insert(key, engine(&value));
            }
            "auto_increment" => {}
            "row_format" => {
                options.insert(key, value.to_ascii_uppercase());
            }
            _ => {
                options.insert(key, value);
            }
        }
    }
    options.entry("collation".to_owned()).or_insert_with(|| flavor.collation.clone());
    options.entry("engine".to_owned()).or_insert_with(|| "InnoDB".to_owned());
    // An option of Aria has no meaning elsewhere, where the server may go on to show it; its defaults, the catalog shows at times.
    let aria = options.get("engine").is_some_and(|e| e == "Aria");
    let of_aria = |key: &str| matches!(key, "page_checksum" | "transactional");
    options.retain(|key, value| !of_aria(key) || aria && value != "1");
    table.options = options;
}

fn settle_columns(flavor: &Flavor, table: &mut Table) {
    let of_table = collation_of(flavor, table);
    let mut checks = Vec::new();
    for column in &mut table.columns {
        let charset = column.options.remove("charset").map(|c| canonical_charset(&c));
        let said = column.collation.take().map(|c| flavor.canonical_collation(&c));
        column.collation = said.or_else(|| charset.map(|c| flavor.default_collation(&c)));
        if flavor.json_is_text() && types::base(&column.data_type) == "json" {
            column.data_type = "longtext".to_owned();
            column.collation = Some("utf8mb4_bin".to_owned());
            checks.push((column.name.clone(), json_check(&column.name)));
        }
        if !types::is_text(&column.data_type) || column.collation.as_deref() == Some(&of_table) {
            column.collation = None;
        }
        if let ColumnValue::Identity { always, sequence } = &mut column.value {
            *always = false;
            *sequence = SequenceOptions::default();
            column.not_null = true;
        }
        if let ColumnValue::Default(value) = &column.value
            && value.as_str().trim().eq_ignore_ascii_case("null")
        {
            column.value = ColumnValue::Plain;
        }
        column.options.retain(|_, value| value != "false");
        if let Some(update) = column.options.get_mut("on_update") {
            *update = on_update(flavor, update);
        }
    }
    for (name, check) in checks {
        table.constraints.entry(name).or_insert(check);
    }
}

/// The moment that a column takes on update, in the catalog's spelling.
pub(crate) fn on_update(flavor: &Flavor, said: &str) -> String {
    let lower = said.trim().to_ascii_lowercase();
    let argument = lower.find('(').map_or("", |open| &lower[open..]);
    match (flavor.is_maria(), argument) {
        (true, "") => "current_timestamp()".to_owned(),
        (false, "" | "()") => "current_timestamp".to_owned(),
        (_, argument) => format!("current_timestamp{argument}"),
    }
}

/// The check that MariaDB gives a JSON column.
fn json_check(column: &Name) -> Constraint {
    let mut check =
        Constraint::new(Rule::Check { expression: Sql::new(format!("json_valid({})", names::quote(column))) });
    check.options.insert(LEVEL.to_owned(), "column".to_owned());
    check
}

fn settle_constraints(
    at: &Qualified,
    table: &mut Table,
    more: &mut Vec<(Address, Object)>,
    complaints: &mut Vec<Complaint>,
) {
    for (name, mut constraint) in std::mem::take(&mut table.constraints) {
        constraint.validity = Validity::Valid;
        match &constraint.rule {
            Rule::PrimaryKey(key) => {
                let usual = usual_method(table.options.get("engine").map(String::as_str));
                constraint.options.retain(|key, value| key != "method" || !value.eq_ignore_ascii_case(usual));
                for column in key.columns.clone() {
                    if let Some(column) = table.column_mut(&column) {
                        column.not_null = true;
                    }
                }
                let name = Name::new(names::PRIMARY).expect("a word");
                table.constraints.insert(name, constraint);
            }
            Rule::Unique(key) => {
                let part = |what: &Name| IndexPart {
                    what: IndexedBy::Column(what.clone()),
                    collation: None,
                    opclass: constraint.options.get(&format!("length.{}", what.as_str())).map(|n| format!("({n})")),
                    descending: false,
                    nulls_first: None,
                };
                let index = Index {
                    table: at.clone(),
                    unique: true,
                    method: None,
                    parts: key.columns.iter().map(part).collect(),
                    include: vec![],
                    predicate: None,
                    nulls_not_distinct: false,
                    options: BTreeMap::new(),
                    validity: Validity::Valid,
                };
                let object = Object {
                    comment: constraint.comment.clone(),
                    grants: Default::default(),
                    body: Body::Index(index),
                };
                more.push((Address::index(&index_at(at, &name)), object));
            }
            Rule::Exclude { .. } => {
                let says = "MySQL and MariaDB have no exclusion constraints".to_owned();
                complaints.push(Complaint { at: Address::constraint(at, &name), says, help: None });
            }
            Rule::ForeignKey(_) | Rule::Check { .. } => {
                table.constraints.insert(name, constraint);
            }
        }
    }
}

/// The kind of index that an engine makes unless it is told otherwise.
pub(crate) fn usual_method(engine: Option<&str>) -> &'static str {
    if engine.is_some_and(|e| e.eq_ignore_ascii_case("MEMORY")) { "HASH" } else { "BTREE" }
}

/// Puts an index of a table of some engine into its one form; where the engine is not known yet, its method stays.
pub(crate) fn settle_index(index: &mut Index, engine: Option<&str>) {
    index.method = index.method.take().map(|m| m.to_ascii_uppercase());
    if engine.is_some() {
        index.method = index.method.take().filter(|m| m != usual_method(engine));
    }
    index.options.retain(|_, value| value != "false");
    for part in &mut index.parts {
        part.nulls_first = None;
    }
}

/// A prefix as long as its column is none.
fn settle_index_parts(schema: &mut Schema) {
    let tables: BTreeMap<Qualified, Table> = schema.tables().map(|(at, table)| (at, table.clone())).collect();
    for object in schema.objects.values_mut() {
        let Body::Index(index) = &mut Arc::make_mut(object).body else { continue };
        let Some(table) = tables.get(&index.table) else { continue };
        let usual = usual_method(table.options.get("engine").map(String::as_str));
        index.method = index.method.take().filter(|m| m != usual);
        for part in &mut index.parts {
            let IndexedBy::Column(name) = &part.what else { continue };
            let length = table.column(name).and_then(|c| types::argument(&c.data_type)).map(|n| format!("({n})"));
            if part.opclass.is_some() && part.opclass == length {
                part.opclass = None;
            }
        }
    }
}

/// The server makes an index for a foreign key that has none.
fn implied_indexes(schema: &mut Schema) {
    let mut more = Vec::new();
    for (at, table) in schema.tables() {
        for (name, constraint) in &table.constraints {
            let Some(key) = constraint.foreign_key() else { continue };
            let by_primary = table.primary_key().is_some_and(|(_, own)| own.columns.starts_with(&key.columns));
            let by_index = schema.indexes_of(&at).any(|(_, index)| refs::leads(index, &key.columns));
            if by_primary || by_index {
                continue;
            }
            let part = |what: &Name| IndexPart {
                what: IndexedBy::Column(what.clone()),
                collation: None,
                opclass: None,
                descending: false,
                nulls_first: None,
            };
            let index = Index {
                table: at.clone(),
                unique: false,
                method: None,
                parts: key.columns.iter().map(part).collect(),
                include: vec![],
                predicate: None,
                nulls_not_distinct: false,
                options: BTreeMap::new(),
                validity: Validity::Valid,
            };
            more.push((Address::index(&index_at(&at, name)), Object::new(Body::Index(index))));
        }
    }
    for (at, object) in more {
        schema.objects.entry(at).or_insert(object.into());
    }
}

pub(crate) fn settle_view(view: &mut View) {
    let mut options = BTreeMap::new();
    for (key, value) in std::mem::take(&mut view.options) {
        let value = value.to_ascii_lowercase();
        let says_nothing = matches!(
            (key.as_str(), value.as_str()),
            ("security", "definer") | ("algorithm", "undefined") | ("check_option", "none")
        );
        if !says_nothing {
            options.insert(key, value);
        }
    }
    view.options = options;
}

fn settle_sequence(options: &mut SequenceOptions) {
    let none_if = |value: &mut Option<i64>, default: i64| *value = value.filter(|v| *v != default);
    let increment = options.increment.unwrap_or(1);
    if increment >= 0 {
        none_if(&mut options.min, 1);
        none_if(&mut options.max, i64::MAX - 1);
        let start = options.min.unwrap_or(1);
        none_if(&mut options.start, start);
    } else {
        none_if(&mut options.max, -1);
        none_if(&mut options.min, i64::MIN + 1);
        let start = options.max.unwrap_or(-1);
        none_if(&mut options.start, start);
    }
    none_if(&mut options.increment, 1);
    none_if(&mut options.cache, 1000);
}

/// Puts a pulled sequence into the one form.
pub(crate) fn sequence(options: &mut SequenceOptions) {
    settle_sequence(options);
}

/// Drops what [`normalize`] brings back.
pub(crate) fn simplify(flavor: &Flavor, live: &Schema) -> Schema {
    let mut schema = live.clone();
    for object in schema.objects.values_mut() {
        let Body::Table(table) = &mut Arc::make_mut(object).body else { continue };
        let of_table = collation_of(flavor, table);
        if of_table == flavor.collation {
            table.options.remove("collation");
        }
        if table.options.get("engine").is_some_and(|e| e == "InnoDB") {
            table.options.remove("engine");
        }
        simplify_json(flavor, table, &of_table);
    }
    schema
}

fn simplify_json(flavor: &Flavor, table: &mut Table, of_table: &str) {
    if !flavor.json_is_text() {
        return;
    }
    let is_json = |column: &Column, check: Option<&Constraint>| {
        let collation = column.collation.as_deref().unwrap_or(of_table);
        column.data_type == "longtext"
            && collation == "utf8mb4_bin"
            && charset_of(collation) == "utf8mb4"
            && check.is_some_and(|check| *check == json_check(&column.name))
    };
    let mut gone = BTreeSet::new();
    for column in &mut table.columns {
        if is_json(column, table.constraints.get(&column.name)) {
            column.data_type = "json".to_owned();
            column.collation = None;
            gone.insert(column.name.clone());
        }
    }
    table.constraints.retain(|name, _| !gone.contains(name));
}

/// Whether two texts of an object mean the same.
pub(crate) fn same_text(object: &Object, declared: &Sql, catalog: &Sql) -> mig_plan::Sameness {
    text::same(declared, catalog, matches!(object.body, Body::Source(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_server_would_write_otherwise_are_refused() {
        let at = |name: &str| Address::table(&Qualified::new(None, Name::new(name).unwrap()));
        let complaints = |version: &str, name: &str| {
            let mut schema = Schema::default();
            schema.objects.insert(at(name), Object::new(Body::Table(Table::default())).into());
            normalize(&Flavor::parse(version), schema).err().map_or(0, |said| said.len())
        };
        assert_eq!(complaints("mariadb-10.11/utf8mb4_general_ci/lower", "Orders"), 1);
        assert_eq!(complaints("mariadb-10.11/utf8mb4_general_ci/lower", "orders"), 0);
        assert_eq!(complaints("mariadb-10.11/utf8mb4_general_ci", "Orders"), 0);
    }
}
