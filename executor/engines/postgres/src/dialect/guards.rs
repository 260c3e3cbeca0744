//! Triggers that refuse every change of a table's rows, and how mig's own session gets past them.
//!
//! `session_replication_role` is a setting of one session: for the length of one of its transactions no ordinary trigger fires there, while
//! every other session meets all of them. mig's own triggers fire always, so what they keep equal stays equal.

use std::collections::BTreeSet;

use mig_plan::{
    Action, Address, Body, Complaint, Hazard, HazardCode, Kind, Name, ObjectKind, Qualified, Rendered, Schema,
    Statement, Table,
    dialect::DraftCheck,
    plan::CheckSql,
    sql::{Token, TokenKind, tokens},
};

use super::{references, versions};

const QUIET: &str = "SET LOCAL session_replication_role = replica";
const AS_BEFORE: &str = "SET LOCAL session_replication_role = DEFAULT";

/// A trigger that refuses every UPDATE of its table.
struct Guard {
    name: Name,
    /// Whether it fires even where others do not.
    always: bool,
}

/// Lets a change of rows past the guards of its table, and says so.
///
/// # Errors
/// If a guard cannot be passed, or what is written needs triggers of the server's own.
pub(super) fn past(
    change: &Kind,
    before: &Schema,
    mut rendered: Rendered,
    default_schema: Option<&Name>,
    version: u32,
) -> Result<Rendered, Complaint> {
    let Some((table, written)) = written(change) else { return Ok(rendered) };
    let guards = of(table, before, default_schema);
    if guards.is_empty() {
        return Ok(rendered);
    }
    let at = Address::table(table);
    let names: Vec<_> = guards.iter().map(|guard| guard.name.to_string()).collect();
    let names = names.join(", ");
    if let Some(guard) = guards.iter().find(|guard| guard.always) {
        let says = format!("the trigger {} refuses every change of a row of {table}, and it always fires", guard.name);
        let help = Some("take ALWAYS from the trigger in a plan before this one".to_owned());
        return Err(Complaint { at, says, help });
    }
    if let Some(column) = before.table(table).and_then(|content| in_foreign_key(content, table, &written, before)) {
        let says = format!(
            "the trigger {names} refuses every change of a row of {table}; mig passes it by firing no trigger, and then the foreign key \
             of {column} would not be looked at either"
        );
        let help = Some("leave the foreign key out in a plan before this one, and add it again after it".to_owned());
        return Err(Complaint { at: Address::column(table, &column), says, help });
    }
    quieted(&mut rendered.action);
    let says = format!(
        "{names} refuses every change of a row: in mig's own session no trigger of {table} fires meanwhile, in others all do"
    );
    rendered.hazards.push(Hazard::new(HazardCode::PassesGuards, &at, says));
    rendered.checks.push(may_pass(at, version));
    Ok(rendered)
}

/// The same on the way back.
pub(super) fn past_back(change: &Kind, after: &Schema, action: &mut Action, default_schema: Option<&Name>) {
    let table = match change {
        Kind::Backfill(k) => &k.table,
        Kind::Leave(k) => &k.kept.table,
        Kind::Settle(k) => &k.twins.table,
        Kind::Unsync(k) => &k.twins.table,
        Kind::DropColumn(k) => &k.table,
        Kind::AlterColumn(k) => &k.table,
        Kind::Rows(k) => &k.table,
        Kind::OnReturn(k) => match &*k.change {
            Kind::Backfill(k) => &k.table,
            _ => return,
        },
        _ => return,
    };
    if of(table, after, default_schema).iter().any(|guard| !guard.always) {
        quieted(action);
    }
}

fn quieted(action: &mut Action) {
    match action {
        Action::Batches(batches) => batches.before.push(Statement::new(QUIET)),
        Action::Transaction(transaction) if !transaction.sql.is_empty() => {
            transaction.sql.insert(0, Statement::new(QUIET));
            transaction.sql.push(Statement::new(AS_BEFORE));
        }
        Action::Transaction(_) | Action::Statement(_) | Action::Nothing {} => {}
    }
}

/// The table whose rows a change writes, and the columns of it that it writes.
fn written(change: &Kind) -> Option<(&Qualified, BTreeSet<&Name>)> {
    match change {
        Kind::Backfill(k) => Some((&k.table, k.set.keys().collect())),
        Kind::Rows(k) => Some((&k.table, k.rows.iter().flat_map(|row| row.keys()).collect())),
        _ => None,
    }
}

/// A written column whose values the server's own triggers look at.
fn in_foreign_key(content: &Table, table: &Qualified, written: &BTreeSet<&Name>, schema: &Schema) -> Option<Name> {
    let own = content.constraints.values().filter_map(|c| c.foreign_key()).flat_map(|fk| &fk.columns);
    let to_it = schema.tables().flat_map(|(_, other)| other.constraints.values().filter_map(|c| c.foreign_key()));
    let theirs = to_it.filter(|fk| fk.references == *table).flat_map(|fk| &fk.referenced);
    own.chain(theirs).find(|column| written.contains(column)).cloned()
}

/// Before the first write: whether the role may do without triggers in its own session. Servers before 15 know it of superusers only; those
/// that others run often allow it to more roles, so the answer is then no more than advice.
fn may_pass(at: Address, version: u32) -> DraftCheck {
    let can_be_granted = version >= versions::PARAMETERS_ARE_GRANTED;
    let count = if can_be_granted {
        "SELECT count(*) FROM (SELECT) AS role\n\
         WHERE NOT pg_catalog.has_parameter_privilege('session_replication_role', 'SET')"
    } else {
        "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = current_user AND NOT rolsuper"
    };
    let mut help = vec!["apply with a role that is a superuser".to_owned()];
    if can_be_granted {
        help.push("or allow it: GRANT SET ON PARAMETER session_replication_role TO the role".to_owned());
    }
    DraftCheck {
        at,
        says: "the role may write past triggers in its own session".to_owned(),
        help,
        count: CheckSql::new(count),
        sample: None,
        stops: can_be_granted,
    }
}

/// The triggers of a table that refuse every UPDATE, whatever the row.
fn of(table: &Qualified, schema: &Schema, default_schema: Option<&Name>) -> Vec<Guard> {
    let own = schema
        .objects
        .iter()
        .filter(|(at, _)| at.kind() == ObjectKind::Trigger && at.relation().as_ref() == Some(table));
    let guards = own.filter_map(|(at, object)| {
        let Body::Source(source) = &object.body else { return None };
        let words: Vec<Token<'_>> = words(source.create.first()?.as_str());
        if !fires_on_every_update(&words) {
            return None;
        }
        let always = source.create.iter().skip(1).any(|sql| has_words(sql.as_str(), &["enable", "always"]));
        if source.create.iter().skip(1).any(|sql| has_words(sql.as_str(), &["disable", "trigger"])) {
            return None;
        }
        let mut called = references::of(at, object, schema, default_schema).into_iter();
        let refuses = called.any(|at| at.kind() == ObjectKind::Function && refuses(&at, schema));
        refuses.then(|| Guard { name: at.name().clone(), always })
    });
    guards.collect()
}

fn words(sql: &str) -> Vec<Token<'_>> {
    tokens(sql).filter(|token| token.kind != TokenKind::Blank).collect()
}

fn has_words(sql: &str, wanted: &[&str]) -> bool {
    words(sql)
        .windows(wanted.len())
        .any(|run| run.iter().zip(wanted).all(|(token, word)| token.text.eq_ignore_ascii_case(word)))
}

/// Whether a trigger fires before or after every UPDATE: for no columns only, and without a condition.
fn fires_on_every_update(words: &[Token<'_>]) -> bool {
    let is = |token: &Token<'_>, word: &str| token.kind == TokenKind::Word && token.text.eq_ignore_ascii_case(word);
    let Some(on) = words.iter().position(|token| is(token, "on")) else { return false };
    let update = words[..on].iter().position(|token| is(token, "update"));
    let only_some = update.is_some_and(|at| words[..on].get(at + 1).is_some_and(|next| is(next, "of")));
    update.is_some() && !only_some && !words[on..].iter().any(|token| is(token, "when"))
}

/// Whether a function does nothing but raise an error.
fn refuses(at: &Address, schema: &Schema) -> bool {
    let Some(Body::Source(source)) = schema.objects.get(at).map(|object| &object.body) else { return false };
    let Some(text) = source.create.first() else { return false };
    let all = words(text.as_str());
    let Some(body) = all.iter().rev().find(|token| token.kind == TokenKind::Text).and_then(|token| inside(token.text))
    else {
        return false;
    };
    let body = words(body);
    let begin = body.iter().position(|token| token.text.eq_ignore_ascii_case("begin"));
    let mut after = body[begin.map_or(body.len(), |at| at + 1)..].iter();
    let raises = after.next().is_some_and(|token| token.text.eq_ignore_ascii_case("raise"));
    // Without a level it is an exception.
    let milder = ["debug", "log", "info", "notice", "warning"];
    raises && after.next().is_some_and(|token| !milder.iter().any(|level| token.text.eq_ignore_ascii_case(level)))
}

/// What a dollar-quoted text holds.
fn inside(text: &str) -> Option<&str> {
    let tag = text.get(..=text.get(1..)?.find('$')? + 1).filter(|tag| tag.starts_with('$'))?;
    text.strip_prefix(tag)?.strip_suffix(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_fires_on_every_update() {
        let fires = |sql: &str| fires_on_every_update(&words(sql));
        for sql in [
            "CREATE TRIGGER g BEFORE DELETE OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION f()",
            "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION f()",
        ] {
            assert!(fires(sql), "{sql}");
        }
        for sql in [
            "CREATE TRIGGER g BEFORE INSERT OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "CREATE TRIGGER g BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW WHEN (old.a <> new.a) EXECUTE FUNCTION f()",
        ] {
            assert!(!fires(sql), "{sql}");
        }
    }

    #[test]
    fn what_is_between_dollars_is_found() {
        assert_eq!(inside("$$ a $$"), Some(" a "));
        assert_eq!(inside("$body$a$b$c$body$"), Some("a$b$c"));
        assert_eq!(inside("'a'"), None);
    }
}
