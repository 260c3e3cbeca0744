//! Triggers that refuse every change of a table's rows. No session of SQLite can go past them, and a rebuild needs not to: the table is
//! filled before its triggers are there again, in one transaction that nobody else sees.

use mig_plan::{Body, Name, ObjectKind, Qualified, Schema};

use super::lex::{self, Tok};

/// The triggers of a table that refuse every UPDATE, whatever the row.
pub(crate) fn of(table: &Qualified, schema: &Schema) -> Vec<Name> {
    let own = schema
        .objects
        .iter()
        .filter(|(at, _)| at.kind() == ObjectKind::Trigger && at.relation().as_ref() == Some(table));
    let guards = own.filter(|(_, object)| match &object.body {
        Body::Source(source) => source.create.first().is_some_and(|sql| refuses_updates(sql.as_str())),
        _ => false,
    });
    guards.map(|(at, _)| at.name().clone()).collect()
}

/// Whether a trigger fires on every UPDATE, without a condition, and does nothing but raise an error.
fn refuses_updates(create: &str) -> bool {
    let tokens = lex::tokens(create);
    let place = |word: &str| tokens.iter().position(|token| token.is_word(word));
    let (Some(on), Some(begin)) = (place("on"), place("begin")) else { return false };
    let on_update = tokens[..on].last().is_some_and(|token| token.is_word("update"));
    let conditional = tokens.get(on..begin).is_none_or(|head| head.iter().any(|token| token.is_word("when")));
    on_update && !conditional && only_raises(&tokens[begin + 1..])
}

/// Whether a body is one `SELECT RAISE(...)` without a condition, and not one that passes over the row in silence.
fn only_raises(body: &[Tok<'_>]) -> bool {
    let [select, raise, open, how, rest @ ..] = body else { return false };
    if !select.is_word("select") || !raise.is_word("raise") || !open.is_sign("(") || how.is_word("ignore") {
        return false;
    }
    let mut depth = 1;
    let close = rest.iter().position(|token| {
        depth += i32::from(token.is_sign("(")) - i32::from(token.is_sign(")"));
        depth == 0
    });
    let Some(close) = close else { return false };
    matches!(&rest[close + 1..], [stop, end, ..] if stop.is_sign(";") && end.is_word("end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_refuses_every_update() {
        for sql in [
            "CREATE TRIGGER g BEFORE UPDATE ON t BEGIN SELECT RAISE(ABORT, 'no'); END",
            "create trigger if not exists \"on\" update on main.t for each row begin select raise(fail, 'a' || (1)); end",
        ] {
            assert!(refuses_updates(sql), "{sql}");
        }
        for sql in [
            "CREATE TRIGGER g BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'no'); END",
            "CREATE TRIGGER g BEFORE UPDATE OF a ON t BEGIN SELECT RAISE(ABORT, 'no'); END",
            "CREATE TRIGGER g BEFORE UPDATE ON t WHEN new.a < 0 BEGIN SELECT RAISE(ABORT, 'no'); END",
            "CREATE TRIGGER g BEFORE UPDATE ON t BEGIN SELECT RAISE(ABORT, 'no') WHERE new.a < 0; END",
            "CREATE TRIGGER g BEFORE UPDATE ON t BEGIN SELECT RAISE(IGNORE); END",
            "CREATE TRIGGER g BEFORE UPDATE ON t BEGIN INSERT INTO log VALUES (1); SELECT RAISE(ABORT, 'no'); END",
        ] {
            assert!(!refuses_updates(sql), "{sql}");
        }
    }
}
