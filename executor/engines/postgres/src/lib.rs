//! The PostgreSQL engine of `mig`: a pure dialect, and with feature `driver` the connection.

use mig_plan::{Dialect, Name};

pub mod dialect;
#[cfg(feature = "driver")]
pub mod driver;

/// The engine's name, as specs and plans say it.
pub const NAME: &str = "postgres";

/// The schemes of URLs that mean this engine.
pub const SCHEMES: &[&str] = &["postgres", "postgresql"];

/// The dialect of a major version such as `15`; unqualified names mean `default_schema`, else `public`.
#[must_use]
pub fn dialect(version: &str, default_schema: Option<Name>) -> Box<dyn Dialect> {
    Box::new(dialect::Postgres::new(version, default_schema))
}

/// Opens a session with the database at a URL.
///
/// # Errors
/// [`Failure`](mig_executor::Failure) without secrets, if it cannot be reached or is none that this engine supports.
#[cfg(feature = "driver")]
pub async fn connect(url: &str) -> Result<Box<dyn mig_executor::Driver>, mig_executor::Failure> {
    Ok(Box::new(driver::connect(url, dialect).await?))
}

/// A session to be had beside the one that works, with the database at a URL.
#[cfg(feature = "driver")]
#[must_use]
pub fn lookout(url: &str) -> Box<dyn mig_executor::Lookout> {
    Box::new(driver::PostgresLookout::new(url.to_owned()))
}
