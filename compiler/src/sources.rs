//! New tables that get their rows from others.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, ColumnValue, Dialect, Group, Kind, Name, Qualified, Rule, Schema, Table, kind::Populate, schema::IndexedBy,
};

use crate::{
    diagnostic::{Code, Diagnostic},
    intent::{Intent, Source},
    moves::Renames,
    transform::Composer,
};

/// Gives each new table's group the steps that fill it.
pub(crate) fn attach(
    groups: &mut [Group],
    intent: &Intent,
    renames: &Renames,
    goal: &Schema,
    dialect: &dyn Dialect,
    notes: &mut Vec<Diagnostic>,
) {
    for (at, sources) in &intent.sources {
        let address = Address::table(at);
        let made = |group: &&mut Group| {
            group.at == address && group.changes.iter().any(|c| matches!(c, Kind::Create(k) if k.at == address))
        };
        let Some(group) = groups.iter_mut().find(made) else {
            notes.extend(sources.iter().map(|source| there_already(at, source)));
            continue;
        };
        let Some(table) = goal.table(at) else { continue };
        for source in sources {
            let filler = Filler { at, table, goal, source, renames, dialect };
            match filler.populate() {
                Ok(first) => group.changes.push(first.into()),
                Err(wrong) => notes.extend(wrong),
            }
        }
    }
}

fn there_already(at: &Qualified, source: &Source) -> Diagnostic {
    let says = format!("{at} is there already, so it gets no rows from {}", source.from);
    let help = "a transform with `from` fills the table in the plan that makes it; once that is applied it can go";
    Diagnostic::new(Code::FillUnused, says).at(&source.transform.place).help(help)
}

struct Filler<'a> {
    at: &'a Qualified,
    table: &'a Table,
    goal: &'a Schema,
    source: &'a Source,
    renames: &'a Renames,
    dialect: &'a dyn Dialect,
}

impl Filler<'_> {
    fn wrong(&self, code: Code, says: String, help: String) -> Vec<Diagnostic> {
        vec![Diagnostic::new(code, says).at(&self.source.transform.place).help(help)]
    }

    fn populate(&self) -> Result<Populate, Vec<Diagnostic>> {
        let from = &self.source.from;
        let Some(over) = self.renames.schema.table(from).or_else(|| self.goal.table(from)) else {
            let says = format!("{} gets its rows from {from}, which neither the database nor the specs have", self.at);
            return Err(self.wrong(Code::UnknownTable, says, "write the name of a table".to_owned()));
        };
        let composer = Composer {
            at: from,
            table: Some(over),
            goal: Some(self.table),
            schema: self.goal,
            renamed: &self.renames.columns,
            dialect: self.dialect,
        };
        let fill = composer.fill(&self.source.transform, &|_| true)?;
        let key = self.key(&fill.set.keys().collect())?;
        if let Some(word) = key.iter().find_map(|column| self.dialect.unsteady(&fill.set[column])) {
            let says =
                format!("`{word}` gives another value each time, and the rows of {} are told apart by it", self.at);
            let help = "make the key from what is the same each time, as in `'award_' || id`".to_owned();
            return Err(self.wrong(Code::BadValue, says, help));
        }
        self.complete(&fill.set.keys().collect())?;
        let of_source = |at: &Address| at.relation().as_ref() == Some(from);
        let renamed = self.renames.columns.iter().filter(|(at, _)| of_source(at));
        let columns: BTreeMap<Name, Name> = renamed.map(|(at, base)| (base.clone(), at.name().clone())).collect();
        let grouped = !self.source.group_by.is_empty();
        let rows = fill.rows;
        if grouped && !rows.rejects.is_empty() && rows.given_columns().next().is_some() {
            let says = format!("a rule of {} reads what is set, which rows only have together", self.at);
            return Err(self.wrong(Code::EngineCannot, says, "write the rule over the source's columns".to_owned()));
        }
        Ok(Populate {
            table: self.at.clone(),
            from: from.clone(),
            alias: from.name.clone(),
            join: self.source.join.clone(),
            set: fill.set,
            columns,
            rows,
            group_by: self.source.group_by.clone(),
            key,
            on_conflict: self.source.on_conflict,
            refers: Vec::new(),
            last: false,
            batch_rows: fill.batch_rows,
        })
    }

    /// The columns that tell the rows apart: all are set, and the database refuses two rows that are alike in them.
    fn key(&self, set: &BTreeSet<&Name>) -> Result<Vec<Name>, Vec<Diagnostic>> {
        let own = || self.table.primary_key().map(|(_, key)| key.columns.clone()).unwrap_or_default();
        let key = if self.source.key.is_empty() { own() } else { self.source.key.clone() };
        if key.is_empty() {
            let says = format!(
                "nothing tells the rows of {} apart, so an interrupted run could not tell which are there",
                self.at
            );
            return Err(self.wrong(Code::MissingKey, says, "give it a primary key, or say `key`".to_owned()));
        }
        if let Some(column) = key.iter().find(|column| !set.contains(column)) {
            let says = format!("{column} tells the rows of {} apart, and is not set", self.at);
            let help =
                format!("write `set.{column} = \"...\"`, made from what is the same each time, or name another `key`");
            return Err(self.wrong(Code::MissingKey, says, help));
        }
        let wanted: BTreeSet<&Name> = key.iter().collect();
        if !self.unique().iter().any(|columns| columns.iter().collect::<BTreeSet<_>>() == wanted) {
            let says = format!("`key` of {} is neither its primary key nor unique", self.at);
            return Err(self.wrong(Code::KeyMismatch, says, "declare a unique constraint over it".to_owned()));
        }
        Ok(key)
    }

    fn unique(&self) -> Vec<Vec<Name>> {
        let rules = self.table.constraints.values().filter_map(|c| match &c.rule {
            Rule::PrimaryKey(key) | Rule::Unique(key) => Some(key.columns.clone()),
            _ => None,
        });
        let indexes = self.goal.indexes_of(self.at).filter(|(_, index)| index.unique && index.predicate.is_none());
        let indexes = indexes.filter_map(|(_, index)| {
            let parts = index.parts.iter().map(|part| match &part.what {
                IndexedBy::Column(name) => Some(name.clone()),
                IndexedBy::Expression(_) => None,
            });
            parts.collect::<Option<Vec<_>>>()
        });
        rules.chain(indexes).collect()
    }

    /// Every column that needs a value gets one.
    fn complete(&self, set: &BTreeSet<&Name>) -> Result<(), Vec<Diagnostic>> {
        let needs = self.table.columns.iter().filter(|c| c.not_null && c.value == ColumnValue::Plain);
        let missing: Vec<_> = needs.filter(|c| !set.contains(&c.name)).map(|c| c.name.to_string()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let says = format!("rows of {} need a value in {}, and none is set", self.at, missing.join(", "));
        Err(self.wrong(Code::MissingKey, says, format!("write `set.{} = \"...\"`", missing[0])))
    }
}
