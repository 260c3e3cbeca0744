//! Reads CREATE INDEX, and the lists of indexed columns that keys have too.

use mig_plan::Name;

use super::super::lex::{self, Tok, Walk};

/// A CREATE INDEX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParsedIndex {
    pub(crate) table: Name,
    pub(crate) unique: bool,
    pub(crate) parts: Vec<ParsedPart>,
    pub(crate) predicate: Option<String>,
}

/// One part of an index or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParsedPart {
    /// The name, if the part is nothing but one.
    pub(crate) column: Option<Name>,
    /// The source of the part, without collation and direction.
    pub(crate) text: String,
    pub(crate) collation: Option<String>,
    pub(crate) descending: bool,
}

/// Reads a CREATE INDEX.
pub(crate) fn index(sql: &str) -> Option<ParsedIndex> {
    let mut walk = Walk::new(sql);
    if !walk.words(&["create"]) {
        return None;
    }
    let unique = walk.words(&["unique"]);
    if !walk.words(&["index"]) {
        return None;
    }
    walk.words(&["if", "not", "exists"]);
    walk.last_name()?;
    if !walk.words(&["on"]) {
        return None;
    }
    let table = walk.name()?;
    let parts = parts(walk.parenthesized()?)?;
    let predicate = walk.words(&["where"]).then(|| walk.rest().to_owned());
    Some(ParsedIndex { table, unique, parts, predicate })
}

/// Reads the text between the parentheses of a list of indexed columns.
pub(crate) fn parts(list: &str) -> Option<Vec<ParsedPart>> {
    let tokens = lex::tokens(list);
    let mut depth = 0usize;
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            "," if depth == 0 => {
                parts.push(part(list, &tokens[from..at])?);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(part(list, &tokens[from..])?);
    Some(parts)
}

fn part(source: &str, mut tokens: &[Tok<'_>]) -> Option<ParsedPart> {
    let mut descending = false;
    if let [before @ .., order] = tokens
        && (order.is_word("asc") || order.is_word("desc"))
        && !before.is_empty()
    {
        descending = order.is_word("desc");
        tokens = before;
    }
    let mut collation = None;
    if let [before @ .., collate, name] = tokens
        && collate.is_word("collate")
        && !before.is_empty()
    {
        collation = name.name().map(|n| n.as_str().to_ascii_uppercase());
        tokens = before;
    }
    let (first, last) = (tokens.first()?, tokens.last()?);
    let column = if tokens.len() == 1 { first.name() } else { None };
    Some(ParsedPart { column, text: source[first.at..last.end()].to_owned(), collation, descending })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part() {
        let sql = "create unique index if not exists main.\"i 1\" on [T 1] (a, \"b c\" collate nocase desc, lower(d || ',') asc) where a > 1 and b is not null;";
        let index = index(sql).unwrap();
        assert!(index.unique);
        assert_eq!(index.table.as_str(), "T 1");
        assert_eq!(index.predicate.as_deref(), Some("a > 1 and b is not null"));
        let [a, b, c] = &index.parts[..] else { panic!("three parts") };
        assert_eq!(a.column.as_ref().map(Name::as_str), Some("a"));
        assert_eq!((b.collation.as_deref(), b.descending), (Some("NOCASE"), true));
        assert_eq!((c.column.as_ref(), c.text.as_str(), c.descending), (None, "lower(d || ',')", false));
    }
}
