//! Constraints as SQL, and the questions to ask about rows before each.

use mig_plan::{
    Address, Complaint, Constraint, DraftCheck, Hazard, HazardCode, Name, Qualified, Rendered, Rule, Schema,
    kind::{AddConstraint, DropConstraint, ValidateConstraint},
    plan::CheckSql,
    schema::Validity,
    table::{Deferral, ForeignKey, Key, ReferentialAction},
};

use super::{META, WORK, meta, shares, table::parameters, temporal};
use crate::dialect::{
    inherit, keep,
    names::{list, qualified, quote, quote_text},
};

/// The order in which constraints stand inside `CREATE TABLE`.
pub(crate) fn rank(constraint: &Constraint) -> u8 {
    match constraint.rule {
        Rule::PrimaryKey(_) => 0,
        Rule::Unique(_) => 1,
        Rule::Exclude { .. } => 2,
        Rule::Check { .. } => 3,
        Rule::ForeignKey(_) => 4,
    }
}

/// A constraint as it stands after its name.
pub(crate) fn definition(constraint: &Constraint) -> String {
    let mut out = match &constraint.rule {
        Rule::PrimaryKey(key) => format!("PRIMARY KEY {}", key_columns(constraint, key)),
        Rule::Unique(key) if key.nulls_not_distinct => {
            format!("UNIQUE NULLS NOT DISTINCT {}", key_columns(constraint, key))
        }
        Rule::Unique(key) => format!("UNIQUE {}", key_columns(constraint, key)),
        Rule::ForeignKey(fk) => foreign_key(constraint, fk),
        Rule::Check { expression } => format!("CHECK ({expression})"),
        Rule::Exclude { definition } => format!("EXCLUDE {definition}"),
    };
    if constraint.key().is_some() {
        if let Some(with) = parameters(&constraint.options) {
            out.push_str(&format!(" WITH ({with})"));
        }
        if let Some(space) = constraint.options.get("tablespace") {
            out.push_str(&format!(" USING INDEX TABLESPACE {}", quote_text(space)));
        }
    }
    if constraint.options.contains_key("no_inherit") {
        out.push_str(" NO INHERIT");
    }
    match constraint.deferral {
        Deferral::NotDeferrable => {}
        Deferral::InitiallyImmediate => out.push_str(" DEFERRABLE"),
        Deferral::InitiallyDeferred => out.push_str(" DEFERRABLE INITIALLY DEFERRED"),
    }
    if constraint.options.contains_key("not_enforced") {
        out.push_str(" NOT ENFORCED");
    } else if !constraint.validity.is_valid() {
        out.push_str(" NOT VALID");
    }
    out
}

fn key_columns(constraint: &Constraint, key: &Key) -> String {
    let overlaps = if temporal::is_key(constraint) { " WITHOUT OVERLAPS" } else { "" };
    let mut out = format!("({}{overlaps})", list(&key.columns));
    if !key.include.is_empty() {
        out.push_str(&format!(" INCLUDE ({})", list(&key.include)));
    }
    out
}

fn foreign_key(constraint: &Constraint, fk: &ForeignKey) -> String {
    let columns = |names| if temporal::is_foreign_key(constraint) { temporal::with_period(names) } else { list(names) };
    let mut out = format!(
        "FOREIGN KEY ({}) REFERENCES {} ({})",
        columns(&fk.columns),
        qualified(&fk.references),
        columns(&fk.referenced)
    );
    if fk.match_full {
        out.push_str(" MATCH FULL");
    }
    if fk.on_update != ReferentialAction::NoAction {
        out.push_str(&format!(" ON UPDATE {}", fk.on_update.sql()));
    }
    if fk.on_delete != ReferentialAction::NoAction {
        out.push_str(&format!(" ON DELETE {}", fk.on_delete.sql()));
        if !fk.on_delete_columns.is_empty() {
            out.push_str(&format!(" ({})", list(&fk.on_delete_columns)));
        }
    }
    out
}

/// The statements that add a constraint with its comment.
pub(crate) fn add_sql(change: &AddConstraint) -> Vec<String> {
    let (table, name) = (qualified(&change.table), quote(&change.name));
    let mut sql = vec![format!("ALTER TABLE {table} ADD CONSTRAINT {name} {}", definition(&change.constraint))];
    if let Some(text) = &change.constraint.comment {
        sql.push(super::object::comment(&Address::constraint(&change.table, &change.name), Some(text), None));
    }
    sql
}

/// The SQL of a new constraint.
///
/// # Errors
/// If it is a key that cannot come without another index anew, and a foreign key stands on that.
pub(crate) fn add(change: &AddConstraint, before: &Schema) -> Result<Rendered, Complaint> {
    let table = qualified(&change.table);
    let at = Address::constraint(&change.table, &change.name);
    if let Some((over, sql)) = shares::key_added(change, before)? {
        let mut out = with_index(&at, &over, sql);
        out.checks = pre_checks(&at, &change.table, &change.constraint, before);
        return Ok(out);
    }
    let long = change.constraint.validity == Validity::Valid && !change.constraint.options.contains_key("not_enforced");
    let limits = if long { WORK } else { META };
    let mut sql = add_sql(change);
    if change.constraint.key().is_some() {
        let index = change.table.sibling(change.name.clone());
        sql.extend(super::regroup::shares_named(&index, &change.table, before));
    }
    let mut out = meta(sql, lock_words(change, &table, long));
    super::limit(&mut out.action, limits);
    out.hazards = vec![];
    out.checks = match long {
        true => pre_checks(&at, &change.table, &change.constraint, before),
        false => Vec::new(),
    };
    Ok(out)
}

fn lock_words(change: &AddConstraint, table: &str, long: bool) -> String {
    let how_long = if long { "while existing rows are checked" } else { "an instant" };
    match &change.constraint.rule {
        Rule::ForeignKey(fk) => {
            format!("SHARE ROW EXCLUSIVE on {table} and {}, {how_long}: writers wait", qualified(&fk.references))
        }
        Rule::PrimaryKey(_) | Rule::Unique(_) | Rule::Exclude { .. } => {
            format!("ACCESS EXCLUSIVE on {table}, while its index is built: readers and writers wait")
        }
        Rule::Check { .. } => format!("ACCESS EXCLUSIVE on {table}, {how_long}"),
    }
}

/// The SQL that proves a constraint for existing rows.
pub(crate) fn validate(change: &ValidateConstraint, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::constraint(&change.table, &change.name);
    let constraint = before.constraint(&at).ok_or_else(|| super::missing(&at))?;
    let table = qualified(&change.table);
    let sql = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {}", quote(&change.name));
    let mut out = meta(
        vec![sql],
        format!("SHARE UPDATE EXCLUSIVE on {table}, while rows are checked: readers and writers go on"),
    );
    super::limit(&mut out.action, WORK);
    // The step that sets NOT NULL asks for itself; that hidden columns are equal is mig's own doing.
    if change.name.as_str().starts_with("_mig_eq_") {
        return Ok(out);
    }
    if !change.name.as_str().starts_with("_mig_nn_") {
        out.checks = pre_checks(&at, &change.table, constraint, before);
    }
    let code = match constraint.rule {
        Rule::ForeignKey(_) => HazardCode::ForeignKeyMayFail,
        _ if change.name.as_str().starts_with("_mig_nn_") => HazardCode::NotNullMayFail,
        _ => HazardCode::CheckMayFail,
    };
    out.hazards.push(Hazard::new(code, &at, "stops if an existing row does not obey; nothing is lost then"));
    Ok(out)
}

/// The SQL that drops a constraint.
///
/// # Errors
/// If it is a key that cannot go without another index, and a foreign key stands on that.
pub(crate) fn drop(change: &DropConstraint, before: &Schema) -> Result<Rendered, Complaint> {
    let table = qualified(&change.table);
    let Some((over, sql)) = shares::key_dropped(change, before)? else {
        return Ok(meta(vec![drop_sql(change)], format!("ACCESS EXCLUSIVE on {table}, an instant")));
    };
    Ok(with_index(&Address::constraint(&change.table, &change.name), &over, sql))
}

/// What is done to a key while an index over it is made anew.
fn with_index(at: &Address, over: &shares::Over, sql: Vec<String>) -> Rendered {
    let mut out = meta(sql, format!("ACCESS EXCLUSIVE on {}, while {} is built anew", over.table, over.name));
    super::limit(&mut out.action, WORK);
    let says = format!(
        "clients of {} wait while its index {}, of which the key is a part, is built anew",
        over.table, over.name
    );
    out.hazards.push(Hazard::new(HazardCode::BlocksClients, at, says));
    out
}

/// The statement that drops a constraint.
pub(crate) fn drop_sql(change: &DropConstraint) -> String {
    format!("ALTER TABLE {} DROP CONSTRAINT {}", qualified(&change.table), quote(&change.name))
}

/// The questions whether existing rows obey a constraint.
pub(crate) fn pre_checks(at: &Address, table: &Qualified, constraint: &Constraint, schema: &Schema) -> Vec<DraftCheck> {
    let Some((says, wrong)) = violation(table, constraint) else { return Vec::new() };
    let help = vec![
        "change or delete these rows".to_owned(),
        "give them their values with a transform".to_owned(),
        "loosen the constraint".to_owned(),
    ];
    let count = CheckSql::new(format!("SELECT count(*) FROM (\n{wrong}\n) AS wrong"));
    let sample = sample(table, constraint, schema);
    vec![DraftCheck { at: at.clone(), says, help, count, sample, stops: false }]
}

/// A sentence and the query for the rows that break a constraint.
fn violation(table: &Qualified, constraint: &Constraint) -> Option<(String, String)> {
    let source = format!("{} AS {}", qualified(table), quote(&table.name));
    match &constraint.rule {
        Rule::Check { expression } => Some((
            format!("every row of {table} obeys {expression}"),
            format!("SELECT 1 FROM {source} WHERE NOT ({expression})"),
        )),
        Rule::PrimaryKey(key) | Rule::Unique(key) if temporal::is_key(constraint) => Some((
            format!("no two rows of {table} with the same key overlap in {}", key.columns.last()?),
            format!("SELECT 1 FROM {} AS r WHERE {}", qualified(table), temporal::overlap(table, key)),
        )),
        Rule::PrimaryKey(key) | Rule::Unique(key) => {
            let columns = list(&key.columns);
            let nulls =
                key.columns.iter().map(|c| format!("{} IS NOT NULL", quote(c))).collect::<Vec<_>>().join(" AND ");
            let nulls = if key.nulls_not_distinct { "true".to_owned() } else { nulls };
            Some((
                format!("no two rows of {table} have the same {columns}"),
                format!("SELECT 1 FROM {source} WHERE {nulls} GROUP BY {columns} HAVING count(*) > 1"),
            ))
        }
        Rule::ForeignKey(fk) => Some((
            format!("every {} of {table} exists in {}", list(&fk.columns), fk.references),
            format!("SELECT 1 FROM {} AS r WHERE {}", qualified(table), orphan(constraint, fk)),
        )),
        Rule::Exclude { .. } => None,
    }
}

/// What makes a row `r` an orphan.
fn orphan(constraint: &Constraint, fk: &ForeignKey) -> String {
    if temporal::is_foreign_key(constraint) {
        return temporal::orphan(fk);
    }
    let set = fk.columns.iter().map(|c| format!("r.{} IS NOT NULL", quote(c))).collect::<Vec<_>>().join(" AND ");
    let pairs = fk.columns.iter().zip(&fk.referenced);
    let on =
        pairs.map(|(own, theirs)| format!("t.{} = r.{}", quote(theirs), quote(own))).collect::<Vec<_>>().join(" AND ");
    format!("{set}\n  AND NOT EXISTS (SELECT FROM {} AS t WHERE {on})", qualified(&fk.references))
}

/// The query that shows a few wrong rows.
fn sample(table: &Qualified, constraint: &Constraint, schema: &Schema) -> Option<CheckSql> {
    let shown = |columns: &[Name], alias: &str| {
        let parts = columns.iter().map(|c| format!("{alias}{}::text", quote(c)));
        parts.collect::<Vec<_>>().join(", ")
    };
    let key = keep::key_of(&inherit::whole(schema, table)?).unwrap_or_default();
    let source = qualified(table);
    let alias = quote(&table.name);
    let sql = match &constraint.rule {
        Rule::Check { expression } if !key.is_empty() => {
            format!("SELECT {} FROM {source} AS {alias} WHERE NOT ({expression}) LIMIT 5", shown(&key, ""))
        }
        Rule::PrimaryKey(unique) | Rule::Unique(unique) if temporal::is_key(constraint) => {
            let shown = shown(&unique.columns, "r.");
            format!("SELECT {shown} FROM {source} AS r WHERE {} LIMIT 5", temporal::overlap(table, unique))
        }
        Rule::PrimaryKey(unique) | Rule::Unique(unique) => {
            let columns = list(&unique.columns);
            let text = shown(&unique.columns, "");
            format!("SELECT {text}, count(*)::text FROM {source} GROUP BY {columns} HAVING count(*) > 1 LIMIT 5")
        }
        Rule::ForeignKey(fk) => {
            let columns = if key.is_empty() { &fk.columns } else { &key };
            format!("SELECT {} FROM {source} AS r WHERE {} LIMIT 5", shown(columns, "r."), orphan(constraint, fk))
        }
        _ => return None,
    };
    Some(CheckSql::new(sql))
}
