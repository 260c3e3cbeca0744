//! The MySQL and MariaDB engine of `mig`: a pure dialect, and with feature `driver` the connection.

pub mod dialect;
#[cfg(feature = "driver")]
pub mod driver;
mod flavor;

use mig_plan::{Dialect, Name};

/// The engine's name, as specs and plans say it.
pub const NAME: &str = "mysql";

/// The schemes of URLs that mean this engine.
pub const SCHEMES: &[&str] = &["mysql", "mariadb"];

/// The pure half for a server. The version is what a pull says: product, major and minor version, and the database's collation, as in
/// `mariadb-10.11/utf8mb4_general_ci`. There are no schemas inside a database, so the second argument is ignored.
#[must_use]
pub fn dialect(version: &str, _default_schema: Option<Name>) -> Box<dyn Dialect> {
    Box::new(dialect::MySqlDialect::new(version))
}

/// Connects to the database that a URL such as `mysql://user@host:3306/shop` names.
///
/// # Errors
/// [`Failure::Unreachable`](mig_executor::Failure) if there is no such server, or it is too old, or the URL names no database.
#[cfg(feature = "driver")]
pub async fn connect(url: &str) -> Result<Box<dyn mig_executor::Driver>, mig_executor::Failure> {
    Ok(Box::new(driver::MySqlDriver::connect(url).await?))
}

/// A session to be had beside the one that works, with the database at a URL.
#[cfg(feature = "driver")]
#[must_use]
pub fn lookout(url: &str) -> Box<dyn mig_executor::Lookout> {
    Box::new(driver::MySqlLookout::new(url.to_owned()))
}
