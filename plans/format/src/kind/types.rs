//! A kind that puts a type in the place of another one: columns have gone over to the new one, which waited under a name of its own.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind, rename::changed};
use crate::{
    address::Address,
    schema::{Body, Object, Schema},
    sql::Sql,
    table::{Column, ColumnValue},
};

/// Removes a type that no column has any more, and gives its name to another. No constraint and no index speaks of either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptType {
    /// Where the old type is, and the new one afterwards.
    pub at: Address,
    /// The old type.
    pub from: Arc<Object>,
    /// The new type.
    pub to: Arc<Object>,
    /// Where the new type waits until then.
    pub waits: Address,
    /// How columns say the new type while it waits, and afterwards.
    pub spelt: (String, String),
    /// Whether it goes the other way: the type in the place of another one waits again, and the other one comes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
}

impl Effect for AdoptType {
    const SLUG: &'static str = "adopt-type";

    fn address(&self) -> Address {
        self.at.clone()
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        let mut after = before.clone();
        let mut touched: BTreeSet<_> = [self.at.clone(), self.waits.clone()].into();
        if self.apply(&mut after).is_ok() {
            touched.extend(changed(before, &after));
        }
        touched
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let (here, comes) = if self.back { (&self.to, &self.from) } else { (&self.from, &self.to) };
        match schema.objects.insert(self.at.clone(), comes.clone()) {
            Some(found) if found == *here => {}
            Some(_) => return Err(Impossible::Differs(self.at.clone())),
            None => return Err(Impossible::Absent(self.at.clone())),
        }
        let (was, is) = if self.back {
            if schema.objects.insert(self.waits.clone(), self.to.clone()).is_some() {
                return Err(Impossible::Present(self.waits.clone()));
            }
            (&self.spelt.1, &self.spelt.0)
        } else {
            match schema.objects.remove(&self.waits) {
                Some(found) if found == self.to => {}
                Some(_) => return Err(Impossible::Differs(self.waits.clone())),
                None => return Err(Impossible::Absent(self.waits.clone())),
            }
            (&self.spelt.0, &self.spelt.1)
        };
        let concerned = |_: &Address, object: &Object| match &object.body {
            Body::Table(table) => table.columns.iter().any(|c| of_type(&c.data_type, was, is).is_some()),
            _ => false,
        };
        for (_, object) in schema.objects_mut(concerned) {
            if let Body::Table(table) = &mut object.body {
                table.columns.iter_mut().for_each(|column| *column = renamed(column, was, is));
            }
        }
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Self { back: !self.back, ..self.clone() }.into())
    }
}

/// A type's new spelling, arrays included.
fn of_type(data_type: &str, was: &str, is: &str) -> Option<String> {
    let array = data_type.strip_prefix(was)?;
    (array.is_empty() || array == "[]").then(|| format!("{is}{array}"))
}

/// A column with the type under its new spelling, at the end of its default too.
#[must_use]
pub fn renamed(column: &Column, was: &str, is: &str) -> Column {
    let mut column = column.clone();
    let Some(data_type) = of_type(&column.data_type, was, is) else { return column };
    if let ColumnValue::Default(value) = &mut column.value
        && let Some(said) = value.as_str().strip_suffix(&format!("::{}", column.data_type))
    {
        *value = Sql::new(format!("{said}::{data_type}"));
    }
    column.data_type = data_type;
    column
}
