//! Whole objects as SQL: made, dropped, exchanged; and comments.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Complaint, Hazard, HazardCode, Kind, Object, ObjectKind, Rendered, Schema, Sql, Statement,
    kind::{Create, Drop, Replace},
    schema::{Extension, Source},
};

use super::{META, enums, index, meta, table, transaction, view};
use crate::dialect::{
    grants, inherit, keep,
    names::{self, literal, qualified, quote, quote_text},
    operators, references,
};

/// The SQL of a new object.
pub(crate) fn create(change: &Create, before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
    if let Body::Index(of) = &change.object.body {
        return index::create(change, of, before);
    }
    let mut sql = create_sql(&change.at, &change.object, after)?;
    if let (Body::Sequence(_), Some((now, other))) =
        (&change.object.body, super::sequence::namesake(&change.at.qualified(), before))
    {
        sql.insert(0, super::sequence::give_way(&now, &other));
    }
    if !change.ahead.is_empty() {
        // The server would look for what the body names.
        sql.insert(0, "SET LOCAL check_function_bodies = off".to_owned());
    }
    let mut out = meta(sql, new_lock(change));
    if let (Body::View(_), ObjectKind::MaterializedView) = (&change.object.body, change.at.kind()) {
        super::limit(&mut out.action, super::WORK);
    }
    if change.at.kind() == ObjectKind::Policy {
        let says = "decides which rows clients see and may write";
        out.hazards.push(Hazard::new(HazardCode::ChangesAccess, &change.at, says));
    }
    if let Body::Table(table) = &change.object.body
        && let Some(parent) = table.options.get("partition_of").and_then(|parent| inherit::path_of(parent))
    {
        out.checks = super::regroup::place_checks(&change.at.qualified(), &parent, table, before, after);
    }
    Ok(out)
}

fn new_lock(change: &Create) -> String {
    match change.at.relation() {
        Some(relation) => format!("a short strong lock on {}", qualified(&relation)),
        None => "nothing that exists".to_owned(),
    }
}

/// The statements that make an object with its comment.
pub(crate) fn create_sql(at: &Address, object: &Object, around: &Schema) -> Result<Vec<String>, Complaint> {
    let name = qualified(&at.qualified());
    let mut sql = match &object.body {
        Body::Table(table) => {
            let mut sql = table::create(&at.qualified(), table, object, around)?;
            sql.extend(grants::at_birth(at, &object.grants, around));
            return Ok(sql);
        }
        Body::Index(index) => {
            return super::shares::made(at, object, index, around);
        }
        Body::Namespace {} => vec![format!("CREATE SCHEMA {}", quote(at.name()))],
        Body::DefaultPrivileges {} => vec![],
        Body::Extension(extension) => vec![extension_sql(at, extension)],
        Body::Enum { values } => vec![enums::create_sql(&name, values)],
        Body::Domain(domain) => super::domain::created(&name, domain),
        Body::Sequence(sequence) => vec![format!("CREATE SEQUENCE {name}{}", super::sequence::tail(sequence))],
        Body::View(view) => view::create_sql(at, view),
        Body::Source(source) => source.create.iter().map(statement).collect(),
        Body::Opaque { what, .. } => return Err(unknown(at, what)),
    };
    sql.extend(object.comment.iter().map(|text| comment(at, Some(text), Some(around))));
    sql.extend(grants::at_birth(at, &object.grants, around));
    Ok(sql)
}

/// A statement of a source, without a final semicolon.
fn statement(sql: &Sql) -> String {
    sql.as_str().trim().trim_end_matches(';').trim_end().to_owned()
}

fn unknown(at: &Address, what: &str) -> Complaint {
    Complaint {
        at: at.clone(),
        says: format!("mig does not know how to change {what}"),
        help: Some("change it by hand, then plan again".to_owned()),
    }
}

fn extension_sql(at: &Address, extension: &Extension) -> String {
    let mut out = format!("CREATE EXTENSION IF NOT EXISTS {}", quote(at.name()));
    if let Some(schema) = &extension.schema {
        out.push_str(&format!(" SCHEMA {}", quote(schema)));
    }
    if let Some(version) = &extension.version {
        out.push_str(&format!(" VERSION {}", literal(version)));
    }
    out
}

/// The path of a column as SQL: table and column.
pub(crate) fn member_path(at: &Address) -> String {
    at.path().iter().map(quote).collect::<Vec<_>>().join(".")
}

/// The SQL that drops an object; tables and types are kept in mig's own schema.
pub(crate) fn drop(change: &Drop, before: &Schema) -> Result<Rendered, Complaint> {
    let name = qualified(&change.at.qualified());
    if let Body::Index(of) = &change.object.body {
        return index::drop(change, of, before);
    }
    let sql = drop_sql(&change.clone(), before)?;
    let mut out = meta(sql, format!("ACCESS EXCLUSIVE on {name}, an instant"));
    let kind = change.at.kind();
    let (code, says) = match kind {
        ObjectKind::Table => {
            (HazardCode::DropTable, "clients that use the table get errors; it is kept, with its rows, until `mig gc`")
        }
        ObjectKind::View | ObjectKind::MaterializedView => {
            (HazardCode::DropsView, "clients that read the view get errors")
        }
        ObjectKind::Other if super::foreign::is_user_mapping(&change.at) => {
            (HazardCode::ChangesAccess, "its password goes with it: no plan and no rollback can bring that back")
        }
        ObjectKind::Policy => (HazardCode::ChangesAccess, "decides which rows clients see and may write"),
        _ => (HazardCode::DropsObject, "clients that use it get errors"),
    };
    // What mig made for itself no client uses by name.
    if !names::is_own(change.at.name()) {
        out.hazards.push(Hazard::new(code, &change.at, says));
    }
    if let Some(word) = kept_word(kind) {
        let place = qualified(&keep::place(&change.clone().into()));
        out.gc.push(Statement::new(format!("DROP {word} IF EXISTS {place}")));
    }
    if let Body::Table(table) = &change.object.body {
        super::locked(&mut out.action, &name);
        if table.options.contains_key("partition_by") {
            out.gc = vec![Statement::new(format!(
                "DROP TABLE IF EXISTS {} CASCADE",
                qualified(&keep::place(&change.clone().into()))
            ))];
        }
    }
    Ok(out)
}

/// The word for a kind whose dropped objects move to mig's own schema: tables with their rows, sequences with their counters, and types
/// and collations, which kept tables, columns and types may still be made of.
pub(crate) fn kept_word(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::Table => Some("TABLE"),
        ObjectKind::Sequence => Some("SEQUENCE"),
        ObjectKind::Domain => Some("DOMAIN"),
        ObjectKind::Enum | ObjectKind::Type => Some("TYPE"),
        ObjectKind::Collation => Some("COLLATION"),
        _ => None,
    }
}

fn drop_sql(change: &Drop, before: &Schema) -> Result<Vec<String>, Complaint> {
    let at = &change.at;
    let name = qualified(&at.qualified());
    let kind: Kind = change.clone().into();
    Ok(match &change.object.body {
        Body::Table(of) => {
            let mut sql = vec![keep::schema()];
            if let Some(parent) = of.options.get("partition_of") {
                sql.push(format!("ALTER TABLE {} DETACH PARTITION {name}", table::path(parent)));
            }
            for parent in of.options.get("inherits").iter().flat_map(|p| p.split(',')) {
                sql.push(format!("ALTER TABLE {name} NO INHERIT {}", table::path(parent.trim())));
            }
            let whole = inherit::whole(before, &at.qualified()).unwrap_or_else(|| of.clone());
            for column in whole.columns.iter().filter(|c| needs_objects(c, before)) {
                sql.push(format!("ALTER TABLE {name} ALTER COLUMN {} DROP DEFAULT", quote(&column.name)));
            }
            sql.extend(moved("TABLE", &at.qualified(), &keep::place(&kind)));
            sql
        }
        Body::Enum { .. } | Body::Domain(_) | Body::Sequence(_) | Body::Source(_) => match kept_word(at.kind()) {
            Some(word) => {
                let mut sql = vec![keep::schema()];
                sql.extend(moved(word, &at.qualified(), &keep::place(&kind)));
                if let (Body::Sequence(_), Some((now, other))) =
                    (&change.object.body, super::sequence::namesake(&at.qualified(), before))
                {
                    sql.push(super::sequence::give_way(&other, &now));
                }
                sql
            }
            None => vec![plain_drop(at, &change.object)?],
        },
        Body::DefaultPrivileges {} => grants::sql(at, &change.object.grants, &BTreeSet::new()),
        _ => vec![plain_drop(at, &change.object)?],
    })
}

/// Whether a column's default uses an object that may be dropped too.
pub(crate) fn needs_objects(column: &mig_plan::Column, around: &Schema) -> bool {
    match &column.value {
        mig_plan::ColumnValue::Default(value) => {
            let text = value.as_str();
            text.contains("nextval(")
                || around.objects.keys().any(|at| match at.kind() {
                    ObjectKind::Function => value.mentions(at.name()),
                    ObjectKind::Other => operators::call(at).is_some_and(|call| text.contains(&call)),
                    _ => false,
                })
        }
        _ => false,
    }
}

/// The statements that move a table or type to another schema under another name.
pub(crate) fn moved(word: &str, from: &mig_plan::Qualified, to: &mig_plan::Qualified) -> Vec<String> {
    let renamed = from.sibling(to.name.clone());
    let mut sql = vec![format!("ALTER {word} {} RENAME TO {}", qualified(from), quote(&to.name))];
    if let (Some(target), true) = (&to.schema, from.schema != to.schema) {
        sql.push(format!("ALTER {word} {} SET SCHEMA {}", qualified(&renamed), quote(target)));
    }
    sql
}

/// `DROP` for what is not kept.
pub(crate) fn plain_drop(at: &Address, object: &Object) -> Result<String, Complaint> {
    Ok(match (&object.body, at.kind()) {
        (Body::Opaque { what, .. }, _) => return Err(unknown(at, what)),
        _ => format!("DROP {}", noun(at)),
    })
}

/// The SQL that exchanges an object.
pub(crate) fn replace(change: &Replace, before: &Schema, after: &Schema, version: u32) -> Result<Rendered, Complaint> {
    let at = &change.at;
    let name = qualified(&at.qualified());
    let mut out = meta(vec![], format!("ACCESS EXCLUSIVE on {name}, an instant"));
    let sql = match (&change.from.body, &change.to.body) {
        (Body::Enum { values: from }, Body::Enum { values: to }) => return enums::replace(change, from, to, before),
        (Body::View(_), Body::View(_)) => return view::replace(change, before, after),
        (Body::Table(_), _) => {
            let says = "a table is changed part by part, never exchanged as a whole".to_owned();
            return Err(Complaint { at: at.clone(), says, help: None });
        }
        (Body::Sequence(from), Body::Sequence(to)) => super::sequence::change(&name, (from, to), after, version),
        (Body::Domain(from), Body::Domain(to)) => return super::domain::replace(change, from, to, before),
        (Body::Extension(from), Body::Extension(to)) => extension_change(at, from, to),
        (Body::Source(from), Body::Source(to))
            if at.kind() == ObjectKind::Type && super::composite::both(from, to).is_some() =>
        {
            return super::composite::replace(change, from, to, before);
        }
        (Body::Source(from), Body::Source(_)) if at.kind() == ObjectKind::Type => {
            return super::composite::range(change, from, before, version);
        }
        (Body::Source(from), Body::Source(to)) => {
            let (code, says) = match at.kind() {
                ObjectKind::Policy => (HazardCode::ChangesAccess, "changes which rows clients see and may write"),
                _ => (HazardCode::ReplacesSource, "code that runs in the database changes under running clients"),
            };
            out.hazards.push(Hazard::new(code, at, says));
            out.lock = "nothing that readers and writers wait for longer than an instant".to_owned();
            source_change(change, from, to, after)?
        }
        (Body::Index(from), Body::Index(to)) if index::same_but_flags(from, to) => {
            index::flag_changes(at, from, to, after)
        }
        (Body::Index(from), Body::Index(_)) => {
            let says = format!("writers of {} wait while the index is built anew", from.table);
            out.hazards.push(Hazard::new(HazardCode::BlocksClients, at, says));
            let mut sql = index::dropped(at, from, before)?;
            sql.extend(create_sql(at, &change.to, after)?);
            out.action = transaction(sql, super::WORK);
            return Ok(out);
        }
        _ => {
            let mut sql = vec![plain_drop(at, &change.from)?];
            sql.extend(create_sql(at, &change.to, after)?);
            sql
        }
    };
    let mut sql = sql;
    if change.from.comment != change.to.comment && !matches!(change.to.body, Body::Table(_)) {
        sql.push(comment(at, change.to.comment.as_deref(), Some(after)));
    }
    out.action = transaction(sql, META);
    Ok(out)
}

fn extension_change(at: &Address, from: &Extension, to: &Extension) -> Vec<String> {
    let name = quote(at.name());
    let mut sql = Vec::new();
    if let (Some(now), Some(wanted)) = (&from.version, &to.version)
        && is_older(wanted, now)
    {
        // No extension brings a way back to an older version.
        return vec![format!("DROP EXTENSION {name}"), extension_sql(at, to)];
    }
    if let (Some(version), true) = (&to.version, from.version != to.version) {
        sql.push(format!("ALTER EXTENSION {name} UPDATE TO {}", literal(version)));
    }
    if let (Some(schema), true) = (&to.schema, from.schema != to.schema) {
        sql.push(format!("ALTER EXTENSION {name} SET SCHEMA {}", quote(schema)));
    }
    sql
}

/// Whether a version, number by number, comes before another.
fn is_older(a: &str, b: &str) -> bool {
    let numbers = |text: &str| text.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>();
    matches!((numbers(a), numbers(b)), (Ok(a), Ok(b)) if a < b)
}

/// In place where the text replaces and its head stays; else drop and create.
fn source_change(change: &Replace, from: &Source, to: &Source, after: &Schema) -> Result<Vec<String>, Complaint> {
    if let Some(options) = super::foreign::options_change(&change.at, from, to) {
        return Ok(vec![options]);
    }
    if replaces_in_place(change, from, to) {
        return Ok(to.create.iter().map(statement).collect());
    }
    if change.at.kind() == ObjectKind::Collation
        && let Some(user) = sorted_by(&change.at, after)
    {
        return Err(Complaint {
            at: change.at.clone(),
            says: format!("PostgreSQL cannot make {} anew while {user} is sorted by it", change.at),
            help: Some(
                "declare a collation under another name, and use that; the old one goes with its last user".to_owned(),
            ),
        });
    }
    let mut sql = vec![plain_drop(&change.at, &change.from)?];
    sql.extend(create_sql(&change.at, &change.to, after)?);
    Ok(sql)
}

/// What holds values that are sorted by a collation: a table, a type or an index.
fn sorted_by<'a>(collation: &Address, schema: &'a Schema) -> Option<&'a Address> {
    use ObjectKind::{Domain, Index, MaterializedView, Table, Type};
    let mut all = schema.objects.iter();
    let found = all.find(|(at, object)| {
        matches!(at.kind(), Table | Domain | Type | Index | MaterializedView)
            && references::of(at, object, schema, None).contains(collation)
    });
    found.map(|(at, _)| at)
}

/// Whether `CREATE OR REPLACE` can make the exchange, so that nothing built on it notices.
pub(crate) fn replaces_in_place(change: &Replace, from: &Source, to: &Source) -> bool {
    if change.at.kind() == ObjectKind::Type {
        return super::composite::in_place(from, to).is_some();
    }
    if super::foreign::options_change(&change.at, from, to).is_some() {
        return true;
    }
    let routine = matches!(change.at.kind(), ObjectKind::Function | ObjectKind::Procedure);
    routine && from.create.iter().zip(&to.create).all(|(a, b)| head(a).is_some() && head(a) == head(b))
}

/// The part of a routine's text that replacing cannot change: from its name to its body or settings, in lower case.
fn head(sql: &Sql) -> Option<String> {
    let words = mig_plan::sql::tokens(sql.as_str()).filter(|t| t.kind != mig_plan::sql::TokenKind::Blank);
    let mut words = words.map(|t| t.identifier().unwrap_or_else(|| t.text.to_owned()));
    if words.by_ref().take(3).collect::<Vec<_>>() != ["create", "or", "replace"] {
        return None;
    }
    let ends = [
        "as",
        "language",
        "immutable",
        "stable",
        "volatile",
        "begin",
        "return",
        "strict",
        "security",
        "cost",
        "parallel",
        "set",
    ];
    let mut depth = 0u32;
    let taken = words.take_while(|word| {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 0 || !ends.contains(&word.as_str())
    });
    Some(taken.collect::<Vec<_>>().join(" "))
}

/// An object as `DROP` and `COMMENT ON` call it.
pub(crate) fn noun(at: &Address) -> String {
    let name = qualified(&at.qualified());
    let member = |word: &str| format!("{word} {} ON {name}", quote(at.name()));
    let routine = |word: &str| format!("{word} {name}({})", at.signature().unwrap_or_default());
    match at.kind() {
        ObjectKind::Namespace => format!("SCHEMA {}", quote(at.name())),
        ObjectKind::Extension => format!("EXTENSION {}", quote(at.name())),
        ObjectKind::EventTrigger => format!("EVENT TRIGGER {}", quote(at.name())),
        ObjectKind::Enum | ObjectKind::Type => format!("TYPE {name}"),
        ObjectKind::Domain => format!("DOMAIN {name}"),
        ObjectKind::Collation => format!("COLLATION {name}"),
        ObjectKind::Sequence => format!("SEQUENCE {name}"),
        ObjectKind::Table | ObjectKind::VirtualTable => format!("TABLE {name}"),
        ObjectKind::Column => format!("COLUMN {}", member_path(at)),
        ObjectKind::Constraint => member("CONSTRAINT"),
        ObjectKind::Index => format!("INDEX {name}"),
        ObjectKind::Function => routine("FUNCTION"),
        ObjectKind::Procedure => routine("PROCEDURE"),
        ObjectKind::Aggregate if at.signature().is_some_and(str::is_empty) => format!("AGGREGATE {name}(*)"),
        ObjectKind::Aggregate => routine("AGGREGATE"),
        ObjectKind::View => format!("VIEW {name}"),
        ObjectKind::MaterializedView => format!("MATERIALIZED VIEW {name}"),
        ObjectKind::Trigger => member("TRIGGER"),
        ObjectKind::Policy => member("POLICY"),
        ObjectKind::Rule => member("RULE"),
        ObjectKind::Statistics => format!("STATISTICS {name}"),
        ObjectKind::Other => at.name().as_str().to_owned(),
        kind @ (ObjectKind::Opaque | ObjectKind::Event | ObjectKind::DefaultPrivileges) => {
            format!("{} {name}", quote_text(kind.slug()))
        }
    }
}

/// What the schema that every database has says from the beginning.
const STANDING_COMMENT: &str = "standard public schema";

/// `COMMENT ON`.
pub(crate) fn comment(at: &Address, text: Option<&str>, _around: Option<&Schema>) -> String {
    let text = text.or_else(|| grants::is_standing(at).then_some(STANDING_COMMENT));
    format!("COMMENT ON {} IS {}", noun(at), text.map_or_else(|| "NULL".to_owned(), literal))
}
