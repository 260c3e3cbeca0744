//! When a run hurts too much. It belongs to the executor's own configuration, never to a plan.

use schemars::JsonSchema;
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorPolicy {
    /// Whether anything is watched.
    #[schemars(example = true)]
    pub enabled: bool,
    /// How often a sample is taken.
    #[schemars(with = "String", example = &"1s")]
    pub every: Span,
    /// A query of the user's whose latency stands for that of the clients. Only read, and short.
    #[schemars(example = &"select 1 from orders limit 1")]
    pub probe: Option<String>,
    /// A query of the user's that gives the lag of the replicas in seconds, where the server does not know it.
    #[schemars(example = &"select lag from replica_status")]
    pub lag: Option<String>,
    /// By how many percent latency may rise above what it was before the run.
    #[schemars(example = 50)]
    pub latency_percent: u32,
    /// How long a client may wait for a lock.
    #[schemars(with = "String", example = &"5s")]
    pub lock_wait: Span,
    /// How far a replica may be behind.
    #[schemars(with = "String", example = &"60s")]
    pub replica_lag: Span,
    /// How many percent of the connections may be in use.
    #[schemars(example = 90)]
    pub connections_percent: u32,
    /// How old another client's transaction may be before it is told: it keeps dead rows alive, and index builds waiting.
    #[schemars(with = "String", example = &"10m")]
    pub transaction: Span,
    /// How long a run waits for a threshold to be kept again.
    #[schemars(with = "String", example = &"30m")]
    pub patience: Span,
    /// What happens when the patience is at its end.
    #[schemars(example = &"stop")]
    pub then: Then,
}

/// What happens to a run that has waited in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
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
