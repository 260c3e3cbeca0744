//! The way back from where old columns are gone: they come back empty, with the trigger that keeps them equal, and get their values, their
//! keys and their proofs beside running clients, before a moment's work makes them what they were.

use std::collections::BTreeMap;

use mig_plan::{
    Address, Column, ColumnValue, Constraint, Context, Draft, Kind, Name, Object, Phase, Qualified, Rule, Sql,
    kind::{
        AddConstraint, AdoptKey, AlterColumn, Backfill, BuildKey, DropConstraint, Kept, OnReturn, Release, Twins,
        ValidateConstraint,
    },
    schema::Validity,
};

use super::{column::not_null_helper, constraint::index_of};
use crate::dialect::{
    keep,
    names::{generated, quote},
    render::{leave, temporal, twins as sql},
};

fn on_return(change: impl Into<Kind>, why: String) -> Draft {
    Draft::new(OnReturn::new(change), Phase::Contract, why)
}

/// Puts what a rollback does for columns that come back empty before the steps in which they go: in one transaction with them on the way
/// there, so that a rollback finds either both done or none.
pub(super) fn ahead(drafts: &mut Vec<Draft>, context: &Context<'_>) {
    let with = |mut draft: Draft| {
        let made = match &mut draft.change {
            Kind::Unsync(k) => refilled(&k.twins),
            Kind::Leave(k) => {
                let made = rejoined(&k.kept, context);
                k.refills = made.is_some();
                made.unwrap_or_default()
            }
            _ => Vec::new(),
        };
        ending(made, draft)
    };
    *drafts = drafts.drain(..).flat_map(with).collect();
}

/// What only a rollback does, with the step in which columns go.
fn ending(made: Vec<Draft>, end: Draft) -> Vec<Draft> {
    if made.is_empty() {
        return vec![end];
    }
    let mark = format!("end {}", end.change.slug());
    made.into_iter().chain([end]).map(|draft| draft.together(&mark)).collect()
}

/// What a rollback does for columns that have left with a copy of what they hold, last first; nothing where they come back otherwise.
fn rejoined(kept: &Kept, context: &Context<'_>) -> Option<Vec<Draft>> {
    let table = context.renamed.table(&kept.table).filter(|_| kept.tied.is_none())?;
    if !kept.columns.iter().all(|c| matches!(c.value, ColumnValue::Plain | ColumnValue::Default(_))) {
        return None;
    }
    let strict: Vec<&Column> = kept.columns.iter().filter(|column| column.not_null).collect();
    let mut drafts = required(&kept.table, &strict);
    let set = kept.columns.iter().map(|c| (c.name.clone(), leave::kept_value(kept, c, table))).collect();
    let words = kept.columns.iter().map(|c| c.name.to_string()).collect::<Vec<_>>().join(", ");
    drafts.push(on_return(
        fill(&kept.table, set),
        format!("a rollback brings the kept values of {words} back in batches"),
    ));
    Some(drafts)
}

/// The end of hidden columns, with what a rollback does for them once they are there again, last first.
pub(super) fn ended(end: Draft) -> Vec<Draft> {
    match &end.change {
        Kind::Unsync(k) => ending(refilled(&k.twins), end),
        _ => vec![end],
    }
}

fn refilled(twins: &Twins) -> Vec<Draft> {
    let strict: Vec<&Column> = twins.pairs.iter().map(|pair| &pair.hidden).filter(|hidden| hidden.not_null).collect();
    let mut drafts = required(&twins.table, &strict);
    let words = twins.pairs.iter().map(|pair| pair.column.to_string()).collect::<Vec<_>>().join(", ");
    // From those that clients use.
    let set = twins.pairs.iter().map(|pair| {
        let value = Sql::new(sql::cast(&quote(&pair.column), &pair.hidden.data_type));
        (pair.hidden.name.clone(), value)
    });
    drafts.push(on_return(fill(&twins.table, set.collect()), format!("a rollback fills the old {words} in batches")));
    drafts
}

fn fill(table: &Qualified, set: BTreeMap<Name, Sql>) -> Backfill {
    Backfill {
        table: table.clone(),
        alias: table.name.clone(),
        set,
        columns: Default::default(),
        overwrites: false,
        rows: Default::default(),
        batch_rows: None,
    }
}

/// The proof that columns have a value in every row.
fn required(table: &Qualified, strict: &[&Column]) -> Vec<Draft> {
    let Some(first) = strict.first() else { return Vec::new() };
    let (table, name) = (table.clone(), not_null_helper(table, &first.name));
    let given: Vec<_> = strict.iter().map(|c| keep::is_given(&quote(&c.name), &c.data_type)).collect();
    let rule = Rule::Check { expression: Sql::new(format!("({})", bracketed(&given))) };
    let constraint = Constraint { validity: Validity::NotValid, ..Constraint::new(rule) };
    let words = strict.iter().map(|c| c.name.to_string()).collect::<Vec<_>>().join(", ");
    let drop = DropConstraint { table: table.clone(), name: name.clone(), constraint: constraint.clone() };
    let prove = ValidateConstraint { table: table.clone(), name: name.clone(), stood: false, forgets: false };
    let add = AddConstraint { table: table.clone(), name, constraint };
    let mut drafts = vec![on_return(drop, "a rollback needs the proof no longer".to_owned())];
    for column in strict {
        let (from, to) = (Column { not_null: false, ..Column::clone(column) }, Column::clone(column));
        let alter = AlterColumn { table: table.clone(), from, to, using: None };
        drafts.push(on_return(alter, format!("a rollback makes {} required", column.name)));
    }
    drafts.push(on_return(prove, format!("a rollback proves that {words} has no NULL")));
    drafts.push(on_return(add, format!("a rollback lets no NULL into {words}")));
    drafts
}

fn bracketed(all: &[String]) -> String {
    match all {
        [one] => one.clone(),
        _ => all.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" AND "),
    }
}

/// What becomes of a constraint that leaves the old columns: the draft that drops it, what stands before it and what after it, for a
/// rollback.
pub(super) struct Left {
    /// Before the transaction in which it goes: a rollback proves it then.
    pub(super) ahead: Option<Draft>,
    /// The draft that drops it.
    pub(super) goes: Draft,
    /// After the transaction: a rollback builds its index before.
    pub(super) after: Option<Draft>,
}

/// A constraint leaves the old columns.
pub(super) fn leaves(table: &Qualified, name: &Name, old: Constraint) -> Left {
    let why = format!("{name} leaves the old columns");
    let drop = DropConstraint { table: table.clone(), name: name.clone(), constraint: old.clone() };
    if let Some(key) = old.key().filter(|_| !temporal::is_key(&old)) {
        let at = Address::index(&table.sibling(generated("_mig_key_", &(table, name, &old), name.as_str())));
        let object: std::sync::Arc<Object> = index_of(table, key, &old.options).into();
        let build = BuildKey { at: at.clone(), object: object.clone(), key: name.clone() };
        let adopt = AdoptKey { table: table.clone(), name: name.clone(), constraint: old, index: at, object };
        let after = on_return(build, format!("a rollback builds the index of {name} over the old columns"));
        let goes = Draft::new(Release::new(drop, adopt), Phase::Contract, why);
        return Left { ahead: None, goes, after: Some(after) };
    }
    let provable = matches!(old.rule, Rule::ForeignKey(_) | Rule::Check { .. })
        && old.validity.is_valid()
        && !old.options.contains_key("not_enforced");
    if !provable {
        return Left { ahead: None, goes: Draft::new(drop, Phase::Contract, why), after: None };
    }
    let constraint = Constraint { validity: Validity::NotValid, ..old };
    let add = AddConstraint { table: table.clone(), name: name.clone(), constraint };
    let prove = ValidateConstraint { table: table.clone(), name: name.clone(), stood: false, forgets: false };
    let ahead = on_return(prove, format!("a rollback proves {name} over the old columns"));
    Left { ahead: Some(ahead), goes: Draft::new(Release::new(drop, add), Phase::Contract, why), after: None }
}
