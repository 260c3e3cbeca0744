//! Tables of a composite type: they leave it before it or they change, and join it when both have their form.

use mig_plan::{
    Context, Draft, Group, Kind, ObjectKind, Phase,
    kind::{AlterTable, Replace},
};

use crate::dialect::inherit;

/// The setting with the type.
const OF_TYPE: &str = "of_type";

/// Whether a change of settings makes a table one of a type.
pub(super) fn joins(k: &AlterTable) -> bool {
    k.to.contains_key(OF_TYPE) && k.from.get(OF_TYPE) != k.to.get(OF_TYPE)
}

/// The draft of such a change.
pub(super) fn joining(change: &Kind) -> Option<Draft> {
    match change {
        Kind::AlterTable(k) if joins(k) => {
            Some(Draft::new(change.clone(), Phase::Contract, "changes the settings of the table"))
        }
        _ => None,
    }
}

/// The drafts of a changed type, with the tables of that type out of its way.
pub(super) fn around(change: &Replace, context: &Context<'_>, drafts: Vec<Draft>) -> Vec<Draft> {
    if change.at.kind() != ObjectKind::Type {
        return drafts;
    }
    let own_settings = |group: &&Group| group.changes.iter().any(|c| matches!(c, Kind::AlterTable(_)));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (table, content) in context.renamed.tables() {
        let of = content.options.get(OF_TYPE).filter(|of| inherit::path_of(of) == Some(change.at.qualified()));
        let stays = context.goal.table(&table).is_some_and(|goal| goal.options.get(OF_TYPE) == of);
        let mut groups = context.groups.iter().filter(|g| g.at == mig_plan::Address::table(&table));
        if of.is_none() || !stays || groups.any(|group| own_settings(&group)) {
            continue;
        }
        let mut free = content.options.clone();
        free.remove(OF_TYPE);
        let leave = AlterTable { table: table.clone(), from: content.options.clone(), to: free.clone() };
        let join = AlterTable { table: table.clone(), from: free, to: content.options.clone() };
        before.push(Draft::new(leave, Phase::Expand, format!("takes {table} from its type, which changes")));
        after.push(Draft::new(join, Phase::Contract, format!("makes {table} one of its type again")));
    }
    before.into_iter().chain(drafts).chain(after).collect()
}
