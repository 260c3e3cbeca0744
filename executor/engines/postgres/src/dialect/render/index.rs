//! Indexes as SQL.

use mig_plan::{
    Action, Address, CheckSql, Complaint, DraftCheck, Hazard, HazardCode, Object, Qualified, Rendered, Schema,
    Statement,
    kind::{Create, Drop},
    schema::{Body, Index, IndexPart, IndexedBy, Validity},
    step::{Partial, Single},
};

use super::{PATIENT, WORK, is_partitioned, meta, shares, table::parameters, transaction};
use crate::dialect::{
    inherit, lasting,
    names::{list, qualified, quote, quote_text},
};

/// `CREATE INDEX`, with the words between `INDEX` and the name.
pub(crate) fn create_sql(at: &Address, index: &Index, how: &str) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (name, table) = (quote(at.name()), qualified(&index.table));
    let only = if index.options.contains_key(inherit::ONLY) { "ONLY " } else { "" };
    let mut out = format!("CREATE {unique}INDEX {how}{name} ON {only}{table}");
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
    if let Some(parent) = inherit::attached_to(index) {
        sql.push(format!("ALTER INDEX {} ATTACH PARTITION {}", qualified(&parent), qualified(&at.qualified())));
    }
    if let Some(text) = &object.comment {
        sql.push(super::object::comment(at, Some(text), None));
    }
    sql
}

/// Settings of an index that are facts of its table: at most one index of a table has each.
const FLAGS: [&str; 2] = ["clustered", "replica_identity"];

/// Whether two forms of an index differ only in what its table makes of it.
pub(crate) fn same_but_flags(from: &Index, to: &Index) -> bool {
    let bare = |index: &Index| {
        let mut index = index.clone();
        index.options.retain(|key, _| !FLAGS.contains(&key.as_str()));
        index
    };
    from.options != to.options && bare(from) == bare(to)
}

/// The statements that change what a table makes of an index.
pub(crate) fn flag_changes(at: &Address, from: &Index, to: &Index, after: &Schema) -> Vec<String> {
    let table = qualified(&to.table);
    let changed = FLAGS.iter().filter(|key| from.options.contains_key(**key) != to.options.contains_key(**key));
    let statement = |key: &&str| match (*key, to.options.contains_key(*key)) {
        ("clustered", true) => format!("ALTER TABLE {table} CLUSTER ON {}", quote(at.name())),
        ("clustered", false) => format!("ALTER TABLE {table} SET WITHOUT CLUSTER"),
        (_, true) => format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {}", quote(at.name())),
        (_, false) => no_identity(&to.table, after),
    };
    changed.map(statement).collect()
}

/// The statement for a table whose replica identity is no index any more.
fn no_identity(table: &Qualified, after: &Schema) -> String {
    let other = after.table(table).and_then(|t| t.options.get("replica_identity")).map_or("default", String::as_str);
    format!("ALTER TABLE {} REPLICA IDENTITY {}", qualified(table), super::table::replica_identity(other))
}

/// The SQL of a new index: concurrently, unless the table has partitions or the index has more than one statement.
///
/// # Errors
/// If an index of a partition that has to make way cannot.
pub(crate) fn create(change: &Create, index: &Index, before: &Schema) -> Result<Rendered, Complaint> {
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
        let sql = shares::made(&change.at, &change.object, index, before)?;
        let mut out = meta(vec![], format!("SHARE on {table}, while the index is built: writers wait"));
        out.action = transaction(sql, WORK);
        let says = format!("writers of {} wait while the index is built", index.table);
        out.hazards.push(Hazard::new(HazardCode::BlocksClients, &change.at, says));
        out
    };
    out.hazards.append(&mut hazards);
    out.checks.extend(alike(&change.at, index));
    Ok(out)
}

/// The question whether rows are alike in what a unique index holds; `None` where it compares by other means than the values themselves.
fn alike(at: &Address, index: &Index) -> Option<DraftCheck> {
    let own_ways = index.parts.iter().any(|part| part.opclass.is_some() || part.collation.is_some());
    if !index.unique || own_ways || index.method.as_ref().is_some_and(|method| method != "btree") {
        return None;
    }
    let part = |part: &IndexPart| match &part.what {
        IndexedBy::Column(name) => quote(name),
        IndexedBy::Expression(text) => format!("({text})"),
    };
    let parts: Vec<String> = index.parts.iter().map(part).collect();
    let given = parts.iter().filter(|_| !index.nulls_not_distinct).map(|part| format!("{part} IS NOT NULL"));
    let conditions: Vec<String> = given.chain(index.predicate.iter().map(|text| format!("({text})"))).collect();
    let given = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
    let (table, of) = (&index.table, parts.join(", "));
    let wrong =
        format!("FROM {} AS {} WHERE {given} GROUP BY {of} HAVING count(*) > 1", qualified(table), quote(&table.name));
    Some(DraftCheck {
        at: at.clone(),
        says: format!("no two rows of {table} have the same {of}"),
        help: vec!["change or delete these rows".to_owned(), "make the index not unique".to_owned()],
        count: CheckSql::new(format!("SELECT count(*) FROM (\nSELECT 1 {wrong}\n) AS wrong")),
        sample: Some(CheckSql::new(format!("SELECT {of} {wrong} LIMIT 5"))),
        stops: false,
    })
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
        sql: Statement::new(lasting::of(sql.to_owned())),
        restore: vec![],
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
        && !index.options.contains_key(inherit::ATTACHED)
        && after_create(at, object, index, around).iter().all(|sql| sql.starts_with("COMMENT "))
}

/// The SQL that drops an index.
///
/// # Errors
/// If a foreign key stands on what would have to be made anew.
pub(crate) fn drop(change: &Drop, index: &Index, before: &Schema) -> Result<Rendered, Complaint> {
    let table = qualified(&index.table);
    let mut out = if can_beside(&change.at, &change.object, index, before) {
        let lock = format!("SHARE UPDATE EXCLUSIVE on {table}: readers and writers go on");
        let mut out = meta(vec![], lock);
        out.action = dropped_beside(&change.at, &change.object);
        out
    } else {
        let mut out = meta(vec![], format!("ACCESS EXCLUSIVE on {table}, an instant"));
        match dropped(&change.at, index, before) {
            Ok(sql) => out.action = transaction(sql, WORK),
            Err(complaint) => return Err(complaint),
        }
        out
    };
    let says = "queries that used it may become slow; clients may rely on it in ON CONFLICT";
    out.hazards.push(Hazard::new(HazardCode::DropsIndex, &change.at, says));
    Ok(out)
}

/// The statements that drop an index that has something to do with partitions: the server lets none go on its own that is attached to
/// another, so that one goes too and comes again; and keys of partitions that had become shares of it are made anew.
pub(crate) fn dropped(at: &Address, index: &Index, before: &Schema) -> Result<Vec<String>, Complaint> {
    let drop = |at: &Qualified| format!("DROP INDEX {}", qualified(at));
    if index.options.contains_key("replica_identity") {
        // The server would remember an index that is not there any more.
        return Ok(vec![no_identity(&index.table, before), drop(&at.qualified())]);
    }
    if let Some(parent) = inherit::attached_to(index) {
        let over = Address::index(&parent);
        let Some(object) = before.objects.get(&over) else { return Ok(vec![drop(&at.qualified())]) };
        let Body::Index(above) = &object.body else { return Ok(vec![drop(&at.qualified())]) };
        let mut sql = dropped(&over, above, before)?;
        sql.extend(shares::made(&over, object, above, before)?);
        for (other, object) in before.objects.iter().filter(|(other, _)| *other != at) {
            let Body::Index(under) = &object.body else { continue };
            if inherit::attached_to(under).as_ref() == Some(&parent) {
                sql.extend(shares::made(other, object, under, before)?);
            }
        }
        return Ok(sql);
    }
    shares::dropped(at, index, before)
}
