//! The journal in the target: evidence of what was done, as a hash chain. The database is the truth; the journal says where to look.

use mig_plan::{Fingerprint, StepId};
use serde::{Deserialize, Serialize};

use crate::{
    control::Wish,
    driver::{Cursor, Session},
    lookout::Sample,
    monitor::{Finding, Level},
    verify::Answer,
};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When it was written, by the executor's clock: RFC 3339, UTC, milliseconds.
    pub at: String,
    /// The run it belongs to.
    pub run: String,
    /// What happened.
    pub event: Event,
    /// The hash of the line before it; of nothing for the first.
    pub previous: Fingerprint,
    /// The hash of this line without this field.
    pub hash: Fingerprint,
}

/// A backup that was read back and is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedFile {
    /// The table whose rows they are.
    pub table: mig_plan::Qualified,
    /// Its name in the run's folder of backups.
    pub file: String,
    /// How many rows are in it.
    pub rows: u64,
    /// The hash of its lines: `sha256:` and 64 hex digits, as the file's own last line says it.
    pub sha256: String,
}

/// What a line of the journal says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A run began: its plan and who admitted it.
    RunBegun {
        /// The fingerprint of the plan file.
        plan: Fingerprint,
        /// A name for people: the plan file's.
        title: String,
        /// Principals and key fingerprints that signed.
        approved_by: Vec<(String, String)>,
        /// The objects that the run reserves.
        reserved: Vec<mig_plan::Address>,
        /// The executor and its version.
        executor: String,
    },
    /// An executor took the run up, at its beginning or after an interruption.
    SessionBegun {
        /// The session that executes.
        session: Session,
    },
    /// Declared checks were asked: before the first write or after the last step.
    Asked {
        /// When.
        moment: mig_plan::verify::When,
        /// What they answered.
        answers: Vec<Answer>,
    },
    /// Rows were put into files, which were read back: declared backups before the first write, or what the run kept before it is dropped.
    Saved {
        /// The files.
        files: Vec<SavedFile>,
    },
    /// A statement that cannot share a transaction with the journal is about to run.
    StepBegun {
        /// Which step.
        step: StepId,
        /// In which session.
        session: Session,
    },
    /// A step was done, or found done.
    StepDone {
        /// Which step.
        step: StepId,
        /// How long it took, in milliseconds; none if it was found done.
        took_ms: Option<u64>,
        /// Rows that it affected, for data steps.
        rows: Option<u64>,
    },
    /// A batch of a step was done; written in the batch's own transaction.
    Batch {
        /// Which step.
        step: StepId,
        /// Where the next one begins.
        cursor: Cursor,
        /// Rows affected so far in the step.
        rows: u64,
    },
    /// The run stands at the end of a phase and waits to be taken up again.
    Paused {
        /// The phase that is complete.
        through: mig_plan::Phase,
    },
    /// At a safe point the executor did as it was asked: it waits, or has ended.
    Held {
        /// What was asked.
        wish: Wish,
        /// Who asked, in words.
        by: String,
    },
    /// A run that waited goes on.
    Resumed {},
    /// How the clients fared before the run was taken up.
    Baseline {
        /// As far as the server told.
        sample: Sample,
    },
    /// The clients fared worse than policy allows, or near to that.
    Strained {
        /// How the run goes on.
        level: Level,
        /// Why.
        findings: Vec<Finding>,
        /// All that was seen.
        sample: Sample,
    },
    /// The clients fare well again.
    Eased {},
    /// Every step is done and verified.
    RunDone {},
    /// The run is being taken back.
    RollbackBegun {},
    /// A step was taken back, or found taken back.
    StepUndone {
        /// Which step.
        step: StepId,
        /// How long it took, in milliseconds; none if it was found undone.
        took_ms: Option<u64>,
    },
    /// Everything is taken back.
    RolledBack {},
    /// What a run kept was dropped for good; it can no longer be rolled back past its contract.
    Collected {},
}
