//! Databases of the tests.

use mig_test_support::postgres::{self, Database};

/// A database that holds what `sql` makes, and stays until the process ends.
pub(super) fn database(sql: &str) -> &'static Database {
    Box::leak(Box::new(postgres::server().database(sql)))
}
