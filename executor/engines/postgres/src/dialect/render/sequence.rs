//! Sequences as SQL: their numbers, their counters, and the names of those behind identity columns.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Column, ColumnValue, Name, ObjectKind, Qualified, Schema, Sql,
    schema::{Sequence, SequenceOptions},
    split_path,
    sql::{TokenKind, tokens},
};

use crate::dialect::{
    names::{self, literal, qualified, quote},
    normalize::serial_sequence,
};

/// The range, start and direction that a sequence has in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbers {
    min: i64,
    max: i64,
    start: i64,
    up: bool,
}

fn numbers(data_type: &str, options: &SequenceOptions) -> Numbers {
    let (least, most) = match data_type {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let up = options.increment.is_none_or(|by| by > 0);
    let min = options.min.unwrap_or(if up { 1 } else { least });
    let max = options.max.unwrap_or(if up { most } else { -1 });
    Numbers { min, max, start: options.start.unwrap_or(if up { min } else { max }), up }
}

/// The numbers of a sequence as its options.
pub(crate) fn options(options: &SequenceOptions) -> Vec<String> {
    let numbers = [
        ("INCREMENT BY", options.increment),
        ("MINVALUE", options.min),
        ("MAXVALUE", options.max),
        ("START WITH", options.start),
        ("CACHE", options.cache),
    ];
    let mut out: Vec<_> = numbers.into_iter().filter_map(|(word, n)| Some(format!("{word} {}", n?))).collect();
    if options.cycle {
        out.push("CYCLE".to_owned());
    }
    out
}

/// What stands after the name of a new sequence.
pub(crate) fn tail(sequence: &Sequence) -> String {
    let mut out = format!(" AS {}", sequence.data_type);
    for option in options(&sequence.options) {
        out.push_str(&format!(" {option}"));
    }
    if let Some(owner) = &sequence.owned_by {
        out.push_str(&format!(" OWNED BY {}", super::object::member_path(owner)));
    }
    out
}

/// A sequence as a type and its numbers.
#[derive(Clone, Copy)]
pub(crate) struct Of<'a>(pub(crate) &'a str, pub(crate) &'a SequenceOptions);

/// What takes a sequence from some numbers to others; unset ones go back to the defaults.
pub(crate) fn changes(from: Of<'_>, to: Of<'_>) -> Vec<String> {
    let (a, b) = (from.1, to.1);
    let (was, will) = (numbers(from.0, a), numbers(to.0, b));
    // Another direction has other defaults, which the server does not bring by itself.
    let turned = was.up != will.up;
    let number = |word: &str, a: Option<i64>, b: Option<i64>, none: &str| {
        (a != b || turned && none.starts_with("NO "))
            .then(|| b.map_or_else(|| none.to_owned(), |n| format!("{word} {n}")))
    };
    let start = will.start;
    let mut parts: Vec<String> = [
        number("INCREMENT BY", a.increment, b.increment, "INCREMENT BY 1"),
        number("MINVALUE", a.min, b.min, "NO MINVALUE"),
        number("MAXVALUE", a.max, b.max, "NO MAXVALUE"),
        (was.start != start).then(|| format!("START WITH {start}")),
        number("CACHE", a.cache, b.cache, "CACHE 1"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if a.cycle != b.cycle {
        parts.push(if b.cycle { "CYCLE" } else { "NO CYCLE" }.to_owned());
    }
    parts
}

/// Statements before [`changes`] that bring the counter into the new range: the server refuses a range without it. `sequence` is an
/// expression that gives its id, `alter` what stands before one option of the change.
pub(crate) fn make_room(from: Of<'_>, to: Of<'_>, sequence: &str, alter: &str) -> Vec<String> {
    let (a, b) = (numbers(from.0, from.1), numbers(to.0, to.1));
    let mut sql = Vec::new();
    if b.min <= a.min && b.max >= a.max {
        return sql;
    }
    if b.min > a.max {
        sql.push(format!("{alter} MAXVALUE {}", b.max));
    }
    if b.max < a.min {
        sql.push(format!("{alter} MINVALUE {}", b.min));
    }
    // Says nothing new, and from then on nobody takes a number: one taken after the look at the counter would be given twice.
    sql.push(format!("{alter} CACHE {}", from.1.cache.unwrap_or(1)));
    let counter = format!("pg_catalog.pg_sequence_last_value({sequence})");
    sql.push(format!(
        "SELECT pg_catalog.setval({sequence}, CASE WHEN l.n IS NULL THEN {start} WHEN l.n < {min} THEN {min} ELSE {max} END,\n    \
         CASE WHEN l.n IS NULL THEN false WHEN l.n < {min} THEN {below} ELSE {above} END)\n\
         FROM (SELECT {counter} AS n) AS l\nWHERE coalesce(l.n, {was}) NOT BETWEEN {min} AND {max}",
        start = b.start,
        min = b.min,
        max = b.max,
        below = !b.up,
        above = b.up,
        was = a.start,
    ));
    sql
}

/// The SQL of a changed sequence.
pub(crate) fn change(name: &str, (from, to): (&Sequence, &Sequence), after: &Schema, version: u32) -> Vec<String> {
    let (a, b) = (Of(&from.data_type, &from.options), Of(&to.data_type, &to.options));
    let mut sql = make_room(a, b, &format!("{}::regclass", literal(name)), &format!("ALTER SEQUENCE {name}"));
    let mut parts = Vec::new();
    if from.data_type != to.data_type {
        parts.push(format!("AS {}", to.data_type));
    }
    parts.extend(changes(a, b));
    if from.owned_by != to.owned_by {
        let owner = to.owned_by.as_ref().map_or_else(|| "NONE".to_owned(), super::object::member_path);
        parts.push(format!("OWNED BY {owner}"));
    }
    if !parts.is_empty() {
        sql.push(format!("ALTER SEQUENCE {name} {}", parts.join(" ")));
    }
    let owner = to.owned_by.as_ref().filter(|_| from.owned_by.is_none()).and_then(Address::relation);
    let unlogged = owner.and_then(|table| after.table(&table)).is_some_and(|t| t.options.contains_key("unlogged"));
    // The sequences of an unlogged table are unlogged too, since there are such sequences.
    if unlogged && version >= crate::dialect::versions::UNLOGGED_SEQUENCES {
        sql.push(format!("ALTER SEQUENCE {name} SET UNLOGGED"));
    }
    sql
}

/// An expression that gives the id of the sequence behind an identity column.
pub(crate) fn of_identity(table: &Qualified, column: &Name) -> String {
    let (table, column) = (literal(&qualified(table)), literal(column.as_str()));
    format!(
        "(SELECT d.objid::regclass FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_attribute AS a \
         ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE d.refobjid = {table}::regclass \
         AND a.attname = {column} AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i')"
    )
}

/// The setting that holds, to the end of a transaction, how far the numbers of an identity column have come that gives way.
fn remembered(table: &Qualified, column: &Name) -> String {
    let name = names::generated("counter_", &(table, column), "");
    literal(&format!("mig.{}", name.as_str().trim_end_matches('_')))
}

/// The statement that remembers an identity column's counter, which goes with it, for what serves the column next.
pub(crate) fn remember(table: &Qualified, column: &Name) -> String {
    let (setting, own) = (remembered(table, column), of_identity(table, column));
    format!(
        "SELECT pg_catalog.set_config({setting}, coalesce(pg_catalog.pg_sequence_last_value({own})::text, ''), true)"
    )
}

/// Sets a sequence to where the column and the sequences that served it before have come.
fn catch_up(to: &str, from: &[String], table: &Qualified, column: &Name) -> String {
    let was = from.iter().map(|s| format!("pg_catalog.pg_sequence_last_value({s})"));
    let setting = format!("nullif(pg_catalog.current_setting({}, true), '')::bigint", remembered(table, column));
    let was = was.chain([setting]).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT pg_catalog.setval({to}, greatest(m.top, l.n))\n\
         FROM (SELECT max({})::bigint AS top FROM {}) AS m, (SELECT greatest({was}) AS n) AS l\nWHERE greatest(m.top, l.n) >= 1",
        quote(column),
        qualified(table)
    )
}

/// Sets a sequence to where another has come from which every number was taken: no row is looked at.
fn follow(to: &str, from: &str) -> String {
    format!(
        "SELECT pg_catalog.setval({to}, l.n)\nFROM (SELECT pg_catalog.pg_sequence_last_value({from}) AS n) AS l\nWHERE l.n IS NOT NULL"
    )
}

/// The sequences that gave a column its numbers: the one of its default, and those that it owns.
fn counters(table: &Qualified, column: &Name, value: &ColumnValue, schema: &Schema) -> BTreeSet<Qualified> {
    let own = Address::column(table, column);
    let owned = schema.objects.iter().filter(|(_, object)| match &object.body {
        Body::Sequence(sequence) => sequence.owned_by.as_ref() == Some(&own),
        _ => false,
    });
    owned.map(|(at, _)| at.qualified()).chain(behind(value, schema)).collect()
}

fn id_of(sequence: &Qualified) -> String {
    format!("{}::regclass", literal(&qualified(sequence)))
}

/// The statement after which a new identity column goes on where its old default stood.
pub(crate) fn identity_goes_on(table: &Qualified, column: &Column, was: &ColumnValue, schema: &Schema) -> String {
    if let Some(own) = behind(was, schema).filter(|sequence| names::is_own(&sequence.name)) {
        return follow(&of_identity(table, &column.name), &id_of(&own));
    }
    let old: Vec<String> = counters(table, &column.name, was, schema).iter().map(id_of).collect();
    catch_up(&of_identity(table, &column.name), &old, table, &column.name)
}

/// The statements after which what serves a column next goes on where its identity stood. The table is locked first: a number that the
/// identity gives after it was looked at would be given a second time.
pub(crate) fn default_goes_on(table: &Qualified, column: &Column, schema: &Schema) -> Vec<String> {
    let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", qualified(table));
    if let Some(own) = behind(&column.value, schema).filter(|sequence| names::is_own(&sequence.name)) {
        return vec![lock, follow(&id_of(&own), &of_identity(table, &column.name))];
    }
    let next = counters(table, &column.name, &column.value, schema);
    let identity = [of_identity(table, &column.name)];
    let next = next.iter().map(|sequence| catch_up(&id_of(sequence), &identity, table, &column.name));
    [lock].into_iter().chain(next).chain([remember(table, &column.name)]).collect()
}

/// The statement after which a sequence that has not given a number yet, and from now on serves a column that it owns, begins after the
/// values that are there.
pub(crate) fn begins_after(table: &Qualified, column: &Column, schema: &Schema) -> Option<String> {
    let sequence = behind(&column.value, schema)?;
    if !counters(table, &column.name, &ColumnValue::Plain, schema).contains(&sequence) {
        return None;
    }
    let id = id_of(&sequence);
    Some(format!("{} AND pg_catalog.pg_sequence_last_value({id}) IS NULL", catch_up(&id, &[], table, &column.name)))
}

/// The sequence that a default takes its numbers from.
fn behind(value: &ColumnValue, schema: &Schema) -> Option<Qualified> {
    let ColumnValue::Default(text) = value else { return None };
    let at = named(text)?;
    schema.objects.contains_key(&Address::new(ObjectKind::Sequence, &at)).then_some(at)
}

/// The name in `nextval('name'::regclass)`.
fn named(text: &Sql) -> Option<Qualified> {
    let mut words = tokens(text.as_str()).filter(|t| t.kind != TokenKind::Blank);
    words.by_ref().find(|t| t.text.eq_ignore_ascii_case("nextval"))?;
    let inner = words.find(|t| t.kind == TokenKind::Text)?.text.trim_matches('\'').replace("''", "'");
    let mut path = split_path(&inner).ok()?;
    let name = path.pop()?;
    Some(Qualified::new(path.pop(), name))
}

/// The server names the sequence behind an identity column after table and column, with a number where that is taken. Where a sequence
/// comes or goes under just that name, the other one gives way or takes it over: the present name and the other one.
pub(crate) fn namesake(at: &Qualified, schema: &Schema) -> Option<(Qualified, Qualified)> {
    let is_it = |table: &Qualified, column: &Column| {
        matches!(column.value, ColumnValue::Identity { .. }) && serial_sequence(table, &column.name) == *at
    };
    // A name that was not cut begins with its table's.
    let may_begin =
        |table: &Qualified| at.name.as_str().len() >= 60 || at.name.as_str().starts_with(table.name.as_str());
    let (table, column) = schema.tables().filter(|(table, _)| table.schema == at.schema && may_begin(table)).find_map(
        |(table, content)| Some((table.clone(), content.columns.iter().find(|c| is_it(&table, c))?.name.clone())),
    )?;
    let taken = |name: &str| {
        name == at.name.as_str()
            || schema.objects.named(name).iter().any(|there| {
                there.qualified().schema == at.schema
                    && schema.objects.get(there).is_some_and(|object| is_relation(there, &object.body))
            })
    };
    let other = names::derived(table.name.as_str(), column.as_str(), "seq", &taken);
    Some((at.clone(), at.sibling(other)))
}

fn is_relation(at: &Address, body: &Body) -> bool {
    matches!(body, Body::Table(_) | Body::Index(_) | Body::View(_) | Body::Sequence(_)) && !at.is_member()
}

/// The statement that renames the sequence behind an identity column, if it has the name.
pub(crate) fn give_way(from: &Qualified, to: &Qualified) -> String {
    format!("ALTER SEQUENCE IF EXISTS {} RENAME TO {}", qualified(from), quote(&to.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(min: Option<i64>, max: Option<i64>, start: Option<i64>) -> SequenceOptions {
        SequenceOptions { min, max, start, ..SequenceOptions::default() }
    }

    #[test]
    fn a_start_follows_the_range() {
        let (from, to) = (of(None, None, None), of(Some(100), None, None));
        assert_eq!(changes(Of("bigint", &from), Of("bigint", &to)), ["MINVALUE 100", "START WITH 100"]);
        assert_eq!(changes(Of("bigint", &to), Of("bigint", &from)), ["NO MINVALUE", "START WITH 1"]);
        let kept = of(Some(1), None, Some(1));
        let down = SequenceOptions { increment: Some(-1), ..of(None, None, None) };
        let turned = changes(Of("bigint", &from), Of("bigint", &down));
        assert_eq!(turned, ["INCREMENT BY -1", "NO MINVALUE", "NO MAXVALUE", "START WITH -1"]);
        assert!(!changes(Of("bigint", &from), Of("bigint", &kept)).iter().any(|p| p.starts_with("START")));
    }

    #[test]
    fn a_counter_is_moved_only_out_of_the_way() {
        let (from, to) = (of(None, Some(10), None), of(Some(100), None, None));
        let room = make_room(Of("integer", &from), Of("integer", &to), "s", "ALTER SEQUENCE s");
        assert_eq!(room[0], "ALTER SEQUENCE s MAXVALUE 2147483647");
        assert_eq!(room[1], "ALTER SEQUENCE s CACHE 1");
        assert!(room[2].ends_with("WHERE coalesce(l.n, 1) NOT BETWEEN 100 AND 2147483647"), "{}", room[2]);
        assert!(make_room(Of("integer", &from), Of("bigint", &of(None, None, None)), "s", "").is_empty());
    }

    #[test]
    fn a_default_names_its_sequence() {
        let text = Sql::new("nextval('public.\"It''s\"'::regclass)");
        assert_eq!(named(&text).unwrap().name.as_str(), "It's");
        assert_eq!(named(&Sql::new("now()")), None);
    }
}
