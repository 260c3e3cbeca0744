//! Columns, constraints and whole tables as DDL writes them.

use std::{collections::BTreeMap, sync::Arc};

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Name, Object, Rule, Table,
    sql::TokenKind,
    table::{ForeignKey, Key, ReferentialAction},
};

use super::{
    index, lex,
    names::{self, list, literal, quote},
    normalize::{LEVEL, collation_of},
    types,
};
use crate::flavor::{Flavor, charset_of};

/// Whether a check belongs to its column.
pub(crate) fn is_column_check(constraint: &Constraint) -> bool {
    constraint.options.get(LEVEL).is_some_and(|level| level == "column")
}

/// A column's whole definition, its own check included: what is not said is lost.
pub(crate) fn column(flavor: &Flavor, table: &Table, column: &Column) -> String {
    let mut out = format!("{} {}", quote(&column.name), column.data_type);
    if column.options.get("compressed").is_some_and(|v| v == "true") {
        out.push_str(" COMPRESSED");
    }
    if types::is_text(&column.data_type) {
        let collation = column.collation.clone().unwrap_or_else(|| collation_of(flavor, table));
        if column.collation.is_some() || collation != flavor.collation {
            out.push_str(&format!(" CHARACTER SET {} COLLATE {collation}", charset_of(&collation)));
        }
    }
    let nullness = if column.not_null { " NOT NULL" } else { " NULL" };
    match &column.value {
        ColumnValue::Generated { expression, stored } => {
            let kept = if *stored { "STORED" } else { "VIRTUAL" };
            out.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {kept}"));
            if !flavor.is_maria() {
                out.push_str(nullness);
            }
        }
        value => {
            out.push_str(nullness);
            match value {
                ColumnValue::Default(sql) => out.push_str(&format!(" DEFAULT {}", default(sql.as_str()))),
                ColumnValue::Identity { .. } => out.push_str(" AUTO_INCREMENT"),
                _ => {}
            }
        }
    }
    if let Some(update) = column.options.get("on_update") {
        out.push_str(&format!(" ON UPDATE {update}"));
    }
    if column.options.get("invisible").is_some_and(|v| v == "true") {
        out.push_str(" INVISIBLE");
    }
    if column.options.get("unversioned").is_some_and(|v| v == "true") {
        out.push_str(" WITHOUT SYSTEM VERSIONING");
    }
    if let Some(comment) = &column.comment {
        out.push_str(&format!(" COMMENT {}", literal(comment)));
    }
    if let Some(check) = table.constraints.get(&column.name).filter(|c| is_column_check(c))
        && let Rule::Check { expression } = &check.rule
    {
        out.push_str(&format!(" CHECK ({expression})"));
    }
    out
}

/// A default as DDL takes it: an expression that is no literal stands in parentheses.
fn default(sql: &str) -> String {
    let tokens = lex::tokens(sql);
    let bare = match tokens.as_slice() {
        [only] => matches!(only.kind, TokenKind::Text | TokenKind::Number | TokenKind::Word),
        [sign, number] => (sign.is_sign("-") || sign.is_sign("+")) && number.kind == TokenKind::Number,
        [open, .., close] if open.is_sign("(") && close.is_sign(")") => encloses(&tokens),
        [word, open, .., close] if word.is_word("current_timestamp") || word.is_word("now") => {
            open.is_sign("(") && close.is_sign(")") && tokens.len() <= 4
        }
        _ => false,
    };
    if bare { sql.to_owned() } else { format!("({sql})") }
}

/// Whether the first parenthesis is closed by the last one.
fn encloses(tokens: &[lex::Tok<'_>]) -> bool {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 && at + 1 < tokens.len() {
                return false;
            }
        }
    }
    depth == 0
}

/// A constraint as a clause of CREATE TABLE, or after ADD.
pub(crate) fn constraint(name: &Name, constraint: &Constraint) -> String {
    match &constraint.rule {
        Rule::PrimaryKey(key) => primary_key(key, constraint),
        Rule::Unique(key) => format!("UNIQUE KEY {} ({})", quote(name), list(&key.columns)),
        Rule::ForeignKey(fk) => format!("CONSTRAINT {} {}", quote(name), foreign_key(fk)),
        Rule::Check { expression } => {
            let enforced = if constraint.options.contains_key("not_enforced") { " NOT ENFORCED" } else { "" };
            format!("CONSTRAINT {} CHECK ({expression}){enforced}", quote(name))
        }
        Rule::Exclude { definition } => definition.as_str().to_owned(),
    }
}

fn primary_key(key: &Key, constraint: &Constraint) -> String {
    let part = |column: &Name| {
        let length = constraint.options.get(&format!("length.{}", column.as_str()));
        let order = constraint.options.get(&format!("order.{}", column.as_str()));
        let length = length.map(|n| format!("({n})")).unwrap_or_default();
        let order = if order.is_some() { " DESC" } else { "" };
        format!("{}{length}{order}", quote(column))
    };
    let parts: Vec<_> = key.columns.iter().map(part).collect();
    let method = constraint.options.get("method").map(|m| format!(" USING {m}")).unwrap_or_default();
    let comment = constraint.comment.as_ref().map(|c| format!(" COMMENT {}", literal(c))).unwrap_or_default();
    format!("PRIMARY KEY ({}){method}{comment}", parts.join(", "))
}

fn foreign_key(fk: &ForeignKey) -> String {
    format!(
        "FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} ON UPDATE {}",
        list(&fk.columns),
        names::object(&fk.references),
        list(&fk.referenced),
        fk.on_delete.sql(),
        fk.on_update.sql()
    )
}

/// A foreign key that is made without a look at the rows. Made so, the server remembers RESTRICT as NO ACTION, save where it is not said.
pub(crate) fn foreign_key_unchecked(fk: &ForeignKey) -> String {
    let said = |word: &str, action: ReferentialAction| match action {
        ReferentialAction::Restrict => String::new(),
        action => format!(" ON {word} {}", action.sql()),
    };
    format!(
        "FOREIGN KEY IF NOT EXISTS ({}) REFERENCES {} ({}){}{}",
        list(&fk.columns),
        names::object(&fk.references),
        list(&fk.referenced),
        said("DELETE", fk.on_delete),
        said("UPDATE", fk.on_update)
    )
}

/// The statement that makes a table, with its indexes.
pub(crate) fn create_table(
    flavor: &Flavor,
    name: &Name,
    table: &Table,
    object: &Object,
    with: &BTreeMap<Address, Arc<Object>>,
) -> String {
    let mut parts: Vec<String> = table.columns.iter().map(|c| column(flavor, table, c)).collect();
    parts.extend(table.constraints.iter().filter(|(_, c)| !is_column_check(c)).map(|(name, c)| constraint(name, c)));
    parts.extend(with.iter().filter_map(|(at, object)| match &object.body {
        Body::Index(of) => Some(index::definition(at, object, of)),
        _ => None,
    }));
    let comment = object.comment.as_ref().map(|c| format!(" COMMENT={}", literal(c))).unwrap_or_default();
    let partitions = table.options.get("partition_by").map(|p| format!("\nPARTITION BY {p}")).unwrap_or_default();
    let options: Vec<_> = table.options.iter().filter_map(|(key, value)| option(key, value)).collect();
    format!("CREATE TABLE {} (\n  {}\n) {}{comment}{partitions}", quote(name), parts.join(",\n  "), options.join(" "))
}

/// A setting of a table as DDL writes it; partitions have their own place.
pub(crate) fn option(key: &str, value: &str) -> Option<String> {
    let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let said = if plain { value.to_owned() } else { literal(value) };
    match key {
        "partition_by" => None,
        "collation" => Some(format!("DEFAULT CHARACTER SET={} COLLATE={value}", charset_of(value))),
        "system_versioned" => Some("WITH SYSTEM VERSIONING".to_owned()),
        _ => Some(format!("{}={said}", option_name(key))),
    }
}

/// What engines know by themselves keeps the letters in which it was said.
fn option_name(key: &str) -> String {
    if is_of_engine(key) { key.to_owned() } else { key.to_ascii_uppercase() }
}

/// Whether only some engines take an option at all.
pub(crate) fn is_of_engine(key: &str) -> bool {
    key == "transactional" || ["page_compress", "encrypt", "ietf_", "itf_"].iter().any(|word| key.starts_with(word))
}

/// What takes a setting of a table back.
pub(crate) fn option_gone(key: &str, engine: Option<&str>) -> Option<String> {
    match key {
        // Aria stays with what was said last.
        "page_checksum" if engine == Some("Aria") => Some("PAGE_CHECKSUM=1".to_owned()),
        "partition_by" | "collation" => None,
        "system_versioned" => Some("DROP SYSTEM VERSIONING".to_owned()),
        "key_block_size" | "min_rows" | "max_rows" | "avg_row_length" | "checksum" | "delay_key_write" => {
            Some(format!("{}=0", key.to_ascii_uppercase()))
        }
        _ => Some(format!("{}=DEFAULT", option_name(key))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_literals_or_in_parentheses() {
        for (said, written) in [
            ("'a''b'", "'a''b'"),
            ("-1.5", "-1.5"),
            ("current_timestamp(3)", "current_timestamp(3)"),
            ("unhex(replace(uuid(),'-',''))", "(unhex(replace(uuid(),'-','')))"),
            ("(1) + (2)", "((1) + (2))"),
            ("(uuid())", "(uuid())"),
            ("b'101'", "b'101'"),
            ("NULL", "NULL"),
        ] {
            assert_eq!(default(said), written);
        }
    }
}
