//! The lock that one executor holds on a database, and sessions that held it before.

use std::time::{Duration, Instant};

use mig_executor::{Failure, Lease, Session};
use serde::{Deserialize, Serialize};

use super::link::Link;

/// The lock's name: one for each database, and short whatever that is called.
const LOCK: &str = "CONCAT('mig.', SHA2(DATABASE(), 224))";
/// How long to wait before asking again.
const POLL: Duration = Duration::from_millis(250);
/// Seconds by which two readings of the server's start may differ.
const SAME_START: i64 = 5;

/// Takes the lock, waiting at most `wait`.
pub(super) async fn take(link: &mut Link, wait: Duration) -> Result<Lease, Failure> {
    let asked = "taking the lock";
    let until = Instant::now() + wait;
    loop {
        if link.value(&format!("SELECT GET_LOCK({LOCK}, 0)"), asked).await? == "1" {
            return Ok(Lease::Taken);
        }
        if Instant::now() >= until {
            let query = format!(
                "SELECT CONCAT('connection ', id, ' of ', user, ' at ', host, ' since ', time, ' s') \
                 FROM information_schema.processlist WHERE id = IS_USED_LOCK({LOCK})"
            );
            let by = link.value(&query, asked).await?;
            return Ok(Lease::Held { by: if by.is_empty() { "another session".to_owned() } else { by } });
        }
        tokio::time::sleep(POLL.min(until.saturating_duration_since(Instant::now()))).await;
    }
}

/// Gives the lock back.
pub(super) async fn release(link: &mut Link) -> Result<(), Failure> {
    link.value(&format!("SELECT RELEASE_LOCK({LOCK})"), "giving the lock back").await.map(|_| ())
}

/// What makes a session one and no other: the server counts connections from its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Thread {
    id: u64,
    server_started: i64,
}

/// This session.
pub(super) async fn session(link: &mut Link) -> Result<Session, Failure> {
    let thread = this(link).await?;
    Ok(Session(serde_json::to_value(thread).map_err(|e| Failure::broken(e.to_string()))?))
}

async fn this(link: &mut Link) -> Result<Thread, Failure> {
    let asked = "asking for the session";
    let number = |text: String| text.parse::<i64>().map_err(|e| Failure::broken(e.to_string()));
    let id = number(link.value("SELECT CONNECTION_ID()", asked).await?)?;
    let now = number(link.value("SELECT UNIX_TIMESTAMP()", asked).await?)?;
    let up = link.texts("SHOW GLOBAL STATUS LIKE 'Uptime'", 1, asked).await?;
    let up = number(up.into_iter().flatten().nth(1).flatten().unwrap_or_default())?;
    Ok(Thread { id: u64::try_from(id).map_err(|e| Failure::broken(e.to_string()))?, server_started: now - up })
}

/// Cuts the statement of a session short.
pub(super) async fn cancel(link: &mut Link, session: &Session) -> Result<(), Failure> {
    let Thread { id, .. } = thread(session)?;
    link.run(&format!("KILL QUERY {id}"), "cutting a statement short").await.map(|_| ())
}

/// The number of a session's connection.
pub(super) fn id(session: &Session) -> Result<u64, Failure> {
    Ok(thread(session)?.id)
}

fn thread(session: &Session) -> Result<Thread, Failure> {
    serde_json::from_value(session.0.clone())
        .map_err(|e| Failure::refused(format!("the journal holds a session that mig cannot read: {e}")))
}

/// Waits at most `wait` until a session is gone; ends it after half of that, if it may.
pub(super) async fn settled(link: &mut Link, session: &Session, wait: Duration) -> Result<bool, Failure> {
    let asked = "looking for an earlier session";
    let earlier = thread(session)?;
    let own = this(link).await?;
    let restarted = (own.server_started - earlier.server_started).abs() > SAME_START;
    if restarted || own.id == earlier.id {
        return Ok(true);
    }
    let count = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {}", earlier.id);
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
            match link.run(&format!("KILL {}", earlier.id), asked).await {
                Ok(_) | Err(Failure::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        tokio::time::sleep(POLL.min(wait / 4)).await;
    }
}
