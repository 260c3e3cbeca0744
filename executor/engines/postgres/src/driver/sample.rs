//! How the clients of a database fare, as the server's own views tell.

use std::{collections::BTreeMap, time::Instant};

use mig_executor::{
    Failure, Session,
    lookout::{Asks, LockWait, Sample, Work, lag_ms, middle},
};
use serde::Deserialize;

use super::{lease, link::Link};
use crate::dialect::versions;

/// How often the probe is asked for one sample; the middle one counts.
const PROBES: usize = 3;
/// What a probe that is cut short by the session's own limit has taken.
const CUT_US: u64 = 5_000_000;

/// Reads everything but the user's own queries at once. Waits for advisory locks are the application's own business.
const LOOK: &str = "select json_build_object( \
    'waits', (select coalesce(json_agg(json_build_object('pid', a.pid, 'who', WHO, \
        'for_ms', greatest(0, extract(epoch from clock_timestamp() - SINCE) * 1000)::bigint, \
        'behind', (select coalesce(json_agg(WHO_B), '[]') from pg_stat_activity b where b.pid = any (pg_blocking_pids(a.pid))))), '[]') \
      from pg_stat_activity a where a.wait_event_type = 'Lock' and a.wait_event <> 'advisory' and a.datname = current_database()), \
    'lag_ms', (select (extract(epoch from max(replay_lag)) * 1000)::bigint from pg_stat_replication), \
    'oldest', (select json_build_array(WHO, (extract(epoch from clock_timestamp() - a.xact_start) * 1000)::bigint) \
      from pg_stat_activity a where a.xact_start is not null and a.backend_type = 'client backend' and a.datname = current_database() \
      and a.pid not in (pg_backend_pid(), OWN) order by a.xact_start limit 1), \
    'connections', (select json_build_array(count(*), current_setting('max_connections')::int) \
      from pg_stat_activity where backend_type = 'client backend'))::text";

#[derive(Deserialize)]
struct Look {
    waits: Vec<Wait>,
    lag_ms: Option<u64>,
    oldest: Option<(String, u64)>,
    connections: Option<(u32, u32)>,
}

#[derive(Deserialize)]
struct Wait {
    pid: i32,
    who: String,
    for_ms: u64,
    behind: Vec<String>,
}

/// Takes a sample.
pub(super) async fn sample(link: &mut Link, version: u32, asks: &Asks, own: &[Session]) -> Result<Sample, Failure> {
    let asked = "watching the clients";
    let own = own.iter().map(lease::pid).collect::<Result<Vec<_>, _>>()?;
    let not = own.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let who = |alias: &str| {
        format!(
            "format('process %s (%s as %s)', {alias}.pid, coalesce(nullif({alias}.application_name, ''), 'unnamed'), {alias}.usename)"
        )
    };
    // An older server does not say since when a lock is waited for, only since when its statement runs.
    let since = match version {
        ..versions::LOCK_SAYS_SINCE => "a.query_start",
        _ => {
            "coalesce((select min(l.waitstart) from pg_locks l where l.pid = a.pid and not l.granted), clock_timestamp())"
        }
    };
    let query = LOOK.replace("WHO_B", &who("b")).replace("WHO", &who("a")).replace("SINCE", since);
    let text = link.value(&query.replace("OWN", &not), asked).await?;
    let look: Look = serde_json::from_str(&text).map_err(|e| Failure::broken(format!("{asked}: {e}")))?;
    let waits = look.waits.into_iter().map(|wait| {
        let Wait { pid, who, for_ms, behind } = wait;
        LockWait { who, for_ms, behind, ours: own.contains(&pid) }
    });
    let mut sample = Sample { waits: waits.collect(), lag_ms: look.lag_ms, ..Sample::default() };
    (sample.oldest, sample.connections) = (look.oldest, look.connections);
    if let Some(query) = &asks.lag {
        sample.lag_ms = lag_ms(&link.value(query, "asking for the lag").await?)?;
    }
    sample.statements = statements(link).await?;
    if let Some(query) = &asks.probe {
        sample.probe_us = Some(probe(link, query).await?);
    }
    Ok(sample)
}

/// The middle of several latencies of the user's query.
async fn probe(link: &mut Link, query: &str) -> Result<u64, Failure> {
    let mut took = Vec::new();
    for _ in 0..PROBES {
        let begun = Instant::now();
        match link.run(query, "asking the probe").await {
            Ok(_) => took.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)),
            // Cut short by its limits: it took at least that long, and once tells enough.
            Err(Failure::Refused { code: Some(code), .. }) if code == "57014" => return Ok(CUT_US),
            Err(Failure::Transient { .. }) => return Ok(CUT_US),
            Err(failure) => return Err(failure),
        }
    }
    Ok(middle(took))
}

/// What `pg_stat_statements` has counted in this database; nothing where it is not installed, not loaded, or not for us to see.
async fn statements(link: &mut Link) -> Result<BTreeMap<String, Work>, Failure> {
    let asked = "reading the counts of statements";
    let place = "select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace \
        where e.extname = 'pg_stat_statements'";
    let schema = link.value(place, asked).await?;
    if schema.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = format!(
        "select queryid::text, sum(calls)::bigint::text, (sum(total_exec_time) * 1000)::bigint::text \
         from {schema}.pg_stat_statements(false) where queryid is not null \
         and dbid = (select oid from pg_database where datname = current_database()) group by 1"
    );
    let rows = match link.texts(&query, usize::MAX, asked).await {
        Ok(rows) => rows,
        Err(Failure::Refused { .. }) => return Ok(BTreeMap::new()),
        Err(failure) => return Err(failure),
    };
    let work = rows.into_iter().filter_map(|row| {
        let mut row = row.into_iter().flatten();
        let (id, calls, us) = (row.next()?, row.next()?, row.next()?);
        Some((id, Work { calls: calls.parse().ok()?, us: us.parse().ok()? }))
    });
    Ok(work.collect())
}
