//! `mig import`: the specs that a person would have written for a database.

mod grants;
mod object;
mod table;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{Address, Body, Dialect, Name, Object, ObjectKind, Qualified, Sameness, Schema, Snapshot, Sql};

use self::text::key;
use crate::{
    fmt,
    spec::{Engines, SpecFile, parse, resolve, write_column},
};

/// How many tables fit into one file.
const ONE_FILE: usize = 7;

/// Writes the specs of a database. Compiled again, they ask for what is there.
#[must_use]
pub fn import(snapshot: &Snapshot, dialect: &dyn Dialect) -> Vec<SpecFile> {
    let schema = dialect.simplify(&snapshot.schema.0);
    let write = |keys_imply| Writer { schema: &schema, dialect, keys_imply }.files();
    // Most engines make the columns of a primary key NOT NULL, whatever is declared. Where this one does not, all is said outright.
    let short = write(true);
    let goal = parse(&short, Engines::only(dialect.engine()))
        .and_then(|document| resolve(&document, dialect))
        .map(|intent| intent.goal);
    if goal.is_ok_and(|goal| requires_the_same(&goal, &snapshot.schema.0)) { short } else { write(false) }
}

/// Whether each column that a schema has is required in another where it is in the first.
fn requires_the_same(goal: &Schema, live: &Schema) -> bool {
    live.tables().filter(|(at, _)| !live.is_opaque(&Address::table(at))).all(|(at, table)| {
        let there = goal.table(&at);
        table.columns.iter().all(|column| {
            there.and_then(|t| t.column(&column.name)).is_some_and(|found| found.not_null == column.not_null)
        })
    })
}

/// Writes one schema.
struct Writer<'a> {
    schema: &'a Schema,
    dialect: &'a dyn Dialect,
    /// Whether the columns of a primary key need no word on NULL.
    keys_imply: bool,
}

/// `key = value` lines, in order.
type Lines = Vec<(String, String)>;

impl Writer<'_> {
    fn files(&self) -> Vec<SpecFile> {
        let tables = self.ordered_tables();
        let several = tables.len() > ONE_FILE;
        let mut files: Vec<(String, String)> = Vec::new();
        let mut names: BTreeSet<String> =
            ["types.toml", "views.toml", "functions.toml", "other.toml"].map(str::to_owned).into();
        for (at, object) in self.of_room(Room::Types) {
            add(&mut files, if several { "types.toml" } else { "schema.toml" }, self.object(at, object));
        }
        let mut attached = self.attached();
        let mut with_table: BTreeSet<&Address> = BTreeSet::new();
        for table in &tables {
            let file = if several { self.file_name(table, &mut names) } else { "schema.toml".to_owned() };
            add(&mut files, &file, self.table(table));
            for (at, object) in attached.remove(table).unwrap_or_default() {
                with_table.insert(at);
                add(&mut files, &file, self.object(at, object));
            }
        }
        for (room, file) in
            [(Room::Functions, "functions.toml"), (Room::Views, "views.toml"), (Room::Other, "other.toml")]
        {
            for (at, object) in self.of_room(room).filter(|(at, _)| !with_table.contains(at)) {
                add(&mut files, if several { file } else { "schema.toml" }, self.object(at, object));
            }
        }
        let opaque = self.opaque();
        if files.is_empty() || !opaque.is_empty() {
            add(&mut files, if several { "other.toml" } else { "schema.toml" }, String::new());
        }
        files
            .into_iter()
            .map(|(path, text)| {
                let note = if path == "other.toml" || !several { opaque.as_str() } else { "" };
                let text = format!("{}{note}\n{text}", header(&path));
                SpecFile { text: fmt(&text).unwrap_or(text), path }
            })
            .collect()
    }

    /// The objects that mig leaves alone, as a remark.
    fn opaque(&self) -> String {
        let all = self.schema.objects.iter().filter_map(|(at, object)| match &object.body {
            Body::Opaque { what, .. } => Some(format!("#   {what}: {}\n", at.dotted()).replace(char::is_control, " ")),
            _ => None,
        });
        let lines: String = all.map(|line| format!("{}\n", line.trim_end())).collect();
        if lines.is_empty() {
            lines
        } else {
            format!("#\n# Of kinds that mig does not know, and leaves alone:\n{lines}")
        }
    }

    /// The tables, those referred to before those that refer, else by name.
    fn ordered_tables(&self) -> Vec<Qualified> {
        fn visit(schema: &Schema, at: &Qualified, seen: &mut BTreeSet<Qualified>, out: &mut Vec<Qualified>) {
            let Some(table) = schema.table(at) else { return };
            if !seen.insert(at.clone()) {
                return;
            }
            for fk in table.constraints.values().filter_map(|c| c.foreign_key()) {
                visit(schema, &fk.references, seen, out);
            }
            out.push(at.clone());
        }
        let (mut seen, mut out) = (BTreeSet::new(), Vec::new());
        for (at, _) in self.schema.tables() {
            visit(self.schema, &at, &mut seen, &mut out);
        }
        out
    }

    fn of_room(&self, room: Room) -> impl Iterator<Item = (&Address, &Arc<Object>)> {
        self.schema.objects.iter().filter(move |(at, _)| room_of(at.kind()) == Some(room) && !self.schema.is_opaque(at))
    }

    /// What is declared after each table: its sequences, triggers, policies and rules.
    fn attached(&self) -> BTreeMap<Qualified, Vec<(&Address, &Object)>> {
        let owned = |object: &Object| match &object.body {
            Body::Sequence(sequence) => sequence.owned_by.as_ref().and_then(Address::relation),
            _ => None,
        };
        let mut attached: BTreeMap<Qualified, Vec<(&Address, &Object)>> = BTreeMap::new();
        for (at, object) in &self.schema.objects {
            if let Some(table) = at.relation().or_else(|| owned(object)) {
                attached.entry(table).or_default().push((at, object));
            }
        }
        attached
    }

    /// A file name for a table, which no other file has.
    fn file_name(&self, table: &Qualified, names: &mut BTreeSet<String>) -> String {
        let safe = |name: &Name| -> String {
            let lower = name.as_str().to_lowercase();
            lower.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
        };
        let schema = table.schema.as_ref().filter(|s| Some(*s) != self.dialect.default_schema().as_ref());
        let stem = schema.map(|s| format!("{}.", safe(s))).unwrap_or_default() + &safe(&table.name);
        let numbered = (2usize..).map(|n| format!("{stem}_{n}.toml"));
        let name = [format!("{stem}.toml")].into_iter().chain(numbered).find(|name| !names.contains(name));
        let name = name.unwrap_or_else(|| format!("{stem}.toml"));
        names.insert(name.clone());
        name
    }

    /// A name as specs write it: without the default schema.
    fn path(&self, at: &Qualified) -> String {
        let schema = at.schema.as_ref().filter(|s| Some(*s) != self.dialect.default_schema().as_ref());
        schema.map(|s| format!("{s}.")).unwrap_or_default() + &at.name.to_string()
    }

    /// A type as specs write it: without the default schema, where that means the same.
    fn type_name<'t>(&self, data_type: &'t str) -> &'t str {
        let short = self.dialect.default_schema().and_then(|schema| {
            let rest = data_type.strip_prefix(&self.dialect.quote(&schema))?;
            rest.strip_prefix('.')
        });
        let means = |short: &&str| self.dialect.data_type(short, self.schema).is_ok_and(|full| full == data_type);
        short.filter(means).unwrap_or(data_type)
    }

    /// An expression of an object as people write it: without parentheses around the whole, where that means the same.
    fn expression<'t>(&self, of: &Object, sql: &'t Sql) -> &'t str {
        let mut short = sql.as_str();
        while let Some(inner) = text::inside(short) {
            short = inner;
        }
        let means = |short: &str| self.dialect.same_text(of, &Sql::new(short), sql) == Sameness::Same;
        if short == sql.as_str() || means(short) { short } else { sql.as_str() }
    }

    /// The key under which something stands in its section.
    fn key_of(&self, at: &Address) -> String {
        let path = match (at.relation(), at.kind()) {
            // Its name is a text of its own.
            (_, ObjectKind::Other | ObjectKind::DefaultPrivileges) => at.name().as_str().to_owned(),
            (_, ObjectKind::Namespace | ObjectKind::Extension | ObjectKind::EventTrigger) => write_column(at.name()),
            (Some(table), _) => format!("{}.{}", self.path(&table), at.name()),
            (None, _) => self.path(&at.qualified()),
        };
        let signature = at.signature().map(|s| format!("({s})")).unwrap_or_default();
        key(&format!("{path}{signature}"))
    }
}

/// Where in the specs a kind of object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Types,
    Functions,
    Views,
    Other,
}

fn room_of(kind: ObjectKind) -> Option<Room> {
    use ObjectKind::{
        Aggregate, Collation, Column, Constraint, DefaultPrivileges, Domain, Enum, Event, EventTrigger, Extension,
        Function, Index, MaterializedView, Namespace, Opaque, Other, Policy, Procedure, Rule, Sequence, Statistics,
        Table, Trigger, Type, View, VirtualTable,
    };
    match kind {
        Namespace | Extension | Enum | Domain | Type | Collation => Some(Room::Types),
        Function | Procedure | Aggregate => Some(Room::Functions),
        View | MaterializedView | Trigger | Policy | Rule => Some(Room::Views),
        Sequence | Statistics | Event | EventTrigger | VirtualTable | Other | DefaultPrivileges => Some(Room::Other),
        Table | Column | Constraint | Index | Opaque => None,
    }
}

fn header(path: &str) -> String {
    let what = match path {
        "types.toml" => "Schemas, extensions and types",
        "views.toml" => "Views",
        "functions.toml" => "Functions",
        "other.toml" => "What else there is",
        "schema.toml" => "The schema",
        _ => "A table",
    };
    format!("# {what}, as imported. Change it, then run `mig plan`.\n")
}

/// Adds to a file.
fn add(files: &mut Vec<(String, String)>, name: &str, text: String) {
    match files.iter_mut().rev().find(|(known, _)| known == name) {
        Some((_, found)) => found.push_str(&text),
        None => files.push((name.to_owned(), text)),
    }
}

/// A section with its lines.
fn section(name: &str, lines: &Lines) -> String {
    let lines: String = lines.iter().map(|(key, value)| format!("{} = {value}\n", text::key(key))).collect();
    format!("\n{name}\n{lines}")
}

/// A line, for a value that is there.
fn put(lines: &mut Lines, key: &str, value: Option<String>) {
    lines.extend(value.map(|value| (key.to_owned(), value)));
}

/// Settings as one inline table.
fn options(map: &BTreeMap<String, String>) -> Option<String> {
    let pairs: Lines = map.iter().map(|(name, value)| (name.clone(), text::scalar(value))).collect();
    (!pairs.is_empty()).then(|| text::inline(&pairs))
}

#[cfg(test)]
mod tests;
