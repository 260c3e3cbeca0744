//! Tables, with their columns, constraints and indexes.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Name, Object, ObjectKind, Qualified, Rule, Table,
    schema::{Index, IndexPart, IndexedBy, SequenceOptions},
    table::{Deferral, ForeignKey, Key, ReferentialAction},
};

use super::{
    Lines, Writer, options, put, section,
    text::{inline, key, list, scalar, string, strings},
};
use crate::spec::{ACTIONS, MISSING_PARENT, quoted, reads_as_part, write_column};

/// Tells one kind of constraint.
type IsKind = fn(&Rule) -> bool;

impl Writer<'_> {
    pub(super) fn table(&self, at: &Qualified) -> String {
        let address = Address::table(at);
        let object = self.schema.objects.get(&address).map(AsRef::as_ref);
        let Some(object @ Object { comment, grants, body: Body::Table(table) }) = object else { return String::new() };
        let header = format!("table.{}", self.key_of(&address));
        let mut lines = Lines::new();
        let primary = table.constraints.iter().find(|(_, c)| matches!(c.rule, Rule::PrimaryKey(_)));
        put(&mut lines, "primary_key", primary.map(|(name, c)| self.primary_key(at, object, name, c)));
        put(&mut lines, "comment", comment.as_deref().map(string));
        put(&mut lines, "grants", super::grants::grants(grants));
        put(&mut lines, "options", options(&table.options));
        let bare = lines.is_empty() && !table.columns.is_empty();
        let mut out = if bare { String::new() } else { section(&format!("[{header}]"), &lines) };
        if !table.columns.is_empty() {
            let columns =
                table.columns.iter().map(|c| (write_column(&c.name), self.column(object, table, c))).collect();
            out += &section(&format!("[{header}.columns]"), &columns);
        }
        let kinds: [(&str, IsKind); 4] = [
            ("uniques", |r| matches!(r, Rule::Unique(_))),
            ("foreign_keys", |r| matches!(r, Rule::ForeignKey(_))),
            ("checks", |r| matches!(r, Rule::Check { .. })),
            ("excludes", |r| matches!(r, Rule::Exclude { .. })),
        ];
        for (word, is) in kinds {
            for (name, constraint) in table.constraints.iter().filter(|(_, c)| is(&c.rule)) {
                let lines = self.constraint(at, object, name, constraint);
                out += &section(&format!("[[{header}.{word}]]"), &lines);
            }
        }
        out + &self.indexes(at, &header)
    }

    /// The indexes of a table or materialized view.
    pub(super) fn indexes(&self, table: &Qualified, header: &str) -> String {
        let all = self.schema.indexes_of(table);
        all.map(|(at, index)| section(&format!("[[{header}.indexes]]"), &self.index(at, index))).collect()
    }

    fn column(&self, object: &Object, table: &Table, column: &Column) -> String {
        let in_key = table.primary_key().is_some_and(|(_, key)| key.columns.contains(&column.name));
        let mark = if column.not_null || (in_key && self.keys_imply) { "" } else { "?" };
        let like_a_mark = column.data_type.ends_with('?');
        let mark = if like_a_mark { "?" } else { mark };
        let data_type = string(&format!("{}{mark}", self.type_name(&column.data_type)));
        let mut lines = vec![("type".to_owned(), data_type.clone())];
        put(&mut lines, "null", like_a_mark.then(|| (!column.not_null).to_string()));
        match &column.value {
            ColumnValue::Plain => {}
            ColumnValue::Default(sql) => put(&mut lines, "default", Some(scalar(sql.as_str()))),
            ColumnValue::Identity { always, sequence } => {
                let generated = string(if *always { "always" } else { "by default" });
                let numbers = numbers(sequence);
                let value = if numbers.is_empty() {
                    generated
                } else {
                    inline(&[vec![("generated".to_owned(), generated)], numbers].concat())
                };
                put(&mut lines, "identity", Some(value));
            }
            ColumnValue::Generated { expression, stored: true } => {
                put(&mut lines, "generated", Some(string(self.expression(object, expression))));
            }
            ColumnValue::Generated { expression, stored: false } => {
                let pairs = [("as", string(self.expression(object, expression))), ("stored", "false".to_owned())];
                put(&mut lines, "generated", Some(inline(&pairs.map(|(k, v)| (k.to_owned(), v)))));
            }
        }
        put(&mut lines, "collation", column.collation.as_deref().map(string));
        put(&mut lines, "comment", column.comment.as_deref().map(string));
        put(&mut lines, "options", options(&column.options));
        if lines.len() == 1 { data_type } else { inline(&lines) }
    }

    /// The name, unless it is the one that the engine gives.
    fn constraint_name(&self, table: &Qualified, name: &Name, constraint: &Constraint) -> Option<String> {
        let default = self.dialect.default_constraint_name(table, constraint, &BTreeSet::new());
        (default != *name).then(|| string(&write_column(name)))
    }

    fn primary_key(&self, table: &Qualified, object: &Object, name: &Name, constraint: &Constraint) -> String {
        let lines = self.constraint(table, object, name, constraint);
        match &lines[..] {
            [(key, columns)] if key == "columns" => columns.clone(),
            _ => inline(&lines),
        }
    }

    fn constraint(&self, table: &Qualified, object: &Object, name: &Name, constraint: &Constraint) -> Lines {
        let mut lines = Lines::new();
        put(&mut lines, "name", self.constraint_name(table, name, constraint));
        match &constraint.rule {
            Rule::PrimaryKey(key) | Rule::Unique(key) => key_lines(&mut lines, key),
            Rule::ForeignKey(fk) => self.foreign_key(&mut lines, fk),
            Rule::Check { expression } => put(&mut lines, "expr", Some(string(self.expression(object, expression)))),
            Rule::Exclude { definition } => put(&mut lines, "definition", Some(string(definition.as_str()))),
        }
        let deferrable = match constraint.deferral {
            Deferral::NotDeferrable => None,
            Deferral::InitiallyImmediate => Some("true".to_owned()),
            Deferral::InitiallyDeferred => Some(string("initially deferred")),
        };
        put(&mut lines, "deferrable", deferrable);
        put(&mut lines, "not_valid", (!constraint.validity.is_valid()).then(|| "true".to_owned()));
        put(&mut lines, "comment", constraint.comment.as_deref().map(string));
        let mut said = constraint.options.clone();
        let is_missing = constraint.foreign_key().is_some_and(|fk| self.schema.table(&fk.references).is_none());
        if is_missing && self.dialect.has_loose_foreign_keys() {
            said.insert(MISSING_PARENT.to_owned(), "true".to_owned());
        }
        put(&mut lines, "options", options(&said));
        lines
    }

    fn foreign_key(&self, lines: &mut Lines, fk: &ForeignKey) {
        put(lines, "columns", Some(columns(&fk.columns)));
        let target = self.schema.table(&fk.references);
        let of_key = target.and_then(Table::primary_key).is_some_and(|(_, key)| key.columns == fk.referenced);
        let implied = of_key && !self.dialect.has_loose_foreign_keys();
        let referenced = if implied || fk.referenced.is_empty() {
            String::new()
        } else {
            format!(" {}", parenthesised(&fk.referenced))
        };
        put(lines, "references", Some(string(&format!("{}{referenced}", self.path(&fk.references)))));
        put(lines, "on_update", action(fk.on_update, &[]));
        put(lines, "on_delete", action(fk.on_delete, &fk.on_delete_columns));
        put(lines, "match_full", fk.match_full.then(|| "true".to_owned()));
    }

    fn index(&self, at: &Address, index: &Index) -> Lines {
        let mut lines = Lines::new();
        let default = self.dialect.default_index_name(index, &BTreeSet::new());
        put(&mut lines, "name", (default != *at.name()).then(|| string(&write_column(at.name()))));
        put(&mut lines, "columns", Some(list(index.parts.iter().map(part).collect())));
        put(&mut lines, "unique", index.unique.then(|| "true".to_owned()));
        put(&mut lines, "method", index.method.as_deref().map(string));
        put(&mut lines, "include", (!index.include.is_empty()).then(|| columns(&index.include)));
        let object = self.schema.objects.get(at);
        let predicate = index.predicate.as_ref().zip(object).map(|(sql, object)| string(self.expression(object, sql)));
        put(&mut lines, "where", predicate);
        put(&mut lines, "nulls_not_distinct", index.nulls_not_distinct.then(|| "true".to_owned()));
        let comment = object.and_then(|object| object.comment.as_deref());
        put(&mut lines, "comment", comment.map(string));
        put(&mut lines, "options", options(&index.options));
        debug_assert!(at.kind() == ObjectKind::Index, "only indexes are written here");
        lines
    }
}

fn key_lines(lines: &mut Lines, key: &Key) {
    put(lines, "columns", Some(columns(&key.columns)));
    put(lines, "include", (!key.include.is_empty()).then(|| columns(&key.include)));
    put(lines, "nulls_not_distinct", key.nulls_not_distinct.then(|| "true".to_owned()));
}

/// The numbers of a sequence that differ from the defaults.
pub(super) fn numbers(options: &SequenceOptions) -> Lines {
    let mut lines = Lines::new();
    let numbers = [
        ("start", options.start),
        ("increment", options.increment),
        ("min", options.min),
        ("max", options.max),
        ("cache", options.cache),
    ];
    for (name, number) in numbers {
        put(&mut lines, name, number.map(|n| n.to_string()));
    }
    put(&mut lines, "cycle", options.cycle.then(|| "true".to_owned()));
    lines
}

/// A list of column names.
pub(super) fn columns(names: &[Name]) -> String {
    let names: Vec<_> = names.iter().map(write_column).collect();
    strings(names.iter().map(String::as_str))
}

fn parenthesised(names: &[Name]) -> String {
    format!("({})", names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

fn action(action: ReferentialAction, limited: &[Name]) -> Option<String> {
    if action.is_default() && limited.is_empty() {
        return None;
    }
    let word = ACTIONS.iter().find(|(_, known)| *known == action).map_or("no action", |(word, _)| word);
    let limit = if limited.is_empty() { String::new() } else { format!(" {}", parenthesised(limited)) };
    Some(string(&format!("{word}{limit}")))
}

/// The short form of an index part where it says the same, else the table.
fn part(part: &IndexPart) -> String {
    let mut short = match &part.what {
        IndexedBy::Column(name) if name.is_plain() => name.as_str().to_owned(),
        IndexedBy::Column(name) => quoted(name),
        IndexedBy::Expression(sql) => sql.as_str().to_owned(),
    };
    if part.descending {
        short += " desc";
    }
    match part.nulls_first {
        Some(true) => short += " nulls first",
        Some(false) => short += " nulls last",
        None => {}
    }
    if reads_as_part(&short, part) {
        return string(&short);
    }
    let mut lines = Lines::new();
    match &part.what {
        IndexedBy::Column(name) => put(&mut lines, "column", Some(string(&write_column(name)))),
        IndexedBy::Expression(sql) => put(&mut lines, "expr", Some(string(sql.as_str()))),
    }
    put(&mut lines, "collation", part.collation.as_deref().map(string));
    put(&mut lines, "opclass", part.opclass.as_deref().map(string));
    put(&mut lines, "desc", part.descending.then(|| "true".to_owned()));
    put(&mut lines, "nulls", part.nulls_first.map(|first| string(if first { "first" } else { "last" })));
    debug_assert!(lines.iter().all(|(name, _)| *name == key(name)), "the language's keys are bare");
    inline(&lines)
}
