//! Names inside strings: paths, lists in parentheses, the short form of an index part.

use std::ops::Range;

use mig_plan::{
    BadName, Name, split_path,
    sql::{Token, TokenKind, tokens},
};

use super::{language::IndexPartSpec, node::Said, reader::Text};
use crate::diagnostic::Place;

/// A column's name: as it stands, or in double quotes where it begins with one.
pub(crate) fn column(text: &str) -> Result<Name, BadName> {
    if text.starts_with('"') {
        let mut parts = split_path(text)?;
        match (parts.pop(), parts.is_empty()) {
            (Some(name), true) => Ok(name),
            _ => Err(BadName::Path(text.to_owned())),
        }
    } else {
        Name::new(text)
    }
}

/// How a column's name is written where [`column`] reads it.
pub(crate) fn write_column(name: &Name) -> String {
    if name.as_str().starts_with('"') { quoted(name) } else { name.as_str().to_owned() }
}

/// A name in double quotes.
pub(crate) fn quoted(name: &Name) -> String {
    format!("\"{}\"", name.as_str().replace('"', "\"\""))
}

/// Cuts `path (a, b)` into the path and what is in the parentheses, if there are any.
pub(crate) fn parenthesised(text: &str) -> Result<(&str, Option<&str>), BadName> {
    let bad = || BadName::Path(text.to_owned());
    match outside_quotes(text, '(').next() {
        None => Ok((text.trim(), None)),
        Some(open) => {
            let inner = text[open + 1..].trim_end().strip_suffix(')').ok_or_else(bad)?;
            Ok((text[..open].trim(), Some(inner)))
        }
    }
}

/// The column names of `a, "B c"`.
pub(crate) fn columns(list: &str) -> Result<Vec<Name>, BadName> {
    let mut names = Vec::new();
    let mut from = 0;
    for end in outside_quotes(list, ',').chain([list.len()]) {
        names.push(column(list[from..end].trim())?);
        from = end + 1;
    }
    Ok(names)
}

fn outside_quotes(text: &str, wanted: char) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    text.char_indices().filter_map(move |(at, c)| {
        quoted ^= c == '"';
        (c == wanted && !quoted).then_some(at)
    })
}

/// Reads `email`, `created_at desc nulls last` or `lower(email)`.
pub(crate) fn index_part(text: Text, place: Place) -> IndexPartSpec {
    let said = |value: &str| Some(Said { value: value.to_owned(), place: place.clone() });
    let flag = |value| Some(Said { value, place: place.clone() });
    let mut part = IndexPartSpec {
        place: place.clone(),
        column: None,
        expr: None,
        collation: None,
        opclass: None,
        desc: None,
        nulls: None,
    };
    let mut rest = visible(&text.value);
    let word = |t: Option<&(Token<'_>, Range<usize>)>, word: &str| {
        t.is_some_and(|(t, _)| t.kind == TokenKind::Word && t.text.eq_ignore_ascii_case(word))
    };
    if rest.len() > 2 && word(rest.get(rest.len() - 2), "nulls") {
        let last = rest.last();
        if word(last, "first") || word(last, "last") {
            part.nulls = said(if word(last, "first") { "first" } else { "last" });
            rest.truncate(rest.len() - 2);
        }
    }
    if rest.len() > 1 && (word(rest.last(), "desc") || word(rest.last(), "asc")) {
        part.desc = word(rest.last(), "desc").then(|| flag(true)).flatten();
        rest.pop();
    }
    let source = match (rest.first(), rest.last()) {
        (Some((_, first)), Some((_, last))) => &text.value[first.start..last.end],
        _ => text.value.as_str(),
    };
    let call = rest.len() > 1 && rest.iter().any(|(t, _)| t.kind == TokenKind::Sign);
    if call {
        part.expr = said(source);
    } else {
        part.column = said(source);
    }
    part
}

/// The tokens that are not blank, with their places in the text.
fn visible(text: &str) -> Vec<(Token<'_>, Range<usize>)> {
    let mut at = 0;
    tokens(text)
        .map(|token| {
            let range = at..at + token.text.len();
            at = range.end;
            (token, range)
        })
        .filter(|(token, _)| token.kind != TokenKind::Blank)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> (Option<String>, Option<String>, bool, Option<String>) {
        let place = Place::new("x".to_owned(), 0..0);
        let part = index_part(Said { value: text.to_owned(), place: place.clone() }, place);
        (part.column.map(|c| c.value), part.expr.map(|e| e.value), part.desc.is_some(), part.nulls.map(|n| n.value))
    }

    #[test]
    fn index_parts_have_a_short_form() {
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(part("email"), (some("email"), None, false, None));
        assert_eq!(part("desc"), (some("desc"), None, false, None));
        assert_eq!(part("at desc nulls last"), (some("at"), None, true, some("last")));
        assert_eq!(part("lower(email) DESC"), (None, some("lower(email)"), true, None));
        assert_eq!(part("\"a desc\""), (some("\"a desc\""), None, false, None));
        assert_eq!(part("first name"), (some("first name"), None, false, None));
    }

    #[test]
    fn references_name_columns() {
        let (path, inner) = parenthesised("auth.\"U(s\" (id, \"a,b\")").unwrap();
        assert_eq!(path, "auth.\"U(s\"");
        let names: Vec<_> = columns(inner.unwrap()).unwrap().iter().map(|n| n.as_str().to_owned()).collect();
        assert_eq!(names, ["id", "a,b"]);
    }
}
