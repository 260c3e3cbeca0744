//! Judges samples by thresholds and by what was before the run. Pure: the same samples give the same verdicts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::policy::MonitorPolicy;
use crate::{
    lookout::{Sample, Work},
    span::Span,
};

/// Samples in a row over the latency threshold before it counts: one may be chance.
const LATE: u32 = 3;
/// Samples in a row without anything over a threshold before a run goes on.
const CALM: u32 = 2;
/// Latency that is not worth a word, whatever its share, in microseconds.
const NOISE_US: u64 = 1_000;
/// The same for the mean of many statements.
const MEAN_NOISE_US: u64 = 200;
/// Statements between two samples from which on their mean says something.
const CALLS: u64 = 20;

/// How a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As fast as the plan says.
    Calm,
    /// With long breaks between batches.
    Slow,
    /// Not for now.
    Wait,
}

/// What is over a threshold, or near it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which measure: `latency`, `lock-wait`, `replica-lag`, `connections`.
    pub what: String,
    /// What it is, in words, with who.
    pub says: String,
    /// How the run goes on because of it.
    pub level: Level,
}

/// What was seen before, and what is said of it.
pub(crate) struct Judge {
    policy: MonitorPolicy,
    probe_us: Option<u64>,
    known: BTreeMap<String, Work>,
    last: BTreeMap<String, Work>,
    late: u32,
    calm: u32,
    level: Level,
}

impl Judge {
    /// Takes what was before the run as the measure.
    pub(crate) fn new(policy: MonitorPolicy, baseline: &Sample) -> Self {
        let known = baseline.statements.clone();
        Self { policy, probe_us: baseline.probe_us, last: known.clone(), known, late: 0, calm: 0, level: Level::Calm }
    }

    /// Hears a sample; gives how the run goes on, and why.
    pub(crate) fn hear(&mut self, sample: &Sample) -> (Level, Vec<Finding>) {
        let mut findings = Vec::new();
        findings.extend(self.latency(sample));
        findings.extend(self.lock_waits(sample));
        if let Some(lag) = sample.lag_ms {
            let limit = self.policy.replica_lag;
            let says = format!("a replica is {} behind, the limit is {limit}", seconds(lag));
            findings.extend(near(lag, limit.ms()).map(|level| finding("replica-lag", says, level)));
        }
        if let Some((used, of)) = sample.connections {
            let percent = u64::from(used) * 100 / u64::from(of).max(1);
            if percent >= u64::from(self.policy.connections_percent) {
                let says = format!("{used} of {of} connections are in use");
                findings.push(finding("connections", says, Level::Slow));
            }
        }
        let level = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Calm);
        self.calm = if level < self.level { self.calm + 1 } else { 0 };
        if level > self.level || self.calm >= CALM {
            (self.level, self.calm) = (level, 0);
        }
        (self.level, findings)
    }

    fn latency(&mut self, sample: &Sample) -> Option<Finding> {
        let allowed = |before: u64| before.saturating_mul(100 + u64::from(self.policy.latency_percent)) / 100;
        let over = |now: u64, before: u64, noise: u64| now > allowed(before) && now > before + noise;
        let probe = match (self.probe_us, sample.probe_us) {
            (Some(before), Some(now)) if over(now, before, NOISE_US) => {
                Some(format!("the probe takes {}, before the run it took {}", ms(now), ms(before)))
            }
            _ => None,
        };
        let means = self.means(&sample.statements).filter(|(now, before)| over(*now, *before, MEAN_NOISE_US));
        let means = means.map(|(now, before)| {
            format!("the clients' statements take {} on average, before the run they took {}", ms(now), ms(before))
        });
        self.last.clone_from(&sample.statements);
        let Some(says) = probe.or(means) else {
            self.late = 0;
            return None;
        };
        self.late += 1;
        let level = if self.late >= LATE { Level::Wait } else { Level::Slow };
        let limit = self.policy.latency_percent;
        Some(finding("latency", format!("{says}; the limit is {limit}% more"), level))
    }

    /// Mean times of the statements since the last sample that were known before the run: now, and as the same mixture of statements
    /// would have taken then.
    fn means(&self, statements: &BTreeMap<String, Work>) -> Option<(u64, u64)> {
        let (mut calls, mut now, mut before) = (0, 0, 0);
        for (id, work) in statements {
            let (Some(known), Some(last)) = (self.known.get(id), self.last.get(id)) else { continue };
            let since = work.calls.saturating_sub(last.calls);
            calls += since;
            now += work.us.saturating_sub(last.us);
            before += since.saturating_mul(known.us) / known.calls.max(1);
        }
        (calls >= CALLS).then(|| (now / calls, before / calls))
    }

    fn lock_waits(&self, sample: &Sample) -> Option<Finding> {
        let longest = sample.waits.iter().filter(|wait| !wait.ours).max_by_key(|wait| wait.for_ms)?;
        let limit = self.policy.lock_wait;
        let level = near(longest.for_ms, limit.ms())?;
        let behind = if longest.behind.is_empty() { "others".to_owned() } else { longest.behind.join(", ") };
        let says = format!(
            "{} waits for a lock for {} behind {behind}; the limit is {limit}",
            longest.who,
            seconds(longest.for_ms)
        );
        Some(finding("lock-wait", says, level))
    }
}

/// Measures that are durations themselves need no second look: from half of the limit on a run slows down, at it it waits.
fn near(value: u64, limit: u64) -> Option<Level> {
    match value {
        value if value >= limit => Some(Level::Wait),
        value if value >= limit / 2 => Some(Level::Slow),
        _ => None,
    }
}

fn finding(what: &str, says: String, level: Level) -> Finding {
    Finding { what: what.to_owned(), says, level }
}

fn seconds(ms: u64) -> String {
    Span(std::time::Duration::from_secs(ms / 1_000)).to_string()
}

fn ms(us: u64) -> String {
    format!("{}.{} ms", us / 1_000, us % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookout::LockWait;

    fn probe(us: u64) -> Sample {
        Sample { probe_us: Some(us), ..Sample::default() }
    }

    fn waiting(for_ms: u64, ours: bool) -> Sample {
        let wait = LockWait { who: "process 7".to_owned(), for_ms, behind: vec!["process 9".to_owned()], ours };
        Sample { waits: vec![wait], ..Sample::default() }
    }

    fn judge(baseline: &Sample) -> Judge {
        Judge::new(MonitorPolicy::default(), baseline)
    }

    #[test]
    fn latency_counts_when_it_lasts() {
        let mut judge = judge(&probe(4_000));
        assert_eq!(judge.hear(&probe(5_900)).0, Level::Calm);
        assert_eq!(judge.hear(&probe(6_100)).0, Level::Slow);
        assert_eq!(judge.hear(&probe(6_100)).0, Level::Slow);
        let (level, findings) = judge.hear(&probe(6_100));
        assert_eq!(level, Level::Wait);
        assert_eq!(findings[0].says, "the probe takes 6.1 ms, before the run it took 4.0 ms; the limit is 50% more");
        assert_eq!(judge.hear(&probe(4_000)).0, Level::Wait, "one calm sample is not enough");
        assert_eq!(judge.hear(&probe(4_000)).0, Level::Calm);
    }

    #[test]
    fn what_takes_no_time_is_no_regression() {
        let mut judge = judge(&probe(100));
        for _ in 0..5 {
            assert_eq!(judge.hear(&probe(900)).0, Level::Calm);
        }
    }

    #[test]
    fn statements_are_compared_with_themselves() {
        let work = |calls, us| Work { calls, us };
        let sample = |quick: Work, slow: Work| Sample {
            statements: BTreeMap::from([("quick".to_owned(), quick), ("slow".to_owned(), slow)]),
            ..Sample::default()
        };
        let mut judge = judge(&sample(work(1_000, 100_000), work(10, 1_000_000)));
        let (level, _) = judge.hear(&sample(work(1_000, 100_000), work(110, 11_000_000)));
        assert_eq!(level, Level::Calm, "more of what is slow anyway is no regression");
        let (level, findings) = judge.hear(&sample(work(2_000, 2_100_000), work(110, 11_000_000)));
        assert_eq!((level, findings.len()), (Level::Slow, 1));
    }

    #[test]
    fn clients_that_wait_count_and_mig_itself_does_not() {
        let mut judge = judge(&Sample::default());
        assert_eq!(judge.hear(&waiting(60_000, true)).0, Level::Calm);
        assert_eq!(judge.hear(&waiting(2_600, false)).0, Level::Slow);
        let (level, findings) = judge.hear(&waiting(5_000, false));
        assert_eq!(level, Level::Wait);
        assert_eq!(findings[0].says, "process 7 waits for a lock for 5s behind process 9; the limit is 5s");
    }

    #[test]
    fn lag_and_connections_count() {
        let mut judge = judge(&Sample::default());
        let lag = |ms| Sample { lag_ms: Some(ms), ..Sample::default() };
        assert_eq!(judge.hear(&lag(29_000)).0, Level::Calm);
        assert_eq!(judge.hear(&lag(31_000)).0, Level::Slow);
        assert_eq!(judge.hear(&lag(61_000)).0, Level::Wait);
        let full = Sample { connections: Some((95, 100)), ..Sample::default() };
        assert_eq!(judge.hear(&full).1[0].says, "95 of 100 connections are in use");
    }
}
