//! What tells routines apart: the types of what they take, not what they or their arguments are called.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Object, ObjectKind, Qualified, Sql,
    sql::{Token, TokenKind, tokens},
};

/// The first words of types that have more than one.
const LONG: &[(&str, &[&str])] = &[
    ("double", &["precision"]),
    ("character", &["varying"]),
    ("bit", &["varying"]),
    ("timestamp", &["with", "without"]),
    ("time", &["with", "without"]),
    ("interval", &["year", "month", "day", "hour", "minute", "second"]),
];

/// Where a routine stands: functions, procedures and aggregates have one space of names.
pub(super) fn slot(at: &Address) -> Address {
    match (at.kind(), at.signature()) {
        (ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate, Some(signature)) => {
            let types: Vec<_> = arguments(signature).iter().filter_map(|argument| type_of(argument)).collect();
            Address::routine(ObjectKind::Function, &at.qualified(), types.join(", "))
        }
        _ => at.clone(),
    }
}

/// Whether a call may mean either of two routines: they have one name, and one of them can be called with fewer arguments than it has,
/// or with more.
pub(super) fn ambiguous((a, from): (&Address, &Object), (b, to): (&Address, &Object)) -> bool {
    let elastic = |object: &Object| match &object.body {
        Body::Source(source) => source.create.first().is_some_and(|sql| {
            let words: Vec<_> = tokens(sql.as_str()).filter(|t| t.kind != TokenKind::Blank).collect();
            let Some(open) = words.iter().position(|t| t.text == "(") else { return false };
            let mut depth = 0;
            let within = words[open..].iter().take_while(|t| {
                match t.text {
                    "(" => depth += 1,
                    ")" => depth -= 1,
                    _ => {}
                }
                depth > 0
            });
            within
                .into_iter()
                .any(|t| ["default", "variadic", "="].iter().any(|word| t.text.eq_ignore_ascii_case(word)))
        }),
        _ => false,
    };
    let routine =
        |at: &Address| matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate);
    routine(a) && routine(b) && a.qualified() == b.qualified() && (elastic(from) || elastic(to))
}

/// A routine without the strings in it: a body that is one is looked into only when it runs, or where the session asks for it as it is
/// made (manual, 20.11.1, `check_function_bodies`). A parsed one (`BEGIN ATOMIC`) stays.
pub(super) fn without_body(object: &Object) -> Object {
    let mut object = object.clone();
    if let Body::Source(source) = &mut object.body {
        for sql in &mut source.create {
            let bare =
                |token: Token<'_>| if token.kind == TokenKind::Text { "''".to_owned() } else { token.text.to_owned() };
            *sql = Sql::new(tokens(sql.as_str()).map(bare).collect::<String>());
        }
    }
    object
}

/// Whether a routine gives back rows of a table column by column: with one column more or less its body does not fit any more. A body
/// that takes all columns by a star goes with them, unless the server has parsed it.
pub(super) fn gives_rows_of(object: &Object, table: &Qualified) -> bool {
    let Body::Source(source) = &object.body else { return false };
    let Some(text) = source.create.first() else { return false };
    let words: Vec<_> = tokens(text.as_str()).filter(|t| t.kind != TokenKind::Blank).collect();
    let is = |i: usize, word: &str| words.get(i).is_some_and(|t| t.text.eq_ignore_ascii_case(word));
    let Some(returns) = (0..words.len()).find(|i| is(*i, "returns")) else { return false };
    let first = if is(returns + 1, "setof") { returns + 2 } else { returns + 1 };
    let name = |i: usize| words.get(i).and_then(|t| t.identifier());
    let (schema, last) = if is(first + 1, ".") { (name(first), first + 2) } else { (None, first) };
    let here = schema.is_none() || schema.as_deref() == table.schema.as_ref().map(|s| s.as_str());
    here && name(last).as_deref() == Some(table.name.as_str()) && !words[last..].iter().any(|t| t.text.contains('*'))
}

/// The arguments of a signature, each as its words.
fn arguments(signature: &str) -> Vec<Vec<&str>> {
    let (mut all, mut depth) = (vec![Vec::new()], 0);
    for token in tokens(signature).filter(|t| t.kind != TokenKind::Blank) {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 0 => {
                all.push(Vec::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = all.last_mut() {
            last.push(token.text);
        }
    }
    all
}

/// What the arguments of a signature are called.
pub(super) fn argument_names(signature: &str) -> BTreeSet<String> {
    let name = |argument: &Vec<&str>| {
        let rest = match argument.as_slice() {
            ["IN" | "OUT" | "INOUT" | "VARIADIC", rest @ ..] => rest,
            all => all,
        };
        let named = matches!(rest, [first, second, ..] if is_word(second) && !is_long(first, second));
        named.then(|| tokens(rest[0]).next()?.identifier()).flatten()
    };
    arguments(signature).iter().filter_map(name).collect()
}

/// Whether two words are the beginning of a type.
fn is_long(first: &str, second: &str) -> bool {
    LONG.iter().any(|(word, next)| *word == first && next.contains(&second))
}

/// The type of an argument; `None` for what a routine only gives.
fn type_of(argument: &[&str]) -> Option<String> {
    let rest = match argument {
        ["OUT", ..] => return None,
        ["IN" | "INOUT" | "VARIADIC", rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    let named = match rest {
        [first, second, ..] if is_word(second) => !is_long(first, second),
        _ => false,
    };
    let words = if named { &rest[1..] } else { rest };
    (!words.is_empty()).then(|| words.join(" "))
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"')
}

#[cfg(test)]
mod tests {
    use mig_plan::{Name, Qualified};

    use super::*;

    #[test]
    fn names_of_arguments_tell_nothing_apart() {
        let f = Qualified::new(Name::new("public").ok(), Name::new("f").unwrap());
        let slot = |kind, signature: &str| slot(&Address::routine(kind, &f, signature)).signature().unwrap().to_owned();
        for (a, b) in [
            ("x integer", "y integer"),
            ("x integer, OUT y text", "integer"),
            ("\"a b\" character varying", "character varying"),
            ("VARIADIC x public.pair[]", "public.pair[]"),
            ("double precision", "d double precision"),
            ("at timestamp without time zone, n numeric", "timestamp without time zone, numeric"),
        ] {
            assert_eq!(slot(ObjectKind::Function, a), slot(ObjectKind::Procedure, b), "{a} / {b}");
        }
        for (a, b) in [("integer", "text"), ("x integer", "integer, integer"), ("time with time zone", "time")] {
            assert_ne!(slot(ObjectKind::Function, a), slot(ObjectKind::Function, b), "{a} / {b}");
        }
    }
}
