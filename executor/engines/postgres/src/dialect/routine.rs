//! What tells routines apart: the types of what they take, not what they or their arguments are called.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Object, ObjectKind,
    sql::{TokenKind, tokens},
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
