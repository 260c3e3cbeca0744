//! Columns of tables that others inherit from: which of them go along, and what cannot be changed at all.

use mig_plan::{
    Address, Complaint, Name, Qualified, Schema,
    kind::{AlterColumn, DropColumn},
};

use crate::dialect::{
    inherit,
    names::{qualified, quote},
};

/// The statements that drop a column. Heirs that have it of their own as well keep it.
pub(crate) fn drop_column(table: &Qualified, column: &Name, around: &Schema) -> Vec<String> {
    let word = |only: &str| format!("ALTER TABLE {only}{} DROP COLUMN {}", qualified(table), quote(column));
    if !inherit::descendants(around, table).iter().any(|under| is_own(under, column, around)) {
        return vec![word("")];
    }
    // Without its heirs they have it of their own from then on.
    let mut sql = vec![word("ONLY ")];
    for (under, own) in inherit::children(around, table) {
        let elsewhere = inherit::parents(own)
            .into_iter()
            .filter(|parent| parent != table)
            .any(|parent| inherit::whole(around, &parent).is_some_and(|parent| parent.column(column).is_some()));
        if !elsewhere && !is_own(&under, column, around) {
            sql.extend(drop_column(&under, column, around));
        }
    }
    sql
}

/// Whether a table declares a column of its own, whatever its parents have.
fn is_own(table: &Qualified, column: &Name, around: &Schema) -> bool {
    let own = around.table(table).and_then(|own| own.column(column));
    own.is_some_and(|column| !column.data_type.is_empty())
}

/// Whether a dropped column of its own stays because a parent has it.
pub(crate) fn stays(change: &DropColumn, around: &Schema) -> bool {
    !change.column.data_type.is_empty() && inherit::above(around, &change.table, &change.column.name).is_some()
}

/// Refuses another type for a column that an heir has from another parent too: the server changes it on neither side.
///
/// # Errors
/// Names the heir and the other parent.
pub(crate) fn shared(change: &AlterColumn, around: &Schema) -> Result<(), Complaint> {
    let column = &change.from.name;
    let below = inherit::descendants(around, &change.table);
    for under in &below {
        let own = around.table(under).map(inherit::parents).unwrap_or_default();
        let others = own.iter().filter(|parent| **parent != change.table && !below.contains(parent));
        let mut others =
            others.filter(|parent| inherit::whole(around, parent).is_some_and(|t| t.column(column).is_some()));
        if let Some(other) = others.next() {
            let says = format!(
                "PostgreSQL changes the type of {column} in neither {} nor {other}: {under} has it from both",
                change.table
            );
            let help = format!(
                "take {under} from one of them in a plan before this one, and give it back in one after it (`inherits`)"
            );
            return Err(Complaint { at: Address::column(&change.table, column), says, help: Some(help) });
        }
    }
    Ok(())
}
