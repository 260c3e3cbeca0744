//! Kinds that change one column of a table.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{
    address::Address,
    name::{Name, Qualified},
    schema::{IndexedBy, Schema},
    sql::Sql,
    table::{Column, Table},
};

fn table_mut<'a>(schema: &'a mut Schema, at: &Qualified) -> Result<&'a mut Table, Impossible> {
    schema.table_mut(at).ok_or_else(|| Impossible::Absent(Address::table(at)))
}

/// Adds a column at the end of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddColumn {
    /// To which table.
    pub table: Qualified,
    /// Which column.
    pub column: Column,
}

impl Effect for AddColumn {
    const SLUG: &'static str = "add-column";

    fn address(&self) -> Address {
        Address::column(&self.table, &self.column.name)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.table)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let table = table_mut(schema, &self.table)?;
        if table.column(&self.column.name).is_some() {
            return Err(Impossible::Present(self.address()));
        }
        table.columns.push(self.column.clone());
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(DropColumn { table: self.table.clone(), column: self.column.clone() }.into())
    }
}

/// Drops a column. Constraints and indexes on it go in own steps before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropColumn {
    /// From which table.
    pub table: Qualified,
    /// The column as it was.
    pub column: Column,
}

impl Effect for DropColumn {
    const SLUG: &'static str = "drop-column";

    fn address(&self) -> Address {
        Address::column(&self.table, &self.column.name)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.table)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        // What a table says of a parent's column has no type; the column itself stays.
        let stays = self.column.data_type.is_empty();
        if let Some(by) = needs_column(schema, &self.table, &self.column.name).filter(|_| !stays) {
            return Err(Impossible::Needed { at: self.address(), by });
        }
        let table = table_mut(schema, &self.table)?;
        match table.columns.iter().position(|c| c.name == self.column.name) {
            Some(at) if table.columns[at] == self.column => {
                table.columns.remove(at);
                Ok(())
            }
            Some(_) => Err(Impossible::Differs(self.address())),
            None => Err(Impossible::Absent(self.address())),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(AddColumn { table: self.table.clone(), column: self.column.clone() }.into())
    }
}

/// The first constraint or index that names a column outright.
fn needs_column(schema: &Schema, table: &Qualified, column: &Name) -> Option<Address> {
    let own = schema.table(table)?.constraints.iter();
    let own = own.filter(|(_, c)| c.columns().contains(column)).map(|(name, _)| Address::constraint(table, name));
    let referring = schema
        .references_to(table)
        .filter(|(_, _, c)| c.foreign_key().is_some_and(|fk| fk.referenced.contains(column)))
        .map(|(from, name, _)| Address::constraint(&from, name));
    let indexes = schema
        .indexes_of(table)
        .filter(|(_, index)| {
            index.include.contains(column) || index.parts.iter().any(|p| p.what == IndexedBy::Column(column.clone()))
        })
        .map(|(at, _)| at.clone());
    own.chain(referring).chain(indexes).next()
}

/// Changes type, nullability, value source, collation or settings of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlterColumn {
    /// Of which table.
    pub table: Qualified,
    /// The column as it is.
    pub from: Column,
    /// The column as it shall be, under the same name.
    pub to: Column,
    /// How an old value becomes a new one, where a plain cast is not it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub using: Option<Sql>,
}

impl Effect for AlterColumn {
    const SLUG: &'static str = "alter-column";

    fn address(&self) -> Address {
        Address::column(&self.table, &self.from.name)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.table)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        match table_mut(schema, &self.table)?.column_mut(&self.from.name) {
            Some(found) if *found == self.from => {
                *found = self.to.clone();
                Ok(())
            }
            Some(_) => Err(Impossible::Differs(self.address())),
            None => Err(Impossible::Absent(self.address())),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        let (from, to) = (self.to.clone(), self.from.clone());
        Some(Self { table: self.table.clone(), from, to, using: None }.into())
    }
}
