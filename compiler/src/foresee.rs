//! Questions about the values that a transform will give, asked of the rows as they are before the first write: whether too many are
//! rejected, whether one is missing where it must be there, whether two are alike where they may not be.

mod defaults;

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Check, CheckSql, Column, Dialect, Fill, Group, Kind, Name, ObjectKind, Plan, Qualified, Rule, Schema,
    Snapshot, Sql, StepId, Table,
    kind::{OnConflict, Populate, Selection},
    schema::IndexedBy,
};

use crate::{moves::Renames, transform::Composer};

/// Where the answers are looked for.
pub(crate) struct Ground<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) renames: &'a Renames,
    pub(crate) goal: &'a Schema,
    pub(crate) dialect: &'a dyn Dialect,
}

impl Ground<'_> {
    /// Adds the questions to a plan, each for the step that gives the values.
    pub(crate) fn ask(&self, groups: &[Group], plan: &mut Plan) {
        for populate in groups.iter().flat_map(|group| &group.changes) {
            if let Kind::Populate(populate) = populate
                && !populate.last
            {
                let checks = self.of_source(populate, groups, plan);
                plan.checks.extend(checks);
            }
        }
        for group in groups {
            let checks = self.of_defaults(group, plan);
            plan.checks.extend(checks);
            let Some(fill) = &group.fill else { continue };
            let at = group.at.qualified();
            let Some(step) = step_of(plan, &at) else { continue };
            let Some(goal) = self.goal.table(&at) else { continue };
            let base = self.renames.tables.get(&at).unwrap_or(&at);
            let Some(table) = self.snapshot.schema.0.table(base) else { continue };
            let asked = self.can_be_asked(&at, fill, groups);
            if asked.is_empty() {
                continue;
            }
            let composer = Composer {
                at: &at,
                table: self.renames.schema.table(&at),
                goal: Some(goal),
                schema: self.goal,
                renamed: &self.renames.columns,
                dialect: self.dialect,
            };
            let Ok(given) = composer.layers(&fill.set, asked.clone()) else { continue };
            let rows = Rows { at: &at, base, table, goal, fill, asked, given, composer: &composer, step };
            plan.checks.extend(rows.rejected());
            plan.checks.extend(rows.missing());
            plan.checks.extend(rows.overflowing());
            for columns in self.keys(&at, goal) {
                plan.checks.extend(rows.alike(&columns));
            }
            plan.checks.extend(rows.understood(&plan.checks));
        }
        let order: Vec<StepId> = plan.steps.iter().map(|step| step.id.clone()).collect();
        plan.checks.sort_by_key(|check| order.iter().position(|id| *id == check.step));
    }

    /// The questions about rows that are made from those of another table.
    fn of_source(&self, populate: &Populate, groups: &[Group], plan: &Plan) -> Vec<Check> {
        let from = &populate.from;
        let base = self.renames.tables.get(from).unwrap_or(from);
        let Some(table) = self.snapshot.schema.0.table(base) else { return Vec::new() };
        let texts: Vec<_> = populate.set.values().chain(&populate.join).chain(&populate.group_by).collect();
        if !self.can_be_said(&[&from.name, &base.name], texts, &populate.rows, groups) {
            return Vec::new();
        }
        let step = plan.steps.iter().find(|step| matches!(&step.change, Kind::Populate(k) if k == populate));
        let Some(step) = step.map(|step| step.id.clone()) else { return Vec::new() };
        let quote = |name: &Name| self.dialect.quote(name);
        let columns: Vec<_> = table.columns.iter().map(|c| quote(&c.name)).collect();
        let schema = base.schema.as_ref().map(|schema| format!("{}.", quote(schema))).unwrap_or_default();
        let alias = quote(&populate.alias);
        let item = format!("(SELECT {} FROM {schema}{}) AS {alias}", columns.join(", "), quote(&base.name));
        let item = populate.rows.over(item, &alias, quote);
        let check = |says: String, help: &[String], count: String, sample: String, at_most: u64| Check {
            step: step.clone(),
            at: Address::table(base),
            says,
            help: help.to_vec(),
            count: CheckSql::new(count),
            sample: Some(CheckSql::new(sample)),
            stops: true,
            at_most,
            first: true,
        };
        let mut out = Vec::new();
        if let Some(rejected) = populate.rows.rejected() {
            let most = populate.rows.max_rejects;
            let says = format!("of the rows of {from}, {most} at most make none of {} by its rules", populate.table);
            let help = ["correct those rows".to_owned(), "or allow them with `max_rejects`".to_owned()];
            let key = table.primary_key().map(|(_, key)| key.columns.clone());
            let key = key.unwrap_or_else(|| table.columns.iter().take(3).map(|c| c.name.clone()).collect());
            let mut shown: Vec<_> = key.iter().map(|name| format!("{alias}.{}", quote(name))).collect();
            shown.push(populate.rows.reason(|text| self.dialect.text(text)));
            let join = populate.join.as_ref().map(|join| format!("\n{join}")).unwrap_or_default();
            let count = format!("SELECT count(*) FROM {item}{join}\nWHERE {rejected}");
            let sample = format!("SELECT {} FROM {item}{join}\nWHERE {rejected} LIMIT 5", shown.join(", "));
            out.push(check(says, &help, count, sample, most));
        }
        // Which row counts is no question here, and has no order.
        let all = Populate { on_conflict: OnConflict::Error, ..populate.clone() };
        let made = all.made(&item, &[], |_, sql| format!("({sql})"));
        if populate.on_conflict == OnConflict::Error && populate.group_by.is_empty() {
            let alike = populate.alike(&made);
            let words: Vec<_> = populate.key.iter().map(ToString::to_string).collect();
            let says =
                format!("no two rows of {from} make one of {} with the same {}", populate.table, words.join(", "));
            let help = [
                "correct those rows".to_owned(),
                "or say which one counts: `on_conflict = \"skip\"`, the first, or `\"update\"`, the last".to_owned(),
            ];
            let count = format!("SELECT count(*) FROM (\n{alike}\n) AS _mig_g");
            out.push(check(says, &help, count, format!("{alike} LIMIT 5"), 0));
        } else {
            let says = format!("the database understands what makes rows of {} from those of {from}", populate.table);
            let help = [format!("correct what `[transform.{}]` says", populate.table)];
            let count = format!("SELECT count(*) FROM (\n{made}\n) AS _mig_g WHERE 1 = 0");
            out.push(Check { sample: None, ..check(says, &help, count, String::new(), 0) });
        }
        out
    }

    /// The columns whose values can be asked for before the first write: their expressions, with all that these are made from, say the
    /// same then. None if the conditions do not.
    fn can_be_asked(&self, at: &Qualified, fill: &Fill, groups: &[Group]) -> BTreeSet<Name> {
        let said = |texts: Vec<&Sql>, rows: &Selection| self.can_be_said(&[&at.name], texts, rows, groups);
        if !said(Vec::new(), &fill.rows) {
            return BTreeSet::new();
        }
        let plain = Selection::default();
        let (mut asked, mut not): (BTreeSet<Name>, BTreeSet<Name>) =
            fill.set.keys().cloned().partition(|column| said(vec![&fill.set[column]], &plain));
        while let Some(column) = asked.iter().find(|c| not.iter().any(|n| n != *c && fill.set[*c].mentions(n))).cloned()
        {
            asked.remove(&column);
            not.insert(column);
        }
        let read = |column: &Name| {
            let mut conditions = fill.rows.only.iter().chain(fill.rows.rejects.iter().map(|rule| &rule.when));
            conditions.any(|sql| sql.mentions(column))
        };
        if not.iter().any(read) { BTreeSet::new() } else { asked }
    }

    fn can_be_said(&self, own: &[&Name], texts: Vec<&Sql>, rows: &Selection, groups: &[Group]) -> bool {
        let there = |at: &Address| self.snapshot.schema.0.objects.contains_key(at);
        let new = self.goal.objects.keys().filter(|new| !there(new) && !new.is_member());
        // What an extension brings has names that nobody here knows.
        if self.goal.objects.keys().any(|at| at.kind() == ObjectKind::Extension && !there(at)) {
            return false;
        }
        let named = |at: &&Address| !matches!(at.kind(), ObjectKind::Index | ObjectKind::Trigger);
        // What only goes is there as long as anything is asked, and a table that changes says the same in the columns that it keeps.
        let goes = |group: &&Group| !group.changes.iter().all(|c| matches!(c, Kind::Drop(_)));
        let (kept, changed): (Vec<&Group>, Vec<&Group>) =
            groups.iter().filter(goes).partition(|group| self.other_values(group).is_some());
        let changed = changed.into_iter().map(|group| &group.at).chain(new).filter(named).map(Address::name);
        let other: BTreeSet<&Name> = changed.filter(|name| !own.contains(name)).collect();
        let kept = kept.into_iter().filter(|group| !own.contains(&group.at.name()));
        let kept: Vec<_> = kept.filter_map(|group| Some((group.at.name(), self.other_values(group)?))).collect();
        let moves = |sql: &Sql| {
            kept.iter().any(|(name, columns)| sql.mentions(name) && columns.iter().any(|column| sql.mentions(column)))
        };
        let conditions = rows.only.iter().chain(rows.rejects.iter().map(|rule| &rule.when));
        let mut texts = texts.into_iter().chain(conditions);
        texts.all(|sql| {
            self.dialect.unsteady(sql).is_none() && !other.iter().any(|name| sql.mentions(name)) && !moves(sql)
        })
    }

    /// The columns of a changed table that are new or get other values; `None` if the group is no table that bears its name already.
    fn other_values(&self, group: &Group) -> Option<BTreeSet<Name>> {
        if group.at.kind() != ObjectKind::Table {
            return None;
        }
        let at = group.at.qualified();
        let (was, is) = (self.snapshot.schema.0.table(&at)?, self.goal.table(&at)?);
        let same_name = self.renames.tables.get(&at).is_none_or(|base| *base == at);
        let new = is.columns.iter().filter(|c| was.column(&c.name).is_none_or(|w| w.data_type != c.data_type));
        let given = group.fill.iter().flat_map(|fill| fill.set.keys());
        same_name.then(|| new.map(|c| &c.name).chain(given).cloned().collect())
    }

    /// The column that a table of the base has from a parent.
    fn inherited(&self, table: &Table, name: &Name) -> Option<&Column> {
        let mut next = self.dialect.parents(table);
        let mut seen = BTreeSet::new();
        while let Some(parent) = next.pop().filter(|at| seen.insert(at.clone())) {
            let Some(parent) = self.snapshot.schema.0.table(&parent) else { continue };
            if let Some(column) = parent.column(name).filter(|c| !c.data_type.is_empty()) {
                return Some(column);
            }
            next.extend(self.dialect.parents(parent));
        }
        None
    }

    /// The columns of each key that the table shall have.
    fn keys(&self, at: &Qualified, goal: &Table) -> BTreeSet<Vec<Name>> {
        let of_rules = goal.constraints.values().filter_map(|c| match &c.rule {
            Rule::PrimaryKey(key) | Rule::Unique(key) => Some(key.columns.clone()),
            _ => None,
        });
        let of_indexes = self.goal.indexes_of(at).filter(|(_, index)| index.unique && index.predicate.is_none());
        let of_indexes = of_indexes.filter_map(|(_, index)| {
            let part = |what: &IndexedBy| match what {
                IndexedBy::Column(name) => Some(name.clone()),
                IndexedBy::Expression(_) => None,
            };
            index.parts.iter().map(|p| part(&p.what)).collect::<Option<Vec<_>>>()
        });
        of_rules.chain(of_indexes).collect()
    }
}

/// The step that first writes what a transform of a table gives.
fn step_of(plan: &Plan, at: &Qualified) -> Option<StepId> {
    let writes = |change: &Kind| match change {
        Kind::Backfill(k) => k.table.name == at.name || k.alias == at.name,
        Kind::Rebuild(k) => k.table == *at,
        Kind::AlterColumn(k) => k.table == *at && k.using.is_some(),
        _ => false,
    };
    plan.steps.iter().find(|step| writes(&step.change)).map(|step| step.id.clone())
}

/// The rows of one table before the first write, with the values that they will get.
struct Rows<'a> {
    at: &'a Qualified,
    base: &'a Qualified,
    table: &'a Table,
    goal: &'a Table,
    fill: &'a Fill,
    /// The columns whose values can be asked for.
    asked: BTreeSet<Name>,
    /// The values of columns that the base does not have.
    given: Vec<BTreeMap<Name, Sql>>,
    composer: &'a Composer<'a>,
    step: StepId,
}

impl Rows<'_> {
    fn quote(&self, name: &Name) -> String {
        self.composer.dialect.quote(name)
    }

    /// The rows under the names that expressions use.
    fn source(&self) -> String {
        let columns: Vec<_> = self.table.columns.iter().map(|c| self.quote(&c.name)).collect();
        let schema = self.base.schema.as_ref().map(|schema| format!("{}.", self.quote(schema))).unwrap_or_default();
        let alias = self.quote(&self.at.name);
        let item = format!("(SELECT {} FROM {schema}{}) AS {alias}", columns.join(", "), self.quote(&self.base.name));
        let over = Selection { given: self.given.clone(), ..Selection::default() };
        over.over(item, &alias, |name| self.quote(name))
    }

    /// The value that a column of the goal will have.
    fn value(&self, column: &Name) -> Option<String> {
        let base = self.composer.base_name(column);
        let was = self.table.column(base);
        let own = was.map(|_| self.quote(base));
        let Some(sql) = self.fill.set.get(column) else { return own };
        let Some(condition) = self.fill.rows.condition() else { return Some(format!("({sql})")) };
        let moves = was.is_some_and(|was| self.goal.column(column).is_some_and(|to| to.data_type != was.data_type));
        let own = own.unwrap_or_else(|| "NULL".to_owned());
        (!moves).then(|| format!("CASE WHEN {condition} THEN ({sql}) ELSE {own} END"))
    }

    /// What shows people which row is meant: its key, or its first columns.
    fn shown(&self) -> Vec<String> {
        let key = self.table.primary_key().map(|(_, key)| key.columns.clone());
        let first = || self.table.columns.iter().take(3).map(|c| c.name.clone()).collect();
        key.unwrap_or_else(first).iter().map(|name| self.quote(name)).collect()
    }

    fn check(&self, at: Address, says: String, help: &[String], count: String, sample: String) -> Check {
        Check {
            step: self.step.clone(),
            at,
            says,
            help: help.to_vec(),
            count: CheckSql::new(count),
            sample: Some(CheckSql::new(sample)),
            stops: true,
            at_most: 0,
            first: true,
        }
    }

    /// No more rows are rejected than may be.
    fn rejected(&self) -> Option<Check> {
        let rows = &self.fill.rows;
        let (rejected, reason) = (rows.rejected()?, rows.reason(|text| self.composer.dialect.text(text)));
        let from = self.source();
        let most = match rows.max_rejects {
            0 => format!("the transform of {} rejects no row", self.at),
            1 => format!("the transform of {} rejects one row at most", self.at),
            most => format!("the transform of {} rejects {most} rows at most", self.at),
        };
        let help = [
            "correct those rows".to_owned(),
            "or allow them with `max_rejects`: they keep their values, and `mig rejects` lists them".to_owned(),
        ];
        let mut shown = self.shown();
        shown.push(reason);
        let count = format!("SELECT count(*) FROM {from}\nWHERE {rejected}");
        let sample = format!("SELECT {} FROM {from}\nWHERE {rejected} LIMIT 5", shown.join(", "));
        let check = self.check(Address::table(self.base), most, &help, count, sample);
        Some(Check { at_most: rows.max_rejects, ..check })
    }

    /// Every row has a value where the goal needs one.
    fn missing(&self) -> Vec<Check> {
        let needs = |name: &&Name| self.goal.column(name).is_some_and(|c| c.not_null);
        let ask = |column: &Name| {
            let value = self.value(column)?;
            let from = self.source();
            let says = format!("the transform gives {column} a value in every row of {}", self.at);
            let help = [
                format!("correct those rows, or what `[transform.{}]` says", self.at),
                format!("or let {column} be NULL: write `?` after its type"),
            ];
            let count = format!("SELECT count(*) FROM {from}\nWHERE ({value}) IS NULL");
            let shown = self.shown().join(", ");
            let sample = format!("SELECT {shown} FROM {from}\nWHERE ({value}) IS NULL LIMIT 5");
            Some(self.check(Address::column(self.base, column), says, &help, count, sample))
        };
        self.asked.iter().filter(needs).filter_map(ask).collect()
    }

    /// No value is too large or too long for its column.
    fn overflowing(&self) -> Vec<Check> {
        let ask = |column: &Name| {
            let data_type = &self.goal.column(column)?.data_type;
            let wrong = self.composer.dialect.overflows(&self.value(column)?, data_type)?;
            let from = self.source();
            let says = format!("every {column} that the transform of {} gives fits into {data_type}", self.at);
            let help = [
                format!("correct those rows, or what `[transform.{}]` says", self.at),
                "or choose a wider type".to_owned(),
            ];
            let count = format!("SELECT count(*) FROM {from}\nWHERE {wrong}");
            let shown = self.shown().join(", ");
            let sample = format!("SELECT {shown} FROM {from}\nWHERE {wrong} LIMIT 5");
            Some(self.check(Address::column(self.base, column), says, &help, count, sample))
        };
        self.asked.iter().filter_map(ask).collect()
    }

    /// The database knows all that the expressions name which no other question has: asked of no row.
    fn understood(&self, others: &[Check]) -> Option<Check> {
        let own = others.iter().filter(|check| check.step == self.step).map(|check| check.count.sql());
        let own: Vec<String> = own.collect();
        let unasked =
            |column: &&Name| !own.iter().any(|sql| self.value(column).is_some_and(|value| sql.contains(&value)));
        let values: Vec<_> = self.asked.iter().filter(unasked).filter_map(|column| self.value(column)).collect();
        if values.is_empty() {
            return None;
        }
        let values: Vec<_> = values.iter().enumerate().map(|(i, value)| format!("{value} AS _mig_c{i}")).collect();
        let count = format!(
            "SELECT count(*) FROM (\n    SELECT {} FROM {} WHERE 1 = 0\n) AS _mig_v",
            values.join(", "),
            self.source()
        );
        let says = format!("the database understands the transform of {}", self.at);
        let help = [format!("correct what `[transform.{}]` says", self.at)];
        let check = self.check(Address::table(self.base), says, &help, count, String::new());
        Some(Check { sample: None, ..check })
    }

    /// No two rows are alike in a key of which the transform sets a part.
    fn alike(&self, columns: &[Name]) -> Option<Check> {
        let mut set = columns.iter().filter(|column| self.fill.set.contains_key(*column)).peekable();
        if set.peek().is_none() || !set.all(|column| self.asked.contains(column)) {
            return None;
        }
        let values = columns.iter().map(|column| self.value(column)).collect::<Option<Vec<_>>>()?;
        let names: Vec<_> = (0..values.len()).map(|i| format!("_mig_c{i}")).collect();
        let values: Vec<_> = values.iter().zip(&names).map(|(value, name)| format!("{value} AS {name}")).collect();
        let given: Vec<_> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
        let names = names.join(", ");
        let groups = format!(
            "SELECT {names}, count(*) AS _mig_n FROM (\n    SELECT {} FROM {}\n) AS _mig_v\nWHERE {} GROUP BY {names} HAVING count(*) > 1",
            values.join(", "),
            self.source(),
            given.join(" AND ")
        );
        let words: Vec<_> = columns.iter().map(ToString::to_string).collect();
        let says = format!("the transform makes no two rows of {} alike in {}", self.at, words.join(", "));
        let help = [format!("correct those rows, or what `[transform.{}]` says", self.at)];
        let count = format!("SELECT count(*) FROM ({groups}) AS _mig_g");
        Some(self.check(Address::table(self.base), says, &help, count, format!("{groups} LIMIT 5")))
    }
}
