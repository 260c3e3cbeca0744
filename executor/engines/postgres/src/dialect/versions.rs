//! The versions of the server that mig knows, and what each of them brought. What the catalog calls things in each is in the driver's
//! queries.

/// The oldest major version that mig knows.
pub(crate) const OLDEST: u32 = 13;

/// The newest major version that mig knows.
#[cfg(feature = "driver")]
pub(crate) const NEWEST: u32 = 18;

/// `UNIQUE NULLS NOT DISTINCT`.
pub(crate) const NULLS_NOT_DISTINCT: u32 = 15;

/// Columns after `ON DELETE SET NULL` and `SET DEFAULT`.
pub(crate) const SET_COLUMNS: u32 = 15;

/// Views with the rights of who reads them.
pub(crate) const SECURITY_INVOKER: u32 = 15;

/// Sequences of unlogged tables are unlogged too.
pub(crate) const UNLOGGED_SEQUENCES: u32 = 15;

/// The schema that every database has is its owner's: others may not make objects in it.
pub(crate) const PUBLIC_IS_THE_OWNERS: u32 = 15;

/// `pg_input_is_valid`.
pub(crate) const INPUT_IS_VALID: u32 = 16;

/// `ALTER COLUMN SET EXPRESSION`.
pub(crate) const SET_EXPRESSION: u32 = 17;

/// The privilege `MAINTAIN`.
pub(crate) const MAINTAIN: u32 = 17;

/// Columns that are computed when they are read.
pub(crate) const VIRTUAL: u32 = 18;

/// Constraints that are `NOT ENFORCED`.
pub(crate) const NOT_ENFORCED: u32 = 18;
