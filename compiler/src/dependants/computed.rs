//! Columns that are computed from one that changes: they hold what they have while it changes, and are computed again after it.

use mig_plan::{Column, ColumnValue, Dialect, Group, Kind, Name, Schema, kind::AlterColumn};

/// Puts a column's computing on hold around each change that the engine refuses while a computed column reads what changes.
pub(super) fn on_hold(groups: &mut [Group], live: &Schema, goal: &Schema, dialect: &dyn Dialect) {
    for group in groups {
        let table = group.at.qualified();
        let (Some(there), Some(wanted)) = (live.table(&table), goal.table(&table)) else { continue };
        let shaken: Vec<Name> = group.changes.iter().filter_map(|change| shaken(change, dialect)).collect();
        let reads = |column: &Column| match &column.value {
            ColumnValue::Generated { expression, .. } => shaken.iter().any(|name| expression.mentions(name)),
            _ => false,
        };
        for column in there.columns.iter().filter(|column| reads(column)) {
            let stays = wanted.column(&column.name).is_some_and(|c| matches!(c.value, ColumnValue::Generated { .. }));
            if stays {
                hold(group, column, dialect);
            }
        }
    }
}

/// The column that a change shakes.
fn shaken(change: &Kind, dialect: &dyn Dialect) -> Option<Name> {
    match change {
        Kind::AlterColumn(k) if dialect.stops_computing(change) => Some(k.from.name.clone()),
        _ => None,
    }
}

/// Makes the column plain before everything else that happens to columns of its table, and computed again after it.
fn hold(group: &mut Group, column: &Column, dialect: &dyn Dialect) {
    let own = |change: &Kind| matches!(change, Kind::AlterColumn(k) if k.from.name == column.name);
    let found = group.changes.iter().position(own).map(|i| group.changes.remove(i));
    let to = match found {
        Some(Kind::AlterColumn(k)) => k.to,
        _ => column.clone(),
    };
    let table = group.at.qualified();
    let held = Column { value: ColumnValue::Plain, not_null: false, ..column.clone() };
    let first = group.changes.iter().position(|c| shaken(c, dialect).is_some()).unwrap_or(group.changes.len());
    let last = group.changes.iter().rposition(|c| shaken(c, dialect).is_some()).map_or(first, |last| last + 1);
    let again = AlterColumn { table: table.clone(), from: held.clone(), to, using: None };
    group.changes.insert(last, again.into());
    group.changes.insert(first, AlterColumn { table, from: column.clone(), to: held, using: None }.into());
}
