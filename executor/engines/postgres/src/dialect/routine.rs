//! What tells routines apart: the types of what they take, not what they or their arguments are called.

use mig_plan::{
    Address, ObjectKind,
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

/// The type of an argument; `None` for what a routine only gives.
fn type_of(argument: &[&str]) -> Option<String> {
    let rest = match argument {
        ["OUT", ..] => return None,
        ["IN" | "INOUT" | "VARIADIC", rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    let named = match rest {
        [first, second, ..] if is_word(second) => {
            !LONG.iter().any(|(word, next)| word == first && next.contains(second))
        }
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
