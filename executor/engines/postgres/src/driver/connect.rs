//! Opening a session and pinning what its statements mean.

use std::time::Duration;

use mig_executor::Failure;
use mig_plan::Name;
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

use super::{failure::unreachable, link::Link, patience::Patience};
use crate::dialect::versions::{NEWEST, OLDEST};

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(15);

/// Everything that could change what a text means, or end the session from outside, has one value. A statement that row security
/// would filter is an error: it would leave rows behind unseen.
const PIN: &str = "set application_name = 'mig'; set timezone = 'UTC'; set datestyle = 'ISO, YMD'; \
    set intervalstyle = 'postgres'; set standard_conforming_strings = on; set quote_all_identifiers = off; \
    set extra_float_digits = 1; set bytea_output = 'hex'; set xmloption = 'content'; set client_min_messages = warning; \
    set idle_in_transaction_session_timeout = 0; set row_security = off; \
    set default_transaction_isolation = 'read committed'";

/// Where the server can, it looks for its client while a statement runs: one whose client was killed ends within seconds instead of
/// working on for nobody with its locks.
const MORTAL: &str = "select set_config(name, '2s', false) from pg_settings where name = 'client_connection_check_interval' \
    union all select set_config(name, '10', false) from pg_settings where name in ('tcp_keepalives_idle', 'tcp_keepalives_interval')";

/// Whose deadlock is looked for first is the one that is cancelled: let it be ours. Only some roles may say so.
const YIELDING: &str = "set deadlock_timeout = '100ms'";

/// The limits of a session that only looks on.
const BRIEF: &str = "set lock_timeout = '1s'; set statement_timeout = '5s'; set default_transaction_read_only = on";

/// What holds between the steps of a run: mig's own statements are short.
pub(super) const REST: &str = "set search_path = ''; set lock_timeout = '5s'; set statement_timeout = 0";

/// A new session and what is known of its server.
pub(super) struct Opened {
    /// The connection.
    pub(super) link: Link,
    /// The server's major version.
    pub(super) version: u32,
    /// The schema that unqualified names mean.
    pub(super) default_schema: Name,
    /// The search path that was configured, as SQL.
    pub(super) path: String,
    /// How long locks are waited for.
    pub(super) patience: Patience,
}

/// One connection as the URL says, and where it leads to.
async fn link(url: &str) -> Result<(Link, String), Failure> {
    let options: PgConnectOptions = url.parse().map_err(|e| unreachable(e, "the database"))?;
    let options = options.statement_cache_capacity(0).disable_statement_logging();
    let place = place(&options);
    let connection = tokio::time::timeout(PATIENCE, options.connect())
        .await
        .map_err(|_| Failure::Unreachable {
            says: format!("cannot connect to {place}: no answer within {} seconds", PATIENCE.as_secs()),
        })?
        .map_err(|e| unreachable(e, &place))?;
    Ok((Link::new(connection), place))
}

/// A session that looks on beside one that works: its statements are short.
pub(super) async fn beside(url: &str) -> Result<(Link, u32), Failure> {
    let (mut link, _) = link(url).await?;
    let asked = "setting up the session";
    link.run(&format!("{PIN}; set application_name = 'mig lookout'; {BRIEF}"), asked).await?;
    let number = link.value("select current_setting('server_version_num')", asked).await?;
    Ok((link, number.parse::<u32>().map_err(|e| Failure::broken(e.to_string()))? / 10_000))
}

/// Connects.
pub(super) async fn open(url: &str) -> Result<Opened, Failure> {
    let (mut link, place) = link(url).await?;
    let known = link
        .texts(
            "select version(), current_setting('server_version_num', true), current_setting('search_path'), \
             (select s from unnest(current_schemas(false)) with ordinality u(s, o) where s not like 'pg\\_%' order by o limit 1), \
             (select setting from pg_catalog.pg_settings where name = 'deadlock_timeout')",
            1,
            "asking for the server's version",
        )
        .await
        .map_err(|e| Failure::Unreachable { says: format!("{place} does not answer as PostgreSQL does: {e}") })?;
    let mut known = known.into_iter().flatten();
    let mut next = || known.next().flatten();
    let (product, number, path, schema, deadlock) = (next(), next(), next(), next(), next());
    let version = version(product.as_deref().unwrap_or_default(), number.as_deref(), &place)?;
    let default_schema = Name::new(schema.unwrap_or_else(|| "public".to_owned()))
        .map_err(|e| Failure::broken(format!("the default schema's name: {e}")))?;
    pin(&mut link).await?;
    one_session(url, &mut link).await?;
    // An empty path in the server's configuration file is shown as nothing, which is no SQL.
    let path = path.filter(|p| !p.trim().is_empty()).unwrap_or_else(|| "''".to_owned());
    // One second is what servers begin with.
    let patience = Patience::new(deadlock.and_then(|ms| ms.parse().ok()).unwrap_or(1_000));
    Ok(Opened { link, version, default_schema, path, patience })
}

/// The major version, if it is one that mig knows.
fn version(product: &str, number: Option<&str>, place: &str) -> Result<u32, Failure> {
    let number: u32 = number.and_then(|n| n.parse().ok()).unwrap_or_default();
    let major = number / 10_000;
    if product.starts_with("PostgreSQL ") && (OLDEST..=NEWEST).contains(&major) {
        return Ok(major);
    }
    let product = product.split(" on ").next().unwrap_or_default();
    let says = format!("{place} is {product}; this mig knows PostgreSQL {OLDEST} to {NEWEST}");
    let says = if major > NEWEST { format!("{says}: a newer mig may know it") } else { says };
    Err(Failure::Unreachable { says })
}

/// Pins the session.
async fn pin(link: &mut Link) -> Result<(), Failure> {
    let asked = "setting up the session";
    link.run(&format!("{PIN}; {REST}"), asked).await?;
    link.values(MORTAL, asked).await?;
    match link.run(YIELDING, asked).await {
        Ok(_) | Err(Failure::Refused { .. }) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Finds out whether the connection is a session at all: a proxy that pools transactions gives each of them some session. While ours
/// rests, such a proxy lends its session to the next that asks, so two connections meet in one; a server never does that.
async fn one_session(url: &str, link: &mut Link) -> Result<(), Failure> {
    let asked = "asking for the session";
    let this =
        "select concat_ws(' ', pg_backend_pid(), current_setting('lock_timeout'), current_setting('row_security'))";
    let pid = link.value("select pg_backend_pid()::text", asked).await?;
    // A role that may have one connection only, or a server that is full, leaves the rest to the lock: it is proved to be ours.
    let Ok((mut other, _)) = self::link(url).await else { return Ok(()) };
    let mut pooled = false;
    for _ in 0..3 {
        pooled |= other.value("select pg_backend_pid()::text", asked).await? == pid;
        pooled |= link.value(this, asked).await? != format!("{pid} 5s off");
    }
    other.close().await?;
    if !pooled {
        return Ok(());
    }
    Err(Failure::Unreachable {
        says: "the connection goes through a proxy that pools transactions, so that neither settings nor locks last; \
               connect to the server itself, or let the proxy pool sessions"
            .to_owned(),
    })
}

/// Where a connection leads to, for messages: without the password.
fn place(options: &PgConnectOptions) -> String {
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    format!("database `{database}` at {host}:{} as `{}`", options.get_port(), options.get_username())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_postgres_of_a_known_age_will_do() {
        assert_eq!(version("PostgreSQL 15.4 on x86_64", Some("150004"), "x").unwrap(), 15);
        assert!(version("PostgreSQL 19.0 on x86_64", Some("190000"), "x").is_err());
        assert!(version("PostgreSQL 12.9 on x86_64", Some("120009"), "x").is_err());
        assert!(version("CockroachDB CCL v23.1", Some("130000"), "x").is_err());
    }

    #[test]
    fn messages_do_not_show_the_password() {
        let options: PgConnectOptions = "postgres://me:geheim@somewhere:5433/shop".parse().unwrap();
        assert_eq!(place(&options), "database `shop` at somewhere:5433 as `me`");
    }
}
