//! From catalog rows to the schema. Pure: no connection, no clock.

mod constraint;
mod depends;
mod index;
mod simple;
mod table;

use std::collections::{BTreeMap, HashMap};

use mig_plan::{Address, BadName, Name, ObjectKind, Qualified, Schema, schema::SequenceOptions};

use super::rows::{Oid, Rows, SequenceRow};
use crate::dialect::operators;

pub(super) use depends::dependencies;

/// The catalogs' own ids, which never change.
pub(super) mod class {
    pub(in super::super) const DEFAULT_ACL: u32 = 826;
    pub(in super::super) const TYPE: u32 = 1247;
    pub(in super::super) const PROC: u32 = 1255;
    pub(in super::super) const CLASS: u32 = 1259;
    pub(in super::super) const CONSTRAINT: u32 = 2606;
    pub(in super::super) const NAMESPACE: u32 = 2615;
    pub(in super::super) const REWRITE: u32 = 2618;
    pub(in super::super) const TRIGGER: u32 = 2620;
    pub(in super::super) const EXTENSION: u32 = 3079;
    pub(in super::super) const POLICY: u32 = 3256;
    pub(in super::super) const STATISTICS: u32 = 3381;
    pub(in super::super) const COLLATION: u32 = 3456;
    pub(in super::super) const EVENT_TRIGGER: u32 = 3466;
}

/// A catalog row: class, id, and the number of a column or `0`.
pub(super) type Place = (Oid, Oid, i32);

/// What was pulled, and which catalog rows it came from.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    /// The objects.
    pub(super) schema: Schema,
    /// The address of each catalog row that has one.
    pub(super) places: HashMap<Place, Address>,
}

/// What rows of several kinds refer to.
#[derive(Default)]
struct Book<'a> {
    /// Column names by relation and number.
    columns: HashMap<(Oid, i16), (&'a str, Oid)>,
    /// Sequences behind identity columns.
    identities: HashMap<(Oid, i16), &'a SequenceRow>,
}

/// Why rows cannot be made into a schema: never the fault of the user's schema.
pub(super) type Odd = BadName;

/// Makes the schema.
pub(super) fn assemble(rows: &Rows) -> Result<Assembled, Odd> {
    let mut book = Book::default();
    for c in &rows.columns {
        book.columns.insert((c.relation, c.number), (&c.name, c.collation_id));
    }
    for s in rows.sequences.iter().filter(|s| s.identity == Some(true)) {
        if let (Some(owner), Some(column)) = (s.owner, s.owner_column) {
            book.identities.insert((owner, column), s);
        }
    }
    let mut out = Assembled::default();
    simple::objects(rows, &mut out)?;
    simple::types(rows, &mut out)?;
    table::tables(rows, &book, &mut out)?;
    constraint::constraints(rows, &book, &mut out)?;
    index::indexes(rows, &book, &mut out)?;
    simple::sources(rows, &mut out)?;
    operators::tell_once(&mut out.schema, operators::Said::Live);
    simple::opaque(rows, &mut out)?;
    simple::grants(rows, &mut out)?;
    Ok(out)
}

impl Assembled {
    /// Adds an object that came from a catalog row.
    fn add(&mut self, place: (Oid, Oid), at: Address, comment: Option<&String>, body: mig_plan::Body) {
        self.places.insert((place.0, place.1, 0), at.clone());
        self.schema
            .objects
            .insert(at, mig_plan::Object { comment: comment.cloned(), ..mig_plan::Object::new(body) }.into());
    }
}

impl Book<'_> {
    /// The names of numbered columns of a relation.
    fn names(&self, relation: Oid, numbers: &[i16]) -> Result<Vec<Name>, Odd> {
        numbers.iter().filter_map(|n| self.columns.get(&(relation, *n))).map(|(name, _)| Name::new(*name)).collect()
    }
}

fn qualified(schema: &str, name: &str) -> Result<Qualified, Odd> {
    Ok(Qualified::new(Some(Name::new(schema)?), Name::new(name)?))
}

fn address(kind: ObjectKind, schema: &str, name: &str) -> Result<Address, Odd> {
    Ok(Address::new(kind, &qualified(schema, name)?))
}

/// Puts settings (`name=value`) among options, under a prefix.
fn settings(options: &mut BTreeMap<String, String>, prefix: &str, settings: Option<&Vec<String>>) {
    for setting in settings.into_iter().flatten() {
        let (name, value) = setting.split_once('=').unwrap_or((setting, "true"));
        options.insert(format!("{prefix}{name}"), value.to_owned());
    }
}

/// Puts a value among options, if there is one.
fn option(options: &mut BTreeMap<String, String>, name: &str, value: Option<impl Into<String>>) {
    if let Some(value) = value {
        options.insert(name.to_owned(), value.into());
    }
}

/// Puts `true` among options, if it holds.
fn flag(options: &mut BTreeMap<String, String>, name: &str, holds: bool) {
    option(options, name, holds.then_some("true"));
}

/// The numbers of a sequence that are not the defaults of its type and direction.
fn sequence_options(s: &SequenceRow) -> SequenceOptions {
    let (lowest, highest) = match s.data_type.as_str() {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let (min, max) = if s.increment > 0 { (1, highest) } else { (lowest, -1) };
    let start = if s.increment > 0 { s.min } else { s.max };
    let other = |value: i64, default: i64| (value != default).then_some(value);
    SequenceOptions {
        start: other(s.start, start),
        increment: other(s.increment, 1),
        min: other(s.min, min),
        max: other(s.max, max),
        cache: other(s.cache, 1),
        cycle: s.cycle,
    }
}
