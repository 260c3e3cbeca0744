//! Tables that get another place among their parents, or whose rows are divided otherwise than before.
//!
//! Such a table is compared as it stands alone: it leaves its old parents first, then changes as any table, and joins its new ones last.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Column, Dialect, Kind, Name, Object, Qualified, Rule, Schema, Table,
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
    /// By table: its last step.
    last: BTreeMap<Address, Last>,
}

/// What a last step takes up, and what becomes of that.
#[derive(Debug, Default)]
struct Last {
    takes: BTreeSet<Address>,
    makes: Set,
    /// Tables among what it takes up that stay: with these settings, where they differ.
    keeps: BTreeMap<Address, BTreeMap<String, String>>,
}

impl Last {
    fn new(takes: impl Iterator<Item = Address>, makes: Set) -> Self {
        Self { takes: takes.collect(), makes, keeps: BTreeMap::new() }
    }
}

/// Takes out of `goal` what only a last step makes, and gives the base that the rest is compared with.
pub(super) fn apart(live: &Schema, goal: &mut Schema, dialect: &dyn Dialect) -> Regrouping {
    let mut out = Regrouping { live: live.clone(), ..Regrouping::default() };
    let wanted = goal.clone();
    let both: Vec<(Qualified, &Table, &Table)> =
        wanted.tables().filter_map(|(at, table)| Some((at.clone(), live.table(&at)?, table))).collect();
    let (old, new) = (Shares::of(live, dialect), Shares::of(&wanted, dialect));
    for (at, there, table) in &both {
        if dialect.parents(there) != dialect.parents(table) {
            out.leave(at, live, dialect);
            out.join(at, &wanted, goal, dialect);
        } else if dialect.divides(there, table) || retypes_key(at, (live, &wanted), &old, dialect) {
            out.divide(at, (live, &wanted), goal, dialect);
        } else {
            let shifted = shifted((live, &old), (&wanted, &new), at, dialect);
            if !shifted.is_empty() {
                out.shift(at, &shifted, (live, &wanted), (goal, dialect));
            }
        }
    }
    out
}

/// The tables under each table, and the share of its rows that each of them holds.
struct Shares(BTreeMap<Qualified, BTreeMap<Qualified, String>>);

impl Shares {
    fn of(schema: &Schema, dialect: &dyn Dialect) -> Self {
        let mut found: BTreeMap<Qualified, BTreeMap<Qualified, String>> = BTreeMap::new();
        let Some(setting) = dialect.share_setting() else { return Self(found) };
        for (at, table) in schema.tables() {
            if let Some(share) = table.options.get(setting) {
                for parent in dialect.parents(table) {
                    found.entry(parent).or_default().insert(at.clone(), share.clone());
                }
            }
        }
        Self(found)
    }

    fn under(&self, at: &Qualified) -> impl Iterator<Item = (&Qualified, &String)> {
        self.0.get(at).into_iter().flatten()
    }

    /// A table and all under it that hold shares.
    fn all_under(&self, at: &Qualified) -> BTreeSet<Qualified> {
        let mut found = BTreeSet::new();
        let mut next = vec![at.clone()];
        while let Some(at) = next.pop() {
            next.extend(self.under(&at).map(|(of, _)| of.clone()).filter(|of| !found.contains(of)));
            found.insert(at);
        }
        found
    }
}

/// Whether a column changes its type by which the rows of a table, or of one under it, are divided.
fn retypes_key(at: &Qualified, (live, wanted): (&Schema, &Schema), old: &Shares, dialect: &dyn Dialect) -> bool {
    !stuck(at, (live, wanted), old, dialect).is_empty()
}

/// The columns of a table that divide its rows, or those of a table under it, and change their type.
fn stuck(at: &Qualified, (live, wanted): (&Schema, &Schema), old: &Shares, dialect: &dyn Dialect) -> BTreeSet<Name> {
    let (Some(there), Some(table)) = (live.table(at), wanted.table(at)) else { return BTreeSet::new() };
    let retyped = |column: &&Column| {
        let now = table.column(&column.name);
        now.is_some_and(|now| !column.data_type.is_empty() && now.data_type != column.data_type)
    };
    let retyped: BTreeSet<&Name> = there.columns.iter().filter(retyped).map(|c| &c.name).collect();
    if retyped.is_empty() {
        return BTreeSet::new();
    }
    let all = old.all_under(at);
    let dividing = all.iter().filter_map(|of| live.table(of)).flat_map(|of| dialect.divided_by(of));
    dividing.filter(|name| retyped.contains(name)).collect()
}

/// The tables under a table between which rows may have to move: one has rows that another one shall hold.
fn shifted(
    (live, old): (&Schema, &Shares),
    (wanted, new): (&Schema, &Shares),
    at: &Qualified,
    dialect: &dyn Dialect,
) -> BTreeSet<Qualified> {
    let Some(setting) = dialect.share_setting() else { return BTreeSet::new() };
    let same = |a: Option<&String>, b: Option<&String>| match (a, b) {
        (Some(a), Some(b)) => dialect.same_setting(setting, b, a),
        _ => false,
    };
    let share = |of: &Qualified, shares: &Shares| shares.0.get(at).and_then(|all| all.get(of)).cloned();
    let changes = |of: &&Qualified| !same(share(of, old).as_ref(), share(of, new).as_ref());
    // What comes from another place, or goes to one, does so with its rows.
    let goes = |of: &&Qualified| changes(of) && (share(of, new).is_some() || wanted.table(of).is_none());
    let comes = |of: &&Qualified| changes(of) && (share(of, old).is_some() || live.table(of).is_none());
    let givers: Vec<_> = old.under(at).filter(|(of, _)| goes(of)).collect();
    let takers: Vec<_> = new.under(at).filter(|(of, _)| comes(of)).collect();
    let pairs = givers.iter().flat_map(|giver| takers.iter().map(move |taker| (giver, taker)));
    pairs
        .filter(|((from, was), (to, is))| from != to && dialect.shares_meet(was, is))
        .flat_map(|((from, _), (to, _))| [(*from).clone(), (*to).clone()])
        .collect()
}

impl Regrouping {
    /// A table of which some that hold its rows take rows over from each other: those change in one step, with their rows.
    fn shift(
        &mut self,
        at: &Qualified,
        shifted: &BTreeSet<Qualified>,
        (live, wanted): (&Schema, &Schema),
        (goal, dialect): (&mut Schema, &dyn Dialect),
    ) {
        let Some(setting) = dialect.share_setting() else { return };
        let (old, new) = (Shares::of(live, dialect), Shares::of(wanted, dialect));
        let alone = |schema: &Schema, shares: &Shares, other: &Schema| -> Set {
            let gone = shifted.iter().filter(|of| other.table(of).is_none());
            let all: BTreeSet<_> = gone.flat_map(|of| shares.all_under(of)).collect();
            of_tables(schema, &|of| all.contains(of))
        };
        let going = alone(live, &old, wanted);
        let mut last = Last::new(going.keys().cloned(), alone(wanted, &new, live));
        goal.objects.extend(going);
        for address in last.makes.keys() {
            goal.objects.remove(address);
        }
        let parent = Address::table(at);
        last.takes.insert(parent.clone());
        last.keeps.insert(parent.clone(), BTreeMap::new());
        for of in shifted {
            let (Some(was), Some(is)) = (live.table(of), wanted.table(of)) else { continue };
            let (Some(was), Some(is)) = (was.options.get(setting), is.options.get(setting)) else { continue };
            if let Some(table) = goal.table_mut(of) {
                table.options.insert(setting.to_owned(), was.clone());
            }
            last.takes.insert(Address::table(of));
            last.keeps.insert(Address::table(of), BTreeMap::from([(setting.to_owned(), is.clone())]));
        }
        self.last.insert(parent, last);
    }

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
        self.last.insert(address, Last::new(from.keys().cloned(), to));
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
            // A column by which rows are divided gets its type when they are divided anew.
            let stuck = stuck(at, (live, wanted), &Shares::of(live, dialect), dialect);
            for column in body.columns.iter_mut().filter(|c| stuck.contains(&c.name)) {
                if let Some(was) = there.column(&column.name) {
                    *column = was.clone();
                }
            }
            // A primary key that is still there keeps its columns required.
            let keyed: Vec<Name> = body.primary_key().map(|(_, key)| key.columns.clone()).unwrap_or_default();
            for column in body.columns.iter_mut().filter(|c| keyed.contains(&c.name)) {
                column.not_null = true;
            }
            until.insert(address.clone(), Arc::new(Object { body: Body::Table(body), ..Object::clone(object) }));
        }
        self.last.insert(address, Last::new(until.keys().cloned(), to));
        goal.objects.extend(until);
    }

    /// The last steps, by table, out of the goal that plain changes lead to; that becomes the goal itself.
    pub(super) fn finish(&self, goal: &mut Schema) -> BTreeMap<Address, Kind> {
        let mut kinds = BTreeMap::new();
        let mut made = Set::new();
        for (at, last) in &self.last {
            let from: Set = last.takes.iter().filter_map(|a| Some((a.clone(), goal.objects.remove(a)?))).collect();
            let mut to = last.makes.clone();
            for (of, settings) in &last.keeps {
                let Some(mut object) = from.get(of).cloned() else { continue };
                if let (Body::Table(table), false) = (&mut Arc::make_mut(&mut object).body, settings.is_empty()) {
                    table.options.extend(settings.clone());
                }
                to.insert(of.clone(), object);
            }
            made.extend(to.clone());
            kinds.insert(at.clone(), Regroup { table: at.qualified(), from, to }.into());
        }
        goal.objects.extend(made);
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
