//! What PostgreSQL adds to a declared schema.

use mig_plan::{Address, Complaint, Name, Schema};

pub(crate) fn normalize(declared: Schema, _default: Option<&Name>, _version: u32) -> Result<Schema, Vec<Complaint>> {
    let _ = Address::table;
    Ok(declared)
}
