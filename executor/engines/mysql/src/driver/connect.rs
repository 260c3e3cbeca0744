//! Opening a session and pinning what its statements mean.

use std::time::Duration;

use mig_executor::Failure;
use sqlx::{ConnectOptions as _, mysql::MySqlConnectOptions};

use super::{failure::unreachable, link::Link};
use crate::flavor::Flavor;

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(15);

/// Everything that could change what a text means, or end the session from outside, has one value. Zero dates are let through:
/// rows that have them are copied as they are.
const PIN: &str = "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
    time_zone = '+00:00', foreign_key_checks = 1, unique_checks = 1, autocommit = 1, sql_quote_show_create = 1, \
    lock_wait_timeout = 5, innodb_lock_wait_timeout = 5, wait_timeout = 28800, sql_notes = 0";

/// A new session and what is known of its server.
pub(super) struct Opened {
    /// The connection.
    pub(super) link: Link,
    /// What the server is.
    pub(super) flavor: Flavor,
    /// The database's name.
    pub(super) database: String,
}

/// Connects.
pub(super) async fn open(url: &str) -> Result<Opened, Failure> {
    let options: MySqlConnectOptions = url.parse().map_err(|e| unreachable(e, "the database"))?;
    let options = options
        .statement_cache_capacity(0)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .charset("utf8mb4")
        .disable_statement_logging();
    let Some(database) = options.get_database().map(str::to_owned) else {
        let says = "the URL names no database: write `mysql://user@host/database`".to_owned();
        return Err(Failure::Unreachable { says });
    };
    let place = format!("database `{database}` at {}:{}", options.get_host(), options.get_port());
    let connection = tokio::time::timeout(PATIENCE, options.connect())
        .await
        .map_err(|_| Failure::Unreachable {
            says: format!("cannot connect to {place}: no answer within {} seconds", PATIENCE.as_secs()),
        })?
        .map_err(|e| unreachable(e, &place))?;
    let mut link = Link::new(connection);
    let asked = "setting up the session";
    let known = link.texts("SELECT VERSION(), @@collation_database, @@lower_case_table_names", 1, asked).await?;
    let mut known = known.into_iter().flatten().flatten();
    let (version, collation) = (known.next().unwrap_or_default(), known.next().unwrap_or_default());
    let lower = known.next().is_some_and(|kept| kept == "1");
    let Some(mut flavor) = Flavor::of_server(&version, &collation) else {
        let says = format!("{place} is {version}; mig needs MariaDB 10.5 or MySQL 8.0, or newer");
        return Err(Failure::Unreachable { says });
    };
    flavor.lower = lower;
    link.run(PIN, asked).await?;
    if flavor.is_maria() {
        // Tables that keep their history may change; their history stays.
        link.run("SET SESSION system_versioning_alter_history = 'KEEP'", asked).await?;
    }
    link.run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", asked).await?;
    Ok(Opened { link, flavor, database })
}
