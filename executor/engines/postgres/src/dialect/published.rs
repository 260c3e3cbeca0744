//! Tables whose rows the server lets nobody update: their updates are published, and nothing tells a subscriber which row is meant
//! (manual, 31.1 Publication: "UPDATE and DELETE operations cannot be replicated ... on the publisher").

use mig_plan::{
    Action, Address, Body, Complaint, Object, ObjectKind, Qualified, Schema, Statement, Table,
    sql::{TokenKind, tokens},
    table::Deferral,
};

use super::{inherit, names::qualified, references};

/// A complaint if rows of a table or of its partitions cannot be updated.
pub(crate) fn refuse_update(at: &Address, table: &Qualified, schema: &Schema) -> Result<(), Complaint> {
    let Some((of, by)) = anonymous(schema, table).into_iter().next() else { return Ok(()) };
    Err(Complaint {
        at: at.clone(),
        says: format!(
            "rows of {of} cannot be updated: {} publishes its updates, and the table has no replica identity by which a subscriber would \
             know a row",
            by.name().as_str()
        ),
        help: Some(
            "in a plan before this one, give the table a primary key or `replica_identity = \"full\"`, or publish its inserts only"
                .to_owned(),
        ),
    })
}

/// Whether the server lets rows of a table be updated.
pub(crate) fn lets_update(table: &Qualified, schema: &Schema) -> bool {
    anonymous(schema, table).is_empty()
}

/// Lets the statements of a transaction update such rows: for its duration a row is known by all that it has.
pub(crate) fn let_update(action: &mut Action, table: &Qualified, schema: &Schema) {
    let Action::Transaction(transaction) = action else { return };
    let update = format!("UPDATE {} ", qualified(table));
    let Some(first) = transaction.sql.iter().position(|s| s.sql().starts_with(&update)) else { return };
    let last = transaction.sql.iter().rposition(|s| s.sql().starts_with(&update)).unwrap_or(first);
    let identity =
        |of: &Qualified, kind| Statement::new(format!("ALTER TABLE {} REPLICA IDENTITY {kind}", qualified(of)));
    let unknown = anonymous(schema, table);
    let as_before = unknown.iter().map(|(of, _)| {
        let was = schema.table(of).and_then(|t| t.options.get("replica_identity"));
        identity(of, if was.is_some() { "NOTHING" } else { "DEFAULT" })
    });
    transaction.sql.splice(last + 1..last + 1, as_before);
    transaction.sql.splice(first..first, unknown.iter().map(|(of, _)| identity(of, "FULL")));
}

/// The relations of a table that hold rows without an identity whose updates are published, each with the publication.
fn anonymous(schema: &Schema, table: &Qualified) -> Vec<(Qualified, Address)> {
    let all = [table.clone()].into_iter().chain(inherit::descendants(schema, table));
    let nameless = |at: &Qualified| inherit::whole(schema, at).is_some_and(|t| !has_identity(&t, at, schema));
    let found = all.filter(nameless).filter_map(|at| {
        let by = schema.objects.iter().find(|(by, object)| publishes(by, object, &at, schema))?;
        Some((at, by.0.clone()))
    });
    found.collect()
}

/// Whether a table says by what its rows are known, or is no more than the whole of its partitions.
fn has_identity(table: &Table, at: &Qualified, schema: &Schema) -> bool {
    let whole = table.options.contains_key("partition_by");
    let said = table.options.get("replica_identity").is_some_and(|how| !how.eq_ignore_ascii_case("nothing"));
    let by_index = schema.indexes_of(at).any(|(_, index)| index.options.contains_key("replica_identity"));
    let never = table.options.get("replica_identity").is_some_and(|how| how.eq_ignore_ascii_case("nothing"));
    let key = table
        .primary_key()
        .is_some_and(|(name, _)| table.constraints.get(name).is_some_and(|c| c.deferral == Deferral::NotDeferrable));
    whole || said || by_index || (key && !never)
}

/// Whether an object is a publication of the updates of a table.
fn publishes(by: &Address, object: &Object, table: &Qualified, schema: &Schema) -> bool {
    let is_one = by.kind() == ObjectKind::Other && by.name().as_str().starts_with("publication ");
    let (true, Body::Source(source)) = (is_one, &object.body) else { return false };
    let Some(text) = source.create.first() else { return false };
    let words: Vec<String> = tokens(text.as_str())
        .filter(|t| t.kind != TokenKind::Blank)
        .map(|t| t.identifier().unwrap_or_else(|| t.text.to_owned()))
        .collect();
    let published = words.iter().position(|w| w == "publish").and_then(|i| words.get(i + 2));
    let updates = published.is_none_or(|what| what.contains("update"));
    let says = |phrase: &[&str]| words.windows(phrase.len()).any(|w| w == phrase);
    let schema_too = table.schema.as_ref().is_some_and(|s| says(&["tables", "in", "schema", s.as_str()]));
    let named = references::of(by, object, schema, None);
    let over = inherit::ancestors(schema, table);
    let of_these = [table].into_iter().chain(&over).any(|at| named.contains(&Address::table(at)));
    updates && (says(&["for", "all", "tables"]) || schema_too || of_these)
}
