//! Changes as SQL.

pub(crate) mod anew;
pub(crate) mod around;
pub(crate) mod backfill;
pub(crate) mod column;
pub(crate) mod composite;
pub(crate) mod computed;
pub(crate) mod constraint;
pub(crate) mod domain;
pub(crate) mod enums;
pub(crate) mod foreign;
pub(crate) mod heirs;
pub(crate) mod index;
pub(crate) mod key;
pub(crate) mod leave;
pub(crate) mod object;
mod place;
pub(crate) mod populate;
pub(crate) mod regroup;
pub(crate) mod rename;
pub(crate) mod returns;
pub(crate) mod revise;
pub(crate) mod rows;
pub(crate) mod sequence;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod settle;
pub(crate) mod shares;
pub(crate) mod table;
pub(crate) mod temporal;
pub(crate) mod tie;
pub(crate) mod twins;
pub(crate) mod using;
pub(crate) mod uuid;
pub(crate) mod view;
pub(crate) mod withdraw;

use mig_plan::{
    Action, Address, Complaint, Kind, Limits, Probe, Rendered, Schema, Statement,
    step::{Single, Transaction},
};

/// Limits of changes that only touch the catalog: short waits, many tries.
pub(crate) const META: Limits = Limits { lock_ms: 1_500, statement_ms: 30_000, attempts: 30 };

/// Limits of statements that read or write whole tables: short waits for locks, as long as the work takes.
pub(crate) const WORK: Limits = Limits { lock_ms: 1_500, statement_ms: 0, attempts: 30 };

/// Limits of statements that wait out other transactions.
pub(crate) const PATIENT: Limits = Limits { lock_ms: 0, statement_ms: 0, attempts: 30 };

/// The SQL of a change.
pub(crate) fn render(change: &Kind, before: &Schema, after: &Schema, version: u32) -> Result<Rendered, Complaint> {
    match change {
        Kind::Create(k) => object::create(k, before, after),
        Kind::Drop(k) => object::drop(k, before),
        Kind::Replace(k) => object::replace(k, before, after, version),
        Kind::Rename(k) => Ok(rename::object(k)),
        Kind::RenameMember(k) => Ok(rename::member(k)),
        Kind::RenameValue(k) => Ok(enums::rename(k)),
        Kind::AlterTable(k) => settings::alter(k, before, after),
        Kind::AddColumn(k) => column::add(k, before),
        Kind::AlterColumn(k) => column::alter(k, (before, after), version),
        Kind::DropColumn(k) => column::drop(k, before),
        Kind::AddConstraint(k) => constraint::add(k, before),
        Kind::ValidateConstraint(k) => constraint::validate(k, before),
        Kind::DropConstraint(k) => constraint::drop(k, before),
        Kind::Release(k) => constraint::drop(&k.drop, before),
        Kind::BuildKey(k) => key::build(k, before),
        Kind::AdoptKey(k) => Ok(key::adopt(k)),
        Kind::AdoptType(k) => Ok(anew::adopt(k)),
        Kind::Sync(k) => Ok(twins::sync(k, before, version)),
        Kind::Exchange(k) => Ok(twins::exchange(k)),
        Kind::Unsync(k) => Ok(twins::unsync(k, version)),
        Kind::Settle(k) => Ok(settle::settle(k, version)),
        Kind::Serve(k) => Ok(serve::serve(k)),
        Kind::Keep(k) => Ok(leave::keep(k)),
        Kind::KeepRows(k) => leave::rows(k, before),
        Kind::Leave(k) => Ok(leave::leave(k)),
        Kind::Tie(k) => tie::render(&k.tied, before),
        Kind::Discard(_)
        | Kind::Rejoin(_)
        | Kind::Unkeep(_)
        | Kind::Untie(_)
        | Kind::CopyRows(_)
        | Kind::Swap(_)
        | Kind::Finish(_)
        | Kind::Unsettle(_) => Err(super::recipe::unasked(change)),
        Kind::Comment(k) => Ok(meta(
            vec![object::comment(&k.at, k.to.as_deref(), Some(before))],
            "SHARE UPDATE EXCLUSIVE, an instant".to_owned(),
        )),
        Kind::Privileges(k) => {
            Ok(meta(super::grants::sql(&k.at, &k.from, &k.to), "nothing that clients wait for".to_owned()))
        }
        Kind::Backfill(k) => backfill::render(k, before),
        Kind::Populate(k) => populate::render(k, before),
        Kind::Filling(k) => Ok(revise::filling(k)),
        Kind::Revise(k) => revise::render(k, before),
        Kind::Rows(k) => rows::render(k, before),
        Kind::Withdraw(k) => withdraw::render(k, before),
        Kind::Mark(_) | Kind::OnReturn(_) => Ok(Rendered {
            action: Action::Nothing {},
            probe: Probe::Shape {},
            lock: "nothing".to_owned(),
            hazards: vec![],
            checks: vec![],
            gc: vec![],
        }),
        Kind::Regroup(k) => regroup::regroup(k, (before, after), version),
        Kind::Rebuild(k) => Err(Complaint {
            at: Address::table(&k.table),
            says: "PostgreSQL alters tables in place; it has no rebuild".to_owned(),
            help: None,
        }),
    }
}

/// A transaction that only touches the catalog, asked for by shape.
pub(crate) fn meta(sql: Vec<String>, lock: String) -> Rendered {
    Rendered {
        action: transaction(sql, META),
        probe: Probe::Shape {},
        lock,
        hazards: vec![],
        checks: vec![],
        gc: vec![],
    }
}

/// Statements in one transaction.
pub(crate) fn transaction(sql: Vec<String>, limits: Limits) -> Action {
    if sql.is_empty() {
        return Action::Nothing {};
    }
    Action::Transaction(Transaction {
        prepare: vec![],
        lock: vec![],
        sql: sql.into_iter().map(|sql| Statement::new(crate::dialect::lasting::of(sql))).collect(),
        none: vec![],
        rejects: None,
        restore: vec![],
        limits,
    })
}

/// One statement outside any transaction.
pub(crate) fn alone(sql: &str, limits: Limits) -> Action {
    Action::Statement(Single {
        prepare: vec![],
        sql: Statement::new(crate::dialect::lasting::of(sql.to_owned())),
        restore: vec![],
        limits,
        partial: None,
    })
}

/// Takes a table's strongest lock before anything else of a transaction.
pub(crate) fn locked(action: &mut Action, table: &str) {
    if let Action::Transaction(transaction) = action {
        transaction.lock.push(Statement::new(format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")));
    }
}

/// Sets the limits of a transaction.
pub(crate) fn limit(action: &mut Action, to: Limits) {
    if let Action::Transaction(transaction) = action {
        transaction.limits = to;
    }
}

/// The complaint that something is not in the schema that it should be in.
pub(crate) fn missing(at: &Address) -> Complaint {
    Complaint { at: at.clone(), says: format!("{at} is not there to be changed"), help: None }
}

/// Whether a table has partitions.
pub(crate) fn is_partitioned(schema: &Schema, table: &mig_plan::Qualified) -> bool {
    schema.table(table).is_some_and(|t| t.options.contains_key("partition_by"))
}
