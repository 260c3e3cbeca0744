//! How a table that has rows gets an identity without being written anew under a lock: its numbers come from a sequence of mig's own until
//! every row has one.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Column, ColumnValue, Context, Draft, Grant, Group, Object, ObjectKind, Phase, Qualified,
    grant::{GrantRule, PUBLIC},
    kind::{AddColumn, Create, Drop},
    schema::{Sequence, SequenceOptions},
};

use super::column;
use crate::dialect::{inherit, names::generated, normalize::serial_default};

/// The drafts of a new identity; `None` where the table has others over or under it, whose rows would have to share the numbers.
pub(super) fn add(change: &AddColumn, group: &Group, context: &Context<'_>) -> Option<Vec<Draft>> {
    let (table, goal) = (&change.table, &change.column);
    let ColumnValue::Identity { sequence, .. } = &goal.value else { return None };
    let now = context.renamed.table(table)?;
    let alone = inherit::descendants(context.goal, table).is_empty() && inherit::parents(now).is_empty();
    let partitioned = now.options.contains_key("partition_by") || now.options.contains_key("partition_of");
    if !alone || partitioned {
        return None;
    }
    let numbers = Numbers::new(table, goal, sequence);
    let mark = format!("identity {}", goal.name);
    let mut given = Column { not_null: false, value: ColumnValue::Plain, ..goal.clone() };
    let added = AddColumn { table: table.clone(), column: given.clone() };
    let to = Column { value: ColumnValue::Default(serial_default(&numbers.name)), ..given.clone() };
    let mut drafts = vec![
        numbers.made(),
        Draft::new(added, Phase::Expand, format!("adds {}, empty at first", goal.name)),
        column::step(table, &mut given, to, Phase::Expand, "gives new rows their numbers"),
        Draft::new(
            column::own_backfill(table, &goal.name, &serial_default(&numbers.name), group),
            Phase::Backfill,
            "gives existing rows their numbers",
        ),
    ];
    drafts.extend(column::require(table, &mut given));
    let why = "gives out the numbers itself from now on, after those that were given";
    drafts.push(column::step(table, &mut given, goal.clone(), Phase::Contract, why).together(&mark));
    drafts.push(numbers.gone().together(&mark));
    Some(drafts)
}

/// The sequence that gives out the numbers meanwhile.
struct Numbers {
    name: Qualified,
    object: Object,
}

impl Numbers {
    fn new(table: &Qualified, column: &Column, options: &SequenceOptions) -> Self {
        let name = table.sibling(generated("_mig_ids_", &(table, &column.name), column.name.as_str()));
        let body = Sequence { data_type: column.data_type.clone(), options: options.clone(), owned_by: None };
        // An identity asks its writers for no privilege.
        let all =
            Grant { to: PUBLIC.to_owned(), privilege: "usage".to_owned(), column: None, rule: GrantRule::Granted };
        let object = Object { grants: BTreeSet::from([all]), ..Object::new(Body::Sequence(body)) };
        Self { name, object }
    }

    fn at(&self) -> Address {
        Address::new(ObjectKind::Sequence, &self.name)
    }

    fn made(&self) -> Draft {
        Draft::new(
            Create::new(self.at(), self.object.clone()),
            Phase::Expand,
            "makes a sequence for the numbers, until the identity has its own",
        )
    }

    fn gone(&self) -> Draft {
        Draft::new(Drop::new(self.at(), self.object.clone()), Phase::Contract, "the sequence has served")
    }
}
