//! How the clients of a database fare, as the server's own tables tell.

use std::time::Instant;

use mig_executor::{
    Failure, Session,
    lookout::{Asks, LockWait, Sample, lag_ms, middle},
};

use super::{lease, link::Link};
use crate::flavor::Flavor;

/// How often the probe is asked for one sample; the middle one counts.
const PROBES: usize = 3;
/// Row locks: who waits since when, behind whom. MySQL 8 tells it in another place than MariaDB.
const MARIA_ROWS: &str = "SELECT r.trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, r.trx_wait_started, NOW()) * 1000, b.trx_mysql_thread_id \
    FROM information_schema.innodb_lock_waits w JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id \
    JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id";
const MYSQL_ROWS: &str = "SELECT waiting_pid, wait_age_secs * 1000, blocking_pid FROM sys.innodb_lock_waits";
/// Table and metadata locks: who waits since when. By whom they are held is not told without more instruments.
const TABLES: &str = "SELECT id, time * 1000 FROM information_schema.processlist WHERE state LIKE 'Waiting for table%lock%' \
    AND db = DATABASE()";
const OLDEST: &str = "SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) * 1000 FROM information_schema.innodb_trx \
    WHERE trx_mysql_thread_id NOT IN (CONNECTION_ID(), OWN) ORDER BY trx_started LIMIT 1";

/// Takes a sample.
pub(super) async fn sample(link: &mut Link, flavor: &Flavor, asks: &Asks, own: &[Session]) -> Result<Sample, Failure> {
    let asked = "watching the clients";
    let own = own.iter().map(lease::id).collect::<Result<Vec<_>, _>>()?;
    let not = own.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut sample = Sample::default();
    let rows = if flavor.is_maria() { MARIA_ROWS } else { MYSQL_ROWS };
    for query in [rows, TABLES] {
        sample
            .waits
            .extend(allowed(link.texts(query, 1_000, asked).await)?.into_iter().filter_map(|row| wait(&row, &own)));
    }
    let oldest = allowed(link.texts(&OLDEST.replace("OWN", &not), 1, asked).await)?;
    sample.oldest = oldest.first().and_then(|row| Some((who(number(row, 0)?), number(row, 1)?)));
    let used = link.texts("SHOW GLOBAL STATUS LIKE 'Threads_connected'", 1, asked).await?;
    let most = link.value("SELECT @@GLOBAL.max_connections", asked).await?;
    let used = used.first().and_then(|row| number(row, 1)).and_then(|used| u32::try_from(used).ok());
    sample.connections = used.zip(most.parse().ok());
    if let Some(query) = &asks.lag {
        sample.lag_ms = lag_ms(&link.value(query, "asking for the lag").await?)?;
    }
    if let Some(query) = &asks.probe {
        sample.probe_us = Some(probe(link, query).await?);
    }
    Ok(sample)
}

/// What a role may not see is as if it were not there.
fn allowed(done: Result<Vec<Vec<Option<String>>>, Failure>) -> Result<Vec<Vec<Option<String>>>, Failure> {
    match done {
        Err(Failure::Refused { .. }) => Ok(Vec::new()),
        done => done,
    }
}

fn number(row: &[Option<String>], at: usize) -> Option<u64> {
    row.get(at)?.as_deref()?.split('.').next()?.parse().ok()
}

fn who(id: u64) -> String {
    format!("connection {id}")
}

fn wait(row: &[Option<String>], own: &[u64]) -> Option<LockWait> {
    let (waiting, for_ms) = (number(row, 0)?, number(row, 1)?);
    let behind = number(row, 2).map(who).into_iter().collect();
    Some(LockWait { who: who(waiting), for_ms, behind, ours: own.contains(&waiting) })
}

/// The middle of several latencies of the user's query.
async fn probe(link: &mut Link, query: &str) -> Result<u64, Failure> {
    let mut took = Vec::new();
    for _ in 0..PROBES {
        let begun = Instant::now();
        match link.texts(query, 1, "asking the probe").await {
            Ok(_) | Err(Failure::Transient { .. }) => {
                took.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(middle(took))
}
