//! When a run hurts too much. It belongs to the executor's own configuration, never to a plan.

use serde::Deserialize;

use crate::span::Span;

/// Table `[monitor]` of `mig.toml`:
///
/// ```toml
/// [monitor]
/// probe = "select count(*) from orders where placed_at > now() - interval '1 minute'"
/// lag = "select extract(epoch from now() - seen) from heartbeat"
/// latency_percent = 50
/// lock_wait = "5s"
/// replica_lag = "60s"
/// connections_percent = 90
/// patience = "30m"
/// then = "stop"
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorPolicy {
    /// Whether anything is watched.
    pub enabled: bool,
    /// How often a sample is taken.
    pub every: Span,
    /// A query of the user's whose latency stands for that of the clients. Only read, and short.
    pub probe: Option<String>,
    /// A query of the user's that gives the lag of the replicas in seconds, where the server does not know it.
    pub lag: Option<String>,
    /// By how many percent latency may rise above what it was before the run.
    pub latency_percent: u32,
    /// How long a client may wait for a lock.
    pub lock_wait: Span,
    /// How far a replica may be behind.
    pub replica_lag: Span,
    /// How many percent of the connections may be in use.
    pub connections_percent: u32,
    /// How old another client's transaction may be before it is told: it keeps dead rows alive, and index builds waiting.
    pub transaction: Span,
    /// How long a run waits for a threshold to be kept again.
    pub patience: Span,
    /// What happens when the patience is at its end.
    pub then: Then,
}

/// What happens to a run that has waited in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// The executor ends; the run can be taken up again.
    Stop,
    /// The run is taken back.
    Undo,
}

impl Default for MonitorPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            every: Span::seconds(1),
            probe: None,
            lag: None,
            latency_percent: 50,
            lock_wait: Span::seconds(5),
            replica_lag: Span::seconds(60),
            connections_percent: 90,
            transaction: Span::seconds(600),
            patience: Span::seconds(1_800),
            then: Then::Stop,
        }
    }
}
