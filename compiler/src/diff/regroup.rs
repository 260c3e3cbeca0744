//! Tables that get another place among their parents, or whose rows are divided otherwise than before.
//!
//! Such a table is compared as it stands alone: it leaves its old parents first, then changes as any table, and joins its new ones last.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Dialect, Kind, Name, Object, Qualified, Rule, Schema, Table,
    kind::Regroup,
    schema::{Index, IndexedBy},
};

/// A set of tables and indexes.
type Set = BTreeMap<Address, Arc<Object>>;

/// What leads from the base to where plain changes begin, and from where they end to the goal.
#[derive(Debug, Default)]
pub(super) struct Regrouping {
    /// The base once tables have left their parents.
    pub(super) live: Schema,
    /// By table: what it leaves.
    pub(super) first: BTreeMap<Address, Kind>,
    /// By table: the addresses that its last step takes up, and what they become.
    last: BTreeMap<Address, (BTreeSet<Address>, Set)>,
}

/// Takes out of `goal` what only a last step makes, and gives the base that the rest is compared with.
pub(super) fn apart(live: &Schema, goal: &mut Schema, dialect: &dyn Dialect) -> Regrouping {
    let mut out = Regrouping { live: live.clone(), ..Regrouping::default() };
    let wanted = goal.clone();
    let both: Vec<(Qualified, &Table, &Table)> =
        wanted.tables().filter_map(|(at, table)| Some((at.clone(), live.table(&at)?, table))).collect();
    for (at, there, table) in &both {
        if dialect.parents(there) != dialect.parents(table) {
            out.leave(at, live, dialect);
            out.join(at, &wanted, goal, dialect);
        } else if dialect.divides(there, table) {
            out.divide(at, (live, &wanted), goal, dialect);
        }
    }
    out
}

impl Regrouping {
    /// A table as it stands once it has left its parents.
    fn leave(&mut self, at: &Qualified, live: &Schema, dialect: &dyn Dialect) {
        let Some(to) = dialect.standing_alone(at, live) else { return };
        let address = Address::table(at);
        let from: Set = live.objects.get(&address).map(|o| (address.clone(), o.clone())).into_iter().collect();
        self.live.objects.extend(to.clone());
        self.first.insert(address, Regroup { table: at.clone(), from, to }.into());
    }

    /// A table as it must be to join its parents.
    fn join(&mut self, at: &Qualified, wanted: &Schema, goal: &mut Schema, dialect: &dyn Dialect) {
        let Some(from) = dialect.standing_alone(at, wanted) else { return };
        let address = Address::table(at);
        let to: Set = wanted.objects.get(&address).map(|o| (address.clone(), o.clone())).into_iter().collect();
        self.last.insert(address, (from.keys().cloned().collect(), to));
        goal.objects.extend(from);
    }

    /// A table that keeps its keys and indexes until its rows are divided anew; the tables that its rows go to come with that step.
    fn divide(&mut self, at: &Qualified, (live, wanted): (&Schema, &Schema), goal: &mut Schema, dialect: &dyn Dialect) {
        let under = |schema: &Schema, of: &Qualified| -> BTreeSet<Qualified> {
            let mut found = BTreeSet::from([of.clone()]);
            loop {
                let more: Vec<_> = schema
                    .tables()
                    .filter(|(at, t)| !found.contains(at) && dialect.parents(t).iter().any(|p| found.contains(p)))
                    .map(|(at, _)| at)
                    .collect();
                if more.is_empty() {
                    break;
                }
                found.extend(more);
            }
            found
        };
        let (before, after) = (under(live, at), under(wanted, at));
        let goes =
            |table: &Qualified| before.contains(table) && (after.contains(table) || wanted.table(table).is_none());
        let comes =
            |table: &Qualified| after.contains(table) && (before.contains(table) || live.table(table).is_none());
        let from = of_tables(live, &goes);
        let to = of_tables(wanted, &comes);
        for address in to.keys() {
            goal.objects.remove(address);
        }
        let stays = |name: &Name| wanted.table(at).is_some_and(|t| t.column(name).is_some());
        let address = Address::table(at);
        let mut until: Set = from.clone();
        until.retain(|_, object| match &object.body {
            Body::Index(index) if index.table == *at => index_columns(index).all(stays),
            _ => true,
        });
        if let (Some(Body::Table(there)), Some(object)) =
            (from.get(&address).map(|o| &o.body), wanted.objects.get(&address))
            && let Body::Table(table) = &object.body
        {
            let dropped = |name: &Name| !stays(name);
            let keeps = |rule: &Rule, columns: &[Name]| match rule {
                Rule::Check { expression } | Rule::Exclude { definition: expression } => {
                    !there.columns.iter().any(|c| dropped(&c.name) && expression.mentions(&c.name))
                }
                _ => columns.iter().all(stays),
            };
            let mut constraints = there.constraints.clone();
            constraints.retain(|_, c| keeps(&c.rule, c.columns()));
            let mut body = Table { columns: table.columns.clone(), constraints, options: there.options.clone() };
            // A primary key that is still there keeps its columns required.
            let keyed: Vec<Name> = body.primary_key().map(|(_, key)| key.columns.clone()).unwrap_or_default();
            for column in body.columns.iter_mut().filter(|c| keyed.contains(&c.name)) {
                column.not_null = true;
            }
            until.insert(address.clone(), Arc::new(Object { body: Body::Table(body), ..Object::clone(object) }));
        }
        self.last.insert(address, (until.keys().cloned().collect(), to));
        goal.objects.extend(until);
    }

    /// The last steps, by table, out of the goal that plain changes lead to; that becomes the goal itself.
    pub(super) fn finish(&self, goal: &mut Schema) -> BTreeMap<Address, Kind> {
        let mut kinds = BTreeMap::new();
        for (at, (from, to)) in &self.last {
            let from: Set = from.iter().filter_map(|a| Some((a.clone(), goal.objects.remove(a)?))).collect();
            kinds.insert(at.clone(), Regroup { table: at.qualified(), from, to: to.clone() }.into());
        }
        for (_, to) in self.last.values() {
            goal.objects.extend(to.clone());
        }
        kinds
    }
}

/// Some tables with their indexes.
fn of_tables(schema: &Schema, wanted: &dyn Fn(&Qualified) -> bool) -> Set {
    let of = |(at, object): &(&Address, &Arc<Object>)| match &object.body {
        Body::Table(_) => wanted(&at.qualified()),
        Body::Index(index) => wanted(&index.table),
        _ => false,
    };
    schema.objects.iter().filter(of).map(|(at, object)| (at.clone(), object.clone())).collect()
}

fn index_columns(index: &Index) -> impl Iterator<Item = &Name> {
    let parts = index.parts.iter().filter_map(|part| match &part.what {
        IndexedBy::Column(name) => Some(name),
        IndexedBy::Expression(_) => None,
    });
    parts.chain(&index.include)
}
