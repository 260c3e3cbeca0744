//! Foreign keys of a table whose place another takes. The server lets them follow the table that they are of, or lead to, whatever its
//! name; so until the exchange is over each is held by one of mig's own, and the old table answers for the new one through the triggers.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Constraint, Context, Draft, Fingerprint, Name, Phase, Qualified, Schema,
    kind::{AddConstraint, DropConstraint, RenameMember, Shadow},
    table::{ForeignKey, ReferentialAction},
};

use super::{reshape, shadow};
use crate::{dialect::names, flavor::Flavor};

/// A foreign key that stays what it is while a table at one of its ends is exchanged.
pub(super) struct Tie {
    on: Qualified,
    name: Name,
    constraint: Constraint,
    /// What it is called meanwhile.
    held: Name,
    /// What the table that it leads to is called after the exchange.
    leads_to: Qualified,
}

impl Tie {
    fn add(&self, table: &Qualified, name: &Name) -> AddConstraint {
        AddConstraint { table: table.clone(), name: name.clone(), constraint: self.constraint.clone() }
    }

    fn drop(&self, table: &Qualified, name: &Name, leads_to: &Qualified) -> DropConstraint {
        let constraint = leading_to(&self.constraint, leads_to);
        DropConstraint { table: table.clone(), name: name.clone(), constraint }
    }

    /// Under mig's name, before anything is exchanged: names of the server's making would change with the table's.
    pub(super) fn hold(&self) -> Draft {
        let from = Address::constraint(&self.on, &self.name);
        let rename = RenameMember { from, to: self.held.clone(), carries: Default::default() };
        let why = format!("lets {} follow the table that it ties until the exchange is over", self.name);
        Draft::new(rename, Phase::Expand, why)
    }

    /// On the new tables, under its own name; `shadow` is that of the table that it is of, if that is exchanged.
    pub(super) fn settle(&self, shadow: Option<&Shadow>) -> Vec<Draft> {
        let was_on = shadow.filter(|s| s.table == self.on).map_or(&self.on, |s| &s.aside);
        vec![
            Draft::new(self.add(&self.on, &self.name), Phase::Contract, "ties the table that is there now"),
            Draft::new(self.drop(was_on, &self.held, &self.leads_to), Phase::Contract, "unties the one that was"),
        ]
    }
}

/// A foreign key that leads to another table.
pub(super) fn leading_to(constraint: &Constraint, to: &Qualified) -> Constraint {
    let mut out = constraint.clone();
    if let mig_plan::Rule::ForeignKey(fk) = &mut out.rule {
        fk.references.clone_from(to);
    }
    out
}

/// What stops a table with such foreign keys of its own from being exchanged.
pub(super) fn hindrance(
    flavor: &Flavor,
    at: &Qualified,
    now: &Schema,
    context: &Context<'_>,
    seen: &mut BTreeSet<Qualified>,
) -> Option<String> {
    let own =
        now.table(at).into_iter().flat_map(|t| &t.constraints).filter_map(|(name, c)| Some((name, c.foreign_key()?)));
    let own: Vec<_> = own.collect();
    let mut incoming = now.references_to(at).filter(|(from, ..)| from != at).peekable();
    if !flavor.is_maria() && (!own.is_empty() || incoming.peek().is_some()) {
        return Some("foreign keys tie it to other tables".to_owned());
    }
    if let Some((from, ..)) = incoming.find(|(from, ..)| shadow::is_renamed(from, context)) {
        return Some(format!("{from}, which refers to it, gets other names in the same plan"));
    }
    if let Some((from, ..)) = now.references_to(at).find(|(from, ..)| shadow::changes_indexes(from, context)) {
        return Some(format!("indexes of {from}, which refers to it, change in the same plan"));
    }
    for (name, fk) in own {
        if acts(fk) {
            return Some(format!("its foreign key {name} deletes or changes rows of it, and that fires no trigger"));
        }
        let to = &fk.references;
        if to != at && shadow::is_renamed(to, context) {
            return Some(format!("{to}, to which it refers, gets other names in the same plan"));
        }
        if to != at
            && reshape::differs(at, fk, context)
            && seen.insert(to.clone())
            && let Err(why) = shadow::able(flavor, to, context, seen)
        {
            let why = if why.is_empty() { "its form stays".to_owned() } else { why };
            return Some(format!("{to}, to which it refers, cannot go so either: {why}"));
        }
    }
    None
}

/// Whether a foreign key does something to the rows that it is of.
fn acts(fk: &ForeignKey) -> bool {
    let acts = |action| !matches!(action, ReferentialAction::NoAction | ReferentialAction::Restrict);
    acts(fk.on_delete) || acts(fk.on_update)
}

/// The foreign keys that the exchange of a table has to take care of: its own, and those of other tables that the plan leaves alone.
pub(super) fn of_exchange(
    flavor: &Flavor,
    at: &Qualified,
    mark: &Fingerprint,
    now: &Schema,
    context: &Context<'_>,
) -> Vec<Tie> {
    let own = now.table(at).into_iter().flat_map(|t| &t.constraints).map(|(name, c)| (at.clone(), name, c));
    let incoming = now
        .references_to(at)
        .filter(|(from, name, c)| from != at && stays(from, name, c, context) && !reshape::is_changed(from, context));
    let ties = own.chain(incoming).filter_map(|(on, name, constraint)| {
        let to = &constraint.foreign_key()?.references;
        let leads_to = if to == at { Some(shadow::aside(at, mark)) } else { after(flavor, to, context) };
        Some(tie(&on, name, constraint, leads_to.unwrap_or_else(|| to.clone()), mark))
    });
    ties.collect()
}

/// The foreign keys of a table that keeps its place, but that lead to one that is exchanged, and whose columns stay as they are.
pub(super) fn of_others(flavor: &Flavor, at: &Qualified, now: &Schema, context: &Context<'_>) -> Vec<Tie> {
    let own = now.table(at).into_iter().flat_map(|t| &t.constraints);
    let ties = own.filter(|(name, c)| stays(at, name, c, context)).filter_map(|(name, constraint)| {
        let fk = constraint.foreign_key().filter(|fk| !reshape::differs(at, fk, context))?;
        let mark = Fingerprint::of(&(at, name, constraint));
        Some(tie(at, name, constraint, after(flavor, &fk.references, context)?, &mark))
    });
    ties.collect()
}

fn stays(on: &Qualified, name: &Name, constraint: &Constraint, context: &Context<'_>) -> bool {
    context.goal.constraint(&Address::constraint(on, name)) == Some(constraint)
}

fn tie(on: &Qualified, name: &Name, constraint: &Constraint, leads_to: Qualified, mark: &Fingerprint) -> Tie {
    let held = names::own("fk", mark, &format!("{}_{}", on.name.as_str(), name.as_str()));
    Tie { on: on.clone(), name: name.clone(), constraint: constraint.clone(), held, leads_to }
}

/// Where a table is after its exchange, if the plan exchanges it.
pub(super) fn after(flavor: &Flavor, at: &Qualified, context: &Context<'_>) -> Option<Qualified> {
    let beside = shadow::able(flavor, at, context, &mut BTreeSet::from([at.clone()])).ok()?;
    Some(shadow::aside(at, &beside.mark))
}
