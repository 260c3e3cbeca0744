//! The PostgreSQL engine of `mig`: a pure dialect, and with feature `driver` the connection.

pub mod dialect;
#[cfg(feature = "driver")]
pub mod driver;

/// The engine's name, as specs and plans say it.
pub const NAME: &str = "postgres";

/// The schemes of URLs that mean this engine.
pub const SCHEMES: &[&str] = &["postgres", "postgresql"];
