//! Kinds that move columns to another type beside running clients: a hidden column of the new type is kept equal to the one that
//! clients use, then the two exchange their names, then the hidden one leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    Effect, Impossible, Kind, RenameMember,
    rename::{changed, rename_in_texts},
};
use crate::{
    address::{Address, ObjectKind},
    name::{Name, Qualified},
    schema::{Object, Schema},
    sql::Sql,
    table::Column,
};

/// Hidden columns of a table and the trigger that keeps each equal to the column that clients use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twins {
    /// Of which table.
    pub table: Qualified,
    /// The trigger's name, and that of its function.
    pub trigger: Name,
    /// The trigger.
    pub object: Arc<Object>,
    /// The columns.
    pub pairs: Vec<Twin>,
    /// Whether the names are exchanged: clients use the new columns, and the hidden ones are the old.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exchanged: bool,
    /// Whether the hidden columns take the place of the old ones in the end, which then leave, instead of exchanging names with them:
    /// what old clients write goes to the new columns, and nothing comes back from there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settles: bool,
    /// Whether clients see the hidden columns, under the names that the columns had before: what is written to either goes to the other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub served: bool,
}

/// A column and the hidden one beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twin {
    /// The column that clients use.
    pub column: Name,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// The hidden column.
    pub hidden: Column,
    /// What a row's value in the hidden column is, where it is not just the column's in another type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Sql>,
    /// What a row's old value is, given the new one, where it is not just that in the old type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Sql>,
}

impl Twins {
    /// Where the trigger is.
    #[must_use]
    pub fn at(&self) -> Address {
        Address::member(ObjectKind::Trigger, &self.table, self.trigger.clone())
    }

    fn here(&self) -> Address {
        Address::table(&self.table)
    }

    fn bind(&self, schema: &mut Schema) -> Result<(), Impossible> {
        if schema.objects.insert(self.at(), self.object.clone()).is_some() {
            return Err(Impossible::Present(self.at()));
        }
        let table = schema.table_mut(&self.table).ok_or_else(|| Impossible::Absent(self.here()))?;
        for pair in &self.pairs {
            if table.column(&pair.hidden.name).is_some() {
                return Err(Impossible::Present(Address::column(&self.table, &pair.hidden.name)));
            }
            table.columns.push(pair.hidden.clone());
        }
        Ok(())
    }

    fn release(&self, schema: &mut Schema) -> Result<(), Impossible> {
        match schema.objects.remove(&self.at()) {
            Some(found) if found == self.object => {}
            Some(_) => return Err(Impossible::Differs(self.at())),
            None => return Err(Impossible::Absent(self.at())),
        }
        for pair in &self.pairs {
            super::DropColumn { table: self.table.clone(), column: pair.hidden.clone() }.apply(schema)?;
        }
        Ok(())
    }

    /// The same with hidden columns that may be empty.
    #[must_use]
    pub fn bare(&self) -> Self {
        let mut twins = self.clone();
        twins.pairs.iter_mut().for_each(|pair| pair.hidden.not_null = false);
        twins
    }

    /// The same once the names are exchanged: each type is under the other name.
    #[must_use]
    pub fn turned(&self) -> Self {
        let turn = |pair: &Twin| Twin {
            column: pair.column.clone(),
            data_type: pair.hidden.data_type.clone(),
            hidden: Column { data_type: pair.data_type.clone(), ..pair.hidden.clone() },
            by: pair.back.clone(),
            back: pair.by.clone(),
        };
        Self { exchanged: !self.exchanged, pairs: self.pairs.iter().map(turn).collect(), ..self.clone() }
    }
}

/// Adds the hidden columns and the trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// Which.
    pub twins: Twins,
}

impl Effect for Sync {
    const SLUG: &'static str = "sync";

    fn address(&self) -> Address {
        self.twins.here()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.twins.here(), self.twins.at()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.twins.bind(schema)
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Unsync { twins: self.twins.clone() }.into())
    }
}

/// Removes the trigger and the hidden columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsync {
    /// Which.
    pub twins: Twins,
}

impl Effect for Unsync {
    const SLUG: &'static str = "unsync";

    fn address(&self) -> Address {
        self.twins.here()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.twins.here(), self.twins.at()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.twins.release(schema)
    }

    /// They come back empty: rows get their values beside running clients, and only then are they required.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Sync { twins: self.twins.bare() }.into())
    }
}

/// Exchanges the names of each column and its hidden twin. What refers to a column follows it, as it does in the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The columns, as they are before.
    pub twins: Twins,
    /// Each column's name as the engine's own texts write it, with its twin's.
    pub spelt: BTreeMap<Name, (String, String)>,
}

impl Effect for Exchange {
    const SLUG: &'static str = "exchange";

    fn address(&self) -> Address {
        self.twins.here()
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        let mut after = before.clone();
        let mut touched: BTreeSet<_> = [self.twins.here()].into();
        if self.apply(&mut after).is_ok() {
            touched.extend(changed(before, &after));
        }
        touched
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let rename = |schema: &mut Schema, from: &Name, to: &Name| {
            let from = Address::column(&self.twins.table, from);
            RenameMember { from, to: to.clone(), carries: BTreeMap::new() }.apply(schema)
        };
        let passing = self.twins.trigger.clone();
        for pair in &self.twins.pairs {
            let (column, hidden) = (&pair.column, &pair.hidden.name);
            rename(schema, column, &passing)?;
            rename(schema, hidden, column)?;
            rename(schema, &passing, hidden)?;
            let (Some((own, other)), Some(object)) =
                (self.spelt.get(column), schema.objects.get_mut(&self.twins.here()))
            else {
                continue;
            };
            let spell = |name: &Name| if name == column { own.clone() } else { other.clone() };
            // No text names a hidden column but by an exchange.
            let (from, to) = if self.twins.exchanged { (hidden, column) } else { (column, hidden) };
            *object = rename_in_texts(object, from, to, &spell).into();
        }
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Self { twins: self.twins.turned(), spelt: self.spelt.clone() }.into())
    }
}
