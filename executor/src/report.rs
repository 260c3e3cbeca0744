//! What the executor tells while it works.

use std::time::Duration;

use mig_plan::{Address, Phase, StepId};
use serde::Serialize;

use crate::{control::Interrupt, monitor::Level};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Progress {
    /// The executor waits for something.
    Waiting {
        /// For what.
        what: String,
    },
    /// An advising check found something; the constraint itself decides later.
    Warned {
        /// The step that the check is for.
        step: StepId,
        /// About what.
        at: Address,
        /// What should hold.
        says: String,
        /// How many rows are wrong.
        count: u64,
        /// Some of them.
        samples: Vec<String>,
    },
    /// A run began, or was taken up.
    RunBegan {
        /// Its id.
        run: String,
        /// Steps already done.
        done: usize,
        /// Steps of the plan.
        of: usize,
    },
    /// The rollback of a run began, or was taken up.
    RollbackBegan {
        /// The run's id.
        run: String,
        /// Steps already taken back.
        done: usize,
        /// Steps to take back.
        of: usize,
    },
    /// A step, or its undo, began.
    StepStarted {
        /// Its number, from 1.
        n: usize,
        /// How many there are.
        of: usize,
        /// Which.
        id: StepId,
        /// What for.
        why: String,
        /// Its phase.
        phase: Phase,
    },
    /// A batch was done.
    BatchDone {
        /// Of which step.
        id: StepId,
        /// Rows affected so far.
        rows: u64,
        /// Rows that there were to do when it began, if known.
        total: Option<u64>,
        /// Rows a second of late, once that can be told.
        per_second: Option<u64>,
        /// How long the rest will take at this speed, in seconds.
        left_s: Option<u64>,
    },
    /// A step, or its undo, is done.
    StepDone {
        /// Its number, from 1.
        n: usize,
        /// How many there are.
        of: usize,
        /// Which.
        id: StepId,
        /// How long it took; `None` if it was found done.
        took: Option<Duration>,
        /// Rows affected, for data steps.
        rows: Option<u64>,
    },
    /// Something passing stood in the way; it is tried again.
    Retrying {
        /// Which step.
        id: StepId,
        /// The attempt that follows.
        attempt: u32,
        /// How many attempts there are.
        of: u32,
        /// What stood in the way.
        says: String,
    },
    /// What an interrupted statement left behind is cleared away.
    Repairing {
        /// Of which step.
        id: StepId,
    },
    /// The connection was lost.
    Reconnecting {
        /// What is known.
        says: String,
    },
    /// What the specs say must hold in the end does.
    Verified {
        /// How many checks were asked.
        checks: usize,
        /// How many probes were tried.
        probes: usize,
    },
    /// The clients fare worse than policy allows, or near to that.
    Strained {
        /// How the run goes on.
        level: Level,
        /// Why.
        says: String,
    },
    /// Something worth knowing that stops nothing.
    Noted {
        /// A sentence.
        says: String,
    },
}

/// Hears what happens.
pub trait Report: Send {
    /// Something happened.
    fn progress(&mut self, progress: &Progress);

    /// A point of the run was reached at which a crash could hurt. Points come in the same order each time the same plan meets the
    /// same database. Each is `WAY/STEP/PLACE`, WAY `forth` or `back`, or `run/PLACE` for the run's own lines. PLACE is one of `begin`,
    /// `locked`, `before-sql-N`, `after-sql-N`, `before-alone`, `after-alone`, `before-commit`, `after-commit`, `before-batch`,
    /// `after-batch`, `before-journal`, `after-journal`, `backup-begun`, `backup-written`, `backup-named`. A restore has points of its own,
    /// `restore/PLACE`.
    fn crossing(&mut self, point: &str) {
        let _ = point;
    }

    /// What the process is told from outside; looked at between steps and between batches, and by the monitor.
    fn interrupt(&self) -> Interrupt {
        Interrupt::default()
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Report for Silent {
    fn progress(&mut self, _: &Progress) {}
}
