//! Constraints of tables.

use std::collections::{BTreeMap, HashMap};

use mig_plan::{
    Address, Constraint, Name, Qualified, Rule, Sql,
    schema::Validity,
    table::{Deferral, ForeignKey, Key, ReferentialAction},
};

use super::{Assembled, Book, Odd, class, flag, option, qualified, settings};
use crate::{
    dialect::temporal,
    driver::rows::{ConstraintRow, Rows},
};

/// Puts each constraint into its table; those of tables that were not pulled are left out.
pub(super) fn constraints(rows: &Rows, book: &Book<'_>, out: &mut Assembled) -> Result<(), Odd> {
    let mut tables: HashMap<u32, Qualified> = HashMap::new();
    for t in &rows.tables {
        tables.insert(t.oid, qualified(&t.schema, &t.name)?);
    }
    for c in &rows.constraints {
        let Some(at) = tables.get(&c.relation) else { continue };
        if c.inherited {
            continue;
        }
        let Some(rule) = rule(c, book)? else { continue };
        let name = Name::new(&c.name)?;
        let address = Address::constraint(at, &name);
        out.places.insert((class::CONSTRAINT, c.oid, 0), address.clone());
        if let Some(index) = c.index {
            out.places.insert((class::CLASS, index, 0), address);
        }
        if let Some(table) = out.schema.table_mut(at) {
            table.constraints.insert(name, constraint(c, rule));
        }
    }
    shares(rows, out);
    Ok(())
}

/// What a partition has of its parent's constraint stands for that one.
fn shares(rows: &Rows, out: &mut Assembled) {
    let by_id: HashMap<u32, &ConstraintRow> = rows.constraints.iter().map(|c| (c.oid, c)).collect();
    for c in rows.constraints.iter().filter(|c| c.parent != 0) {
        let mut top = c;
        while let Some(above) = by_id.get(&top.parent).filter(|_| top.parent != 0) {
            top = above;
        }
        let Some(address) = out.places.get(&(class::CONSTRAINT, top.oid, 0)).cloned() else { continue };
        out.places.insert((class::CONSTRAINT, c.oid, 0), address.clone());
        if let Some(index) = c.index {
            out.places.insert((class::CLASS, index, 0), address);
        }
    }
}

fn constraint(c: &ConstraintRow, rule: Rule) -> Constraint {
    let mut options = BTreeMap::new();
    flag(&mut options, "no_inherit", c.no_inherit);
    flag(&mut options, "not_enforced", !c.enforced);
    let over_time = if c.kind == 'f' { temporal::PERIOD } else { temporal::WITHOUT_OVERLAPS };
    flag(&mut options, over_time, c.period);
    if !matches!(rule, Rule::Exclude { .. }) {
        settings(&mut options, "with.", c.settings.as_ref());
        option(&mut options, "tablespace", c.tablespace.as_deref());
    }
    let deferral = match (c.deferrable, c.deferred) {
        (false, _) => Deferral::NotDeferrable,
        (true, false) => Deferral::InitiallyImmediate,
        (true, true) => Deferral::InitiallyDeferred,
    };
    // The server calls a constraint that it does not enforce not valid; that is one fact, not two.
    let validity = if c.validated || !c.enforced { Validity::Valid } else { Validity::NotValid };
    Constraint { rule, deferral, validity, comment: c.comment.clone(), options }
}

fn rule(c: &ConstraintRow, book: &Book<'_>) -> Result<Option<Rule>, Odd> {
    let text = c.expression.as_deref().unwrap_or_default();
    Ok(Some(match c.kind {
        'p' => Rule::PrimaryKey(key(c, book)?),
        'u' => Rule::Unique(key(c, book)?),
        'f' => Rule::ForeignKey(foreign_key(c, book)?),
        'c' => Rule::Check { expression: Sql::new(text) },
        'x' => Rule::Exclude { definition: Sql::new(exclusion(text)) },
        _ => return Ok(None),
    }))
}

fn key(c: &ConstraintRow, book: &Book<'_>) -> Result<Key, Odd> {
    let columns = book.names(c.relation, c.key.as_deref().unwrap_or_default())?;
    let carried = c.index_key.as_deref().unwrap_or_default();
    let include = book.names(c.relation, carried.get(c.key_columns.unwrap_or(carried.len())..).unwrap_or_default())?;
    Ok(Key { columns, include, nulls_not_distinct: c.nulls_not_distinct })
}

fn foreign_key(c: &ConstraintRow, book: &Book<'_>) -> Result<ForeignKey, Odd> {
    Ok(ForeignKey {
        columns: book.names(c.relation, c.key.as_deref().unwrap_or_default())?,
        references: qualified(c.ref_schema.as_deref().unwrap_or_default(), c.ref_name.as_deref().unwrap_or_default())?,
        referenced: book.names(c.ref_relation, c.ref_key.as_deref().unwrap_or_default())?,
        on_update: action(c.on_update),
        on_delete: action(c.on_delete),
        on_delete_columns: book.names(c.relation, c.set_columns.as_deref().unwrap_or_default())?,
        match_full: c.matching == 'f',
    })
}

fn action(code: char) -> ReferentialAction {
    match code {
        'r' => ReferentialAction::Restrict,
        'c' => ReferentialAction::Cascade,
        'n' => ReferentialAction::SetNull,
        'd' => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

/// The text of an exclusion constraint from `USING` on, without when it is checked.
fn exclusion(text: &str) -> &str {
    let text = text.strip_prefix("EXCLUDE ").unwrap_or(text);
    let text = text.strip_suffix(" INITIALLY DEFERRED").unwrap_or(text);
    text.strip_suffix(" DEFERRABLE").unwrap_or(text)
}
