//! What a definition needs to exist.

use std::collections::BTreeSet;

use mig_plan::{Address, Name, Object, Schema};

pub(crate) fn of(_at: &Address, _object: &Object, _schema: &Schema, _default: Option<&Name>) -> BTreeSet<Address> {
    BTreeSet::new()
}
