//! How constraints are added to tables that are there, and dropped.

use mig_plan::{
    Constraint, Context, Draft, Group, HazardCode, Phase, Rule,
    kind::{AddConstraint, DropConstraint, ValidateConstraint},
    schema::Validity,
};

use super::{fill, warned};
use crate::dialect::render::is_partitioned;

/// The drafts of a new constraint.
pub(crate) fn add(change: &AddConstraint, fresh: bool, context: &Context<'_>) -> Vec<Draft> {
    let why = format!("adds {}", change.name);
    if fresh || context.renamed.table(&change.table).is_none() {
        return vec![Draft::new(change.clone(), Phase::Expand, why)];
    }
    let tightens = "running clients that write rows against it get errors";
    let whole = is_partitioned(context.renamed, &change.table) && change.constraint.foreign_key().is_some();
    let off = !change.constraint.validity.is_valid() || change.constraint.options.contains_key("not_enforced");
    match &change.constraint.rule {
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
            let prove = ValidateConstraint { table: change.table.clone(), name: change.name.clone() };
            let add = Draft::new(add, Phase::Contract, format!("{why} for new rows"));
            vec![
                warned(add, HazardCode::TightensRule, tightens),
                Draft::new(prove, Phase::Contract, format!("proves {} for existing rows", change.name)),
            ]
        }
    }
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
