//! From a declared transform to what the recipes get: expressions by column, and which rows they concern.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Dialect, Fill, Name, Qualified, Schema, Sql, Table,
    kind::{Reject, Selection},
    sql::{TokenKind, tokens},
};

use crate::{
    diagnostic::{Code, Diagnostic},
    intent::Transform,
    spec::near::nearest,
};

/// A transform of a table that is there.
pub(crate) struct Composer<'a> {
    /// The table, by its name in the goal.
    pub(crate) at: &'a Qualified,
    /// The table as it is, under the goal's names.
    pub(crate) table: Option<&'a Table>,
    /// The table as it shall be.
    pub(crate) goal: Option<&'a Table>,
    /// All that shall be.
    pub(crate) schema: &'a Schema,
    /// Renamed columns: goal address to base name.
    pub(crate) renamed: &'a BTreeMap<Address, Name>,
    pub(crate) dialect: &'a dyn Dialect,
}

impl Composer<'_> {
    /// The part of a transform that gives values to some of its columns.
    ///
    /// # Errors
    /// What cannot be made of the declaration.
    pub(crate) fn fill(&self, transform: &Transform, due: &dyn Fn(&Name) -> bool) -> Result<Fill, Vec<Diagnostic>> {
        let mut wrong = Vec::new();
        let all: BTreeSet<&Name> =
            transform.set.keys().chain(transform.maps.keys()).chain(transform.uuids.keys()).collect();
        let mut set = BTreeMap::new();
        for &column in &all {
            match self.expression(transform, column) {
                Ok(sql) => {
                    if due(column) {
                        wrong.extend(self.unsteady(transform, column, &sql));
                    }
                    set.insert(column.clone(), sql);
                }
                Err(diagnostic) if due(column) => wrong.push(*diagnostic),
                Err(_) => {}
            }
        }
        let texts =
            transform.set.values().chain(&transform.only).chain(transform.rejects.iter().map(|rule| &rule.when));
        let texts = texts.chain(transform.back.values());
        // What is done read columns that may be gone since.
        let is_due = all.iter().any(|column| due(column));
        wrong.extend(texts.filter(|_| is_due).filter_map(|sql| self.unknown_column(transform, sql)));
        let rejects = self.rejects(transform);
        let conditions = transform.only.iter().chain(rejects.iter().map(|rule| &rule.when));
        let read = conditions.flat_map(|sql| self.fresh_in(&set, sql)).collect();
        let given = self
            .layers(&set, read)
            .map_err(|says| vec![Diagnostic::new(Code::EngineCannot, says).at(&transform.place)]);
        set.retain(|column, _| due(column));
        match given {
            Ok(given) if wrong.is_empty() => {
                let max_rejects = transform.max_rejects;
                let (only, once) = (transform.only.clone(), transform.once.clone());
                let rows = Selection { only, once, late: false, rejects, max_rejects, given };
                let going = |column: &Name| {
                    self.base_has(column) && self.goal.is_some_and(|goal| goal.column(column).is_none())
                };
                let back = transform.back.iter().filter(|(column, _)| !set.is_empty() && going(column));
                let back = back.map(|(column, sql)| (column.clone(), sql.clone())).collect();
                Ok(Fill { set, back, rows, batch_rows: transform.batch_rows })
            }
            Ok(_) => Err(wrong),
            Err(circle) => Err(wrong.into_iter().chain(circle).collect()),
        }
    }

    /// The value of a column: what is set, with its map applied.
    fn expression(&self, transform: &Transform, column: &Name) -> Result<Sql, Box<Diagnostic>> {
        if let Some((version, namespace, name)) = transform.uuids.get(column) {
            let place = transform.columns.get(column).unwrap_or(&transform.place);
            return self.dialect.uuid(*version, namespace, name, self.schema).map_err(|says| {
                let help = "make the id from what the row has, as in `'thread_' || id`";
                Box::new(Diagnostic::new(Code::EngineCannot, says).at(place).help(help))
            });
        }
        let set = transform.set.get(column);
        let Some(pairs) = transform.maps.get(column) else {
            return Ok(set.cloned().unwrap_or_else(|| Sql::new("NULL")));
        };
        let value = match set {
            Some(sql) => format!("({sql})"),
            None if self.base_has(column) => self.dialect.quote(self.base_name(column)),
            None => {
                let says = format!("the values of {column} are mapped, and the database has no such column yet");
                let place = transform.columns.get(column).unwrap_or(&transform.place);
                let help =
                    format!("write what is mapped: `set.{column} = \"...\"` beside the map, or `was` on the column");
                return Err(Box::new(Diagnostic::new(Code::MissingKey, says).at(place).help(help)));
            }
        };
        let to = self.goal.and_then(|table| table.column(column)).map_or("", |c| c.data_type.as_str());
        Ok(self.dialect.mapped(&value, pairs, to))
    }

    /// The rules, and what the maps do not name if that is one.
    fn rejects(&self, transform: &Transform) -> Vec<Reject> {
        let mut rejects = transform.rejects.clone();
        if !transform.rejects_unmapped {
            return rejects;
        }
        for (column, pairs) in &transform.maps {
            let value = match transform.set.get(column) {
                Some(sql) => format!("({sql})"),
                None => self.dialect.quote(self.base_name(column)),
            };
            let named: Vec<_> = pairs.iter().map(|(from, _)| self.dialect.text(from)).collect();
            let when = Sql::new(format!("{} NOT IN ({})", self.dialect.as_text(&value), named.join(", ")));
            rejects.push(Reject { when, reason: format!("{column} has a value that its map does not name") });
        }
        rejects
    }

    /// A column of the table that an expression names with it, and that neither the database nor the specs have.
    fn unknown_column(&self, transform: &Transform, sql: &Sql) -> Option<Diagnostic> {
        let all: Vec<_> = tokens(sql.as_str()).filter(|t| t.kind != TokenKind::Blank).collect();
        let named = |text: Option<String>| text.and_then(|text| Name::new(text).ok());
        let base = || self.table.into_iter().flat_map(|table| &table.columns).map(|c| self.base_name(&c.name));
        let goal = || self.goal.into_iter().flat_map(|table| &table.columns).map(|c| &c.name);
        let same = |a: &Name, b: &Name| self.dialect.same_name(a, b);
        let column = all.windows(3).enumerate().find_map(|(at, three)| {
            let [table, dot, column] = three else { return None };
            let whole = at == 0 || all[at - 1].text != ".";
            let of_table = named(table.identifier()).is_some_and(|name| same(&name, &self.at.name));
            let column = named(column.identifier()).filter(|_| whole && of_table && dot.text == ".")?;
            (!base().chain(goal()).any(|known| same(known, &column))).then_some(column)
        })?;
        let says = format!("an expression reads {}.{column}, and there is no such column", self.at.name);
        let mut diagnostic = Diagnostic::new(Code::UnknownColumn, says).at(&transform.place);
        if let Some(near) = nearest(column.as_str(), base().map(Name::as_str)) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        Some(diagnostic)
    }

    /// An expression that gives another value each time is refused unless that is declared; a condition always is.
    fn unsteady(&self, transform: &Transform, column: &Name, sql: &Sql) -> Option<Diagnostic> {
        let conditions = transform.only.iter().chain(transform.rejects.iter().map(|rule| &rule.when));
        let (word, help) = match conditions.into_iter().find_map(|sql| self.dialect.unsteady(sql)) {
            Some(word) => (word, "write a condition that is the same each time, with the value itself".to_owned()),
            None if transform.varies => return None,
            None => {
                let help =
                    "write the value itself, or `varies = true` if each row may keep the one that it happens to get";
                (self.dialect.unsteady(sql)?, help.to_owned())
            }
        };
        let says = format!(
            "`{word}` gives another value each time, so what {column} gets depends on when the run comes to a row"
        );
        let place = transform.columns.get(column).unwrap_or(&transform.place);
        Some(Diagnostic::new(Code::BadValue, says).at(place).help(help))
    }

    fn base_has(&self, column: &Name) -> bool {
        self.table.is_some_and(|table| table.column(column).is_some())
    }

    /// The name that a column has in the base.
    pub(crate) fn base_name<'n>(&'n self, column: &'n Name) -> &'n Name {
        self.renamed.get(&Address::column(self.at, column)).unwrap_or(column)
    }

    /// The set columns that an expression reads and the base does not have.
    fn fresh_in(&self, set: &BTreeMap<Name, Sql>, sql: &Sql) -> BTreeSet<Name> {
        let base = || self.table.into_iter().flat_map(|table| &table.columns).map(|c| self.base_name(&c.name));
        let mentioned = self.dialect.mentions(sql);
        let same = |a: &Name, b: &Name| self.dialect.same_name(a, b);
        let read = set.keys().filter(|name| mentioned.iter().any(|m| same(m, name)));
        read.filter(|name| !base().any(|b| same(b, name))).cloned().collect()
    }

    /// The values of some columns that the base does not have, with those that they are made from: those first that others need.
    ///
    /// # Errors
    /// A sentence, if they need each other.
    pub(crate) fn layers(
        &self,
        set: &BTreeMap<Name, Sql>,
        of: BTreeSet<Name>,
    ) -> Result<Vec<BTreeMap<Name, Sql>>, String> {
        let mut wanted: BTreeSet<Name> = BTreeSet::new();
        let base = || self.table.into_iter().flat_map(|table| &table.columns).map(|c| self.base_name(&c.name));
        let mut todo: Vec<Name> =
            of.into_iter().filter(|name| !base().any(|b| self.dialect.same_name(b, name))).collect();
        while let Some(name) = todo.pop() {
            if wanted.insert(name.clone()) {
                todo.extend(self.fresh_in(set, &set[&name]).into_iter().filter(|read| *read != name));
            }
        }
        let mut layers: Vec<BTreeMap<Name, Sql>> = Vec::new();
        while !wanted.is_empty() {
            let waits =
                |name: &Name| self.fresh_in(set, &set[name]).iter().any(|read| read != name && wanted.contains(read));
            let ready: BTreeMap<Name, Sql> =
                wanted.iter().filter(|name| !waits(name)).map(|name| (name.clone(), set[name].clone())).collect();
            if ready.is_empty() {
                let names: Vec<_> = wanted.iter().map(ToString::to_string).collect();
                return Err(format!("the values of {} are made from each other, in a circle", names.join(" and ")));
            }
            wanted.retain(|name| !ready.contains_key(name));
            layers.push(ready);
        }
        Ok(layers)
    }
}
