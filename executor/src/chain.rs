//! The journal's hash chain: makes its lines, and proves that none was changed, removed or put in between.

use mig_plan::Fingerprint;
use serde::Serialize;

use crate::journal::{Entry, Event};

/// The end of a journal: what the next line follows on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    seq: u64,
    last: Fingerprint,
}

/// A line of the journal that does not follow on the one before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {seq} of the journal {why}")]
pub struct BrokenChain {
    /// Which line.
    pub seq: u64,
    /// In which way.
    pub why: &'static str,
}

/// What the hash of a line is over, in this order: its JSON.
#[derive(Serialize)]
struct Hashed<'a> {
    seq: u64,
    at: &'a str,
    run: &'a str,
    event: &'a Event,
    previous: &'a Fingerprint,
}

impl Default for Chain {
    fn default() -> Self {
        Self { seq: 0, last: Fingerprint::of_bytes(b"") }
    }
}

impl Chain {
    /// Verifies a whole journal and gives its end.
    ///
    /// # Errors
    /// [`BrokenChain`] at the first line that does not follow.
    pub fn verify(entries: &[Entry]) -> Result<Self, BrokenChain> {
        let mut chain = Self::default();
        for entry in entries {
            let broken = |why| BrokenChain { seq: entry.seq, why };
            if entry.seq != chain.seq + 1 {
                return Err(broken("is out of sequence: lines are missing or doubled"));
            }
            if entry.previous != chain.last {
                return Err(broken("does not follow on the line before it"));
            }
            if !Self::is_whole(entry) {
                return Err(broken("was changed after it was written"));
            }
            chain = Self { seq: entry.seq, last: entry.hash.clone() };
        }
        Ok(chain)
    }

    /// A chain whose last line has that number and hash.
    pub(crate) fn at(seq: u64, last: Fingerprint) -> Self {
        Self { seq, last }
    }

    /// The number of the last line.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// The hash of the last line.
    pub(crate) fn last(&self) -> &Fingerprint {
        &self.last
    }

    /// Whether a line is as it was written.
    pub(crate) fn is_whole(entry: &Entry) -> bool {
        hash(entry.seq, &entry.at, &entry.run, &entry.event, &entry.previous) == entry.hash
    }

    /// The next line, at the present time; the chain then ends with it.
    pub fn next(&mut self, run: &str, event: Event) -> Entry {
        self.next_at(now(), run, event)
    }

    fn next_at(&mut self, at: String, run: &str, event: Event) -> Entry {
        let (seq, previous) = (self.seq + 1, self.last.clone());
        let hash = hash(seq, &at, run, &event, &previous);
        *self = Self { seq, last: hash.clone() };
        Entry { seq, at, run: run.to_owned(), event, previous, hash }
    }
}

fn hash(seq: u64, at: &str, run: &str, event: &Event, previous: &Fingerprint) -> Fingerprint {
    Fingerprint::of(&Hashed { seq, at, run, event, previous })
}

/// The present time as the journal writes it.
#[must_use]
pub fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_is_found() {
        let mut chain = Chain::default();
        let mut entries: Vec<_> = (0..3).map(|n| chain.next_at(format!("t{n}"), "r", Event::RunDone {})).collect();
        assert_eq!(Chain::verify(&entries), Ok(chain));
        entries[1].event = Event::RolledBack {};
        assert_eq!(Chain::verify(&entries).unwrap_err().seq, 2);
        entries.remove(1);
        assert_eq!(Chain::verify(&entries).unwrap_err().seq, 3);
    }
}
