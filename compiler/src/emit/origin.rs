//! What the tables of the moment were before the first write: under other names, with fewer columns. A question about them can be asked then
//! over a table of their present form, which is made of their old one.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Column, ColumnValue, Dialect, Kind, Name, ObjectKind, Past, Qualified, Schema,
    kind::{Exchange, Settle, Sync},
};

/// The present tables that are not what they were, each with what it was.
#[derive(Default)]
pub(super) struct Origins {
    tables: BTreeMap<Qualified, Origin>,
}

/// What a table was.
struct Origin {
    base: Qualified,
    /// The present columns; `None` where nobody can tell what is in one.
    columns: BTreeMap<Name, Option<Value>>,
    /// Columns of another type or order than they had.
    remade: BTreeSet<Name>,
    /// Whether columns have changed places with hidden ones, so that nobody can tell what is in which.
    exchanged: bool,
}

/// What a column has in every row that was there before the first write.
#[derive(Clone)]
enum Value {
    /// What a column had then.
    Of(Name),
    /// What becomes of what a column had then, as SQL over the table of then.
    Made(String),
    /// The default of a column that came, as SQL.
    Default(String),
    /// Nothing.
    Null,
}

impl Origins {
    /// Notes a change; `live` is the schema before the first write.
    pub(super) fn done(&mut self, change: &Kind, live: &Schema, dialect: &dyn Dialect) {
        match change {
            Kind::Rename(k) if k.from.kind() == ObjectKind::Table => {
                let origin = self.tables.remove(&k.from.qualified()).or_else(|| Origin::of(&k.from.qualified(), live));
                self.tables.extend(origin.map(|origin| (k.to.qualified(), origin)));
            }
            Kind::RenameMember(k) if k.from.kind() == ObjectKind::Column => {
                let Some(origin) = k.from.relation().and_then(|table| self.of(&table, live)) else { return };
                let value = origin.columns.remove(k.from.name()).flatten();
                origin.columns.insert(k.to.clone(), value);
            }
            Kind::AlterColumn(k) if sorts_otherwise(&k.from, &k.to) => {
                let Some(origin) = self.of(&k.table, live) else { return };
                let was = origin.columns.remove(&k.to.name).flatten().filter(|_| k.using.is_none());
                let is = was.and_then(|was| was.converted(&k.from, &k.to, dialect));
                origin.columns.insert(k.to.name.clone(), is);
                origin.remade.insert(k.to.name.clone());
            }
            Kind::AddColumn(k) => {
                let Some(origin) = self.of(&k.table, live) else { return };
                origin.columns.insert(k.column.name.clone(), given(&k.column, dialect));
            }
            Kind::DropColumn(k) => {
                let Some(origin) = self.of(&k.table, live) else { return };
                origin.columns.remove(&k.column.name);
            }
            Kind::Backfill(k) => {
                let Some(origin) = self.of(&k.table, live) else { return };
                origin.columns.extend(k.set.keys().map(|column| (column.clone(), None)));
            }
            Kind::Rebuild(k) => {
                let Some(origin) = self.of(&k.table, live) else { return };
                let was = std::mem::take(&mut origin.columns);
                let other = |to: &&Column| k.from.column(&to.name).is_some_and(|from| sorts_otherwise(from, to));
                let remade: BTreeSet<Name> = k.to.columns.iter().filter(other).map(|c| c.name.clone()).collect();
                let now = k.to.columns.iter().map(|column| {
                    let declared = k.copy.iter().any(|copy| copy.to == column.name && copy.declared.is_some());
                    let before = || was.get(&column.name).cloned().flatten();
                    let value = match (&column.value, k.from.column(&column.name)) {
                        _ if declared => None,
                        (ColumnValue::Generated { .. }, from) if from != Some(column) => None,
                        (_, None) => given(column, dialect),
                        (_, Some(from)) if remade.contains(&column.name) => {
                            before().and_then(|was| was.converted(from, column, dialect))
                        }
                        _ => before(),
                    };
                    (column.name.clone(), value)
                });
                origin.columns = now.collect();
                origin.remade.extend(remade);
            }
            Kind::Sync(Sync { twins })
            | Kind::Exchange(Exchange { twins, .. })
            | Kind::Settle(Settle { twins, .. }) => {
                let Some(origin) = self.of(&twins.table, live) else { return };
                origin.exchanged = true;
            }
            Kind::Regroup(k) => {
                let Some(origin) = self.of(&k.table, live) else { return };
                origin.exchanged = true;
            }
            Kind::Drop(k) if k.at.kind() == ObjectKind::Table => {
                self.tables.remove(&k.at.qualified());
            }
            _ => {}
        }
    }

    fn of(&mut self, table: &Qualified, live: &Schema) -> Option<&mut Origin> {
        if !self.tables.contains_key(table) {
            self.tables.insert(table.clone(), Origin::of(table, live)?);
        }
        self.tables.get_mut(table)
    }

    /// Whether a question asks for values that are of another type by now, or are compared otherwise.
    pub(super) fn changed(&self, named: &dyn Fn(&Name) -> bool) -> bool {
        let mut tables = self.tables.iter().filter(|(table, _)| named(&table.name));
        tables.any(|(_, origin)| origin.remade.iter().any(named))
    }

    /// A question about present tables as one about those before the first write; `None` if that cannot be said. `of_key` tells that it is
    /// about a key: what a default does to one is asked for all engines alike.
    pub(super) fn asked_before(
        &self,
        sql: &str,
        of_key: bool,
        named: &dyn Fn(&Name) -> bool,
        live: &Schema,
        dialect: &dyn Dialect,
    ) -> Option<String> {
        let mut past = Vec::new();
        for (table, origin) in self.tables.iter().filter(|(table, _)| named(&table.name)) {
            if origin.exchanged {
                return None;
            }
            let mut columns = Vec::new();
            for (column, value) in &origin.columns {
                match value {
                    Some(Value::Of(was)) => columns.push((column.clone(), dialect.quote(was))),
                    Some(Value::Default(_)) if of_key && named(column) => return None,
                    Some(Value::Made(sql) | Value::Default(sql)) => columns.push((column.clone(), sql.clone())),
                    Some(Value::Null) => columns.push((column.clone(), "NULL".to_owned())),
                    None if named(column) => return None,
                    None => {}
                }
            }
            past.push(Past { table: table.clone(), base: origin.base.clone(), columns });
        }
        if past.is_empty() { None } else { dialect.over_past(sql, &past, live) }
    }
}

impl Value {
    /// What becomes of it in another form of its column.
    fn converted(self, from: &Column, to: &Column, dialect: &dyn Dialect) -> Option<Self> {
        let sql = match self {
            Self::Null => return Some(self),
            Self::Of(name) => dialect.quote(&name),
            Self::Made(sql) | Self::Default(sql) => sql,
        };
        dialect.converted(&sql, from, to).map(Self::Made)
    }
}

impl Origin {
    fn of(table: &Qualified, live: &Schema) -> Option<Self> {
        let own = |c: &Column| (c.name.clone(), Some(Value::Of(c.name.clone())));
        let columns = live.table(table)?.columns.iter().map(own).collect();
        Some(Self { base: table.clone(), columns, remade: BTreeSet::new(), exchanged: false })
    }
}

/// Whether values of a column are converted, or compared otherwise, in its new form.
fn sorts_otherwise(from: &Column, to: &Column) -> bool {
    from.data_type != to.data_type || from.collation != to.collation
}

/// What rows get for a column that comes.
fn given(column: &Column, dialect: &dyn Dialect) -> Option<Value> {
    match &column.value {
        ColumnValue::Plain => Some(Value::Null),
        ColumnValue::Default(value) if dialect.is_one_value(value) => {
            dialect.as_given(column, value).map(Value::Default)
        }
        _ => None,
    }
}
