//! Triggers that refuse every change of a table's rows. No session of the server can go past them, so a plan that has to is refused
//! before anything is written.

use mig_plan::{Body, Name, ObjectKind, Qualified, Schema};

use super::lex::{self, Tok};

/// A trigger of a table that refuses every UPDATE, whatever the row.
pub(crate) fn of(table: &Qualified, schema: &Schema) -> Option<Name> {
    let own = schema
        .objects
        .iter()
        .filter(|(at, _)| at.kind() == ObjectKind::Trigger && at.relation().as_ref() == Some(table));
    let mut guards = own.filter(|(_, object)| match &object.body {
        Body::Source(source) => source.create.first().is_some_and(|sql| refuses_updates(sql.as_str())),
        _ => false,
    });
    guards.next().map(|(at, _)| at.name().clone())
}

/// Whether a trigger is of UPDATE and does nothing but raise an error.
fn refuses_updates(create: &str) -> bool {
    let tokens = lex::tokens(create);
    let each = tokens.windows(3).position(|w| w[0].is_word("for") && w[1].is_word("each") && w[2].is_word("row"));
    let (Some(on), Some(each)) = (tokens.iter().position(|token| token.is_word("on")), each) else { return false };
    tokens[..on].last().is_some_and(|token| token.is_word("update")) && only_raises(&tokens[each + 3..])
}

/// Whether the first thing that a body does is `SIGNAL`, on every way through it.
fn only_raises(body: &[Tok<'_>]) -> bool {
    let body = match body {
        [follows, _, rest @ ..] if follows.is_word("follows") || follows.is_word("precedes") => rest,
        all => all,
    };
    match body {
        [begin, signal, ..] if begin.is_word("begin") => signal.is_word("signal"),
        [signal, ..] => signal.is_word("signal"),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_refuses_every_update() {
        for sql in [
            "CREATE TRIGGER `g` BEFORE UPDATE ON `t` FOR EACH ROW signal sqlstate '45000' set message_text = 'no'",
            "create trigger g after update on t for each row follows h begin signal sqlstate '45000'; end",
        ] {
            assert!(refuses_updates(sql), "{sql}");
        }
        for sql in [
            "CREATE TRIGGER g BEFORE DELETE ON t FOR EACH ROW signal sqlstate '45000'",
            "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW if new.a < 0 then signal sqlstate '45000'; end if",
            "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW set new.a = 1",
        ] {
            assert!(!refuses_updates(sql), "{sql}");
        }
    }
}
