//! What a plan puts into files before its first write.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Backup, ColumnValue, Dialect, Group, Kind, Name, ObjectKind, Qualified, Schema, Snapshot, Table,
    kind::Rows,
};

use crate::{
    diagnostic::{Code, Diagnostic, Place},
    intent::{Intent, ToSave},
    moves::Renames,
};

/// What the backups of a plan are made from.
pub(crate) struct Ground<'a> {
    pub(crate) intent: &'a Intent,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) renames: &'a Renames,
    pub(crate) goal: &'a Schema,
    pub(crate) dialect: &'a dyn Dialect,
}

/// The columns to save, by table, both under the names of the base.
type Wanted = BTreeMap<Qualified, BTreeSet<Name>>;

impl Ground<'_> {
    /// The backups of a plan that touches some objects, in the order of their tables.
    ///
    /// # Errors
    /// What is to be saved and is neither in the database nor declared.
    pub(crate) fn backups(
        &self,
        groups: &[Group],
        touched: &BTreeSet<Address>,
    ) -> Result<Vec<Backup>, Box<Diagnostic>> {
        let mut wanted = Wanted::new();
        for (what, place) in self.intent.to_save.iter().filter(|_| !touched.is_empty()) {
            self.known(what, place)?;
            match what {
                ToSave::Everything => self.base().tables().for_each(|(at, table)| self.whole(&mut wanted, &at, table)),
                ToSave::Removed => self.removed(&mut wanted, groups),
                ToSave::Table(at) => {
                    let base = self.base_name(at);
                    if let Some(table) = self.base().table(&base).filter(|_| touched.contains(&Address::table(&base))) {
                        self.whole(&mut wanted, &base, table);
                    }
                }
                ToSave::Column(at) => {
                    let Some(of) = at.relation() else { continue };
                    let base = self.base_name(&of);
                    if touched.contains(&Address::table(&base)) {
                        self.column(&mut wanted, &base, self.renames.columns.get(at).unwrap_or(at.name()));
                    }
                }
            }
        }
        Ok(wanted.iter().filter_map(|(at, columns)| self.backup(at, columns)).collect())
    }

    /// A name that nothing has would be a backup that nobody makes.
    fn known(&self, what: &ToSave, place: &Place) -> Result<(), Box<Diagnostic>> {
        let (of, column) = match what {
            ToSave::Everything | ToSave::Removed => return Ok(()),
            ToSave::Table(at) => (Some(at.clone()), None),
            ToSave::Column(at) => (at.relation(), Some(at.name())),
        };
        let Some(of) = of else { return Ok(()) };
        let tables = [self.base().table(&self.base_name(&of)), self.renames.schema.table(&of), self.goal.table(&of)];
        let mut tables = tables.into_iter().flatten().peekable();
        if tables.peek().is_none() {
            let says = format!("{of} is to be in a backup, and neither the database nor the specs have it");
            return Err(Box::new(Diagnostic::new(Code::UnknownTable, says).at(place)));
        }
        if let Some(column) = column
            && !tables.any(|table| table.column(column).is_some())
        {
            let says = format!("{column} of {of} is to be in a backup, and there is no such column");
            return Err(Box::new(Diagnostic::new(Code::UnknownColumn, says).at(place)));
        }
        Ok(())
    }

    fn base(&self) -> &Schema {
        &self.snapshot.schema.0
    }

    fn base_name(&self, at: &Qualified) -> Qualified {
        self.renames.tables.get(at).unwrap_or(at).clone()
    }

    fn whole(&self, wanted: &mut Wanted, at: &Qualified, table: &Table) {
        wanted.entry(at.clone()).or_default().extend(table.columns.iter().map(|c| c.name.clone()));
    }

    fn column(&self, wanted: &mut Wanted, at: &Qualified, column: &Name) {
        if self.base().table(at).is_some_and(|table| table.column(column).is_some()) {
            wanted.entry(at.clone()).or_default().insert(column.clone());
        }
    }

    /// Every table and column that the plan takes away, gives another type, or overwrites, with transforms or declared rows.
    fn removed(&self, wanted: &mut Wanted, groups: &[Group]) {
        for group in groups {
            for change in &group.changes {
                if let Kind::Rows(rows) = change {
                    self.changed(wanted, rows);
                }
                let loses_rows = match change {
                    Kind::Drop(drop) if drop.at.kind() == ObjectKind::Table => Some(drop.at.qualified()),
                    Kind::Withdraw(withdraw) if !withdraw.rows.is_empty() => Some(withdraw.table.clone()),
                    _ => None,
                };
                if let Some(base) = loses_rows.map(|at| self.base_name(&at))
                    && let Some(table) = self.base().table(&base)
                {
                    self.whole(wanted, &base, table);
                }
            }
            if group.at.kind() != ObjectKind::Table {
                continue;
            }
            let at = group.at.qualified();
            let (Some(was), Some(is)) = (self.renames.schema.table(&at), self.goal.table(&at)) else { continue };
            let set = |name: &Name| group.fill.as_ref().is_some_and(|fill| fill.set.contains_key(name));
            let other = |name: &Name, data_type: &str| is.column(name).is_none_or(|c| c.data_type != data_type);
            for column in was.columns.iter().filter(|c| set(&c.name) || other(&c.name, &c.data_type)) {
                let now = Address::column(&at, &column.name);
                self.column(wanted, &self.base_name(&at), self.renames.columns.get(&now).unwrap_or(&column.name));
            }
        }
    }

    /// What declared rows may stand in the place of: whether a row is there already only the database knows.
    fn changed(&self, wanted: &mut Wanted, rows: &Rows) {
        let set = rows.rows.first().map(|row| row.keys()).into_iter().flatten();
        for name in set.filter(|name| !rows.key.contains(name)) {
            let now = Address::column(&rows.table, name);
            self.column(wanted, &self.base_name(&rows.table), self.renames.columns.get(&now).unwrap_or(name));
        }
    }

    fn backup(&self, at: &Qualified, columns: &BTreeSet<Name>) -> Option<Backup> {
        let table = self.base().table(at)?;
        let key = table.primary_key().map(|(_, key)| key.columns.clone()).unwrap_or_default();
        let computed = |value: &ColumnValue| matches!(value, ColumnValue::Generated { .. });
        let kept = table.columns.iter().filter(|c| !computed(&c.value));
        let whole = kept.clone().all(|c| columns.contains(&c.name)) || key.is_empty();
        let saved: Vec<_> =
            kept.filter(|c| whole || key.contains(&c.name) || columns.contains(&c.name)).cloned().collect();
        let sql = self.dialect.saved(at, &saved);
        Some(Backup { table: at.clone(), columns: saved, key, whole, sql })
    }
}
