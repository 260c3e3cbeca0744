//! How constraints are added to tables that are there, and dropped.

use std::collections::BTreeMap;

use mig_plan::{
    Address, Body, Constraint, Context, Draft, Group, HazardCode, Kind, Name, Object, ObjectKind, Phase, Qualified,
    Rule, Schema,
    kind::{AddConstraint, AdoptKey, BuildKey, DropConstraint, ValidateConstraint},
    schema::{Index, IndexPart, IndexedBy, Validity},
    table::Key,
};

use super::{fill, warned};
use crate::dialect::{
    names::generated,
    render::{is_partitioned, shares, temporal},
};

/// The drafts of a new constraint.
pub(crate) fn add(change: &AddConstraint, group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let why = format!("adds {}", change.name);
    if fill::is_new_table(group) || context.renamed.table(&change.table).is_none() {
        return vec![Draft::new(change.clone(), Phase::Expand, why)];
    }
    let tightens = "running clients that write rows against it get errors";
    let whole = is_partitioned(context.renamed, &change.table) && change.constraint.foreign_key().is_some();
    let off = !change.constraint.validity.is_valid() || change.constraint.options.contains_key("not_enforced");
    match &change.constraint.rule {
        Rule::PrimaryKey(key) | Rule::Unique(key) if can_adopt(change, context) => adopted(change, key, group, context),
        Rule::PrimaryKey(_) | Rule::Unique(_) | Rule::Exclude { .. } => {
            let draft = Draft::new(change.clone(), Phase::Contract, why);
            let draft = warned(draft, HazardCode::TightensRule, tightens);
            let draft = warned(draft, HazardCode::UniqueMayFail, "stops if existing rows have duplicates");
            let draft = warned(draft, HazardCode::BlocksClients, "readers and writers wait while its index is built");
            vec![warned(
                draft,
                HazardCode::RewriteUnderLock,
                "the whole table is read under an exclusive lock to build its index",
            )]
        }
        Rule::ForeignKey(_) | Rule::Check { .. } if whole || off => {
            vec![warned(Draft::new(change.clone(), Phase::Contract, why), HazardCode::TightensRule, tightens)]
        }
        Rule::ForeignKey(_) | Rule::Check { .. } => {
            let constraint = Constraint { validity: Validity::NotValid, ..change.constraint.clone() };
            let add = AddConstraint { constraint, ..change.clone() };
            let prove = ValidateConstraint {
                table: change.table.clone(),
                name: change.name.clone(),
                stood: false,
                forgets: false,
            };
            let add = Draft::new(add, Phase::Contract, format!("{why} for new rows"));
            vec![
                warned(add, HazardCode::TightensRule, tightens),
                Draft::new(prove, Phase::Contract, format!("proves {} for existing rows", change.name)),
            ]
        }
    }
}

/// Whether an index built beside running clients can become the key.
fn can_adopt(change: &AddConstraint, context: &Context<'_>) -> bool {
    !is_partitioned(context.renamed, &change.table)
        && !temporal::is_key(&change.constraint)
        && shares::over(&change.table, &change.constraint, context.renamed).is_none()
}

/// A key whose index is built beside running clients and then becomes its own.
fn adopted(change: &AddConstraint, key: &Key, group: &Group, context: &Context<'_>) -> Vec<Draft> {
    let object = index_of(&change.table, key, &change.constraint.options);
    let at = Address::index(&change.table.sibling(index_name(change, context)));
    let build = BuildKey { at: at.clone(), object: object.clone().into(), key: change.name.clone() };
    let build = Draft::new(build, Phase::Contract, format!("builds the index of {}", change.name));
    let build =
        warned(build, HazardCode::BuildsIndex, "reads the whole table and writes an index; takes time and space");
    let adopt = AdoptKey {
        table: change.table.clone(),
        name: change.name.clone(),
        constraint: change.constraint.clone(),
        index: at,
        object: object.into(),
    };
    let adopt = Draft::new(adopt, Phase::Contract, format!("makes the index the one of {}", change.name));
    let adopt = if swapped_key(change, group).is_some() { adopt.together(KEY_SWAP) } else { adopt };
    vec![warned(build, HazardCode::TightensRule, "running clients that write duplicates get errors"), adopt]
}

/// The unique index of a key.
pub(crate) fn index_of(table: &Qualified, key: &Key, options: &BTreeMap<String, String>) -> Object {
    let part = |name: &Name| IndexPart {
        what: IndexedBy::Column(name.clone()),
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: None,
    };
    Object::new(Body::Index(Index {
        table: table.clone(),
        unique: true,
        method: None,
        parts: key.columns.iter().map(part).collect(),
        include: key.include.clone(),
        predicate: None,
        nulls_not_distinct: key.nulls_not_distinct,
        options: options.clone(),
        validity: Validity::Valid,
    }))
}

/// The mark of drafts that exchange one primary key for another.
const KEY_SWAP: &str = "primary key";

/// The name of the index until the key owns it: the key's, where nothing has it yet.
fn index_name(change: &AddConstraint, context: &Context<'_>) -> Name {
    let at = change.table.sibling(change.name.clone());
    let relation = |schema: &Schema| {
        RELATIONS.iter().any(|kind| schema.objects.contains_key(&Address::new(*kind, &at)))
            || schema.tables().any(|(table, content)| {
                table.schema == at.schema
                    && content
                        .constraints
                        .get(&at.name)
                        .is_some_and(|c| c.key().is_some() || matches!(c.rule, Rule::Exclude { .. }))
            })
    };
    if relation(&context.snapshot.schema.0) || relation(context.renamed) {
        generated("_mig_key_", change, at.name.as_str())
    } else {
        at.name
    }
}

/// Kinds of objects that share their names with indexes.
const RELATIONS: &[ObjectKind] =
    &[ObjectKind::Table, ObjectKind::View, ObjectKind::MaterializedView, ObjectKind::Index, ObjectKind::Sequence];

/// The primary key that leaves in the transaction in which another one comes.
pub(crate) fn swapped_key<'a>(change: &AddConstraint, group: &'a Group) -> Option<&'a DropConstraint> {
    let primary = |c: &Constraint| matches!(c.rule, Rule::PrimaryKey(_));
    let drops = group.changes.iter().filter_map(|c| match c {
        Kind::DropConstraint(k) if primary(&k.constraint) => Some(k),
        _ => None,
    });
    drops.into_iter().next().filter(|_| primary(&change.constraint))
}

/// Whether a dropped key leaves in the transaction in which its successor comes.
pub(crate) fn is_swapped(change: &DropConstraint, group: &Group, context: &Context<'_>) -> bool {
    group.changes.iter().any(|c| match c {
        Kind::AddConstraint(k) => swapped_key(k, group) == Some(change) && can_adopt(k, context),
        _ => false,
    })
}

/// Puts the old primary key's end right before its successor's beginning.
pub(crate) fn swap_keys(drafts: &mut Vec<Draft>, group: &Group, context: &Context<'_>) {
    let old = drafts.iter().position(|d| match &d.change {
        Kind::DropConstraint(k) => d.phase == Phase::Contract && is_swapped(k, group, context),
        _ => false,
    });
    let Some(old) = old else { return };
    let old = drafts.remove(old).together(KEY_SWAP);
    let columns = match &old.change {
        Kind::DropConstraint(k) => k.constraint.columns().to_vec(),
        _ => Vec::new(),
    };
    match drafts.iter().position(|d| d.atomic.as_deref() == Some(KEY_SWAP)) {
        Some(new) => drafts.insert(new, old),
        None => drafts.push(old),
    }
    // Its columns go when it has gone.
    let leaves = |draft: &Draft| match &draft.change {
        Kind::DropColumn(k) => columns.contains(&k.column.name),
        Kind::Leave(k) => k.kept.columns.iter().any(|c| columns.contains(&c.name)),
        _ => false,
    };
    let (late, rest): (Vec<_>, Vec<_>) = drafts.drain(..).partition(leaves);
    drafts.extend(rest);
    drafts.extend(late);
}

/// The draft of a dropped constraint. One that would refuse what a transform writes goes before it.
pub(crate) fn drop(change: &DropConstraint, group: &Group) -> Draft {
    let written = group.fill.iter().flat_map(|f| f.set.keys());
    let new = fill::new_columns(group);
    let stands_in_the_way = written.filter(|c| !new.contains(c)).any(|column| match &change.constraint.rule {
        Rule::Check { expression } => expression.mentions(column),
        _ => change.constraint.columns().contains(column),
    });
    let phase = if stands_in_the_way { Phase::Expand } else { Phase::Contract };
    let draft = Draft::new(change.clone(), phase, format!("removes {}", change.name));
    match change.constraint.rule {
        Rule::PrimaryKey(_) | Rule::Unique(_) => {
            warned(draft, HazardCode::DropsKey, "duplicates are not refused any more; ON CONFLICT on it fails")
        }
        _ => warned(draft, HazardCode::DropsConstraint, "rows that it refused are taken from then on"),
    }
}
