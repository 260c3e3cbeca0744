//! Kinds for a way back that is not just the way there again: rows are read and written, and indexes built, without holding up clients,
//! before what they are for comes back in an instant.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{DropConstraint, Effect, Impossible, Kind};
use crate::{address::Address, schema::Schema};

/// Changes nothing on the way there; a rollback makes a change at this place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnReturn {
    /// What a rollback does.
    pub change: Box<Kind>,
}

impl OnReturn {
    /// What a rollback does at its place.
    pub fn new(change: impl Into<Kind>) -> Self {
        Self { change: Box::new(change.into()) }
    }
}

impl Effect for OnReturn {
    const SLUG: &'static str = "on-return";

    fn address(&self) -> Address {
        self.change.address()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        BTreeSet::new()
    }

    fn apply(&self, _: &mut Schema) -> Result<(), Impossible> {
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Kind::clone(&self.change))
    }
}

/// Drops a constraint that comes back by a change which other steps have prepared by then, or complete after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// What goes.
    pub drop: DropConstraint,
    /// How it comes back: by an index that is built already, or for new rows first.
    pub back: Box<Kind>,
}

impl Release {
    /// A constraint that comes back by another change than the one that made it.
    pub fn new(drop: DropConstraint, back: impl Into<Kind>) -> Self {
        Self { drop, back: Box::new(back.into()) }
    }
}

impl Effect for Release {
    const SLUG: &'static str = "release-constraint";

    fn address(&self) -> Address {
        self.drop.address()
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        self.drop.touches(before)
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.drop.apply(schema)
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Kind::clone(&self.back))
    }
}
