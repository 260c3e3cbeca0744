//! The versions of the server that mig knows, and what each of them brought: every difference between them has its name here.

/// The oldest major version that mig knows.
pub(crate) const OLDEST: u32 = 13;

/// The newest major version that mig knows.
#[cfg(feature = "driver")]
pub(crate) const NEWEST: u32 = 18;

/// A column that is not computed any more lets go of what its expression called; before, it goes with that without a word.
pub(crate) const UNCOMPUTED_LET_GO: u32 = 15;

/// A detached partition keeps foreign keys that lead to partitioned tables.
pub(crate) const DETACHED_KEEP_KEYS: u32 = 15;

/// How values are compressed, column by column.
pub(crate) const COMPRESSION: u32 = 14;

/// Bodies of routines that are parsed when they are made.
pub(crate) const ATOMIC_BODIES: u32 = 14;

/// A lock that is waited for says since when.
#[cfg(feature = "driver")]
pub(crate) const LOCK_SAYS_SINCE: u32 = 14;

/// Ranges of several parts.
pub(crate) const MULTIRANGES: u32 = 14;

/// Procedures that give values back by `OUT` arguments.
pub(crate) const OUT_OF_PROCEDURES: u32 = 14;

/// Statistics of expressions.
pub(crate) const STATISTICS_OF_EXPRESSIONS: u32 = 14;

/// Collations of ICU keep their locale apart from those of the C library.
#[cfg(feature = "driver")]
pub(crate) const ICU_LOCALE: u32 = 15;

/// Publications of some columns or rows of a table, and of schemas.
pub(crate) const PARTS_PUBLISHED: u32 = 15;

/// `UNIQUE NULLS NOT DISTINCT`.
pub(crate) const NULLS_NOT_DISTINCT: u32 = 15;

/// Columns after `ON DELETE SET NULL` and `SET DEFAULT`.
pub(crate) const SET_COLUMNS: u32 = 15;

/// Views with the rights of who reads them.
pub(crate) const SECURITY_INVOKER: u32 = 15;

/// Sequences of unlogged tables are unlogged too.
pub(crate) const UNLOGGED_SEQUENCES: u32 = 15;

/// Roles can be granted the right to set a parameter.
pub(crate) const PARAMETERS_ARE_GRANTED: u32 = 15;

/// The schema that every database has is its owner's: others may not make objects in it.
pub(crate) const PUBLIC_IS_THE_OWNERS: u32 = 15;

/// Collations with rules of their own.
pub(crate) const COLLATION_RULES: u32 = 16;

/// `pg_input_is_valid`.
pub(crate) const INPUT_IS_VALID: u32 = 16;

/// `ALTER COLUMN SET EXPRESSION`.
pub(crate) const SET_EXPRESSION: u32 = 17;

/// Collations of the server's own, and one place for the locale of each.
pub(crate) const COLLATION_LOCALE: u32 = 17;

/// Event triggers at the beginning of a session.
pub(crate) const LOGIN_EVENTS: u32 = 17;

/// No target for statistics is NULL in the catalog, no more -1.
#[cfg(feature = "driver")]
pub(crate) const NO_TARGET_IS_NULL: u32 = 17;

/// Exclusion constraints of partitioned tables.
pub(crate) const PARTITIONED_EXCLUSION: u32 = 17;

/// The privilege `MAINTAIN`.
pub(crate) const MAINTAIN: u32 = 17;

/// Columns that are computed when they are read.
pub(crate) const VIRTUAL: u32 = 18;

/// Publications say whether they hold generated columns.
#[cfg(feature = "driver")]
pub(crate) const GENERATED_PUBLISHED: u32 = 18;

/// Constraints that are `NOT ENFORCED`.
pub(crate) const NOT_ENFORCED: u32 = 18;

/// Keys whose rows must not overlap in time, and foreign keys to them.
pub(crate) const TEMPORAL: u32 = 18;

/// What makes a column required is a constraint with a name.
pub(crate) const NOT_NULL_HAS_A_NAME: u32 = 18;

/// The functions `uuidv7` and `uuidv4`.
pub(crate) const UUID_FUNCTIONS: u32 = 18;
