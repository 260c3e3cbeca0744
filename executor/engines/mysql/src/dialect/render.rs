//! Changes as SQL. Each is one statement: the server commits before and after it, so the catalog alone can say whether it is done.

use mig_plan::{
    Action, Address, Body, ColumnValue, Complaint, Kind, Limits, ObjectKind, Probe, Qualified, Rendered, Rule, Schema,
    Statement,
    kind::{AddConstraint, Drop, DropColumn, DropConstraint, Rename, RenameMember},
    step::Single,
};

use super::{
    backfill, checks, index, kept,
    names::{literal, quote},
    object::{self, cannot},
    online, populate, retyped, revise, rows, shadow, table, text, weigh, withdraw,
};
use crate::flavor::Flavor;

/// Short waits for the lock, as long as the work takes.
pub(crate) const LIMITS: Limits = Limits { lock_ms: 3_000, statement_ms: 0, attempts: 20 };

/// The SQL of a change.
pub(crate) fn render(flavor: &Flavor, change: &Kind, before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
    match change {
        Kind::Backfill(k) => return backfill::render(flavor, k, before),
        Kind::CopyRows(k) => return shadow::copy(flavor, k, before),
        Kind::Swap(k) => return shadow::swap(flavor, k, before),
        _ => {}
    }
    if let Kind::Mark(_) = change {
        let (action, probe, lock) = (Action::Nothing {}, Probe::Shape {}, "nothing".to_owned());
        return Ok(Rendered { action, probe, lock, hazards: vec![], checks: vec![], gc: vec![] });
    }
    if let Kind::Rows(k) = change {
        return Ok(rows::render(change, k));
    }
    if let Kind::Withdraw(k) = change {
        return withdraw::render(change, k, before);
    }
    if let Kind::Populate(k) = change {
        return populate::render(k, before);
    }
    if let Kind::Filling(k) = change {
        return Ok(revise::filling(k));
    }
    if let Kind::Revise(k) = change {
        return revise::render(k, before);
    }
    let mut out = Rendered {
        action: action(flavor, change, before, after)?,
        probe: Probe::Shape {},
        lock: weigh::lock(flavor, change, before),
        hazards: weigh::hazards(flavor, change, before),
        checks: checks::of(change, before),
        gc: Vec::new(),
    };
    match change {
        Kind::Drop(Drop { object, .. }) if matches!(object.body, Body::Table(_)) => {
            out.gc.push(Statement::new(format!("DROP TABLE IF EXISTS {}", quote(&kept::trash(change)))));
        }
        Kind::Drop(Drop { object, .. }) if matches!(object.body, Body::Sequence(_)) => {
            out.gc.push(Statement::new(format!("DROP SEQUENCE IF EXISTS {}", quote(&kept::trash(change)))));
        }
        Kind::DropColumn(k) if column_key(k, before).is_some() => {
            out.gc.push(Statement::new(format!("DROP TABLE IF EXISTS {}", quote(&kept::values(change)))));
        }
        _ => {}
    }
    if let Some(values) = retyped::of(change, before)
        && let Action::Statement(single) = &mut out.action
    {
        single.prepare.extend(values.keep(flavor).into_iter().map(Statement::new));
        out.gc.push(Statement::new(format!("DROP TABLE IF EXISTS {}", quote(values.table()))));
    }
    Ok(out)
}

/// How the values of a dropped column are kept.
pub(crate) fn column_key(k: &DropColumn, before: &Schema) -> Option<kept::Finds> {
    kept::finds(before.table(&k.table)?, &k.column)
}

/// What makes a change, without what it keeps for the way back from a new type.
pub(crate) fn action(flavor: &Flavor, change: &Kind, before: &Schema, after: &Schema) -> Result<Action, Complaint> {
    if let Some(at) = table::of(change)
        && let Some(clauses) = table::clauses(flavor, change, before, after)
    {
        if clauses.is_empty() {
            return Ok(Action::Nothing {});
        }
        let mut prepare = Vec::new();
        if let Kind::DropColumn(k) = change
            && let Some(key) = column_key(k, before)
        {
            prepare = kept::copy(change, &k.table, &key, &k.column);
        }
        let sql = clauses.statement(&at, online::demanded(flavor, change, before));
        if let Some([before, after]) = table::leaves_aria(change) {
            return Ok(prepared(vec![before, sql], after));
        }
        if let Kind::RenameMember(k) = change
            && flavor.is_maria()
            && is_said(&k.from, before)
        {
            let said = before.objects.get(&Address::table(&at)).and_then(|table| table.comment.clone());
            return Ok(opened_anew(&at, &said.unwrap_or_default(), sql));
        }
        let unchecked = matches!(change, Kind::AddConstraint(_)) && shadow::is_held(change, before);
        return Ok(prepared(prepare, if unchecked { shadow::unchecked(&sql) } else { sql }));
    }
    if let Some(sql) = of_index(flavor, change, before) {
        return Ok(alone(sql));
    }
    match change {
        Kind::Create(k) => Ok(alone(object::create(flavor, k)?)),
        Kind::Drop(k) => dropped(change, k),
        Kind::Replace(k) => match object::replace(flavor, &k.at, &k.from, &k.to) {
            Some(sql) => Ok(alone(sql)),
            None => Err(cannot(&k.at, format!("{} cannot be exchanged in one statement here", k.at))),
        },
        Kind::Rename(k) => renamed(k, before),
        Kind::Comment(k) => commented(k, after),
        Kind::Finish(_) => Ok(Action::Nothing {}),
        Kind::RenameMember(k) if before.constraint(&k.from).is_some_and(|c| c.foreign_key().is_some()) => {
            retied(flavor, k, before)
        }
        other => Err(cannot(
            &other.address(),
            format!("MySQL and MariaDB have no way to {} {}", other.slug(), other.address()),
        )),
    }
}

/// Whether a check, a computed column or a default of its table says a column's name.
fn is_said(at: &Address, before: &Schema) -> bool {
    let table = at.relation().and_then(|table| before.table(&table).cloned());
    let says = |sql: &mig_plan::Sql| text::mentions(sql).contains(at.name());
    table.is_some_and(|table| {
        let by_check =
            table.constraints.values().any(|c| matches!(&c.rule, Rule::Check { expression } if says(expression)));
        let by_column = table.columns.iter().any(|column| match &column.value {
            ColumnValue::Generated { expression: sql, .. } | ColumnValue::Default(sql) => says(sql),
            _ => false,
        });
        let is_json = table.column(at.name()).is_some_and(|column| column.data_type == "json");
        by_check || by_column || is_json
    })
}

/// A rename in a table that was opened anew: after any client's query that calls the table by an alias, the server does not find the column
/// in checks and expressions that say it. Saying the table's comment again puts that right, until the next such query, for which the lock
/// leaves no time.
fn opened_anew(at: &Qualified, comment: &str, sql: String) -> Action {
    let table = quote(&at.name);
    let same = format!("ALTER TABLE {table}\n  COMMENT={},\n  ALGORITHM=INSTANT", literal(comment));
    let prepare = vec![Statement::new(format!("LOCK TABLES {table} WRITE")), Statement::new(same)];
    let restore = vec![Statement::new("UNLOCK TABLES")];
    Action::Statement(Single { prepare, sql: Statement::new(sql), restore, limits: LIMITS, partial: None })
}

/// The statement that makes, drops or exchanges an index.
fn of_index(flavor: &Flavor, change: &Kind, before: &Schema) -> Option<String> {
    let sql = match change {
        Kind::Create(k) => match &k.object.body {
            Body::Index(of) => index::create(&k.at, &k.object, of),
            _ => return None,
        },
        Kind::Drop(k) => match &k.object.body {
            Body::Index(of) => index::drop(&k.at, of),
            _ => return None,
        },
        Kind::Replace(k) => match &k.to.body {
            Body::Index(of) => index::replace(&k.at, &k.to, of),
            _ => return None,
        },
        _ => return None,
    };
    let demanded = online::demanded(flavor, change, before).map(|d| format!(", {d}")).unwrap_or_default();
    Some(sql + &demanded)
}

/// A foreign key under another name: it comes under that, then goes under the old one. Pulls see only one of the two.
fn retied(flavor: &Flavor, k: &RenameMember, before: &Schema) -> Result<Action, Complaint> {
    let at = k.from.relation().ok_or_else(|| missing(&k.from))?;
    let constraint = before.constraint(&k.from).cloned().ok_or_else(|| missing(&k.from))?;
    let statement = |change: &Kind| {
        let clauses = table::clauses(flavor, change, before, before).unwrap_or_default();
        clauses.statement(&at, online::demanded(flavor, change, before))
    };
    let add = AddConstraint { table: at.clone(), name: k.to.clone(), constraint: constraint.clone() };
    let drop = DropConstraint { table: at.clone(), name: k.from.name().clone(), constraint };
    Ok(prepared(vec![shadow::unchecked(&statement(&add.into()))], statement(&drop.into())))
}

fn commented(k: &mig_plan::kind::Comment, after: &Schema) -> Result<Action, Complaint> {
    match after.objects.get(&k.at).map(|o| (o, &o.body)) {
        Some((object, Body::Index(index))) => Ok(alone(super::index::replace(&k.at, object, index))),
        _ => Err(cannot(&k.at, format!("the server keeps no comment on {}", k.at))),
    }
}

fn dropped(change: &Kind, k: &Drop) -> Result<Action, Complaint> {
    if matches!(k.object.body, Body::Table(_) | Body::Sequence(_)) {
        let to = kept::trash(change);
        return Ok(alone(format!("RENAME TABLE {} TO {}", quote(k.at.name()), quote(&to))));
    }
    Ok(alone(object::drop(&k.at, &k.object)?))
}

fn renamed(k: &Rename, before: &Schema) -> Result<Action, Complaint> {
    let (from, to) = (quote(k.from.name()), quote(k.to.name()));
    match k.from.kind() {
        ObjectKind::Table | ObjectKind::View => Ok(alone(format!("RENAME TABLE {from} TO {to}"))),
        ObjectKind::Sequence => Ok(alone(format!("ALTER TABLE {from} RENAME TO {to}"))),
        ObjectKind::Event => Ok(alone(format!("ALTER EVENT {from} RENAME TO {to}"))),
        ObjectKind::Index => {
            let Some(Body::Index(index)) = before.objects.get(&k.from).map(|o| &o.body) else {
                return Err(missing(&k.from));
            };
            Ok(alone(format!("ALTER TABLE {} RENAME INDEX {from} TO {to}", quote(&index.table.name))))
        }
        _ => Err(cannot(&k.from, format!("{} cannot be renamed here", k.from))),
    }
}

/// The complaint that something is not in the schema that it should be in.
pub(crate) fn missing(at: &Address) -> Complaint {
    cannot(at, format!("{at} is not there to be changed"))
}

/// One statement.
pub(crate) fn alone(sql: String) -> Action {
    prepared(Vec::new(), sql)
}

/// One statement after others that can be run again and again.
pub(crate) fn prepared(prepare: Vec<String>, sql: String) -> Action {
    Action::Statement(Single {
        prepare: prepare.into_iter().map(Statement::new).collect(),
        sql: Statement::new(sql),
        restore: Vec::new(),
        limits: LIMITS,
        partial: None,
    })
}
