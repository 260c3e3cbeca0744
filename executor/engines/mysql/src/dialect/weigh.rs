//! What a change locks and what could go wrong.

use mig_plan::{Body, Column, ColumnValue, Hazard, HazardCode as H, Kind, ObjectKind, Rule, Schema, kind::AlterColumn};

use super::{
    names::{self, literal},
    online::{self, Way, is_identity, way},
    shadow, table, types,
};
use crate::flavor::{Flavor, charset_of};

/// What a change locks, in words.
pub(crate) fn lock(flavor: &Flavor, change: &Kind, before: &Schema) -> String {
    if let Kind::Create(_) | Kind::Drop(_) | Kind::Replace(_) = change
        && let Some(of) = change.address().relation().filter(|_| change.address().kind() == ObjectKind::Trigger)
    {
        return format!(
            "the metadata of {of} for a moment: waits for open transactions that used it, and clients wait behind"
        );
    }
    let Some(name) = online::table_of(change) else {
        return "nothing that clients wait for".to_owned();
    };
    let table = name.name.as_str();
    match way(flavor, change, before) {
        Way::Instant => format!(
            "the metadata of {table} for a moment: waits for open transactions that used it, and clients wait behind"
        ),
        Way::Online => format!("the metadata of {table} at the beginning and end; clients read and write meanwhile"),
        Way::Copy => format!("{table} against writing while the server copies it; clients can read"),
    }
}

/// What could go wrong.
pub(crate) fn hazards(flavor: &Flavor, change: &Kind, before: &Schema) -> Vec<Hazard> {
    let at = change.address();
    let mut out = Vec::new();
    if names::is_own(at.name().as_str()) || shadow::is_held(change, before) {
        // What mig makes for a while, clients do not know.
        return out;
    }
    let mut say = |code: H, says: String| out.push(Hazard::new(code, &at, says));
    match change {
        Kind::Rebuild(k) => {
            for part in table::parts(&k.table, &k.from, &k.to) {
                out.extend(hazards(flavor, &part, before).into_iter().filter(|h| h.code != H::RewriteUnderLock));
            }
            out.extend(copying(flavor, change, before));
            return out;
        }
        Kind::Drop(k) => match k.at.kind() {
            ObjectKind::Table => say(H::DropTable, format!("clients lose {}; its rows are kept until `mig gc`", k.at)),
            ObjectKind::Index => say(H::DropsIndex, "queries that used it become slow".to_owned()),
            ObjectKind::View => say(H::DropsView, format!("clients that read {} fail", k.at)),
            _ => say(H::DropsObject, format!("clients that use {} fail", k.at)),
        },
        Kind::Replace(k) => match k.at.kind() {
            ObjectKind::Index => say(H::BuildsIndex, "the server builds it from all rows".to_owned()),
            ObjectKind::View => say(H::ReplacesSource, "clients see the new query at once".to_owned()),
            _ => say(H::ReplacesSource, "clients run the new code at once".to_owned()),
        },
        Kind::Create(k) => {
            if let Body::Index(index) = &k.object.body
                && before.table(&index.table).is_some()
            {
                say(H::BuildsIndex, "the server builds it from all rows".to_owned());
                if index.unique {
                    say(H::UniqueMayFail, "rows that are alike stop it".to_owned());
                }
            }
        }
        Kind::Rename(k) if matches!(k.from.kind(), ObjectKind::Table | ObjectKind::View) => {
            say(
                H::RenameTable,
                "clients that use the old name fail; views and routines that name it are not changed".to_owned(),
            );
        }
        // To the server it is the same name.
        Kind::RenameMember(k) if names::same_column(k.from.name(), &k.to) => {}
        Kind::RenameMember(k) if k.from.kind() == ObjectKind::Column => {
            say(
                H::RenameColumn,
                "clients that use the old name fail; views and routines that name it are not changed".to_owned(),
            );
        }
        Kind::AddColumn(k) => {
            let given = !matches!(k.column.value, ColumnValue::Plain);
            if k.column.not_null && !given {
                say(
                    H::NeedsEmptyTable,
                    "rows that are there have no value for it; the server would invent one".to_owned(),
                );
            }
        }
        Kind::DropColumn(k) => {
            say(
                H::DropColumn,
                "clients that name it fail; what they write between the copy of its values and its end is not kept"
                    .to_owned(),
            );
            if matches!(super::render::column_key(k, before), Some(super::kept::Finds::Rest(_))) {
                let says =
                    "the table has no primary key: taken back, rows alike in all else may get each other's values";
                say(H::NoUndo, says.to_owned());
            }
        }
        Kind::AlterColumn(k) => out.extend(of_alter(k)),
        Kind::AddConstraint(k) => match k.constraint.rule {
            Rule::ForeignKey(_) => {
                say(H::ForeignKeyMayFail, "rows without a counterpart stop it".to_owned());
                say(H::TightensRule, "clients that write such rows fail".to_owned());
            }
            Rule::Check { .. } => {
                say(H::CheckMayFail, "rows that break it stop it".to_owned());
                say(H::TightensRule, "clients that write such rows fail".to_owned());
            }
            _ => say(H::UniqueMayFail, "rows that are alike stop it".to_owned()),
        },
        Kind::DropConstraint(k) => match k.constraint.rule {
            Rule::PrimaryKey(_) | Rule::Unique(_) => say(H::DropsKey, "rows may be alike from now on".to_owned()),
            _ => say(H::DropsConstraint, "rows that it refused may come".to_owned()),
        },
        _ => {}
    }
    out.extend(copying(flavor, change, before));
    out
}

fn copying(flavor: &Flavor, change: &Kind, before: &Schema) -> Option<Hazard> {
    let name = table::of(change)?;
    let copies = way(flavor, change, before) == Way::Copy;
    let says = format!("the server copies {}; writers wait until it is done", literal(name.name.as_str()));
    copies.then(|| Hazard::new(H::RewriteUnderLock, &table::address(&name), says))
}

fn of_alter(k: &AlterColumn) -> Vec<Hazard> {
    let at = mig_plan::Address::column(&k.table, &k.from.name);
    let mut out = Vec::new();
    let mut say = |code: H, says: &str| out.push(Hazard::new(code, &at, says));
    if k.from.data_type != k.to.data_type && !widens(&k.from, &k.to) {
        say(H::CastMayFail, "values that do not fit stop it, or are rounded");
        say(H::TightensType, "clients that write wider values fail");
    }
    if k.from.collation != k.to.collation {
        say(H::CastMayFail, "characters that the new character set does not have stop it; keys may become alike");
    }
    if !k.from.not_null && k.to.not_null {
        say(H::NotNullMayFail, "rows without a value stop it");
        say(H::TightensRule, "clients that write no value fail");
    }
    if k.from.not_null && !k.to.not_null {
        say(H::NullableAgain, "clients may meet NULL");
    }
    if matches!(k.from.value, ColumnValue::Default(_)) && k.to.value.is_plain() {
        say(H::DefaultGone, "clients that gave no value get NULL or an error");
    }
    if is_identity(&k.from) != is_identity(&k.to) {
        say(H::IdentityChange, "the server gives out ids in another way");
    }
    out
}

/// What becomes of a value in another form of its column, which refuses none. A character set of the table's own is not known here.
pub(crate) fn converted(value: &str, from: &Column, to: &Column) -> Option<String> {
    if from.data_type != to.data_type && !widens(from, to) {
        return None;
    }
    match (&from.collation, &to.collation) {
        (was, is) if was == is => Some(value.to_owned()),
        (Some(_), Some(is)) => Some(format!("CONVERT({value} USING {}) COLLATE {is}", charset_of(is))),
        _ => None,
    }
}

/// Whether every value of one type is a value of the other.
pub(crate) fn widens(from: &Column, to: &Column) -> bool {
    let (a, b) = (types::base(&from.data_type), types::base(&to.data_type));
    if let (Some(old), Some(new)) = (types::range(&from.data_type), types::range(&to.data_type)) {
        return new.0 <= old.0 && new.1 >= old.1;
    }
    let number = |c: &Column| types::argument(&c.data_type).and_then(|n| n.parse::<u64>().ok());
    match (a, b) {
        ("enum", "enum") | ("set", "set") => {
            let new = types::members(&to.data_type);
            types::members(&from.data_type).iter().all(|m| new.contains(m))
        }
        ("char" | "varchar", "char" | "varchar") | ("varbinary", "varbinary") => number(from) <= number(to),
        ("datetime", "datetime") | ("timestamp", "timestamp") | ("time", "time") => number(from) <= number(to),
        ("decimal", "decimal") => {
            let both = |c: &Column| -> Option<(i64, i64)> {
                let (whole, scale) = types::argument(&c.data_type)?.split_once(',')?;
                Some((whole.parse().ok()?, scale.parse().ok()?))
            };
            match (both(from), both(to)) {
                (Some((p, s)), Some((q, t))) => t >= s && q - t >= p - s,
                _ => false,
            }
        }
        ("char" | "varchar" | "tinytext" | "text" | "mediumtext", "longtext") => true,
        ("char" | "varchar" | "tinytext", "text" | "mediumtext") | ("text", "mediumtext") => {
            number(from).unwrap_or(0) < 16_000
        }
        ("tinyblob" | "blob" | "mediumblob" | "binary" | "varbinary", "longblob") => true,
        ("float", "double") => true,
        ("date", "datetime") => true,
        _ => false,
    }
}
