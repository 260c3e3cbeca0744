//! The driver against a real server.

mod behaviour;
mod objects;
mod server;
mod stub;

use super::{PostgresDriver, connect};

/// A session with a new database that holds what `sql` makes.
async fn session(sql: &str) -> PostgresDriver {
    let url = server::database(sql).url();
    connect(&url, stub::dialect).await.unwrap()
}
