//! The PostgreSQL engine of `mig`: a pure dialect, and with feature `driver` the connection.

use mig_plan::{Dialect, Name};

pub mod dialect;
#[cfg(feature = "driver")]
pub mod driver;

/// The engine's name, as specs and plans say it.
pub const NAME: &str = "postgres";

/// The dialect of a major version such as `15`; unqualified names mean `default_schema`, else `public`.
#[must_use]
pub fn dialect(version: &str, default_schema: Option<Name>) -> Box<dyn Dialect> {
    Box::new(dialect::Postgres::new(version, default_schema))
}
