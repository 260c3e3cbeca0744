//! Names and literals as PostgreSQL writes them.

use mig_plan::{Fingerprint, Name, Qualified};
use serde::Serialize;

/// Longest identifier, in bytes.
const MAX_BYTES: usize = 63;

/// The schema that keeps what a plan removes.
pub(crate) const TRASH: &str = "mig_trash";

/// The keywords that `quote_ident` quotes: all but the unreserved ones, of every supported version.
const KEYWORDS: &str = " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both \
case cast char character check coalesce collate collation column concurrently constraint create cross current_catalog current_date \
current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end \
except exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner \
inout int integer intersect interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg \
json_query json_scalar json_serialize json_table json_value lateral leading least left like limit localtime localtimestamp \
merge_action national natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps \
overlay placing position precision primary real references returning right row select session_user setof similar smallint some \
substring symmetric system_user table tablesample then time timestamp to trailing treat trim true union unique user using values \
varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse \
xmlpi xmlroot xmlserialize xmltable ";

/// A name, quoted only where it must be.
pub(crate) fn quote(name: &Name) -> String {
    quote_text(name.as_str())
}

/// A text as an identifier, quoted only where it must be.
pub(crate) fn quote_text(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !KEYWORDS.contains(&format!(" {text} "));
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// Words that PL/pgSQL reserves and SQL does not (`pl_reserved_kwlist.h`): after `NEW.` it takes them for its own.
const OF_BODIES: [&str; 9] = ["begin", "by", "declare", "execute", "foreach", "if", "loop", "strict", "while"];

/// The name of a row's field in the body of a function.
pub(crate) fn field(name: &Name) -> String {
    if OF_BODIES.contains(&name.as_str()) { format!("\"{name}\"") } else { quote(name) }
}

/// A qualified name.
pub(crate) fn qualified(at: &Qualified) -> String {
    at.path().iter().map(quote).collect::<Vec<_>>().join(".")
}

/// Names, separated by commas.
pub(crate) fn list(names: &[Name]) -> String {
    names.iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// A text as a string literal that means the same whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

/// A name of mig's own making: prefix, hash of what it is for, and as much of `tail` as fits.
pub(crate) fn generated<T: Serialize + ?Sized>(prefix: &str, of: &T, tail: &str) -> Name {
    let hash = Fingerprint::of(of);
    Name::new(cut(&format!("{prefix}{}_{tail}", hash.short(10)), MAX_BYTES)).expect("a prefix is never empty")
}

/// As many whole characters as fit into a number of bytes.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Whether a name is one that mig gives to what it hides from clients.
pub(crate) fn is_own(name: &Name) -> bool {
    name.as_str().starts_with("_mig_")
}

/// A type as a person knows it, who has never seen the name under which it waits to take another one's.
pub(crate) fn shown(data_type: &str) -> String {
    const HASHED: usize = "0123456789_".len();
    match data_type.split_once("_mig_type_") {
        Some((schema, name)) => format!("the new {schema}{}", name.get(HASHED..).unwrap_or(name)),
        None => data_type.to_owned(),
    }
}

/// Whether a name can be used by specs.
pub(crate) fn check(name: &Name) -> Result<(), String> {
    let text = name.as_str();
    if text.len() > MAX_BYTES {
        return Err(format!("`{text}` has {} bytes; PostgreSQL keeps {MAX_BYTES}", text.len()));
    }
    if text.starts_with("_mig_") || text.starts_with("zzz_mig_") || text == "mig" || text == TRASH {
        return Err(format!("`{text}` is a name that mig keeps for itself"));
    }
    Ok(())
}

/// The server's own way to a default name: `table_columns_suffix`, shortened evenly where it is too long, then numbered.
pub(crate) fn derived(table: &str, columns: &str, suffix: &str, taken: &dyn Fn(&str) -> bool) -> Name {
    let mut pass = 0usize;
    loop {
        let label = if pass == 0 { suffix.to_owned() } else { format!("{suffix}{pass}") };
        let name = fitted(table, columns, &label);
        if !taken(&name) {
            return Name::new(name).expect("a suffix is never empty");
        }
        pass += 1;
    }
}

/// `makeObjectName` of the server.
fn fitted(table: &str, columns: &str, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(!columns.is_empty());
    let room = MAX_BYTES.saturating_sub(overhead);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > room {
        if first > second { first -= 1 } else { second -= 1 }
    }
    let (table, columns) = (cut(table, first), cut(columns, second));
    if columns.is_empty() { format!("{table}_{label}") } else { format!("{table}_{columns}_{label}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_like_the_server() {
        for (text, quoted) in
            [("users", "users"), ("user", "\"user\""), ("Aé", "\"Aé\""), ("a\"b", "\"a\"\"b\""), ("name", "name")]
        {
            assert_eq!(quote_text(text), quoted);
        }
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\b"), "E'a\\\\b'");
    }

    #[test]
    fn default_names_fit() {
        assert_eq!(derived("t", "a_b", "key", &|n| n == "t_a_b_key").as_str(), "t_a_b_key1");
        assert_eq!(derived(&"t".repeat(63), &"c".repeat(63), "fkey", &|_| false).as_str().len(), 63);
    }
}
