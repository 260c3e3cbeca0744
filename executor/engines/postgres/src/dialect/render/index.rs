//! Indexes as SQL.

use mig_plan::{
    Action, Address, Hazard, HazardCode, Object, Rendered, Schema, Statement,
    kind::{Create, Drop},
    schema::{Body, Index, IndexPart, IndexedBy, Validity},
    step::{Partial, Single},
};

use super::{META, PATIENT, WORK, is_partitioned, meta, table::parameters, transaction};
use crate::dialect::names::{list, qualified, quote, quote_text};

/// `CREATE INDEX`, with the words between `INDEX` and the name.
pub(crate) fn create_sql(at: &Address, index: &Index, how: &str) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (name, table) = (quote(at.name()), qualified(&index.table));
    let mut out = format!("CREATE {unique}INDEX {how}{name} ON {table}");
    if let Some(method) = &index.method {
        out.push_str(&format!(" USING {}", quote_text(method)));
    }
    out.push_str(&format!(" ({})", index.parts.iter().map(part).collect::<Vec<_>>().join(", ")));
    if !index.include.is_empty() {
        out.push_str(&format!(" INCLUDE ({})", list(&index.include)));
    }
    if index.nulls_not_distinct {
        out.push_str(" NULLS NOT DISTINCT");
    }
    if let Some(with) = parameters(&index.options) {
        out.push_str(&format!(" WITH ({with})"));
    }
    if let Some(space) = index.options.get("tablespace") {
        out.push_str(&format!(" TABLESPACE {}", quote_text(space)));
    }
    if let Some(predicate) = &index.predicate {
        out.push_str(&format!(" WHERE {predicate}"));
    }
    out
}

fn part(part: &IndexPart) -> String {
    let mut out = match &part.what {
        IndexedBy::Column(name) => quote(name),
        IndexedBy::Expression(expression) => format!("({expression})"),
    };
    if let Some(collation) = &part.collation {
        out.push_str(&format!(" COLLATE {collation}"));
    }
    if let Some(opclass) = &part.opclass {
        out.push_str(&format!(" {opclass}"));
    }
    if part.descending {
        out.push_str(" DESC");
    }
    match part.nulls_first {
        Some(true) => out.push_str(" NULLS FIRST"),
        Some(false) => out.push_str(" NULLS LAST"),
        None => {}
    }
    out
}

/// What follows `CREATE INDEX` for the settings that it cannot give itself.
pub(crate) fn after_create(at: &Address, object: &Object, index: &Index, around: &Schema) -> Vec<String> {
    let mut sql = Vec::new();
    let table = qualified(&index.table);
    if is_partitioned(around, &index.table) {
        sql.extend(super::regroup::shares_named(&at.qualified(), &index.table, around));
    }
    if index.options.contains_key("clustered") {
        sql.push(format!("ALTER TABLE {table} CLUSTER ON {}", quote(at.name())));
    }
    if index.options.contains_key("replica_identity") {
        sql.push(format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {}", quote(at.name())));
    }
    if let Some(text) = &object.comment {
        sql.push(super::object::comment(at, Some(text), None));
    }
    sql
}

/// The SQL of a new index: concurrently, unless the table has partitions or the index has more than one statement.
pub(crate) fn create(change: &Create, index: &Index, before: &Schema) -> Rendered {
    let table = qualified(&index.table);
    let mut hazards = Vec::new();
    if index.unique {
        let says = "stops if existing rows have duplicates; the half-built index is removed then";
        hazards.push(Hazard::new(HazardCode::UniqueMayFail, &change.at, says));
    }
    let after = after_create(&change.at, &change.object, index, before);
    let mut out = if after.is_empty() && !is_partitioned(before, &index.table) {
        let mut out = meta(
            vec![],
            format!("SHARE UPDATE EXCLUSIVE on {table}, while the index is built: readers and writers go on"),
        );
        out.action = built_beside(&change.at, &change.object, index);
        out
    } else {
        let sql = [create_sql(&change.at, index, "")].into_iter().chain(after).collect();
        let mut out = meta(vec![], format!("SHARE on {table}, while the index is built: writers wait"));
        out.action = transaction(sql, WORK);
        let says = format!("writers of {} wait while the index is built", index.table);
        out.hazards.push(Hazard::new(HazardCode::BlocksClients, &change.at, says));
        out
    };
    out.hazards.append(&mut hazards);
    out
}

/// Builds an index beside running clients; what an interrupted build leaves behind is removed.
pub(crate) fn built_beside(at: &Address, object: &Object, index: &Index) -> Action {
    beside(&create_sql(at, index, "CONCURRENTLY "), at, object)
}

/// Drops an index beside running clients, if it is there; an interrupted drop is gone on with.
pub(crate) fn dropped_beside(at: &Address, object: &Object) -> Action {
    beside(&drop_sql(at), at, object)
}

fn drop_sql(at: &Address) -> String {
    format!("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(&at.qualified()))
}

/// A statement that an interruption leaves half done: the index is there, and no query may use it.
fn beside(sql: &str, at: &Address, object: &Object) -> Action {
    Action::Statement(Single {
        prepare: vec![],
        sql: Statement::new(sql),
        limits: PATIENT,
        partial: Some(Partial {
            state: [(at.clone(), Some(broken(object).into()))].into(),
            repair: Statement::new(drop_sql(at)),
        }),
    })
}

/// What an interrupted concurrent build leaves behind.
fn broken(object: &Object) -> Object {
    let mut object = object.clone();
    if let Body::Index(index) = &mut object.body {
        index.validity = Validity::NotValid;
    }
    object
}

/// Whether an index can be built and dropped beside running clients.
pub(crate) fn can_beside(at: &Address, object: &Object, index: &Index, around: &Schema) -> bool {
    !is_partitioned(around, &index.table)
        && index.validity.is_valid()
        && after_create(at, object, index, around).iter().all(|sql| sql.starts_with("COMMENT "))
}

/// The SQL that drops an index.
pub(crate) fn drop(change: &Drop, index: &Index, before: &Schema) -> Rendered {
    let table = qualified(&index.table);
    let mut out = if can_beside(&change.at, &change.object, index, before) {
        let lock = format!("SHARE UPDATE EXCLUSIVE on {table}: readers and writers go on");
        let mut out = meta(vec![], lock);
        out.action = dropped_beside(&change.at, &change.object);
        out
    } else {
        let mut out = meta(vec![], format!("ACCESS EXCLUSIVE on {table}, an instant"));
        out.action = transaction(vec![format!("DROP INDEX {}", qualified(&change.at.qualified()))], META);
        out
    };
    let says = "queries that used it may become slow; clients may rely on it in ON CONFLICT";
    out.hazards.push(Hazard::new(HazardCode::DropsIndex, &change.at, says));
    out
}
