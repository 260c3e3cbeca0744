//! Reads the CREATE statements that SQLite keeps in `sqlite_schema`, by tokens.
//!
//! SQLite keeps the text that it was given, so everything that its grammar allows comes along here.

mod index;
mod table;

use mig_plan::{
    Name,
    table::{Column, Deferral, ReferentialAction},
};

pub(crate) use self::{
    index::{ParsedIndex, ParsedPart, index},
    table::{is_value_word, table},
};
use super::lex::Walk;

/// A CREATE TABLE as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ParsedTable {
    pub(crate) columns: Vec<Column>,
    pub(crate) constraints: Vec<ParsedConstraint>,
    pub(crate) strict: bool,
    pub(crate) without_rowid: bool,
}

/// A constraint of a column or of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParsedConstraint {
    /// Its name, if it was given one.
    pub(crate) name: Option<Name>,
    /// The column that it was written at; `None` for one of the table.
    pub(crate) column: Option<Name>,
    pub(crate) rule: ParsedRule,
    pub(crate) deferral: Deferral,
    pub(crate) on_conflict: Option<String>,
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ParsedRule {
    PrimaryKey { parts: Vec<ParsedPart>, autoincrement: bool },
    Unique { parts: Vec<ParsedPart> },
    Check(String),
    ForeignKey(ParsedKey),
}

/// A foreign key; without referenced columns it means the parent's primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParsedKey {
    pub(crate) columns: Vec<Name>,
    pub(crate) parent: Name,
    pub(crate) referenced: Vec<Name>,
    pub(crate) on_update: ReferentialAction,
    pub(crate) on_delete: ReferentialAction,
    pub(crate) match_full: bool,
}

/// A CREATE VIEW: its column names, if given, and its query.
pub(crate) fn view(sql: &str) -> Option<(Vec<Name>, String)> {
    let mut walk = Walk::new(sql);
    head(&mut walk, "view")?;
    let mut columns = Vec::new();
    if walk.sign("(") {
        loop {
            columns.push(walk.name()?);
            if !walk.sign(",") {
                break;
            }
        }
        if !walk.sign(")") {
            return None;
        }
    }
    walk.words(&["as"]).then(|| (columns, walk.rest().to_owned()))
}

/// Takes `CREATE [TEMP] what [IF NOT EXISTS] name`.
fn head(walk: &mut Walk<'_>, what: &str) -> Option<Name> {
    let create = walk.words(&["create"]);
    let _ = walk.words(&["temp"]) || walk.words(&["temporary"]);
    if !(create && walk.words(&[what])) {
        return None;
    }
    walk.words(&["if", "not", "exists"]);
    walk.last_name()
}

/// Takes `ON CONFLICT word`, if it is there.
fn on_conflict(walk: &mut Walk<'_>) -> Option<String> {
    if !walk.words(&["on", "conflict"]) {
        return None;
    }
    walk.take().map(|t| t.text.to_ascii_lowercase())
}
