//! A session beside those that execute: it sees how the clients fare, hears what people ask, and cuts a statement short.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{control::Signal, driver::Session, failure::Failure};

/// What the executor needs of an engine beside the session that works. It connects when it is first asked, and again when it has lost
/// its connection; it never writes.
#[async_trait]
pub trait Lookout: Send {
    /// What is asked of a run.
    async fn signalled(&mut self, run: &str) -> Result<Option<Signal>, Failure>;

    /// Cuts the statement of a session short, if one is at work. The session itself stays.
    async fn cancel(&mut self, session: &Session) -> Result<(), Failure>;

    /// How the database's clients fare at this moment, as far as the server tells. `own` are the sessions that work.
    async fn sample(&mut self, asks: &Asks, own: &[Session]) -> Result<Sample, Failure>;
}

/// What the user's own queries are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// Its latency stands for that of the clients.
    pub probe: Option<String>,
    /// The lag of the replicas in seconds: one row, one number, `NULL` for none.
    pub lag: Option<String>,
}

/// How a database's clients fare at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The latency of the probe query, in microseconds.
    pub probe_us: Option<u64>,
    /// What the server has counted of each kind of statement since it began to; empty where it does not.
    #[serde(skip)]
    pub statements: BTreeMap<String, Work>,
    /// Who waits for a lock.
    pub waits: Vec<LockWait>,
    /// How far the slowest replica is behind, in milliseconds.
    pub lag_ms: Option<u64>,
    /// The oldest transaction of another client: whose, and how old in milliseconds.
    pub oldest: Option<(String, u64)>,
    /// Connections in use, and how many there can be.
    pub connections: Option<(u32, u32)>,
}

/// A kind of statement as the server counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// How often it ran.
    pub calls: u64,
    /// How long all of that took, in microseconds.
    pub us: u64,
}

/// A session that waits for a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockWait {
    /// Who waits, in words.
    pub who: String,
    /// How long already, in milliseconds.
    pub for_ms: u64,
    /// Who holds the lock or stands before it in the queue, in words.
    pub behind: Vec<String>,
    /// Whether it is a session that works.
    pub ours: bool,
}

/// The answer of the user's query for the lag, in milliseconds; none if it gives nothing.
///
/// # Errors
/// [`Failure::Refused`] if it is not a number of seconds.
pub fn lag_ms(text: &str) -> Result<Option<u64>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => {
            // A lag of thirty years is as good as any longer one.
            Ok(Some(u64::try_from(Duration::from_secs_f64(seconds.min(1e9)).as_millis()).unwrap_or(u64::MAX)))
        }
        _ => Err(Failure::refused(format!("the query for the lag gives `{text}`, not a number of seconds"))),
    }
}

/// The middle one of several measures.
#[must_use]
pub fn middle(mut measures: Vec<u64>) -> u64 {
    measures.sort_unstable();
    measures.get(measures.len() / 2).copied().unwrap_or_default()
}
