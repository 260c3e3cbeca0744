//! What the server puts off to the end of a transaction: while a row of a table waits for that, the table cannot be altered ("cannot ALTER
//! TABLE because it has pending trigger events").

use mig_plan::{Action, Body, ObjectKind, Qualified, Schema, Statement, table::Deferral};

use super::names::qualified;

/// Lets what rows of a table wait for happen before the table is altered in the same transaction.
pub(super) fn fire(action: &mut Action, table: &Qualified, schemas: [&Schema; 2]) {
    let Action::Transaction(transaction) = action else { return };
    let (update, alter) = (format!("UPDATE {} ", qualified(table)), format!("ALTER TABLE {} ", qualified(table)));
    let Some(last) = transaction.sql.iter().rposition(|s| s.sql().starts_with(&alter)) else { return };
    if !schemas.iter().any(|schema| puts_off(table, schema)) {
        return;
    }
    let is_update = |i: usize| transaction.sql[i].sql().starts_with(&update);
    let ends: Vec<usize> = (0..last).filter(|i| is_update(*i) && !is_update(i + 1)).collect();
    for at in ends.into_iter().rev() {
        transaction.sql.insert(at + 1, Statement::new("SET CONSTRAINTS ALL IMMEDIATE"));
    }
}

/// Whether a change of a row of a table may have consequences that wait.
fn puts_off(table: &Qualified, schema: &Schema) -> bool {
    let waits = |deferral: Deferral| deferral != Deferral::NotDeferrable;
    let own = schema.table(table).is_some_and(|own| own.constraints.values().any(|c| waits(c.deferral)));
    let referring = schema.references_to(table).any(|(_, _, c)| waits(c.deferral));
    let mut triggers =
        schema.objects.of_kind(ObjectKind::Trigger).filter(|(at, _)| at.relation().as_ref() == Some(table));
    own || referring
        || triggers.any(|(_, object)| match &object.body {
            Body::Source(source) => {
                source.create.iter().any(|sql| sql.as_str().to_ascii_uppercase().contains("DEFERRABLE"))
            }
            _ => false,
        })
}
