//! The lock that one executor holds on a database, and sessions that held it before.

use std::time::{Duration, Instant};

use mig_executor::{Failure, Lease, Session};
use serde::{Deserialize, Serialize};

use super::link::Link;

/// The first half of the lock's key: `mig` in ASCII. The second is a hash of the database's name.
const KEY: i32 = 0x006d_6967;
/// How long to wait before asking again.
const POLL: Duration = Duration::from_millis(250);

/// Takes the lock, waiting at most `wait`. It asks again and again rather than waiting inside the server: a waiting session would
/// hold a snapshot, and keep concurrent index builds from ending.
pub(super) async fn take(link: &mut Link, wait: Duration) -> Result<Lease, Failure> {
    let asked = "taking the lock";
    let until = Instant::now() + wait;
    loop {
        let query = format!("select pg_try_advisory_lock({KEY}, hashtext(current_database()))::text");
        if link.value(&query, asked).await? == "true" {
            let ours = format!("select count(*)::text from ({}) h where pid = pg_backend_pid()", holders());
            return match link.value(&ours, asked).await?.as_str() {
                "0" => Err(Failure::refused(
                    "the lock was taken by another session: a proxy pools transactions in between",
                )),
                _ => Ok(Lease::Taken),
            };
        }
        if Instant::now() >= until {
            let query = format!(
                "select format('process %s (%s) since %s', h.pid, coalesce(nullif(a.application_name, ''), 'unnamed'), \
                   coalesce(to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS \"UTC\"'), 'unknown')) \
                 from ({}) h left join pg_stat_activity a using (pid)",
                holders()
            );
            let by = link.value(&query, asked).await?;
            return Ok(Lease::Held { by: if by.is_empty() { "a session that has just ended".to_owned() } else { by } });
        }
        tokio::time::sleep(POLL.min(until.saturating_duration_since(Instant::now()))).await;
    }
}

/// Who holds the lock.
fn holders() -> String {
    format!(
        "select pid from pg_locks where locktype = 'advisory' and granted and classid::int8 = {KEY} and objsubid = 2 \
         and objid::int8 = (hashtext(current_database())::int8 & 4294967295) \
         and database = (select oid from pg_database where datname = current_database())"
    )
}

/// Gives the lock back.
pub(super) async fn release(link: &mut Link) -> Result<(), Failure> {
    let query = format!("select pg_advisory_unlock({KEY}, hashtext(current_database()))::text");
    link.value(&query, "giving the lock back").await.map(|_| ())
}

/// What makes a session one and no other: process ids are used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Backend {
    pid: i32,
    backend_start: String,
}

/// This session.
pub(super) async fn session(link: &mut Link) -> Result<Session, Failure> {
    let backend = this(link).await?;
    Ok(Session(serde_json::to_value(backend).map_err(|e| Failure::broken(e.to_string()))?))
}

async fn this(link: &mut Link) -> Result<Backend, Failure> {
    let query = "select json_build_object('pid', pid, 'backend_start', backend_start::text)::text \
        from pg_stat_activity where pid = pg_backend_pid()";
    let text = link.value(query, "asking for the session").await?;
    serde_json::from_str(&text).map_err(|e| Failure::broken(e.to_string()))
}

/// Cuts the statement of a session short.
pub(super) async fn cancel(link: &mut Link, session: &Session) -> Result<(), Failure> {
    let Backend { pid, backend_start } = backend(session)?;
    let start = backend_start.replace('\'', "''");
    let query = format!(
        "select pg_cancel_backend(pid)::text from pg_stat_activity \
         where pid = {pid} and coalesce(backend_start::text = '{start}', true)"
    );
    link.value(&query, "cutting a statement short").await.map(|_| ())
}

/// The process id of a session.
pub(super) fn pid(session: &Session) -> Result<i32, Failure> {
    Ok(backend(session)?.pid)
}

fn backend(session: &Session) -> Result<Backend, Failure> {
    serde_json::from_value(session.0.clone())
        .map_err(|e| Failure::refused(format!("the journal holds a session that mig cannot read: {e}")))
}

/// Waits at most `wait` until a session is gone, and its helpers with it; ends it after half of that, if it may.
pub(super) async fn settled(link: &mut Link, session: &Session, wait: Duration) -> Result<bool, Failure> {
    let asked = "looking for an earlier session";
    let earlier = backend(session)?;
    if this(link).await? == earlier {
        return Ok(true);
    }
    // A role that may not see others' sessions sees no start: then the process id alone must do.
    let Backend { pid, backend_start } = &earlier;
    let lives = format!(
        "(pid = {pid} and coalesce(backend_start::text = '{}', true)) or leader_pid = {pid}",
        backend_start.replace('\'', "''")
    );
    let count = format!("select count(*)::text from pg_stat_activity where {lives}");
    let (begun, mut ended) = (Instant::now(), false);
    loop {
        if link.value(&count, asked).await? == "0" {
            return Ok(true);
        }
        if begun.elapsed() >= wait {
            return Ok(false);
        }
        if !ended && begun.elapsed() >= wait / 2 {
            ended = true;
            let end = format!("select pg_terminate_backend(pid)::text from pg_stat_activity where {lives}");
            match link.run(&end, asked).await {
                Ok(_) | Err(Failure::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        tokio::time::sleep(POLL.min(wait / 4)).await;
    }
}
