//! Whether rows would be alike in a key by the one default that a new column gives them all.

use std::collections::BTreeSet;

use mig_plan::{Address, Check, CheckSql, Column, ColumnValue, Group, Kind, Name, ObjectKind, Plan};

use super::Ground;

impl Ground<'_> {
    /// The questions about the keys of a table over new columns whose default is one value for every row.
    pub(super) fn of_defaults(&self, group: &Group, plan: &Plan) -> Vec<Check> {
        let at = group.at.qualified();
        let (ObjectKind::Table, Some(goal)) = (group.at.kind(), self.goal.table(&at)) else { return Vec::new() };
        let base = self.renames.tables.get(&at).unwrap_or(&at);
        let Some(table) = self.snapshot.schema.0.table(base) else { return Vec::new() };
        let was = |name: &Name| {
            let base_name = self.renames.columns.get(&Address::column(&at, name)).unwrap_or(name);
            let own = table.column(base_name).filter(|c| !c.data_type.is_empty());
            own.or_else(|| self.inherited(table, base_name)).map(|c| (base_name.clone(), c))
        };
        let given = |name: &Name| group.fill.as_ref().is_some_and(|fill| fill.set.contains_key(name));
        let one_for_all = |c: &Column| match &c.value {
            ColumnValue::Default(value) => {
                was(&c.name).is_none() && !given(&c.name) && self.dialect.is_one_value(value)
            }
            _ => false,
        };
        let alike: BTreeSet<&Name> = goal.columns.iter().filter(|c| one_for_all(c)).map(|c| &c.name).collect();
        let writes = |change: &Kind| match change {
            Kind::AddColumn(k) => k.table == at && alike.contains(&k.column.name),
            Kind::Rebuild(k) => k.table == at,
            _ => change.address() == group.at,
        };
        let Some(step) = plan.steps.iter().find(|step| writes(&step.change)) else { return Vec::new() };
        let schema = base.schema.as_ref().map(|schema| format!("{}.", self.dialect.quote(schema))).unwrap_or_default();
        let source = format!("{schema}{}", self.dialect.quote(&base.name));
        let ask = |columns: &Vec<Name>| {
            let (new, others): (Vec<&Name>, Vec<&Name>) = columns.iter().partition(|name| alike.contains(name));
            // What is retyped or given on the way says nothing of what it will be.
            let stays = |name: &&Name| {
                let (base, was) = was(name).filter(|_| !given(name))?;
                (was.data_type == goal.column(name)?.data_type).then(|| self.dialect.quote(&base))
            };
            let others = others.iter().map(stays).collect::<Option<Vec<_>>>()?;
            let first = new.first()?;
            let words: Vec<_> = columns.iter().map(ToString::to_string).collect();
            let (says, count, sample, at_most) = if others.is_empty() {
                let says =
                    format!("{at} has one row at most, because its new {} is the same in every row", words.join(", "));
                let some = format!("SELECT 1 AS _mig_one FROM {source} LIMIT 2");
                (says, format!("SELECT count(*) FROM ({some}) AS _mig_g"), None, 1)
            } else {
                let names = others.join(", ");
                let no_null: Vec<_> = others.iter().map(|name| format!("{name} IS NOT NULL")).collect();
                let groups = format!(
                    "SELECT {names}, count(*) AS _mig_n FROM {source}\nWHERE {} GROUP BY {names} HAVING count(*) > 1",
                    no_null.join(" AND ")
                );
                let says = format!(
                    "no two rows of {at} are alike in {names}, because the new {first} of its key ({}) is the same in every row",
                    words.join(", ")
                );
                (says, format!("SELECT count(*) FROM ({groups}) AS _mig_g"), Some(format!("{groups} LIMIT 5")), 0)
            };
            Some(Check {
                step: step.id.clone(),
                at: Address::table(base),
                says,
                help: vec![
                    format!("give existing rows values of their own: `set.{first}` in `[transform.{at}]`"),
                    format!(
                        "or let {first} be NULL in them: end its type with `?`, and give it its default in a plan after this one"
                    ),
                ],
                count: CheckSql::new(count),
                sample: sample.map(CheckSql::new),
                stops: true,
                at_most,
                first: true,
            })
        };
        self.keys(&at, goal).iter().filter_map(ask).collect()
    }
}
