//! The SQLite engine of `mig`: a pure dialect, and with feature `driver` the connection.

pub mod dialect;
#[cfg(feature = "driver")]
pub mod driver;

use mig_plan::{Dialect, Name};

#[cfg(feature = "driver")]
pub use self::driver::connect;

/// The engine's name, as specs and plans say it.
pub const NAME: &str = "sqlite";

/// The URL schemes that mean this engine.
pub const SCHEMES: &[&str] = &["sqlite"];

/// The dialect of a version. SQLite has no schemas, so there is no default one.
#[must_use]
pub fn dialect(version: &str, _: Option<Name>) -> Box<dyn Dialect> {
    Box::new(dialect::Sqlite::new(version))
}
